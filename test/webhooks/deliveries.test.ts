// Every change reaches the receiver, at least once, in order for each case, whatever the receiver, the network and our own processes do.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import { openStore, type Store, sql } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { type Answer, startReceiver, type TestReceiver } from '../support/receiver.ts';
import { eventually } from '../support/rig.ts';
import { describeOnPostgres } from '../support/servers.ts';
import {
  alerts,
  type Bench,
  type BenchOptions,
  delivered,
  feed,
  later,
  offer,
  orderByCase,
  startBench,
} from './bench.ts';

let store: Store;
let receiver: TestReceiver;
let benches: Bench[] = [];

beforeAll(async () => {
  store = await freshEmbedded();
});
afterAll(() => store.close());
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver.stop();
  for (const one of benches) await one.webhooks.stop(100);
  benches = [];
  for (const table of ['change', 'change_counter', 'delivery', 'webhook', 'alert'])
    await sql`delete from ${sql.table(table)}`.execute(store.db);
});

async function start(options?: BenchOptions): Promise<Bench> {
  const bench = await startBench(store, receiver, options);
  benches.push(bench);
  return bench;
}

const state = async () =>
  store.db
    .selectFrom('webhook')
    .select(['failures', 'disabled', 'reason'])
    .where('source', '=', 'county')
    .executeTakeFirstOrThrow();

const restMs = async () =>
  (
    await store.db
      .selectFrom('webhook')
      .select(sql<number>`(extract(epoch from rest_until - now()) * 1000)::float8`.as('ms'))
      .executeTakeFirstOrThrow()
  ).ms;

const failing =
  (...ids: string[]) =>
  (body: JsonObject): Answer =>
    ids.includes(String(body.id)) ? 503 : 204;

describe('a delivery', () => {
  test('is the item of the feed with its cursor, and nothing else, signed', async () => {
    await offer(store, 'a');
    const { outcomes } = await start();
    await delivered(store);
    expect(receiver.processed()).toEqual(await feed(store));
    expect(receiver.journal[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'casebridge',
    });
    expect(outcomes).toEqual(['2xx']);
  });

  test('keeps its id over retries, and is tried until it is taken', async () => {
    const answers: Answer[] = [500, 'cut', 301, 404];
    receiver.answerWith(() => answers.shift() ?? 200);
    await offer(store, 'a');
    await start();
    await eventually(async () => {
      await later(store, 60);
      return receiver.journal.length === 5;
    }, 'five attempts');
    await delivered(store);
    expect(new Set(receiver.journal.map(({ id }) => id)).size).toBe(1);
    // The one that was cut off after the receiver had it came again, and was known.
    expect(receiver.journal.map(({ isNew }) => isNew)).toEqual([false, true, false, false, false]);
  });

  test('is given up when the receiver does not answer in time, and tried again', async () => {
    const answers: Answer[] = ['hang'];
    receiver.answerWith(() => answers.shift() ?? 200);
    await offer(store, 'a');
    const { outcomes } = await start({ timeoutMs: 200 });
    await delivered(store);
    expect(outcomes).toEqual(['timeout', '2xx']);
  });

  test('waits as long as the receiver asks for, and so do the others', async () => {
    receiver.answerWith(() => ({ status: 429, headers: { 'retry-after': '120' } }));
    await offer(store, 'a');
    await start();
    await eventually(async () => receiver.journal.length === 1, 'the first attempt');
    await eventually(async () => (await state()).failures === 1, 'its outcome');
    receiver.answerWith(() => 200);
    await offer(store, 'b');
    await later(store, 115);
    await eventually(
      async () => (await store.db.selectFrom('delivery').select('cursor').execute()).length === 2,
      'rows',
    );
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(receiver.journal).toHaveLength(1);
    await later(store, 10);
    await delivered(store);
  });
});

