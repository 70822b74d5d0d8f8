// Intents and outcomes: what is about to be sent is stored before it is sent, what came of it after (lanes.md 7, 8).
// An intent without an outcome is an unknown outcome, whoever left it.

import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import { type Reason, reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Facts } from '../../mapping/mapping.ts';
import { isRecordType } from '../../records/records.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import { askedKey } from '../cancel-question.ts';
import { editionJson } from '../documents/document.ts';
import type { ResourceKey } from '../lane-resource.ts';
import { type LaneKey, type Lease, LeaseLost } from '../lease.ts';
import type { ReadRecord } from '../load/lane-reads.ts';
import type { Write } from '../plan.ts';

export type OperationRow = Selectable<Database['operation']>;

/** What it writes. */
export function keyOf({ type, record_id: id, slot }: OperationRow): ResourceKey {
  if (!isRecordType(type)) throw new Error('An operation names a record type that does not exist.');
  return { type, id, slot };
}

/** `not-done`: it is certain that the server did not do it. `found`: an unknown outcome turned out to be done. */
export type OperationOutcome = 'ok' | 'found' | 'not-done' | 'refused' | 'conflict';

export interface Intent {
  readonly operationId: number;
  readonly write: Write;
  /** The facts that the server should hold afterwards for the written elements. */
  readonly sent: Facts;
}

/** Thrown when consent, links, mapping or connection changed after the plan was made: nothing was sent, plan anew. */
export class PlanOutdated extends Error {
  readonly reason: Reason = reason('plan-outdated');
}

/** What a plan was made from: intents are stored only where it is still so. */
export interface PlanBasis {
  /** The lane's counter: every cause raises it. */
  readonly wanted: number;
  readonly mappingVersion: string;
  readonly connectionEpoch: number;
  readonly isPaused: boolean;
  readonly epochs: ReadonlyMap<string, number>;
  /** Records of other lanes that no finished run has named: a new version of one, or of its labels, raises no counter of this lane yet. */
  readonly unnamed: readonly ReadRecord[];
  /** When a consent of the client comes into force or is in force no more. */
  readonly until: Date | undefined;
}

export interface IntentInput {
  readonly lease: Lease;
  readonly leaseMs: number;
  readonly basis: PlanBasis;
  readonly sendId: string;
  readonly sendMs: number;
  readonly writes: readonly Write[];
  /** Of the leases by which no twin of what is created may look for it (lanes.md 18), and how long ours may stay invisible to a search. */
  readonly match: { readonly keys: readonly string[]; readonly settleMs: number };
}

/**
 * The commit point: checks again what the plan was made from, with those rows share-locked, holds the match leases until what is created must be
 * visible, and stores one intent per write. One statement, which is a transaction by itself: either all of it holds and every intent is stored, or
 * nothing is.
 *
 * @throws LeaseLost, PlanOutdated: nothing was stored and nothing may be sent.
 */
export async function storeIntents(store: Store, input: IntentInput): Promise<Intent[]> {
  const { basis, writes } = input;
  const keys = [...basis.epochs.keys()];
  const first = await store.once((db) => lockAndStore(db, input));
  const isCounted = keys.every((key) => key in first.epochs);
  const found = first.is_held && !isCounted ? await countAndStore(store, input, keys) : first;
  if (!found.is_held) throw new LeaseLost();
  if (found.stored.length !== writes.length) throw new PlanOutdated();
  return writes.map((write) => {
    const { type, id, slot } = write.resource.key;
    const row = found.stored.find((stored) => stored.type === type && stored.record_id === id && stored.slot === slot);
    if (row === undefined) throw new Error('An intent was not stored.');
    return { operationId: row.id, write, sent: sentFacts(write) };
  });
}

/** A counter that nobody has raised yet is made first: a row that is not there cannot be locked. */
async function countAndStore(store: Store, input: IntentInput, keys: readonly string[]): Promise<LockedBasis> {
  await store.once((db) =>
    db
      .insertInto('epoch')
      .values(keys.map((key) => ({ key, n: 0 })))
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  );
  return store.once((db) => lockAndStore(db, input));
}

interface LockedBasis {
  readonly is_held: boolean;
  readonly epochs: Readonly<Record<string, number>>;
  /** None where something is not any more as the plan took it to be. */
  readonly stored: readonly {
    readonly id: number;
    readonly type: string;
    readonly record_id: string;
    readonly slot: string;
  }[];
}

