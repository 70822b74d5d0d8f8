// Keeps the database's knowledge of its tables in step with their growth. Without it plans are made for the empty tables of the first start: a server
// looks only once a minute by itself (autovacuum), and the embedded database never.

import { sql } from 'kysely';
import { schema } from './migrate.ts';
import type { Store } from './store.ts';

/**
 * Looks at each of our tables that is half as large again as when it was last looked at (`ANALYZE`). The embedded database, which nobody else cleans,
 * also makes room of its old rows anew (`VACUUM`).
 *
 * @returns the tables
 */
export async function keepUp({ db, kind }: Pick<Store, 'db' | 'kind'>): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in (${schema}, 'bullmq') and c.relkind = 'r'
      and pg_relation_size(c.oid) / current_setting('block_size')::integer > c.relpages * 1.5 + 4
    order by c.oid`.execute(db);
  const tables = rows.map(({ name }) => name);
  const look = kind === 'embedded' ? sql`vacuum (analyze)` : sql`analyze`;
  for (const table of tables) await sql`${look} ${sql.raw(table)}`.execute(db);
  return tables;
}
