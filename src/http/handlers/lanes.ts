// Lanes: the list, and running one by hand.

import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { isLaneState } from '../queries/lane-state.ts';
import { laneView, listLanes } from '../queries/lanes.ts';
import type { Call, Route } from '../route.ts';
import { workingConnection } from '../working-connection.ts';

export const laneRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/lanes',
    summary: 'Lanes with their state.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source', 'state'],
    handle: getLanes,
  },
  {
    method: 'POST',
    path: '/api/lanes/{connection}/{subject}/run',
    summary: 'Want a lane now; with dryRun answer the plan and change nothing.',
    access: { source: false, operator: 'run' },
    query: ['dryRun'],
    handle: runLane,
  },
];

function getLanes(call: Call): Promise<object> {
  const { state, after } = call.query;
  const filter = { source: visibleSource(call), limit: limitOf(call.query), after };
  return listLanes(call.gateway.store, isLaneState(state) ? { ...filter, state } : filter);
}

async function runLane({ gateway, path, query }: Call): Promise<object> {
  const lane = { connection: path.connection ?? '', subject: path.subject ?? '' };
  workingConnection(gateway.config, lane.connection);
  await laneView(gateway.store, lane);
  if (query.dryRun === 'true') return gateway.planLane(lane);
  await gateway.runLane(lane);
  return laneView(gateway.store, lane);
}
