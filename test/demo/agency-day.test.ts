import { expect, test } from '@jest/globals';
import { dayThere } from '../../src/demo/agency-day.ts';

test.each([
  ['2026-11-27T00:05:00Z', '2026-11-26'],
  ['2026-11-27T04:59:59Z', '2026-11-26'],
  ['2026-11-27T05:00:00Z', '2026-11-27'],
  ['2026-07-01T03:59:59Z', '2026-06-30'],
])('what is signed at %s is in force on %s, the day that it is at the agency', (instant, day) => {
  expect(dayThere(instant)).toBe(day);
});
