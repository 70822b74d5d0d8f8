// What was sent is kept for 30 days, then only as far as it may be needed (lanes.md 25).

import { sql } from 'kysely';
import type { Store } from '../store/store.ts';

const mostAtOnce = 1_000;
const mostReplaysAtOnce = 10;

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

/**
 * Deletes replays that ended more than 30 days ago, with the plans of dry runs, and counts of reverts that are over.
 * @returns how many replays
 */
export async function pruneReplays({ db }: Pick<Store, 'db'>): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    with old as (
      delete from replay where id in (
        select id from replay where ended_at < now() - interval '30 days' order by id limit ${mostReplaysAtOnce})
      returning id),
    items as (delete from replay_item i using old where i.replay = old.id),
    reverts as (delete from revert where since < now() - interval '1 day')
    select count(*)::integer as n from old`.execute(db);
  return rows[0]?.n ?? 0;
}
