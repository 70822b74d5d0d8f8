// Polls: asks a server what changed, keeps what was seen, and wants the lanes that have a link to it. Nothing is absorbed here (lanes.md 20).
// The cursor holds the server's own times and moves only in the transaction that stores what was seen.

import { sql, type Transaction } from 'kysely';
import { type Capabilities, isOffered, isSearchResult, pollQuery } from '../connections/connections.ts';
import { CasebridgeError, type ErrorCode, type Reason, reason } from '../errors.ts';
import { factsOf } from '../fault.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Database, json, type Store } from '../store/store.ts';
import { closeAlert, openAlert } from './alerts.ts';
import { noteInbound } from './inbound/note.ts';
import type { LaneConnection, LaneDeps } from './lane-connection.ts';
import type { LaneKey } from './lease.ts';
import { hashOfSeen, raiseWanted, saveSeen, versionTagOf } from './links.ts';
import { pauseForFault } from './pause.ts';
import { backoffMs } from './retry.ts';
import { searchFailure } from './search-failure.ts';

/** What this version reads back from a server. */
export const polledTypes = ['Task', 'ServiceRequest'] as const;

/** Makes the poll rows of a connection, due at once. */
export async function preparePolls(store: Store, connection: string): Promise<void> {
  await store.db
    .insertInto('poll')
    .values(polledTypes.map((resource_type) => ({ connection, resource_type })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Runs every poll whose time has come and that no other process is at. @returns how many ran. */
export async function runDuePolls(
  deps: LaneDeps,
  capabilities: (connection: string) => Promise<Capabilities>,
): Promise<number> {
  const claimed = await claimPolls(deps, [...deps.connections.keys()]);
  const renew = () => renewPolls(deps, claimed);
  for (const poll of claimed) {
    const connection = deps.connections.get(poll.connection);
    if (connection !== undefined) await runPoll(deps, connection, poll, capabilities, renew);
  }
  return claimed.length;
}

interface Poll {
  readonly connection: string;
  readonly resource_type: string;
  readonly cursor: string | null;
}

async function claimPolls({ store, leaseMs }: LaneDeps, connections: readonly string[]): Promise<Poll[]> {
  const { rows } = await sql<Poll>`
    update poll set lease_until = now() + ${leaseMs} * interval '1 millisecond'
    where (connection, resource_type) in (
      select p.connection, p.resource_type from poll p
      where p.next_at <= now() and (p.lease_until is null or p.lease_until < now())
        and p.connection in (select c.id from jsonb_to_recordset(${json(connections.map((id) => ({ id })))}) as c(id text))
        and not exists (select 1 from connection c where c.id = p.connection and (c.paused is not null or c.draining_since is not null))
        and not exists (select 1 from budget b where b.connection = p.connection
          and (b.failing or b.rest_until > now() or b.urgent_until > now()))
      order by p.next_at limit 20 for update skip locked)
    returning connection, resource_type, cursor`.execute(store.db);
  return rows;
}

/** Page by page, so that a long poll keeps its lease and a dead process' one is soon free. Overlapping another poll does no harm. */
async function renewPolls({ store, leaseMs }: LaneDeps, polls: readonly Poll[]): Promise<void> {
  const names = json(polls.map(({ connection, resource_type }) => ({ connection, resource_type })));
  await sql`
    update poll p set lease_until = now() + ${leaseMs} * interval '1 millisecond'
    from jsonb_to_recordset(${names}) as c(connection text, resource_type text)
    where p.connection = c.connection and p.resource_type = c.resource_type and p.lease_until > now()`.execute(
    store.db,
  );
}

async function runPoll(
  deps: LaneDeps,
  connection: LaneConnection,
  poll: Poll,
  capabilities: (connection: string) => Promise<Capabilities>,
  renew: () => Promise<void>,
): Promise<void> {
  try {
    const failure = await readChanges(deps, connection, poll, await capabilities(poll.connection), renew);
    await schedule(deps, connection, poll, failure);
  } catch (error) {
    if (error instanceof CasebridgeError) {
      if (error.kind.class === 'config') await pauseForFault(deps, poll.connection, error.reason);
      return schedule(deps, connection, poll, error.reason);
    }
    deps.log.error({ connection: poll.connection, ...factsOf(error) }, 'a poll failed');
    await schedule(deps, connection, poll, reason('internal', { requestId: `poll-${poll.resource_type}` }));
  }
}

/** @returns why nothing could be read, or undefined when the window was read to its end. */
async function readChanges(
  deps: LaneDeps,
  connection: LaneConnection,
  poll: Poll,
  capabilities: Capabilities,
  renew: () => Promise<void>,
): Promise<Reason | undefined> {
  const since = poll.cursor ?? (await firstSeenTime(deps.store, poll));
  // Without a link of this type, and nobody to be offered what begins there, there is nothing to hear about.
  if (since === undefined && connection.config.inboundTo === undefined) return undefined;
  const query = pollQuery(connection.vendor, poll.resource_type, {
    ...(since !== undefined && { since: new Date(since) }),
    capabilities,
  });
  if (!isOffered(query)) return undefined;
  const startedAt = await deps.store.now();
  const result = await connection.client.searchAll(poll.resource_type, query, { beforePage: renew, isPoll: true });
  if (!isSearchResult(result)) {
    const failure = searchFailure(connection, result);
    if (failure.kind === 'config') await pauseForFault(deps, poll.connection, failure.reason);
    return failure.reason;
  }
  const newest = [since ?? '', ...result.resources.map(updatedAt)].sort().at(-1) || null;
  const woken = await deps.store.tx(async (trx) => {
    const { lanes, isOvertaken } = await keepSeen(trx, poll, result.resources, {
      startedAt,
      settleMs: connection.config.settleMs,
    });
    const begun = await keepBegun(trx, deps, connection, result.resources);
    // An incomplete or overtaken answer keeps the window open: what it lacked is asked for again.
    if (result.complete && !isOvertaken) {
      await trx
        .updateTable('poll')
        .set({ cursor: newest, last_ok_at: sql<Date>`now()` })
        .where('connection', '=', poll.connection)
        .where('resource_type', '=', poll.resource_type)
        .execute();
    }
    return [...lanes, ...begun];
  });
  deps.wake(woken);
  return result.complete ? undefined : result.reason;
}

/** The oldest time at which the server says that it stored one of ours: nothing before that can matter. What is no time says nothing. */
async function firstSeenTime(store: Store, poll: Poll): Promise<string | undefined> {
  const { rows } = await sql<{ at: string | null }>`
    select min(s.body -> 'meta' ->> 'lastUpdated') as at
    from link l join seen s on s.connection = l.connection and s.resource_type = l.resource_type and s.remote_id = l.remote_id
    where l.connection = ${poll.connection} and l.resource_type = ${poll.resource_type} and l.retired_at is null
      and s.body -> 'meta' ->> 'lastUpdated' ~ ${instant}`.execute(store.db);
  return rows[0]?.at ?? undefined;
}

const instant = '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d';

function updatedAt(resource: JsonObject): string {
  const at = isObject(resource.meta) ? resource.meta.lastUpdated : undefined;
  return typeof at === 'string' && !Number.isNaN(Date.parse(at)) ? new Date(at).toISOString() : '';
}

/** Stores what is new among the linked resources, and wants their lanes. What we saw already, our own echo included, is passed over. */
async function keepSeen(
  trx: Transaction<Database>,
  poll: Poll,
  resources: readonly JsonObject[],
  asked: Asked,
): Promise<{ lanes: LaneKey[]; isOvertaken: boolean }> {
  const byId = new Map(
    resources.flatMap((resource) => (typeof resource.id === 'string' ? [[resource.id, resource] as const] : [])),
  );
  if (byId.size === 0) return { lanes: [], isOvertaken: false };
  const rows = await trx
    .selectFrom('link')
    .leftJoin('seen', (join) =>
      join
        .onRef('seen.connection', '=', 'link.connection')
        .onRef('seen.resource_type', '=', 'link.resource_type')
        .onRef('seen.remote_id', '=', 'link.remote_id'),
    )
    .select(['link.subject', 'link.remote_id', 'seen.hash', 'seen.seen_at', 'seen.body'])
    .where('link.connection', '=', poll.connection)
    .where('link.resource_type', '=', poll.resource_type)
    .where('link.remote_id', 'in', [...byId.keys()])
    .where('link.retired_at', 'is', null)
    .execute();
  const lanes = new Map<string, LaneKey>();
  let isOvertaken = false;
  for (const row of rows) {
    const body = byId.get(row.remote_id ?? '');
    if (body === undefined || row.remote_id === null || hashOfSeen(body) === row.hash) continue;
    if (mayBeOlder(body, row, asked)) {
      isOvertaken = true;
      continue;
    }
    await saveSeen(trx, poll.connection, {
      resourceType: poll.resource_type,
      remoteId: row.remote_id,
      versionTag: versionTagOf(body),
      body,
    });
    lanes.set(row.subject, { connection: poll.connection, subject: row.subject });
  }
  await raiseWanted(trx, [...lanes.values()], { priority: 10 });
  return { lanes: [...lanes.values()], isOvertaken };
}

/** Stores what no link leads to, and has it noted. */
async function keepBegun(
  trx: Transaction<Database>,
  { identifierSystem }: LaneDeps,
  { config }: LaneConnection,
  resources: readonly JsonObject[],
): Promise<LaneKey[]> {
  const { rows } = await sql<{ body: JsonObject }>`
    select r.body from jsonb_array_elements(${json<Json>([...resources])}) as r(body)
    where not exists (select 1 from link l where l.connection = ${config.id}
      and l.resource_type = r.body ->> 'resourceType' and l.remote_id = r.body ->> 'id')
    and not exists (select 1 from seen s where s.connection = ${config.id} and s.resource_type = r.body ->> 'resourceType'
      and s.remote_id = r.body ->> 'id' and s.body = r.body)`.execute(trx);
  const unlinked = rows.map(({ body }) => body).filter(({ id }) => typeof id === 'string');
  const looks = unlinked.map((body) => ({
    resourceType: String(body.resourceType),
    remoteId: String(body.id),
    versionTag: versionTagOf(body),
    body,
  }));
  await saveSeen(trx, config.id, ...looks);
  return noteInbound(trx, { config, identifierSystem }, unlinked);
}

/** When a search was asked for, and for how long after a write a search may still show what was before (`settle`). */
interface Asked {
  readonly startedAt: Date;
  readonly settleMs: number;
}

/** Whether what a search shows may be older than the look that is kept: a run has read or written the resource since, or shortly before. */
function mayBeOlder(
  found: JsonObject,
  kept: { readonly seen_at: Date | null; readonly body: JsonObject | null },
  { startedAt, settleMs }: Asked,
): boolean {
  const [foundAt, keptAt] = [updatedAt(found), updatedAt(kept.body ?? {})];
  if (foundAt !== '' && keptAt !== '' && foundAt !== keptAt) return foundAt < keptAt;
  return kept.seen_at !== null && kept.seen_at.getTime() >= startedAt.getTime() - settleMs;
}

async function schedule(
  deps: LaneDeps,
  connection: LaneConnection,
  poll: Poll,
  failure: Reason | undefined,
): Promise<void> {
  const { pollEveryMs } = connection.config;
  // Spread over a tenth of the interval, so that connections do not poll in step.
  const afterMs =
    failure === undefined
      ? pollEveryMs * (0.95 + 0.1 * deps.random())
      : Math.max(pollEveryMs, backoffMs(3, deps.random()));
  await deps.store.tx(async (trx) => {
    await trx
      .updateTable('poll')
      .set({
        lease_until: null,
        next_at: sql<Date>`now() + ${Math.round(afterMs)} * interval '1 millisecond'`,
        reason: failure === undefined ? null : json(failure),
      })
      .where('connection', '=', poll.connection)
      .where('resource_type', '=', poll.resource_type)
      .execute();
    const topic = `poll-fails:${poll.connection}:${poll.resource_type}`;
    if (failure === undefined) await closeAlert(trx, topic);
    else if (lastingFailures.includes(failure.code))
      await openAlert(trx, { topic, connection: poll.connection, reason: failure });
  });
}

/** No later poll does better unless somebody mends something; what is missed meanwhile must not be missed in silence. */
const lastingFailures: readonly ErrorCode[] = [
  'connection-reply-too-large',
  'search-endless',
  'server-refused',
  'server-wrong-resource',
];
