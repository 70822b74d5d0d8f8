// How often what is asked for, and what that costs: the figures of lanes.md 21 and closed-loop B4.

import { describe, expect, test } from '@jest/globals';
import { polledTypes, type VendorName } from '../../../src/config.ts';
import { vendors } from '../../../src/connections/connections.ts';
import { pollCost, pollEveryMs, typesOfAll, typesOfOne } from '../../../src/lanes/polls/poll-plan.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const polls = { types: polledTypes, performers: [], referralCodes: [], documentTypes: [], lookBackMs: 90 * day };
const config = (vendor: VendorName, every = 15 * minute) => ({
  vendor,
  pollEveryMs: every,
  polls,
  rateLimit: { requestsPerSecond: 20, concurrency: 8 },
});
const every = (vendor: VendorName, type: string, tier: number, pollEvery?: number) =>
  pollEveryMs(config(vendor, pollEvery), vendors[vendor], type, tier) / minute;

test('at hospitals: open referrals every 15 minutes, open cases hourly, others daily', () => {
  for (const vendor of ['epic', 'oracle'] as const)
    expect([1, 2, 3].map((tier) => every(vendor, 'Goal', tier))).toEqual([15, 60, 1440]);
  expect([1, 2, 3].map((tier) => every('epic', 'Task', tier))).toEqual([15, 60, 1440]);
});

test('on standard: all patients each minute, one of them not more often than every 15', () => {
  expect(every('standard', 'Task', 0, minute)).toBe(1);
  expect([1, 2, 3].map((tier) => every('standard', 'Goal', tier, minute))).toEqual([15, 60, 1440]);
  // Asked for all patients as well: one of them is read in full once a day.
  expect([1, 2, 3].map((tier) => every('standard', 'Task', tier, minute))).toEqual([1440, 1440, 1440]);
});

test('nobody is asked about less than once a day, unless poll.every says so', () => {
  expect(every('epic', 'Goal', 3, 60 * minute)).toBe(1440);
  expect(every('epic', 'Goal', 1, 2 * day)).toBe(2880);
});

test('each vendor is asked for what it can be searched for', () => {
  const ofAll = (vendor: VendorName) => typesOfAll(vendors[vendor], config(vendor));
  expect([ofAll('standard'), ofAll('epic'), ofAll('oracle')]).toEqual([['ServiceRequest', 'Task'], ['Task'], []]);
  expect(typesOfOne(vendors.oracle, config('oracle'))).toEqual(
    polledTypes.filter((type) => type !== 'Task' && type !== 'Communication'),
  );
  expect(typesOfOne(vendors.epic, config('epic'))).toEqual(polledTypes);
});

describe('10,000 patients, three types', () => {
  const count = (tier: number, patients: number) =>
    ['Goal', 'Condition', 'Encounter'].map((resourceType) => ({ resourceType, tier, count: patients }));

  test('take 75 minutes at a third of 20 requests a second', () => {
    expect(pollCost(config('oracle'), vendors.oracle, count(2, 10_000))).toEqual({
      requestsPerDay: 10_000 * 3 * 24,
      mostPerDay: 576_000,
      cycleSeconds: 75 * 60,
    });
  });

  test('a daily limit of requests counts as well', () => {
    const limited = {
      ...config('oracle'),
      rateLimit: { requestsPerSecond: 20, concurrency: 8, requestsPerDay: 30_000 },
    };
    expect(pollCost(limited, vendors.oracle, []).mostPerDay).toBe(10_000);
  });
});
