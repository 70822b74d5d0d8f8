// Which records of other lanes a run has read: a new version of one of them wakes the lane (lanes.md 6).

import type { Transaction } from 'kysely';
import { type Database, json, sql } from '../../store/store.ts';
import { isStanding, type LinkRow, type RecordName, recordKey } from '../desire/known.ts';
import type { Lease } from '../lease.ts';
import { lockHolders } from '../links/waiting.ts';

export type ReadRecord = RecordName & { readonly version: number | undefined };

/** Whether a run has read others than the last one. */
export function areOthers(read: readonly RecordName[], before: readonly RecordName[]): boolean {
  const names = new Set(before.map(recordKey));
  return read.length !== names.size || read.some((name) => !names.has(recordKey(name)));
}

/** Those that were not read by the last run. */
export function unnamedReads(read: readonly ReadRecord[], before: readonly RecordName[]): ReadRecord[] {
  const known = new Set(before.map(recordKey));
  return read.filter((name) => !known.has(recordKey(name)));
}

/**
 * Keeps the names in place of those of the last run.
 *
 * @param links of what was read
 * @returns true when one that was not told of as read before is another by now, or its resource is: whoever changed that could not know of this lane
 */
export async function saveReads(
  trx: Transaction<Database>,
  lease: Lease,
  read: readonly ReadRecord[],
  before: readonly RecordName[],
  links: readonly LinkRow[],
): Promise<boolean> {
  const { connection, subject, source } = lease;
  const added = unnamedReads(read, before);
  const now = new Set(read.map(recordKey));
  const ended = before.filter((name) => !now.has(recordKey(name))).map(({ type, id }) => ({ type, id }));
  if (ended.length > 0) {
    await sql`
      delete from lane_read l using jsonb_to_recordset(${json(ended)}) as e(type text, id text)
      where l.connection = ${connection} and l.subject = ${subject} and l.type = e.type and l.id = e.id`.execute(trx);
  }
  if (added.length === 0) return false;
  const rows = added.map(({ type, id }) => ({ connection, subject, source, type, id }));
  await trx
    .insertInto('lane_read')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await hasChanged(trx, source, added)) || (await isReplaced(trx, lease, links));
}

/** Locks the records: one that is being accepted right now is either seen here, or finds our rows. */
async function hasChanged(trx: Transaction<Database>, source: string, read: readonly ReadRecord[]): Promise<boolean> {
  const names = json(read.map(({ type, id }) => ({ type, id })));
  const { rows } = await sql<{ type: string; id: string; version: number }>`
    select r.type, r.id, r.version from record r join jsonb_to_recordset(${names}) as n(type text, id text)
      on r.type = n.type and r.id = n.id
    where r.source = ${source} order by r.type, r.id for share of r`.execute(trx);
  const versions = new Map(rows.map((row) => [recordKey(row), row.version]));
  return read.some((name) => versions.get(recordKey(name)) !== name.version);
}

/** Whether a resource that was pointed at has given its place to another. */
async function isReplaced(trx: Transaction<Database>, lease: Lease, links: readonly LinkRow[]): Promise<boolean> {
  const standing = links.filter(isStanding).map(({ type, id, slot, generation }) => ({ type, id, slot, generation }));
  if (standing.length === 0) return false;
  await lockHolders(trx, lease, standing);
  const { rows } = await sql`
    select 1 from jsonb_to_recordset(${json(standing)}) as s(type text, id text, slot text, generation integer)
    join link l on l.type = s.type and l.id = s.id and l.slot = s.slot and l.generation > s.generation
    where l.connection = ${lease.connection} and l.source = ${lease.source} and l.remote_id is not null limit 1`.execute(
    trx,
  );
  return rows.length > 0;
}
