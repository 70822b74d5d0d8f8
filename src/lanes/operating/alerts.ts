// Alerts: what an operator must see once, not once per lane. One open alert per topic; further causes only count.

import { sql, type Transaction } from 'kysely';
import { type Reason, reason } from '../../errors.ts';
import { staleLimit } from '../../records/records.ts';
import { type Database, json } from '../../store/store.ts';
import type { LaneDeps } from '../lane-connection.ts';
import { isTriedForDays, type LaneKey } from '../lease.ts';
import { unknownOutcomes, unknownTooLongMs } from '../unknown/unknown-outcomes.ts';

/** Each with the connection behind it. */
export const pausedTopic = 'connection-paused:';
export const overdueTopic = 'lanes-overdue:';

export interface Alert {
  readonly topic: string;
  /** Absent: it is about no connection. */
  readonly connection?: string;
  readonly reason: Reason;
}

/** That a lane has brought processes down. */
export function crashTopic({ connection, subject }: LaneKey): string {
  return `lane-crashed:${connection}:${subject}`;
}

export async function openAlert(trx: Transaction<Database>, { topic, connection, reason }: Alert): Promise<void> {
  await trx
    .insertInto('alert')
    .values({ topic, connection: connection ?? null, reason: json(reason) })
    .onConflict((conflict) =>
      conflict.column('topic').where('resolved_at', 'is', null).doUpdateSet({ count: sql<number>`alert.count + 1` }),
    )
    .execute();
}

/** The same for one fault that is looked at again and again: an open alert stays as it is, and does not count the looks. */
export async function openAlertOnce(trx: Transaction<Database>, alert: Alert): Promise<void> {
  const open = await trx
    .selectFrom('alert')
    .select('id')
    .where('topic', '=', alert.topic)
    .where('resolved_at', 'is', null)
    .executeTakeFirst();
  if (open === undefined) await openAlert(trx, alert);
}

/** It is still so, for another reason by now. */
export async function renewAlert(trx: Transaction<Database>, { topic, reason }: Alert): Promise<void> {
  await trx
    .updateTable('alert')
    .set({ reason: json(reason) })
    .where('topic', '=', topic)
    .where('resolved_at', 'is', null)
    .execute();
}

/** What it told of is no longer so. */
export async function closeAlert(trx: Transaction<Database>, ...topics: readonly string[]): Promise<void> {
  await trx
    .updateTable('alert')
    .set({ resolved_at: sql<Date>`now()` })
    .where('topic', 'in', topics)
    .where('resolved_at', 'is', null)
    .execute();
}

/** A record that something points at is late after so many hours (records.md, "Order of arrival"). */
const awaitedTooLongHours = 24;

/** These have alerts of their own, or are a person's own doing. */
const toldOtherwise = ['lane-crashed', 'version-set-aside'];

/**
 * Brings the alerts that tell of many rows up to date: parked lanes, one alert for each connection and reason, counting lanes; requests whose outcome
 * has been unknown for long, one for each connection; records that are pointed at and do not come, one for each connection; and sources that no
 * longer send stale records in masses. Closes what tells of lanes that are overdue no more, and of the state of connections that are not in use.
 */
