// The three-way merge of one element: what we sent and what we saw last time, what we want and what is there now (lanes.md 13).

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../../src/json.ts';
import { type MergeInput, merge, sameFact, type Verdict, withFact } from '../../../src/lanes/merge.ts';
import type { Facts, Owner } from '../../../src/mapping/mapping.ts';

const owners: readonly Owner[] = ['source', 'remote', 'latest', 'ask'];
const minute = 60_000;

/** Four values of the element `x`, `-` for absent: sent and seen at the last agreement, desired and observed now. */
function look(values: string, owner: Owner = 'source', times?: MergeInput['times']): MergeInput {
  const [sent, seen, desired, observed] = values.split(' ').map((value): Facts => (value === '-' ? {} : { x: value }));
  return { elements: [{ key: 'x', owner }], sent, seen, desired: desired ?? {}, observed: observed ?? {}, times };
}

const verdictOf = (input: MergeInput) => merge(input).verdicts.get('x');

/** Bases after the look, as `sent seen`. */
function basesOf(input: MergeInput): string {
  const { sent, seen } = merge(input).bases;
  return [sent.x ?? '-', seen.x ?? '-'].join(' ');
}

describe('with bases', () => {
  describe.each<[string, string, Record<Owner, Verdict>]>([
    ['all the same', 'a a a a', { source: 'agreed', remote: 'agreed', latest: 'agreed', ask: 'agreed' }],
    ['both came to the same', 'a a b b', { source: 'agreed', remote: 'agreed', latest: 'agreed', ask: 'agreed' }],
    ['both took it away', 'a a - -', { source: 'agreed', remote: 'agreed', latest: 'agreed', ask: 'agreed' }],
    [
      'the server had rewritten it, nobody changed it',
      'a A a A',
      { source: 'quiet', remote: 'quiet', latest: 'quiet', ask: 'quiet' },
    ],
    [
      'the source has not taken theirs over yet',
      'a b a b',
      { source: 'quiet', remote: 'quiet', latest: 'quiet', ask: 'quiet' },
    ],
    [
      'the server had dropped it, nobody changed it',
      'a - a -',
      { source: 'quiet', remote: 'quiet', latest: 'quiet', ask: 'quiet' },
    ],
    ['we changed it', 'a a b a', { source: 'write', remote: 'ask', latest: 'write', ask: 'write' }],
    [
      'we changed what the server had rewritten',
      'a A b A',
      { source: 'write', remote: 'ask', latest: 'write', ask: 'write' },
    ],
    ['we took it away', 'a a - a', { source: 'write', remote: 'ask', latest: 'write', ask: 'write' }],
    ['we added it', '- - b -', { source: 'write', remote: 'ask', latest: 'write', ask: 'write' }],
    ['they changed it', 'a a a b', { source: 'keep', remote: 'keep', latest: 'keep', ask: 'keep' }],
    [
      'they changed what they had rewritten',
      'a A a B',
      { source: 'keep', remote: 'keep', latest: 'keep', ask: 'keep' },
    ],
    ['they took it away', 'a a a -', { source: 'keep', remote: 'keep', latest: 'keep', ask: 'keep' }],
    ['they added it', '- - - b', { source: 'keep', remote: 'keep', latest: 'keep', ask: 'keep' }],
    ['both changed it', 'a a b c', { source: 'override', remote: 'keep', latest: 'ask', ask: 'ask' }],
    ['we changed it, they took it away', 'a a b -', { source: 'override', remote: 'keep', latest: 'ask', ask: 'ask' }],
    ['we took it away, they changed it', 'a a - c', { source: 'override', remote: 'keep', latest: 'ask', ask: 'ask' }],
    ['both added it, differently', '- - b c', { source: 'override', remote: 'keep', latest: 'ask', ask: 'ask' }],
  ])('%s (%s)', (_what, values, verdicts) => {
    test.each(owners)('owner %s', (owner) => {
      expect(verdictOf(look(values, owner))).toBe(verdicts[owner]);
    });
  });

  test.each<[string, number, number, Verdict]>([
    ['ours is later by six minutes', 6, 0, 'override'],
    ['theirs is later by six minutes', 0, 6, 'keep'],
    ['ours is later by five minutes', 5, 0, 'ask'],
    ['theirs is later by five minutes', 0, 5, 'ask'],
    ['both are of the same moment', 3, 3, 'ask'],
  ])('the latest of both changes: %s', (_what, ours, theirs, verdict) => {
    expect(verdictOf(look('a a b c', 'latest', { ours: ours * minute, theirs: theirs * minute }))).toBe(verdict);
  });

  test('times decide nothing where only one side changed it', () => {
    expect(verdictOf(look('a a b a', 'latest', { ours: 0, theirs: 60 * minute }))).toBe('write');
    expect(verdictOf(look('a a a c', 'latest', { ours: 60 * minute, theirs: 0 }))).toBe('keep');
  });
});

