// Every page of a search, and whether that is all there is. Absence may be concluded only from a complete result (lanes.md 9):
// a loop of pages, a partial-view issue or a match that cannot be read makes it incomplete.
// ehr-behaviour E14-E16, C10, C11; FHIR R4 search.html (paging, search.mode).

import type { Reason } from '../errors.ts';
import { reason } from '../errors.ts';
import { contentHash, worstIssue } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, listOf } from '../json.ts';
import type { FhirReply } from './client.ts';
import { leftOut } from './entry-cutter.ts';
import type { Fault } from './faults.ts';
import { makeFault } from './faults.ts';
import { issueCodes } from './issue-codes.ts';
import { problemInWords } from './keepable.ts';
import type { Query } from './url.ts';
import type { Vendor } from './vendors/vendor.ts';

export interface SearchLimits {
  /** @default 1,000 */
  readonly pages?: number;
  /** Epoch ms, asked for each page after `beforePage`. */
  readonly sendBefore?: () => number;
  /** Awaited before each page is asked for. */
  readonly beforePage?: () => Promise<void>;
  /** Its pages take the polls' part of the rate. */
  readonly isPoll?: boolean;
}

export type WholeSearch = Shown & Whole;
export type LackingSearch = Shown & Lacking;
export type SearchResult = WholeSearch | LackingSearch;

interface Shown {
  /** Matches only, one per id, the latest of each. */
  readonly resources: JsonObject[];
  /** Entries that cannot be read or kept. Where `isPartial` is not set, they are all that is missing. */
  readonly unreadable?: readonly UnreadableEntry[];
  /** The server shows another patient's resources in the place of those of the one asked about (a merge). */
  readonly redirected?: true;
  /** When the first page was answered, by the server's clock; absent where it does not say. */
  readonly answeredAt?: Date;
  /** By id, where the server graded its matches ($match). */
  readonly grades?: ReadonlyMap<string, MatchGrade>;
  readonly fault?: undefined;
}

/** All pages were read, every match could be, and nothing says that the view is partial. */
interface Whole {
  readonly complete: true;
  readonly reason?: undefined;
  readonly isPartial?: undefined;
  readonly tooMany?: undefined;
  readonly restricted?: undefined;
}

interface Lacking {
  readonly complete: false;
  readonly reason: Reason;
  /** The server does not show all that there is, or pages are missing. */
  readonly isPartial?: true;
  /** The server kept its hits back because there are too many. */
  readonly tooMany?: true;
  /** The server left out a patient whom we may not see. */
  readonly restricted?: true;
}

/** What of an answer was set aside. */
export interface UnreadableEntry {
  /** Its id where it could be read, else a hash of the entry. */
  readonly key: string;
  readonly reason: Reason;
}

/** FHIR R4 valueset-match-grade. */
export type Grade = 'certain' | 'probable' | 'possible' | 'certainly-not';

/** How sure a server is that a match is the person asked for. */
export interface MatchGrade {
  readonly grade: Grade;
  /** 0 to 1. */
  readonly score?: number;
}

/** A page that could not be read: the whole search counts as not done. */
export type SearchFailure = FhirReply | Fault;

/** True for a search that gave its resources. */
export function isSearchResult(result: SearchResult | SearchFailure): result is SearchResult {
  return 'resources' in result;
}

/** True for a search that found all there is: only then is absence one. */
export function isWholeSearch(result: SearchResult | SearchFailure): result is WholeSearch {
  return isSearchResult(result) && result.complete;
}

