// Brings polls forward: somebody says that something is new. What is new is asked of the server itself, so that a forged message causes at most
// one more poll a minute.

import { sql } from 'kysely';
import { json, type Store } from '../../store/store.ts';

export interface NewsOf {
  /** Absent: of any type. */
  readonly resourceType?: string;
  /** The server's id of the patient; absent: of anybody. */
  readonly patient?: string;
}

/** @returns how many polls are to be made soon */
export async function wakePolls(
  { db }: Pick<Store, 'db'>,
  connection: string,
  news: readonly NewsOf[],
): Promise<number> {
  const rows = news.map(({ resourceType = null, patient = null }) => ({ type: resourceType, patient }));
  const isSearched = sql`p.resource_type not in ('Group', 'List', 'Subscription')`;
  const { rows: woken } = await sql<{ n: number }>`
    with news as (select n.type, n.patient from jsonb_to_recordset(${json(rows)}) as n(type text, patient text)),
    named as (
      select q.resource_type, q.about from news n, lateral (
        select p.resource_type, p.about from poll p where p.connection = ${connection} and p.about in ('', n.patient)
          and (n.type is null or n.type = p.resource_type) and ${isSearched}
        -- From the news to the polls, by their patient, however many polls there are.
        offset 0) as q
      where n.patient is not null
      union
      -- Without a search of all, those of whom most is expected.
      select p.resource_type, p.about from poll p
      where (select count(*) from news n where n.patient is null) > 0 and p.connection = ${connection} and p.tier in (0, 1) and ${isSearched}
        and exists (select 1 from news n where n.patient is null and (n.type is null or n.type = p.resource_type))
        and (p.tier = 0 or not exists (
          select 1 from poll a where a.connection = p.connection and a.resource_type = p.resource_type and a.tier = 0))
    ),
    woken as (
      update poll p set
        woken_at = w.at,
        next_at = least(p.next_at, w.at)
      from (
        select q.resource_type, q.about,
          case when q.woken_at > now() then q.woken_at else greatest(now(), q.woken_at + interval '1 minute') end as at
        from named n join poll q on q.connection = ${connection} and q.resource_type = n.resource_type and q.about = n.about
        order by q.resource_type, q.about for update of q
      ) as w
      where p.connection = ${connection} and p.resource_type = w.resource_type and p.about = w.about
      returning 1)
    select count(*)::integer as n from woken`.execute(db);
  return woken[0]?.n ?? 0;
}
