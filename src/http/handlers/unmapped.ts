// Codes that a ConceptMap does not know: what to add to the maps, the most common ones by their counts.

import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { listUnmapped } from '../queries/unmapped.ts';
import type { Route } from '../route.ts';

export const unmappedRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/unmapped',
    summary:
      'Codes that a ConceptMap does not know, with in how many records: on the way out as the record has them, on the way back as the server holds them.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source'],
    handle: (call) =>
      listUnmapped(call.gateway.store, {
        source: visibleSource(call),
        limit: limitOf(call.query),
        after: call.query.after,
      }),
  },
];
