// The list of lanes, and single lanes.

import { CasebridgeError, type Reason, reason } from '../../errors.ts';
import type { LaneKey } from '../../records/records.ts';
import { type Signed, type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';
import { type LaneState, laneReasonCode, laneState } from './lane-state.ts';

export interface LaneFilter {
  readonly source?: string;
  readonly state?: LaneState;
  readonly connection?: string;
  /** Code of the reason that they are shown with. */
  readonly reason?: string;
  /** Subject of the lanes. */
  readonly subject?: string;
  /** Of several subjects. */
  readonly subjects?: readonly string[];
  readonly limit: number;
  readonly after?: string;
}

export interface LaneView {
  readonly connection: string;
  readonly subject: string;
  readonly state: LaneState;
  readonly attempts: number;
  readonly nextTryAt: string | null;
  readonly nextLookAt: string | null;
  readonly reason: Reason | null;
  /** Who has parked it, when, with what note; absent unless a person has. */
  readonly stopped?: Signed;
}

/** `{items, next}` by connection and subject. */
export async function listLanes({ db }: Store, filter: LaneFilter): Promise<Page<LaneView>> {
  const after = cursorKey('lanes', filter.after, ['', ''] as const);
  let query = selected(matching(db, filter))
    .orderBy('lane.connection')
    .orderBy('lane.subject')
    // Written out: for a limit that it does not know PostgreSQL plans as if a tenth of all lanes were asked for, and sorts them.
    .limit(sql.lit(filter.limit + 1));
  if (after) query = query.where(sql<boolean>`(lane.connection, lane.subject) > (${after[0]}, ${after[1]})`);
  const rows = await query.execute();
  return page(rows, filter.limit, shownLane, (row) => cursorText('lanes', [row.connection, row.subject]));
}

/** One lane. @throws CasebridgeError `lane-unknown` */
export async function laneView({ db }: Store, { connection, subject }: LaneKey): Promise<object> {
  const query = selected(joined(db)).where('lane.connection', '=', connection).where('lane.subject', '=', subject);
  const row = await query.executeTakeFirst();
  if (!row) throw new CasebridgeError('lane-unknown');
  return shownLane(row);
}

function joined(db: Store['db']) {
  return db.selectFrom('lane').leftJoin('connection', 'connection.id', 'lane.connection');
}

const isStopped = sql<boolean>`(lane.parked is not null or lane.stopped is not null)`;

/** The lanes that pass the filter, with nothing selected yet. */
export function matching(db: Store['db'], filter: Omit<LaneFilter, 'limit' | 'after'>) {
  let query = joined(db);
  if (filter.source !== undefined) query = query.where('lane.source', '=', filter.source);
  if (filter.subject !== undefined) query = query.where('lane.subject', '=', filter.subject);
  if (filter.subjects !== undefined) query = query.where('lane.subject', 'in', filter.subjects);
  if (filter.connection !== undefined) query = query.where('lane.connection', '=', filter.connection);
  if (filter.state !== undefined) query = query.where(laneState, '=', filter.state);
  // Says again what the state says, in the words of the index of those few.
  if (filter.state === 'parked') query = query.where(isStopped);
  if (filter.reason !== undefined) query = query.where(laneReasonCode, '=', filter.reason);
  return query;
}

function selected(query: ReturnType<typeof joined>) {
  return query
    .select(['lane.connection', 'lane.subject', 'lane.attempts', 'lane.next_try_at', 'lane.next_look_at'])
    .select(['lane.parked', 'lane.stopped', 'lane.reason', 'connection.paused', laneState.as('state')]);
}

type LaneRow = Awaited<ReturnType<ReturnType<typeof selected>['execute']>>[number];

function shownLane(row: LaneRow): LaneView {
  const { connection, subject, state, attempts } = row;
  return {
    connection,
    subject,
    state,
    attempts,
    nextTryAt: row.next_try_at?.toISOString() ?? null,
    nextLookAt: row.next_look_at?.toISOString() ?? null,
    reason: reasonOf(row, state),
    ...(row.stopped !== null && { stopped: row.stopped }),
  };
}

export type LaneReasons = Pick<LaneRow, 'stopped' | 'parked' | 'paused' | 'reason'>;

/** Why a lane is in the state that it is in. */
export function reasonOf(row: LaneReasons, state: LaneState): Reason | null {
  if (row.stopped !== null) return reason('lane-parked-by-operator', { by: row.stopped.by });
  if (state === 'parked') return row.parked;
  return state === 'paused' ? row.paused : row.reason;
}
