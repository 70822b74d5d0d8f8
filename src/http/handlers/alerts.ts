// Alerts: the list.

import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { alertStates, listAlerts } from '../queries/alerts.ts';
import type { Route } from '../route.ts';

export const alertRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/alerts',
    summary:
      'Alerts, newest first: each told once, with how often it happened since and when it was over. A source sees those that are for its workers.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'state', 'source'],
    states: alertStates,
    handle: (call) => {
      const { state, after } = call.query;
      return listAlerts(call.gateway.store, { source: visibleSource(call), state, limit: limitOf(call.query), after });
    },
  },
];
