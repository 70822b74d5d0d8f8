// Subscriptions of servers that notify us (FHIR R4 subscription.html; Subscriptions R5 Backport 1.1.0). Whatever becomes of one, polling goes on:
// silence, an end and a fault are told to an operator.

import { sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import { type Reason, reason } from '../../errors.ts';
import { textAt } from '../../json.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import type { LaneConnection } from '../lane-connection.ts';
import { readOne } from '../look/read-one.ts';
import { closeAlert, openAlertOnce } from '../operating/alerts.ts';
import { forget, reviewUntold } from './subscribe.ts';

/** What a notification says of the Subscription that it comes from. */
export interface HeardOf {
  /** As in `Subscription/7`; '': the server does not name it. */
  readonly id: string;
  readonly topic?: string;
  /** FHIR R4 subscription-status. */
  readonly status: string;
  /** The number of the last event that it tells of. */
  readonly events?: number;
}

const endedStatuses = ['off', 'error'];

/** Keeps that a Subscription was heard from; one with a name is looked at on the server once in a while. */
export async function heardFrom(store: Store, connection: string, heard: HeardOf): Promise<void> {
  const { id, topic, status, events = 0 } = heard;
  await store.tx(async (trx) => {
    await sql`
      insert into subscription as s (connection, id, topic, status, events)
      values (${connection}, ${id}, ${topic ?? null}, ${status}, ${events})
      on conflict (connection, id) do update set topic = coalesce(excluded.topic, s.topic), status = excluded.status,
        events = greatest(s.events, excluded.events), last_heard_at = now()`.execute(trx);
    await closeAlert(trx, silentTopic(connection, ''), silentTopic(connection, id));
    await tellStatus(trx, connection, id, status);
    const [, name] = /^Subscription\/([A-Za-z0-9.-]{1,64})$/.exec(id) ?? [];
    if (name === undefined) return;
    await sql`
      insert into poll (connection, resource_type, about) values (${connection}, 'Subscription', ${name})
      on conflict do nothing`.execute(trx);
  });
}

async function tellStatus(trx: Transaction<Database>, connection: string, id: string, status: string): Promise<void> {
  const topic = `subscription-ended:${connection}:${id}`;
  if (!endedStatuses.includes(status)) return closeAlert(trx, topic);
  await openAlertOnce(trx, { topic, connection, reason: reason('subscription-ended', { status }) });
}

/** Reads a Subscription: how long it lasts, and whether it still stands. @returns why it could not be read */
export async function readSubscription(
  store: Store,
  connection: LaneConnection,
  name: string,
): Promise<Reason | undefined> {
  const { config } = connection;
  const { body, failed } = await readOne(connection, { resourceType: 'Subscription', id: name }, { isPoll: true });
  if (failed !== undefined && failed.class !== 'gone') return failed.reason;
  const status = body === undefined ? 'off' : (textAt(body, 'status') ?? 'active');
  const ends = Date.parse(textAt(body, 'end') ?? '');
  const id = `Subscription/${name}`;
  await store.tx(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('subscription')
      .set({ status, ends_at: Number.isNaN(ends) ? null : new Date(ends) })
      .where('connection', '=', config.id)
      .where('id', '=', id)
      .executeTakeFirst();
    // One that was forgotten meanwhile is no business of anybody.
    if (numUpdatedRows > 0n) await tellStatus(trx, config.id, id, status);
  });
  return undefined;
}

/** Forgets those that have ended and in whose place another one to the same topic notifies: it was heard from after the end was told. */
async function forgetReplaced(trx: Transaction<Database>): Promise<void> {
  const { rows } = await sql<{ connection: string; id: string }>`
    select s.connection, s.id from subscription s
    join alert a on a.topic = 'subscription-ended:' || s.connection || ':' || s.id and a.resolved_at is null
    where s.status = 'off' and s.id like 'Subscription/%' and exists (
      select 1 from subscription o where o.connection = s.connection and o.topic = s.topic and o.id <> s.id
        and o.status = 'active' and o.last_heard_at > a.opened_at)
    order by 1, 2`.execute(trx);
  for (const { connection, id } of rows) await forget(trx, connection, id);
}

