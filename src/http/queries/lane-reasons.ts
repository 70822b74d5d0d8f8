// Lanes counted by connection, state and reason: what is parked, waiting or retrying, and why.

import { type Store, sql } from '../../store/store.ts';
import { laneReasonCode, laneState } from './lane-state.ts';
import { type LaneFilter, matching } from './lanes.ts';

/** `{items, next}`: one item for each connection, state and reason code, with the text of one of them. All of them: there are never many. */
export async function laneReasons({ db }: Store, filter: LaneFilter): Promise<{ items: object[]; next: null }> {
  const rows = await matching(db, filter)
    .select(['lane.connection', laneState.as('state'), laneReasonCode.as('code')])
    .select(sql<string | null>`min(coalesce(lane.parked, lane.reason) ->> 'text')`.as('text'))
    .select(sql<number>`count(*)::integer`.as('count'))
    .groupBy(['lane.connection', 'state', 'code'])
    .orderBy('count', 'desc')
    .orderBy('lane.connection')
    .orderBy('state')
    .orderBy('code')
    .execute();
  return { items: rows, next: null };
}
