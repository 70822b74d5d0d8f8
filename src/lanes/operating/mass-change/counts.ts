// What each cause has changed on a connection, counted per link, and how much it may.

import { sql } from 'kysely';
import { type Database, json, type Transaction } from '../../../store/store.ts';
import { nameOf } from '../../lane-resource.ts';
import type { Lease } from '../../lease.ts';
import type { Write } from '../../plan.ts';
import type { Cause, CauseKey } from './cause.ts';

/** More changes than this by one cause stop. */
export function massLimit(links: number): number {
  return Math.max(100, Math.floor(links / 100));
}

/** @param table the name under which a statement knows the row */
export function isRow(connection: string, { cause, value }: CauseKey, table: string) {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  return sql<boolean>`${column('connection')} = ${connection} and ${column('cause')} = ${cause} and ${column('value')} = ${value}`;
}

/** The cause's count on this connection, locked for the rest of the transaction; begun if it is new. */
export async function lockCount(trx: Transaction<Database>, connection: string, cause: Cause) {
  const read = () =>
    trx
      .selectFrom('mass_change')
      .selectAll()
      .where(isRow(connection, cause, 'mass_change'))
      .forUpdate()
      .executeTakeFirst();
  const found = await read();
  if (found !== undefined) return found;
  await sql`
    insert into mass_change (connection, cause, value, links)
    select ${connection}, ${cause.cause}, ${cause.value}, count(*) from link
    where connection = ${connection} and remote_id is not null and retired_at is null
    on conflict do nothing`.execute(trx);
  const made = await read();
  if (made === undefined) throw new Error('A mass change was not counted.');
  return made;
}

export async function changeCount(
  trx: Transaction<Database>,
  connection: string,
  cause: CauseKey,
  change: { readonly state?: string; readonly let_through?: number; readonly held?: number },
): Promise<void> {
  await trx
    .updateTable('mass_change')
    .set(change)
    .where(isRow(connection, cause, 'mass_change'))
    .execute();
}

export type LinkKey = { readonly source: string; readonly type: string; readonly id: string; readonly slot: string };

/** Those that went out under this cause before; sending them again is no further change. */
export async function countedLinks(
  trx: Transaction<Database>,
  connection: string,
  { cause, value }: Cause,
  links: readonly LinkKey[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<LinkKey>`
    select m.source, m.type, m.id, m.slot from mass_change_link m
    join jsonb_to_recordset(${json(links)}) as k(source text, type text, id text, slot text)
      on m.source = k.source and m.type = k.type and m.id = k.id and m.slot = k.slot
    where m.connection = ${connection} and m.cause = ${cause} and m.value = ${value} and not m.held`.execute(trx);
  return new Set(rows.map(nameOf));
}

/** @returns how many were not known yet */
export async function addLinks(
  trx: Transaction<Database>,
  { connection, subject, source }: Lease,
  { cause, value }: Cause,
  changes: readonly Write[],
  held: boolean,
): Promise<number> {
  const rows = changes.map(({ resource: { key } }) => ({ ...key, connection, cause, value, source, subject, held }));
  const added = await trx
    .insertInto('mass_change_link')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute();
  return added.length;
}
