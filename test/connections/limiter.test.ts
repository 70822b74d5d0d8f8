// How one process asks one server, on a clock that the test moves: each request takes its turn, those of polls included (lanes.md 4).

import { expect, test } from '@jest/globals';
import type { Budget, Grant } from '../../src/connections/budget.ts';
import { createLimiter, type Purpose } from '../../src/connections/limiter.ts';
import { memoryBudget } from '../../src/connections/memory-budget.ts';
import type { Verdict } from '../../src/connections/verdict.ts';
import { virtualClock } from './virtual-clock.ts';

interface Rate {
  readonly requestsPerSecond: number;
  readonly concurrency: number;
}

type Slots = Pick<Budget, 'settle'>;

function asking(rate: Rate, around: (budget: Slots) => Slots = (budget) => budget) {
  const clock = virtualClock();
  const limiter = createLimiter(around(memoryBudget(rate, clock.now)), clock);
  const served: { name: number; at: number }[] = [];
  const turnedAway: string[] = [];
  const releases: ((verdict: Verdict) => void)[] = [];
  const ask = async (name: number, signal = new AbortController().signal, purpose: Purpose = 'lane') => {
    const turn = await limiter.take(purpose, signal);
    if (turn?.fault !== undefined) turnedAway.push(turn.reason?.code ?? '');
    if (turn === undefined || turn.fault !== undefined) return turn;
    served.push({ name, at: clock.now() });
    releases.push(turn.release);
    return turn;
  };
  /** Requests that take no time. */
  const quick = async (name: number, purpose: Purpose = 'lane') => {
    const turn = await ask(name, undefined, purpose);
    if (turn?.fault === undefined) turn?.release('served');
  };
  const names = () => served.map(({ name }) => name);
  return { clock, limiter, ask, quick, served, names, releases, turnedAway };
}

/** The most that lie in any 60 seconds. */
function mostInAMinute(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length));
}

test.each([{ perMinute: 100 }, { perMinute: 1200 }, { perMinute: 6 }])(
  'a backlog goes evenly: no minute holds more than $perMinute, and at least 0.95 of it is used',
  async ({ perMinute }) => {
    const { clock, quick, served } = asking({ requestsPerSecond: perMinute / 60, concurrency: 4 });
    for (let name = 0; name < perMinute * 3; name += 1) void quick(name);
    await clock.pass(150_000);
    const most = mostInAMinute(served.map(({ at }) => at));
    expect(most).toBeLessThanOrEqual(perMinute);
    expect(most).toBeGreaterThanOrEqual(perMinute * 0.95);
  },
);

test('a rest saves no more than a quarter of a second', async () => {
  const { clock, quick, served } = asking({ requestsPerSecond: 20, concurrency: 100 });
  await clock.pass(3_600_000);
  for (let name = 1; name <= 40; name += 1) void quick(name);
  await clock.pass(0);
  expect(served.length).toBeGreaterThan(1);
  expect(served.length).toBeLessThanOrEqual(5);
});

test('no more at a time than allowed, first come first served; a place given back twice counts once', async () => {
  const { clock, ask, names, releases } = asking({ requestsPerSecond: 1000, concurrency: 2 });
  for (let name = 1; name <= 5; name += 1) void ask(name);
  await clock.pass(1000);
  expect(names()).toEqual([1, 2]);
  releases[0]?.('served');
  releases[0]?.('served');
  await clock.pass(300);
  expect(names()).toEqual([1, 2, 3]);
});

test('who gives up while waiting gets nothing and holds nobody up', async () => {
  const { clock, ask, names, releases } = asking({ requestsPerSecond: 1000, concurrency: 1 });
  const tired = new AbortController();
  void ask(1);
  const second = ask(2, tired.signal);
  void ask(3);
  await clock.pass(10);
  tired.abort();
  expect(await second).toBeUndefined();
  releases[0]?.('served');
  await clock.pass(300);
  expect(names()).toEqual([1, 3]);
  expect(await ask(4, AbortSignal.abort())).toBeUndefined();
});

