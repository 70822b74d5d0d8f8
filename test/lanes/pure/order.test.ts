// The order in which a server can take a plan: what is pointed at comes first, and the same plan always comes out the same.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { reason } from '../../../src/errors.ts';
import type { JsonObject } from '../../../src/json.ts';
import type { Operation } from '../../../src/lanes/plan.ts';
import { orderByReferences, placeholdersIn } from '../../../src/lanes/send/order.ts';
import { type RecordType, recordTypes } from '../../../src/records/records.ts';
import { aLink, aResource } from './lane-resources.ts';

interface Made {
  readonly type?: RecordType;
  readonly id: string;
  readonly slot?: string;
  readonly to?: readonly string[];
}

const why = reason('planned-create');
const bodyTo = (to: readonly string[]): JsonObject => ({
  about: to.map((id) => ({ reference: `urn:uuid:${id}` })),
});

function create({ type = 'goal', id, slot = 'goal', to = [] }: Made): Operation {
  const resource = aResource({ key: { type, id, slot }, placeholder: `urn:uuid:${id}` });
  return { kind: 'create', resource, why, body: bodyTo(to) };
}

function update({ type = 'goal', id, slot = 'goal', to = [] }: Made): Operation {
  const resource = aResource({ key: { type, id, slot } });
  return { kind: 'update', resource, why, body: bodyTo(to), link: aLink({}), versionTag: undefined, elements: [] };
}

function read(id: string): Operation {
  return { kind: 'read', resource: aResource({ key: { type: 'client', id, slot: 'patient' } }), why, link: aLink({}) };
}

const namesOf = (operations: readonly Operation[]) => operations.map(({ resource: { key } }) => key.id);
const ordered = (...operations: Operation[]) => namesOf(orderByReferences(operations));

describe('the order', () => {
  test('what is pointed at comes before what points', () => {
    expect(ordered(create({ id: 'a', to: ['b'] }), create({ id: 'b' }))).toEqual(['b', 'a']);
  });

  test('a chain is walked to its end', () => {
    const chain = [create({ id: 'a', to: ['b'] }), create({ id: 'b', to: ['c'] }), create({ id: 'c', to: ['d'] })];
    expect(ordered(...chain, create({ id: 'd' }))).toEqual(['d', 'c', 'b', 'a']);
  });

  test('what two point at comes once, before both', () => {
    expect(ordered(create({ id: 'a', to: ['c'] }), create({ id: 'b', to: ['c'] }), create({ id: 'c' }))).toEqual([
      'c',
      'a',
      'b',
    ]);
  });

  test('without references it is the order in which records arrive', () => {
    const all = recordTypes.map((type) => create({ type, id: type }));
    expect(ordered(...all.toReversed())).toEqual([...recordTypes]);
  });

  test('within a type it is the order of ids, then of slots, by code and not by language', () => {
    const made = ['b', 'a', 'Z', 'é', '10', '9'].map((id) => create({ id }));
    expect(ordered(...made)).toEqual(['10', '9', 'Z', 'a', 'b', 'é']);
    const slots = ['request', 'fulfilment', 'location[b]', 'location[a]'].map((slot) => create({ id: 'r', slot }));
    expect(orderByReferences(slots).map(({ resource }) => resource.key.slot)).toEqual([
      'fulfilment',
      'location[a]',
      'location[b]',
      'request',
    ]);
  });

  test('an update that points at something new waits for it too', () => {
    expect(ordered(update({ id: 'a', to: ['b'] }), create({ id: 'b' }))).toEqual(['b', 'a']);
  });

  test('a reference to what this plan does not make holds nothing up', () => {
    expect(ordered(create({ id: 'a', to: ['elsewhere'] }), read('c'), create({ id: 'b' }))).toEqual(['c', 'a', 'b']);
  });

  test.each([
    ['of one', [create({ id: 'a', to: ['a'] })], ['a']],
    ['of two', [create({ id: 'a', to: ['b'] }), create({ id: 'b', to: ['a'] })], ['b', 'a']],
    [
      'of three, with one outside',
      [
        create({ id: 'a', to: ['b'] }),
        create({ id: 'b', to: ['c'] }),
        create({ id: 'c', to: ['a', 'd'] }),
        create({ id: 'd' }),
      ],
      ['d', 'c', 'b', 'a'],
    ],
  ])('a circle %s is cut where it is met; everything still comes once', (_what, circle, expected) => {
    expect(ordered(...circle)).toEqual(expected);
  });

  test('nothing is nothing', () => {
    expect(orderByReferences([])).toEqual([]);
  });
});

