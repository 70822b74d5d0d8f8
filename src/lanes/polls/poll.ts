// Polls: ask a server what changed, keep what was seen, and want the lanes that it concerns. Nothing is absorbed here (lanes.md 20). The cursor
// holds the server's own times and moves only in the transaction that stores what was seen. When each is made next is a row: nothing else has to
// last for polling to go on.

import { sql } from 'kysely';
import {
  type Capabilities,
  isOffered,
  isSearchResult,
  issueCodes,
  pollOverlapMs,
  pollQuery,
  type SearchFailure,
  type SearchResult,
} from '../../connections/connections.ts';
import { CasebridgeError, type ErrorCode, reason } from '../../errors.ts';
import { factsOf } from '../../fault.ts';
import { json, type Store } from '../../store/store.ts';
import { pollsAtOnce } from '../budget/at-once.ts';
import { isConfiguredOtherwise } from '../configuration/configuration.ts';
import { holdDocuments } from '../documents/editions.ts';
import type { LaneConnection, LaneDeps } from '../lane-connection.ts';
import { searchFailure } from '../look/search-failure.ts';
import { closeAlert, openAlert } from '../operating/alerts.ts';
import { pauseForFault } from '../operating/pause.ts';
import { backoffMs } from '../retry.ts';
import { mayPoll } from './poll-allowed.ts';
import { failsTopic, keepSeen, type PollKey, type PollOutcome, updatedAt } from './poll-keep.ts';
import { dayMs, pollEveryMs } from './poll-plan.ts';
import { searchForPoll } from './poll-search.ts';
import { readRoster } from './roster.ts';
import { isOwnSubscription, keepSubscribed, noteUntold, typeOf } from './subscribe.ts';
import { readSubscription } from './subscriptions.ts';

type CapabilitiesOf = (connection: string) => Promise<Capabilities>;

/**
 * Runs polls whose time has come and that no other process is at, some of a connection at the same time.
 * @param only of these connections. @default all
 * @returns how many ran; there may be more.
 */
export async function runDuePolls(
  deps: LaneDeps,
  capabilities: CapabilitiesOf,
  only: readonly string[] = [...deps.connections.keys()],
): Promise<number> {
  const ran = await Promise.all(
    only.map(async (id) => {
      const connection = deps.connections.get(id);
      return connection === undefined ? 0 : runPollsOf(deps, connection, capabilities);
    }),
  );
  return ran.reduce((sum, count) => sum + count, 0);
}

async function runPollsOf(deps: LaneDeps, connection: LaneConnection, capabilities: CapabilitiesOf): Promise<number> {
  const claimed = await claimPolls(deps, connection);
  const renew = () => renewPolls(deps, claimed);
  const waiting = [...claimed];
  const work = async (): Promise<void> => {
    for (let poll = waiting.shift(); poll !== undefined; poll = waiting.shift())
      await runPoll(deps, connection, poll, capabilities, renew);
  };
  await Promise.all(Array.from({ length: pollsAtOnce(connection.config.rateLimit) }, work));
  return claimed.length;
}

interface Poll extends PollKey {
  readonly tier: number;
  readonly cursor: string | null;
  /** It has been read in full within a day. */
  readonly is_full: boolean;
  readonly claimed_at: Date;
}

const mostClaimed = 20;

/**
 * What is overdue for a day goes first, so that nobody is forgotten; then open referrals, open cases, and others. No documents while the server shows
 * none.
 */
