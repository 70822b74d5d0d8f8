// Writes of a run to the link registry: what the server holds, what we sent and saw, and who waits for whom.

import { sql, type Transaction } from 'kysely';
import type { Reason } from '../errors.ts';
import { contentHash } from '../fhir/fhir.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { Facts, SlotRef } from '../mapping/mapping.ts';
import { type Database, json } from '../store/store.ts';
import { isMarkedGone } from './decisions/set-aside.ts';
import type { LaneResource } from './lane-resource.ts';
import type { LaneKey, Lease } from './lease.ts';
import { patientOf } from './patients/patient-of.ts';

export interface SeenResource {
  readonly resourceType: string;
  readonly remoteId: string;
  readonly versionTag: string | undefined;
  /** Undefined: the server told us only that it stored it, or that it is gone. */
  readonly body: JsonObject | undefined;
  /** The server says so. */
  readonly isGone?: boolean;
  /** In whose chart, by the server's id. @default what the body says in a relative reference */
  readonly patient?: string | undefined;
  /** Who looked. @default 'run' */
  readonly origin?: 'run' | 'poll' | 'adt';
  /** No record has a link to it: it waits to be taken up. */
  readonly isNews?: boolean;
}

/** A hash that is equal when nothing but the version number and time of a resource differ. */
export function hashOfSeen(body: JsonObject): string {
  const { meta, ...content } = body;
  if (!isObject(meta)) return contentHash(content);
  const { versionId: _version, lastUpdated: _time, ...rest } = meta;
  return contentHash({ ...content, meta: rest });
}

/** Keeps the newest look at each resource; also what tells a poll that it is our own echo. */
export async function saveSeen(
  trx: Transaction<Database>,
  connection: string,
  ...looks: readonly SeenResource[]
): Promise<void> {
  if (looks.length > 0) await upsertSeen(connection, looks).execute(trx);
}

/** @param where for a part of a larger statement: when it is to do anything */
export function upsertSeen(connection: string, looks: readonly SeenResource[], where = sql`true`) {
  const rows = looks.map(({ isGone = false, origin = 'run', isNews = false, ...look }) => ({
    resource_type: look.resourceType,
    remote_id: look.remoteId,
    version_tag: look.versionTag ?? null,
    hash: look.body === undefined ? null : hashOfSeen(look.body),
    body: look.body ?? null,
    gone: isGone,
    patient: look.patient ?? (look.body && patientOf(look.body)) ?? null,
    origin,
    news: isNews,
  }));
  return sql`
    insert into seen (connection, resource_type, remote_id, version_tag, hash, body, gone, patient, origin, news_since)
    select ${connection}, s.resource_type, s.remote_id, s.version_tag, s.hash, s.body, s.gone, s.patient, s.origin,
      case when s.news then now() end
    from jsonb_to_recordset(${json(rows)}) as s(resource_type text, remote_id text, version_tag text, hash text, body jsonb,
      gone boolean, patient text, origin text, news boolean)
    where ${where} order by 2, 3
    on conflict (connection, resource_type, remote_id) do update set
      version_tag = excluded.version_tag, hash = excluded.hash, body = excluded.body, gone = excluded.gone, seen_at = now(),
      patient = coalesce(excluded.patient, seen.patient), origin = excluded.origin, absent_since = null,
      news_since = coalesce(seen.news_since, excluded.news_since)`;
}

export type LinkTarget = Pick<LaneResource, 'key' | 'resourceType' | 'nextGeneration' | 'recordVersion' | 'route'>;

export interface NewLink {
  readonly remoteId: string;
  readonly origin: 'created' | 'found' | 'theirs';
  readonly versionTag: string | undefined;
  readonly sent: Facts | undefined;
  readonly seen: Facts | undefined;
  readonly seenHash: string | undefined;
  /** Of the slot by which the bases were made. @default not known */
  readonly form?: string | undefined;
  /** The version of the record that all of `sent` says. @default none is known to */
  readonly sentVersion?: number | undefined;
}

/** Stores new links and wakes the lanes that waited for them. @returns the lanes to wake after the commit. */
export async function saveLinks(
  trx: Transaction<Database>,
  lease: Lease,
  links: readonly (readonly [LinkTarget, NewLink])[],
): Promise<LaneKey[]> {
  if (links.length === 0) return [];
  await upsertLinks(lease, links).execute(trx);
  return wakeWaiting(
    trx,
    lease,
    links.map(([{ key }]) => key),
  );
}

