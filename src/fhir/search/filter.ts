// One `name:modifier=value` of a search, compiled into a test over the values of a resource. Token values are compared as written (our
// identifiers are case-sensitive), strings from their beginning without case and accents, dates as spans.

import { CasebridgeError } from '../../errors.ts';
import {
  type DateValue,
  dateSpan,
  type ReferenceValue,
  type SearchType,
  type SearchValue,
  type TokenValue,
} from './values.ts';

export interface SearchParameter {
  code: string;
  type: SearchType;
  /** Resource types that a reference parameter may point to. */
  targets: readonly string[];
  /** All that the code of a token parameter may be; absent: anything. */
  codes?: readonly string[];
}

export interface Filter<Parameter = SearchParameter> {
  parameter: Parameter;
  test(values: readonly SearchValue[]): boolean;
  /** Index keys of which a resource must have at least one to pass; absent where the index cannot help. */
  keys?: readonly string[];
}

type Test = Omit<Filter, 'parameter'>;

/** Keys under which the index finds a value again; only tokens and references have them. */
export function indexKey(value: SearchValue): string | undefined {
  if (value.kind === 'token') return value.value;
  return value.kind === 'reference' ? value.reference : undefined;
}

/**
 * @param name the parameter as asked, with its modifier
 * @param base URL of the server, so that an absolute reference to it equals the relative one
 * @throws CasebridgeError `search-modifier-unknown`, `search-value-invalid`
 */
export function compileFilter<Parameter extends SearchParameter>(
  parameter: Parameter,
  name: string,
  value: string,
  base: string,
): Filter<Parameter> {
  return { ...testOf(parameter, name, value, base), parameter };
}

function testOf(parameter: SearchParameter, name: string, value: string, base: string): Test {
  const modifier = name.slice(parameter.code.length + 1);
  if (modifier === 'missing') return missing(name, value);
  const alternatives = splitEscaped(value, ',');
  switch (parameter.type) {
    case 'token':
      return tokenFilter(name, modifier, alternatives, parameter.codes);
    case 'reference':
      return referenceFilter(parameter, name, modifier, alternatives, base);
    case 'string':
      return textFilter(name, modifier, alternatives.map(unescaped));
    case 'uri':
      return uriFilter(name, modifier, alternatives.map(unescaped));
    case 'date':
      return dateFilter(name, modifier, alternatives);
    default:
      return parameter.type satisfies never;
  }
}

function missing(name: string, value: string): Test {
  if (value !== 'true' && value !== 'false') throw badValue(name, 'true or false');
  return { test: (values) => (values.length === 0) === (value === 'true') };
}

function tokenFilter(name: string, modifier: string, alternatives: string[], codes: readonly string[] = []): Test {
  const asked = alternatives.map(askedToken);
  const strange = codes.length === 0 ? undefined : asked.find(({ value }) => value !== '' && !codes.includes(value));
  if (strange !== undefined) throw badValue(name, `one of ${codes.join(', ')}${notThat(strange.value)}`);
  const hit = (values: readonly SearchValue[]) =>
    values.some((value) => value.kind === 'token' && asked.some((token) => tokenMatches(value, token)));
  if (modifier === 'not') return { test: (values) => !hit(values) };
  if (modifier !== '') throw badModifier(name);
  const keys = asked.map((token) => token.value);
  return { test: hit, ...(keys.every((key) => key !== '') && { keys }) };
}

/** Only what looks like a code is repeated: anything may have been written there. */
function notThat(value: string): string {
  return /^[a-z-]{1,40}$/i.test(value) ? `, not ${value}` : '';
}

interface AskedToken {
  /** undefined: any system; '': no system. */
  system?: string;
  /** '': any value. */
  value: string;
}

function askedToken(text: string): AskedToken {
  const [first = '', second] = splitEscaped(text, '|').map(unescaped);
  return second === undefined ? { value: first } : { system: first, value: second };
}

function tokenMatches(held: TokenValue, asked: AskedToken): boolean {
  if (asked.value !== '' && held.value !== asked.value) return false;
  return asked.system === undefined || held.bare || (held.system ?? '') === asked.system;
}

