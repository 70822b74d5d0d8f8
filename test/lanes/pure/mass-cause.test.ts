// Which cause a change in masses is put down to, and how many changes it may make unasked (lanes.md 22).

import { expect, test } from '@jest/globals';
import { causeOf } from '../../../src/lanes/operating/mass-change/cause.ts';
import { massLimit } from '../../../src/lanes/operating/mass-change/counts.ts';
import type { LaneBasis } from '../../../src/store/store.ts';

const then: LaneBasis = {
  mapping: 'm1',
  configuration: 'c1',
  routes: 'r1',
  epochs: 'client:county/rosa=1',
  at: '2026-03-01T00:00:00Z',
};

test.each<[string, LaneBasis | null, Partial<LaneBasis>, ReturnType<typeof causeOf>]>([
  ['nothing is different', then, {}, undefined],
  ['another mapping', then, { mapping: 'm2' }, { cause: 'mapping', value: 'm2' }],
  ['another configuration', then, { configuration: 'c2' }, { cause: 'configuration', value: 'c2' }],
  ['other routes: scopes or what the server offers', then, { routes: 'r2' }, { cause: 'scopes', value: 'r2' }],
  ['several: the mapping', then, { mapping: 'm2', routes: 'r2' }, { cause: 'mapping', value: 'm2' }],
  ['a lane that never ran', null, { mapping: 'm2' }, undefined],
  [
    'a consent came, or the client is another patient',
    then,
    { mapping: 'm2', epochs: 'client:county/rosa=2' },
    undefined,
  ],
  [
    'a consent has begun or ended by the calendar',
    { ...then, until: '2026-03-02T05:00:00Z' },
    { mapping: 'm2', at: '2026-03-02T05:00:00Z' },
    undefined,
  ],
  [
    'one that is still to begin or to end',
    { ...then, until: '2026-03-02T05:00:00Z' },
    { mapping: 'm2', at: '2026-03-02T04:59:59Z' },
    { cause: 'mapping', value: 'm2' },
  ],
  [
    'what an older version has not stored',
    { mapping: 'm1', at: then.at },
    { configuration: 'c2', routes: 'r2' },
    undefined,
  ],
])('%s', (_what, before, change, cause) => {
  expect(causeOf(before, { ...then, ...change })).toEqual(cause);
});

test.each([
  [0, 100],
  [10_000, 100],
  [20_000, 200],
  [1_000_000, 10_000],
])('of %i links %i may change', (links, limit) => {
  expect(massLimit(links)).toBe(limit);
});