/** Where nobody may notify us any more, nobody is waited for. One that we asked for is looked after until it has ended (`subscribe.ts`). */
async function forgetUnheard(
  trx: Transaction<Database>,
  connections: readonly Pick<ConnectionConfig, 'id' | 'hook'>[],
): Promise<void> {
  const deaf = connections.flatMap(({ id, hook }) => (hook === undefined ? [{ id }] : []));
  const { rows } = await sql<{ connection: string; id: string }>`
    select s.connection, s.id from jsonb_to_recordset(${json(deaf)}) as d(id text) join subscription s on s.connection = d.id
    where not exists (
      select 1 from own_subscription o where o.connection = s.connection and s.id = 'Subscription/' || o.id)
    order by 1, 2`.execute(trx);
  for (const { connection, id } of rows) await forget(trx, connection, id);
}

/** A heartbeat that did not come in twice its time is missed: one may be late. */
const missedAfter = 2;

/** Tells of silence where a heartbeat is expected, of changes that nobody told of, and of Subscriptions that end within a day. */
export async function reviewSubscriptions(
  store: Store,
  connections: readonly Pick<ConnectionConfig, 'id' | 'hook'>[],
): Promise<void> {
  const expected = connections.flatMap(({ id, hook }) =>
    hook?.heartbeatMs === undefined ? [] : [{ id, ms: hook.heartbeatMs * missedAfter }],
  );
  await store.tx(async (trx) => {
    // What has never been heard from is waited for from the first look on.
    await sql`
      insert into subscription (connection, id, status)
      select e.id, '', 'requested' from jsonb_to_recordset(${json(expected)}) as e(id text)
      where not exists (select 1 from subscription s where s.connection = e.id)
      on conflict do nothing`.execute(trx);
    for (const { connection, id } of await silentOf(trx, expected)) {
      const of = id === '' ? '' : ` of ${id}`;
      await openAlertOnce(trx, {
        topic: silentTopic(connection, id),
        connection,
        reason: reason('subscription-silent', { connection, of }),
      });
    }
    const { rows: ending } = await sql<{ connection: string; id: string }>`
      select s.connection, s.id from subscription s join connection c on c.id = s.connection
      where s.ends_at < now() + interval '1 day' and c.off_since is null order by 1, 2`.execute(trx);
    for (const { connection, id } of ending)
      await openAlertOnce(trx, {
        topic: `subscription-ends:${connection}:${id}`,
        connection,
        reason: reason('subscription-ends', { connection }),
      });
    await sql`
      update alert a set resolved_at = now() where a.resolved_at is null and a.topic like 'subscription-ends:%' and exists (
        select 1 from subscription s where a.topic = 'subscription-ends:' || s.connection || ':' || s.id
          and (s.ends_at is null or s.ends_at >= now() + interval '1 day'))`.execute(trx);
    await forgetReplaced(trx);
    await forgetUnheard(trx, connections);
    await reviewUntold(trx);
  });
}

interface Silent {
  readonly connection: string;
  /** '': the server names none that sends heartbeats. */
  readonly id: string;
}

/**
 * Each Subscription that a server names in what it sends is judged by itself; one that we asked for has no heartbeats (R4), and one that has ended is
 * told of otherwise. Where none is left, whatever was heard counts.
 */
async function silentOf(
  trx: Transaction<Database>,
  expected: readonly { readonly id: string; readonly ms: number }[],
): Promise<Silent[]> {
  const { rows } = await sql<Silent & { is_silent: boolean }>`
    with heard as (
      select s.connection, s.id, s.last_heard_at < now() - e.ms * interval '1 millisecond' as is_silent,
        s.id <> '' and s.status not in (${sql.join(endedStatuses)}) and not exists (
          select 1 from own_subscription o where o.connection = s.connection and s.id = 'Subscription/' || o.id) as beats
      from jsonb_to_recordset(${json(expected.map((one) => ({ ...one })))}) as e(id text, ms float8)
      join subscription s on s.connection = e.id)
    select connection, id, is_silent from heard where beats
    union all
    select connection, '', bool_and(is_silent) from heard group by connection having not bool_or(beats)
    order by 1, 2`.execute(trx);
  const silent = rows.filter((row) => row.is_silent);
  await sql`
    update alert a set resolved_at = now() where a.resolved_at is null and a.topic like 'subscription-silent:%'
      and a.topic not in (select t.topic from jsonb_to_recordset(${json(
        silent.map(({ connection, id }) => ({ topic: silentTopic(connection, id) })),
      )}) as t(topic text))`.execute(trx);
  return silent.map(({ connection, id }) => ({ connection, id }));
}

function silentTopic(connection: string, id: string): string {
  return id === '' ? `subscription-silent:${connection}` : `subscription-silent:${connection}:${id}`;
}
