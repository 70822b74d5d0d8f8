// Subscriptions of servers that notify us (FHIR R4 subscription.html; Subscriptions R5 Backport 1.1.0). Whatever becomes of one, polling goes on:
// silence, an end and a fault are told to an operator.

import { sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../config.ts';
import { classify } from '../connections/connections.ts';
import { type Reason, reason } from '../errors.ts';
import { textAt } from '../json.ts';
import { type Database, json, type Store } from '../store/store.ts';
import { closeAlert, openAlertOnce } from './alerts.ts';
import type { LaneConnection } from './lane-connection.ts';
import { reviewUntold } from './subscribe.ts';

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
    await closeAlert(trx, silentTopic(connection));
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
  const { client, vendor, config } = connection;
  const target = { resourceType: 'Subscription', id: name };
  const reply = await client.send({ method: 'GET', path: `Subscription/${name}`, isPoll: true });
  const found = classify(vendor, { method: 'GET', kind: 'read', target }, reply);
  if (found.class !== 'ok' && found.class !== 'gone') return found.reason ?? reason('outcome-unknown');
  const body = reply.fault === undefined && found.class === 'ok' ? reply.body : undefined;
  const status = body === undefined ? 'off' : (textAt(body, 'status') ?? 'active');
  const ends = Date.parse(textAt(body, 'end') ?? '');
  const id = `Subscription/${name}`;
  await store.tx(async (trx) => {
    await trx
      .updateTable('subscription')
      .set({ status, ends_at: Number.isNaN(ends) ? null : new Date(ends) })
      .where('connection', '=', config.id)
      .where('id', '=', id)
      .execute();
    await tellStatus(trx, config.id, id, status);
  });
  return undefined;
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
    const { rows: silent } = await sql<{ id: string }>`
      with expected as (select e.id, e.ms from jsonb_to_recordset(${json(expected)}) as e(id text, ms float8)),
      first as (
        insert into subscription (connection, id, status) select e.id, '', 'requested' from expected e
        where not exists (select 1 from subscription s where s.connection = e.id)
        on conflict do nothing)
      select e.id from expected e join subscription s on s.connection = e.id group by e.id, e.ms
      having max(s.last_heard_at) < now() - e.ms * interval '1 millisecond'`.execute(trx);
    for (const { id } of silent)
      await openAlertOnce(trx, {
        topic: silentTopic(id),
        connection: id,
        reason: reason('subscription-silent', { connection: id }),
      });
    const { rows: ending } = await sql<{ connection: string; id: string }>`
      select connection, id from subscription where ends_at < now() + interval '1 day' order by 1, 2`.execute(trx);
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
    await reviewUntold(trx);
  });
}

function silentTopic(connection: string): string {
  return `subscription-silent:${connection}`;
}
