// What an assessment's answers add up to by the published rule of its instrument (records.md 4.1). Items that are missing or whose answer
// the rule does not know give no total. What the source has counted itself stands beside it: a difference is told, nothing is overwritten.

import { isObject, type Json, type JsonObject, objectsIn } from '../json.ts';
import { cSsrsScreen } from './c-ssrs.ts';
import { katzAdl, lawtonIadl } from './function.ts';
import { gad7 } from './gad-7.ts';
import type { Instrument, InstrumentItem, Total } from './instrument.ts';
import { phq2, phq9 } from './phq.ts';
import { ahcHrsn, hungerVitalSign, prapare } from './social-needs.ts';

export interface CountedTotal {
  /** Our code, or the source's where it has given this total. */
  readonly code: string;
  readonly value: number;
  readonly max?: number;
  /** Where the value lies, such as `moderate`; absent where the rule has no bands. */
  readonly band?: string;
  /** The source has given this total too. */
  readonly given: boolean;
}

/** A score of the source that the answers do not bear out. */
export interface ScoreIssue {
  /** JSON pointer into the record. */
  readonly pointer: string;
  readonly message: string;
}

export interface ScoredAssessment {
  /** What each answered item is worth, by item code. */
  readonly items: ReadonlyMap<string, number>;
  /** Complete totals only. */
  readonly totals: readonly CountedTotal[];
  /** By answers and totals, in the instrument's order. */
  readonly positiveDomains: readonly string[];
  /** Items whose answer is a matter of safety whatever the total. */
  readonly alerts: readonly string[];
  /** For instruments that give a level instead of a total. */
  readonly level?: string;
  readonly issues: readonly ScoreIssue[];
}

const instruments: ReadonlyMap<string, Instrument> = new Map(
  [phq9, phq2, gad7, ahcHrsn, hungerVitalSign, prapare, katzAdl, lawtonIadl, cSsrsScreen].map((instrument) => [
    instrument.code,
    instrument,
  ]),
);

/** Scores the answers of an assessment record; undefined for an instrument that has no published rule here. */
export function scoreAssessment(assessment: JsonObject): ScoredAssessment | undefined {
  const instrument = instruments.get(String(assessment.instrument));
  if (instrument === undefined) return undefined;
  const given = new Map(objectsIn(assessment.items).map((item) => [String(item.code), item]));
  const scored = instrument.items.flatMap((item) => {
    const value = worthOf(item, given.get(item.code));
    return value === undefined ? [] : [{ item, value }];
  });
  const items = new Map(scored.map(({ item, value }) => [item.code, value]));
  const totals = instrument.totals.flatMap((total) => countTotal(instrument, total, items, assessment));
  const positive = scored.filter(({ item, value }) => item.positiveFrom !== undefined && value >= item.positiveFrom);
  const level = instrument.level?.((code) => items.get(code));
  return {
    items,
    totals: totals.map(({ counted }) => counted),
    positiveDomains: [
      ...new Set([
        ...positive.flatMap(({ item }) => item.domain ?? []),
        ...totals.flatMap(({ total, counted }) =>
          total.positive !== undefined && counted.value >= total.positive.from ? [total.positive.domain] : [],
        ),
      ]),
    ],
    alerts: instrument.items.filter((item) => isAlert(item, given.get(item.code))).map(({ code }) => code),
    ...(level !== undefined && { level }),
    issues: [
      ...itemIssues(assessment, instrument, given),
      ...totals.flatMap(({ counted }) => totalIssues(assessment, counted)),
      ...(level !== undefined && !agrees(assessment.riskLevel, level)
        ? [{ pointer: '/riskLevel', message: 'The level that the source gives is not the one that the answers give.' }]
        : []),
    ],
  };
}

/** A high risk of suicide is a crisis, whichever word the source has for it. */
function agrees(given: Json | undefined, level: string): boolean {
  return given === undefined || given === level || (level === 'high' && given === 'crisis');
}