/** @param where for a part of a larger statement: when it is to do anything */
export function upsertLinks(lease: Lease, links: readonly (readonly [LinkTarget, NewLink])[], where = sql`true`) {
  const rows = links.map(([{ key, resourceType, nextGeneration, recordVersion, route }, link]) => ({
    type: key.type,
    id: key.id,
    slot: key.slot,
    generation: nextGeneration,
    resource_type: resourceType,
    remote_id: link.remoteId,
    origin: link.origin,
    version_tag: link.versionTag ?? null,
    sent: link.sent === undefined ? null : { ...link.sent },
    seen: link.seen === undefined ? null : { ...link.seen },
    seen_hash: link.seenHash ?? null,
    form: link.form ?? null,
    sent_version: link.sentVersion ?? null,
    record_version: recordVersion,
    route: route.route,
    state: link.origin === 'found' ? 'read' : 'current',
  }));
  return sql`
    insert into link (connection, source, subject, type, id, slot, generation, resource_type, remote_id, origin, version_tag,
      sent, seen, seen_hash, form, sent_version, record_version, route, state)
    select ${lease.connection}, ${lease.source}, ${lease.subject}, l.* from jsonb_to_recordset(${json(rows)})
      as l(type text, id text, slot text, generation integer, resource_type text, remote_id text, origin text, version_tag text,
        sent jsonb, seen jsonb, seen_hash text, form text, sent_version integer, record_version integer, route text, state text)
    where ${where}
    on conflict (connection, source, type, id, slot, generation) do update set
      remote_id = excluded.remote_id, origin = excluded.origin, version_tag = excluded.version_tag, sent = excluded.sent,
      seen = excluded.seen, seen_hash = excluded.seen_hash, form = excluded.form, sent_version = excluded.sent_version, record_version = excluded.record_version, route = excluded.route,
      state = excluded.state, reason = null, updated_at = now()`;
}

/** What is not named stays as it is. Both bases together are of the form of the resource's slot. */
export interface LinkUpdate {
  readonly versionTag?: string | undefined;
  readonly sent?: Facts;
  readonly seen?: Facts | undefined;
  readonly seenHash?: string | undefined;
  readonly sentVersion?: number | undefined;
  readonly retired?: boolean;
}

export async function updateLink(
  trx: Transaction<Database>,
  lease: Lease,
  resource: LaneResource,
  change: LinkUpdate,
): Promise<void> {
  await updateLinks(lease, [[resource, change]]).execute(trx);
}

/**
 * A retired link keeps the cause for which it was retired.
 * @param where for a part of a larger statement: when it is to do anything
 */
export function updateLinks(
  lease: Lease,
  changes: readonly (readonly [LaneResource, LinkUpdate])[],
  where = sql`true`,
) {
  const rows = changes.flatMap(([{ key, link, leave, recordVersion, slot }, change]) =>
    link === undefined
      ? []
      : [
          {
            type: key.type,
            id: key.id,
            slot: key.slot,
            generation: link.generation,
            has_tag: 'versionTag' in change,
            version_tag: change.versionTag ?? null,
            sent: change.sent === undefined ? null : { ...change.sent },
            has_seen: 'seen' in change,
            seen: change.seen === undefined ? null : { ...change.seen },
            has_hash: 'seenHash' in change,
            seen_hash: change.seenHash ?? null,
            form: 'sent' in change && 'seen' in change ? (slot?.form ?? null) : null,
            sent_version: change.sentVersion ?? null,
            retires: change.retired === true,
            cause: leave === undefined ? null : { code: leave.code, text: leave.text },
            record_version: recordVersion,
          },
        ],
  );
  return sql`
    update link l set
      version_tag = case when c.has_tag then c.version_tag else l.version_tag end,
      sent = coalesce(c.sent, l.sent),
      seen = case when c.has_seen then c.seen else l.seen end,
      seen_hash = case when c.has_hash then c.seen_hash else l.seen_hash end,
      form = coalesce(c.form, l.form),
      sent_version = coalesce(c.sent_version, l.sent_version),
      retired_at = case when c.retires then now() else l.retired_at end,
      state = case when c.retires then 'leaving' else l.state end,
      reason = case when c.retires then c.cause else l.reason end,
      record_version = case when c.sent_version = c.record_version then c.record_version else l.record_version end, updated_at = now()
    from jsonb_to_recordset(${json(rows)}) as c(type text, id text, slot text, generation integer, has_tag boolean,
      version_tag text, sent jsonb, has_seen boolean, seen jsonb, has_hash boolean, seen_hash text, form text,
      sent_version integer, retires boolean, cause jsonb, record_version integer)
    where ${where} and l.connection = ${lease.connection} and l.subject = ${lease.subject} and l.source = ${lease.source}
      and l.type = c.type and l.id = c.id
      and l.slot = c.slot and l.generation = c.generation`;
}

