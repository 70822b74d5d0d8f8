// Stores what a poll has seen and not seen before, and wants the lanes that it concerns. Nothing is absorbed here (lanes.md 20), and nothing is
// taken for deleted because an answer lacks it.

import { sql, type Transaction } from 'kysely';
import { isOffered, type SearchResult, versionTagOf } from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { type JsonObject, objectAt, textAt } from '../../json.ts';
import { type Database, json } from '../../store/store.ts';
import { partOf } from '../inbound/about.ts';
import { isKnownToSource, isToLookFor, isUnlinked } from '../inbound/look-absent.ts';
import { noteInbound } from '../inbound/note.ts';
import type { LaneConnection } from '../lane-connection.ts';
import { distinctLanes, type LaneKey } from '../lease.ts';
import { hashOfSeen, saveSeen } from '../links/seen.ts';
import { raiseWanted } from '../links/wanted.ts';
import { type Alert, closeAlert, openAlert, openAlertOnce } from '../operating/alerts.ts';
import { ownIdentifier } from '../own-identifier.ts';
import { replacedBy, standsForItself } from '../patients/match.ts';
import { wasMergedInto } from '../patients/patient-link.ts';
import { patientOf, patientsIn } from '../patients/patient-of.ts';
import {
  type Concern,
  isOurConcern,
  isReferredToUs,
  localReference,
  patientAmong,
  referencesOf,
} from './poll-concern.ts';

export interface PollKey {
  readonly connection: string;
  readonly resource_type: string;
  readonly about: string;
}

/** What came of a poll. `none`: nothing was asked for, and will not be within a day. */
export type PollOutcome = 'done' | { readonly none: Reason } | { readonly failed: Reason };

export interface Seen {
  readonly poll: PollKey;
  readonly connection: LaneConnection;
  readonly identifierSystem: string;
  readonly result: SearchResult;
  /** When the search was asked for. */
  readonly startedAt: Date;
  /** More than what is new was asked for. */
  readonly isFull: boolean;
  /** All that there is of its patient was asked for, however old. */
  readonly isWhole: boolean;
  readonly isForCommunity: boolean;
}

export interface Kept {
  readonly lanes: LaneKey[];
  /** Something found may be older than what is kept: it is to be asked for again. */
  readonly isOvertaken: boolean;
  /** What was not known before. */
  readonly news: readonly JsonObject[];
}

/** Urgent: it comes from the other side (`feeder.ts`). */
const priority = 10;

export async function keepSeen(trx: Transaction<Database>, seen: Seen): Promise<Kept> {
  const byId = new Map(seen.result.resources.map((resource) => [String(resource.id), resource]));
  const rows = await heldOf(trx, seen.poll, [...byId.keys()]);
  const linked = await keepLinked(trx, seen, byId, rows);
  const unlinked = await keepUnlinked(trx, seen, byId, rows);
  const missing = await missed(trx, seen);
  const again = [...linked.again, ...missing.linked, ...(await merged(trx, seen)), ...(await unmerged(trx, seen))];
  await keepUnreadable(trx, seen);
  const woken = [...linked.lanes, ...unlinked.lanes, ...missing.told];
  await raiseWanted(trx, distinctLanes(woken), { priority });
  await raiseWanted(trx, distinctLanes(again), { priority, reread: true });
  const moved = await wantMoved(trx, seen.poll, linked.concerned);
  return {
    lanes: distinctLanes([...woken, ...again, ...moved]),
    isOvertaken: linked.isOvertaken || unlinked.isOvertaken,
    news: [...linked.news, ...unlinked.news],
  };
}

/** Where a record has moved since its link was read, its new lane is wanted. With the row of the old one locked by now no more can leave it. */
async function wantMoved(trx: Transaction<Database>, poll: PollKey, concerned: readonly Held[]): Promise<LaneKey[]> {
  if (concerned.length === 0) return [];
  const read = json(concerned.map(({ remote_id, subject }) => ({ remote_id, subject })));
  const { rows } = await sql<LaneKey>`
    select distinct k.connection, k.subject from jsonb_to_recordset(${read}) as c(remote_id text, subject text)
    join link k on k.connection = ${poll.connection} and k.resource_type = ${poll.resource_type} and k.remote_id = c.remote_id
    where k.retired_at is null and k.type <> 'client' and k.subject <> c.subject`.execute(trx);
  await raiseWanted(trx, rows, { priority, reread: true });
  return rows;
}

