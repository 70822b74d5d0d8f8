// Who waits for whom: lanes that need a link which another lane is to make.

import { sql, type Transaction } from 'kysely';
import type { SlotRef } from '../../mapping/mapping.ts';
import { type Database, json } from '../../store/store.ts';
import { isMarkedGone } from '../decisions/set-aside.ts';
import type { RecordName } from '../desire/known.ts';
import type { LaneKey, Lease } from '../lease.ts';
import { raiseWanted } from './wanted.ts';

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

async function linkedNow(
  trx: Transaction<Database>,
  lease: Lease,
  targets: readonly SlotRef[],
): Promise<ReadonlySet<string>> {
  const wanted = json(targets.map(({ type, id, slot }) => ({ type, id, slot })));
  await lockHolders(trx, lease, targets);
  const { rows } = await sql<{ key: string }>`
    select l.type || '/' || l.id || '#' || l.slot as key
    from link l join jsonb_to_recordset(${wanted}) as w(type text, id text, slot text) on l.type = w.type and l.id = w.id and l.slot = w.slot
    where l.connection = ${lease.connection} and l.source = ${lease.source} and l.remote_id is not null and l.retired_at is null
      and not ${isMarkedGone}`.execute(trx);
  return new Set(rows.map(({ key }) => key));
}

/**
 * Locks what a storer of links of these records also locks, the row of the lane that holds them: a link that is stored at the same moment is either
 * seen by the next statement, or its storer finds the rows that this transaction has stored (lanes.md 6).
 */
export async function lockHolders(
  trx: Transaction<Database>,
  { connection, source }: Lease,
  records: readonly RecordName[],
): Promise<void> {
  const names = json(records.map(({ type, id }) => ({ type, id })));
  await sql`
    select 1 from lane where connection = ${connection} and subject in (
      select r.subject from record r join jsonb_to_recordset(${names}) as n(type text, id text) on r.type = n.type and r.id = n.id
      where r.source = ${source})
    order by subject for update`.execute(trx);
}
