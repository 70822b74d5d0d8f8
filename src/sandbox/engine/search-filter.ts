// One `name:modifier=value` of a search, compiled into a test over the values of a resource. Token values are compared as written (our
// identifiers are case-sensitive), strings from their beginning without case and accents, dates as spans.

import type { SearchParameterFact } from './definitions.ts';
import { refusal } from './outcome.ts';
import { type DateValue, dateSpan, type ReferenceValue, type SearchValue, type TokenValue } from './search-values.ts';

export interface Filter {
  parameter: SearchParameterFact;
  test(values: readonly SearchValue[]): boolean;
  /** Index keys of which a resource must have at least one to pass; absent where the index cannot help. */
  keys?: readonly string[];
}

/** Keys under which the index finds a value again; only tokens and references have them. */
export function indexKey(value: SearchValue): string | undefined {
  if (value.kind === 'token') return value.value;
  return value.kind === 'reference' ? value.reference : undefined;
}

/**
 * @param name the parameter as asked, with its modifier
 * @param base URL of the server, so that an absolute reference to it equals the relative one
 * @throws Refusal 400 for a modifier or value that the parameter does not take
 */
export function compileFilter(parameter: SearchParameterFact, name: string, value: string, base: string): Filter {
  const modifier = name.slice(parameter.code.length + 1);
  if (modifier === 'missing') return missing(parameter, name, value);
  const alternatives = splitEscaped(value, ',');
  switch (parameter.type) {
    case 'token':
      return tokenFilter(parameter, name, modifier, alternatives);
    case 'reference':
      return referenceFilter(parameter, name, modifier, alternatives, base);
    case 'string':
      return textFilter(parameter, name, modifier, alternatives.map(unescaped));
    case 'uri':
      return uriFilter(parameter, name, modifier, alternatives.map(unescaped));
    case 'date':
      return dateFilter(parameter, name, modifier, alternatives);
    default:
      return parameter.type satisfies never;
  }
}

function missing(parameter: SearchParameterFact, name: string, value: string): Filter {
  if (value !== 'true' && value !== 'false') throw badValue(name, 'true or false');
  return { parameter, test: (values) => (values.length === 0) === (value === 'true') };
}

function tokenFilter(parameter: SearchParameterFact, name: string, modifier: string, alternatives: string[]): Filter {
  const asked = alternatives.map(askedToken);
  const hit = (values: readonly SearchValue[]) =>
    values.some((value) => value.kind === 'token' && asked.some((token) => tokenMatches(value, token)));
  if (modifier === 'not') return { parameter, test: (values) => !hit(values) };
  if (modifier !== '') throw badModifier(name);
  const keys = asked.map((token) => token.value);
  return { parameter, test: hit, ...(keys.every((key) => key !== '') && { keys }) };
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
  parameter: SearchParameterFact,
  name: string,
  modifier: string,
  alternatives: string[],
  base: string,
): Filter {
  if (modifier === 'identifier') {
    const asked = alternatives.map(askedToken);
    const hit = (value: SearchValue) =>
      value.kind === 'reference' && asked.some((token) => value.identifier && tokenMatches(value.identifier, token));
    return { parameter, test: (values) => values.some(hit) };
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
  return { parameter, test: (values) => values.some(hit), keys };
}

function textFilter(parameter: SearchParameterFact, name: string, modifier: string, alternatives: string[]): Filter {
  const compare = textComparisons[modifier];
  if (compare === undefined) throw badModifier(name);
  const asked = modifier === 'exact' ? alternatives : alternatives.map(folded);
  return {
    parameter,
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

function uriFilter(parameter: SearchParameterFact, name: string, modifier: string, alternatives: string[]): Filter {
  if (modifier !== '') throw badModifier(name);
  return {
    parameter,
    test: (values) => values.some((value) => value.kind === 'text' && alternatives.includes(value.text)),
  };
}

function dateFilter(parameter: SearchParameterFact, name: string, modifier: string, alternatives: string[]): Filter {
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
    parameter,
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
  return refusal(
    400,
    'not-supported',
    `The search parameter ${name} has a modifier that this server does not offer here.`,
  );
}

function badValue(name: string, expected: string) {
  return refusal(400, 'invalid', `The search parameter ${name} takes ${expected}.`);
}
