// Which records of other lanes a run has read: a new version of one of them wakes the lane (lanes.md 6).

import type { Transaction } from 'kysely';
import { type Database, json, sql } from '../../store/store.ts';
import { type RecordName, recordKey } from '../desire/known.ts';
import type { Lease } from '../lease.ts';

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
 * @returns true when a record has another version by now that was not told of as read before: whoever accepted it could not know of this lane
 */
export async function saveReads(
  trx: Transaction<Database>,
  { connection, subject, source }: Lease,
  read: readonly ReadRecord[],
  before: readonly RecordName[],
): Promise<boolean> {
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
  return hasChanged(trx, source, added);
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
