// The search itself: what it must not overlook, in whatever dress.

import { expect, test } from '@jest/globals';
import { Canaries } from './canaries.ts';

const canaries = new Canaries();
const word = canaries.word('a name');
const phone = canaries.phone('a phone');
const day = canaries.day('a birth date');
const ssn = canaries.ssn('an identifier');
const values = [word, phone, day, ssn];

const dresses: readonly (readonly [string, (value: string) => string])[] = [
  ['as it is', (value) => value],
  ['in upper case', (value) => value.toUpperCase()],
  ['in an address', (value) => encodeURIComponent(`x|${value}&`)],
  ['in JSON in JSON', (value) => JSON.stringify(JSON.stringify({ é: `"\n${value}\\` }))],
  ['in base64', (value) => Buffer.from(value).toString('base64')],
  ['in base64 behind one byte', (value) => Buffer.from(`x${value}é`).toString('base64')],
  ['in base64 behind two bytes', (value) => Buffer.from(`xy${value}zz`).toString('base64url')],
  ['in base64 behind a page', (value) => Buffer.from(`${'page '.repeat(999)}${value}`).toString('base64')],
];

test.each(dresses)('a value is found %s', (_, dressed) => {
  for (const value of values) {
    const text = `${'something else 555-0199 1984-06-17 zq7 '.repeat(50)}${dressed(value)} and so on`;
    expect(canaries.search(text).map((hit) => hit.value)).toEqual([value]);
  }
});

test('a number is found without its dashes', () => {
  for (const value of [phone, day, ssn]) expect(canaries.search(value.replaceAll(/\D/g, ''))).toHaveLength(1);
});

test('what was not planted is not found, and thousands differ', () => {
  const many = new Canaries();
  const planted = Array.from({ length: 5000 }, (_, n) => many.word(`field ${n}`));
  expect(new Set(planted).size).toBe(5000);
  for (const value of planted) expect(value).toMatch(/^zq7[a-z]{11}$/);
  expect(canaries.search(planted.join(' ').replaceAll(word, ''))).toEqual([]);
  expect(many.search(planted.join('\n'))).toHaveLength(5000);
});
