// Instants: RFC 3339, kept with the offset they came with; without one only by the time zone of the source.

import { describe, expect, test } from '@jest/globals';
import { accepted, changed, errorsOf, refusals } from './parse.ts';

const decidedAt = (value: string) => changed('referral', { decidedAt: value });

test.each([
  '2026-02-05T09:30:00Z',
  '2026-02-05T09:30:00-05:00',
  '2026-02-05T09:30:00.123456789+05:30',
  '2026-02-05T23:59:59+14:00',
  '2024-02-29T00:00:00-00:00',
])('%s is kept as it is', (value) => {
  expect(accepted('referral', decidedAt(value), 'America/New_York').decidedAt).toBe(value);
});

test.each([
  ['a day that does not exist', '2026-02-30T10:00:00Z'],
  ['24:00', '2026-02-05T24:00:00Z'],
  ['minute 60', '2026-02-05T10:60:00Z'],
  ['a leap second', '2016-12-31T23:59:60Z'],
  ['the year 0001', '0001-01-01T00:00:00Z'],
  ['a date alone', '2026-02-05'],
  ['no seconds', '2026-02-05T10:00Z'],
  ['a space for the T', '2026-02-05 10:00:00Z'],
  ['an offset beyond 14 hours', '2026-02-05T10:00:00+14:30'],
  ['an offset without colon', '2026-02-05T10:00:00-0500'],
  ['ten digits of a second', '2026-02-05T10:00:00.1234567890Z'],
  ['the date of an old script', '/Date(1770285600000)/'],
  ['words', 'yesterday'],
  ['seconds since 1970 as text', '1770285600'],
])('%s is refused', (_, value) => {
  expect(refusals('referral', decidedAt(value), 'America/New_York')).toEqual(['/decidedAt instant']);
});

describe('a time without offset', () => {
  test('is refused where its source has no time zone', () => {
    expect(errorsOf('referral', decidedAt('2026-02-05T09:30:00'))).toEqual([
      {
        pointer: '/decidedAt',
        rule: 'offset',
        found: 'local time',
        message:
          '/decidedAt has no offset and its source has no time zone. Write 2026-03-01T09:30:00-05:00 or Z, or set timeZone of the source.',
      },
    ]);
  });

  test.each([
    ['in winter', '2026-02-05T09:30:00', '2026-02-05T09:30:00-05:00'],
    ['in summer', '2025-07-05T09:30:00.25', '2025-07-05T09:30:00.25-04:00'],
    ['just before the gap', '2025-03-09T01:59:59', '2025-03-09T01:59:59-05:00'],
    ['just after the gap', '2025-03-09T03:00:00', '2025-03-09T03:00:00-04:00'],
    ['just before the overlap', '2025-11-02T00:59:59', '2025-11-02T00:59:59-04:00'],
    ['just after the overlap', '2025-11-02T02:00:00', '2025-11-02T02:00:00-05:00'],
  ])('%s gets the offset that the zone of its source had then', (_, given, kept) => {
    expect(accepted('referral', decidedAt(given), 'America/New_York').decidedAt).toBe(kept);
  });

  test.each([
    ['does not exist because clocks were put forward', '2025-03-09T02:30:00', 'does not exist'],
    ['happened twice because clocks were put back', '2025-11-02T01:30:00', 'happened twice'],
  ])('that %s needs its offset', (_, given, words) => {
    expect(errorsOf('referral', decidedAt(given), 'America/New_York')).toEqual([
      expect.objectContaining({ pointer: '/decidedAt', rule: 'offset', message: expect.stringContaining(words) }),
    ]);
    expect(refusals('referral', decidedAt(`${given}-05:00`), 'America/New_York')).toEqual([]);
  });

  test('is refused where the zone of its source is unknown', () => {
    expect(errorsOf('referral', decidedAt('2026-02-05T09:30:00'), 'America/Nowhere')).toEqual([
      expect.objectContaining({
        rule: 'offset',
        message: expect.stringContaining('time zone of its source is unknown'),
      }),
    ]);
  });

  test('is found wherever an instant may stand, deep in lists too', () => {
    const local = changed('case', {
      updatedAt: '2026-02-02T10:30:00',
      assignments: [{ id: 'a1', workerId: 'w', role: 'primary', from: '2026-02-02T10:30:00' }],
      intake: { eligibility: [{ program: 'SNAP', checkedAt: '2026-02-02T10:31:00' }] },
    });
    expect(refusals('case', local)).toEqual([
      '/updatedAt offset',
      '/assignments/0/from offset',
      '/intake/eligibility/0/checkedAt offset',
    ]);
    expect(accepted('case', local, 'America/Denver')).toMatchObject({
      updatedAt: '2026-02-02T10:30:00-07:00',
      assignments: [{ from: '2026-02-02T10:30:00-07:00' }],
      intake: { eligibility: [{ checkedAt: '2026-02-02T10:31:00-07:00' }] },
    });
  });

  test('in a field of another kind is left alone', () => {
    const note = changed('need', { description: '2026-02-02T10:30:00' });
    expect(accepted('need', note, 'America/Denver').description).toBe('2026-02-02T10:30:00');
  });
});

test.each([
  ['2026-03-02T15:05:00Z', []],
  ['2026-03-02T10:05:00-05:00', []],
  ['2026-03-02T15:05:01Z', ['/updatedAt future']],
  ['2027-01-01T00:00:00Z', ['/updatedAt future']],
])('updatedAt %s, received at 15:00 UTC: at most 5 minutes ahead', (updatedAt, refused) => {
  expect(refusals('need', changed('need', { updatedAt }))).toEqual(refused);
});

test('updatedAt without offset is compared in the time zone of its source', () => {
  const record = changed('need', { updatedAt: '2026-03-02T15:04:00' });
  expect(refusals('need', record, 'Etc/UTC')).toEqual([]);
  expect(refusals('need', record, 'America/New_York')).toEqual(['/updatedAt future']);
});

test('a deletion mark from the future is refused as well', () => {
  expect(refusals('need', { id: 'n', updatedAt: '2027-01-01T00:00:00Z', deleted: true })).toEqual([
    '/updatedAt future',
  ]);
});
