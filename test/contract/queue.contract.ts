// What the wake-ups keep to on every backend. Run by queue.test.ts on the embedded store, PostgreSQL and Redis.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { LaneKey, WakeUps } from '../../src/queue/queue.ts';
import { openWakeUps } from '../../src/queue/queue.ts';
import { type Store, sql } from '../../src/store/store.ts';

export interface QueueUnderTest {
  /** A store for all tests. */
  open(): Promise<Store>;
  /** For Redis: the url of an emptied server. */
  freshRedis?(): Promise<string>;
}

const lane = (id: string): LaneKey => ({ connection: 'general', subject: `county.case.${id}` });

export function queueContract({ open, freshRedis }: QueueUnderTest): void {
  let store: Store;
  let redisUrl: string | undefined;
  let errors: unknown[];
  let opened: WakeUps[];

  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store?.close());
  beforeEach(async () => {
    if (freshRedis === undefined) await emptyQueue(store);
    else redisUrl = await freshRedis();
    errors = [];
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((wakeUps) => wakeUps.close()));
  });

  async function openOne(closeWithinMs?: number): Promise<WakeUps> {
    const wakeUps = await openWakeUps({ store, redisUrl, onError: (error) => errors.push(error), closeWithinMs });
    opened.push(wakeUps);
    return wakeUps;
  }

  test('a lane that is woken runs, with its two ids and nothing else', async () => {
    const wakeUps = await openOne();
    const runs = new Runs();
    wakeUps.work(runs.run, { concurrency: 1 });
    const woken = { ...lane('1'), content: 'not for the queue' };
    await wakeUps.add([woken]);
    await runs.reach(1);
    expect(runs.lanes).toEqual([lane('1')]);
  });

  test('a worker that has nothing to do starts at once when a lane is woken', async () => {
    const wakeUps = await openOne();
    const runs = new Runs();
    wakeUps.work(runs.run, { concurrency: 2 });
    for (let n = 1; n <= 3; n += 1) {
      // Time for the worker to look for more, find nothing and fall asleep.
      for (let trips = 0; trips < 50; trips += 1) await store.now();
      await wakeUps.add([lane(String(n))]);
      // BullMQ looks again by itself after 5 s: that is how long it takes when the notification is missed.
      await runs.reach(n, 3_000);
    }
  });

  test('a burst of wake-ups before the run is one run', async () => {
    const wakeUps = await openOne();
    for (let n = 0; n < 10; n += 1) await wakeUps.add([lane('1')]);
    await wakeUps.add(Array(10).fill(lane('1')));
    const runs = new Runs();
    wakeUps.work(runs.run, { concurrency: 4 });
    await wakeUps.add([lane('end')]);
    await runs.reach(2);
    await wakeUps.close();
    expect(runs.lanes).toEqual([lane('1'), lane('end')]);
  });

  test('wake-ups during the run are one more run after it', async () => {
    const wakeUps = await openOne();
    const runs = new Runs();
    const firstRun = runs.hold();
    wakeUps.work(runs.run, { concurrency: 4 });
    await wakeUps.add([lane('1')]);
    await runs.reach(1);
    for (let n = 0; n < 3; n += 1) await wakeUps.add([lane('1')]);
    firstRun.end();
    await runs.reach(2);
    await wakeUps.add([lane('end')]);
    await runs.reach(3);
    await wakeUps.close();
    expect(runs.lanes).toEqual([lane('1'), lane('1'), lane('end')]);
    expect(runs.most).toBe(1);
  });

  test('of wake-ups around the end of a run none is lost', async () => {
    const wakeUps = await openOne();
    let wanted = 0;
    let done = 0;
    const settled = Promise.withResolvers<void>();
    const last = 60;
    wakeUps.work(
      async () => {
        // As a lane does it: what was wanted at the start is done at the end.
        const seen = wanted;
        await Promise.resolve();
        done = seen;
        if (done === last) settled.resolve();
      },
      { concurrency: 4 },
    );
    for (wanted = 1; wanted < last; wanted += 1) await wakeUps.add([lane('1')]);
    await wakeUps.add([lane('1')]);
    await inTime(settled.promise, 10_000, () => `done ${done} of ${last}`);
  });

  test('a wake-up during a run that fails runs again, and the error is reported', async () => {
    const wakeUps = await openOne();
    const runs = new Runs();
    const firstRun = runs.hold();
    wakeUps.work(runs.run, { concurrency: 1 });
    await wakeUps.add([lane('1')]);
    await runs.reach(1);
    await wakeUps.add([lane('1')]);
    const failure = new Error('the run failed');
    firstRun.fail(failure);
    await runs.reach(2);
    expect(errors).toEqual([failure]);
  });

  test('lanes run side by side, as many as asked for', async () => {
    const wakeUps = await openOne();
    const runs = new Runs();
    const held = [runs.hold(), runs.hold(), runs.hold()];
    wakeUps.work(runs.run, { concurrency: 3 });
    await wakeUps.add(['1', '2', '3', '4'].map(lane));
    await runs.reach(3);
    expect(runs.most).toBe(3);
    for (const run of held) run.end();
    await runs.reach(4);
    expect(runs.most).toBe(3);
  });

  test('a thousand lanes woken in one call all run', async () => {
    const wakeUps = await openOne();
    const runs = new Runs();
    wakeUps.work(runs.run, { concurrency: 16 });
    const all = Array.from({ length: 1_000 }, (_, n) => lane(String(n)));
    await wakeUps.add(all);
    await runs.reach(1_000, 30_000);
    expect(new Set(runs.lanes.map(({ subject }) => subject)).size).toBe(1_000);
  });

  test('closing waits for the run that is going on, and takes no other', async () => {
    const wakeUps = await openOne();
    const runs = new Runs();
    const held = runs.hold();
    wakeUps.work(runs.run, { concurrency: 1 });
    await wakeUps.add([lane('1'), lane('2')]);
    await runs.reach(1);
    let closed = false;
    const closing = wakeUps.close().then(() => {
      closed = true;
    });
    await store.now();
    expect(closed).toBe(false);
    held.end();
    await closing;
    expect(runs.lanes).toEqual([lane('1')]);
    expect(errors).toEqual([]);
  });

  test('what was not run before closing runs after the next start', async () => {
    const first = await openOne();
    await first.add([lane('1')]);
    await first.close();
    const second = await openOne();
    const runs = new Runs();
    second.work(runs.run, { concurrency: 1 });
    await runs.reach(1);
    expect(runs.lanes).toEqual([lane('1')]);
  });

  test('closing gives up on a run that does not end, and says so', async () => {
    const wakeUps = await openOne(200);
    const runs = new Runs();
    const held = runs.hold();
    wakeUps.work(runs.run, { concurrency: 1 });
    await wakeUps.add([lane('1')]);
    await runs.reach(1);
    await wakeUps.close();
    expect(errors).toMatchObject([{ code: 'runs-unfinished', parameters: { count: 1 } }]);
    held.end();
  });

  test('waking inside a transaction throws instead of waiting for ever', async () => {
    const wakeUps = await openOne();
    const inside = store.tx(() => wakeUps.add([lane('1')]));
    await expect(inside).rejects.toThrow('no queue call');
  });

  test('waking after closing does nothing', async () => {
    const wakeUps = await openOne();
    await wakeUps.close();
    await wakeUps.add([lane('1')]);
    expect(errors).toEqual([]);
  });
}

