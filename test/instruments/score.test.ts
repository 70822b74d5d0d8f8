// Each instrument by its published rule: what answers are worth, what they add up to, what a positive one means, and what is said where the
// source has counted otherwise. Answers here are invented.

import { describe, expect, test } from '@jest/globals';
import { scoreAssessment } from '../../src/instruments/instruments.ts';
import type { Json, JsonObject } from '../../src/json.ts';

const phq = ['44250-9', '44255-8', '44259-0', '44254-1', '44251-7', '44258-2', '44252-5', '44253-3', '44260-8'];
const gad = ['69725-0', '68509-9', '69733-4', '69734-2', '69735-9', '69689-8', '69736-7'];
const katz = ['bathing', 'dressing', 'toileting', 'transferring', 'continence', 'feeding'];
const lawton = ['telephone', 'shopping', 'food', 'housekeeping', 'laundry', 'transport', 'medication', 'finances'];
const frequency = ['LA6568-5', 'LA6569-3', 'LA6570-1', 'LA6571-9'];

/** Answers by their scores: as codes of the frequency list, or plain numbers. */
const coded = (codes: readonly string[], worth: readonly number[]): JsonObject[] =>
  codes.map((code, index) => ({ code, answer: { code: frequency[worth[index] ?? 0] ?? '' } }));
const numbered = (codes: readonly string[], worth: readonly number[]): JsonObject[] =>
  codes.map((code, index) => ({ code, answer: { number: worth[index] ?? 0 } }));
const yes = (codes: readonly string[], positive: readonly string[]): JsonObject[] =>
  codes.map((code) => ({ code, answer: { bool: positive.includes(code) } }));

function score(instrument: string, items: readonly JsonObject[], more: JsonObject = {}) {
  const scored = scoreAssessment({ id: 'a1', instrument, status: 'completed', items: [...items], ...more });
  if (scored === undefined) throw new Error(`${instrument} is not scored`);
  return scored;
}

/** `value band` of the first total; undefined: there is none. */
function total(instrument: string, items: readonly JsonObject[]): string | undefined {
  const [first] = score(instrument, items).totals;
  return first && [first.value, first.band].filter((part) => part !== undefined).join(' ');
}

/** So many points, spread over the items from the first one on. */
const spread = (codes: readonly string[], points: number): number[] =>
  codes.map((_, index) => Math.max(0, Math.min(3, points - 3 * index)));

describe('bands', () => {
  test.each([
    [0, '0 minimal'],
    [4, '4 minimal'],
    [5, '5 mild'],
    [9, '9 mild'],
    [10, '10 moderate'],
    [14, '14 moderate'],
    [15, '15 moderately-severe'],
    [19, '19 moderately-severe'],
    [20, '20 severe'],
    [27, '27 severe'],
  ])('PHQ-9 with %i points', (points, expected) => {
    expect(total('phq-9', coded(phq, spread(phq, points)))).toBe(expected);
    expect(total('phq-9', numbered(phq, spread(phq, points)))).toBe(expected);
  });

  test.each([
    [0, '0 minimal'],
    [5, '5 mild'],
    [10, '10 moderate'],
    [15, '15 severe'],
    [21, '21 severe'],
  ])('GAD-7 with %i points', (points, expected) => {
    expect(total('gad-7', coded(gad, spread(gad, points)))).toBe(expected);
  });

  test.each([
    [0, '0 severe'],
    [2, '2 severe'],
    [3, '3 moderate'],
    [5, '5 moderate'],
    [6, '6 full'],
  ])('Katz with %i of six activities', (alone, expected) => {
    expect(total('katz-adl', yes(katz, katz.slice(0, alone)))).toBe(expected);
  });

  test('PHQ-2 is positive from 3', () => {
    expect(total('phq-2', coded(phq.slice(0, 2), [1, 1]))).toBe('2 negative');
    expect(score('phq-2', coded(phq.slice(0, 2), [2, 1]))).toMatchObject({
      totals: [{ value: 3, band: 'positive' }],
      positiveDomains: ['mental-health'],
    });
  });

  test('Lawton counts what is done alone, without bands', () => {
    expect(total('lawton-iadl', yes(lawton, lawton.slice(0, 5)))).toBe('5');
  });
});