describe('order', () => {
  test('a change of a case waits for the earlier ones of it; other cases go on', async () => {
    await offer(store, 'a', 'b', 'a', 'c', 'b');
    const all = await feed(store);
    // The later change of the case would be taken.
    receiver.answerWith(({ cursor }) => (cursor === all[0]?.cursor ? 503 : 204));
    await start();
    await eventually(async () => receiver.processed().length >= 3, 'the other cases');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(orderByCase(receiver.processed(), all)).toEqual({ 'r-b': [2, 5], 'r-c': [4] });
    receiver.answerWith(() => 200);
    await later(store, 60);
    await delivered(store);
    expect(orderByCase(receiver.processed(), all)['r-a']).toEqual([1, 3]);
  });

  test('of a receiver that fails now and then is kept for each case, over restarts of both', async () => {
    let n = 0;
    const moody = (): Answer => {
      n += 1;
      if (n % 7 === 0) return 'cut';
      return n % 3 === 0 ? 503 : 204;
    };
    receiver.answerWith(moody);
    const cases = Array.from({ length: 60 }, (_, at) => `k${at % 6}`);
    await start();
    await offer(store, ...cases);
    await eventually(async () => receiver.processed().length > 15, 'some of them');
    const before = [...receiver.journal];
    await receiver.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const known = before.filter(({ isNew }) => isNew).map(({ id }) => id);
    receiver = await startReceiver({ port: receiver.port, known, answer: moody });
    for (const one of benches) await one.webhooks.stop();
    benches = [];
    await start();
    await eventually(async () => {
      await later(store, 1);
      return (await store.db.selectFrom('delivery').select('cursor').execute()).length === 0;
    }, 'the rest');
    const arrived = [...before, ...receiver.journal].filter(({ isNew }) => isNew).map(({ body }) => body);
    const all = await feed(store);
    const byCase = orderByCase(arrived, all);
    expect(Object.values(byCase).flat()).toHaveLength(60);
    for (const places of Object.values(byCase)) expect(places).toEqual([...places].sort((one, other) => one - other));
  });
});

