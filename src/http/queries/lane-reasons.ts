// Lanes counted by connection, state and reason: what is parked, waiting or retrying, and why.

import { type Store, sql } from '../../store/store.ts';
import type { Page } from '../cursor.ts';
import { type LaneState, laneReasonCode, laneState } from './lane-state.ts';
import { type LaneFilter, matching } from './lanes.ts';

export interface LaneReasonView {
  readonly connection: string;
  readonly state: LaneState;
  readonly code: string | null;
  readonly text: string | null;
  readonly count: number;
}

/** `{items, next}`: one item for each connection, state and reason code, with the text of one of them. All of them: there are never many. */
export async function laneReasons(
  { db }: Store,
  filter: Omit<LaneFilter, 'limit' | 'after'>,
): Promise<Page<LaneReasonView>> {
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