describe('what is missing gives no total', () => {
  test.each<[string, string, JsonObject[]]>([
    ['an item that is not there', 'phq-9', coded(phq.slice(0, 8), [3, 3, 3, 3, 3, 3, 3, 3])],
    ['a declined one', 'phq-9', [...coded(phq.slice(0, 8), []), { code: '44260-8', missing: 'declined' }]],
    ['an unknown answer', 'phq-9', [...coded(phq.slice(0, 8), []), { code: '44260-8', answer: { code: 'LA9-9' } }]],
    ['a number that no answer has', 'gad-7', numbered(gad, [4])],
    ['an answer in words', 'katz-adl', [...yes(katz.slice(1), katz), { code: 'bathing', answer: { text: 'alone' } }]],
  ])('%s', (_given, instrument, items) => {
    expect(score(instrument, items)).toMatchObject({ totals: [], issues: [] });
  });

  test('where the rule does not know an answer, the source may say what it is worth', () => {
    const last = { code: '44260-8', answer: { text: 'not at all' }, score: 0 };
    expect(total('phq-9', [...coded(phq.slice(0, 8), [2, 2]), last])).toBe('4 minimal');
  });

  test('a difficulty answer counts for nothing', () => {
    const difficulty = { code: '69722-7', answer: { code: 'LA6574-3' } };
    expect(total('phq-9', [...coded(phq, [1]), difficulty])).toBe('1 minimal');
  });
});

describe('an answer on self-harm is an alert whatever the total', () => {
  const others = coded(phq.slice(0, 8), []);
  test.each<[string, Json, string[]]>([
    ['several days', { code: 'LA6569-3' }, ['44260-8']],
    ['a number', { number: 1 }, ['44260-8']],
    ['words that the rule does not know', { text: 'sometimes' }, ['44260-8']],
    ['not at all', { code: 'LA6568-5' }, []],
    ['zero', { number: 0 }, []],
  ])('%s', (_given, answer, alerts) => {
    expect(score('phq-9', [...others, { code: '44260-8', answer }]).alerts).toEqual(alerts);
  });

  test('no answer is none, and a source that scores it above 0 is believed', () => {
    expect(score('phq-9', [...others, { code: '44260-8', missing: 'declined' }]).alerts).toEqual([]);
    const doubted = { code: '44260-8', answer: { code: 'LA6568-5' }, score: 2 };
    expect(score('phq-9', [...others, doubted])).toMatchObject({
      alerts: ['44260-8'],
      issues: [{ pointer: '/items/8/score' }],
    });
  });
});

describe('C-SSRS screener', () => {
  const asked = ['wish-dead', 'suicidal-thoughts', 'thoughts-with-method', 'intent', 'plan-and-intent', 'behaviour'];
  test.each<[string[], string]>([
    [[], 'none'],
    [['wish-dead'], 'low'],
    [['wish-dead', 'suicidal-thoughts'], 'low'],
    [['suicidal-thoughts', 'thoughts-with-method'], 'moderate'],
    [['suicidal-thoughts', 'intent'], 'high'],
    [['suicidal-thoughts', 'plan-and-intent'], 'high'],
    [['behaviour', 'behaviour-last-3-months'], 'high'],
  ])('%j: %s', (positive, level) => {
    const items = yes([...asked, 'behaviour-last-3-months'], positive);
    expect(score('c-ssrs-screen', items)).toMatchObject({ level, alerts: positive, totals: [] });
  });

  test('behaviour in a lifetime only is moderate, and undecided until it is known whether it was lately', () => {
    const items = yes(asked, ['behaviour']);
    expect(score('c-ssrs-screen', items).level).toBeUndefined();
    expect(score('c-ssrs-screen', items).alerts).toEqual(['behaviour']);
    const before = { code: 'behaviour-last-3-months', answer: { bool: false } };
    expect(score('c-ssrs-screen', [...items, before]).level).toBe('moderate');
  });

  test('follow-up questions that need not be asked are not missed', () => {
    const items = yes(['wish-dead', 'suicidal-thoughts', 'behaviour'], []);
    expect(score('c-ssrs-screen', items).level).toBe('none');
  });

  test('a level of the source that the answers do not give is told', () => {
    const items = yes(asked, ['suicidal-thoughts', 'intent']);
    expect(score('c-ssrs-screen', items, { riskLevel: 'low' })).toMatchObject({
      level: 'high',
      issues: [{ pointer: '/riskLevel' }],
    });
    for (const riskLevel of ['high', 'crisis']) expect(score('c-ssrs-screen', items, { riskLevel }).issues).toEqual([]);
  });
});

