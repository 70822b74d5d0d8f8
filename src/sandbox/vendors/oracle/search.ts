// The search interaction: which records a query finds (C12 to C14, C23), what is left out with a warning (C11), and the pages, whose next
// link is opaque, of which one is empty and one repeats an id (C10).

import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../json.ts';
import { type FhirCall, offeredParameters } from '../../engine/engine.ts';
import { included } from '../../engine/include.ts';
import { Refusal, refusal } from '../../engine/outcome.ts';
import { allMatches } from '../../engine/search.ts';
import type { Version } from '../../engine/store.ts';
import { typeRules } from './grammar.ts';
import { type OracleQuery, type Query, readQuery } from './query.ts';
import { type Oracle, shown } from './show.ts';
import { isSpecial, specialFilters } from './special-filters.ts';

/** Where in a search a page is. */
interface Place {
  offset: number;
  /** The page after the first, which is empty. */
  empty?: boolean;
  /** The page that begins with the last id of the page before. */
  repeat?: boolean;
}

interface PageContext extends Place {
  query: Query;
}

/** A searchset Bundle. @throws Refusal 400, 422 (too many patients) or 500 (a broken record) */
export function search(oracle: Oracle, call: FhirCall, type: string): JsonObject {
  const context = contextOf(call.query);
  const query = context?.query ?? call.query;
  const grammar = typeRules[type]?.search ?? generalGrammar(oracle, type);
  const request = readQuery(type, grammar, query, oracle.settings);
  const found = matchesOf(oracle, call, type, request);
  const broken = found.find(({ id }) => oracle.settings.poisoned.includes(`${type}/${id}`));
  if (broken !== undefined) throw brokenRecord();
  const matches = found.filter(({ id }) => !oracle.settings.suppressed.includes(`${type}/${id}`));
  if (type === 'Patient' && matches.length > oracle.settings.patientSearchLimit) {
    throw refusal(422, 'too-costly', `The search finds more than ${oracle.settings.patientSearchLimit} patients.`);
  }
  const size = pageSize(type, request);
  const ordered = inOrder(oracle, type, matches);
  const firstSize = firstPageSize(oracle, type, ordered, size);
  const { entries, next } = page(oracle, ordered, firstSize, size, context ?? { offset: 0 });
  const extra = included(oracle.engine, entries, includeRules(oracle, request.includes));
  const all = [
    ...entries.map((version) => entryOf(oracle, call, version, 'match')),
    ...extra
      .filter(({ resourceType }) => call.may(resourceType, 'r'))
      .map((version) => entryOf(oracle, call, version, 'include')),
    ...(matches.length < found.length ? [suppressedEntry()] : []),
  ];
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    type: 'searchset',
    ...(oracle.settings.paging.total && { total: matches.length }),
    link: [
      { relation: 'self', url: urlOf(call.base, type, call.query) },
      ...(next === undefined ? [] : [{ relation: 'next', url: nextUrl(call.base, type, query, next) }]),
    ],
    ...(all.length > 0 && { entry: all }),
  };
}

function matchesOf(oracle: Oracle, call: FhirCall, type: string, { criteria }: OracleQuery): Version[] {
  const ordinary = criteria.filter(([name]) => !isSpecial(type, name));
  const asked = ordinary.map(([name, value]) => [name, withCombined(oracle, name, value)] as const);
  if (asked.some(([, value]) => value === '')) return [];
  const special = specialFilters(oracle.engine, type, criteria);
  const { combined } = oracle.settings;
  return allMatches(oracle.engine, type, asked, call.base).filter(
    (version) =>
      special.every((passes) => passes(version)) && !(type === 'Patient' && Object.hasOwn(combined, version.id)),
  );
}

