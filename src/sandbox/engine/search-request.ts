// Reads the query of a search: criteria, and the parameters that shape the result.

import type { SearchParameterFact } from './definitions.ts';
import { type Engine, type FhirCall, offeredParameters } from './engine.ts';
import { refusal } from './outcome.ts';

export interface SortRule {
  parameter: SearchParameterFact;
  descending: boolean;
}

export interface IncludeRule {
  direction: 'forward' | 'reverse';
  /** The type that holds the reference. */
  source: string;
  parameter: SearchParameterFact;
  /** Only references to this type. */
  target?: string;
  iterate: boolean;
}

export interface SearchRequest {
  resourceType: string;
  criteria: readonly (readonly [name: string, value: string])[];
  sort: readonly SortRule[];
  includes: readonly IncludeRule[];
  count: number;
  offset: number;
  /** What was used of the query, for the links to the pages. */
  query: readonly (readonly [name: string, value: string])[];
  /** Equal for the pages of one search. */
  cacheKey: string;
}

const defaultCount = 20;
const maximumCount = 1000;
/** Change nothing here: JSON is the only format and the total is always exact. */
const withoutEffect = new Set(['_format', '_pretty', '_total']);

/** @throws Refusal 400 for what is unknown (unless `Prefer: handling=lenient`) or ill-formed */
export function readSearchRequest(engine: Engine, call: FhirCall, resourceType: string): SearchRequest {
  const lenient = /\bhandling=lenient\b/.test(call.headers.prefer ?? '');
  const query = call.query.filter(([name]) => !lenient || isOffered(engine, resourceType, name));
  const last = (wanted: string) => query.findLast(([name]) => name === wanted)?.[1];
  const summary = last('_summary') ?? 'false';
  if (summary !== 'count' && summary !== 'false') {
    throw refusal(400, 'not-supported', 'This server offers _summary=count and no other summary.');
  }
  const criteria = query.filter(([name]) => !isShaping(name));
  return {
    resourceType,
    criteria,
    sort: (last('_sort') ?? '')
      .split(',')
      .filter(Boolean)
      .map((rule) => sortRule(engine, resourceType, rule)),
    includes: query.flatMap(([name, value]) => includeRules(engine, name, value)),
    count: summary === 'count' ? 0 : Math.min(wholeNumber('_count', last('_count')) ?? defaultCount, maximumCount),
    offset: wholeNumber('_offset', last('_offset')) ?? 0,
    query: query.filter(([name]) => name !== '_offset'),
    cacheKey: JSON.stringify([resourceType, criteria]),
  };
}

function isShaping(name: string): boolean {
  const [code = ''] = name.split(':');
  return (
    withoutEffect.has(code) || ['_count', '_include', '_offset', '_revinclude', '_sort', '_summary'].includes(code)
  );
}

function isOffered(engine: Engine, resourceType: string, name: string): boolean {
  const [code = ''] = name.split(/[:.]/);
  return isShaping(name) || offeredParameters(engine, resourceType).has(code);
}

function sortRule(engine: Engine, resourceType: string, rule: string): SortRule {
  const descending = rule.startsWith('-');
  const code = descending ? rule.slice(1) : rule;
  const parameter = offeredParameters(engine, resourceType).get(code);
  if (parameter === undefined)
    throw refusal(400, 'not-supported', `This server cannot sort ${resourceType} by ${code}.`);
  return { parameter, descending };
}

/**
 * `_include=Task:focus`, `_revinclude=Task:focus:ServiceRequest`, both also with `:iterate`; nothing for another parameter.
 * @throws Refusal 400 for a reference that is not offered
 */
export function includeRules(engine: Engine, name: string, value: string): IncludeRule[] {
  const [code, modifier] = name.split(':');
  if (code !== '_include' && code !== '_revinclude') return [];
  const [source = '', parameterCode = '', target] = value.split(':');
  const parameter = engine.definitions.types.has(source)
    ? offeredParameters(engine, source).get(parameterCode)
    : undefined;
  if (parameter?.type !== 'reference' || (modifier !== undefined && modifier !== 'iterate')) {
    throw refusal(400, 'not-supported', `This server does not offer ${name}=${value}.`);
  }
  const direction = code === '_include' ? 'forward' : 'reverse';
  return [{ direction, source, parameter, iterate: modifier === 'iterate', ...(target !== undefined && { target }) }];
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw refusal(400, 'invalid', `The search parameter ${name} takes a whole number from 0.`);
  return Number(text);
}
