// Lanes: the lists, and what an operator does to one by hand.

import { CasebridgeError, errorKinds, isErrorCode } from '../../errors.ts';
import { didYouMean } from '../../nearest.ts';
import { type FieldRules, note, readFields, signatureOf, textOf, words } from '../answer-fields.ts';
import { readJson } from '../body.ts';
import { keepCallersLook } from '../looks.ts';
import { limitOf } from '../parameters.ts';
import { checkAccess, visibleSource } from '../principal.ts';
import { laneReasons } from '../queries/lane-reasons.ts';
import { isLaneState } from '../queries/lane-state.ts';
import { type LaneFilter, laneView, listLanes } from '../queries/lanes.ts';
import type { Call, Route } from '../route.ts';
import { workingConnection } from '../working-connection.ts';

const readers = { source: true, operator: 'read' } as const;
const runners = { source: false, operator: 'run' } as const;

/** Why, for colleagues. */
const parking = { note: words } satisfies FieldRules;
const skipping = {
  resource: {
    fits: (value) => typeof value === 'string' && /^[A-Za-z]+\/[A-Za-z0-9._-]{1,64}#\S{1,200}$/.test(value),
    form: 'a resource as the lane names it, such as referral/r1#request',
  },
  note,
} satisfies FieldRules;

export const laneRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/lanes',
    summary: 'Lanes with their state; of one connection, in one state, for one reason where these are given.',
    access: readers,
    query: ['limit', 'after', 'source', 'connection', 'state', 'reason'],
    handle: (call) => listLanes(call.gateway.store, filterOf(call)),
  },
  {
    method: 'GET',
    path: '/api/lanes/reasons',
    summary: 'How many lanes are in each state for each reason, by connection, the most frequent first.',
    access: readers,
    query: ['limit', 'after', 'source', 'connection', 'state', 'reason'],
    handle: (call) => laneReasons(call.gateway.store, filterOf(call)),
  },
  {
    method: 'POST',
    path: '/api/lanes/{connection}/{subject}/run',
    summary:
      'Want a lane now, also a parked one; with dryRun answer the plan and change nothing, which needs `read` as well.',
    access: runners,
    act: { action: 'run', on: 'lane' },
    query: ['dryRun'],
    handle: runLane,
  },
  {
    method: 'POST',
    path: '/api/lanes/{connection}/{subject}/retry',
    summary: 'Try at once what is parked or waits for its next try.',
    access: runners,
    act: { action: 'retry', on: 'lane' },
    handle: (call) => act(call, (lane) => call.gateway.retryLane(lane)),
  },
  {
    method: 'POST',
    path: '/api/lanes/{connection}/{subject}/park',
    summary: 'Stop the lane until an operator runs or retries it: {note}.',
    access: runners,
    act: { action: 'park', on: 'lane' },
    takes: ['application/json'],
    fields: parking,
    handle: parkLane,
  },
  {
    method: 'POST',
    path: '/api/lanes/{connection}/{subject}/skip',
    summary:
      'Set the refused versions of a lane aside until their records have new ones: {resource?: as in referral/r1#request, note?}. Answers the lane with what was skipped.',
    access: runners,
    act: { action: 'skip', on: 'lane' },
    takes: ['application/json'],
    fields: skipping,
    handle: skipStuck,
  },
];

function filterOf(call: Call): LaneFilter {
  const { state, reason, connection } = call.query;
  if (connection !== undefined && !call.gateway.config.connections.has(connection))
    throw new CasebridgeError('connection-unknown', { connection });
  if (reason !== undefined && !isErrorCode(reason))
    throw new CasebridgeError('parameter-invalid', {
      name: 'reason',
      form: `a code that docs/errors.md lists${didYouMean(reason, Object.keys(errorKinds))}`.replace(/\.$/, ''),
    });
  return {
    source: visibleSource(call),
    limit: limitOf(call.query),
    after: call.query.after,
    ...(connection !== undefined && { connection }),
    ...(reason !== undefined && { reason }),
    ...(isLaneState(state) && { state }),
  };
}

interface Addressed {
  readonly connection: string;
  readonly subject: string;
}

/** @throws CasebridgeError `connection-unknown`, `connection-not-in-use` */
function addressed({ gateway, path }: Call): Addressed {
  workingConnection(gateway.config, path.connection);
  return { connection: path.connection ?? '', subject: path.subject ?? '' };
}

async function runLane(call: Call): Promise<object> {
  const { gateway, query } = call;
  const lane = addressed(call);
  await laneView(gateway.store, lane);
  if (query.dryRun === 'true') {
    // A plan shows what records and servers say.
    if (call.principal) checkAccess(readers, call.principal);
    await keepCallersLook(call, 'lane', `${lane.connection}/${lane.subject}`);
    return gateway.planLane(lane);
  }
  await gateway.runLane(lane);
  return laneView(gateway.store, lane);
}

async function act(call: Call, action: (lane: Addressed) => Promise<void>): Promise<object> {
  const lane = addressed(call);
  await action(lane);
  return laneView(call.gateway.store, lane);
}

async function parkLane(call: Call): Promise<object> {
  const signature = signatureOf(call, readFields(await readJson(call), parking));
  return act(call, (lane) => call.gateway.parkLane(lane, signature));
}

async function skipStuck(call: Call): Promise<object> {
  const fields = readFields(await readJson(call), skipping);
  const lane = addressed(call);
  const skipped = await call.gateway.skipStuck(lane, signatureOf(call, fields), textOf(fields.resource));
  return { ...(await laneView(call.gateway.store, lane)), skipped };
}