function referenceFilter(
  parameter: SearchParameter,
  name: string,
  modifier: string,
  alternatives: string[],
  base: string,
): Test {
  if (modifier === 'identifier') {
    const asked = alternatives.map(askedToken);
    const hit = (value: SearchValue) =>
      value.kind === 'reference' && asked.some((token) => value.identifier && tokenMatches(value.identifier, token));
    return { test: (values) => values.some(hit) };
  }
  const types = modifier === '' ? parameter.targets : [modifier];
  if (modifier !== '' && !parameter.targets.includes(modifier)) throw badModifier(name);
  const keys = alternatives.map(unescaped).flatMap((text) => {
    const reference = text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text;
    return reference.includes('/') || reference.includes(':')
      ? [reference]
      : types.map((type) => `${type}/${reference}`);
  });
  const wanted = new Set(keys);
  const hit = (value: SearchValue): value is ReferenceValue =>
    value.kind === 'reference' && value.reference !== undefined && wanted.has(value.reference);
  return { test: (values) => values.some(hit), keys };
}

function textFilter(name: string, modifier: string, alternatives: string[]): Test {
  const compare = textComparisons[modifier];
  if (compare === undefined) throw badModifier(name);
  const asked = modifier === 'exact' ? alternatives : alternatives.map(folded);
  return {
    test: (values) => values.some((value) => value.kind === 'text' && asked.some((text) => compare(value.text, text))),
  };
}

const textComparisons: Readonly<Record<string, (held: string, asked: string) => boolean>> = {
  '': (held, asked) => folded(held).startsWith(asked),
  contains: (held, asked) => folded(held).includes(asked),
  exact: (held, asked) => held === asked,
};

function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function uriFilter(name: string, modifier: string, alternatives: string[]): Test {
  if (modifier !== '') throw badModifier(name);
  return {
    test: (values) => values.some((value) => value.kind === 'text' && alternatives.includes(value.text)),
  };
}

function dateFilter(name: string, modifier: string, alternatives: string[]): Test {
  if (modifier !== '') throw badModifier(name);
  const tests = alternatives.map((text) => {
    const match = /^([a-z]{2})?(.*)$/s.exec(text);
    const compare = dateComparisons[match?.[1] ?? 'eq'];
    const span = dateSpan(match?.[2] ?? '');
    if (compare === undefined || span === undefined)
      throw badValue(name, 'a date, with eq, ne, gt, lt, ge, le, sa, eb or ap');
    return (held: DateValue) => compare(held, span);
  });
  return {
    test: (values) => values.some((value) => value.kind === 'date' && tests.some((test) => test(value))),
  };
}

interface Span {
  start: number;
  end: number;
}

const within = (held: Span, asked: Span) => asked.start <= held.start && held.end <= asked.end;

const dateComparisons: Readonly<Record<string, (held: Span, asked: Span) => boolean>> = {
  eq: within,
  ne: (held, asked) => !within(held, asked),
  gt: (held, asked) => held.end > asked.end,
  lt: (held, asked) => held.start < asked.start,
  ge: (held, asked) => held.end > asked.end || within(held, asked),
  le: (held, asked) => held.start < asked.start || within(held, asked),
  sa: (held, asked) => held.start > asked.end,
  eb: (held, asked) => held.end < asked.start,
  ap: (held, asked) => held.start <= asked.end && held.end >= asked.start,
};

/** Splits at a separator that is not escaped by a backslash. */
function splitEscaped(text: string, separator: ',' | '|'): string[] {
  const parts = [''];
  for (const piece of text.match(/\\.|[^\\]|\\$/gs) ?? []) {
    if (piece === separator) parts.push('');
    else parts.push(`${parts.pop()}${piece}`);
  }
  return parts;
}

function unescaped(text: string): string {
  return text.replace(/\\([,|$\\])/g, '$1');
}

function badModifier(name: string) {
  return new CasebridgeError('search-modifier-unknown', { name });
}

function badValue(name: string, expected: string) {
  return new CasebridgeError('search-value-invalid', { name, expected });
}