/**
 * Takes what waits for these links out of its wait, and wants what points at a resource whose place one of them takes (lanes.md 6, 17).
 * @returns the lanes to wake after the commit.
 */
export async function wakeWaiting(
  trx: Transaction<Database>,
  lease: Lease,
  targets: readonly SlotRef[],
): Promise<LaneKey[]> {
  const { connection, source } = lease;
  const slots = targets.map(({ type, id, slot }) => ({ type, id, slot }));
  const { rows } = await sql<{ subject: string }>`
    with target as (select * from jsonb_to_recordset(${json(slots)}) as t(type text, id text, slot text)),
    woken as (
      delete from waiting w using target t
      where w.connection = ${connection} and w.source = ${source} and w.type = t.type and w.id = t.id and w.slot = t.slot
      returning w.subject)
    select subject from woken
    union
    select r.subject from target t
    join link k on k.connection = ${connection} and k.source = ${source} and k.type = t.type and k.id = t.id
      and k.slot = t.slot and k.retired_at is not null
    join lane_read r on r.connection = ${connection} and r.source = ${source} and r.type = t.type and r.id = t.id
    where r.subject <> ${lease.subject}`.execute(trx);
  const lanes = rows.map(({ subject }) => ({ connection, subject }));
  await raiseWanted(trx, lanes);
  return lanes;
}

/** Gives lanes work, in key order; a lane that is not there yet is made. */
export async function raiseWanted(
  trx: Transaction<Database>,
  lanes: readonly LaneKey[],
  options: WantOptions = {},
): Promise<void> {
  if (lanes.length === 0) return;
  const { reread = false, unpark = false, priority } = options;
  const rows = lanes.map(({ connection, subject }) => ({ connection, subject }));
  await sql`
    insert into lane (connection, subject, source, wanted, reread, priority)
    select connection, subject, split_part(subject, '.', 1), 1, ${reread}::boolean, ${priority ?? normalPriority}::integer
    from jsonb_to_recordset(${json(rows)}) as l(connection text, subject text)
    order by connection, subject
    on conflict (connection, subject) do update set
      wanted = lane.wanted + 1,
      due_at = case when lane.done < lane.wanted then lane.due_at else now() end,
      priority = case when lane.done < lane.wanted or ${priority === undefined}::boolean
        then least(lane.priority, excluded.priority) else excluded.priority end,
      reread = lane.reread or excluded.reread,
      next_try_at = case when ${unpark}::boolean then null else lane.next_try_at end,
      parked = case when ${unpark}::boolean then null else lane.parked end,
      starts = case when ${unpark}::boolean then 0 else lane.starts end,
      attempts = case when ${unpark}::boolean then 0 else lane.attempts end`.execute(trx);
}

export interface WantOptions {
  /** Read every linked resource again. */
  readonly reread?: boolean;
  /** The cause may mend what is parked: an operator, a decision, a new mapping or configuration. A poll may not. */
  readonly unpark?: boolean;
  /** Smaller runs earlier. @default the lane's own if that is more urgent than a normal one: what waited goes on as what it is */
  readonly priority?: number;
}

const normalPriority = 50;

