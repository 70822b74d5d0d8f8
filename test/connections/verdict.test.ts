// What one reply says of the server as a whole, and that requests for a token obey its pauses as well.

import { expect, test } from '@jest/globals';
import { makeFault } from '../../src/connections/faults.ts';
import { createLimiter } from '../../src/connections/limiter.ts';
import { memoryBudget } from '../../src/connections/memory-budget.ts';
import { meteredExchanger } from '../../src/connections/metered.ts';
import { verdictOf } from '../../src/connections/verdict.ts';

const reply = (status: number, headers: Record<string, string> = {}) => ({ status, headers, bytes: new Uint8Array() });

test.each([
  ['200', reply(200), 'served'],
  ['a refusal', reply(422), 'served'],
  ['501, which no repetition mends', reply(501), 'served'],
  ['500', reply(500), 'failed'],
  ['503 that says nothing more', reply(503), 'failed'],
  ['503 with a time', reply(503, { 'retry-after': '7' }), { waitMs: 7_000 }],
  ['429 with seconds', reply(429, { 'retry-after': '7' }), { waitMs: 7_000 }],
  [
    '429 with a date, by the clock of the server',
    reply(429, { 'retry-after': 'Sun, 01 Mar 2026 12:00:09 GMT', date: 'Sun, 01 Mar 2026 12:00:00 GMT' }),
    { waitMs: 9_000 },
  ],
  ['429 with an hour: no longer than 15 minutes', reply(429, { 'retry-after': '3600' }), { waitMs: 900_000 }],
  ['429 that says nothing more', reply(429), { waitMs: undefined }],
  ['a time-out', makeFault('timeout', true, 'connection-timeout', { host: 'h' }), 'failed'],
  ['a broken connection', makeFault('reset', true, 'connection-reset', { host: 'h' }), 'failed'],
  ['nobody there', makeFault('refused', false, 'connection-refused', { host: 'h' }), 'failed'],
  ['given up by ourselves', makeFault('aborted', true, 'connection-aborted', { host: 'h' }), 'none'],
  [
    'a certificate, which pauses the connection',
    makeFault('tls', false, 'connection-certificate', { host: 'h' }),
    'none',
  ],
])('%s', (_name, seen, verdict) => {
  expect(verdictOf(seen)).toEqual(verdict);
});

test('a token that is refused with a pause silences the connection, for requests of a token and for others', async () => {
  const limiter = createLimiter(memoryBudget({ requestsPerSecond: 1000, concurrency: 4 }, () => performance.now()));
  let asked = 0;
  const metered = meteredExchanger(
    {
      exchange: async () => {
        asked += 1;
        return reply(429, { 'retry-after': '60' });
      },
      close: () => undefined,
    },
    limiter,
  );
  const { signal } = new AbortController();
  const call = {
    method: 'POST',
    url: new URL('https://h/token'),
    headers: {},
    deadline: { at: Infinity, signal },
  } as const;
  expect(await metered.exchange(call)).toMatchObject({ status: 429 });
  expect(await metered.exchange(call)).toMatchObject({ fault: 'resting', sent: false });
  expect(await limiter.take('lane', signal)).toMatchObject({ reason: { code: 'connection-stopped' } });
  expect(asked).toBe(1);
  await limiter.close();
});
