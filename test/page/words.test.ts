// Which language a page speaks, and how it tells times.

import { describe, expect, test } from '@jest/globals';
import { timesIn } from '../../src/page/times.ts';
import { languageFor, words } from '../../src/page/words.ts';

describe('the language of a page is', () => {
  test.each([
    ['what was chosen on it', 'es', 'en-US,en;q=0.9', 'en', 'es'],
    ['else what the browser would rather have', undefined, 'fr, es-MX;q=0.8, en;q=0.9', 'es', 'en'],
    ['in any order of wishes', undefined, 'en;q=0.1, es-419', 'en', 'es'],
    ['never one that the browser refuses', undefined, 'en;q=0', 'es', 'es'],
    ['else the partner’s', undefined, 'fr-CA', 'es', 'es'],
    ['whatever nonsense is asked for', 'toString', ';;q=x,,', 'en', 'en'],
    ['also without any wish', undefined, undefined, 'es', 'es'],
  ] as const)('%s', (_what, chosen, accepted, otherwise, language) => {
    expect(languageFor(chosen, accepted, otherwise)).toBe(language);
  });
});

test('times are told in the zone of the partner and the words of the language', () => {
  const english = timesIn('en', 'America/New_York');
  expect(english.instant('2026-02-05T15:00:00Z').replaceAll(/\s/g, ' ')).toBe('Feb 5, 2026, 10:00 AM');
  expect(english.zoneName).toBe('Eastern Time');
  expect(english.local(new Date('2026-07-05T15:00:00Z'))).toBe('2026-07-05T11:00');
  expect(english.date('1984-06-17')).toBe('June 17, 1984');
  expect(english.date('1984-06')).toBe('1984-06');
  const spanish = timesIn('es', 'America/Chicago');
  expect(spanish.date('1984-06-17')).toBe('17 de junio de 1984');
  expect([spanish.language('es'), spanish.language('Mam')]).toEqual(['español', 'Mam']);
});

test('both languages say something else', () => {
  const same = (one: object, other: object, path = ''): string[] =>
    Object.entries(one).flatMap(([name, value]): string[] => {
      const twin: unknown = Object.entries(other).find(([known]) => known === name)?.[1];
      if (typeof value === 'object' && value !== null && typeof twin === 'object' && twin !== null)
        return same(value, twin, `${path}${name}.`);
      return typeof value === 'string' && value === twin ? [`${path}${name}`] : [];
    });
  expect(same(words.en, words.es)).toEqual([]);
});
