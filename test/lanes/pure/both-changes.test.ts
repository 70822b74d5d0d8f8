// What was changed apart becomes one: nothing that either side changed is lost, nothing that neither changed moves. And a source that takes over only the
// last of several changes, merging lists by id as docs/changes.md says, has all that the other side said.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Json, type JsonObject, objectsAt } from '../../../src/json.ts';
import {
  bothChanges,
  fieldAfter,
  jointPatch,
  offeredWith,
  withFields,
} from '../../../src/lanes/absorb/both-changes.ts';
import { sameFact } from '../../../src/lanes/merge.ts';
import { mergePatch, patched } from '../../../src/mapping/mapping.ts';

const word = fc.constantFrom('a', 'b', 'c');
const some = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const item = (id: string): fc.Arbitrary<JsonObject> =>
  fc.record({ id: fc.constant(id), note: word, more: word }, { requiredKeys: ['id'], noNullPrototype: true });
const items: fc.Arbitrary<Json[]> = fc
  .tuple(some(item('1')), some(item('2')), some(item('3')))
  .map((all) => all.filter((one) => one !== undefined));
const record: fc.Arbitrary<JsonObject> = fc.record(
  {
    items,
    text: word,
    words: fc.uniqueArray(word),
    place: fc.record({ city: word, street: word }, { requiredKeys: [], noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const run = { seed: 41, numRuns: 1_000 };

/** Where each value of a record is: items by their id. */
function leaves(value: Json | undefined, path = ''): Map<string, Json> {
  if (Array.isArray(value)) {
    const isKeyed = value.every((one) => typeof one === 'object');
    return new Map(
      value.flatMap((one) => {
        const id = isKeyed ? String((one as JsonObject).id) : JSON.stringify(one);
        return [...leaves(one, `${path}/${id}`)];
      }),
    );
  }
  if (typeof value === 'object' && value !== null)
    return new Map(Object.entries(value).flatMap(([name, one]) => [...leaves(one, `${path}/${name}`)]));
  return value === undefined ? new Map() : new Map([[path, value]]);
}

describe('two versions of one', () => {
  test('of which one is as before are the other', () => {
    fc.assert(
      fc.property(record, record, (before, changed) => {
        expect(bothChanges(before, before, changed)).toEqual(changed);
        expect(bothChanges(before, changed, before)).toEqual(changed);
        expect(bothChanges(before, changed, changed)).toEqual(changed);
      }),
      run,
    );
  });

  test('have every value that one of them has changed, and the second one’s where both have', () => {
    fc.assert(
      fc.property(record, record, record, (before, first, second) => {
        const both = bothChanges(before, first, second);
        const [old, one, other, all] = [leaves(before), leaves(first), leaves(second), leaves(both)];
        for (const path of new Set([...old.keys(), ...one.keys(), ...other.keys()])) {
          const [was, here, there, now] = [old, one, other, all].map((version) => version.get(path));
          if (sameFact(was, here) && sameFact(was, there)) expect([path, now]).toEqual([path, was]);
          else if (there !== undefined && !sameFact(was, there)) expect([path, now]).toEqual([path, there]);
          else if (here !== undefined && !sameFact(was, here)) expect([path, now]).toEqual([path, here]);
        }
      }),
      run,
    );
  });

  test('lose an item that one of them has taken out, unless the other has changed it', () => {
    const list = [
      { id: '1', note: 'a' },
      { id: '2', note: 'a' },
    ];
    expect(
      bothChanges(
        list,
        [{ id: '1', note: 'a' }],
        [
          { id: '1', note: 'b' },
          { id: '2', note: 'a' },
        ],
      ),
    ).toEqual([{ id: '1', note: 'b' }]);
    expect(
      bothChanges(
        list,
        [{ id: '1', note: 'a' }],
        [
          { id: '1', note: 'a' },
          { id: '2', note: 'b' },
        ],
      ),
    ).toEqual([
      { id: '1', note: 'a' },
      { id: '2', note: 'b' },
    ]);
  });

  test('tell answers of an assessment apart by their code', () => {
    const answers = (...scores: number[]) => scores.map((score, at) => ({ code: `q${at}`, score }));
    expect(bothChanges(answers(1, 1), answers(2, 1), answers(1, 3))).toEqual(answers(2, 3));
  });
});

describe('several merge patches', () => {
  test('of which each changes something of its own do together what each does', () => {
    fc.assert(
      fc.property(record, fc.array(record, { minLength: 1, maxLength: 3 }), (before, versions) => {
        const patches = versions.map((version) => mergePatch(before, version));
        const joint = patched(before, jointPatch(before, patches));
        const apart = versions.reduce<Json | undefined>((all, version) => bothChanges(before, all, version), before);
        expect(joint).toEqual(apart);
      }),
      run,
    );
  });

  test('say that a value is gone, also where the record never had it', () => {
    expect(jointPatch({}, [{ cancelRequest: null }])).toEqual({ cancelRequest: null });
    expect(jointPatch({ text: 'a' }, [{ text: null }, { place: { city: 'b' } }])).toEqual({
      text: null,
      place: { city: 'b' },
    });
  });
});

/** Edits of three items in two fields each; every item's field is an element of a resource of its own. */
type Step =
  | { readonly by: 'partner' | 'source'; readonly id: string; readonly field: 'note' | 'more'; readonly value: string }
  | { readonly by: 'look' | 'take' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    by: fc.constantFrom('partner' as const, 'source' as const),
    id: fc.constantFrom('1', '2', '3'),
    field: fc.constantFrom('note' as const, 'more' as const),
    value: word,
  }),
  fc.record({ by: fc.constantFrom('look' as const, 'take' as const) }),
);

const set = (holder: JsonObject, id: string, field: string, value: Json | undefined): JsonObject => ({
  items: objectsAt(holder, 'items').map((one) =>
    one.id === id && value !== undefined ? { ...one, [field]: value } : one,
  ),
});
const get = (holder: JsonObject, id: string, field: string) =>
  objectsAt(holder, 'items').find((one) => one.id === id)?.[field];

test('whoever takes over the last change only has all that the other side said last, and keeps what it has said itself', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const begin: JsonObject = { items: ['1', '2', '3'].map((id) => ({ id, note: 'a', more: 'a' })) };
      let [source, there, seen, last] = [begin, begin, begin, {} as JsonObject];
      let offered: { value: Json; base: Json | undefined } | undefined;
      // An item is the partner's once it has touched it: a source takes items over whole.
      const touched = new Set<string>();
      const elements = ['1', '2', '3'].flatMap((id) =>
        (['note', 'more'] as const).map((field) => [id, field] as const),
      );
      for (const one of [...steps, { by: 'look' as const }, { by: 'take' as const }]) {
        if ('id' in one) {
          const name = one.id;
          if (one.by === 'partner') touched.add(name);
          if (one.by === 'partner') there = set(there, one.id, one.field, one.value);
          else if (!touched.has(name)) {
            source = set(source, one.id, one.field, one.value);
            there = set(there, one.id, one.field, one.value);
            seen = set(seen, one.id, one.field, one.value);
          }
        } else if (one.by === 'take') {
          // What the change says as the record did when it was made is no news.
          const old = [...objectsAt({ items: offered?.base ?? [] }, 'items')];
          const news = objectsAt(last, 'items').filter((item) => !old.some((one) => sameFact(one, item)));
          source = { items: objectsAt(source, 'items').map((own) => news.find(({ id }) => id === own.id) ?? own) };
          last = {};
        } else {
          const after = offered && fieldAfter(offered.base, offered.value);
          const said = withFields(
            source,
            offered ? { items: bothChanges(offered.base, after, source.items) ?? null } : {},
          );
          const news = elements.filter(([id, field]) => get(there, id, field) !== get(seen, id, field));
          const patches = news.map(([id, field]) => mergePatch(said, set(said, id, field, get(there, id, field))));
          const telling = patches.filter((patch) => Object.keys(patch).length > 0);
          seen = there;
          if (telling.length === 0) continue;
          last = offeredWith(source, said, jointPatch(said, telling));
          offered = { value: last.items ?? null, base: source.items };
        }
      }
      expect(source).toEqual(there);
    }),
    { seed: 42, numRuns: 2_000 },
  );
});
