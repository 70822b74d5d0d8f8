// What a server asks us to wait, whatever it writes there.

import { expect, test } from '@jest/globals';
import { retryAfterMs } from '../../src/connections/retry-after.ts';

const date = 'Tue, 03 Mar 2026 10:00:00 GMT';

test.each([
  ['seconds', '120', 120_000],
  ['zero', '0', 1_000],
  ['a negative number', '-5', 1_000],
  ['far too long', '1000000000', 900_000],
  ['a date', 'Tue, 03 Mar 2026 10:00:30 GMT', 30_000],
  ['a date in the old form', 'Tuesday, 03-Mar-26 10:00:30 GMT', 30_000],
  ['a date that is past', 'Mon, 02 Mar 2026 10:00:00 GMT', 1_000],
  ['a date that is far off', 'Mon, 03 Mar 2036 10:00:00 GMT', 900_000],
  ['a word', 'soon', undefined],
  ['a fraction', '1.5', undefined],
  ['nothing', '', undefined],
  ['no header', undefined, undefined],
])('74: Retry-After with %s', (_name, header, expected) => {
  expect(retryAfterMs(header, date)).toBe(expected);
});

test("74: without the server's own date, a date counts from our clock", () => {
  expect(retryAfterMs(new Date(Date.now() + 3_600_000).toUTCString(), undefined)).toBe(900_000);
  expect(retryAfterMs(new Date(Date.now() - 3_600_000).toUTCString(), 'yesterday')).toBe(1_000);
});
