// Search parameters that mean something else here than in R4, or that R4 does not have.

import { dateSpan } from '../../../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../../../json.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Version } from '../../engine/store.ts';
import type { Query } from './query.ts';

type Test = (version: Version) => boolean;

const special: Readonly<Record<string, (engine: Engine, value: string) => Test>> = {
  // Finds proposed appointments too, which have a requested period and no start.
  'Appointment.-date-or-req-period': (_engine, value) => {
    const compare = comparison(value);
    return ({ resource }) => spansOf(resource, 'start', 'requestedPeriod').some(compare);
  },
  // Brings every item of the problem list along.
  'Condition.encounter': (_engine, value) => {
    const wanted = idsIn(value, 'Encounter');
    return ({ resource }) =>
      hasReference(resource?.encounter, wanted) ||
      JSON.stringify(resource?.category ?? '').includes('"problem-list-item"');
  },
  // R4 has no link from a coverage to an encounter: those of the patient count. [sim]
  'Coverage.-encounter': (engine, value) => {
    const encounters = [...idsIn(value, 'Encounter')].map((reference) => reference.slice('Encounter/'.length));
    const patients = encounters.flatMap((id) => referenceOf(engine.store.newest('Encounter', id)?.resource?.subject));
    return ({ resource }) => hasReference(resource?.beneficiary, new Set(patients));
  },
  // Where the mail lies is nothing that a resource says. [sim]
  'Communication.-email-status': () => () => true,
  // The end is the clinically significant time of a document; its beginning says nothing.
  'DocumentReference.period': (_engine, value) => {
    const compare = comparison(value);
    return ({ resource }) => {
      const context = isObject(resource?.context) ? resource.context : {};
      const period = isObject(context.period) ? context.period : {};
      return spansOf({ at: period.end ?? period.start ?? '' }, 'at').some(compare);
    };
  },
};

/** Only active teams are found. */
const always: Readonly<Record<string, Test>> = {
  CareTeam: ({ resource }) => resource?.status === 'active',
};

/** Whether R4's meaning of the parameter does not hold here. */
export function isSpecial(type: string, name: string): boolean {
  return `${type}.${name}` in special;
}

/** The tests of a query that go beside those of R4; all must pass. */
export function specialFilters(engine: Engine, type: string, criteria: Query): Test[] {
  const tests = criteria.flatMap(([name, value]) => special[`${type}.${name}`]?.(engine, value) ?? []);
  const rule = always[type];
  const byId = criteria.some(([name]) => name === '_id');
  return rule === undefined || byId ? tests : [...tests, rule];
}

interface Span {
  start: number;
  end: number;
}

function comparison(value: string): (held: Span) => boolean {
  const [, prefix = 'eq', text = ''] = /^([a-z]{2})?(.*)$/s.exec(value) ?? [];
  const asked = dateSpan(text) ?? { start: Number.NaN, end: Number.NaN };
  const compare = comparisons[prefix] ?? comparisons.eq;
  return (held) => compare?.(held, asked) === true;
}

const comparisons: Readonly<Record<string, (held: Span, asked: Span) => boolean>> = {
  eq: (held, asked) => held.start <= asked.end && held.end >= asked.start,
  ge: (held, asked) => held.end >= asked.start,
  gt: (held, asked) => held.end > asked.end,
  le: (held, asked) => held.start <= asked.end,
  lt: (held, asked) => held.start < asked.start,
};

function spansOf(resource: JsonObject | undefined, ...names: string[]): Span[] {
  return names.flatMap((name) => [resource?.[name]].flat().flatMap(spanOf));
}

function spanOf(value: Json | undefined): Span[] {
  if (typeof value === 'string') return [dateSpan(value)].filter((span) => span !== undefined);
  if (!isObject(value)) return [];
  const start = typeof value.start === 'string' ? dateSpan(value.start)?.start : undefined;
  const end = typeof value.end === 'string' ? dateSpan(value.end)?.end : undefined;
  return [{ start: start ?? Number.NEGATIVE_INFINITY, end: end ?? Number.POSITIVE_INFINITY }];
}

function idsIn(value: string, type: string): Set<string> {
  return new Set(value.split(',').map((reference) => `${type}/${reference.replace(/^.*\//, '')}`));
}

function hasReference(value: Json | undefined, wanted: ReadonlySet<string>): boolean {
  return referenceOf(value).some((reference) => wanted.has(reference));
}

function referenceOf(value: Json | undefined): string[] {
  return isObject(value) && typeof value.reference === 'string' ? [value.reference] : [];
}
