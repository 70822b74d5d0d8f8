// What a poll asks, as a query: without the overlap, of one patient or of all.

import { isOffered, type NotOffered, pollQuery, type Query, type Vendor } from '../../src/connections/connections.ts';

export function changesQuery(
  vendor: Vendor,
  resourceType: string,
  window: { readonly since?: Date; readonly declared: readonly string[]; readonly patientId?: string },
): Query | NotOffered {
  const { declared: searchParams, ...rest } = window;
  const search = pollQuery(vendor, resourceType, { ...rest, searchParams, overlapMs: 0 });
  return isOffered(search) ? search.query : search;
}
