// When a lane tries again: longer each time, spread, never beyond four minutes, so that all is done within five of a
// recovery (G7), never before the server asked.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ErrorCode } from '../../../src/errors.ts';
import { backoffMs, nextTryMs } from '../../../src/lanes/retry.ts';

const capMs = 4 * 60_000;

describe('the wait before the next try', () => {
  test.each([
    ['first', 0, 500, 1_000],
    ['second', 1, 1_000, 2_000],
    ['fifth', 4, 8_000, 16_000],
    ['eighth', 7, 64_000, 128_000],
    ['ninth, at the cap', 8, 120_000, capMs],
    ['hundredth', 99, 120_000, capMs],
    ['millionth', 1_000_000, 120_000, capMs],
  ])('%s try: between half and the whole of its step', (_which, attempts, least, most) => {
    expect(backoffMs(attempts, 0)).toBe(least);
    expect(backoffMs(attempts, 1)).toBe(most);
  });

  test.each<[string, ErrorCode, number, number | undefined, number]>([
    ['longer than the step: what was asked', 'server-busy', 0, 30_000, 30_000],
    ['shorter than the step: the step, so that nobody asks every second for ever', 'server-busy', 6, 1_000, 32_000],
    ['until the next day: the next day', 'server-daily-cap', 0, 10 * capMs, 10 * capMs],
    ['nothing: the step', 'server-busy', 0, undefined, 500],
  ])('where the server asked for %s', (_what, code, attempts, askedMs, expected) => {
    expect(nextTryMs(code, attempts, 0, askedMs)).toBe(expected);
  });

  test.each<[ErrorCode, number, number]>([
    ['outcome-unknown', 90_000, 90_000],
    ['twin-in-progress', 1_000, 1_000],
    ['lane-yields', 0, 50],
  ])('a wait of our own (%s) takes as long as it says, however often it was tried', (code, waitMs, expected) => {
    expect(nextTryMs(code, 20, 1, waitMs)).toBe(expected);
  });

  const attempts = fc.nat({ max: 2_000 });
  const random = fc.double({ min: 0, max: 1, noNaN: true });

  test('is a whole number of milliseconds, above nothing, within the cap', () => {
    fc.assert(
      fc.property(attempts, random, (tries, chance) => {
        const wait = backoffMs(tries, chance);
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(500);
        expect(wait).toBeLessThanOrEqual(capMs);
      }),
      { seed: 13, numRuns: 500 },
    );
  });

  test('never shrinks with the tries, whatever the chance', () => {
    fc.assert(
      fc.property(attempts, random, random, (tries, chance, other) => {
        expect(backoffMs(tries + 1, chance)).toBeGreaterThanOrEqual(backoffMs(tries, chance));
        // Even by chance no later try comes before the middle of the step before it.
        expect(backoffMs(tries + 1, chance)).toBeGreaterThanOrEqual(backoffMs(tries, other) / 2);
      }),
      { seed: 14, numRuns: 500 },
    );
  });

  test('is spread: two lanes that failed together do not come back together', () => {
    const waits = Array.from({ length: 20 }, (_none, index) => backoffMs(5, index / 20));
    expect(new Set(waits).size).toBe(20);
  });
});
