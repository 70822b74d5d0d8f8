// The search of a poll. Where one record makes every answer that would hold it fail (ehr-behaviour C23), the search is made in smaller and smaller
// windows of time around it, so that the others are seen and that one is set aside. Where no search tells when something was stored, the windows are
// of the days for which things are planned, and what was seen before is read by its id.

import {
  classify,
  isSearchResult,
  type PollSearch,
  type Query,
  type SearchFailure,
  type SearchLimits,
  type SearchResult,
  type UnreadableEntry,
} from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { LaneConnection } from '../lane-connection.ts';
import { readOne } from '../look/read-one.ts';
import { dayMs } from './poll-plan.ts';

/** Windows are not made smaller than this: what the server stored within a second is set aside together. */
const secondMs = 1_000;
/** One bad record among those of many years takes about sixty. */
const mostSearches = 400;
/** Of what was seen before, for one search that fails. */
const mostReads = 200;
const farBack = new Date('1900-01-01T00:00:00Z');
const farAhead = new Date('2200-01-01T00:00:00Z');

export interface PollAsked {
  readonly resourceType: string;
  readonly search: PollSearch;
  /** From the oldest that is asked for to beyond the newest, by the server's clock as far as we know it. */
  readonly from: Date;
  readonly to: Date;
  readonly limits: SearchLimits;
  /** Ids of those that were seen before in what is asked for. */
  readonly known: () => Promise<readonly string[]>;
}

export async function searchForPoll(
  connection: LaneConnection,
  asked: PollAsked,
): Promise<SearchResult | SearchFailure> {
  const { client } = connection;
  const { resourceType, search, limits } = asked;
  const result = await client.searchAll(resourceType, search.query, limits);
  if (isSearchResult(result) || !isBroken(connection, result)) return result;
  const { between, onDays } = search;
  if (between !== undefined) {
    const { from, to } = asked;
    return inWindows(connection, asked, { from, to, between, smallestMs: secondMs, name: 'at' }, result);
  }
  // With no way round it, nothing is known to have been seen.
  if (onDays === undefined && (await asked.known()).length === 0) return result;
  const parts =
    onDays === undefined
      ? nothing
      : await inWindows(
          connection,
          asked,
          { from: farBack, to: farAhead, between: onDays, smallestMs: dayMs, name: 'on' },
          result,
        );
  return isSearchResult(parts) ? besidesKnown(connection, asked, parts) : parts;
}

const nothing: SearchResult = { resources: [], complete: true };

/** The server fails over what it would have to show, and will again. */
function isBroken({ vendor }: LaneConnection, failure: SearchFailure): boolean {
  if (failure.fault !== undefined || failure.status < 500) return false;
  return classify(vendor, { method: 'GET', kind: 'search' }, failure).class === 'permanent';
}

interface Windows {
  readonly from: Date;
  readonly to: Date;
  readonly between: (from: Date, to: Date) => Query;
  readonly smallestMs: number;
  /** Before the time in the key of what is set aside. */
  readonly name: 'at' | 'on';
}

async function inWindows(
  connection: LaneConnection,
  { resourceType, limits }: PollAsked,
  { from, to, between, smallestMs, name }: Windows,
  failure: SearchFailure,
): Promise<SearchResult | SearchFailure> {
  const found = new Map<string, JsonObject>();
  const unreadable: UnreadableEntry[] = [];
  const parts: SearchResult[] = [];
  let searches = 0;
  const windows = [halves({ from, to }, smallestMs)].flat();
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
      const at = window.from.toISOString();
      unreadable.push(setAside(resourceType, name === 'at' ? `at ${at.slice(0, 19)}Z` : `on ${at.slice(0, 10)}`));
    } else {
      windows.unshift(...halves(window, smallestMs));
    }
  }
  const partial = parts.find(({ isPartial }) => isPartial);
  const why = partial?.reason ?? unreadable[0]?.reason;
  const shown = {
    resources: [...found.values()],
    ...(unreadable.length > 0 && { unreadable }),
    ...(parts.some(({ redirected }) => redirected) && { redirected: true as const }),
  };
  return why === undefined
    ? { ...shown, complete: true }
    : { ...shown, complete: false, reason: why, ...(partial && { isPartial: true }) };
}

interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** Days are not cut in two. */
function halves({ from, to }: Span, smallestMs: number): Span[] {
  const step = smallestMs === dayMs ? dayMs : 1;
  const middle = new Date(Math.floor((from.getTime() + to.getTime()) / 2 / step) * step);
  return [
    { from, to: middle },
    { from: middle, to },
  ];
}

/** Reads by its id what was seen before and the windows do not show. That the server fails over none of them means that it fails over a new one. */
async function besidesKnown(
  connection: LaneConnection,
  { resourceType, known, limits }: PollAsked,
  parts: SearchResult,
): Promise<SearchResult | SearchFailure> {
  const resources = [...parts.resources];
  const unreadable = [...(parts.unreadable ?? [])];
  const shown = new Set(resources.map(({ id }) => String(id)));
  for (const id of (await known()).filter((one) => !shown.has(one)).slice(0, mostReads)) {
    await limits.beforePage?.();
    const { reply, body, failed } = await readOne(connection, { resourceType, id }, { isPoll: true });
    if (failed?.class === 'gone') continue;
    if (reply.fault !== undefined) return reply;
    if (body !== undefined) resources.push(body);
    else if (reply.unkept !== undefined) unreadable.push(setAside(resourceType, id, reply.unkept.problem));
    else if (isBroken(connection, reply)) unreadable.push(setAside(resourceType, id));
    else return reply;
  }
  const [first = setAside(resourceType, 'not seen before'), ...others] = unreadable;
  const why = parts.reason ?? first.reason;
  return { ...parts, resources, complete: false, reason: why, unreadable: [first, ...others] };
}

function setAside(resourceType: string, key: string, problem = 'the server cannot show it'): UnreadableEntry {
  return { key, reason: reason('search-entry-unreadable', { resourceType, problem }) };
}
