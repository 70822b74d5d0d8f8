// The bases of a link that were made by another mapping, told as the active one would have made them (lanes.md 13, 22), case by case.

import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../src/json.ts';
import { type Rebasing, rebased, saysAll } from '../../../src/lanes/absorb/bases.ts';
import { merge, withFact } from '../../../src/lanes/merge.ts';
import type { Facts, Owner } from '../../../src/mapping/mapping.ts';
import { aLink, aSlot, desiredOf, goalKey, seen } from './lane-resources.ts';

type Value = Json | undefined;

interface Case {
  /** As they are kept, by a rule of the time. */
  readonly sent?: Value;
  readonly seen?: Value;
  /** As the rule of now says it: of the record now, and as it was when it was sent. */
  readonly desired?: Value;
  readonly wanted?: Value;
  readonly observed?: Value;
  /** What is there is not what was seen last. */
  readonly isOther?: boolean;
  readonly owner?: Owner;
}

const facts = (value: Value): Facts => withFact({}, 'text', value);

function rebasing(of: Case, more: Partial<Rebasing> = {}): Rebasing {
  const hash = of.isOther === true ? 'of another look' : 'of the last look';
  return {
    key: goalKey,
    slot: aSlot({ text: { owner: of.owner ?? 'source' } }),
    record: { id: 'g1' },
    openTopics: new Set(),
    link: aLink({}, { sent: facts(of.sent), seen: facts(of.seen), seenHash: 'of the last look', form: 'of before' }),
    rewritten: undefined,
    observed: seen(facts(of.observed), { hash }),
    desired: desiredOf(facts(of.desired)),
    wanted: 'wanted' in of ? desiredOf(facts(of.wanted)) : undefined,
    ...more,
  };
}

/** What the merge makes of the element with the bases as they are told now. */
function verdict(of: Case): string | undefined {
  const { sent, seen, baseless } = rebased(rebasing(of));
  const sides = { desired: facts(of.desired), observed: facts(of.observed) };
  const elements = [{ key: 'text', owner: of.owner ?? 'source' }];
  return merge({ elements, ...sides, sent, seen, ...(baseless && { baseless }) }).verdicts.get('text');
}

describe('what was agreed on, and is there as it was seen', () => {
  test.each<[string, Case, string]>([
    ['is read in another form', { sent: 'a', seen: 'a', desired: ['a'], wanted: ['a'], observed: ['a'] }, 'agreed'],
    ['is said otherwise by the rule', { sent: 'a', seen: 'a', desired: 'b', wanted: 'b', observed: 'a' }, 'write'],
    [
      'is said no more by the rule',
      { sent: 'a', seen: 'a', desired: undefined, wanted: undefined, observed: 'a' },
      'write',
    ],
    [
      'is said in more words',
      { sent: 'a', seen: 'a', desired: ['a', 'b'], wanted: ['a', 'b'], observed: ['a'] },
      'write',
    ],
    [
      'has been changed by the source',
      { sent: 'a', seen: 'a', desired: ['b'], wanted: ['a'], observed: ['a'] },
      'write',
    ],
    [
      'has a part that nobody has looked at',
      { sent: 'a', seen: 'a', desired: ['a', 'b'], wanted: ['a', 'b'], observed: ['a', 'x'] },
      'ask',
    ],
    [
      'is said otherwise by the rule, and is theirs to say',
      { sent: 'a', seen: 'a', desired: 'b', wanted: 'b', observed: 'a', owner: 'remote' },
      'quiet',
    ],
  ])('%s', (_what, of, expected) => {
    expect(verdict(of)).toBe(expected);
  });
});

describe('what the other side says otherwise, and is there as it was seen', () => {
  const theirs = { sent: 'a', seen: 'x', observed: ['x'] };

  test.each<[string, Case, string]>([
    ['stands when the rule has another form', { ...theirs, desired: ['a'], wanted: ['a'] }, 'quiet'],
    ['stands when the rule says another thing', { ...theirs, desired: ['b'], wanted: ['b'] }, 'quiet'],
    ['gives way to what the source has changed since', { ...theirs, desired: ['b'], wanted: ['a'] }, 'write'],
    ['is asked about when nobody knows what the record said', { ...theirs, desired: ['b'] }, 'ask'],
    [
      'stands when they have taken ours away',
      { sent: 'a', seen: undefined, observed: undefined, desired: ['a'], wanted: ['a'] },
      'quiet',
    ],
  ])('%s', (_what, of, expected) => {
    expect(verdict(of)).toBe(expected);
  });
});

