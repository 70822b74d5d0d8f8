// A search of a partner's system among what it may see, page by page. What changed longest ago comes first, so that what changes while a client pages
// is met again further on, and never missed.

import { CasebridgeError } from '../errors.ts';
import { compileFilter, dateSpan, elementFact, isId, searchValues } from '../fhir/fhir.ts';
import type { Home, Narrowing, Place, Visible } from '../home/home.ts';
import type { JsonObject } from '../json.ts';
import { elementsAt, type Offer, type Parameter } from './offers.ts';

export interface SearchAsked {
  readonly base: string;
  readonly partner: string;
  readonly resourceType: string;
  readonly offer: Offer;
  readonly query: URLSearchParams;
  /** What is not known is left out instead of refused. */
  readonly lenient: boolean;
}

export interface Found {
  readonly bundle: JsonObject;
  readonly ids: readonly string[];
}

const usualCount = 50;
const mostCount = 200;
const shaping = ['_count', '_format', '_page', '_sort'];

/** @throws CasebridgeError `search-parameter-unknown`, `search-modifier-unknown`, `search-value-invalid` */
export async function search(home: Home, asked: SearchAsked): Promise<Found> {
  const { base, partner, resourceType } = asked;
  const criteria = criteriaOf(asked);
  const filters = criteria.map(({ parameter, name, value }) => compileFilter(parameter, name, value, base));
  const count = countOf(asked.query);
  const cursor = asked.query.get('_page');
  const course = { newestFirst: isNewestFirst(asked), after: cursor === null ? undefined : placeOf(cursor) };
  const matches: Visible[] = [];
  let met = 0;
  let isEnd = false;
  for await (const portion of home.visibleInTurn(partner, narrowed(resourceType, criteria), course)) {
    const passing = portion.resources.filter(({ body }) =>
      filters.every(({ parameter, test }) =>
        test(elementsAt(body, parameter).flatMap((element) => searchValues(parameter.type, element))),
      ),
    );
    met += passing.length;
    matches.push(...passing.slice(0, count + 1 - matches.length));
    isEnd = portion.isLast;
    if (count > 0 && matches.length > count) break;
  }
  const page = matches.slice(0, count);
  const rest = matches.length > count ? page.at(-1) : undefined;
  const query = asked.lenient ? known(asked, criteria) : asked.query;
  const bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    // Of many, whoever wants the number asks for it by `_count=0`.
    ...(cursor === null && isEnd && { total: met }),
    link: [
      { relation: 'self', url: urlOf(asked, query, cursor) },
      ...(rest === undefined ? [] : [{ relation: 'next', url: urlOf(asked, query, cursorOf(rest)) }]),
    ],
    ...(page.length > 0 && {
      entry: page.map(({ id, body }) => ({
        fullUrl: `${base}/${resourceType}/${id}`,
        resource: body,
        search: { mode: 'match' },
      })),
    }),
  };
  return { bundle, ids: page.map(({ id }) => id) };
}

interface Criterion {
  readonly parameter: Parameter;
  /** With its modifier. */
  readonly name: string;
  readonly value: string;
}

function criteriaOf({ query, offer, resourceType, lenient }: SearchAsked): Criterion[] {
  return [...query].flatMap(([name, value]) => {
    if (shaping.includes(name)) return [];
    const parameter = offer.parameters.find(({ code }) => code === name.split(':')[0]);
    if (parameter === undefined && lenient) return [];
    if (parameter === undefined)
      throw new CasebridgeError('search-parameter-unknown', { resourceType, name: plain(name) });
    if (value === '') throw new CasebridgeError('search-value-invalid', { name, expected: 'a value' });
    const codes = elementFact(resourceType, parameter.path.join('.'))?.binding?.codes;
    return [{ parameter: codes === undefined ? parameter : { ...parameter, codes }, name, value }];
  });
}

/** A name as it may stand in a message. */
function plain(name: string): string {
  return /^[A-Za-z0-9_.:-]{1,64}$/.test(name) ? name : 'that name';
}

/** What the store can tell without looking into the resources. */
function narrowed(resourceType: string, criteria: readonly Criterion[]): Narrowing & { readonly type: string } {
  const ids = criteria.find(({ name }) => name === '_id')?.value.split(',');
  const since = criteria.flatMap(({ name, value }) => {
    const [, from] = name === '_lastUpdated' ? (/^(?:ge|gt|sa|eq)?(\d.*)$/.exec(value) ?? []) : [];
    const span = from === undefined || from.includes(',') ? undefined : dateSpan(from);
    return span === undefined ? [] : [span.start];
  });
  return {
    type: resourceType,
    ...(ids && {
      names: ids
        .map((id) => id.split('|').at(-1) ?? '')
        .filter(isId)
        .map((id) => `${resourceType}/${id}`),
    }),
    ...(since.length > 0 && { since: new Date(Math.max(...since)) }),
  };
}

function isNewestFirst({ query }: SearchAsked): boolean {
  const sort = query.get('_sort');
  if (sort === null || sort === '_lastUpdated') return false;
  if (sort === '-_lastUpdated') return true;
  throw new CasebridgeError('search-value-invalid', { name: '_sort', expected: '_lastUpdated or -_lastUpdated' });
}

function countOf(query: URLSearchParams): number {
  const text = query.get('_count');
  if (text === null) return usualCount;
  if (!/^\d{1,9}$/.test(text))
    throw new CasebridgeError('search-value-invalid', { name: '_count', expected: 'a whole number from 0' });
  return Math.min(Number(text), mostCount);
}

function cursorOf({ at, id }: Visible): string {
  return Buffer.from(`${at.getTime()} ${id}`).toString('base64url');
}

/** Where the page before this one ended. What stood there may have moved since: then it is met again. */
function placeOf(cursor: string): Place {
  const [, time, id] = /^(\d{1,15}) (.+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (time === undefined || id === undefined || !isId(id))
    throw new CasebridgeError('search-value-invalid', { name: '_page', expected: 'what a link of an answer holds' });
  return { at: new Date(Number(time)), id };
}

function known({ query }: SearchAsked, criteria: readonly Criterion[]): URLSearchParams {
  const names = criteria.map(({ name }) => name);
  return new URLSearchParams([...query].filter(([name]) => names.includes(name) || shaping.includes(name)));
}

function urlOf({ base, resourceType }: SearchAsked, query: URLSearchParams, page: string | null): string {
  const own = new URLSearchParams([...query].filter(([name]) => name !== '_page'));
  if (page !== null) own.set('_page', page);
  return `${base}/${resourceType}${own.size === 0 ? '' : `?${own}`}`;
}
