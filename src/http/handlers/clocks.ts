// Clocks: the list.

import { clockStates } from '../../clocks/clocks.ts';
import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { listClocks } from '../queries/clocks.ts';
import type { Route } from '../route.ts';

export const clockRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/clocks',
    summary:
      'Clocks that records have started, the earliest due first: what each waits for, until when, and who has to act.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source', 'state', 'worker', 'connection'],
    states: clockStates,
    handle: (call) => {
      const { state, worker, connection, after } = call.query;
      const filter = { source: visibleSource(call), state, worker, connection, limit: limitOf(call.query), after };
      return listClocks(call.gateway.store, filter);
    },
  },
];
