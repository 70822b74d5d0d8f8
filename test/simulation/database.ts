// A database as the simulation needs it: its clock can be set, it is emptied between histories, and its clients run one statement at a time.

import type { Answered } from '../../src/store/wire-protocol.ts';

export interface DatabaseClient {
  query(text: string, values?: readonly unknown[]): Promise<Answered>;
  release(): void;
}

export interface SimulatedDatabase {
  readonly kind: 'embedded' | 'postgres';
  /** A client that knows the time: epoch ms. */
  connect(now: number): Promise<DatabaseClient>;
  /** As after the migration, but for the mappings. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** All tables of histories; mappings stay from one to the next. `counts`: with an `id` that the database counts. */
export const tablesSql = `
  select t.table_name as name, exists (
    select 1 from information_schema.columns c
    where c.table_schema = t.table_schema and c.table_name = t.table_name and c.is_identity = 'YES') as counts
  from information_schema.tables t
  where t.table_schema = 'casebridge' and t.table_name not in ('migration', 'identity', 'mapping') order by 1`;

export interface Tables {
  readonly names: readonly string[];
  /** Lets every count begin at 1 again. */
  readonly restart: string;
}

export function readTables({ rows }: Answered): Tables {
  const tables = rows.filter(isTable);
  const counted = tables.filter(({ counts }) => counts).map(({ name }) => `'${name}'`);
  const restart = `select pg_catalog.setval(pg_catalog.pg_get_serial_sequence(t, 'id'), 1, false)
    from unnest(array[${counted.join(', ')}]) as t`;
  return { names: tables.map(({ name }) => name), restart };
}

function isTable(row: unknown): row is { readonly name: string; readonly counts: boolean } {
  return typeof row === 'object' && row !== null && 'name' in row && 'counts' in row;
}
