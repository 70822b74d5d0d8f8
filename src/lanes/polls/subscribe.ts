// Our own Subscriptions on a server (FHIR R4 subscription.html, rest-hook): one for each type that the configuration names, found by its endpoint
// before one is made, asked for again before it ends or when the server has ended it, and switched off when nobody wants it any more. Whatever becomes
// of them, polling goes on. When each is looked at next is a row of `poll`, about the criteria of the Subscription.

import { sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import {
  allowedActions,
  type Capabilities,
  classify,
  type FhirReply,
  isWholeSearch,
  versionTagOf,
} from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { contentHash } from '../../fhir/fhir.ts';
import { type JsonObject, objectAt, textAt } from '../../json.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import type { LaneConnection } from '../lane-connection.ts';
import { readOne } from '../look/read-one.ts';
import { searchFailure } from '../look/search-failure.ts';
import { closeAlert, openAlert } from '../operating/alerts.ts';
import { type PollKey, type PollOutcome, updatedAt } from './poll-keep.ts';
import { isReadWhole } from './poll-plan.ts';

/** It is asked for again when half of this is over. One that nobody renews ends by itself. */
const lastsMs = 7 * 86_400_000;
/** No other is made within this time of one whose making has not been answered. */
const makingMs = 2 * 60_000;

export function isOwnSubscription({ resource_type: type, about }: Pick<PollKey, 'resource_type' | 'about'>): boolean {
  return type === 'Subscription' && about.endsWith('?');
}

function criteriaOf(resourceType: string): string {
  return `${resourceType}?`;
}

export function typeOf(criteria: string): string {
  return criteria.slice(0, -1);
}

/** Has each wanted Subscription looked at soon, and each that is not wanted any more. */
export async function prepareSubscriptions(
  { db }: Pick<Store, 'db'>,
  { id, hook }: Pick<ConnectionConfig, 'id' | 'hook'>,
): Promise<void> {
  const wanted = json((hook?.subscribe?.types ?? []).map((type) => ({ type, criteria: criteriaOf(type) })));
  await sql`
    with wanted as (select w.type from jsonb_to_recordset(${wanted}) as w(type text))
    insert into own_subscription (connection, resource_type) select ${id}, w.type from wanted w
    on conflict do nothing`.execute(db);
  await sql`
    delete from own_subscription o where o.connection = ${id} and o.id is null
      and o.resource_type not in (select w.type from jsonb_to_recordset(${wanted}) as w(type text))`.execute(db);
  await sql`
    with ended as (
      delete from poll p where p.connection = ${id} and p.resource_type = 'Subscription' and p.about like '%?'
        and not exists (select 1 from own_subscription o where o.connection = ${id} and o.resource_type || '?' = p.about))
    insert into poll (connection, resource_type, about)
    select ${id}, 'Subscription', o.resource_type || '?' from own_subscription o where o.connection = ${id}
    on conflict (connection, resource_type, about) do update set next_at = least(poll.next_at, now())`.execute(db);
}

/** Looks whether the Subscription to this type is as it should be, and makes it so. */
export async function keepSubscribed(
  store: Store,
  connection: LaneConnection,
  resourceType: string,
  capabilities: Capabilities,
): Promise<PollOutcome> {
  const { config } = connection;
  const own = await ownOf(store, config.id, resourceType);
  if (own === undefined) return 'done';
  const why = await hindrance(store, config, capabilities);
  if (why !== undefined) return { none: reason('subscription-not-made', { resourceType, why }) };
  const work = { store, connection, capabilities, resourceType };
  const subscribe = config.hook?.subscribe;
  if (subscribe?.types.some((type) => type === resourceType) !== true) return endIt(work, own.id);
  const channel = channelOf(connection, resourceType, `${subscribe.address}/${resourceType}`);
  const found = await findAll(work, own.id, channel.endpoint);
  if ('failed' in found) return found;
  const [first, ...others] = found.all;
  for (const other of others.filter(({ status }) => status !== 'off')) {
    const failed = await put(connection, { ...other, status: 'off' });
    if (failed !== undefined) return { failed };
  }
  if (first === undefined) return make(work, channel);
  const said = contentHash({ channel });
  const ends = new Date((await store.now()).getTime() + lastsMs).toISOString();
  if (own.id === first.id && own.said === said && isGood(first, channel.endpoint, ends)) return keep(work, first, said);
  const { error: _error, ...rest } = first;
  const wanted: JsonObject = { ...rest, ...subscriptionOf(resourceType, channel, ends) };
  const failed = await put(connection, wanted);
  return failed === undefined ? keep(work, wanted, said) : { failed };
}

type Own = { readonly id: string | null; readonly said: string | null };

function ownOf({ db }: Pick<Store, 'db'>, connection: string, resourceType: string): Promise<Own | undefined> {
  return db
    .selectFrom('own_subscription')
    .select(['id', 'said'])
    .where('connection', '=', connection)
    .where('resource_type', '=', resourceType)
    .executeTakeFirst();
}

interface Work {
  readonly store: Store;
  readonly connection: LaneConnection;
  readonly capabilities: Capabilities;
  readonly resourceType: string;
}

const needed = ['create', 'read', 'search-type', 'update'];

/** Why no Subscription may be made, or undefined. */
async function hindrance(
  { db }: Pick<Store, 'db'>,
  { id, mode }: ConnectionConfig,
  { interactions }: Capabilities,
): Promise<string | undefined> {
  if (mode !== 'live') return 'the connection is in shadow, which writes nothing';
  const missing = needed.filter((one) => interactions.Subscription?.includes(one) !== true);
  if (missing.length > 0) return `the server does not declare ${missing.join(', ')} of Subscription`;
  const row = await db.selectFrom('connection').select('capabilities').where('id', '=', id).executeTakeFirst();
  const granted = row?.capabilities?.granted;
  if (!Array.isArray(granted)) return undefined;
  const allowed = allowedActions(
    granted.filter((scope) => typeof scope === 'string'),
    'Subscription',
  );
  const all = ['create', 'read', 'search', 'update'] as const;
  const refused = all.filter((action) => !allowed.has(action));
  return refused.length === 0 ? undefined : `the granted scopes do not cover ${refused.join(', ')} of Subscription`;
}

/** Without payload where one search asks about all patients; else the resource itself, which says whose chart it is in. */
function channelOf({ config, vendor }: LaneConnection, resourceType: string, endpoint: string) {
  const bearer = config.hook?.bearer;
  return {
    type: 'rest-hook',
    endpoint,
    ...(!isReadWhole(vendor, resourceType) && { payload: 'application/fhir+json' }),
    ...(bearer !== undefined && { header: [`Authorization: Bearer ${bearer}`] }),
  };
}

function subscriptionOf(resourceType: string, channel: JsonObject, end: string): JsonObject {
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'Casebridge asks sooner for what has changed',
    criteria: criteriaOf(resourceType),
    end,
    channel,
  };
}

