// What may become of a resource that began on the other side, and what its judge is given. Pure.

import type { ErrorCode } from '../../../errors.ts';
import type { JsonObject } from '../../../json.ts';
import { isRecordType, type RecordType } from '../../../records/records.ts';
import type { Named } from '../about.ts';
import type { Told } from '../propose.ts';
import type { InboundRow } from '../rows.ts';
import type { View } from './view.ts';

/** A row, or the place of one that is not there yet: a resource of the server, and the record that it may become. */
export interface Place extends Named {
  readonly row: InboundRow | undefined;
  readonly type: RecordType | 'none';
}

export type Verdict =
  | { readonly kind: 'offer'; readonly told: Told }
  /** As it was offered. */
  | { readonly kind: 'stands' }
  /** This is to be read first. */
  | { readonly kind: 'read'; readonly named: Named }
  /** `keep`: nothing for the source. `withdraw`: what was offered is taken back. `ask`: nothing changes; a person must look. */
  | { readonly kind: 'keep' | 'withdraw' | 'ask'; readonly why: ErrorCode };

export interface Judged {
  readonly place: Place;
  readonly verdict: Verdict;
  readonly patient: string | undefined;
  /** Hash of what the verdict rests on. */
  readonly look: string;
}

/** What the judges of referrals, and of all that is offered beside them, are given. */
export interface Ground {
  readonly view: View;
  /** Of the cases under which referrals are offered, by the patient; of a client with an open one there is none. */
  readonly cases: ReadonlyMap<string, Place>;
}

/** A row with what the server shows of its resource. */
export interface ReadRow {
  readonly row: InboundRow;
  readonly body: JsonObject;
  readonly patient: string;
  readonly look: string;
}

export function placeOf(row: InboundRow): Place {
  const type = isRecordType(row.type) ? row.type : 'none';
  return { row, type, resourceType: row.resource_type, id: row.remote_id };
}

export function isOffered(row: InboundRow | undefined): boolean {
  return row?.state === 'proposed';
}

/** Nothing for the source: taken back where it was offered. */
export function notForSource(row: InboundRow, why: ErrorCode): Verdict {
  return { kind: isOffered(row) ? 'withdraw' : 'keep', why };
}

/** The server shows it no more. */
export function gone(row: InboundRow): { readonly kind: 'ask' | 'keep'; readonly why: ErrorCode } {
  return { kind: isOffered(row) ? 'ask' : 'keep', why: 'inbound-gone' };
}

/** It is about another patient than the one for whom it was offered. */
export function isOfAnother(row: InboundRow, patient: string | undefined): boolean {
  return isOffered(row) && row.patient !== null && row.patient !== patient;
}

/** A stay that was over, or a document that was written, longer ago than this when it was first seen is history: within it, another stay would be a readmission. */
const pastMs = 30 * 24 * 60 * 60_000;

export function isHistory(row: InboundRow, time: string | undefined, now: Date): boolean {
  return !isOffered(row) && time !== undefined && Date.parse(time) < now.getTime() - pastMs;
}
