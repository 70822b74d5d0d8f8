// What to ask to learn what changed on a server: the vendor's grammar around a cursor that holds the server's own times (lanes.md 20).

import type { Query } from './url.ts';
import { isOffered, notOffered, type Offered, type Vendor } from './vendors/vendor.ts';

/** @default 5 minutes; covers writes that commit late and clocks of several server nodes */
export const pollOverlapMs = 5 * 60_000;

export interface PollWindow {
  /** Of this patient, by the server's id; absent: of all. */
  readonly patientId?: string;
  /** The cursor, an instant of the server; absent: everything. */
  readonly since?: Date;
  readonly overlapMs?: number;
  /** What happens once is asked for from here on where it is read in full; absent: all of it. */
  readonly lookBackTo?: Date;
  /** What the server declares for the type; absent: the usual ones are taken to be there. */
  readonly searchParams?: readonly string[];
}

export interface PollSearch {
  readonly query: Query;
  /** It shows what is new alone, or old versions too. */
  readonly isFull: boolean;
  /** It leaves out what is older than the look-back: what it lacks may be there. */
  readonly isDated: boolean;
  /** The same in a window of time, both ends included; absent where no search says when something was stored. */
  readonly between: ((from: Date, to: Date) => Query) | undefined;
  /** The same of what is planned for some days, the last left out; absent where it can be told by when it was stored, or not at all. */
  readonly onDays: ((from: Date, to: Date) => Query) | undefined;
  /** Issue codes by which the site says that it wants a patient. */
  readonly refusedBy: readonly string[];
}

/** The search for the resources of a type that changed in the window. */
export function pollQuery(vendor: Vendor, resourceType: string, window: PollWindow): Offered<PollSearch> {
  const grammar = vendor.queries.poll(resourceType);
  if (!isOffered(grammar)) return grammar;
  const { patientId, since, overlapMs = pollOverlapMs, lookBackTo, searchParams } = window;
  const declares = (parameter: string) =>
    searchParams === undefined ? parameter === '_lastUpdated' : searchParams.includes(parameter);
  const stored = grammar.stored !== undefined && declares(grammar.stored.parameter) ? grammar.stored : undefined;
  const base = patientId === undefined ? grammar.all?.query : grammar.within?.(patientId);
  if (base === undefined) return patientId === undefined ? patientNeeded : noPatient;
  const refusedBy = patientId === undefined ? (grammar.all?.refusedBy ?? []) : [];
  const between = stored && ((from: Date, to: Date): Query => ({ ...base, ...stored.between(from, to) }));
  const { planned } = grammar;
  const onDays =
    stored === undefined && planned !== undefined && declares(planned.parameter)
      ? (from: Date, to: Date): Query => ({ ...base, ...planned.between(from, to) })
      : undefined;
  if (stored !== undefined && since !== undefined) {
    const from = new Date(since.getTime() - overlapMs);
    return { query: { ...base, ...stored.query(from) }, isFull: false, isDated: false, refusedBy, between, onDays };
  }
  const dated = grammar.dated !== undefined && declares(grammar.dated.parameter) ? grammar.dated : undefined;
  const isDated = dated !== undefined && lookBackTo !== undefined;
  return {
    query: { ...base, ...stored?.query(undefined), ...(isDated && dated.query(lookBackTo)) },
    isFull: true,
    isDated,
    refusedBy,
    between,
    onDays,
  };
}

const patientNeeded = notOffered('it is searched within one patient only (ehr-behaviour E13, section 1)');
const noPatient = notOffered('it is not searched within one patient');