async function claimPolls(
  { store, leaseMs }: LaneDeps,
  { config: { id: connection }, configuration }: LaneConnection,
): Promise<Poll[]> {
  const isDue = sql`p.connection = ${connection} and p.next_at <= now() and (p.lease_until is null or p.lease_until < now())
    and (p.resource_type not in ('DocumentReference', 'Binary')
      or not exists (select 1 from connection h where h.id = ${connection} and h.documents_held_until > now()))`;
  const { rows } = await sql<Poll>`
    with open as (
      select 1 where not exists (
          select 1 from connection c where c.id = ${connection} and (c.paused is not null or c.draining_since is not null))
        and not ${isConfiguredOtherwise(connection, configuration)}
        and not exists (select 1 from budget b where b.connection = ${connection}
          and (b.failing or b.rest_until > now() or b.urgent_until > now()))
    ), candidate as (
      (select p.resource_type, p.about, -1 as rank, p.next_at from poll p
        where ${isDue} and p.next_at < now() - interval '1 day' order by p.next_at limit ${mostClaimed})
      union
      (select p.resource_type, p.about, p.tier, p.next_at from poll p where ${isDue} order by p.tier, p.next_at limit ${mostClaimed})
    ), due as (
      select p.resource_type, p.about from poll p
      join (select resource_type, about, min(rank) as rank from candidate group by 1, 2 order by 3 limit ${mostClaimed}) as f
        on f.resource_type = p.resource_type and f.about = p.about
      where ${isDue} and exists (select 1 from open)
      for update of p skip locked)
    update poll set lease_until = now() + ${leaseMs} * interval '1 millisecond'
    from due where poll.connection = ${connection} and poll.resource_type = due.resource_type and poll.about = due.about
    returning poll.connection, poll.resource_type, poll.about, poll.tier, poll.cursor,
      coalesce(poll.full_at > now() - interval '1 day', false) as is_full, now() as claimed_at`.execute(store.db);
  // In this order, so that the one with an open referral is not kept waiting by the others.
  return rows.toSorted((one, other) => one.tier - other.tier || compare(one.resource_type, other.resource_type));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Page by page, so that a long poll keeps its lease and a dead process' one is soon free. Overlapping another poll does no harm. */
async function renewPolls({ store, leaseMs }: LaneDeps, polls: readonly Poll[]): Promise<void> {
  const names = json(polls.map(({ connection, resource_type, about }) => ({ connection, resource_type, about })));
  const renewed = sql`
    update poll p set lease_until = now() + ${leaseMs} * interval '1 millisecond'
    from jsonb_to_recordset(${names}) as c(connection text, resource_type text, about text)
    where p.connection = c.connection and p.resource_type = c.resource_type and p.about = c.about
      and p.lease_until > now()`;
  await store.once((db) => renewed.execute(db));
}

async function runPoll(
  deps: LaneDeps,
  connection: LaneConnection,
  poll: Poll,
  capabilities: CapabilitiesOf,
  renew: () => Promise<void>,
): Promise<void> {
  try {
    const outcome = isOther(poll)
      ? await readOther(deps, connection, poll, capabilities)
      : await readChanges(deps, connection, poll, await capabilities(poll.connection), renew);
    await schedule(deps, connection, poll, outcome);
  } catch (error) {
    if (error instanceof CasebridgeError) {
      if (error.kind.class === 'config') await pauseForFault(deps, poll.connection, error.reason);
      return schedule(deps, connection, poll, { failed: error.reason });
    }
    deps.log.error({ connection: poll.connection, ...factsOf(error) }, 'a poll failed');
    const requestId = `poll-${poll.resource_type}`;
    await schedule(deps, connection, poll, { failed: reason('internal', { requestId }) });
  }
}

/** One resource that says whom to ask about, or how long we are notified. */
function isOther({ resource_type: type }: PollKey): boolean {
  return type === 'Group' || type === 'List' || type === 'Subscription';
}

async function readOther(
  deps: LaneDeps,
  connection: LaneConnection,
  poll: Poll,
  capabilities: CapabilitiesOf,
): Promise<PollOutcome> {
  const { resource_type: type, about } = poll;
  if (isOwnSubscription(poll))
    return keepSubscribed(deps.store, connection, typeOf(about), await capabilities(poll.connection));
  const failed =
    type === 'Subscription'
      ? await readSubscription(deps.store, connection, about)
      : await readRoster(deps.store, connection, type, about);
  return failed === undefined ? 'done' : { failed };
}

async function readChanges(
  deps: LaneDeps,
  connection: LaneConnection,
  poll: Poll,
  capabilities: Capabilities,
  renew: () => Promise<void>,
): Promise<PollOutcome> {
  const { vendor } = connection;
  const type = poll.resource_type;
  const hindrance = await mayPoll(deps.store, poll.connection, type, capabilities);
  if (hindrance !== undefined) return { none: hindrance };
  const startedAt = await deps.store.now();
  const lookBackTo = new Date(startedAt.getTime() - connection.config.polls.lookBackMs);
  const since = poll.about === '' ? (poll.cursor ?? (await firstTime(deps.store, poll, lookBackTo))) : newSince(poll);
  const search = pollQuery(vendor, type, {
    ...(since !== undefined && { since: new Date(since) }),
    ...(poll.about !== '' && { patientId: poll.about }),
    lookBackTo,
    searchParams: capabilities.searchParams[type] ?? [],
  });
  if (!isOffered(search)) return { none: reason('poll-not-offered', { resourceType: type, why: search.notOffered }) };
  const result = await searchForPoll(connection, {
    resourceType: type,
    search,
    from: since === undefined ? (search.isDated ? lookBackTo : new Date(0)) : beforeTime(since),
    to: new Date(startedAt.getTime() + dayMs),
    limits: { beforePage: renew, isPoll: true },
    known: () => idsSeen(deps.store, poll),
  });
  if (!isSearchResult(result)) {
    if (isRefused(result, search.refusedBy)) return { none: reason('poll-patient-needed', { resourceType: type }) };
    const failure = searchFailure(connection, result);
    if (failure.kind === 'config') await pauseForFault(deps, poll.connection, failure.reason);
    return { failed: failure.reason };
  }
  const lanes = await deps.store.tx(async (trx) => {
    const kept = await keepSeen(trx, {
      poll,
      connection,
      identifierSystem: deps.identifierSystem,
      result,
      startedAt,
      isFull: search.isFull,
      isWhole: search.isFull && !search.isDated,
      isForCommunity: search.refusedBy.length > 0,
    });
    // A partial or overtaken answer keeps the window open: what it lacked is asked for again.
    if (!result.isPartial && !kept.isOvertaken) {
      await trx
        .updateTable('poll')
        .set({
          cursor: newest(poll.cursor ?? since, result),
          last_ok_at: sql<Date>`now()`,
          // LEAST leaves NULL out, and the first time there is nothing to measure from.
          last_ms: sql<number | null>`case when last_ok_at is not null
            then least(extract(epoch from now() - last_ok_at) * 1000, 2147483647)::integer end`,
          ...(search.isFull && { full_at: sql<Date>`now()` }),
        })
        .where('connection', '=', poll.connection)
        .where('resource_type', '=', type)
        .where('about', '=', poll.about)
        .execute();
    }
    await noteUntold(trx, poll.connection, type, kept.news);
    return kept.lanes;
  });
  deps.wake(lanes);
  return result.isPartial ? { failed: result.reason } : 'done';
}

/** What was seen of this type and patient; a patient is known by the poll itself. */
async function idsSeen({ db }: Store, { connection, resource_type: type, about }: Poll): Promise<string[]> {
  if (about === '') return [];
  const rows = await db
    .selectFrom('seen')
    .select('remote_id')
    .where('connection', '=', connection)
    .where('resource_type', '=', type)
    .where('patient', '=', about)
    .where('gone', '=', false)
    .where('origin', '<>', 'adt')
    .orderBy('remote_id')
    .execute();
  return [...new Set([...(type === 'Patient' ? [about] : []), ...rows.map(({ remote_id }) => remote_id)])];
}

/** Once a day all of a patient is read, so that what no search for changes shows is found too. */
function newSince({ cursor, is_full }: Poll): string | undefined {
  return is_full ? (cursor ?? undefined) : undefined;
}

/** What was stored in the minutes before may have become visible since. */
function beforeTime(since: string): Date {
  return new Date(new Date(since).getTime() - pollOverlapMs);
}

function isRefused(failure: SearchFailure, codes: readonly string[]): boolean {
  return failure.fault === undefined && issueCodes(failure.body).some((code) => codes.includes(code));
}

/**
 * The newest time of the server in what was found; where its resources have none, when it answered. Never later than its answer: a node of it whose
 * clock is ahead, or a clock that is put back, would else hide what comes after.
 */
function newest(before: string | undefined, result: SearchResult): string | null {
  const times = result.resources.map(updatedAt);
  const answered = result.answeredAt?.toISOString();
  const found = times.length > 0 && times.every((time) => time === '') ? answered : times.sort().at(-1);
  const latest = [before ?? '', found ?? ''].sort().at(-1) ?? '';
  return (answered !== undefined && answered < latest ? answered : latest) || null;
}

/**
 * Where a search of all begins: when the server says that it stored the first of ours, or further back. What is no time says nothing.
 */
async function firstTime(store: Store, poll: PollKey, lookBackTo: Date): Promise<string> {
  const { rows } = await sql<{ at: string | null }>`
    select min(s.body -> 'meta' ->> 'lastUpdated') as at
    from link l join seen s on s.connection = l.connection and s.resource_type = l.resource_type and s.remote_id = l.remote_id
    where l.connection = ${poll.connection} and l.resource_type = ${poll.resource_type} and l.retired_at is null
      and s.body -> 'meta' ->> 'lastUpdated' ~ ${instant}`.execute(store.db);
  const first = rows[0]?.at;
  const far = lookBackTo.toISOString();
  return first === null || first === undefined ? far : ([new Date(first).toISOString(), far].sort()[0] ?? far);
}

const instant = '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d';

async function schedule(deps: LaneDeps, connection: LaneConnection, poll: Poll, outcome: PollOutcome): Promise<void> {
  const failure = outcome === 'done' ? undefined : 'none' in outcome ? outcome.none : outcome.failed;
  const everyMs = isOther(poll)
    ? isOwnSubscription(poll)
      ? subscriptionLookMs
      : hourMs
    : pollEveryMs(connection.config, connection.vendor, poll.resource_type, poll.tier);
  // Spread over a tenth of the interval, so that polls do not come due in step.
  const afterMs =
    outcome === 'done'
      ? everyMs * (0.95 + 0.1 * deps.random())
      : 'none' in outcome
        ? Math.max(everyMs, dayMs)
        : Math.max(Math.min(everyMs, hourMs), backoffMs(3, deps.random()));
  await deps.store.tx(async (trx) => {
    // Who was notified meanwhile asks again.
    const wokenAt = sql`case when woken_at > ${poll.claimed_at} then woken_at end`;
    await trx
      .updateTable('poll')
      .set({
        lease_until: null,
        next_at: sql<Date>`least(now() + ${Math.round(afterMs)} * interval '1 millisecond', ${wokenAt})`,
        reason: failure === undefined ? null : json(failure),
      })
      .where('connection', '=', poll.connection)
      .where('resource_type', '=', poll.resource_type)
      .where('about', '=', poll.about)
      .execute();
    const topic = `${failsTopic}${poll.connection}:${poll.resource_type}`;
    if (failure?.code === 'server-daily-cap') await holdDocuments(trx, poll.connection);
    if (failure !== undefined) {
      if (lastingFailures.includes(failure.code))
        await openAlert(trx, { topic, connection: poll.connection, reason: failure });
      return;
    }
    const others = await sql`
      select 1 from poll where connection = ${poll.connection} and resource_type = ${poll.resource_type}
        and reason is not null and reason ->> 'code' in (${sql.join(lastingFailures)}) limit 1`.execute(trx);
    if (others.rows.length === 0) await closeAlert(trx, topic);
  });
}

const hourMs = 3_600_000;
/** One that the server has ended is asked for again no later. */
const subscriptionLookMs = 15 * 60_000;

/** No later poll does better unless somebody mends something; what is missed meanwhile must not be missed in silence. */
const lastingFailures: readonly ErrorCode[] = [
  'connection-reply-too-large',
  'roster-empty',
  'roster-unreadable',
  'search-endless',
  'server-refused',
  'server-reply-unkeepable',
  'server-wrong-resource',
];
