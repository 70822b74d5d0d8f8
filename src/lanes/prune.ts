// What was sent is kept for 30 days, then only as far as it may be needed (lanes.md 25); who looked at what, earlier versions at a partner's home and
// what was seen of strangers, for as long as the configuration says.

import { sql } from 'kysely';
import type { RetentionConfig } from '../config.ts';
import type { Store } from '../store/store.ts';

// As literals in the statements: of a parameter the planner does not know how few it is.
const mostAtOnce = 1_000;
const mostReplaysAtOnce = 10;

/**
 * Deletes stored outcomes that are older than 30 days, except the newest of each link. What is unknown is not closed, and stays. Each outcome is looked at
 * once, oldest first, a batch at a time, so that nothing waits long for the rows.
 * @returns how many
 */
export async function pruneOutcomes({ db }: Pick<Store, 'db'>): Promise<number> {
  let pruned = 0;
  let batch = await pruneOutcomesAfter(db, { at: '-infinity', id: 0 });
  while (batch !== undefined) {
    pruned += batch.pruned;
    batch = await pruneOutcomesAfter(db, batch);
  }
  return pruned;
}

/** An outcome up to which all were looked at. */
interface Looked {
  /** Exact, as a JavaScript time is not. */
  readonly at: string;
  readonly id: number;
}

/** @returns undefined: there are no more */
async function pruneOutcomesAfter(
  db: Store['db'],
  last: Looked,
): Promise<(Looked & { readonly pruned: number }) | undefined> {
  const { rows } = await sql<Looked & { pruned: number }>`
    with looked as (
      select o.id, o.closed_at, o.source, o.type, o.record_id, o.connection, o.slot, o.generation from operation o
      where o.closed_at < now() - interval '30 days' and o.outcome is not null and o.late_check_at is null
        and (o.closed_at, o.id) > (${last.at}::timestamptz, ${last.id}::bigint)
      order by o.closed_at, o.id limit ${sql.lit(mostAtOnce)}),
    pruned as (
      delete from operation where id in (
        select o.id from looked o where exists (
          select 1 from operation newer
          where newer.source = o.source and newer.type = o.type and newer.record_id = o.record_id
            and newer.connection = o.connection and newer.slot = o.slot and newer.generation = o.generation
            and newer.outcome is not null and newer.id > o.id))
      returning 1)
    select closed_at::text as at, id, (select count(*) from pruned) as pruned from looked
    order by closed_at desc, id desc limit 1`.execute(db);
  return rows[0];
}

/**
 * Deletes replays that ended more than 30 days ago, with the plans of dry runs, and counts of reverts that are over.
 * @returns how many replays
 */
export async function pruneReplays({ db }: Pick<Store, 'db'>): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    with old as (
      delete from replay where id in (
        select id from replay where ended_at < now() - interval '30 days' order by id limit ${sql.lit(mostReplaysAtOnce)})
      returning id),
    items as (delete from replay_item i using old where i.replay = old.id),
    reverts as (delete from revert where since < now() - interval '1 day')
    select count(*)::integer as n from old`.execute(db);
  return rows[0]?.n ?? 0;
}

/**
 * Deletes who looked at or changed what, longer ago than the configuration keeps it.
 * @returns how many; a full batch of 1,000 means that there may be more
 */
export async function pruneAudit({ db }: Pick<Store, 'db'>, { auditMs }: RetentionConfig): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    delete from audit where id in (
      select id from audit where at < now() - ${auditMs}::float8 * interval '1 millisecond' order by at limit ${sql.lit(mostAtOnce)})
    returning id`.execute(db);
  return rows.length;
}

/** Deletes earlier versions of what is held for partners; the newest of each stays. @returns as `pruneAudit` */
export async function pruneHomeVersions({ db }: Pick<Store, 'db'>, { versionsMs }: RetentionConfig): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    delete from home_version h using (
      select v.partner, v.resource_type, v.id, v.version from home_version v
      where v.at < now() - ${versionsMs}::float8 * interval '1 millisecond' and exists (
        select 1 from home_version newer where newer.partner = v.partner and newer.resource_type = v.resource_type
          and newer.id = v.id and newer.version > v.version)
      order by v.at limit ${sql.lit(mostAtOnce)}) as old
    where h.partner = old.partner and h.resource_type = old.resource_type and h.id = old.id and h.version = old.version
    returning h.id`.execute(db);
  return rows.length;
}

/**
 * Deletes what was seen about patients who are not asked about any more. What a record of ours is or was linked to, what is
 * offered, and whoever may be asked about again stays: a poll would take it for news. @returns as `pruneAudit`
 */
export async function pruneSeen({ db }: Pick<Store, 'db'>, { seenMs }: RetentionConfig): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    delete from seen d using (
      select s.connection, s.resource_type, s.remote_id from seen s
      where s.seen_at < now() - ${seenMs}::float8 * interval '1 millisecond' and s.patient is not null
        and not exists (select 1 from link l where l.connection = s.connection and l.resource_type = 'Patient' and l.remote_id = s.patient)
        and not exists (select 1 from roster r where r.connection = s.connection and r.patient = s.patient)
        and not exists (select 1 from link l where l.connection = s.connection and l.resource_type = s.resource_type
          and l.remote_id = s.remote_id)
        and not exists (select 1 from edition e where e.connection = s.connection and e.remote_id = s.remote_id)
        and not exists (select 1 from inbound i where i.connection = s.connection and i.resource_type = s.resource_type
          and i.remote_id = s.remote_id and i.state in ('new', 'proposed'))
      limit ${sql.lit(mostAtOnce)}) as old
    where d.connection = old.connection and d.resource_type = old.resource_type and d.remote_id = old.remote_id
    returning d.remote_id as id`.execute(db);
  return rows.length;
}