/** What the store holds of a resource that was found. */
interface Held {
  readonly remote_id: string;
  /** Of the lane with the link to it; null: no record has one. */
  readonly subject: string | null;
  /** It is or was ours: a link that is retired, an edition of a document. */
  readonly is_ours: boolean;
  readonly hash: string | null;
  readonly seen_at: Date | null;
  readonly body: JsonObject | null;
}

async function heldOf(trx: Transaction<Database>, poll: PollKey, ids: readonly string[]): Promise<Held[]> {
  if (ids.length === 0) return [];
  const named = json(ids.map((id) => ({ id })));
  const { rows } = await sql<Held>`
    select f.id as remote_id, k.subject, s.hash, s.seen_at, s.body,
      exists (select 1 from link o where o.connection = ${poll.connection} and o.resource_type = ${poll.resource_type}
        and o.remote_id = f.id)
      or (${['Communication', 'DocumentReference'].includes(poll.resource_type)}::boolean and exists (
        select 1 from edition e where e.connection = ${poll.connection} and e.remote_id = f.id)) as is_ours
    from jsonb_to_recordset(${named}) as f(id text)
    left join link k on k.connection = ${poll.connection} and k.resource_type = ${poll.resource_type} and k.remote_id = f.id
      and k.retired_at is null
    left join seen s on s.connection = ${poll.connection} and s.resource_type = ${poll.resource_type} and s.remote_id = f.id`.execute(
    trx,
  );
  return rows;
}

/** What a record of ours has a link to: its lane reads what is new in it. What was seen already, our own echo included, is passed over. */
async function keepLinked(
  trx: Transaction<Database>,
  seen: Seen,
  byId: ReadonlyMap<string, JsonObject>,
  rows: readonly Held[],
): Promise<Kept & { again: LaneKey[]; concerned: Held[] }> {
  const lanes: LaneKey[] = [];
  const concerned: Held[] = [];
  // A look at it by its id tells which of two is the later one.
  const again: LaneKey[] = [];
  const news: JsonObject[] = [];
  let isOvertaken = false;
  const { connection: id } = seen.poll;
  for (const row of rows) {
    const body = byId.get(row.remote_id);
    if (row.subject === null || body === undefined || hashOfSeen(body) === row.hash) continue;
    const stands = standing(body, row, seen);
    if (stands === 'overtaken') {
      isOvertaken = true;
      continue;
    }
    if (stands === 'new') {
      await saveSeen(trx, id, lookAt(seen, body));
      news.push(body);
    }
    (stands === 'new' ? lanes : again).push({ connection: id, subject: row.subject });
    concerned.push(row);
  }
  return { lanes, again, concerned, isOvertaken, news };
}

/**
 * What no record is linked to waits to be taken up (`news_since`), and the lanes of its patient are wanted. A create of ours for the same
 * patient that is under way may be what was found, where a server keeps no identifier of ours: then it is left for the next poll.
 */
