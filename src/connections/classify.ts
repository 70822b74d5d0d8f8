// What the lane core does with a reply or a fault: the table of ehr-behaviour 6.3, as data. Pure. Reads and writes differ where it
// matters: a read can be repeated, a write whose outcome is unknown is looked up first and never sent again blindly.

import type { ErrorCode, Reason } from '../errors.ts';
import { errorKinds, reason } from '../errors.ts';
import { type OutcomeIssue, worstIssue } from '../fhir/fhir.ts';
import type { JsonObject } from '../json.ts';
import type { FhirReply } from './client.ts';
import type { Fault, FaultKind } from './faults.ts';
import { issueCodes } from './issue-codes.ts';
import type { IssueRule, StatusRule, Vendor } from './vendors/vendor.ts';

export type ReplyClass =
  | 'ok'
  /** Once, at once. */
  | 'retry-now-once'
  | 'retry-backoff'
  /** The server may have done it: search, or read and compare. */
  | 'unknown-outcome'
  /** Read again, merge, write again; a person after a few tries. */
  | 'conflict'
  /** Parked until something is mended. */
  | 'permanent'
  /** A decision; never made again by itself. */
  | 'gone'
  | 'denied'
  /** The connection pauses, with one alert. */
  | 'config';

export interface RequestFacts {
  readonly method: string;
  readonly kind: RequestKind;
  /** What was asked for; a reply with another resource is refused. */
  readonly target?: { readonly resourceType: string; readonly id?: string };
  /** The version tag sent was answered 412 before, and read again just now: a 412 is then about something else. */
  readonly tagIsFresh?: boolean;
  /** A write was answered before that its target is gone, and a read just now shows it: it is then the write that is refused. */
  readonly isThere?: boolean;
}

export type RequestKind = 'read' | 'search' | 'create' | 'update' | 'transaction';

export type FailureClass = Exclude<ReplyClass, 'ok'>;

/** Anything but a success that shows what was asked for; a write may be done all the same. */
export interface Failed {
  readonly class: FailureClass;
  readonly reason: Reason;
  /** For 'config': the write had been sent by then, and the server may have done it. */
  readonly mayBeDone?: true;
  /** What the server asked for, or what its vendor's file says. */
  readonly retryAfterMs?: number;
}

export type Classified =
  | {
      readonly class: 'ok';
      readonly reason?: undefined;
      readonly mayBeDone?: undefined;
      readonly retryAfterMs?: number;
    }
  | Failed;

/** Sorts what came back. A 401 here is final: the client has renewed the token and repeated the request already. */
export function classify(vendor: Vendor, request: RequestFacts, reply: Fault): Failed;
export function classify(vendor: Vendor, request: RequestFacts, reply: FhirReply | Fault): Classified;
export function classify(vendor: Vendor, request: RequestFacts, reply: FhirReply | Fault): Classified {
  const found =
    reply.fault === undefined ? classifyReply(vendor, request, reply) : classifyFault(vendor, request, reply);
  if (found.class === 'gone' && request.isThere && reply.fault === undefined) {
    return explain('permanent', reply.status, worstIssue(reply.body));
  }
  return { ...(reply.retryAfterMs !== undefined && { retryAfterMs: reply.retryAfterMs }), ...found };
}

/** By what was asked: a read; a write of which no byte left; a write that may have arrived. */
type FaultRow = readonly [read: FailureClass, unsent: FailureClass, sent: FailureClass];

const faultClasses: Readonly<Record<Exclude<FaultKind, 'auth' | 'not-json'>, FaultRow>> = {
  timeout: ['retry-backoff', 'retry-backoff', 'unknown-outcome'],
  reset: ['retry-now-once', 'retry-backoff', 'unknown-outcome'],
  refused: ['retry-backoff', 'retry-backoff', 'retry-backoff'],
  dns: ['retry-backoff', 'retry-backoff', 'retry-backoff'],
  tls: ['config', 'config', 'config'],
  'too-large': ['permanent', 'permanent', 'unknown-outcome'],
  redirect: ['config', 'config', 'config'],
  aborted: ['retry-backoff', 'retry-backoff', 'unknown-outcome'],
  resting: ['retry-backoff', 'retry-backoff', 'retry-backoff'],
};

function classifyFault(vendor: Vendor, request: RequestFacts, fault: Fault): Failed {
  const why = fault.reason ?? reason('connection-reset', { host: 'the server' });
  if (fault.fault === 'auth') {
    return { class: errorKinds[why.code].class === 'config' ? 'config' : 'retry-backoff', reason: why };
  }
  if (fault.fault === 'not-json') {
    return classifyPage(vendor, request, fault.status ?? 200, why);
  }
  const [read, unsent, sent] = faultClasses[fault.fault];
  if (isRead(request)) return result(read, why);
  const found = fault.sent ? sent : unsent;
  return { ...result(found, why), ...(fault.sent && found === 'config' && { mayBeDone: true }) };
}

