// The search of a poll. Where one record makes every answer that would hold it fail (ehr-behaviour C23), the search is made in smaller and smaller
// windows of time around it, so that the others are seen and that one is set aside.

import {
  classify,
  isSearchResult,
  type PollSearch,
  type Query,
  type SearchFailure,
  type SearchLimits,
  type SearchResult,
  type UnreadableEntry,
} from '../connections/connections.ts';
import { reason } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { LaneConnection } from './lane-connection.ts';

/** Windows are not made smaller than this: what the server stored within a second is set aside together. */
const smallestMs = 1_000;
/** One bad record among those of many years takes about sixty. */
const mostSearches = 400;

export interface PollAsked {
  readonly resourceType: string;
  readonly search: PollSearch;
  /** From the oldest that is asked for to beyond the newest, by the server's clock as far as we know it. */
  readonly from: Date;
  readonly to: Date;
  readonly limits: SearchLimits;
}

export async function searchForPoll(
  connection: LaneConnection,
  asked: PollAsked,
): Promise<SearchResult | SearchFailure> {
  const { client } = connection;
  const { resourceType, search, limits } = asked;
  const result = await client.searchAll(resourceType, search.query, limits);
  const { between } = search;
  if (isSearchResult(result) || between === undefined || !isBroken(connection, result)) return result;
  return inWindows(connection, asked, between, result);
}

/** The server fails over what it would have to show, and will again. */
function isBroken({ vendor }: LaneConnection, failure: SearchFailure): boolean {
  if (failure.fault !== undefined || failure.status < 500) return false;
  return classify(vendor, { method: 'GET', kind: 'search' }, failure).class === 'permanent';
}

async function inWindows(
  connection: LaneConnection,
  { resourceType, from, to, limits }: PollAsked,
  between: (from: Date, to: Date) => Query,
  failure: SearchFailure,
): Promise<SearchResult | SearchFailure> {
  const found = new Map<string, JsonObject>();
  const unreadable: UnreadableEntry[] = [];
  const parts: SearchResult[] = [];
  let searches = 0;
  const windows = [halves(from, to)].flat();
  for (let window = windows.shift(); window !== undefined; window = windows.shift()) {
    searches += 1;
    if (searches > mostSearches) return failure;
    const result = await connection.client.searchAll(resourceType, between(window.from, window.to), limits);
    if (isSearchResult(result)) {
      parts.push(result);
      unreadable.push(...(result.unreadable ?? []));
      for (const resource of result.resources) found.set(String(resource.id), resource);
    } else if (!isBroken(connection, result)) {
      return result;
    } else if (window.to.getTime() - window.from.getTime() <= smallestMs) {
      unreadable.push(setAside(resourceType, window));
    } else {
      windows.unshift(...halves(window.from, window.to));
    }
  }
  const partial = parts.find(({ isPartial }) => isPartial);
  const why = partial?.reason ?? unreadable[0]?.reason;
  return {
    resources: [...found.values()],
    complete: why === undefined,
    ...(why && { reason: why }),
    ...(partial && { isPartial: true }),
    ...(unreadable.length > 0 && { unreadable }),
    ...(parts.some(({ redirected }) => redirected) && { redirected: true }),
  };
}

interface Span {
  readonly from: Date;
  readonly to: Date;
}

function halves(from: Date, to: Date): Span[] {
  const middle = new Date(Math.floor((from.getTime() + to.getTime()) / 2));
  return [
    { from, to: middle },
    { from: middle, to },
  ];
}

function setAside(resourceType: string, { from }: Span): UnreadableEntry {
  return {
    key: `at ${from.toISOString().slice(0, 19)}Z`,
    reason: reason('search-entry-unreadable', { resourceType, problem: 'the server cannot show it' }),
  };
}