async function keepUnlinked(
  trx: Transaction<Database>,
  seen: Seen,
  byId: ReadonlyMap<string, JsonObject>,
  rows: readonly Held[],
): Promise<Kept> {
  const others = rows.flatMap((row) => {
    const body = byId.get(row.remote_id);
    const isOurs = row.is_ours || body === undefined || ownIdentifier(body, seen.identifierSystem) !== undefined;
    return isOurs || hashOfSeen(body) === row.hash ? [] : [{ row, body }];
  });
  if (others.length === 0) return { lanes: [], isOvertaken: false, news: [] };
  const { connection: id } = seen.poll;
  const concern = await concernOf(
    trx,
    seen,
    others.map(({ body }) => body),
  );
  // What was kept once is looked at further: how it ends is news too.
  const direct = new Set(others.filter(({ row, body }) => row.body !== null || isOurConcern(body, concern)));
  const named = [...direct].map(({ row }) => `${seen.poll.resource_type}/${row.remote_id}`);
  const withParts = { ...concern, referred: new Set([...concern.referred, ...named]) };
  const ours = others.filter((one) => direct.has(one) || isOurConcern(one.body, withParts));
  // '': it names nobody.
  const chartOf = (body: JsonObject): string => patientAmong(body, concern) ?? seen.poll.about;
  const held = await patientsCreatedFor(
    trx,
    seen.poll,
    ours.map(({ body }) => chartOf(body)),
  );
  const fresh = ours.filter(
    ({ body, row }) => !held.has(chartOf(body)) && (row.body === null || standing(body, row, seen) !== 'overtaken'),
  );
  await saveSeen(
    trx,
    id,
    ...fresh.map(({ body }) => ({ ...lookAt(seen, body), patient: patientAmong(body, concern), isNews: true })),
  );
  const patients = fresh.flatMap(({ body }) => patientsIn(body, concern.baseUrl));
  await askAboutReferred(
    trx,
    id,
    fresh.map(({ body }) => body),
    concern,
  );
  const { config } = seen.connection;
  const noted = await noteInbound(
    trx,
    { config, identifierSystem: seen.identifierSystem },
    fresh.map(({ body }) => body),
  );
  const lanes = [...(await lanesOfPatients(trx, id, patients)), ...noted];
  return { lanes, isOvertaken: fresh.length < ours.length, news: fresh.map(({ body }) => body) };
}

function lookAt({ poll, connection }: Seen, body: JsonObject) {
  return {
    resourceType: poll.resource_type,
    remoteId: String(body.id),
    versionTag: versionTagOf(body),
    body,
    patient: patientOf(body, connection.config.baseUrl),
    origin: 'poll',
  } as const;
}

/**
 * Those of the patients in whose chart a create of ours of this type may stand whose outcome is not known. One for a client whom the server does not
 * know yet may be for any patient whom no client is linked to.
 */
async function patientsCreatedFor(
  trx: Transaction<Database>,
  { connection, resource_type: resourceType }: PollKey,
  patients: readonly string[],
): Promise<ReadonlySet<string>> {
  if (patients.length === 0) return new Set();
  const named = json([...new Set(patients)].map((id) => ({ id })));
  // One that nobody could clear up within the hour keeps nothing else waiting. A record may have changed its client since: what was sent tells too.
  const { rows } = await sql<{ id: string }>`
    with open as (
      select o.source, o.sent::text as sent, case when o.type = 'client' then o.record_id else r.client_id end as client
      from operation o left join record r on r.source = o.source and r.type = o.type and r.id = o.record_id
      where o.connection = ${connection} and o.resource_type = ${resourceType} and o.remote_id is null
        and o.outcome is null and o.intended_at > now() - interval '1 hour'),
    whose as (
      select o.sent, o.client, k.remote_id as patient from open o
      left join link k on k.connection = ${connection} and k.source = o.source and k.type = 'client' and k.id = o.client
        and k.resource_type = 'Patient' and k.remote_id is not null)
    select n.id from jsonb_to_recordset(${named}) as n(id text)
    where exists (select 1 from whose w where w.client is null or w.patient = n.id
      or position('"Patient/' || n.id || '"' in w.sent) > 0
      or w.patient is null and not exists (
        select 1 from link k where k.connection = ${connection} and k.resource_type = 'Patient' and k.type = 'client'
          and k.remote_id = n.id))`.execute(trx);
  return new Set(rows.map(({ id }) => id));
}