/** A page that is no FHIR: its status counts where it refuses, but a proxy's 200 or 404 says nothing about a resource. */
function classifyPage(vendor: Vendor, request: RequestFacts, status: number, why: Reason): Failed {
  const rule = vendor.pages[status];
  if (rule !== undefined && holdsFor(rule, request)) {
    return explainRule(rule, request, status);
  }
  const saysNothing = status < 400 || status === 404 || status === 410;
  const unclear = isRead(request) ? 'retry-backoff' : status < 400 ? 'unknown-outcome' : 'retry-backoff';
  return { class: saysNothing ? unclear : statusClass(request.kind, status), reason: why };
}

interface StatusRow {
  readonly from: number;
  readonly to: number;
  readonly class: FailureClass;
  readonly except?: Partial<Record<RequestKind, FailureClass>>;
}

/** The first row that holds the status. Above 499 a server may have done a write before it failed. */
const statusClasses: readonly StatusRow[] = [
  { from: 401, to: 401, class: 'config' },
  { from: 403, to: 403, class: 'denied' },
  { from: 404, to: 404, class: 'permanent', except: { read: 'gone', update: 'gone' } },
  { from: 408, to: 408, class: 'unknown-outcome', except: { read: 'retry-backoff', search: 'retry-backoff' } },
  { from: 409, to: 409, class: 'conflict' },
  { from: 410, to: 410, class: 'permanent', except: { read: 'gone', update: 'gone' } },
  { from: 412, to: 412, class: 'conflict', except: { read: 'permanent', search: 'permanent' } },
  { from: 423, to: 423, class: 'retry-backoff' },
  { from: 429, to: 429, class: 'retry-backoff' },
  { from: 501, to: 501, class: 'permanent' },
  { from: 500, to: 599, class: 'unknown-outcome', except: { read: 'retry-backoff', search: 'retry-backoff' } },
  { from: 100, to: 499, class: 'permanent' },
];

function statusClass(kind: RequestKind, status: number): FailureClass {
  const row = statusClasses.find(({ from, to }) => status >= from && status <= to);
  return row?.except?.[kind] ?? row?.class ?? 'permanent';
}

function classifyReply(vendor: Vendor, request: RequestFacts, reply: FhirReply): Classified {
  const { status, body } = reply;
  const issue = worstIssue(body);
  const isFailure = issue?.severity === 'fatal' || issue?.severity === 'error';
  const coded = issueCodes(body)
    .map((code) => vendor.issues[code])
    .find((known) => known !== undefined);
  if (coded !== undefined && (isFailure || status >= 400)) {
    const wait = coded.wait && { retryAfterMs: untilNextDayMs(reply.headers.date) };
    return { ...explainRule(coded, request, status, issue), ...wait };
  }
  if (status >= 200 && status < 300) {
    return isFailure ? explain(failedClass(request, issue), status, issue) : classifySuccess(request, reply);
  }
  if (status === 412 && request.kind === 'create') {
    return { class: 'conflict', reason: reason('server-several-matches') };
  }
  if (status === 409 && request.kind === 'create') {
    return { class: 'conflict', reason: reason('create-conflict', { status, issue: issueWords(issue) }) };
  }
  if (status === 412 && request.tagIsFresh) {
    return explain('permanent', status, issue);
  }
  const known = vendor.statuses[status];
  if (known !== undefined && holdsFor(known, request)) {
    return explainRule(known, request, status, issue);
  }
  // A stored record that breaks the server's own rules answers 500 for ever (ehr-behaviour C23).
  const isLasting = isRead(request) && issue !== undefined && lastingIssues.includes(issue.code);
  return explain(isLasting ? 'permanent' : statusClass(request.kind, status), status, issue);
}

function holdsFor({ of }: StatusRule, request: RequestFacts): boolean {
  return of === 'all' || (of === 'searches' ? request.kind === 'search' : !isRead(request));
}

function explainRule(rule: IssueRule, request: RequestFacts, status: number, issue?: OutcomeIssue): Failed {
  // What is not there yet cannot be gone: then it is something that the new resource names.
  const isNew = request.kind === 'create' || request.kind === 'transaction';
  // A server that failed inside may have stored it before, whatever it says of trying again.
  const isUnclear = rule.class === 'retry-backoff' && status >= 500 && !isRead(request);
  const found = isUnclear ? 'unknown-outcome' : rule.class === 'gone' && isNew ? 'permanent' : rule.class;
  return rule.reason === undefined ? explain(found, status, issue) : result(found, reason(rule.reason, { status }));
}

const dayMs = 24 * 60 * 60_000;

/** To the next midnight in UTC by the server's own clock; half a day where it does not say. */
function untilNextDayMs(dateHeader: string | undefined): number {
  const at = Date.parse(dateHeader ?? '');
  return Number.isNaN(at) ? dayMs / 2 : dayMs - (at % dayMs);
}

/** Issue types that no repetition mends. */
const lastingIssues = [
  'business-rule',
  'code-invalid',
  'extension',
  'invalid',
  'invariant',
  'not-supported',
  'required',
  'structure',
  'too-long',
  'value',
];