/** A survivor stands for all who were combined into it; who was combined is not found any more. */
function withCombined({ settings }: Oracle, name: string, value: string): string {
  const { combined } = settings;
  if (!['patient', 'subject', 'beneficiary'].includes(name) || Object.keys(combined).length === 0) return value;
  return value
    .split(',')
    .map((reference) => reference.replace(/^.*Patient\//, ''))
    .filter((id) => !Object.hasOwn(combined, id))
    .flatMap((id) => [id, ...Object.keys(combined).filter((old) => combined[old] === id)])
    .map((id) => `Patient/${id}`)
    .join(',');
}

function inOrder({ settings }: Oracle, type: string, matches: readonly Version[]): readonly Version[] {
  if (type === 'Appointment') {
    return matches.toSorted((one, other) => startOf(one) - startOf(other));
  }
  if (type !== 'Observation' || !settings.socialHistoryFirst) return matches;
  return [...matches.filter(isSocialHistory), ...matches.filter((version) => !isSocialHistory(version))];
}

/** Proposed appointments have no start and come first. */
function startOf({ resource }: Version): number {
  return Date.parse(String(resource?.start)) || 0;
}

function isSocialHistory({ resource }: Version): boolean {
  return JSON.stringify(resource?.category ?? '').includes('"social-history"');
}

function pageSize(type: string, { count, byId }: OracleQuery): number {
  const sizes = typeRules[type]?.search?.page;
  if (sizes === undefined || byId) return Number.POSITIVE_INFINITY;
  return Math.min(count ?? sizes.usual, sizes.most);
}

function firstPageSize({ settings }: Oracle, type: string, matches: readonly Version[], size: number): number {
  const isOnFirst = type === 'Observation' && settings.socialHistoryFirst;
  return isOnFirst ? size + matches.filter(isSocialHistory).length : size;
}

function page(
  { settings }: Oracle,
  matches: readonly Version[],
  firstSize: number,
  usualSize: number,
  place: Place,
): { entries: readonly Version[]; next: Place | undefined } {
  const { offset, empty, repeat } = place;
  if (empty === true) return { entries: [], next: { offset, ...(settings.paging.repeat && { repeat: true }) } };
  const from = repeat === true ? Math.max(0, offset - 1) : offset;
  const to = from + (offset === 0 ? firstSize : usualSize);
  const entries = matches.slice(from, to);
  if (to >= matches.length) return { entries, next: undefined };
  const isFirst = offset === 0;
  return {
    entries,
    next: {
      offset: to,
      ...(isFirst && settings.paging.empty && { empty: true }),
      ...(isFirst && !settings.paging.empty && settings.paging.repeat && { repeat: true }),
    },
  };
}

function contextOf(query: Query): PageContext | undefined {
  const text = query.find(([name]) => name === '-pageContext')?.[1];
  if (text === undefined) return undefined;
  try {
    const context: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (isPageContext(context)) return context;
  } catch {
    // Refused below, as any context that we did not make.
  }
  throw refusal(400, 'invalid', 'The parameter -pageContext is invalid.');
}

function isPageContext(value: unknown): value is PageContext {
  if (typeof value !== 'object' || value === null || !('offset' in value) || !('query' in value)) return false;
  const { offset, query } = value;
  return (
    Number.isSafeInteger(offset) &&
    Number(offset) >= 0 &&
    Array.isArray(query) &&
    query.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string'))
  );
}

function nextUrl(base: string, type: string, query: Query, place: Place): string {
  const context = Buffer.from(JSON.stringify({ ...place, query } satisfies PageContext)).toString('base64url');
  return urlOf(base, type, [...query, ['-pageContext', context], ['-pageDirection', 'NEXT']]);
}

function urlOf(base: string, type: string, query: Query): string {
  const text = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]));
  return `${base}/${type}${text.size === 0 ? '' : `?${text}`}`;
}

function entryOf(oracle: Oracle, { base }: FhirCall, version: Version, mode: 'match' | 'include'): JsonObject {
  const { resourceType, id } = version;
  return { fullUrl: `${base}/${resourceType}/${id}`, resource: shown(oracle, version, base), search: { mode } };
}

function suppressedEntry(): JsonObject {
  return {
    fullUrl: `urn:uuid:${randomUUID()}`,
    resource: {
      resourceType: 'OperationOutcome',
      issue: [
        { severity: 'warning', code: 'suppressed', details: { text: 'Some resources were left out of this result.' } },
      ],
    },
    search: { mode: 'outcome' },
  };
}

/** C23: one of the records that would be in the answer lacks what FHIR demands. */
export function brokenRecord(): Refusal {
  return new Refusal(500, [
    { code: 'required', text: 'A stored record lacks a mandatory element and cannot be shown.' },
  ]);
}

function includeRules({ engine }: Oracle, includes: Query) {
  return includes.flatMap(([name, value]) => {
    const [source = '', code = ''] = value.split(':');
    const parameter = engine.definitions.types.has(source) ? offeredParameters(engine, source).get(code) : undefined;
    if (parameter === undefined) return [];
    const direction = name === '_revinclude' ? ('reverse' as const) : ('forward' as const);
    return [{ direction, source, parameter, iterate: false }];
  });
}

/** A type that only the settings brought in takes all that R4 has. */
function generalGrammar({ engine }: Oracle, type: string) {
  const codes = [...offeredParameters(engine, type).values()].map(
    ({ code, type: kind }): [string, 'token' | typeof anyDate] => [code, kind === 'date' ? anyDate : 'token'],
  );
  return { params: Object.fromEntries(codes), oneOf: codes.map(([code]) => code) };
}

const anyDate = {
  single: ['', 'eq', 'ne', 'ge', 'gt', 'le', 'lt', 'sa', 'eb', 'ap'],
  from: ['ge', 'gt'],
  to: ['le', 'lt'],
  time: 'free',
} as const;