async function concernOf(trx: Transaction<Database>, seen: Seen, bodies: readonly JsonObject[]): Promise<Concern> {
  const { poll, connection, isForCommunity } = seen;
  const { baseUrl, inboundTo, polls } = connection.config;
  const named = json(bodies.flatMap((body) => patientsIn(body, baseUrl)).map((id) => ({ id })));
  const isMail = poll.resource_type === 'Communication' && !isOffered(connection.vendor.messages);
  const spokenOf = isMail ? bodies.flatMap(referencesOf).map((text) => ({ name: localReference(text, baseUrl) })) : [];
  const requests = bodies.flatMap(({ resourceType, id }) =>
    resourceType === 'ServiceRequest' ? [{ name: `ServiceRequest/${id}` }] : [],
  );
  const wholes = json(bodies.flatMap((body) => partOf(body, baseUrl)).map(({ id }) => ({ id })));
  const { rows } = await sql<{ kind: 'patient' | 'ours' | 'requested' | 'referral' | 'referred'; name: string }>`
    select 'patient' as kind, n.id as name from jsonb_to_recordset(${named}) as n(id text)
    where exists (select 1 from link k where k.connection = ${poll.connection} and k.resource_type = 'Patient' and k.type = 'client'
        and k.remote_id = n.id and k.retired_at is null)
      or exists (select 1 from roster r where r.connection = ${poll.connection} and r.patient = n.id)
    union
    select 'ours', k.resource_type || '/' || k.remote_id from link k
    where k.connection = ${poll.connection} and k.retired_at is null and k.remote_id is not null
      and k.type in ('worker', 'organization') and (k.type = 'worker' or exists (
        select 1 from record r where r.source = k.source and r.type = k.type and r.id = k.id
          and r.content ->> 'kind' = 'case-management'))
    union
    select 'requested', q.name from jsonb_to_recordset(${json(requests)}) as q(name text)
    where exists (select 1 from seen t where t.connection = ${poll.connection} and t.resource_type = 'Task'
      and substring(t.body -> 'focus' ->> 'reference' from '(ServiceRequest/[A-Za-z0-9._-]+)') = q.name)
    union
    select 'referral', n.name from jsonb_to_recordset(${json(spokenOf)}) as n(name text) join link k on k.connection = ${poll.connection}
      and k.resource_type = split_part(n.name, '/', 1) and k.remote_id = split_part(n.name, '/', 2) and k.type = 'referral'
    union
    select 'referred', 'Task/' || w.id from jsonb_to_recordset(${wholes}) as w(id text)
    where exists (select 1 from link k where k.connection = ${poll.connection} and k.resource_type = 'Task' and k.remote_id = w.id)
      or exists (select 1 from inbound i where i.connection = ${poll.connection} and i.source = ${inboundTo ?? null}
        and i.type = 'referral' and i.resource_type = 'Task' and i.remote_id = w.id)`.execute(trx);
  const of = (kind: string) => rows.filter((row) => row.kind === kind).map(({ name }) => name);
  return {
    baseUrl,
    about: poll.about,
    patients: new Set(of('patient')),
    ours: new Set([...polls.performers, ...of('ours')]),
    referralCodes: new Set(polls.referralCodes),
    requested: new Set(of('requested')),
    referred: new Set(of('referred')),
    isForCommunity,
    ...(isMail && { referrals: new Set(of('referral')) }),
  };
}

/** More is asked of whom a request to us names, and the request that a new Task is about is looked for, whenever it was made. */
async function askAboutReferred(
  trx: Transaction<Database>,
  connection: string,
  bodies: readonly JsonObject[],
  concern: Concern,
): Promise<void> {
  const named = (some: readonly JsonObject[]) =>
    json(some.flatMap((body) => patientsIn(body, concern.baseUrl)).map((id) => ({ id })));
  const referred = bodies.filter((body) => isReferredToUs(body, concern));
  const tasks = bodies.filter(({ resourceType }) => resourceType === 'Task');
  if (referred.length + tasks.length === 0) return;
  await sql`
    insert into roster (connection, patient, origin)
    select distinct ${connection}, n.id, 'referred' from jsonb_to_recordset(${named(referred)}) as n(id text)
    on conflict (connection, patient, origin) do update set since = now()`.execute(trx);
  await sql`
    update poll set full_at = null, next_at = least(next_at, now())
    where connection = ${connection} and resource_type = 'ServiceRequest'
      and about in (select n.id from jsonb_to_recordset(${named(tasks)}) as n(id text))`.execute(trx);
}

/** The lanes of the clients that are these patients. */
export async function lanesOfPatients(
  trx: Transaction<Database>,
  connection: string,
  patients: readonly string[],
): Promise<LaneKey[]> {
  if (patients.length === 0) return [];
  const rows = await trx
    .selectFrom('link')
    .select('subject')
    .distinct()
    .where('connection', '=', connection)
    .where('resource_type', '=', 'Patient')
    .where('type', '=', 'client')
    .where('remote_id', 'in', patients)
    .where('retired_at', 'is', null)
    .execute();
  return rows.map(({ subject }) => ({ connection, subject }));
}

/**
 * What a full answer about a patient lacks, and was seen before, is looked at by its id: once by whoever has a link to it, and where nobody has one by
 * whoever was told of it. Only that look can tell whether it is gone (G10).
 */