test('polls take one request in three while lanes wait too, and neither starves the other', async () => {
  const { clock, quick, names } = asking({ requestsPerSecond: 10, concurrency: 4 });
  for (let name = 0; name < 600; name += 1) {
    void quick(name);
    void quick(1000 + name, 'poll');
  }
  await clock.pass(30_000);
  const polls = names().filter((name) => name >= 1000).length;
  expect(polls / names().length).toBeGreaterThan(0.3);
  expect(polls / names().length).toBeLessThanOrEqual(0.34);
});

test('polls alone take no more than a third of the rate', async () => {
  const { clock, quick, served } = asking({ requestsPerSecond: 10, concurrency: 4 });
  for (let name = 0; name < 600; name += 1) void quick(name, 'poll');
  await clock.pass(60_000);
  expect(served.length).toBeGreaterThan(190);
  expect(served.length).toBeLessThanOrEqual(200);
});

test('a request for a token needs no place: the one that waits for it has one', async () => {
  const { clock, ask, names } = asking({ requestsPerSecond: 10, concurrency: 1 });
  void ask(1);
  void ask(2);
  await clock.pass(500);
  void ask(3, undefined, 'token');
  await clock.pass(500);
  expect(names()).toEqual([1, 3]);
});

test.each([
  ['says how long', 7_000, 7_000, 8_000],
  ['does not say how long', undefined, 1_000, 3_000],
])(
  'a server that asks for a pause and %s is left alone, and those who wait are told',
  async (_name, waitMs, least, most) => {
    const { clock, ask, quick, served, releases, turnedAway } = asking({ requestsPerSecond: 50, concurrency: 1 });
    void ask(1);
    void ask(2);
    await clock.pass(1_000);
    const stoppedAt = clock.now();
    releases[0]?.({ waitMs });
    await clock.pass(100);
    expect(turnedAway).toEqual(['connection-stopped']);
    for (let tries = 0; tries < 100; tries += 1) {
      void quick(10 + tries);
      await clock.pass(100);
    }
    const next = (served[1]?.at ?? 0) - stoppedAt;
    expect(next).toBeGreaterThanOrEqual(least);
    expect(next).toBeLessThan(most);
  },
);

test('while the budget cannot be asked, requests wait and none goes; then they go', async () => {
  let isAway = true;
  const { clock, quick, names } = asking({ requestsPerSecond: 50, concurrency: 2 }, (budget) => ({
    settle: async (report): Promise<Grant> => {
      if (isAway) throw new Error('away');
      return budget.settle(report);
    },
  }));
  void quick(1);
  await clock.pass(60_000);
  expect(names()).toEqual([]);
  isAway = false;
  await clock.pass(1_000);
  expect(names()).toEqual([1]);
});

test('far fewer questions than requests where the rate is high', async () => {
  let asked = 0;
  const { clock, quick, served } = asking({ requestsPerSecond: 1000, concurrency: 8 }, (budget) => ({
    settle: (report) => {
      asked += 1;
      return budget.settle(report);
    },
  }));
  let name = 0;
  const lane = async () => {
    while (clock.now() < 10_000) {
      await quick(name++);
      await new Promise<void>((done) => clock.later(done, 10));
    }
  };
  for (let lanes = 0; lanes < 8; lanes += 1) void lane();
  await clock.pass(11_000);
  expect(served.length).toBeGreaterThan(7_000);
  expect(asked).toBeLessThan(served.length / 20);
});

test('closed, it lets nobody through and gives back what it held', async () => {
  const shares: number[] = [];
  const { clock, limiter, ask, names } = asking({ requestsPerSecond: 10, concurrency: 1 }, (budget) => ({
    settle: async (report) => {
      const grant = await budget.settle(report);
      shares.push(grant.places);
      return grant;
    },
  }));
  void ask(1);
  const second = ask(2);
  await clock.pass(1_000);
  await limiter.close();
  expect(await second).toBeUndefined();
  expect(await ask(3)).toBeUndefined();
  expect(names()).toEqual([1]);
  expect(shares.at(-1)).toBe(0);
});
