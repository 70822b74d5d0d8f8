// What was sent is kept for 30 days, then only as far as it may be needed (lanes.md 25).

import { sql } from 'kysely';
import type { Store } from '../store/store.ts';

const mostAtOnce = 1_000;

/**
 * Deletes stored outcomes that are older than 30 days, except the newest of each link and every outcome that is unknown.
 * @returns how many; a full batch of 1,000 means that there may be more
 */
export async function pruneOutcomes({ db }: Pick<Store, 'db'>): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    delete from operation where id in (
      select o.id from operation o
      where o.closed_at < now() - interval '30 days' and o.outcome <> 'unknown' and o.late_check_at is null
        and exists (
          select 1 from operation newer
          where newer.source = o.source and newer.type = o.type and newer.record_id = o.record_id
            and newer.connection = o.connection and newer.slot = o.slot and newer.generation = o.generation
            and newer.outcome is not null and newer.id > o.id)
      order by o.closed_at
      limit ${mostAtOnce})
    returning id`.execute(db);
  return rows.length;
}
