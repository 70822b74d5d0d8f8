// Lanes counted by connection, state and reason: what is parked, waiting or retrying, and why.

import { oneText, type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';
import { type LaneState, laneReasonCode, laneState } from './lane-state.ts';
import { type LaneFilter, matching } from './lanes.ts';

export interface LaneReasonView {
  readonly connection: string;
  readonly state: LaneState;
  readonly code: string | null;
  readonly text: string | null;
  readonly count: number;
}

/** `{items, next}`: one item for each connection, state and reason code, with the text of one of them, the most frequent first. */
export async function laneReasons(
  { db }: Store,
  { limit, after, ...filter }: LaneFilter,
): Promise<Page<LaneReasonView>> {
  const key = cursorKey('lane-reasons', after, first);
  const rows = await matching(db, filter)
    .select(['lane.connection', laneState.as('state'), laneReasonCode.as('code')])
    .select(oneText(sql`coalesce(lane.parked, lane.reason) ->> 'text'`).as('text'))
    .select(sql<number>`count(*)::integer`.as('count'))
    .groupBy(['lane.connection', 'state', 'code'])
    .execute();
  // There are never many of them, and every one is counted for any page.
  const rest = rows.filter((row) => key === undefined || compare(keyOf(row), key) > 0);
  rest.sort((left, right) => compare(keyOf(left), keyOf(right)));
  return page(
    rest,
    limit,
    (row) => row,
    (row) => cursorText('lane-reasons', keyOf(row)),
  );
}

type Key = readonly [count: number, connection: string, state: string, code: string];

const first: Key = [0, '', '', ''];

function keyOf({ count, connection, state, code }: LaneReasonView): Key {
  return [count, connection, state, code ?? ''];
}

function compare([count, ...names]: Key, [otherCount, ...otherNames]: Key): number {
  if (count !== otherCount) return otherCount - count;
  const at = names.findIndex((name, index) => name !== otherNames[index]);
  return at === -1 ? 0 : (names[at] ?? '') < (otherNames[at] ?? '') ? -1 : 1;
}
