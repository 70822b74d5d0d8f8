// What to ask to learn what changed on a server: the vendor's grammar around a cursor that holds the server's own times (lanes.md 20).

import type { Capabilities } from './capabilities.ts';
import type { Query } from './url.ts';
import type { Offered, Vendor } from './vendors/vendor.ts';

/** @default 5 minutes; covers writes that commit late and clocks of several server nodes */
export const pollOverlapMs = 5 * 60_000;

export interface PollWindow {
  /** The cursor, an instant of the server; absent: everything. */
  readonly since?: Date;
  readonly overlapMs?: number;
  /** Absent: the usual parameters are taken to be there. */
  readonly capabilities?: Capabilities;
}

/** The search for all resources of a type that changed in the window. */
export function pollQuery(vendor: Vendor, resourceType: string, window: PollWindow): Offered<Query> {
  const { since, overlapMs = pollOverlapMs, capabilities } = window;
  const from = since && new Date(since.getTime() - overlapMs);
  const declared = capabilities ? (capabilities.searchParams[resourceType] ?? []) : ['_lastUpdated'];
  return vendor.queries.changedSince(resourceType, from, declared);
}
