// What a store holds as a whole, so that a test can tell that nothing of it was changed.

import { type Store, sql } from '../../src/store/store.ts';

/** How many rows each table has, and a hash of them; without how often somebody has tried to get in, which is counted of bad requests too. */
export async function stateOf({ db }: Store): Promise<Record<string, string>> {
  const { rows: tables } = await sql<{ name: string }>`select tablename as name from pg_tables
    where schemaname = 'casebridge' and tablename <> 'caller_rate' order by tablename`.execute(db);
  const state: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await sql<{ state: string }>`select count(*) || ' rows ' || coalesce(md5(string_agg(t::text, e'\n'
      order by t::text)), '') as state from ${sql.table(name)} t`.execute(db);
    state[name] = rows[0]?.state ?? '';
  }
  return state;
}