async function missed(
  trx: Transaction<Database>,
  { poll, result, isFull, isWhole }: Seen,
): Promise<{ readonly linked: LaneKey[]; readonly told: LaneKey[] }> {
  if (poll.about === '' || !result.complete || result.redirected) return { linked: [], told: [] };
  const { connection, resource_type: resourceType, about } = poll;
  const found = json(result.resources.map(({ id }) => ({ id: String(id) })));
  await sql`
    update seen set absent_since = null where connection = ${connection} and resource_type = ${resourceType} and patient = ${about}
      and absent_since is not null
      and remote_id in (select f.id from jsonb_to_recordset(${found}) as f(id text))`.execute(trx);
  if (!isFull) return { linked: [], told: [] };
  const ofAbout = sql`s.connection = ${connection} and s.resource_type = ${resourceType} and s.patient = ${about}`;
  const ofSeen = sql`i.connection = s.connection and i.resource_type = s.resource_type and i.remote_id = s.remote_id and ${isUnlinked}`;
  const { rows: linked } = await sql<{ subject: string }>`
    with missed as (
      update seen s set absent_since = now()
      where ${ofAbout} and s.absent_since is null and not s.gone and s.origin <> 'adt'
        and s.remote_id not in (select f.id from jsonb_to_recordset(${found}) as f(id text))
        and (${isWhole}::boolean or exists (select 1 from inbound i where ${ofSeen} and ${isKnownToSource}))
      returning s.remote_id)
    select distinct k.subject from missed m join link k on k.connection = ${connection} and k.resource_type = ${resourceType}
      and k.remote_id = m.remote_id and k.retired_at is null`.execute(trx);
  const { rows: waiting } = await sql<{ subject: string }>`
    select distinct i.subject from seen s join inbound i on ${ofSeen} where ${ofAbout} and ${isToLookFor}`.execute(trx);
  const lanes = (rows: readonly { subject: string }[]) => rows.map(({ subject }) => ({ connection, subject }));
  return { linked: lanes(linked), told: lanes(waiting) };
}

/** The server has merged the patient into another: their lanes look for who stands (`merged.ts`). */
function merged(trx: Transaction<Database>, { poll, result }: Seen): Promise<LaneKey[]> {
  const replaced = result.resources.filter(
    (resource) => poll.resource_type === 'Patient' && replacedBy(resource) !== undefined,
  );
  const ids = [...replaced.map(({ id }) => String(id)), ...(result.redirected ? [poll.about] : [])];
  return lanesOfPatients(
    trx,
    poll.connection,
    ids.filter((id) => id !== ''),
  );
}

/** A patient stands again who was merged into the one that a client is linked to now: its lane asks who that is. */
async function unmerged(trx: Transaction<Database>, { poll, result }: Seen): Promise<LaneKey[]> {
  if (poll.resource_type !== 'Patient' || result.redirected) return [];
  const standing = result.resources.filter(standsForItself).map(({ id }) => ({ id: String(id) }));
  if (standing.length === 0) return [];
  const { rows } = await sql<LaneKey>`
    select distinct k.connection, k.subject from jsonb_to_recordset(${json(standing)}) as s(id text)
    join link f on f.connection = ${poll.connection} and f.resource_type = 'Patient' and f.remote_id = s.id and f.type = 'client'
    join link k on k.retired_at is null and ${wasMergedInto}`.execute(trx);
  return rows;
}

const unreadableTopic = 'poll-unreadable:';
/** Of searches that no later one does better than, by connection and type. */
export const failsTopic = 'poll-fails:';

