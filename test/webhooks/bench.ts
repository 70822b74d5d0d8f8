// Webhooks on a store, without the rest of a gateway: changes are offered as lanes do, and what arrives is read from the receiver's journal.

import { pino } from 'pino';
import { shownChange } from '../../src/http/http.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { offerChanges } from '../../src/lanes/changes.ts';
import { type Store, sql } from '../../src/store/store.ts';
import { openWebhooks, type Webhooks } from '../../src/webhooks/webhooks.ts';
import { collected } from '../commands/program.ts';
import { type TestReceiver, webhookKey } from '../support/receiver.ts';
import { eventually } from '../support/rig.ts';

export interface Bench {
  readonly webhooks: Webhooks;
  /** Outcomes of attempts, as for the metric. */
  readonly outcomes: string[];
  readonly log: string[];
}

export interface BenchOptions {
  readonly timeoutMs?: number;
  readonly giveUpAfterMs?: number;
  /** False: the source has none. @default true */
  readonly hasWebhook?: boolean;
}

/** One process that delivers to the receiver. */
export async function startBench(
  store: Store,
  receiver: Pick<TestReceiver, 'url'>,
  options: BenchOptions = {},
): Promise<Bench> {
  const { timeoutMs = 2_000, giveUpAfterMs = 86_400_000, hasWebhook = true } = options;
  const outcomes: string[] = [];
  const log: string[] = [];
  const webhook = { url: receiver.url, secrets: [webhookKey], giveUpAfterMs, allowPrivate: true };
  const webhooks = openWebhooks({
    store,
    sources: new Map([['county', { id: 'county', token: 'x', ...(hasWebhook && { webhook }) }]]),
    item: shownChange,
    log: pino({ level: 'trace' }, collected(log)),
    clock: Date.now,
    random: () => 0,
    onAttempt: (_source, outcome) => outcomes.push(outcome),
    timeoutMs,
  });
  await webhooks.start();
  return { webhooks, outcomes, log };
}

/** Changes of cases, in this order; each is the case's next one. */
export async function offer(store: Store, ...cases: readonly string[]): Promise<void> {
  await store.tx(async (trx) => {
    for (const id of cases) {
      const lane = { source: 'county', connection: 'general', subject: `county.case.${id}` };
      await offerChanges(trx, lane, [{ op: 'patch', type: 'referral', id: `r-${id}`, body: { status: 'accepted' } }]);
    }
  });
}

/** The feed as `GET /api/changes` shows it. */
export async function feed({ db }: Store): Promise<JsonObject[]> {
  const rows = await db.selectFrom('change').selectAll().where('source', '=', 'county').orderBy('cursor').execute();
  return rows.map((row) => JSON.parse(JSON.stringify(shownChange(row)))).filter(isObject);
}

export function delivered(store: Store): Promise<void> {
  return eventually(async () => {
    const { rows } = await sql<{ left: number }>`
      select (select count(*) from delivery)::integer
        + (select count(*) from change c where c.cursor > coalesce((select taken from webhook where source = c.source), 0))::integer as "left"`.execute(
      store.db,
    );
    return rows[0]?.left === 0;
  }, 'every change to be taken');
}

/** Lets so much time pass for what waits. */
export async function later({ db }: Store, seconds: number): Promise<void> {
  const by = sql`${seconds} * interval '1 second'`;
  await sql`update delivery set next_at = next_at - ${by}, failing_since = failing_since - ${by},
    lease_until = lease_until - ${by}`.execute(db);
  await sql`update webhook set rest_until = rest_until - ${by}, failing_since = failing_since - ${by}`.execute(db);
}

/** Of each case what arrived, in order of arrival, as places in the feed from 1. */
export function orderByCase(arrived: readonly JsonObject[], all: readonly JsonObject[]): Record<string, number[]> {
  const place = (item: JsonObject) => all.findIndex(({ cursor }) => cursor === item.cursor) + 1;
  return Object.fromEntries(
    [...Map.groupBy(arrived, ({ id }) => String(id))].map(([id, items]) => [id, items.map(place)]),
  );
}

export async function alerts({ db }: Store): Promise<object[]> {
  const rows = await db.selectFrom('alert').selectAll().orderBy('id').execute();
  return rows.map(({ topic, count, resolved_at: at }) => ({ topic, count, open: at === null }));
}
