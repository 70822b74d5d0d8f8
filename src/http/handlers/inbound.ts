// What began on the other side: what is offered of it, and why the rest is not.

import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { inboundStates, listInbound } from '../queries/inbound.ts';
import type { Route } from '../route.ts';

export const inboundRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/inbound',
    summary:
      'What began on the other side: each resource that no record of ours has made, what it is offered as, or why it is not. An operator who names no source also sees what polls could not read and set aside (state `unreadable`): the id that it has there, else its place in time, why, and since when.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source', 'state', 'connection'],
    states: inboundStates,
    handle: (call) => {
      const { state, connection, after } = call.query;
      const filter = { source: visibleSource(call), state, connection, limit: limitOf(call.query), after };
      return listInbound(call.gateway.store, filter);
    },
  },
];
