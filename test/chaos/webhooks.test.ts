// A short run of `npm run chaos -- --experiment webhooks`, and the judge's own test: a fault planted into a journal must be found.

import { expect, test } from '@jest/globals';
import { hasPostgres } from '../support/backends.ts';
import { describeOn } from '../support/servers.ts';
import { judged, webhooks } from './experiments/webhooks.ts';
import type { Line } from './receiver.ts';

describeOn('PostgreSQL', hasPostgres(), 'a receiver that fails and is killed, with two gateways', () => {
  test('gets every change, in order for each case', async () => {
    const { report } = await webhooks({ seed: 3, count: 1, changes: 60, megabytes: 0, seconds: 0, say: () => {} });
    expect(report.results.findings).toEqual({
      lost: [],
      'not of the feed': [],
      doubled: [],
      reordered: [],
      'not verified': [],
    });
    expect(report.n).toMatchObject({ changes: 60, cases: 5 });
    expect(report.faults).toBeGreaterThan(5);
    expect(report.kills).toEqual({ 'kill receiver': 1, 'kill serve': 1 });
  }, 600_000);
});

const feed = ['1', '2', '3', '4'];
const line = (body: string, of: string, what: Line['what'] = 'new'): Line => ({
  id: body,
  cursor: body,
  of,
  what,
  body,
});
const good = [
  line('2', 'b'),
  line('1', 'a'),
  line('3', 'a', 'failed'),
  line('3', 'a'),
  line('4', 'b'),
  line('3', 'a', 'known'),
];

test('a good journal has no findings', () => {
  expect(Object.values(judged(good, feed)).flat()).toEqual([]);
});

test.each([
  ['lost', good.slice(0, 4)],
  ['not of the feed', [...good, line('5', 'a')]],
  ['doubled', [...good, line('4', 'b')]],
  ['reordered', [line('4', 'b'), line('3', 'a'), line('1', 'a'), line('2', 'b')]],
  ['not verified', [...good, line('9', 'a', 'refused')]],
])('%s is found', (name, journal) => {
  expect(judged(journal, feed)[name]).not.toEqual([]);
});