function isGood(found: JsonObject, endpoint: string, ends: string): boolean {
  const end = Date.parse(textAt(found, 'end') ?? '');
  const lastsLong = Number.isNaN(end) || Date.parse(ends) - end < lastsMs / 2;
  const isOn = found.status === 'active' || found.status === 'requested';
  return isOn && lastsLong && textAt(objectAt(found, 'channel'), 'endpoint') === endpoint;
}

/** All that notify this endpoint and the one that is known, those that are not off first, then the oldest. */
async function findAll(
  { connection, capabilities }: Work,
  known: string | null,
  endpoint: string,
): Promise<{ readonly all: JsonObject[] } | { readonly failed: Reason }> {
  const byUrl = capabilities.searchParams.Subscription?.includes('url') === true;
  const result = await connection.client.searchAll('Subscription', byUrl ? { url: endpoint } : {}, { isPoll: true });
  if (!isWholeSearch(result)) return { failed: searchFailure(connection, result).reason };
  const found = result.resources.filter((one) => textAt(objectAt(one, 'channel'), 'endpoint') === endpoint);
  if (known !== null && !found.some(({ id }) => id === known)) {
    const read = await readOwn(connection, known);
    if ('failed' in read) return read;
    if (read.body !== undefined) found.push(read.body);
  }
  const rank = (one: JsonObject) => `${one.status === 'off' ? 1 : 0} ${updatedAt(one)} ${one.id}`;
  return { all: found.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1)) };
}

