// Who gets room where there is not enough: each entry, line and detail costs its characters.

import { expect, test } from '@jest/globals';
import type { Entry } from '../../src/documents/entries.ts';
import { type Costs, fit } from '../../src/documents/fit.ts';
import type { Section } from '../../src/documents/page.ts';

const costs: Costs = {
  entry: ({ head, details }) => [head, ...details].join(' ').length,
  line: (line) => line.length,
};

function section(noun: string, claim: number, count: number, length: number, details: string[] = []): Section {
  const entries = Array.from(
    { length: count },
    (_, index): Entry => ({ head: `${noun}${index}`.padEnd(length, '.'), details }),
  );
  return { heading: noun, entries, none: 'None.', nouns: [noun, `${noun}s`], claim };
}

const shownIn = (sections: Section[], room: number) =>
  Object.fromEntries(
    fit(sections, room, costs).map(({ section, entries, more }) => [section.heading, [entries.length, more]]),
  );

test('all is shown where all has room, to the last character', () => {
  const sections = [section('goal', 1, 5, 20), section('referral', 0, 3, 20)];
  expect(shownIn(sections, 160)).toEqual({ goal: [5, undefined], referral: [3, undefined] });
  expect(shownIn(sections, 159)).not.toEqual({ goal: [5, undefined], referral: [3, undefined] });
});

test('sections take turns, so that many entries of one do not push out another', () => {
  expect(shownIn([section('goal', 1, 200, 20), section('referral', 0, 3, 20)], 300)).toEqual({
    goal: [9, '191 more goals are not shown.'],
    referral: [3, undefined],
  });
});

test('the section with the first claim gets the last room, wherever it is printed', () => {
  const [goals, referrals] = [section('goal', 1, 2, 40), section('referral', 0, 2, 40)];
  const expected = { goal: [0, '2 more goals are not shown.'], referral: [1, '1 more referral is not shown.'] };
  expect(shownIn([goals, referrals], 120)).toEqual(expected);
  expect(shownIn([referrals, goals], 120)).toEqual(expected);
});

test('the first entry of a section goes without its details rather than not at all, and says so', () => {
  const [fitted] = fit([section('goal', 0, 2, 20, ['x'.repeat(200)])], 90, costs);
  expect(fitted?.entries.map(({ details }) => details)).toEqual([['Details are not shown.']]);
  expect(fitted?.more).toBe('1 more goal is not shown.');
});
