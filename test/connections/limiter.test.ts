// How fast one process asks one server, on a clock that the test moves.

import { expect, test } from '@jest/globals';
import { createLimiter } from '../../src/connections/limiter.ts';

function virtualClock() {
  let now = 0;
  const timers: { at: number; run: () => void }[] = [];
  return {
    now: () => now,
    later: (run: () => void, ms: number) => void timers.push({ at: now + ms, run }),
    async pass(ms: number) {
      const until = now + ms;
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) {
          break;
        }
        timers.splice(timers.indexOf(next), 1);
        now = next.at;
        next.run();
      }
      now = until;
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

function asking(rate: { requestsPerSecond: number; concurrency: number }) {
  const clock = virtualClock();
  const limiter = createLimiter(rate, clock);
  const served: number[] = [];
  const releases: (() => void)[] = [];
  const ask = (name: number, signal = new AbortController().signal) =>
    limiter.take(signal).then((release) => {
      if (release !== undefined) {
        served.push(name);
        releases.push(release);
      }
      return release;
    });
  return { clock, ask, served, releases };
}

test('a second of requests goes at once, then one at a time at the rate', async () => {
  const { clock, ask, served } = asking({ requestsPerSecond: 4, concurrency: 100 });
  for (let name = 1; name <= 10; name += 1) {
    void ask(name);
  }
  await clock.pass(0);
  expect(served).toEqual([1, 2, 3, 4]);
  await clock.pass(249);
  expect(served).toHaveLength(4);
  await clock.pass(1);
  expect(served).toHaveLength(5);
  await clock.pass(500);
  expect(served).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('a rest saves no more than one second', async () => {
  const { clock, ask, served } = asking({ requestsPerSecond: 2, concurrency: 100 });
  await clock.pass(3_600_000);
  for (let name = 1; name <= 5; name += 1) {
    void ask(name);
  }
  await clock.pass(0);
  expect(served).toEqual([1, 2]);
});

test('slower than one a second works too', async () => {
  const { clock, ask, served } = asking({ requestsPerSecond: 0.1, concurrency: 1 });
  void ask(1).then((release) => release?.());
  void ask(2);
  await clock.pass(0);
  await clock.pass(9_999);
  expect(served).toEqual([1]);
  await clock.pass(1);
  expect(served).toEqual([1, 2]);
});

test('no more at a time than allowed, first come first served; a place given back twice counts once', async () => {
  const { clock, ask, served, releases } = asking({ requestsPerSecond: 1000, concurrency: 2 });
  for (let name = 1; name <= 5; name += 1) {
    void ask(name);
  }
  await clock.pass(1000);
  expect(served).toEqual([1, 2]);
  releases[0]?.();
  releases[0]?.();
  await clock.pass(0);
  expect(served).toEqual([1, 2, 3]);
});

test('who gives up while waiting gets nothing and holds nobody up', async () => {
  const { clock, ask, served, releases } = asking({ requestsPerSecond: 1000, concurrency: 1 });
  const tired = new AbortController();
  void ask(1);
  const second = ask(2, tired.signal);
  void ask(3);
  tired.abort();
  expect(await second).toBeUndefined();
  releases[0]?.();
  await clock.pass(0);
  expect(served).toEqual([1, 3]);
  expect(await ask(4, AbortSignal.abort())).toBeUndefined();
});