describe('social needs', () => {
  const safety = (worth: readonly number[]) => numbered(['95618-5', '95617-7', '95616-9', '95615-1'], worth);

  test.each([
    [[1, 1, 1, 1], '4 negative', []],
    [[3, 3, 3, 1], '10 negative', []],
    [[3, 3, 3, 2], '11 positive', ['safety-at-home']],
    [[5, 5, 5, 5], '20 positive', ['safety-at-home']],
  ])('AHC safety %j: %s', (worth, expected, domains) => {
    expect(total('ahc-hrsn', safety(worth))).toBe(expected);
    expect(score('ahc-hrsn', safety(worth)).positiveDomains).toEqual(domains);
  });

  test.each<[string, string, Json, string[]]>([
    ['no steady place', '71802-3', { code: 'LA31995-6' }, ['housing-instability']],
    ['a steady place', '71802-3', { code: 'LA31993-1' }, []],
    ['mold and pests', '96778-6', { codes: ['LA28580-1', 'LA31996-4'] }, ['inadequate-housing']],
    ['none of the above', '96778-6', { code: 'LA9-3' }, []],
    ['food often short', '88122-7', { code: 'LA28397-0' }, ['food']],
    ['food never short', '88122-7', { code: 'LA28398-8' }, []],
    ['no transport', '93030-5', { bool: true }, ['transportation']],
    ['already shut off', '96779-4', { code: 'LA32002-0' }, ['utilities']],
  ])('AHC, %s', (_given, code, answer, domains) => {
    expect(score('ahc-hrsn', [{ code, answer }])).toMatchObject({ positiveDomains: domains, totals: [] });
  });

  test('one answer of the Hunger Vital Sign is enough', () => {
    const items = [
      { code: '88122-7', answer: { code: 'LA28398-8' } },
      { code: '88123-5', answer: { code: 'LA6729-3' } },
    ];
    expect(score('hunger-vital-sign', items)).toMatchObject({ positiveDomains: ['food'], totals: [] });
  });

  test('PRAPARE counts risks only where every item is answered or scored', () => {
    const known = [
      { code: '71802-3', answer: { code: 'LA30190-5' } },
      { code: '93033-9', answer: { code: 'LA33-6' } },
      { code: '93026-3', answer: { code: 'LA33-6' } },
    ];
    expect(score('prapare', known)).toMatchObject({
      totals: [],
      positiveDomains: ['homelessness', 'housing-instability'],
    });
    const others = [
      ...['67875-5', '76437-3', '93030-5', '93028-9', '93027-1', '93034-7', '56051-6', '32624-9', '93035-4'],
      ...['54899-0', '63512-8', '56799-0', '82589-3', '63586-2', '93031-3', '93029-7', '93038-8', '76501-6'],
    ].map((code, index) => ({ code, answer: { text: 'as told' }, score: index < 4 ? 1 : 0 }));
    expect(total('prapare', [...known, ...others])).toBe('6');
  });
});

describe("the source's scores beside ours", () => {
  const items = coded(phq, [1, 2, 1, 2, 1, 1, 1, 1]);
  test.each<[string, JsonObject, string[]]>([
    ['the same', { code: '44261-6', value: 10, interpretation: 'moderate' }, []],
    ['the same by another name', { code: 'total', value: 10 }, []],
    ['another value', { code: '44261-6', value: 9 }, ['/scores/0/value']],
    ['another meaning', { code: '44261-6', value: 10, interpretation: 'mild' }, ['/scores/0/interpretation']],
    ['a score that is none of ours', { code: 'our-own', value: 3 }, []],
  ])('%s', (_given, given, pointers) => {
    expect(score('phq-9', items, { scores: [given] }).issues.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  test('a total that was not given is counted; one that was keeps its name', () => {
    expect(score('phq-9', items).totals).toEqual([
      { code: '44261-6', value: 10, max: 27, band: 'moderate', given: false },
    ]);
    expect(score('phq-9', items, { scores: [{ code: 'total', value: 9 }] }).totals).toMatchObject([
      { code: 'total', value: 10, given: true },
    ]);
  });
});

test.each(['biopsychosocial', 'hmis-income', 'our-own-form', 'constructor'])(
  '%s is carried, not scored',
  (instrument) => {
    expect(scoreAssessment({ id: 'a1', instrument, items: [{ code: 'a', answer: { number: 3 } }] })).toBeUndefined();
  },
);