export async function reviewAlerts({ store, connections }: Pick<LaneDeps, 'store' | 'connections'>): Promise<void> {
  await store.tx(async (trx) => {
    await reviewConnections(trx, [...connections.keys()]);
    await sql`
      update alert a set resolved_at = now() where a.resolved_at is null and a.topic = ${overdueTopic} || a.connection
        and not exists (select 1 from lane l where l.connection = a.connection and ${isTriedForDays})`.execute(trx);
    const groups = json([...(await parkedLanes(trx)), ...(await longUnknown(trx)), ...(await longAwaited(trx))]);
    await sql`
      insert into alert (topic, connection, reason, count)
      select g.topic, g.connection, g.reason, g.count from jsonb_to_recordset(${groups})
        as g(topic text, connection text, reason jsonb, count integer)
      on conflict (topic) where resolved_at is null do update set count = excluded.count, reason = excluded.reason
        where (alert.count, alert.reason) is distinct from (excluded.count, excluded.reason)`.execute(trx);
    await sql`
      update alert a set resolved_at = now()
      where a.resolved_at is null and a.topic like any (array['lanes-parked:%', 'outcomes-unknown:%', 'records-awaited:%'])
        and a.topic not in (select g.topic from jsonb_to_recordset(${groups}) as g(topic text))`.execute(trx);
    await sql`
      update alert a set resolved_at = now() where a.resolved_at is null and a.topic like 'stale:%'
        and ${staleLimit} >= (
          select count(*) from stale_record s where s.source = substr(a.topic, 7) and s.received_at > now() - interval '1 hour')`.execute(
      trx,
    );
  });
}

/**
 * The state of a connection that is switched off or configured no more is nobody's concern. In use again it is told of anew: that it is paused here; that
 * its server fails or its day is used up where its budget is next looked at, which is made to forget that it has told; overdue lanes after their next try.
 */
async function reviewConnections(trx: Transaction<Database>, used: readonly string[]): Promise<void> {
  const isUsed = (id: string) =>
    sql`${sql.ref(id)} in (select u.id from jsonb_to_recordset(${json(used.map((id) => ({ id })))}) as u(id text))`;
  // Locked, so that whoever resumes it now finds the alert to close.
  await sql`
    insert into alert (topic, connection, reason)
    select ${pausedTopic} || c.id, c.id, c.paused from connection c where c.paused is not null and ${isUsed('c.id')}
    for share
    on conflict (topic) where resolved_at is null do nothing`.execute(trx);
  await sql`
    update budget b set told = '[]', version = b.version + 1 where b.told <> '[]' and not ${isUsed('b.connection')}`.execute(
    trx,
  );
  await sql`
    update alert a set resolved_at = now() where a.resolved_at is null and not ${isUsed('a.connection')}
      and a.topic in (${pausedTopic} || a.connection, ${overdueTopic} || a.connection,
        'connection-failing:' || a.connection, 'connection-day-used:' || a.connection)`.execute(trx);
}

async function parkedLanes(trx: Transaction<Database>) {
  const { rows } = await sql<{ connection: string; code: string; text: string; count: number }>`
    select connection, parked ->> 'code' as code, (array_agg(parked ->> 'text' order by due_at desc, subject))[1] as text, count(*)::integer as count
    from lane where parked is not null and parked ->> 'code' not in (${sql.join(toldOtherwise)}) group by 1, 2 order by 1, 2`.execute(
    trx,
  );
  return rows.map(({ connection, code, text, count }) => ({
    topic: `lanes-parked:${code}:${connection}`,
    connection,
    reason: reason('lanes-parked', { why: text }),
    count,
  }));
}

async function longUnknown(trx: Transaction<Database>) {
  const rows = await unknownOutcomes(trx, unknownTooLongMs);
  return rows
    .filter(({ count }) => count > 0)
    .map(({ connection, count }) => ({
      topic: `outcomes-unknown:${connection}`,
      connection,
      reason: reason('outcomes-unknown', { minutes: unknownTooLongMs / 60_000 }),
      count,
    }));
}

async function longAwaited(trx: Transaction<Database>) {
  const { rows } = await sql<{ connection: string; count: number }>`
    select w.connection, count(distinct (w.source, w.type, w.id))::integer as count from waiting w
    where w.since < now() - ${awaitedTooLongHours} * interval '1 hour' and not exists (
      select 1 from record r where r.source = w.source and r.type = w.type and r.id = w.id and not r.deleted)
    group by 1 order by 1`.execute(trx);
  return rows.map(({ connection, count }) => ({
    topic: `records-awaited:${connection}`,
    connection,
    reason: reason('records-awaited', { hours: awaitedTooLongHours }),
    count,
  }));
}