/** True when the server has more hits than it gives: it wants more criteria, and repeating the search is no use. */
export function isTooMany(vendor: Vendor, result: SearchResult | SearchFailure): boolean {
  if (isSearchResult(result)) {
    return result.tooMany === true;
  }
  const { issues, statuses } = vendor.patients.tooMany;
  return (
    result.fault === undefined &&
    (statuses.includes(result.status) || issueCodes(result.body).some((code) => issues.includes(code)))
  );
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
  const grades = new Map<string, MatchGrade>();
  let tooMany = false;
  let restricted = false;
  let incomplete: Reason | undefined;
  const unreadable = new Map<string, Reason>();
  let redirected = false;
  let answeredAt: Date | undefined;

  for (let url: URL | undefined = first; url !== undefined; ) {
    if (asked.has(url.href) || pages >= (limits.pages ?? mostPages)) {
      incomplete = reason('search-endless', { pages });
      break;
    }
    asked.add(url.href);
    pages += 1;
    await limits.beforePage?.();
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
    redirected ||= reply.redirected === true;
    answeredAt ??= instantOf(reply.headers.date);
    for (const entry of listOf(reply.body.entry)) {
      const outcome = readEntry(entry, resourceType, vendor);
      if ('unreadable' in outcome) {
        unreadable.set(outcome.key, outcome.unreadable);
      } else if ('partial' in outcome) {
        incomplete ??= outcome.partial;
        tooMany ||= says(entry, vendor.patients.tooMany.issues);
        restricted ||= says(entry, vendor.patients.restricted);
      } else if ('match' in outcome) {
        keepLatest(found, outcome.match);
        const grade = gradeOf(entry);
        if (grade !== undefined) {
          grades.set(outcome.match.id, grade);
        }
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
  const [unread] = unreadable.values();
  const lack = incomplete ?? unread;
  const view: Whole | Lacking =
    lack === undefined
      ? { complete: true }
      : {
          complete: false,
          reason: lack,
          ...(incomplete && { isPartial: true }),
          ...(tooMany && { tooMany }),
          ...(restricted && { restricted }),
        };
  return {
    resources: [...found.values()],
    ...view,
    ...(unread && { unreadable: [...unreadable].map(([key, why]) => ({ key, reason: why })) }),
    ...(redirected && { redirected }),
    ...(answeredAt && { answeredAt }),
    ...(grades.size > 0 && { grades }),
  };
}

/**
 * A page above what is read is asked for again in smaller ones, down to one entry. A poll then leaves out by itself what is too large, or is no
 * JSON: the rest of what it asks about goes on.
 */
export async function searchInParts(
  query: Query,
  usualPage: number,
  isPoll: boolean,
  search: (query: Query, cut: boolean) => Promise<SearchResult | SearchFailure>,
): Promise<SearchResult | SearchFailure> {
  const result = await search(query, false);
  if (isSearchResult(result) || result.fault === undefined) return result;
  const count = Number(query._count ?? usualPage);
  if (result.fault === 'too-large' && count > 1) {
    const smaller = String(Math.ceil(count / pageDivisor));
    return searchInParts({ ...query, _count: smaller }, usualPage, isPoll, search);
  }
  return isPoll && (result.fault === 'too-large' || result.isBroken) ? search(query, true) : result;
}

const pageDivisor = 20;

function isSessionOver({ status, body }: FhirReply, vendor: Vendor): boolean {
  return status >= 400 && issueCodes(body).some((code) => vendor.paging.restartIssues.includes(code));
}

type Match = JsonObject & { id: string };

/** A match, why it cannot be one, why the view is partial, or nothing of these. */
type Entry =
  | { readonly match: Match }
  | { readonly unreadable: Reason; readonly key: string }
  | { readonly partial: Reason }
  | Record<string, never>;

function readEntry(entry: Json, resourceType: string, vendor: Vendor): Entry {
  if (!isObject(entry)) {
    return unreadableEntry(entry, resourceType, 'it is no object');
  }
  const { resource, search } = entry;
  const mode = isObject(search) ? search.mode : undefined;
  if (isObject(resource) && resource.resourceType === 'OperationOutcome') {
    return saysPartial(resource, vendor)
      ? { partial: partialReason(resource, vendor) ?? reason('search-partial', { resourceType }) }
      : {};
  }
  if (mode !== undefined && mode !== 'match') {
    return {};
  }
  const mark = entry[leftOut];
  if (mark !== undefined) {
    return unreadableEntry(entry, resourceType, problemInWords(mark));
  }
  if (!isObject(resource)) {
    return unreadableEntry(entry, resourceType, 'it has no resource');
  }
  if (resource.resourceType !== resourceType) {
    // What has no mode may be there because another one includes it.
    return mode === undefined ? {} : unreadableEntry(entry, resourceType, 'it is of another type');
  }
  if (typeof resource.id !== 'string' || !isId(resource.id)) {
    return unreadableEntry(entry, resourceType, 'it has no id');
  }
  return { match: { ...resource, id: resource.id } };
}

function unreadableEntry(entry: Json, resourceType: string, problem: string): Entry {
  const resource = isObject(entry) && isObject(entry.resource) ? entry.resource : undefined;
  const id = resource?.id ?? (isObject(entry) ? entry.id : undefined);
  const key = typeof id === 'string' && isId(id) ? id : contentHash(entry).slice(0, 16);
  return { unreadable: reason('search-entry-unreadable', { resourceType, problem }), key };
}

/** Ids are opaque, and longer at some servers than FHIR allows. */
function isId(id: string): boolean {
  return /^[\x21-\x7e]{1,256}$/.test(id);
}

/** A Date header tells whole seconds: it was then or up to a second later. */
function instantOf(date: string | undefined): Date | undefined {
  const at = Date.parse(date ?? '');
  return Number.isNaN(at) ? undefined : new Date(at);
}

const gradeExtension = 'http://hl7.org/fhir/StructureDefinition/match-grade';
const knownGrades: readonly Grade[] = ['certain', 'probable', 'possible', 'certainly-not'];

/** An entry without a grade that we know has none: it is then judged by us alone. */
function gradeOf(entry: Json): MatchGrade | undefined {
  const search = isObject(entry) && isObject(entry.search) ? entry.search : {};
  const extension = listOf(search.extension).find((one) => isObject(one) && one.url === gradeExtension);
  const code = isObject(extension) ? extension.valueCode : undefined;
  const grade = knownGrades.find((known) => known === code);
  return grade && { grade, ...(typeof search.score === 'number' && { score: search.score }) };
}

function says(entry: Json, codes: readonly string[]): boolean {
  const resource = isObject(entry) && isObject(entry.resource) ? entry.resource : undefined;
  return issueCodes(resource).some((code) => codes.includes(code));
}

function saysPartial(outcome: JsonObject, vendor: Vendor): boolean {
  const severity = worstIssue(outcome)?.severity;
  return (
    severity === 'fatal' ||
    severity === 'error' ||
    issueCodes(outcome).some(
      (code) => vendor.paging.partialIssues.includes(code) || vendor.patients.tooMany.issues.includes(code),
    )
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
  const next = listOf(bundle.link).find((link) => isObject(link) && link.relation === 'next');
  if (!isObject(next)) {
    return undefined;
  }
  return typeof next.url === 'string' && URL.canParse(next.url, from.href) ? new URL(next.url, from) : 'unreadable';
}