describe('a receiver that fails for long', () => {
  test('rests as a whole, and is asked with one delivery at a time', async () => {
    receiver.answerWith(() => 500);
    await offer(store, ...Array.from({ length: 30 }, (_, n) => `c${n}`));
    await start();
    await eventually(async () => (await state()).failures >= 5, 'failures');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { failures } = await state();
    expect(failures).toBeLessThan(20);
    // Many that fail together make no longer rest than one.
    expect(await restMs()).toBeLessThan(2_000);
    for (const more of [1, 2, 3]) {
      await later(store, 900);
      await eventually(async () => (await state()).failures === failures + more, 'one probe');
    }
    receiver.answerWith(() => 200);
    await later(store, 900);
    await delivered(store);
    expect(await state()).toMatchObject({ failures: 0, reason: null });
  });

  test('is disabled with one alert; nothing is lost, and goes on when it is enabled', async () => {
    receiver.answerWith(() => 500);
    const bench = await start();
    await offer(store, 'a', 'b');
    await eventually(async () => (await state()).failures >= 2, 'failures');
    await later(store, 86_400);
    await eventually(async () => (await state()).disabled !== null, 'the end');
    await later(store, 86_400);
    await offer(store, 'a');
    const posts = receiver.journal.length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(receiver.journal).toHaveLength(posts);
    expect(await alerts(store)).toEqual([{ topic: 'webhook-disabled:county', count: 1, open: true }]);
    expect((await state()).disabled).toMatchObject({
      code: 'webhook-disabled',
      text: expect.stringContaining('answered 500'),
    });
    expect(bench.log.filter((line) => line.includes('the webhook is disabled'))).toHaveLength(1);

    receiver.answerWith(() => 200);
    await bench.webhooks.enable('county');
    await delivered(store);
    expect(await alerts(store)).toEqual([{ topic: 'webhook-disabled:county', count: 1, open: false }]);
    expect(orderByCase(receiver.processed(), await feed(store))).toEqual({ 'r-a': [1, 3], 'r-b': [2] });
  });

  test('is disabled at once when it says that it is gone for good', async () => {
    receiver.answerWith(() => 410);
    await start();
    await offer(store, 'a');
    await eventually(async () => (await state()).disabled !== null, 'the end');
    expect(receiver.journal).toHaveLength(1);
  });

  test('is told of for as long as its source has a webhook, and anew when it has one again', async () => {
    receiver.answerWith(() => 410);
    const opened = async () =>
      (await alerts(store)).flatMap((one) => ('open' in one && one.open === true && 'topic' in one ? [one.topic] : []));
    const restart = async (options?: BenchOptions) => {
      for (const one of benches) await one.webhooks.stop(100);
      await start(options);
    };
    await start();
    await offer(store, 'a');
    await eventually(async () => (await state()).disabled !== null, 'the end');
    await sql`update delivery set stuck = true`.execute(store.db);
    await sql`insert into alert (topic, reason) values ('webhook-stuck:county', '{}'), ('webhook-stuck:city', '{}')`.execute(
      store.db,
    );
    await restart();
    expect(await opened()).toEqual(['webhook-disabled:county', 'webhook-stuck:county', 'webhook-stuck:city']);
    await restart({ hasWebhook: false });
    expect(await opened()).toEqual(['webhook-stuck:city']);
    await restart();
    expect(await opened()).toEqual(['webhook-stuck:city', 'webhook-disabled:county']);
    // It is told of once it has been tried again.
    expect(await store.db.selectFrom('delivery').select('stuck').execute()).toEqual([{ stuck: false }]);
  });

  test('with one change only, while it takes others, is told of once; its case waits', async () => {
    receiver.answerWith(failing('r-a'));
    await start();
    await offer(store, 'a', 'b', 'a');
    await eventually(async () => receiver.processed().length === 1, 'the other case');
    const isUnderWay = async () =>
      (await store.db.selectFrom('delivery').select('cursor').where('lease_until', 'is not', null).execute()).length >
      0;
    // Something else is taken before a day of failures is full.
    for (const n of [1, 2, 3]) {
      await later(store, 43_200);
      await offer(store, `d${n}`);
      await eventually(async () => receiver.processed().length === n + 1, 'the other case');
      await eventually(async () => receiver.journal.filter(({ body }) => body.id === 'r-a').length > n, 'another try');
      await eventually(async () => !(await isUnderWay()), 'the end of that try');
    }
    await eventually(async () => (await alerts(store)).length > 0, 'the alert');
    expect(await alerts(store)).toEqual([{ topic: 'webhook-stuck:county', count: 1, open: true }]);
    receiver.answerWith(() => 200);
    await later(store, 86_400);
    await delivered(store);
    expect(await alerts(store)).toEqual([{ topic: 'webhook-stuck:county', count: 1, open: false }]);
  });
});

describe('a replay', () => {
  test('delivers everything after a cursor once more, under the same ids, in order', async () => {
    await offer(store, 'a', 'b', 'a', 'a');
    const { webhooks } = await start();
    await delivered(store);
    expect(await webhooks.replay('county', 2)).toBe(2);
    await delivered(store);
    const ids = receiver.journal.map(({ id }) => id);
    expect(ids).toHaveLength(6);
    expect(ids.slice(4)).toEqual(
      receiver.journal.flatMap(({ body, id }) => (body.id === 'r-a' ? [id] : [])).slice(1, 3),
    );
  });

  test('during an attempt: what is under way counts no more, so the newest of a case comes last', async () => {
    const { webhooks } = await start();
    await offer(store, 'a');
    await delivered(store);
    const { promise: held, resolve: answer } = Promise.withResolvers<Answer>();
    let isAsked = false;
    receiver.answerWith(() => {
      isAsked = true;
      return held;
    });
    await offer(store, 'a');
    await eventually(async () => isAsked, 'the second');
    receiver.answerWith(() => 204);
    expect(await webhooks.replay('county', 0)).toBe(2);
    answer(204);
    await eventually(async () => {
      await later(store, 60);
      return (await store.db.selectFrom('delivery').select('cursor').execute()).length === 0;
    }, 'both again');
    const places = receiver.journal.map(({ body }) => body.cursor);
    expect(places.slice(-2)).toEqual((await feed(store)).map(({ cursor }) => cursor));
  });
});

