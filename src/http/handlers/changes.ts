// The change feed: what the other side did, offered back to its source.

import { limitOf } from '../parameters.ts';
import { addressedSource } from '../principal.ts';
import { listChanges } from '../queries/changes.ts';
import type { Route } from '../route.ts';

export const changeRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/changes',
    summary:
      'Changes from the other side, oldest first. `next` is always set: ask on from it. With lineage=true each says which elements of which resources it comes from.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source', 'lineage'],
    handle: (call) =>
      listChanges(call.gateway.store, addressedSource(call), {
        limit: limitOf(call.query),
        after: call.query.after,
        lineage: call.query.lineage === 'true',
      }),
  },
];