describe('placeholders', () => {
  test.each<[string, JsonObject, string[]]>([
    [
      'at any depth',
      { a: [{ b: { reference: 'urn:uuid:1' } }], subject: { reference: 'urn:uuid:2' } },
      ['urn:uuid:1', 'urn:uuid:2'],
    ],
    ['not those that have an id on the server', { subject: { reference: 'Patient/1' } }, []],
    ['not a text that only looks like one', { text: 'urn:uuid:1', url: 'urn:uuid:1' }, []],
    ['not a reference of the wrong form', { reference: { reference: 'urn:uuid:3' } }, ['urn:uuid:3']],
  ])('%s', (_what, body, expected) => {
    expect(placeholdersIn(body)).toEqual(expected);
  });
});

/** Up to nine creates that point at each other as chance has it; `isAcyclic`: only at those before them. */
function anyCreates(isAcyclic: boolean): fc.Arbitrary<Operation[]> {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  return fc
    .tuple(
      ...ids.map((_id, index) =>
        fc.tuple(fc.constantFrom(...recordTypes), fc.subarray(isAcyclic ? ids.slice(0, index) : ids)),
      ),
    )
    .map((picks) => picks.map(([type, to], index) => create({ type, id: ids[index] ?? '', to })))
    .chain((operations) => fc.shuffledSubarray(operations, { minLength: operations.length }));
}

function targets(operation: Operation): string[] {
  return 'body' in operation ? placeholdersIn(operation.body).map((text) => text.slice('urn:uuid:'.length)) : [];
}

describe('laws', () => {
  test('nothing points forward where there is no circle', () => {
    fc.assert(
      fc.property(anyCreates(true), (operations) => {
        const result = orderByReferences(operations);
        const done = new Set<string>();
        for (const operation of result) {
          for (const target of targets(operation)) expect(done).toContain(target);
          done.add(operation.resource.key.id);
        }
      }),
      { seed: 15, numRuns: 200 },
    );
  });

  test('every operation comes out once, circles or not', () => {
    fc.assert(
      fc.property(anyCreates(false), (operations) => {
        const result = orderByReferences(operations);
        expect(result).toHaveLength(operations.length);
        expect(new Set(result)).toEqual(new Set(operations));
      }),
      { seed: 16, numRuns: 200 },
    );
  });

  test('the order of arrival does not matter, circles or not', () => {
    fc.assert(
      fc.property(anyCreates(false), (operations) => {
        expect(namesOf(orderByReferences(operations.toReversed()))).toEqual(namesOf(orderByReferences(operations)));
      }),
      { seed: 17, numRuns: 200 },
    );
  });

  test('sorting what is sorted changes nothing', () => {
    fc.assert(
      fc.property(anyCreates(false), (operations) => {
        const once = orderByReferences(operations);
        expect(orderByReferences(once)).toEqual(once);
      }),
      { seed: 18, numRuns: 200 },
    );
  });

  test('a long chain does not break the stack', () => {
    const length = 2_000;
    const chain = Array.from({ length }, (_none, index) => create({ id: `${index}`, to: [`${index + 1}`] }));
    expect(ordered(...chain)[0]).toBe(`${length - 1}`);
  });
});