/** Lists what could not be read, with one alert for each type; what can be read again is taken off the list. */
async function keepUnreadable(trx: Transaction<Database>, { poll, result, isFull }: Seen): Promise<void> {
  const { connection, resource_type: resourceType, about } = poll;
  const rows = json((result.unreadable ?? []).map(({ key, reason: why }) => ({ key, reason: why })));
  const isOver = result.isPartial !== true && isFull;
  await sql`
    delete from poll_unreadable u
    where u.connection = ${connection} and u.resource_type = ${resourceType} and u.about = ${about}
      and ((${isOver}::boolean and not exists (
          select 1 from jsonb_to_recordset(${rows}) as n(key text) where n.key = u.key))
        or u.key in (select f.id from jsonb_to_recordset(${json(
          result.resources.map(({ id }) => ({ id: String(id) })),
        )}) as f(id text)))`.execute(trx);
  await sql`
    insert into poll_unreadable (connection, resource_type, about, key, reason)
    select ${connection}, ${resourceType}, ${about}, n.key, n.reason
    from jsonb_to_recordset(${rows}) as n(key text, reason jsonb)
    on conflict (connection, resource_type, about, key) do update set last_at = now(), reason = excluded.reason`.execute(
    trx,
  );
  const left = await trx
    .selectFrom('poll_unreadable')
    .select('reason')
    .where('connection', '=', connection)
    .where('resource_type', '=', resourceType)
    .limit(1)
    .executeTakeFirst();
  const told = unreadableAlert(connection, resourceType);
  if (left === undefined) await closeAlert(trx, told.topic);
  else if ((result.unreadable ?? []).length > 0) await openAlert(trx, told);
}

function unreadableAlert(connection: string, resourceType: string): Alert {
  return {
    topic: `${unreadableTopic}${connection}:${resourceType}`,
    connection,
    reason: reason('poll-unreadable', { resourceType }),
  };
}

/**
 * Takes off the list what nobody asks about any more, and of searches of all patients, which ask for what is new alone and so cannot tell that something
 * can be read again, what a week of them has not shown: what is of a patient who is asked about is on the list of that patient by then. Ends the alerts
 * that tell of nothing any more, also those of types that are not polled now.
 */
export async function reviewPollAlerts(trx: Transaction<Database>, connection: string): Promise<void> {
  await sql`
    delete from poll_unreadable u where u.connection = ${connection} and not exists (
      select 1 from poll p where p.connection = u.connection and p.resource_type = u.resource_type and p.about = u.about
        and (u.about <> '' or p.last_ok_at is null or u.last_at > p.last_ok_at - interval '7 days'))`.execute(trx);
  // A connection that is in use again is told of anew.
  const { rows: left } = await sql<{ resource_type: string }>`
    select distinct u.resource_type from poll_unreadable u join connection c on c.id = u.connection
    where u.connection = ${connection} and c.off_since is null order by 1`.execute(trx);
  for (const { resource_type: resourceType } of left)
    await openAlertOnce(trx, unreadableAlert(connection, resourceType));
  await sql`
    update alert a set resolved_at = now()
    where a.resolved_at is null and a.connection = ${connection} and a.topic like ${`${unreadableTopic}%`} and not exists (
      select 1 from poll_unreadable u where u.connection = ${connection}
        and a.topic = ${unreadableTopic} || u.connection || ':' || u.resource_type)`.execute(trx);
  await sql`
    update alert a set resolved_at = now()
    where a.resolved_at is null and a.connection = ${connection} and a.topic like ${`${failsTopic}%`} and not exists (
      select 1 from poll p where p.connection = ${connection} and a.topic = ${failsTopic} || p.connection || ':' || p.resource_type)`.execute(
    trx,
  );
}

/**
 * How what a search shows stands to the look that is kept. `overtaken`: a run has read or written the resource since, or shortly before, and it may be
 * older. `contradicts`: the server says that it is older, and nobody has touched it lately: its clock was put back, or two of its nodes differ.
 */
function standing(found: JsonObject, kept: Held, { startedAt, connection }: Seen): 'new' | 'overtaken' | 'contradicts' {
  const isRecent = kept.seen_at !== null && kept.seen_at.getTime() >= startedAt.getTime() - connection.config.settleMs;
  const [foundAt, keptAt] = [updatedAt(found), updatedAt(kept.body ?? {})];
  if (foundAt !== '' && keptAt !== '' && foundAt > keptAt) return 'new';
  if (isRecent) return 'overtaken';
  return foundAt !== '' && keptAt !== '' && foundAt < keptAt ? 'contradicts' : 'new';
}

/** ISO, by the server's clock; '' where it does not say. */
export function updatedAt(resource: JsonObject): string {
  const at = textAt(objectAt(resource, 'meta'), 'lastUpdated');
  return at !== undefined && !Number.isNaN(Date.parse(at)) ? new Date(at).toISOString() : '';
}
