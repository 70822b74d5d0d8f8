// The search interaction: which resources match, in which order, which page of them, and what is included
// (https://hl7.org/fhir/R4/search.html). Also finds the matches of conditional interactions.

import { CasebridgeError } from '../../errors.ts';
import { compileFilter, type SearchValue } from '../../fhir/fhir.ts';
import type { JsonObject } from '../../json.ts';
import type { SearchFilter, SearchParameterFact } from './definitions.ts';
import { type Answer, type Engine, type FhirCall, offeredParameters, shown } from './engine.ts';
import { included } from './include.ts';
import { refusal } from './outcome.ts';
import { readSearchRequest, type SearchRequest, type SortRule } from './search-request.ts';
import type { Version } from './store.ts';

/** @throws Refusal 400 for a parameter that is unknown (unless `Prefer: handling=lenient`) or ill-formed */
export function search(engine: Engine, call: FhirCall, resourceType: string): Answer {
  const request = readSearchRequest(engine, call, resourceType);
  const matches = sorted(engine, request.sort, matchesOf(engine, request, call.base));
  const page = matches.slice(request.offset, request.offset + request.count);
  const more = request.offset + request.count < matches.length && request.count > 0;
  const extra = included(engine, page, request.includes).filter((version) => call.may(version.resourceType, 'r'));
  return {
    status: 200,
    body: {
      resourceType: 'Bundle',
      type: 'searchset',
      total: matches.length,
      link: [
        { relation: 'self', url: pageUrl(call.base, request, request.offset) },
        ...(more ? [{ relation: 'next', url: pageUrl(call.base, request, request.offset + request.count) }] : []),
      ],
      ...(page.length > 0 && {
        entry: [
          ...page.map((version) => entry(engine, call, version, 'match')),
          ...extra.map((version) => entry(engine, call, version, 'include')),
        ],
      }),
    },
  };
}

/**
 * The matches of a conditional interaction.
 * @throws Refusal 400 without criteria or with ill-formed ones, 412 where several match
 */
export function onlyMatch(
  engine: Engine,
  resourceType: string,
  criteria: FhirCall['query'],
  base: string,
): Version | undefined {
  if (criteria.length === 0) throw refusal(400, 'required', 'The condition has no search parameter.');
  const [first, second] = allMatches(engine, resourceType, criteria, base);
  if (second !== undefined)
    throw refusal(412, 'multiple-matches', `Several ${resourceType} resources match the condition.`);
  return first;
}

/**
 * All that searches see now and that passes the criteria, in order of creation: for servers that page and shape results themselves.
 * @throws Refusal 400 for criteria that are unknown or ill-formed
 */
export function allMatches(engine: Engine, resourceType: string, criteria: FhirCall['query'], base: string): Version[] {
  const filters = criteria.map(([name, value]) => searchFilter(engine, resourceType, name, value, base));
  engine.view.settle(engine.clock.now());
  return engine.view.find(resourceType, filters);
}

function matchesOf(engine: Engine, request: SearchRequest, base: string): Version[] {
  const now = engine.clock.now();
  engine.view.settle(now);
  const cached = engine.searchCache.get(request.cacheKey);
  if (engine.settings.searchCacheMs > 0 && cached !== undefined && cached.until > now) {
    return cached.ids.flatMap((id) => engine.view.get(request.resourceType, id) ?? []);
  }
  const filters = request.criteria.map(([name, value]) =>
    searchFilter(engine, request.resourceType, name, value, base),
  );
  const found = engine.view.find(request.resourceType, filters);
  if (engine.settings.searchCacheMs > 0) {
    engine.searchCache.set(request.cacheKey, {
      until: now + engine.settings.searchCacheMs,
      ids: found.map(({ id }) => id),
    });
  }
  return found;
}

/**
 * One criterion; `subject:Patient.birthdate` and `subject.birthdate` follow the reference.
 * @throws Refusal 400 for what is unknown or ill-formed
 */