/** Which links the lane waits for, replacing what it waited for before. A link that came meanwhile wants the lane again. */
export async function saveWaiting(
  trx: Transaction<Database>,
  lease: Lease,
  targets: readonly SlotRef[],
): Promise<LaneKey[]> {
  const awaited = json(targets.map(({ type, id, slot }) => ({ type, id, slot })));
  // What is waited for as before keeps its `since`.
  await sql`
    delete from waiting where connection = ${lease.connection} and subject = ${lease.subject} and (source, type, id, slot) not in (
      select ${lease.source}::text, t.type, t.id, t.slot from jsonb_to_recordset(${awaited}) as t(type text, id text, slot text))`.execute(
    trx,
  );
  if (targets.length === 0) return [];
  const there = await linkedNow(trx, lease, targets);
  const missing = targets.filter((target) => !there.has(`${target.type}/${target.id}#${target.slot}`));
  if (missing.length > 0) {
    await trx
      .insertInto('waiting')
      .values(
        missing.map(({ type, id, slot }) => ({
          connection: lease.connection,
          subject: lease.subject,
          source: lease.source,
          type,
          id,
          slot,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const own = [{ connection: lease.connection, subject: lease.subject }];
  if (missing.length === targets.length) return [];
  await raiseWanted(trx, own);
  return own;
}

/** Gives work to the lanes that are to make these links; such a lane may not be there yet. @returns the lanes to wake after the commit */
export async function wantAwaited(
  trx: Transaction<Database>,
  { connection, subject, source }: Lease,
  targets: readonly SlotRef[],
): Promise<LaneKey[]> {
  const { rows } = await sql<LaneKey>`
    select distinct ${connection}::text as connection, r.subject
    from jsonb_to_recordset(${json(targets.map(({ type, id }) => ({ type, id })))}) as t(type text, id text)
    join record r on r.source = ${source} and r.type = t.type and r.id = t.id and r.subject not in ('', ${subject})`.execute(
    trx,
  );
  await raiseWanted(trx, rows, { priority: 5 });
  return rows;
}

/**
 * Locks what a storer of these links also locks (the needed lane's row), so that a link stored at the same moment is either seen here or
 * finds our row there (lanes.md 6).
 */
async function linkedNow(
  trx: Transaction<Database>,
  lease: Lease,
  targets: readonly SlotRef[],
): Promise<ReadonlySet<string>> {
  const wanted = json(targets.map(({ type, id, slot }) => ({ type, id, slot })));
  await sql`
    select 1 from lane where connection = ${lease.connection} and subject in (
      select r.subject from record r join jsonb_to_recordset(${wanted}) as w(type text, id text) on r.type = w.type and r.id = w.id
      where r.source = ${lease.source})
    order by subject for update`.execute(trx);
  const { rows } = await sql<{ key: string }>`
    select l.type || '/' || l.id || '#' || l.slot as key
    from link l join jsonb_to_recordset(${wanted}) as w(type text, id text, slot text) on l.type = w.type and l.id = w.id and l.slot = w.slot
    where l.connection = ${lease.connection} and l.source = ${lease.source} and l.remote_id is not null and l.retired_at is null
      and not ${isMarkedGone}`.execute(trx);
  return new Set(rows.map(({ key }) => key));
}

export interface SlotState {
  readonly resource: LaneResource;
  readonly state: string;
  readonly reason: Reason | undefined;
}

/** Keeps the state of slots, with or without a link of their own: every resource has one that can be asked for. */
export async function saveStates(
  trx: Transaction<Database>,
  lease: Lease,
  states: readonly SlotState[],
): Promise<void> {
  if (states.length === 0) return;
  const rows = states.map(({ resource, state, reason: why }) => ({
    type: resource.key.type,
    id: resource.key.id,
    slot: resource.key.slot,
    generation: resource.link?.generation ?? resource.nextGeneration,
    resource_type: resource.resourceType,
    record_version: resource.recordVersion,
    route: resource.route.route,
    state,
    reason: why === undefined ? null : { code: why.code, text: why.text },
  }));
  await sql`
    insert into link (connection, source, subject, type, id, slot, generation, resource_type, record_version, route, state, reason)
    select ${lease.connection}, ${lease.source}, ${lease.subject}, s.* from jsonb_to_recordset(${json(rows)})
      as s(type text, id text, slot text, generation integer, resource_type text, record_version integer, route text, state text, reason jsonb)
    on conflict (connection, source, type, id, slot, generation) do update set
      record_version = excluded.record_version, route = excluded.route, state = excluded.state, reason = excluded.reason,
      updated_at = now()`.execute(trx);
}