async function readOwn(
  connection: LaneConnection,
  id: string,
): Promise<{ readonly body?: JsonObject | undefined } | { readonly failed: Reason }> {
  const { body, failed } = await readOne(connection, { resourceType: 'Subscription', id }, { isPoll: true });
  return failed === undefined || failed.class === 'gone' ? { body } : { failed: failed.reason };
}

/** @returns why it may not have been written */
async function put({ client, vendor }: LaneConnection, body: JsonObject): Promise<Reason | undefined> {
  const target = { resourceType: 'Subscription', id: String(body.id) };
  const tag = versionTagOf(body);
  const reply = await client.send({
    method: 'PUT',
    path: `Subscription/${target.id}`,
    body,
    isPoll: true,
    ...(tag !== undefined && { ifMatch: tag }),
  });
  const found = classify(vendor, { method: 'PUT', kind: 'update', target }, reply);
  return found.class === 'ok' ? undefined : found.reason;
}

/** An answer that does not come leaves the intent: until it is old, the next look may find the Subscription, and makes none. */
async function make(work: Work, channel: JsonObject & { readonly endpoint: string }): Promise<PollOutcome> {
  const { store, connection, capabilities, resourceType } = work;
  const { client, vendor, config } = connection;
  const waitMs = Math.max(makingMs, config.settleMs);
  const { rows } = await sql<{ now: Date }>`
    update own_subscription set intended_at = now()
    where connection = ${config.id} and resource_type = ${resourceType}
      and (intended_at is null or intended_at < now() - ${waitMs} * interval '1 millisecond')
    returning now() as now`.execute(store.db);
  const [intended] = rows;
  if (intended === undefined) return { failed: reason('outcome-unknown') };
  const body = subscriptionOf(resourceType, channel, new Date(intended.now.getTime() + lastsMs).toISOString());
  const reply = await client.send({
    method: 'POST',
    path: 'Subscription',
    body,
    isPoll: true,
    ...(capabilities.conditionalCreate.Subscription === true && {
      ifNoneExist: `url=${encodeURIComponent(channel.endpoint)}`,
    }),
  });
  const found = classify(vendor, { method: 'POST', kind: 'create', target: { resourceType: 'Subscription' } }, reply);
  const id = found.class === 'ok' && reply.fault === undefined ? idOf(reply) : undefined;
  if (id === undefined) return { failed: found.reason ?? reason('outcome-unknown') };
  return keep(work, { ...body, id }, contentHash({ channel }));
}

function idOf({ location, body }: FhirReply): string | undefined {
  return location?.id ?? textAt(body, 'id');
}

