// Alerts: what an operator must see once, not once per lane. One open alert per topic; further causes only count.

import { sql, type Transaction } from 'kysely';
import { type Reason, reason } from '../../errors.ts';
import { staleLimit } from '../../records/records.ts';
import { type Database, json } from '../../store/store.ts';
import type { LaneDeps } from '../lane-connection.ts';
import { isTriedForDays } from '../lease.ts';
import { unknownOutcomes, unknownTooLongMs } from '../unknown/unknown-outcomes.ts';

/** Each with the connection behind it. */
export const pausedTopic = 'connection-paused:';
export const overdueTopic = 'lanes-overdue:';
export const changedTopic = 'capabilities-changed:';
export const nobodyTopic = 'inbound-nobody:';
export const dayUsed = 'connection-day-used';

export interface Alert {
  readonly topic: string;
  /** Absent: it is about no connection. */
  readonly connection?: string;
  readonly reason: Reason;
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

/** A change of what a server offers is told of for so long. */
const changeToldHours = 24;

/** A condition: the configuration in force has this connection, and has not switched it off. */
const isUsed = (id: string) =>
  sql`exists (select 1 from connection u where u.id = ${sql.ref(id)} and u.off_since is null)`;

/**
 * Brings the alerts that tell of many rows up to date: parked lanes, one alert for each connection and reason, counting lanes; requests whose outcome
 * has been unknown for long, one for each connection; records that are pointed at and do not come, one for each connection; and sources that no
 * longer send stale records in masses. Closes what no event ends: overdue lanes that are so no more, a day that is over, changes told of for long enough,
 * referrals for nobody that the configuration has somebody for by now, and whatever tells of connections that are not in use.
 */
export async function reviewAlerts({ store, connections }: Pick<LaneDeps, 'store' | 'connections'>): Promise<void> {
  await store.tx(async (trx) => {
    await reviewConnections(trx);
    await reviewEvents(trx, connections);
    await sql`
      update alert a set resolved_at = now() where a.resolved_at is null and a.topic = ${overdueTopic} || a.connection
        and not exists (select 1 from lane l where l.connection = a.connection and ${isTriedForDays})`.execute(trx);
    const groups = json([...(await parkedLanes(trx)), ...(await longUnknown(trx)), ...(await longAwaited(trx))]);
    await sql`
      insert into alert (topic, connection, reason, count)
      select g.topic, g.connection, g.reason, g.count from jsonb_to_recordset(${groups})
        as g(topic text, connection text, reason jsonb, count integer)
      where ${isUsed('g.connection')}
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
 * A connection that is switched off or configured no more is nobody's concern. In use again it is told of anew: that it is paused, or that a change of
 * masses is held, here; that its server fails or its day is used up where its budget is next looked at, which is made to forget that it has told; the rest
 * by whoever sees that it is still so.
 */
async function reviewConnections(trx: Transaction<Database>): Promise<void> {
  // Locked, so that whoever resumes it now finds the alert to close.
  await sql`
    insert into alert (topic, connection, reason)
    select ${pausedTopic} || c.id, c.id, c.paused from connection c where c.paused is not null and c.off_since is null
    for share
    on conflict (topic) where resolved_at is null do nothing`.execute(trx);
  await sql`
    insert into alert (topic, connection, reason)
    select d.topic || ':' || d.connection, d.connection, d.reason from decision d
    where d.kind = 'mass-change' and d.state = 'open' and ${isUsed('d.connection')}
    for share of d
    on conflict (topic) where resolved_at is null do nothing`.execute(trx);
  await sql`
    update budget b set told = '[]', version = b.version + 1 where b.told <> '[]' and not ${isUsed('b.connection')}`.execute(
    trx,
  );
  await sql`
    update alert a set resolved_at = now()
    where a.resolved_at is null and a.connection is not null and not ${isUsed('a.connection')}`.execute(trx);
}

/** What was told of something that has happened, and not of how things stand. */
async function reviewEvents(trx: Transaction<Database>, connections: LaneDeps['connections']): Promise<void> {
  await sql`
    update alert a set resolved_at = now() from connection c
    where a.resolved_at is null and a.topic = ${changedTopic} || c.id and a.connection = c.id
      and coalesce((c.capabilities ->> 'changedAt')::timestamptz, a.opened_at) < now() - ${changeToldHours} * interval '1 hour'`.execute(
    trx,
  );
  // Where nothing is asked of a server, nobody else notices that the day is over.
  await sql`
    with over as (
      update budget b set told = b.told - ${dayUsed}::text, version = b.version + 1
      where jsonb_exists(b.told, ${dayUsed}) and b.urgent_until <= now() returning b.connection)
    update alert a set resolved_at = now() from over
    where a.resolved_at is null and a.topic = ${dayUsed} || ':' || over.connection`.execute(trx);
  const settled = [...connections.values()].filter(({ config }) => config.inboundTo !== undefined);
  if (settled.length > 0) await closeAlert(trx, ...settled.map(({ config }) => `${nobodyTopic}${config.id}`));
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
