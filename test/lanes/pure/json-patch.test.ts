// A patch changes what we want changed, all of it or nothing; what somebody else has changed meanwhile makes it fail, what they have put
// beside it stays. Applied by the library that servers use, not by ours.

import { describe, expect, test } from '@jest/globals';
import { applyPatch } from '@medplum/core';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../../src/json.ts';
import { isObject } from '../../../src/json.ts';
import { jsonPatch, type PatchOperation } from '../../../src/lanes/send/json-patch.ts';

/** What a server makes of it: the new resource, or undefined where an operation fails. */
function applied(resource: JsonObject, patch: readonly PatchOperation[]): JsonObject | undefined {
  const copy = structuredClone(resource);
  return patch.every((operation) => isTaken(copy, operation)) ? copy : undefined;
}

/** The library throws where the parent of what is to be added is a plain value; servers refuse that as any other path that is not there (RFC 6902 4.1). */
function isTaken(resource: JsonObject, operation: PatchOperation): boolean {
  try {
    return applyPatch(resource, [operation])[0] === null;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

const tagged = { isTagged: true };
const untagged = { isTagged: false };

describe('the operations', () => {
  test.each<[string, JsonObject, JsonObject, { isTagged: boolean }, object[]]>([
    ['nothing changes', { a: 1 }, { a: 1 }, untagged, []],
    [
      'a value: tested, then replaced',
      { status: 'active', note: 'x' },
      { status: 'completed', note: 'x' },
      tagged,
      [
        { op: 'test', path: '/status', value: 'active' },
        { op: 'replace', path: '/status', value: 'completed' },
      ],
    ],
    [
      'an element that goes: tested, then removed',
      { a: { b: 1 } },
      {},
      tagged,
      [
        { op: 'test', path: '/a', value: { b: 1 } },
        { op: 'remove', path: '/a' },
      ],
    ],
    ['an element that comes', {}, { a: [1] }, tagged, [{ op: 'add', path: '/a', value: [1] }]],
    [
      'a member that comes into an object: the object is tested, for absence cannot be',
      { a: { b: 1 } },
      { a: { b: 1, c: 2 } },
      tagged,
      [
        { op: 'test', path: '/a', value: { b: 1 } },
        { op: 'add', path: '/a/c', value: 2 },
      ],
    ],
    ['an item at the end', { a: [1] }, { a: [1, 2] }, tagged, [{ op: 'add', path: '/a/-', value: 2 }]],
    [
      'an item before another, which is tested',
      { a: [1, 3] },
      { a: [1, 2, 3] },
      tagged,
      [
        { op: 'test', path: '/a/1', value: 3 },
        { op: 'add', path: '/a/1', value: 2 },
      ],
    ],
    [
      'items are removed from the back, each after a test of its value',
      { a: ['x', 'y', 'z'] },
      { a: ['x'] },
      tagged,
      [
        { op: 'test', path: '/a/2', value: 'z' },
        { op: 'remove', path: '/a/2' },
        { op: 'test', path: '/a/1', value: 'y' },
        { op: 'remove', path: '/a/1' },
      ],
    ],
    [
      'C18: with a version tag an item that has an id is tested by the id alone',
      { a: [{ id: 'one', text: 'x' }] },
      { a: [{ id: 'one', text: 'y' }] },
      tagged,
      [
        { op: 'test', path: '/a/0/id', value: 'one' },
        { op: 'replace', path: '/a/0/text', value: 'y' },
      ],
    ],
    [
      'without a version tag its value is tested as well',
      { a: [{ id: 'one', text: 'x' }] },
      { a: [] },
      untagged,
      [
        { op: 'test', path: '/a/0/id', value: 'one' },
        { op: 'test', path: '/a/0', value: { id: 'one', text: 'x' } },
        { op: 'remove', path: '/a/0' },
      ],
    ],
    [
      'without a version tag the time of the last change is tested first',
      { meta: { lastUpdated: '2026-03-01T10:00:00Z' } },
      { meta: { lastUpdated: '2026-03-01T10:00:00Z' }, a: 1 },
      untagged,
      [
        { op: 'test', path: '/meta/lastUpdated', value: '2026-03-01T10:00:00Z' },
        { op: 'add', path: '/a', value: 1 },
      ],
    ],
    [
      'names with / and ~',
      { 'a/b~c': 1 },
      { 'a/b~c': 2 },
      tagged,
      [
        { op: 'test', path: '/a~1b~0c', value: 1 },
        { op: 'replace', path: '/a~1b~0c', value: 2 },
      ],
    ],
  ])('%s', (_title, observed, wanted, options, expected) => {
    expect(jsonPatch(observed, wanted, options)).toEqual(expected);
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'id', 'x/y', '~');
const leaf = fc.oneof(fc.constantFrom<Json>('one', 'two', 'three'), fc.integer({ min: 0, max: 3 }), fc.boolean());
const { object } = fc.letrec<{ object: JsonObject; value: Json }>((tie) => ({
  object: fc.dictionary(name, tie('value'), { maxKeys: 4 }).map((value): JsonObject => ({ ...value })),
  value: fc.oneof({ depthSize: 'small' }, leaf, tie('object'), fc.array(tie('value'), { maxLength: 4 })),
}));
const options = fc.record({ isTagged: fc.boolean() });

describe('for any two resources', () => {
  test('applying the patch to the observed one gives the wanted one', () => {
    fc.assert(
      fc.property(object, object, options, (observed, wanted, how) => {
        expect(applied(observed, jsonPatch(observed, wanted, how))).toEqual(wanted);
      }),
      { numRuns: 3000 },
    );
  });

  test('each replace and remove stands behind a test, so that it says nothing about what was not read', () => {
    fc.assert(
      fc.property(object, object, options, (observed, wanted, how) => {
        const patch = jsonPatch(observed, wanted, how);
        for (const [at, { op, path }] of patch.entries()) {
          if (op !== 'replace' && op !== 'remove') continue;
          const tests = patch.slice(0, at).filter((one) => one.op === 'test');
          expect(tests.some((one) => `${path}/`.startsWith(`${one.path.replace(/\/id$/, '')}/`))).toBe(true);
        }
      }),
    );
  });

  test('elements that nobody of us knows stay', () => {
    fc.assert(
      fc.property(object, object, fc.constant('theirs'), leaf, (observed, wanted, theirs, value) => {
        const patched = applied({ ...observed, [theirs]: value }, jsonPatch(observed, wanted, untagged));
        expect(patched).toEqual({ ...wanted, [theirs]: value });
      }),
      { numRuns: 1000 },
    );
  });

  test('whatever somebody has put there meanwhile, at any depth, is still there: the patch fails, or leaves it alone', () => {
    fc.assert(
      fc.property(object, object, fc.nat(), (observed, wanted, which) => {
        const edits = [...editsOf(observed)];
        fc.pre(edits.length > 0);
        const theirs = edits[which % edits.length];
        const patched = theirs && applied(theirs, jsonPatch(observed, wanted, untagged));
        if (patched !== undefined) expect(JSON.stringify(patched)).toContain(mark);
      }),
      { numRuns: 3000 },
    );
  });

  test('where the server tells the time of the last change, any change meanwhile makes it fail', () => {
    fc.assert(
      fc.property(object, object, object, (observed, wanted, theirs) => {
        const before = { ...observed, meta: { lastUpdated: 'then' } };
        const patch = jsonPatch(before, { ...wanted, meta: before.meta }, untagged);
        fc.pre(patch.length > 0);
        expect(applied({ ...theirs, meta: { lastUpdated: 'now' } }, patch)).toBeUndefined();
      }),
    );
  });
});

const mark = 'put by somebody else';

/** The resource after one edit of theirs: a value replaced, an item put into a list, a member put into an object that is not the resource itself. */
function* editsOf(resource: JsonObject): Generator<JsonObject> {
  for (const [key, value] of Object.entries(resource)) {
    // What is a list in FHIR is never anything else.
    if (!Array.isArray(value)) yield { ...resource, [key]: mark };
    for (const edited of editsWithin(value)) yield { ...resource, [key]: edited };
  }
}

function* editsWithin(value: Json): Generator<Json> {
  if (isObject(value)) {
    yield { ...value, c: mark };
    yield* editsOf(value);
  } else if (Array.isArray(value)) {
    for (let at = 0; at <= value.length; at += 1) yield value.toSpliced(at, 0, mark);
    for (const [at, item] of value.entries()) {
      if (!Array.isArray(item)) yield value.with(at, mark);
      for (const edited of editsWithin(item)) yield value.with(at, edited);
    }
  }
}