export function searchFilter(
  engine: Engine,
  resourceType: string,
  name: string,
  value: string,
  base: string,
): SearchFilter {
  if (value === '') throw refusal(400, 'invalid', `The search parameter ${name} has no value.`);
  const dot = name.indexOf('.');
  const head = dot < 0 ? name : name.slice(0, dot);
  const [code = '', typed] = head.split(':');
  const parameter = offeredParameters(engine, resourceType).get(code);
  if (parameter === undefined) throw unknownParameter(resourceType, name);
  if (dot < 0) return filterOf(parameter, name, value, base);
  const targets = typed === undefined ? parameter.targets : parameter.targets.filter((target) => target === typed);
  const chained = new Map(targets.flatMap((target) => chainedFilter(engine, target, name.slice(dot + 1), value, base)));
  if (chained.size === 0) throw unknownParameter(resourceType, name);
  const passes = (held: SearchValue) => {
    const [type = '', id = ''] = held.kind === 'reference' ? (held.reference?.split('/') ?? []) : [];
    const filter = chained.get(type);
    const target = engine.view.get(type, id);
    return filter !== undefined && target !== undefined && filter.test(engine.view.values(filter.parameter, target));
  };
  return { parameter, test: (values) => values.some(passes) };
}

/** @throws Refusal 400 for a modifier or value that the parameter does not take */
function filterOf(parameter: SearchParameterFact, name: string, value: string, base: string): SearchFilter {
  try {
    return compileFilter(parameter, name, value, base);
  } catch (error) {
    if (!(error instanceof CasebridgeError)) throw error;
    throw refusal(error.kind.status, error.kind.issue, error.message);
  }
}

function chainedFilter(
  engine: Engine,
  target: string,
  name: string,
  value: string,
  base: string,
): [string, SearchFilter][] {
  const [code = ''] = name.split(/[:.]/);
  return offeredParameters(engine, target).has(code) ? [[target, searchFilter(engine, target, name, value, base)]] : [];
}

function unknownParameter(resourceType: string, name: string) {
  return refusal(400, 'not-supported', `This server has no search parameter ${name} for ${resourceType}.`);
}

function sorted(engine: Engine, rules: readonly SortRule[], versions: readonly Version[]): readonly Version[] {
  if (rules.length === 0) return versions;
  const keyed = versions.map((version) => ({
    version,
    keys: rules.map(({ parameter }) => sortKey(engine.view.values(parameter, version))),
  }));
  keyed.sort((one, other) => {
    for (const [index, { descending }] of rules.entries()) {
      const order = compareKeys(one.keys[index], other.keys[index], descending);
      if (order !== 0) return order;
    }
    return 0;
  });
  return keyed.map(({ version }) => version);
}

/** Resources without the value come last in both directions. */
function compareKeys(
  one: string | number | undefined,
  other: string | number | undefined,
  descending: boolean,
): number {
  if (one === other) return 0;
  if (one === undefined) return 1;
  if (other === undefined) return -1;
  return one < other !== descending ? -1 : 1;
}

function sortKey(values: readonly SearchValue[]): string | number | undefined {
  const [first] = values;
  switch (first?.kind) {
    case undefined:
      return undefined;
    case 'date':
      return first.start;
    case 'text':
      return first.text.toLowerCase();
    case 'token':
      return first.value;
    case 'reference':
      return first.reference;
    default:
      return first satisfies never;
  }
}

function entry(engine: Engine, call: FhirCall, version: Version, mode: 'match' | 'include'): JsonObject {
  const { resourceType, id } = version;
  return { fullUrl: `${call.base}/${resourceType}/${id}`, resource: shown(engine, version), search: { mode } };
}

function pageUrl(base: string, request: SearchRequest, offset: number): string {
  const query = new URLSearchParams(request.query.map(([name, value]): [string, string] => [name, value]));
  if (offset > 0) query.set('_offset', String(offset));
  return `${base}/${request.resourceType}${query.size === 0 ? '' : `?${query}`}`;
}
