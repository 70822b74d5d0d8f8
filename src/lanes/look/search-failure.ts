// What a look or a search that gave no result means for the run: try again, wait for the connection to be mended, or rest until somebody changes something.

import {
  classify,
  type Failed,
  isSearchResult,
  issueCodes,
  type LackingSearch,
  type SearchFailure,
} from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import type { LaneConnection } from '../lane-connection.ts';

/** Nothing can be said now; `config`: not before the connection has been mended. */
export interface Failure {
  readonly kind: 'again' | 'config';
  readonly reason: Reason;
  readonly afterMs: number | undefined;
}

export function isFailure(result: { readonly kind: string }): result is Failure {
  return result.kind === 'again' || result.kind === 'config';
}

/** No repetition gives another answer: the lane is parked until the record changes or an operator runs it. */
export interface Refused {
  readonly kind: 'parked';
  readonly reason: Reason;
}

export function failureOf({ class: found, reason: why, retryAfterMs: afterMs }: Failed): Failure {
  return { kind: found === 'config' ? 'config' : 'again', reason: why, afterMs };
}

/** A search that did not show all there is, or nothing. */
type NotWhole = LackingSearch | SearchFailure;

export function searchFailure(connection: LaneConnection, result: NotWhole): Failure {
  if (isSearchResult(result)) return { kind: 'again', reason: result.reason, afterMs: undefined };
  const found = classify(connection.vendor, { method: 'GET', kind: 'search' }, result);
  if (found.class !== 'ok') return failureOf(found);
  return { kind: 'again', reason: reason('outcome-unknown'), afterMs: found.retryAfterMs };
}

/** Before anything is made: a refusal is final, and what was to be looked for rests. */
export function finalSearchFailure(connection: LaneConnection, result: NotWhole): Failure | Refused {
  if (isSearchResult(result)) return searchFailure(connection, result);
  const found = classify(connection.vendor, { method: 'GET', kind: 'search' }, result);
  return found.class === 'denied' || found.class === 'permanent'
    ? { kind: 'parked', reason: found.reason }
    : searchFailure(connection, result);
}

/** The same about patients, where a refusal is final: nobody is asked twice for somebody who may not be seen (ehr-behaviour E21). */
export function patientSearchFailure(connection: LaneConnection, result: NotWhole): Failure | Refused {
  if (isRestricted(connection, result)) return { kind: 'parked', reason: reason('patient-restricted') };
  return finalSearchFailure(connection, result);
}

/** The server says that nobody may see this patient without leave, or that they are protected. */
export function isRestricted({ vendor }: Pick<LaneConnection, 'vendor'>, reply: NotWhole): boolean {
  if (isSearchResult(reply)) return reply.restricted === true;
  return (
    reply.fault === undefined &&
    reply.status === 403 &&
    issueCodes(reply.body).some((code) => vendor.patients.restricted.includes(code))
  );
}
