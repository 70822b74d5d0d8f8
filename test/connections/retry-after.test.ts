// What a server asks us to wait, whatever it writes there.

import { expect, test } from '@jest/globals';
import { notingExchanger } from '../../src/connections/noting.ts';
import { oddWait, retryAfterMs } from '../../src/connections/retry-after.ts';

const date = 'Tue, 03 Mar 2026 10:00:00 GMT';

test.each([
  ['seconds', '120', 120_000, undefined],
  ['zero', '0', 1_000, 'too-short'],
  ['a negative number', '-5', 1_000, 'too-short'],
  ['far too long', '1000000000', 900_000, 'too-long'],
  ['a date', 'Tue, 03 Mar 2026 10:00:30 GMT', 30_000, undefined],
  ['a date in the old form', 'Tuesday, 03-Mar-26 10:00:30 GMT', 30_000, undefined],
  ['a date that is past', 'Mon, 02 Mar 2026 10:00:00 GMT', 1_000, 'too-short'],
  ['a date that is far off', 'Mon, 03 Mar 2036 10:00:00 GMT', 900_000, 'too-long'],
  ['a word', 'soon', undefined, 'unreadable'],
  ['a fraction', '1.5', undefined, 'unreadable'],
  ['nothing', '', undefined, undefined],
  ['no header', undefined, undefined, undefined],
])('74: Retry-After with %s', (_name, header, expected, noted) => {
  expect(retryAfterMs(header, date)).toBe(expected);
  expect(oddWait(header, date)).toBe(noted);
});

test("74: without the server's own date, a date counts from our clock", () => {
  expect(retryAfterMs(new Date(Date.now() + 3_600_000).toUTCString(), undefined)).toBe(900_000);
  expect(retryAfterMs(new Date(Date.now() - 3_600_000).toUTCString(), 'yesterday')).toBe(1_000);
});

test('74: what is not taken as it is said is noted once for each way, whatever is asked for', async () => {
  const said = ['soon', 'soon', '-5', '1000000000', '120', '0'];
  const noted: string[] = [];
  const exchanger = notingExchanger(
    {
      exchange: async () => ({ status: 503, headers: { 'retry-after': said.shift() ?? '' }, bytes: new Uint8Array() }),
      close: () => undefined,
    },
    (how) => noted.push(how),
  );
  const { signal } = new AbortController();
  while (said.length > 0)
    await exchanger.exchange({
      method: 'GET',
      url: new URL('https://h/'),
      headers: {},
      deadline: { at: Infinity, signal },
    });
  expect(noted).toEqual(['unreadable', 'too-short', 'too-long']);
});