/** By the rule; where the rule does not know the answer, as the source has scored it. */
function worthOf(item: InstrumentItem, given: JsonObject | undefined): number | undefined {
  return byRule(item, given) ?? (typeof given?.score === 'number' && isAnswered(given) ? given.score : undefined);
}

/** Any answer but one that is known to be harmless: a word that the rule does not know is read by a person. */
function isAlert(item: InstrumentItem, given: JsonObject | undefined): boolean {
  if (item.alert !== true || given === undefined || !isAnswered(given)) return false;
  const values = [byRule(item, given), given.score].filter((value) => typeof value === 'number');
  return values.length === 0 || values.some((value) => value >= (item.positiveFrom ?? 1));
}

function isAnswered({ answer, missing }: JsonObject): boolean {
  return answer !== undefined && missing === undefined;
}

function byRule({ worth }: InstrumentItem, given: JsonObject | undefined): number | undefined {
  const answer = isObject(given?.answer) ? given.answer : {};
  const keys = [
    ...(typeof answer.code === 'string' ? [answer.code] : []),
    ...(Array.isArray(answer.codes) ? answer.codes.map(String) : []),
    ...(typeof answer.number === 'number' ? [String(answer.number)] : []),
    ...(typeof answer.bool === 'boolean' ? [answer.bool ? 'yes' : 'no'] : []),
  ];
  const values = keys.map((key) => (Object.hasOwn(worth, key) ? worth[key] : worth['*']));
  const known = values.filter((value) => value !== undefined);
  // Of several choices the gravest counts, and only where all are known.
  return known.length === 0 || known.length < values.length ? undefined : Math.max(...known);
}

function countTotal(
  instrument: Instrument,
  total: Total,
  items: ReadonlyMap<string, number>,
  assessment: JsonObject,
): { total: Total; counted: CountedTotal }[] {
  const wanted = total.of ?? instrument.items.filter(({ unscored }) => unscored !== true).map((item) => item.code);
  const values = wanted.map((code) => items.get(code)).filter((value) => value !== undefined);
  if (values.length < wanted.length) return [];
  const value = values.reduce((sum, each) => sum + each, 0);
  const band = total.bands.findLast(({ from }) => value >= from)?.code;
  const given = objectsIn(assessment.scores).find(({ code }) => total.codes.includes(String(code)));
  const counted = {
    code: given === undefined ? total.codes[0] : String(given.code),
    value,
    ...(total.max !== undefined && { max: total.max }),
    ...(band !== undefined && { band }),
    given: given !== undefined,
  };
  return [{ total, counted }];
}

function itemIssues(
  assessment: JsonObject,
  instrument: Instrument,
  given: ReadonlyMap<string, JsonObject>,
): ScoreIssue[] {
  const order = objectsIn(assessment.items).map(({ code }) => String(code));
  return instrument.items.flatMap((item) => {
    const record = given.get(item.code);
    const ours = byRule(item, record);
    if (ours === undefined || typeof record?.score !== 'number' || record.score === ours) return [];
    return [
      {
        pointer: `/items/${order.indexOf(item.code)}/score`,
        message: 'The score that the source gives for this answer is not the one of the published rule.',
      },
    ];
  });
}

function totalIssues(assessment: JsonObject, counted: CountedTotal): ScoreIssue[] {
  const index = objectsIn(assessment.scores).findIndex(({ code }) => code === counted.code);
  const theirs = objectsIn(assessment.scores)[index];
  if (theirs === undefined) return [];
  const message = (what: string): string =>
    `The ${what} that the source gives is not the one that its answers add up to.`;
  return [
    ...(theirs.value === counted.value ? [] : [{ pointer: `/scores/${index}/value`, message: message('score') }]),
    ...(theirs.interpretation === undefined || counted.band === undefined || theirs.interpretation === counted.band
      ? []
      : [{ pointer: `/scores/${index}/interpretation`, message: message('meaning') }]),
  ];
}
