// What no plan ever does, whatever a lane looks like: resources made at random, likely ones more often.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { reason } from '../../../src/errors.ts';
import type { LaneResource } from '../../../src/lanes/lane-resource.ts';
import { withFact } from '../../../src/lanes/merge.ts';
import { type Operation, plan } from '../../../src/lanes/plan.ts';
import { aLink, aResource, aSlot, desiredOf, goalKey, seen } from './lane-resources.ts';

const withheld = reason('consent-missing', { recordType: 'goal' });
const withdrawn = reason('consent-withdrawn', { recordType: 'goal' });
const deleted = reason('deleted-record');
const refused = reason('server-refused', { status: 422, issue: 'invalid' });
const wait = {
  target: { type: 'client', id: 'c1', slot: 'patient' },
  reason: reason('waits-for-link', { target: 'client/c1#patient' }),
} as const;

const value = fc.constantFrom('a', 'b', undefined);
const facts = fc
  .record({ text: value, note: value })
  .map(({ text, note }) => ({ ...(text && { text }), ...(note && { note }) }));
const anyResource: fc.Arbitrary<LaneResource> = fc
  .record({
    wanted: fc.option(facts, { nil: undefined, freq: 5 }),
    sent: facts,
    held: fc.option(facts, { nil: undefined, freq: 5 }),
    hasLink: fc.constantFrom(true, true, true, false),
    origin: fc.constantFrom('created', 'created', 'created', 'found'),
    retired: fc.constantFrom(false, false, false, true),
    isFresh: fc.boolean(),
    isGone: fc.constantFrom(false, false, false, true),
    route: fc.constantFrom('native', 'native', 'native', 'withheld', 'off', 'read'),
    leave: fc.constantFrom(undefined, undefined, undefined, deleted, withdrawn),
    waits: fc.constantFrom(false, false, false, true),
    parked: fc.constantFrom(undefined, undefined, undefined, refused),
    search: fc.constantFrom('none', 'pending', 'not-found'),
    owner: fc.constantFrom('source', 'remote', 'latest', 'ask'),
  })
  .map(({ wanted, sent, held, hasLink, origin, retired, isFresh, route, waits, owner, ...rest }) =>
    aResource({
      ...rest,
      slot: aSlot({ text: { owner }, note: {} }),
      desired: wanted && desiredOf(wanted),
      link: hasLink ? aLink(sent, { origin, retired }) : undefined,
      observed: held && seen(held, { isFresh }),
      route: route === 'native' ? { route, reason: undefined } : { route, reason: withheld },
      waits: waits ? [wait] : [],
    }),
  );
const isWrite = (operation: Operation) => 'body' in operation;

describe('laws', () => {
  const check = (seed: number, law: (resource: LaneResource, operations: readonly Operation[]) => void) =>
    fc.assert(
      fc.property(anyResource, (resource) => law(resource, plan([resource]).operations)),
      { seed, numRuns: 1_000 },
    );

  test('each resource ends in one state and has at most one operation; the plan says the same twice', () => {
    fc.assert(
      fc.property(fc.array(anyResource, { maxLength: 5 }), (resources) => {
        const numbered = resources.map((resource, index) => ({ ...resource, key: { ...goalKey, id: `g${index}` } }));
        const { operations, states } = plan(numbered);
        expect(states.map(({ resource }) => resource)).toEqual(numbered);
        expect(new Set(operations.map(({ resource }) => resource.key.id)).size).toBe(operations.length);
        expect(plan(numbered)).toEqual({ operations, states });
        expect(new Set(plan(numbered.toReversed()).operations)).toEqual(new Set(operations));
      }),
      { seed: 29, numRuns: 300 },
    );
  });

  test('a create is for what has no standing link, is wanted, has a native route, and needs no search any more', () => {
    check(30, (resource, operations) => {
      if (!operations.some(({ kind }) => kind === 'create')) return;
      expect(resource.link === undefined || resource.link.retired).toBe(true);
      expect(resource).toMatchObject({ route: { route: 'native' }, waits: [], parked: undefined });
      expect(resource.desired).toBeDefined();
      expect(resource.search).not.toBe('pending');
    });
  });

  test('what was found is never written', () => {
    check(31, (resource, operations) => {
      if (resource.link?.origin === 'found' && !resource.link.retired) expect(operations.some(isWrite)).toBe(false);
    });
  });

  test('without consent nothing is created or updated: the one write left is the recall', () => {
    check(32, (resource, operations) => {
      if (resource.route.route !== 'withheld') return;
      expect(operations.filter(isWrite).filter(({ kind }) => kind !== 'retire')).toEqual([]);
    });
  });

  test('nothing is retired without a stated cause', () => {
    check(33, (resource, operations) => {
      if (operations.some(({ kind }) => kind === 'retire')) expect(resource.leave).toBeDefined();
    });
  });

  test('what is gone is neither written nor made again', () => {
    check(34, (resource, operations) => {
      if (resource.isGone && resource.link !== undefined && !resource.link.retired) expect(operations).toEqual([]);
    });
  });

  test('nothing is written over that this run has not read', () => {
    check(35, (resource, operations) => {
      const isOver = operations.some((operation) => isWrite(operation) && operation.kind !== 'create');
      if (isOver) expect(resource.observed?.isFresh).toBe(true);
    });
  });

  test('once an update has been taken, there is nothing left to do', () => {
    check(36, ({ slot, observed, link, desired, ...rest }) => {
      if (slot === undefined || observed === undefined || link === undefined || desired === undefined) return;
      // What the server holds has been taken in before.
      const before = { ...rest, slot, desired, observed, link: { ...link, seen: slot.facts(observed.body) } };
      const [operation] = plan([before]).operations;
      if (operation?.kind !== 'update') return;
      const sent = operation.elements.reduce((all, key) => withFact(all, key, desired.facts[key]), link.sent ?? {});
      const after = { ...before, link: { ...link, sent, seen: slot.facts(operation.body) } };
      expect(plan([{ ...after, observed: { ...observed, body: operation.body } }]).operations).toEqual([]);
    });
  });
});