/** Back to a queue that nobody has used. */
async function emptyQueue({ db }: Store): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select quote_ident(tablename) as name from pg_tables
    where schemaname = 'bullmq' and tablename <> 'migration'`.execute(db);
  if (rows.length > 0)
    await sql.raw(`truncate ${rows.map(({ name }) => `bullmq.${name}`).join(', ')} restart identity`).execute(db);
}

/** Stands for the lane core: notes which lanes ran, and can be told to hold runs. */
class Runs {
  readonly lanes: LaneKey[] = [];
  most = 0;
  #now = 0;
  readonly #held: PromiseWithResolvers<void>[] = [];
  #reached: { count: number; resolve: () => void } | undefined;

  readonly run = async (lane: LaneKey): Promise<void> => {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    this.lanes.push(lane);
    if (this.#reached && this.lanes.length >= this.#reached.count) this.#reached.resolve();
    try {
      await this.#held.shift()?.promise;
    } finally {
      this.#now -= 1;
    }
  };

  /** The next run goes on until it is told to end or to fail. */
  hold(): { end(): void; fail(error: Error): void } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#held.push({ promise, resolve, reject });
    return { end: resolve, fail: reject };
  }

  /** Resolves when `count` runs have started. */
  async reach(count: number, milliseconds = 10_000): Promise<void> {
    if (this.lanes.length >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reached = { count, resolve };
    await inTime(promise, milliseconds, () => `${this.lanes.length} of ${count} runs started`);
  }
}

async function inTime<T>(promise: Promise<T>, milliseconds: number, state: () => string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Too late: ${state()}`)), milliseconds);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
