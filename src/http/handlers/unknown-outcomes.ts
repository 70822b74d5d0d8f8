// Requests of which nobody knows what came.

import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { listUnknownOutcomes } from '../queries/unknown-outcomes.ts';
import type { Route } from '../route.ts';

export const unknownOutcomeRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/unknown-outcomes',
    summary:
      'Requests to FHIR servers of which it is not known what came, the oldest first, each with its lane, its resource and the X-Request-Id with which it was sent.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source', 'connection'],
    handle: (call) =>
      listUnknownOutcomes(call.gateway.store, {
        source: visibleSource(call),
        connection: call.query.connection,
        limit: limitOf(call.query),
        after: call.query.after,
      }),
  },
];
