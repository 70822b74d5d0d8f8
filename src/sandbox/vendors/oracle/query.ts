// Checks the query of a search against the grammar of its type (C7, C8) and splits it into criteria, page size and includes. What is
// refused gets 400 with the accepted names, as the vendor does it.

import { dateSpan } from '../../../fhir/fhir.ts';
import { refusal } from '../../engine/outcome.ts';
import type { DateGrammar, ParamKind, SearchGrammar } from './grammar.ts';
import type { OracleSettings } from './settings.ts';

export type Query = readonly (readonly [name: string, value: string])[];

export interface OracleQuery {
  criteria: Query;
  /** Values of _include and _revinclude. */
  includes: Query;
  /** As asked; undefined where it was not. */
  count?: number;
  /** Whether it asks by id, for which there are no pages. */
  byId: boolean;
}

type Checks = Pick<OracleSettings, 'checkParameters' | 'checkDates'>;

/** Change nothing: JSON is the only format. */
const withoutEffect = new Set(['_format', '_pretty']);
const besideId = new Set(['_id', '_count', '_include', '_revinclude', ...withoutEffect]);

/** @throws Refusal 400 naming the parameter */
export function readQuery(type: string, grammar: SearchGrammar, query: Query, checks: Checks): OracleQuery {
  const present = query.filter(([name]) => !withoutEffect.has(name));
  const known = present.filter(([name]) => kindOf(grammar, name) !== undefined);
  if (checks.checkParameters) {
    checkNames(grammar, present);
    checkTogether(grammar, known);
    checkValues(type, known);
  }
  if (checks.checkDates) checkDates(grammar, known);
  const includes = present.filter(([name]) => isInclude(name));
  const criteria = known.filter(([name]) => name !== '_count');
  const count = known.find(([name]) => name === '_count')?.[1];
  return {
    criteria,
    includes,
    byId: known.some(([name]) => name === '_id'),
    ...(count && { count: wholeNumber(count) }),
  };
}

/** `recipient:Practitioner` is the one typed name; there are no modifiers and no chains. */
function kindOf({ params }: SearchGrammar, name: string): ParamKind | undefined {
  const known = name.startsWith('recipient:') ? 'recipient' : name;
  return Object.hasOwn(params, known) ? params[known] : undefined;
}

function checkNames(grammar: SearchGrammar, query: Query): void {
  const seen = new Set<string>();
  for (const [name, value] of query) {
    if (isInclude(name)) {
      if (grammar.includes?.includes(value) !== true) throw bad(`The parameter ${name}=${value} is not supported.`);
      continue;
    }
    const kind = kindOf(grammar, name);
    if (kind === undefined) {
      const accepted = Object.keys(grammar.params).join(', ');
      throw bad(`The parameter ${name} is not supported. Supported are ${accepted}.`);
    }
    if (value === '') throw bad(`The parameter ${name} has no value.`);
    if (typeof kind === 'string' && seen.has(name)) throw bad(`The parameter ${name} may be provided only once.`);
    seen.add(name);
  }
}

function checkTogether(grammar: SearchGrammar, query: Query): void {
  const names = new Set(query.map(([name]) => (name.startsWith('recipient:') ? 'recipient' : name)));
  const isThere = (group: string) => group.split(' ').every((name) => names.has(name));
  if (!grammar.oneOf.some(isThere)) {
    const choices = grammar.oneOf.map((group) => group.split(' ').join(' and ')).join(', ');
    throw bad(`at least one of ${choices}, or -pageContext must be provided`);
  }
  if (names.has('_id') && [...names].some((name) => !besideId.has(name))) {
    throw bad('The parameter _id may not be combined with other parameters.');
  }
  for (const group of grammar.exclusive ?? []) {
    const both = group.filter((name) => names.has(name));
    if (both.length > 1) throw bad(`The parameters ${both.join(' and ')} may not be combined.`);
  }
  for (const [name, needed] of Object.entries(grammar.needs ?? {})) {
    const isMet = names.has('_id') || needed.some((other) => names.has(other));
    if (names.has(name) && !isMet) throw bad(`The parameter ${name} must be provided with ${needed.join(' or ')}.`);
  }
}

