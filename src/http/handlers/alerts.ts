// Alerts: the list.

import { limitOf } from '../parameters.ts';
import { alertStates, listAlerts } from '../queries/alerts.ts';
import type { Route } from '../route.ts';

export const alertRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/alerts',
    summary: 'Alerts, newest first: each told once, with how often it happened since and when it was over.',
    access: { source: false, operator: 'read' },
    query: ['limit', 'after', 'state'],
    states: alertStates,
    handle: ({ gateway, query }) =>
      listAlerts(gateway.store, { state: query.state, limit: limitOf(query), after: query.after }),
  },
];