/** Keeps which Subscription is ours, and how it stands; what was told of another one is over. */
async function keep({ store, connection, resourceType }: Work, body: JsonObject, said: string): Promise<PollOutcome> {
  const { id: connectionId } = connection.config;
  const id = String(body.id);
  const end = Date.parse(textAt(body, 'end') ?? '');
  const endsAt = Number.isNaN(end) ? null : new Date(end);
  const status = textAt(body, 'status') ?? 'requested';
  await store.tx(async (trx) => {
    const before = await trx
      .selectFrom('own_subscription')
      .select(['id', 'said'])
      .where('connection', '=', connectionId)
      .where('resource_type', '=', resourceType)
      .forUpdate()
      .executeTakeFirst();
    const isNew = before?.id !== id || before.said !== said;
    if (typeof before?.id === 'string' && before.id !== id)
      await forget(trx, connectionId, `Subscription/${before.id}`);
    await sql`
      update own_subscription set id = ${id}, said = ${said}, intended_at = null,
        since = case when ${isNew}::boolean then now() else since end,
        missed_at = case when ${isNew}::boolean then null else missed_at end
      where connection = ${connectionId} and resource_type = ${resourceType}`.execute(trx);
    await sql`
      insert into subscription (connection, id, status, ends_at) values (${connectionId}, ${`Subscription/${id}`}, ${status}, ${endsAt})
      on conflict (connection, id) do update set status = excluded.status, ends_at = excluded.ends_at`.execute(trx);
    if (isNew) await closeAlert(trx, missedTopic(connectionId, resourceType));
    await closeAlert(trx, `subscription-ended:${connectionId}:Subscription/${id}`);
  });
  return 'done';
}

async function endIt({ store, connection, resourceType }: Work, id: string | null): Promise<PollOutcome> {
  if (id !== null) {
    const read = await readOwn(connection, id);
    if ('failed' in read) return read;
    if (read.body !== undefined && read.body.status !== 'off') {
      const failed = await put(connection, { ...read.body, status: 'off' });
      if (failed !== undefined) return { failed };
    }
  }
  const { id: connectionId } = connection.config;
  await store.tx(async (trx) => {
    if (id !== null) await forget(trx, connectionId, `Subscription/${id}`);
    await closeAlert(trx, missedTopic(connectionId, resourceType));
    await sql`delete from own_subscription where connection = ${connectionId} and resource_type = ${resourceType}`.execute(
      trx,
    );
    await sql`
      delete from poll where connection = ${connectionId} and resource_type = 'Subscription'
        and about = ${criteriaOf(resourceType)}`.execute(trx);
  });
  return 'done';
}

/** Nothing is told of it any more, and it is not looked at. @param name as in `Subscription/7` */
export async function forget(trx: Transaction<Database>, connection: string, name: string): Promise<void> {
  await trx.deleteFrom('subscription').where('connection', '=', connection).where('id', '=', name).execute();
  await trx
    .deleteFrom('poll')
    .where((is) => is.and({ connection, resource_type: 'Subscription', about: name.replace('Subscription/', '') }))
    .execute();
  await closeAlert(trx, `subscription-ended:${connection}:${name}`, `subscription-ends:${connection}:${name}`);
}

/** The Subscription to this type has notified. */
export async function heardFromOwn(store: Store, connection: string, resourceType: string): Promise<void> {
  await store.tx(async (trx) => {
    const { rows } = await sql`
      update own_subscription set missed_at = null where connection = ${connection} and resource_type = ${resourceType}
      returning 1`.execute(trx);
    if (rows.length === 0) return;
    await sql`
      update subscription s set last_heard_at = now() from own_subscription o
      where o.connection = ${connection} and o.resource_type = ${resourceType} and s.connection = o.connection
        and s.id = 'Subscription/' || o.id`.execute(trx);
    await closeAlert(trx, missedTopic(connection, resourceType), `subscription-silent:${connection}`);
  });
}

/** Clocks of the server and of the store may differ by so much, and a notification may be so late. */
const slack = sql.raw("interval '5 minutes'");
const lateness = sql.raw("interval '1 minute'");

/** Of what a poll has found, is some so new that a notification should have told of it? A late one takes this back. */
export async function noteUntold(
  trx: Transaction<Database>,
  connection: string,
  resourceType: string,
  news: readonly JsonObject[],
): Promise<void> {
  const newest = news.map(updatedAt).sort().at(-1) ?? '';
  if (newest === '') return;
  await sql`
    with untold as (
      update own_subscription o set missed_at = now() from subscription s
      where o.connection = ${connection} and o.resource_type = ${resourceType} and o.missed_at is null
        and s.connection = o.connection and s.id = 'Subscription/' || o.id
        and greatest(s.last_heard_at, o.since) + ${slack} < ${newest}::timestamptz
      returning 1)
    update poll set next_at = least(next_at, now())
    where connection = ${connection} and resource_type = 'Subscription' and about = ${criteriaOf(resourceType)}
      and exists (select 1 from untold)`.execute(trx);
}