/** Holds the lease as `holdLease` does, locks what the plan was made from, and stores the intents if it is still so. */
async function lockAndStore(
  db: Kysely<Database>,
  { lease, leaseMs, basis, sendId, sendMs, writes, match }: IntentInput,
): Promise<LockedBasis> {
  const { connection, subject, fence, source } = lease;
  // Never an empty list, which is no SQL.
  const keys = sql.join([...basis.epochs.keys(), '']);
  const epochs = json(Object.fromEntries(basis.epochs));
  const matchKeys = sql.join([...match.keys, '']);
  const matchMs = sendMs + match.settleMs;
  const unnamed = basis.unnamed.map(({ type, id, version }) => ({ type, id, version: version ?? null }));
  const isThere = unnamed.filter(({ version }) => version !== null).length;
  // The lane's row is locked before the others, as everywhere; but for records, as where they are accepted.
  const isHeld = sql`exists (select 1 from held)`;
  const { rows } = await sql<LockedBasis>`
    with unnamed as (
        select r.version = k.version as is_same
        from jsonb_to_recordset(${json(unnamed)}) as k(type text, id text, version integer)
        join record r on r.source = ${source} and r.type = k.type and r.id = k.id order by r.type, r.id for share of r),
      -- The count is never too small: that it is asked for makes the database lock the records before the lane's row.
      held as (
        update lane set lease_until = now() + ${leaseMs} * interval '1 millisecond'
        where (select count(*) from unnamed) >= 0 and connection = ${connection} and subject = ${subject} and fence = ${fence} and lease_until > now() returning wanted),
      c as (select epoch, paused from connection where id = ${connection} and ${isHeld} for share),
      m as (select version from mapping where active and ${isHeld} for share),
      e as (select key, n from epoch
        where key in (${keys}) and ${isHeld} order by key for share),
      -- Nobody else has taken a key since whose row is still ours, not even one that has run out.
      kept as (
        update match_lease set until = greatest(until, now() + ${matchMs} * interval '1 millisecond')
        where connection = ${connection} and holder = ${subject} and key in (${matchKeys}) and ${isHeld} returning key),
      now_is as (select ${isHeld} as is_held, (select wanted from held) as wanted, (select epoch from c) as connection_epoch, (select paused is null from c) as is_running,
        (select version from m) as mapping_version, (select coalesce(jsonb_object_agg(key, n), '{}') from e) as epochs),
      checked as (select is_held, epochs, is_running and wanted = ${basis.wanted}::bigint and connection_epoch = ${basis.connectionEpoch}::bigint
        and (select count(*) = ${isThere} and count(*) filter (where is_same) = ${isThere} from unnamed)
        and mapping_version = ${basis.mappingVersion} and epochs = ${epochs} and (select count(*) from kept) = ${match.keys.length}
        and (${basis.until ?? null}::timestamptz is null or now() < ${basis.until ?? null}::timestamptz) as is_same from now_is),
      stored as (
        insert into operation (send_id, connection, subject, fence, source, send_before,
          type, record_id, slot, generation, kind, resource_type, remote_id, sent, record_version, route, route_reason)
        select ${sendId}, ${connection}, ${subject}, ${fence}::bigint, ${source}, now() + ${sendMs} * interval '1 millisecond', w.*
        from checked, jsonb_to_recordset(${json(writes.map(intentRow))}) as w(type text, record_id text, slot text, generation integer,
          kind text, resource_type text, remote_id text, sent jsonb, record_version integer, route text, route_reason jsonb)
        where is_held and is_same
        returning id, type, record_id, slot)
    select is_held, epochs, (select coalesce(json_agg(stored), '[]') from stored) as stored from checked`.execute(db);
  const [found] = rows;
  if (found === undefined) throw new Error('The basis of the plan was not read.');
  return found;
}

function intentRow(write: Write) {
  return {
    type: write.resource.key.type,
    record_id: write.resource.key.id,
    slot: write.resource.key.slot,
    generation: write.kind === 'create' ? write.resource.nextGeneration : write.link.generation,
    kind: write.kind,
    resource_type: write.resource.resourceType,
    remote_id: write.kind === 'create' ? null : write.link.remoteId,
    sent: sentFacts(write),
    record_version: write.resource.recordVersion,
    ...routeOf(write),
  };
}

/** By which route it goes and why, so that a later look at it need not guess what was known then. */
function routeOf({ resource }: Write) {
  const { route, why, reason: otherwise } = resource.route;
  const known = why ?? otherwise;
  return { route, route_reason: known === undefined ? null : { code: known.code, text: known.text } };
}

/** For a create all facts; for a write over something the facts of what it changes. */
function sentFacts(write: Write): JsonObject {
  if (write.edition !== undefined) return editionJson(write.edition);
  if ('asked' in write) return write.asked === undefined ? {} : { [askedKey]: write.asked };
  const after = write.resource.slot?.facts(write.body) ?? {};
  if (write.kind === 'create') return { ...after };
  return pick(after, write.elements);
}

function pick(facts: Facts, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(facts).filter(([key]) => keys.includes(key)));
}

export interface ClosedOperation {
  readonly id: number;
  readonly outcome: OperationOutcome;
  readonly status?: number | undefined;
  readonly reason?: Reason | undefined;
  readonly requestId?: string | undefined;
}

export async function closeOperations(
  trx: Transaction<Database>,
  lane: LaneKey,
  ...closed: readonly ClosedOperation[]
): Promise<void> {
  if (closed.length > 0) await updateClosed(lane, closed).execute(trx);
}

/**
 * The lane and what is open there are named so that only its few rows are looked at, however many there are.
 *
 * @param where for a part of a larger statement: when it is to do anything
 */
export function updateClosed({ connection, subject }: LaneKey, closed: readonly ClosedOperation[], where = sql`true`) {
  const rows = closed.map(({ id, outcome, status, reason: why, requestId }) => ({
    id,
    outcome,
    status: status ?? null,
    reason: why === undefined ? null : { code: why.code, text: why.text },
    request_id: requestId ?? null,
  }));
  return sql`
    update operation o set outcome = c.outcome, status = c.status, reason = c.reason, request_id = c.request_id,
      closed_at = now()
    from jsonb_to_recordset(${json(rows)}) as c(id bigint, outcome text, status integer, reason jsonb, request_id text)
    where ${where} and o.connection = ${connection} and o.subject = ${subject}
      and (o.outcome is null or o.late_check_at is not null) and o.id = c.id`;
}

/** Their outcomes are unknown, for a reason each, but our request has ended: nobody needs to wait for `sendBefore` any more. */
export async function endSending(
  trx: Transaction<Database>,
  ended: readonly { readonly id: number; readonly reason: Reason }[],
): Promise<void> {
  if (ended.length === 0) return;
  const rows = ended.map(({ id, reason: why }) => ({ id, reason: { code: why.code, text: why.text } }));
  await sql`
    update operation o set send_before = least(send_before, now()), reason = e.reason
    from jsonb_to_recordset(${json(rows)}) as e(id bigint, reason jsonb) where o.id = e.id`.execute(trx);
}
