// The change feed: what the other side did, offered back to its source.

import { limitOf } from '../parameters.ts';
import { addressedSource } from '../principal.ts';
import { listChanges } from '../queries/changes.ts';
import type { Route } from '../route.ts';

export const changeRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/changes',
    summary: 'Changes from the other side, oldest first. `next` is always set: ask on from it.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source'],
    handle: (call) =>
      listChanges(call.gateway.store, addressedSource(call), { limit: limitOf(call.query), after: call.query.after }),
  },
];