describe('what is not as it was seen', () => {
  test.each<[string, Case, string]>([
    ['is theirs where the rule says the same as before', { sent: 'a', seen: 'a', desired: 'a', observed: 'x' }, 'keep'],
    ['so where the record says nothing', { wanted: undefined, observed: 'x' }, 'keep'],
    [
      'so where the source has changed it too: both have',
      { sent: 'a', seen: 'a', desired: 'b', wanted: 'a', observed: 'x' },
      'override',
    ],
    [
      'is theirs where they have taken it away',
      { sent: 'a', seen: 'a', desired: ['a'], wanted: ['a'], observed: undefined },
      'keep',
    ],
    [
      'is asked about where the rule has another form',
      { sent: 'a', seen: 'a', desired: ['a'], wanted: ['a'], observed: ['x'] },
      'ask',
    ],
    [
      'is not theirs where all of it is ours',
      { sent: 'a', seen: 'a', desired: ['a', 'b'], wanted: ['a', 'b'], observed: ['a'] },
      'write',
    ],
  ])('%s', (_what, of, expected) => {
    expect(verdict({ isOther: true, ...of })).toBe(expected);
  });
});

describe('a rule that is new', () => {
  test.each<[string, Case, string]>([
    ['fills what is empty', { desired: 'a', wanted: 'a' }, 'write'],
    ['agrees with the same', { desired: 'a', wanted: 'a', observed: 'a' }, 'agreed'],
    ['asks about another value', { desired: 'a', wanted: 'a', observed: 'x' }, 'ask'],
    [
      'asks about another value that is not as it was seen',
      { desired: 'a', wanted: 'a', observed: 'x', isOther: true },
      'ask',
    ],
    ['clears nothing', { wanted: undefined, observed: 'x' }, 'quiet'],
  ])('%s', (_what, of, expected) => {
    expect(verdict(of)).toBe(expected);
  });
});

describe('a rule that has another key', () => {
  const slot = aSlot({ 'priority.code': {}, 'priority.text': {}, 'list[new]': {} });
  const look = (sent: Facts, seenThen: Facts, there: Facts, desired: Facts) => {
    const link = aLink({}, { sent, seen: seenThen, seenHash: 'of the last look', form: 'of before' });
    const observed = seen(there, { hash: 'of the last look' });
    const wanted = desiredOf(desired);
    const now = rebased(rebasing({}, { slot, link, observed, desired: wanted, wanted }));
    const elements = slot.elements.map(({ key }) => ({ key, owner: 'source' as const }));
    const bases = { sent: now.sent, seen: now.seen, ...(now.baseless && { baseless: now.baseless }) };
    return Object.fromEntries(merge({ elements, desired, observed: there, ...bases }).verdicts);
  };

  test('goes on where it was, in parts too: nothing is added to what they say, and all to what we have sent', () => {
    const desired = { 'priority.code': 'a', 'priority.text': 'A' };
    expect(look({ priority: ['a'] }, { priority: ['x'] }, { 'priority.code': 'x' }, desired)).toMatchObject({
      'priority.code': 'quiet',
      'priority.text': 'quiet',
    });
    expect(look({ priority: ['a'] }, { priority: ['a'] }, { 'priority.code': 'a' }, desired)).toMatchObject({
      'priority.code': 'agreed',
      'priority.text': 'write',
    });
  });

  test('in a list is known by what both sides said', () => {
    const desired = { 'list[new]': 'a' };
    expect(look({ 'list[old]': 'a' }, { 'list[old]': 'x' }, { 'list[new]': 'x' }, desired)).toMatchObject({
      'list[new]': 'quiet',
    });
    expect(look({ 'list[old]': 'b' }, { 'list[old]': 'b' }, { 'list[new]': 'x' }, desired)).toMatchObject({
      'list[new]': 'ask',
    });
  });
});

test('bases of the form of the slot, of what was found, and of nothing at all are left as they are', () => {
  const of = { sent: 'a', seen: 'x', desired: 'b', wanted: 'b', observed: 'x' };
  const { link } = rebasing(of);
  for (const other of [
    { ...link, form: 'as of now' },
    { ...link, origin: 'found' as const },
    { ...link, sent: undefined },
  ])
    expect(rebased(rebasing(of, { link: other }))).toBe(other);
});

test('what a person is being asked about keeps its bases', () => {
  const of = { sent: 'a', seen: 'a', desired: ['a'], wanted: ['a'], observed: ['x'] };
  const openTopics = new Set(['goal/g1#goal:text']);
  expect(rebased(rebasing(of, { openTopics }))).toMatchObject({ sent: { text: 'a' }, seen: { text: 'a' } });
});

test('all is said once nothing is left to be written; what a person is being asked about waits', () => {
  const resource = rebasing({});
  expect(saysAll(resource, { text: 'a' }, { text: 'a' })).toBe(true);
  expect(saysAll(resource, { text: 'a' }, { text: 'b' })).toBe(false);
  expect(saysAll(resource, { text: 'a' }, { text: 'b' }, [{ topic: 'goal/g1#goal:text' }])).toBe(true);
});