test('a ping is signed too, changes nothing, and tells what came of it', async () => {
  const { webhooks } = await start();
  expect(await webhooks.test('county')).toEqual({ isTaken: true, outcome: '2xx', status: 204 });
  expect(receiver.journal.map(({ body }) => body)).toEqual([{ op: 'ping', at: expect.any(String) }]);
  receiver.answerWith(() => 500);
  expect(await webhooks.test('county')).toMatchObject({
    isTaken: false,
    status: 500,
    reason: { code: 'webhook-answered' },
  });
  expect(await store.db.selectFrom('webhook').select('failures').where('failures', '>', 0).execute()).toEqual([]);
  await expect(webhooks.test('town')).rejects.toMatchObject({ code: 'webhook-unknown' });
});

test('a stop gives up what hangs, and counts it as no attempt', async () => {
  receiver.answerWith(() => 'hang');
  await offer(store, 'a');
  const bench = await startBench(store, receiver, { timeoutMs: 60_000 });
  await eventually(async () => receiver.journal.length === 1, 'a post');
  await bench.webhooks.stop(100);
  const row = await store.db.selectFrom('delivery').selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ attempts: 0, lease_until: null, failing_since: null });
  receiver.answerWith(() => 204);
  await start();
  await delivered(store);
});

describeOnPostgres('on a PostgreSQL server', ({ freshDatabase }) => {
  test('two processes share the work: each change once, in order for each case', async () => {
    const url = await freshDatabase();
    const stores = [await openStore({ url, folder: 'x' }), await openStore({ url, folder: 'x' })];
    const [one] = stores;
    if (one === undefined) throw new Error('no store');
    const both = await Promise.all(stores.map((each) => startBench(each, receiver)));
    for (let n = 0; n < 10; n += 1) await offer(one, ...Array.from({ length: 20 }, (_, at) => `k${at % 8}`));
    await delivered(one);
    for (const { webhooks } of both) await webhooks.stop();
    const all = await feed(one);
    for (const each of stores) await each.close();
    expect(receiver.journal).toHaveLength(200);
    const byCase = orderByCase(receiver.processed(), all);
    expect(Object.values(byCase).flat()).toHaveLength(200);
    for (const places of Object.values(byCase)) expect(places).toEqual([...places].sort((a, b) => a - b));
    // Which of them is quicker is up to the machine.
    expect(both.reduce((sum, { outcomes }) => sum + outcomes.length, 0)).toBe(200);
  });

  test('what a dead process was at is taken over when its lease is over', async () => {
    const url = await freshDatabase();
    const [dead, other] = [await openStore({ url, folder: 'x' }), await openStore({ url, folder: 'x' })];
    receiver.answerWith(() => 'hang');
    const hanging = await startBench(dead, receiver, { timeoutMs: 60_000 });
    await offer(other, 'a', 'a');
    await eventually(async () => receiver.journal.length === 1, 'a post');
    receiver.answerWith(() => 204);
    const living = await startBench(other, receiver);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(receiver.processed()).toEqual([]);
    await later(other, 90);
    await delivered(other);
    expect(orderByCase(receiver.processed(), await feed(other))).toEqual({ 'r-a': [1, 2] });
    await Promise.all([hanging.webhooks.stop(100), living.webhooks.stop()]);
    await Promise.all([dead.close(), other.close()]);
  });
});
