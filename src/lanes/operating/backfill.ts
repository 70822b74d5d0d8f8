// What a connection is sent of the cases that were there before it was, or before it went live (design section 8, `backfill`): which lanes, and
// in which order.

import { sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import { reason } from '../../errors.ts';
import { type Database, json } from '../../store/store.ts';

/** What cases point at goes before them; then the most urgent ones. All of it comes after what changes now (`want-lanes.ts`). */
const priorities = { directory: 79, crisis: 80, high: 83, urgent: 86, rest: 90 };

type Recipient = Pick<ConnectionConfig, 'id' | 'sources' | 'backfill' | 'share' | 'organization'>;

/** The lanes that belong to the back-fill, as rows (subject, source, priority). */
function backfillOf({ sources, backfill, share, organization }: Recipient) {
  const performer = share === undefined ? null : (organization?.id ?? '');
  const names = json(sources.map((source) => ({ id: source })));
  return sql`
    with urgency as (
      select q.source, q.case_id, min(case
          when q.content ->> 'urgency' = 'emergency' or q.content ->> 'riskLevel' = 'crisis' then ${priorities.crisis}::integer
          when q.content ->> 'urgency' = 'asap' or q.content ->> 'riskLevel' = 'high' then ${priorities.high}::integer
          when q.content ->> 'urgency' = 'urgent' then ${priorities.urgent}::integer
          else ${priorities.rest}::integer end) as priority
      from record q where q.type in ('need', 'referral') and not q.deleted group by q.source, q.case_id
    )
    select r.subject, r.source,
      min(case when r.type in ('organization', 'worker', 'service') then ${priorities.directory}::integer
        else coalesce(u.priority, ${priorities.rest}::integer) end) as priority
    from record r
    left join record c on c.source = r.source and c.type = 'case'
      and (c.id = r.case_id or (r.type = 'case' and c.id = r.id) or (r.type = 'client' and c.client_id = r.id))
    left join urgency u on u.source = c.source and u.case_id = c.id
    where r.source in (select s.id from jsonb_to_recordset(${names}) as s(id text)) and r.subject <> ''
      and (r.type in ('organization', 'worker', 'service') or ${backfill === 'all'}::boolean
        or c.content ->> 'status' in ('referred', 'intake', 'open', 'on-hold'))
      -- What a referral speaks of is wanted by the lane of its case.
      and (${performer}::text is null or exists (
        select 1 from record f where f.subject = r.subject and f.type = 'referral' and not f.deleted
          and case when f.content ? 'organizationId' then f.content ->> 'organizationId' = ${performer}::text
            else f.content ? 'serviceId' end))
    group by r.subject, r.source`;
}

/** A new connection: its back-fill has work. */
export async function wantBackfill(trx: Transaction<Database>, recipient: Recipient): Promise<void> {
  if (recipient.backfill === 'none') return;
  await sql`
    insert into lane (connection, subject, source, wanted, priority)
    select ${recipient.id}, b.subject, b.source, 1, b.priority from (${backfillOf(recipient)}) b
    on conflict (connection, subject) do nothing`.execute(trx);
}

/**
 * A connection is set up otherwise than before: its lanes look again. One that goes live sends what belongs to its back-fill; the rest, of
 * which the server has nothing, says why it stays.
 */
export async function wantAfterChange(
  trx: Transaction<Database>,
  recipient: Recipient,
  goesLive: boolean,
): Promise<void> {
  const inScope =
    recipient.backfill === 'none'
      ? sql`select null::text as subject, null::integer as priority where false`
      : backfillOf(recipient);
  await sql`
    with scope as (select b.subject, b.priority from (${inScope}) b),
    rested as (
      select l.subject, s.priority, ${goesLive}::boolean and s.subject is null and not exists (
          select 1 from link k where k.connection = l.connection and k.subject = l.subject and k.origin = 'created' and k.remote_id is not null) as stays
      from lane l left join scope s on s.subject = l.subject
      where l.connection = ${recipient.id} and l.done = l.wanted
    )
    update lane l set
      wanted = case when r.stays then l.wanted else l.wanted + 1 end,
      parked = null, waiting = l.waiting and not r.stays, next_try_at = null, due_at = now(),
      priority = coalesce(r.priority, ${priorities.rest}::integer),
      reason = case when r.stays then ${json(reason('not-backfilled'))} else l.reason end
    from rested r where l.connection = ${recipient.id} and l.subject = r.subject`.execute(trx);
  if (!goesLive) return;
  // Waiting for a link would bring back what stays.
  await sql`
    delete from waiting w using lane l
    where l.connection = ${recipient.id} and w.connection = l.connection and w.subject = l.subject
      and l.reason ->> 'code' = 'not-backfilled'`.execute(trx);
}