/** Tells of changes that no notification had told of. */
export async function reviewUntold(trx: Transaction<Database>): Promise<void> {
  const { rows } = await sql<{ connection: string; resource_type: string }>`
    select o.connection, o.resource_type from own_subscription o join connection c on c.id = o.connection
    where o.missed_at < now() - ${lateness} and c.off_since is null and not exists (
      select 1 from alert a where a.resolved_at is null
        and a.topic = 'subscription-missed:' || o.connection || ':' || o.resource_type)
    order by 1, 2`.execute(trx);
  for (const { connection, resource_type: resourceType } of rows)
    await openAlert(trx, {
      topic: missedTopic(connection, resourceType),
      connection,
      reason: reason('subscription-missed', { connection, resourceType }),
    });
}

function missedTopic(connection: string, resourceType: string): string {
  return `subscription-missed:${connection}:${resourceType}`;
}

export interface SubscriptionReport {
  readonly resourceType: string;
  /** FHIR R4 subscription-status; null: there is none. */
  readonly status: string | null;
  readonly endsAt: string | null;
  /** The last notification, or since when there might have been one. */
  readonly heardAt: string | null;
  /** A poll found then what no notification had told of. */
  readonly missedAt: string | null;
  /** Why there is none, or why it could not be looked at. */
  readonly reason: Reason | null;
}

export async function subscriptionReport({ db }: Pick<Store, 'db'>, connection: string): Promise<SubscriptionReport[]> {
  const { rows } = await sql<{
    resource_type: string;
    status: string | null;
    ends_at: Date | null;
    last_heard_at: Date | null;
    missed_at: Date | null;
    reason: Reason | null;
  }>`
    select o.resource_type, s.status, s.ends_at, s.last_heard_at, o.missed_at, p.reason
    from own_subscription o
    left join subscription s on s.connection = o.connection and s.id = 'Subscription/' || o.id
    left join poll p on p.connection = o.connection and p.resource_type = 'Subscription' and p.about = o.resource_type || '?'
    where o.connection = ${connection} order by 1`.execute(db);
  return rows.map((row) => ({
    resourceType: row.resource_type,
    status: row.status,
    endsAt: row.ends_at?.toISOString() ?? null,
    heardAt: row.last_heard_at?.toISOString() ?? null,
    missedAt: row.missed_at?.toISOString() ?? null,
    reason: row.reason,
  }));
}

/** Those that we have asked servers for whose connections are in the configuration no more, and that have not ended yet: nobody looks after them. */
export async function subscriptionsLeft(
  { db }: Pick<Store, 'db'>,
  connections: Iterable<string>,
): Promise<readonly Reason[]> {
  const known = new Set(connections);
  const rows = await db
    .selectFrom('own_subscription as o')
    .leftJoin('subscription as s', (join) =>
      join.onRef('s.connection', '=', 'o.connection').on(sql<boolean>`s.id = 'Subscription/' || o.id`),
    )
    .select(['o.connection', 'o.resource_type', 'o.id', 's.ends_at'])
    .where('o.id', 'is not', null)
    .where(({ eb, or }) => or([eb('s.ends_at', 'is', null), eb('s.ends_at', '>', sql<Date>`now()`)]))
    .orderBy('o.connection')
    .orderBy('o.resource_type')
    .execute();
  return rows
    .filter(({ connection }) => !known.has(connection))
    .map(({ connection, resource_type: resourceType, id, ends_at: endsAt }) =>
      reason('subscription-left', {
        connection,
        resourceType,
        id: id ?? '',
        endsAt: endsAt?.toISOString() ?? 'a time not known',
      }),
    );
}
