// The rule by which processes share what a connection may spend: several of them, with their own lines and clocks that are late, on one state
// (lanes.md 4).

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  afterProbed,
  type BudgetLimits,
  type BudgetState,
  claimProbing,
  type Report,
  reserveRest,
  restOf,
  settle,
  unspent,
} from '../../src/connections/budget.ts';
import { createLimiter } from '../../src/connections/limiter.ts';
import type { Verdict } from '../../src/connections/verdict.ts';
import { virtualClock } from './virtual-clock.ts';

/** An instant on the database's clock. */
const epoch = Date.UTC(2026, 2, 1, 12);

function sharing(limits: BudgetLimits, processes: number) {
  const clock = virtualClock();
  let state: BudgetState = unspent;
  const limiters = Array.from({ length: processes }, (_, at) =>
    createLimiter(
      {
        // The answer arrives some milliseconds after the database has settled.
        settle: async (report) => {
          const settled = settle(state, limits, { ...report, holder: `process-${at}` }, epoch + clock.now(), 0.5);
          state = settled.state;
          await new Promise<void>((done) => clock.later(done, 1 + at));
          return settled.grant;
        },
      },
      clock,
    ),
  );
  const sent: { process: number; at: number }[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const refused: string[] = [];
  /** Keeps a process busy with so many lanes, whose requests take so long. */
  const busy = (
    process: number,
    lanes: number,
    takesMs: number,
    until: number,
    verdict: () => Verdict = () => 'served',
  ) => {
    const lane = async (): Promise<void> => {
      while (clock.now() < until) {
        const turn = await limiters[process]?.take('lane', new AbortController().signal);
        if (turn === undefined) return;
        if (turn.fault !== undefined) {
          refused.push(turn.reason?.code ?? '');
          await new Promise<void>((done) => clock.later(done, turn.retryAfterMs ?? 100));
          continue;
        }
        sent.push({ process, at: clock.now() });
        underWay += 1;
        mostUnderWay = Math.max(mostUnderWay, underWay);
        await new Promise<void>((done) => clock.later(done, takesMs));
        underWay -= 1;
        turn.release(verdict());
      }
    };
    for (let n = 0; n < lanes; n += 1) void lane();
  };
  return {
    clock,
    limiters,
    sent,
    refused,
    busy,
    mostUnderWay: () => mostUnderWay,
    state: () => state,
    by: (process: number) => sent.filter((one) => one.process === process).length,
  };
}

function mostInAMinute(times: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [to, at] of times.entries()) {
    while (at - (times[from] ?? 0) >= 60_000) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

describe('the rate (G12)', () => {
  test.each([100, 1200])(
    'of %d a minute is kept by four processes together, and 0.95 of it used',
    async (perMinute) => {
      const { clock, busy, sent } = sharing({ requestsPerSecond: perMinute / 60, concurrency: 8 }, 4);
      for (let process = 0; process < 4; process += 1) busy(process, 3, 40, 190_000);
      await clock.pass(190_000);
      const most = mostInAMinute(sent.map(({ at }) => at));
      expect(most).toBeLessThanOrEqual(perMinute);
      expect(sent.filter(({ at }) => at >= 60_000 && at < 180_000).length).toBeGreaterThanOrEqual(perMinute * 2 * 0.95);
    },
  );

  test('gives each of four busy processes its part', async () => {
    const { clock, busy, by } = sharing({ requestsPerSecond: 20, concurrency: 8 }, 4);
    for (let process = 0; process < 4; process += 1) busy(process, 2, 10, 60_000);
    await clock.pass(60_000);
    for (let process = 0; process < 4; process += 1) expect(by(process)).toBeGreaterThan(200);
  });
});

describe('places', () => {
  test.each([
    [8, 4],
    [3, 2],
    [1, 4],
  ])('%d requests at a time among %d processes: never more, and everybody gets on', async (concurrency, processes) => {
    const { clock, busy, by, mostUnderWay } = sharing({ requestsPerSecond: 1000, concurrency }, processes);
    for (let process = 0; process < processes; process += 1) busy(process, 8, 50, 30_000);
    await clock.pass(31_000);
    expect(mostUnderWay()).toBe(concurrency);
    const even = (30_000 / 50) * (concurrency / processes);
    for (let process = 0; process < processes; process += 1) expect(by(process)).toBeGreaterThan(even * 0.4);
  });

  test('one busy process among idle ones has them all', async () => {
    const { clock, busy, by, mostUnderWay } = sharing({ requestsPerSecond: 1000, concurrency: 8 }, 4);
    busy(0, 16, 50, 10_000);
    await clock.pass(11_000);
    expect(mostUnderWay()).toBe(8);
    expect(by(0)).toBeGreaterThan((10_000 / 50) * 8 * 0.9);
  });

  test('of a process that died come back after ten seconds', async () => {
    const { clock, limiters, busy, sent } = sharing({ requestsPerSecond: 1000, concurrency: 2 }, 2);
    // It takes both places and is never heard of again: its clock stands still from the test's point of view.
    const signal = new AbortController().signal;
    await Promise.all([limiters[0]?.take('lane', signal), limiters[0]?.take('lane', signal), clock.pass(50)]);
    void limiters[0]?.close();
    busy(1, 2, 10, 30_000);
    await clock.pass(30_000);
    expect(sent.length).toBeGreaterThan(1_000);
  });

  test('are never more than there are, whatever the processes report', () => {
    const report = fc.record({
      holder: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      wanted: fc.nat(20),
      lanes: fc.nat(20),
      finishes: fc.nat(5),
      afterMs: fc.nat(3_000),
    });
    fc.assert(
      fc.property(fc.array(report, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (reports, concurrency) => {
        let state = unspent;
        let now = epoch;
        // What each process has under way: all that it was given, less what has ended.
        const running = new Map<string, number>();
        const heardAt = new Map<string, number>();
        for (const { holder, wanted, lanes, finishes, afterMs } of reports) {
          now += afterMs;
          for (const [other, at] of heardAt) if (now - at >= 10_000) running.delete(other);
          const left = Math.max(0, (running.get(holder) ?? 0) - finishes);
          const { state: next, grant } = settle(
            state,
            { requestsPerSecond: 1000, concurrency },
            aReport({ holder, running: left, wanted: Math.max(wanted, left), lanes }),
            now,
            0.5,
          );
          state = next;
          running.set(holder, Math.max(left, grant.places));
          heardAt.set(holder, now);
          const all = [...running.values()].reduce((sum, held) => sum + held, 0);
          expect(all).toBeLessThanOrEqual(concurrency);
        }
      }),
    );
  });
});

describe('a pause that the server asks for', () => {
  test('holds for every process, and what it says is kept; one that does not say grows', () => {
    let state = heard({ stop: { waitMs: 7_000 } }, epoch);
    expect(told(state, epoch + 6_999)).toBe('connection-stopped');
    expect(told(state, epoch + 7_000)).toBeUndefined();
    expect(grantTo('another', state, epoch + 6_999).count).toBe(0);
    const waits = [];
    let now = epoch;
    state = unspent;
    for (let times = 0; times < 4; times += 1) {
      state = heard({ stop: { waitMs: undefined } }, now, state);
      const until = state.stop?.until ?? 0;
      waits.push(until - now);
      now = until;
    }
    expect(waits).toEqual([1_250, 2_500, 5_000, 10_000]);
  });

  test('heard of by several requests under way is one', () => {
    const first = heard({ stop: { waitMs: undefined } }, epoch);
    const second = heard({ stop: { waitMs: undefined } }, epoch + 20, first);
    expect(second.stop?.times).toBe(1);
  });

  test('is forgotten when a request is answered after it', () => {
    const stopped = heard({ stop: { waitMs: 1_000 } }, epoch);
    expect(heard({ answers: { succeeded: true, failed: 0 } }, epoch + 500, stopped).stop).toBeDefined();
    expect(heard({ answers: { succeeded: true, failed: 0 } }, epoch + 1_500, stopped).stop).toBeUndefined();
  });
});

describe('the breaker', () => {
  const failed = (state: BudgetState, now: number) => heard({ answers: { succeeded: false, failed: 1 } }, now, state);
  const opened = () => {
    let state = unspent;
    for (let times = 0; times < 5; times += 1) state = failed(state, epoch);
    return state;
  };

  test('opens after five failures in a row, wherever they were seen; an answer in between starts anew', () => {
    let state = unspent;
    for (let times = 0; times < 4; times += 1) state = failed(state, epoch);
    expect(told(state, epoch)).toBeUndefined();
    const answered = heard({ answers: { succeeded: true, failed: 0 } }, epoch, state);
    expect(told(failed(answered, epoch), epoch)).toBeUndefined();
    expect(told(failed(state, epoch), epoch)).toBe('connection-failing');
    expect(grantTo('another', failed(state, epoch), epoch).count).toBe(0);
  });

  test('lets one request ask when its time has come, and no other until that one is over', () => {
    const state = opened();
    const until = state.breaker.openUntil ?? 0;
    expect(until - epoch).toBe(3_750);
    expect(claimProbing(state, limits, until - 1)).toBeUndefined();
    const claimed = claimProbing(state, limits, until);
    expect(claimed && claimProbing(claimed, limits, until + 30_000)).toBeUndefined();
    expect(told(claimed ?? unspent, until)).toBe('connection-failing');
  });

  test('stays open for longer each time that request fails', () => {
    let state = opened();
    const waits = [];
    for (let times = 0; times < 8; times += 1) {
      const at = state.breaker.openUntil ?? 0;
      state = afterProbed(claimProbing(state, limits, at) ?? state, 'failed', at, 0.5);
      waits.push((state.breaker.openUntil ?? 0) - at);
    }
    expect(waits).toEqual([7_500, 15_000, 30_000, 60_000, 120_000, 225_000, 225_000, 225_000]);
  });

  test('closes when that request is answered; the next failure opens it again, for longer, an answer ends it', () => {
    const state = opened();
    const at = state.breaker.openUntil ?? 0;
    const closed = afterProbed(claimProbing(state, limits, at) ?? state, 'served', at, 0.5);
    expect(told(closed, at)).toBeUndefined();
    const again = failed(closed, at);
    expect((again.breaker.openUntil ?? 0) - at).toBe(7_500);
    const well = heard({ answers: { succeeded: true, failed: 0 } }, at, closed);
    expect(well.breaker).toEqual(unspent.breaker);
  });

  test('does not ask before the end of a pause', () => {
    const state = opened();
    const at = state.breaker.openUntil ?? 0;
    const stopped = afterProbed(claimProbing(state, limits, at) ?? state, { waitMs: 60_000 }, at, 0.5);
    expect(told(stopped, at)).toBe('connection-stopped');
    expect(told(stopped, at + 60_000)).toBeUndefined();
  });

  test('with failing requests in several processes, one probe and then nothing until the server is well', async () => {
    const { clock, busy, sent, refused, state } = sharing({ requestsPerSecond: 100, concurrency: 8 }, 3);
    for (let process = 0; process < 3; process += 1) busy(process, 2, 100, 60_000, () => 'failed');
    await clock.pass(60_000);
    // Those that were under way when it opened end as well.
    expect(sent.length).toBeLessThanOrEqual(5 + 6 + 6);
    expect(refused.every((code) => code === 'connection-failing')).toBe(true);
    expect(state().breaker.openings).toBe(1);
  });
});

describe('a limit for the day', () => {
  const daily = { requestsPerSecond: 1000, concurrency: 8, requestsPerDay: 1000 };

  test('is never passed; polls stop where the reserve begins, and all begins anew at midnight in UTC', () => {
    let state = unspent;
    let lanes = 0;
    let polls = 0;
    let now = epoch;
    for (; now < epoch + 60_000; now += 100) {
      const { state: next, grant } = settle(state, daily, aReport({ wanted: 8, lanes: 4, polls: 4 }), now, 0.5);
      state = next;
      lanes += grant.count - grant.polls;
      polls += grant.polls;
      if (reserveRest(state, daily, now) !== undefined) expect(grant.pollRest ?? grant).toBeDefined();
    }
    expect(lanes + polls).toBe(1000);
    expect(restOf(state, daily, now)).toMatchObject({
      until: Date.UTC(2026, 2, 2),
      reason: { code: 'connection-day-used' },
    });
    const nextDay = settle(state, daily, aReport({ wanted: 8, lanes: 4 }), Date.UTC(2026, 2, 2), 0.5);
    expect(nextDay.grant.count).toBeGreaterThan(0);
    expect(nextDay.grant.rest).toBeUndefined();
  });

  test('counts what was used: slots that were given back are free again', () => {
    const first = settle(unspent, daily, aReport({ wanted: 8, lanes: 8 }), epoch, 0.5);
    const second = settle(first.state, daily, aReport({ wanted: 0, unused: first.grant.count - 3 }), epoch + 1, 0.5);
    expect(second.state.day.used).toBe(3);
  });

  test('its last twentieth is kept for what is urgent', () => {
    const at = (used: number) => ({ ...unspent, day: { start: epoch - (epoch % 86_400_000), used } });
    expect(reserveRest(at(949), daily, epoch)).toBeUndefined();
    expect(reserveRest(at(950), daily, epoch)).toMatchObject({ reason: { code: 'connection-day-used' } });
    expect(restOf(at(999), daily, epoch)).toBeUndefined();
    expect(restOf(at(1000), daily, epoch)).toMatchObject({ reason: { code: 'connection-day-used' } });
    expect(settle(at(960), daily, aReport({ wanted: 1, polls: 1 }), epoch, 0.5).grant).toMatchObject({ count: 0 });
    expect(settle(at(960), daily, aReport({ wanted: 1, lanes: 1 }), epoch, 0.5).grant.count).toBeGreaterThan(0);
  });
});

const limits: BudgetLimits = { requestsPerSecond: 20, concurrency: 4 };

function aReport(report: Partial<Report>): Report {
  return {
    holder: 'process',
    running: 0,
    wanted: 0,
    tokens: 0,
    polls: 0,
    lanes: 0,
    recent: 0,
    unused: 0,
    answers: { succeeded: false, failed: 0 },
    ...report,
  };
}

function heard(report: Partial<Report>, now: number, state: BudgetState = unspent): BudgetState {
  return settle(state, limits, aReport(report), now, 0.5).state;
}

function told(state: BudgetState, now: number): string | undefined {
  return restOf(state, limits, now)?.reason.code;
}

function grantTo(holder: string, state: BudgetState, now: number) {
  return settle(state, limits, aReport({ holder, wanted: 4, lanes: 4 }), now, 0.5).grant;
}