describe('without bases: found again, restored', () => {
  test.each<[string, string | undefined, string | undefined, Verdict]>([
    ['both say the same', 'a', 'a', 'agreed'],
    ['neither says anything', undefined, undefined, 'agreed'],
    ['it is empty there: filled', 'a', undefined, 'write'],
    ['it is empty here: cleared nowhere', undefined, 'b', 'quiet'],
    ['they differ: a person decides', 'a', 'b', 'ask'],
  ])('%s', (_what, desired, observed, verdict) => {
    for (const owner of owners) {
      const ofOthers = { sent: { x: 'a' }, seen: { x: 'b' }, baseless: new Set(['x']) };
      for (const half of [{}, { sent: { x: 'a' } }, { seen: { x: 'b' } }, ofOthers]) {
        const input = { sent: undefined, seen: undefined, ...half };
        const facts = { desired: withFact({}, 'x', desired), observed: withFact({}, 'x', observed) };
        expect(verdictOf({ ...input, ...facts, elements: [{ key: 'x', owner }] })).toBe(verdict);
      }
    }
  });
});

describe('the bases after a look', () => {
  test.each([
    ['agreed: both move', 'a A b b', 'source', 'b b'],
    ['agreed on its absence: both forget it', 'a A - -', 'source', '- -'],
    ['kept: both move, so that it is told once', 'a a a b', 'source', 'a b'],
    ['kept by its owner, though we changed it too', 'a a b c', 'remote', 'b c'],
    ['to be overridden: what they did is seen, ours is still to be sent', 'a a b c', 'source', 'a c'],
    ['to be written: neither moves before the server has taken it', 'a a b a', 'source', 'a a'],
    ['to be asked: neither moves before the answer', 'a a b c', 'ask', 'a a'],
    ['quiet: neither moves', 'a A a A', 'source', 'a A'],
  ] as const)('%s', (_what, values, owner, bases) => {
    expect(basesOf(look(values, owner))).toBe(bases);
  });

  test('elements that are not looked at keep theirs', () => {
    const input: MergeInput = { ...look('a a b b'), elements: [] };
    expect(basesOf(input)).toBe('a a');
  });

  test('an element that is only compared by its parts is the same in any order of names, and no other', () => {
    expect(sameFact({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
    expect(sameFact([1, 2], [2, 1])).toBe(false);
    expect(sameFact(undefined, undefined)).toBe(true);
    expect(sameFact(undefined, null)).toBe(false);
    expect(sameFact(undefined, '')).toBe(false);
    expect(sameFact(0, false)).toBe(false);
  });
});

const keys = ['u', 'v', 'w'];
const value: fc.Arbitrary<Json | undefined> = fc.constantFrom<(Json | undefined)[]>(
  undefined,
  'a',
  'b',
  { c: [1] },
  { c: [2] },
);
const facts: fc.Arbitrary<Facts> = fc
  .tuple(...keys.map(() => value))
  .map((values) => keys.reduce<Facts>((all, key, index) => withFact(all, key, values[index]), {}));
const base = fc.option(facts, { nil: undefined });
const anyInput: fc.Arbitrary<MergeInput> = fc.record({
  elements: fc.tuple(...keys.map((key) => fc.record({ key: fc.constant(key), owner: fc.constantFrom(...owners) }))),
  sent: base,
  seen: base,
  desired: facts,
  observed: facts,
  times: fc.constantFrom(
    undefined,
    { ours: 0, theirs: 0 },
    { ours: 0, theirs: 9 * minute },
    { ours: 9 * minute, theirs: 0 },
  ),
});

/** What both sides hold once the verdicts were carried out: ours is written, theirs is kept. Asked elements wait. */
function carriedOut(input: MergeInput): MergeInput {
  const { verdicts, bases } = merge(input);
  const written = keys.filter((key) => verdicts.get(key) === 'write' || verdicts.get(key) === 'override');
  const take = (to: Facts) => written.reduce((all, key) => withFact(all, key, input.desired[key]), to);
  return { ...input, observed: take(input.observed), sent: take(bases.sent), seen: take(bases.seen) };
}

describe('laws', () => {
  test('each element has exactly one verdict', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect([...merge(input).verdicts.keys()]).toEqual(keys);
      }),
      { seed: 19, numRuns: 300 },
    );
  });

  test('sides that say the same have nothing to do, whatever was before', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { verdicts, bases } = merge({ ...input, observed: input.desired });
        expect([...verdicts.values()].every((verdict) => verdict === 'agreed')).toBe(true);
        expect(bases).toEqual({ sent: input.desired, seen: input.desired });
      }),
      { seed: 20, numRuns: 300 },
    );
  });

  test('a change of theirs is kept, reported or asked about: never written over in silence, never passed by', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        for (const [key, verdict] of merge(input).verdicts) {
          const isTheirs = input.seen !== undefined && !sameFact(input.observed[key], input.seen[key]);
          if (!isTheirs || verdict === 'agreed' || input.sent === undefined) continue;
          expect(['keep', 'override', 'ask']).toContain(verdict);
        }
      }),
      { seed: 21, numRuns: 500 },
    );
  });

  test('a change of ours is written, asked about, or gives way to an owner: never forgotten', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        for (const { key, owner } of input.elements) {
          const isOurs = input.sent !== undefined && !sameFact(input.desired[key], input.sent[key]);
          const verdict = merge(input).verdicts.get(key);
          if (!isOurs || verdict === 'agreed' || input.seen === undefined) continue;
          expect(verdict).not.toBe('quiet');
          if (verdict === 'keep') expect(['remote', 'latest']).toContain(owner);
        }
      }),
      { seed: 22, numRuns: 500 },
    );
  });

  test('what a server holds is never cleared and never overwritten where there is no base', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        for (const [key, verdict] of merge({ ...input, sent: undefined }).verdicts) {
          if (verdict === 'write') expect(input.observed[key]).toBeUndefined();
          expect(['keep', 'override']).not.toContain(verdict);
        }
      }),
      { seed: 23, numRuns: 500 },
    );
  });

  test('what is settled never moves again: after the writes only questions are left', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const first = merge(input).verdicts;
        for (const [key, verdict] of merge(carriedOut(input)).verdicts) {
          // A question keeps its element out of every further merge until it is answered.
          if (first.get(key) !== 'ask') expect(['agreed', 'quiet']).toContain(verdict);
        }
      }),
      { seed: 24, numRuns: 500 },
    );
  });

  test('the order of elements does not matter', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const back = merge({ ...input, elements: [...input.elements].reverse() });
        expect(back.bases).toEqual(merge(input).bases);
        expect(new Map([...back.verdicts].reverse())).toEqual(merge(input).verdicts);
      }),
      { seed: 25, numRuns: 300 },
    );
  });

  test('one element says nothing about another', () => {
    fc.assert(
      fc.property(anyInput, facts, (input, other) => {
        const changed = { ...input, observed: withFact(other, 'u', input.observed.u) };
        expect(merge(changed).verdicts.get('u')).toBe(merge(input).verdicts.get('u'));
      }),
      { seed: 26, numRuns: 300 },
    );
  });

  test('the input is left as it was', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const copy = structuredClone(input);
        merge(input);
        expect(input).toEqual(copy);
      }),
      { seed: 27, numRuns: 100 },
    );
  });
});
