// At a low rate little is begun at once: what stands in line longer than a request may wait is given up.

import { expect, test } from '@jest/globals';
import { lanesAtOnce, writesAtOnce } from '../../../src/lanes/budget/at-once.ts';

const sendLimitMs = 30_000;

test.each([
  { requestsPerSecond: 1000, lanes: 8, writes: 8 },
  { requestsPerSecond: 20, lanes: 8, writes: 8 },
  { requestsPerSecond: 100 / 60, lanes: 4, writes: 8 },
  { requestsPerSecond: 0.5, lanes: 1, writes: 4 },
  { requestsPerSecond: 0.1, lanes: 1, writes: 1 },
])('$requestsPerSecond a second: $lanes lanes of $writes writes, all of which may go in time', (row) => {
  const rate = { requestsPerSecond: row.requestsPerSecond, concurrency: 8 };
  expect([lanesAtOnce(rate), writesAtOnce(rate)]).toEqual([row.lanes, row.writes]);
  expect(((row.lanes * row.writes) / row.requestsPerSecond) * 1000).toBeLessThan(sendLimitMs);
});
