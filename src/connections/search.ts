// Every page of a search, and whether that is all there is. Absence may be concluded only from a complete result (lanes.md 9):
// a loop of pages, a partial-view issue or a match that cannot be read makes it incomplete.
// ehr-behaviour E14-E16, C10, C11; FHIR R4 search.html (paging, search.mode).

import type { Reason } from '../errors.ts';
import { reason } from '../errors.ts';
import { worstIssue } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { FhirReply } from './client.ts';
import type { Fault } from './faults.ts';
import { makeFault } from './faults.ts';
import { issueCodes } from './issue-codes.ts';
import type { Vendor } from './vendors/vendor.ts';

export interface SearchLimits {
  /** @default 1,000 */
  readonly pages?: number;
  /** Epoch ms, for each page. */
  readonly sendBefore?: number;
}

export interface SearchResult {
  /** Matches only, one per id, the latest of each. */
  readonly resources: JsonObject[];
  /** All pages were read, every match could be, and nothing says that the view is partial. */
  readonly complete: boolean;
  /** Why it is incomplete. */
  readonly reason?: Reason;
  readonly fault?: undefined;
}

/** A page that could not be read: the whole search counts as not done. */
export type SearchFailure = FhirReply | Fault;

/** True for a search that gave its resources. */
export function isSearchResult(result: SearchResult | SearchFailure): result is SearchResult {
  return 'resources' in result;
}

const mostPages = 1000;
const mostRestarts = 3;

/**
 * Reads `first` and what its next links name. A next link on another origin is a fault and is never asked. Where a next link has died, the
 * search begins again and keeps what it has: the same ids come again.
 */
export async function searchPages(
  read: (url: URL) => Promise<FhirReply | Fault>,
  first: URL,
  resourceType: string,
  vendor: Vendor,
  limits: SearchLimits,
): Promise<SearchResult | SearchFailure> {
  const found = new Map<string, JsonObject>();
  let asked = new Set<string>();
  let pages = 0;
  let restarts = 0;
  let incomplete: Reason | undefined;

  for (let url: URL | undefined = first; url !== undefined; ) {
    if (asked.has(url.href) || pages >= (limits.pages ?? mostPages)) {
      incomplete = reason('search-endless', { pages });
      break;
    }
    asked.add(url.href);
    pages += 1;
    const reply = await read(url);
    if (reply.fault === undefined && isSessionOver(reply, vendor) && url !== first && restarts < mostRestarts) {
      restarts += 1;
      asked = new Set();
      url = first;
      continue;
    }
    if (reply.fault !== undefined || reply.status !== 200 || reply.body?.resourceType !== 'Bundle') {
      return reply;
    }
    for (const entry of list(reply.body.entry)) {
      const outcome = readEntry(entry, resourceType, vendor);
      if ('partial' in outcome) {
        incomplete ??= outcome.partial;
      } else if ('match' in outcome) {
        keepLatest(found, outcome.match);
      }
    }
    const next = nextLink(reply.body, url);
    if (next === 'unreadable') {
      incomplete = reason('search-partial', { resourceType });
      break;
    }
    if (next !== undefined && next.origin !== first.origin) {
      return makeFault('redirect', true, 'connection-next-elsewhere', { host: first.host, target: next.origin });
    }
    url = next;
  }
  return {
    resources: [...found.values()],
    complete: incomplete === undefined,
    ...(incomplete && { reason: incomplete }),
  };
}

function isSessionOver({ status, body }: FhirReply, vendor: Vendor): boolean {
  return status >= 400 && issueCodes(body).some((code) => vendor.paging.restartIssues.includes(code));
}

type Match = JsonObject & { id: string };

/** A match, why the view is partial, or nothing of either. */
type Entry = { readonly match: Match } | { readonly partial: Reason } | Record<string, never>;

function readEntry(entry: Json, resourceType: string, vendor: Vendor): Entry {
  const partial = { partial: reason('search-partial', { resourceType }) };
  if (!isObject(entry)) {
    return partial;
  }
  const { resource, search } = entry;
  const mode = isObject(search) ? search.mode : undefined;
  if (isObject(resource) && resource.resourceType === 'OperationOutcome') {
    return saysPartial(resource, vendor) ? { partial: partialReason(resource, vendor) ?? partial.partial } : {};
  }
  if (mode !== undefined && mode !== 'match') {
    return {};
  }
  if (!isObject(resource)) {
    return partial;
  }
  if (resource.resourceType !== resourceType) {
    return {};
  }
  return typeof resource.id === 'string' ? { match: { ...resource, id: resource.id } } : partial;
}

function saysPartial(outcome: JsonObject, vendor: Vendor): boolean {
  const severity = worstIssue(outcome)?.severity;
  return (
    severity === 'fatal' ||
    severity === 'error' ||
    issueCodes(outcome).some((code) => vendor.paging.partialIssues.includes(code))
  );
}

/** What the vendor's file says about it, such as that too many match. */
function partialReason(outcome: JsonObject, vendor: Vendor): Reason | undefined {
  const code = issueCodes(outcome)
    .map((issue) => vendor.issues[issue]?.reason)
    .find((known) => known !== undefined);
  return code && reason(code);
}

function keepLatest(found: Map<string, JsonObject>, match: Match): void {
  const before = found.get(match.id);
  const isOlder = before !== undefined && lastUpdated(match) < lastUpdated(before);
  if (!isOlder) {
    found.set(match.id, match);
  }
}

/** Epoch ms; not a number where it is unknown, which is never older: then the later page decides. */
function lastUpdated(resource: JsonObject): number {
  const at = isObject(resource.meta) ? resource.meta.lastUpdated : undefined;
  return typeof at === 'string' ? Date.parse(at) : Number.NaN;
}

function nextLink(bundle: JsonObject, from: URL): URL | 'unreadable' | undefined {
  const next = list(bundle.link).find((link) => isObject(link) && link.relation === 'next');
  if (!isObject(next)) {
    return undefined;
  }
  return typeof next.url === 'string' && URL.canParse(next.url, from.href) ? new URL(next.url, from) : 'unreadable';
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