/** An OperationOutcome under a 2xx: the worst issue decides (reliability row 69). */
function failedClass(request: RequestFacts, issue: OutcomeIssue): FailureClass {
  if (!isRead(request)) {
    return 'unknown-outcome';
  }
  return issueClasses[issue.code] ?? 'permanent';
}

const issueClasses: Readonly<Record<string, FailureClass>> = {
  deleted: 'gone',
  exception: 'retry-backoff',
  forbidden: 'denied',
  'lock-error': 'retry-backoff',
  'no-store': 'retry-backoff',
  'not-found': 'gone',
  security: 'denied',
  suppressed: 'denied',
  throttled: 'retry-backoff',
  timeout: 'retry-backoff',
  transient: 'retry-backoff',
};

/** A 2xx that does not show what was asked for is no success. */
function classifySuccess(request: RequestFacts, reply: FhirReply): Classified {
  const { body, unkept } = reply;
  const { kind, target } = request;
  if (unkept !== undefined && isRead(request)) {
    return result('permanent', reason('server-reply-unkeepable', { problem: unkept.problem }));
  }
  // A write is done whatever its reply holds, but for one that shows another resource.
  if (isWrong(target && { id: reply.location?.id, ...target }, resourceIn(unkept?.named))) {
    return wrongAfterWrite;
  }
  if (isRead(request) && body === undefined) {
    return explain('retry-backoff', reply.status);
  }
  if (kind === 'search' || kind === 'transaction') {
    const unclear = kind === 'search' ? result('permanent', reason('server-wrong-resource')) : unknownOutcome;
    return body?.resourceType === 'Bundle' ? { class: 'ok' } : unclear;
  }
  if (kind === 'create') {
    return classifyCreated(target, reply);
  }
  if (kind === 'update') {
    return isWrong(target, resourceIn(body)) ? wrongAfterWrite : { class: 'ok' };
  }
  return isWrong(reply.redirected ? wherever(target) : target, body)
    ? result('permanent', reason('server-wrong-resource'))
    : { class: 'ok' };
}

/** Where it was stored must be told, on this server, and all parts of the reply must tell the same. */
function classifyCreated(target: RequestFacts['target'], reply: FhirReply): Classified {
  const { location, locationElsewhere: isElsewhere } = reply;
  const shown = resourceIn(reply.body);
  const id = location?.id ?? shown?.id;
  if (isElsewhere || typeof id !== 'string') {
    return isElsewhere ? locationElsewhere : notShown;
  }
  const stored = { resourceType: target?.resourceType ?? '', id };
  const isMisplaced = location !== undefined && location.resourceType !== stored.resourceType;
  return isMisplaced || isWrong(stored, shown && { id, ...shown }) ? wrongAfterWrite : { class: 'ok' };
}

/** Some servers answer a write with notes, or with an empty object. */
function resourceIn(body: JsonObject | undefined): JsonObject | undefined {
  return body?.resourceType === undefined || body.resourceType === 'OperationOutcome' ? undefined : body;
}

/** A merged patient is read where the server's redirect leads: another id is then what was asked for (ehr-behaviour E20). */
function wherever(target: RequestFacts['target']): RequestFacts['target'] {
  return target?.resourceType === 'Patient' ? { resourceType: target.resourceType } : target;
}

const unknownOutcome = result('unknown-outcome', reason('outcome-unknown'));
const notShown = result('unknown-outcome', reason('create-not-shown'));
const locationElsewhere = result('unknown-outcome', reason('server-location-elsewhere'));
const wrongAfterWrite = result('unknown-outcome', reason('server-wrong-resource'));

function isWrong(target: RequestFacts['target'], body: JsonObject | undefined): boolean {
  if (target === undefined || body === undefined) {
    return false;
  }
  return body.resourceType !== target.resourceType || (target.id !== undefined && body.id !== target.id);
}

const codes: Readonly<Record<FailureClass, ErrorCode>> = {
  'retry-now-once': 'server-busy',
  'retry-backoff': 'server-busy',
  'unknown-outcome': 'outcome-unknown',
  conflict: 'server-conflict',
  permanent: 'server-refused',
  gone: 'server-gone',
  denied: 'server-denied',
  config: 'server-credentials-refused',
};

function explain(failure: FailureClass, status: number, issue?: OutcomeIssue): Failed {
  return result(failure, reason(codes[failure], { status, issue: issueWords(issue) }));
}

/** The issue type and where it is, never its text: that may quote the record. */
function issueWords(issue: OutcomeIssue | undefined): string {
  const code = issue && /^[a-z-]{1,40}$/.test(issue.code) ? ` ${issue.code}` : '';
  const place = issue?.expression.find((path) => /^[A-Z][A-Za-z]*(\.[A-Za-z]+(\[\d+\])?){0,12}$/.test(path));
  return place === undefined ? code : `${code} at ${place}`;
}

function result(failure: FailureClass, why: Reason): Failed {
  return { class: failure, reason: why };
}

function isRead({ kind }: RequestFacts): boolean {
  return kind === 'read' || kind === 'search';
}
