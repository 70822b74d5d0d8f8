// What of a PostgreSQL server's settings endangers records or our processes, with what to do.

import { type Kysely, sql } from 'kysely';
import { type Reason, reason } from '../errors.ts';
import type { Database } from './tables.ts';

/** Connections that one pool of ours opens at most: one pool for the tables, another for the queue where there is no Redis. */
export const poolSize = 10;

export interface StoreUse {
  /** How many processes, `serve` and `worker` together, are to work on it. */
  readonly processes: number;
  /** The queue lies in the store as well: without Redis. */
  readonly holdsQueue: boolean;
}

const dangers: Readonly<Record<string, string>> = {
  autovacuum: 'tables that are written all the time grow without end, and slow down every run',
  fsync: 'a crash of the machine can destroy the whole database',
  full_page_writes: 'a crash of the machine can leave pages half written',
  synchronous_commit: 'a crash of the server can lose the records that were accepted last',
};

export async function examinePostgres(db: Kysely<Database>, use: StoreUse): Promise<readonly Reason[]> {
  const { rows } = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings
    where name in (${sql.join(Object.keys(dangers))}, 'max_connections', 'superuser_reserved_connections', 'reserved_connections')
    order by name
  `.execute(db);
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
  const off = Object.entries(dangers).filter(([name]) => settings.get(name) === 'off');
  return [
    ...off.map(([setting, danger]) => reason('postgres-setting-off', { setting, danger })),
    ...connectionFindings(settings, use),
  ];
}

function connectionFindings(settings: ReadonlyMap<string, string>, { processes, holdsQueue }: StoreUse): Reason[] {
  const amount = (name: string): number => Number(settings.get(name) ?? 0);
  const most = amount('max_connections');
  const reserved = amount('superuser_reserved_connections') + amount('reserved_connections');
  const each = holdsQueue ? 2 * poolSize : poolSize;
  const needed = processes * each;
  if (needed <= most - reserved) return [];
  return [reason('postgres-connections-few', { most, reserved, processes, each, enough: needed + reserved })];
}