function checkValues(type: string, query: Query): void {
  const rule = valueRules[type];
  for (const [name, value] of query) {
    if (name === '_count' && !/^[1-9]\d{0,8}$/.test(value))
      throw bad('The parameter _count must be a positive number.');
    const problem = rule?.[name]?.(value);
    if (problem !== undefined) throw bad(`The parameter ${name} ${problem}`);
  }
}

/** What is wrong with a value, by type and parameter. */
const valueRules: Readonly<Record<string, Readonly<Record<string, (value: string) => string | undefined>>>> = {
  CarePlan: {
    category: (value) =>
      /^(http:\/\/hl7\.org\/fhir\/us\/core\/CodeSystem\/careplan-category\|)?assess-plan$/.test(value)
        ? undefined
        : 'must be assess-plan.',
  },
  ServiceRequest: {
    code: (value) => (/codeSet\/200\|/.test(value) ? undefined : 'must have the system of code set 200.'),
  },
  Practitioner: {
    name: (value) => (value.length < 2 ? 'must have at least two characters.' : undefined),
    identifier: (value) => (value.includes('|') ? undefined : 'must have a system and a value.'),
  },
};

function checkDates(grammar: SearchGrammar, query: Query): void {
  for (const [name, kind] of Object.entries(grammar.params)) {
    if (typeof kind === 'string') continue;
    const values = query.filter(([given]) => given === name).map(([, value]) => readDate(name, value));
    const problem = values.length === 0 ? undefined : dateProblem(kind, values);
    if (problem !== undefined) throw bad(`The parameter ${name} ${problem}`);
  }
}

interface GivenDate {
  prefix: string;
  hasTime: boolean;
  start: number;
}

function readDate(name: string, text: string): GivenDate {
  const [, prefix = '', rest = ''] = /^([a-z]{2})?(.*)$/s.exec(text) ?? [];
  const span = dateSpan(rest);
  if (span === undefined) throw bad(`The parameter ${name} must be a date.`);
  return { prefix, hasTime: rest.includes('T'), start: span.start };
}

function dateProblem(kind: DateGrammar, values: readonly GivenDate[]): string | undefined {
  const [one, other, third] = values;
  if (one === undefined || third !== undefined) return 'may be provided at most twice.';
  if (kind.time === 'required' && values.some(({ hasTime }) => !hasTime)) return 'must have a time component.';
  if (other === undefined) {
    if (kind.single.length === 0)
      return `must be provided twice, with the prefixes ${kind.from.join('|')} and ${kind.to.join('|')}.`;
    return kind.single.includes(one.prefix) ? undefined : `does not support the prefix ${one.prefix || '(none)'} here.`;
  }
  const from = values.find(({ prefix }) => kind.from.includes(prefix));
  const to = values.find(({ prefix }) => kind.to.includes(prefix));
  if (from === undefined || to === undefined)
    return kind.from.length === 0
      ? 'may be provided only once.'
      : `must be a closed range with the prefixes ${kind.from.join('|')} and ${kind.to.join('|')}.`;
  if (kind.time === 'pair' && !(one.hasTime && other.hasTime)) return 'must have a time component when provided twice.';
  if (kind.time === 'equal' && one.hasTime !== other.hasTime) return 'must have the same precision both times.';
  return from.start > to.start ? 'must have its beginning before its end.' : undefined;
}

function isInclude(name: string): boolean {
  return name === '_include' || name === '_revinclude' || name.startsWith('_include:');
}

function wholeNumber(text: string): number {
  return Math.max(1, Number.parseInt(text, 10) || 1);
}

function bad(text: string) {
  return refusal(400, 'invalid', text);
}
