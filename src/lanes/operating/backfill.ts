// What a connection is sent of the cases that were there before it was, or before it went live (design section 8, `backfill`), and of what was
// accepted while it was off: which lanes, and in which order.

import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import { reason } from '../../errors.ts';
import { openCaseStatuses } from '../../records/records.ts';
import { type Database, json } from '../../store/store.ts';

/** What cases point at goes before them; then the most urgent ones. All of it comes after what changes now (`want-lanes.ts`). */
const priorities = { directory: 79, crisis: 80, high: 83, urgent: 86, rest: 90 };

/** How long an acceptance may be under way that has seen that the connection was off, and began before it was. */
const acceptanceMinutes = 5;

type Recipient = Pick<ConnectionConfig, 'id' | 'sources' | 'backfill' | 'share' | 'organization'>;

/** Rows (subject, source, priority). */
type Lanes = RawBuilder<unknown>;

/** The lanes that belong to the back-fill. */
function backfillOf(recipient: Recipient): Lanes {
  if (recipient.backfill === 'none' || recipient.sources.length === 0) return noLanes;
  return lanesWhere(
    recipient,
    sql`r.type in ('organization', 'worker', 'service') or ${recipient.backfill === 'all'}::boolean
      or c.content ->> 'status' in (${sql.join(openCaseStatuses)})`,
  );
}

/** The lanes that acceptance would have made (`want-lanes.ts`) of what has changed since: whatever is back-filled, these are changes. */
function changedSince(recipient: Recipient, since: Date): Lanes {
  const isNew = (row: string) =>
    sql`${sql.ref(`${row}.accepted_at`)} >= ${since}::timestamptz - ${acceptanceMinutes} * interval '1 minute'`;
  return lanesWhere(
    recipient,
    sql`${isNew('r')} or (r.type = 'case' and exists (
      select 1 from record n where n.source = r.source and n.client_id = r.client_id and n.type = 'consent' and ${isNew('n')}))`,
    // What a record that has moved has there is its new lane's to see to, whatever is shared with that receiver.
    sql`exists (select 1 from link x where x.connection = ${recipient.id} and x.source = r.source and x.type = r.type and x.id = r.id)`,
  );
}

const noLanes: Lanes = sql`
  select null::text as subject, null::text as source, null::integer as priority where false`;

/**
 * @param which of a record `r` and its case `c`
 * @param alsoShared of a record `r`: shared although no referral of its lane is to the organization
 */
function lanesWhere(
  { sources, share, organization }: Recipient,
  which: RawBuilder<unknown>,
  alsoShared: RawBuilder<unknown> = sql`false`,
): Lanes {
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
    -- Each is looked up by key, however many there are.
    left join lateral (
      select o.source, o.id, o.content from record o
      where o.source = r.source and o.type = 'case' and o.id = case when r.type = 'case' then r.id else r.case_id end
      union all
      select o.source, o.id, o.content from record o
      where r.type = 'client' and o.source = r.source and o.type = 'case' and o.client_id = r.id) c on true
    left join urgency u on u.source = c.source and u.case_id = c.id
    where r.source in (select s.id from jsonb_to_recordset(${names}) as s(id text)) and r.subject <> ''
      and (${which})
      -- What a referral speaks of is wanted by the lane of its case.
      and (${performer}::text is null or ${alsoShared} or exists (
        select 1 from record f where f.subject = r.subject and f.type = 'referral' and not f.deleted
          and case when f.content ? 'organizationId' then f.content ->> 'organizationId' = ${performer}::text
            else f.content ? 'serviceId' end))
    group by r.subject, r.source`;
}

export interface ConfigurationChange {
  /** It was a shadow when it last worked. */
  readonly goesLive: boolean;
  /** Records that were accepted from then on made no lanes; null: it was not off. */
  readonly offSince: Date | null;
  /** Records of these made no lanes before. */
  readonly newSources: readonly string[];
}

/**
 * A connection is new, is set up otherwise than before, or comes back: its lanes look again, and those that it lacks have work. What does not belong to
 * its back-fill when it goes live or takes a source in again, and of which the server has nothing, says why it stays, and goes on doing so at later
 * changes of the configuration. Lanes are taken in key order, in one statement, as acceptance takes them.
 */
export async function wantAfterChange(
  trx: Transaction<Database>,
  recipient: Recipient,
  { goesLive, offSince, newSources }: ConfigurationChange,
): Promise<void> {
  // Whatever a shadow has not sent is back-fill when it goes live.
  const changed = offSince === null || goesLive ? noLanes : changedSince(recipient, offSince);
  const among = (sources: readonly string[]) =>
    sql`in (select s.id from jsonb_to_recordset(${json(sources.map((id) => ({ id })))}) as s(id text))`;
  // One that has work may be under way by the former configuration, and what that run does is not all.
  const stays = sql`lane.done = lane.wanted and excluded.reason is not null`;
  await sql`
    with scope as (select * from (${backfillOf(recipient)}) b),
    changed as (select * from (${changed}) b),
    looking as (
      select l.subject, l.source, coalesce(s.priority, ${priorities.rest}::integer) as priority,
        (${goesLive}::boolean or coalesce(l.reason ->> 'code' in ('not-backfilled', 'source-not-sent'), false))
          and l.source ${among(recipient.sources)}
          and s.subject is null and not exists (select 1 from changed n where n.subject = l.subject)
          and not exists (
            select 1 from link k where k.connection = l.connection and k.subject = l.subject and k.origin = 'created' and k.remote_id is not null) as may_stay
      from lane l left join scope s on s.subject = l.subject
      where l.connection = ${recipient.id}
      union all
      select n.subject, n.source, min(n.priority), false
      from (select * from scope where source ${among(newSources)} union all select * from changed) n
      where not exists (select 1 from lane l where l.connection = ${recipient.id} and l.subject = n.subject)
      group by n.subject, n.source
    )
    insert into lane (connection, subject, source, wanted, priority, reason)
    select ${recipient.id}, r.subject, r.source, 1, r.priority, case when r.may_stay then ${json(reason('not-backfilled'))} end
    from looking r order by r.subject
    on conflict (connection, subject) do update set
      wanted = case when ${stays} then lane.wanted else lane.wanted + 1 end,
      parked = case when lane.done < lane.wanted then lane.parked end,
      waiting = lane.waiting and not (${stays}),
      next_try_at = null,
      due_at = case when lane.done < lane.wanted then lane.due_at else now() end,
      priority = case when lane.done < lane.wanted then lane.priority else excluded.priority end,
      reason = case when ${stays} then excluded.reason else lane.reason end`.execute(trx);
  if (!goesLive) return;
  // Waiting for a link would bring back what stays.
  await sql`
    delete from waiting w using lane l
    where l.connection = ${recipient.id} and w.connection = l.connection and w.subject = l.subject
      and l.reason ->> 'code' = 'not-backfilled'`.execute(trx);
}
