// One record with what the other sides say of it and where it went.

import { type Reason, reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { RecordKey } from '../../records/records.ts';
import { type SetAside, type Store, sql } from '../../store/store.ts';
import { type LaneState, laneState } from './lane-state.ts';
import { type LaneReasons, reasonOf } from './lanes.ts';

export interface StoredRecordView {
  readonly record: JsonObject;
  readonly version: number;
  readonly subject: string;
}

/** The stored record; undefined when its source never sent it. */
export async function findRecord(
  { db }: Store,
  { source, type, id }: RecordKey,
): Promise<StoredRecordView | undefined> {
  const row = await db
    .selectFrom('record')
    .select(['content', 'version', 'subject'])
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { record: row.content, version: row.version, subject: row.subject };
}

/** What connections hold that differs from the record, by connection and pointer. */
export async function remoteValues({ db }: Store, { source, type, id }: RecordKey): Promise<object[]> {
  const rows = await db
    .selectFrom('remote_value')
    .select(['connection', 'pointer', 'value', 'seen_at'])
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .orderBy('connection')
    .orderBy('pointer')
    .execute();
  return rows.map(({ connection, pointer, value, seen_at }) => ({
    connection,
    pointer,
    value,
    seenAt: seen_at.toISOString(),
  }));
}

/**
 * The newest link of each slot on each connection. What a link says is of the version that its lane has looked at last: where a newer one waits for
 * the lane, the link is `due`.
 */
export async function linksOf(store: Store, key: RecordKey): Promise<object[]> {
  const [linked, awaited] = await Promise.all([linkedOn(store, key), awaitedOn(store, key)]);
  return [...linked, ...awaited];
}

/** Connections whose lane has not planned the record yet: which resources it becomes there is not known. */
async function awaitedOn({ db }: Store, { source, type, id }: RecordKey): Promise<object[]> {
  const rows = await db
    .selectFrom('record')
    .innerJoin('lane', 'lane.subject', 'record.subject')
    .leftJoin('connection', 'connection.id', 'lane.connection')
    .select(['lane.connection', 'record.version', laneState.as('lane_state')])
    .select(['lane.stopped', 'lane.parked', 'lane.reason as lane_reason', 'connection.paused'])
    .where('record.source', '=', source)
    .where('record.type', '=', type)
    .where('record.id', '=', id)
    .where('record.deleted', '=', false)
    .whereRef('lane.done', '<', 'lane.wanted')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('link')
            .select('link.slot')
            .whereRef('link.connection', '=', 'lane.connection')
            .whereRef('link.source', '=', 'record.source')
            .whereRef('link.type', '=', 'record.type')
            .whereRef('link.id', '=', 'record.id'),
        ),
      ),
    )
    .orderBy('lane.connection')
    .execute();
  return rows.map((row) => ({
    connection: row.connection,
    slot: null,
    resourceType: null,
    id: null,
    route: null,
    state: 'due',
    reason: whyBehind(row),
  }));
}

async function linkedOn({ db }: Store, { source, type, id }: RecordKey): Promise<object[]> {
  const rows = await db
    .selectFrom('link')
    .innerJoin('record', (join) =>
      join
        .onRef('record.source', '=', 'link.source')
        .onRef('record.type', '=', 'link.type')
        .onRef('record.id', '=', 'link.id'),
    )
    .leftJoin('lane', (join) =>
      join.onRef('lane.connection', '=', 'link.connection').onRef('lane.subject', '=', 'link.subject'),
    )
    .leftJoin('connection', 'connection.id', 'link.connection')
    .distinctOn(['link.connection', 'link.slot'])
    .select(['link.connection', 'link.slot', 'link.resource_type', 'link.remote_id', 'link.route', 'link.state'])
    .select(['link.reason', 'link.set_aside', 'record.version', laneState.as('lane_state')])
    .select(['lane.stopped', 'lane.parked', 'lane.reason as lane_reason', 'connection.paused'])
    .select(
      sql<boolean>`link.state <> 'leaving' and link.record_version < record.version and coalesce(lane.done < lane.wanted, false)`.as(
        'is_behind',
      ),
    )
    .where('link.source', '=', source)
    .where('link.type', '=', type)
    .where('link.id', '=', id)
    .orderBy('link.connection')
    .orderBy('link.slot')
    .orderBy(sql`link.generation desc`)
    .execute();
  return rows.map((row) => ({
    connection: row.connection,
    slot: row.slot,
    resourceType: row.resource_type,
    id: row.remote_id,
    route: row.route,
    state: row.is_behind ? 'due' : row.state,
    reason: row.is_behind ? whyBehind(row) : row.reason,
    ...(row.set_aside !== null && { setAside: asideOf(row.set_aside) }),
  }));
}

type Behind = Omit<LaneReasons, 'reason'> & {
  readonly version: number;
  readonly lane_state: LaneState;
  readonly lane_reason: Reason | null;
};

/** What holds the lane up; else that it has not run yet. */
function whyBehind({ version, lane_state: state, lane_reason: laneReason, ...lane }: Behind): Reason {
  const isHeldUp = state === 'paused' || state === 'parked' || state === 'retrying';
  return (isHeldUp ? reasonOf({ ...lane, reason: laneReason }, state) : null) ?? reason('version-due', { version });
}

function asideOf({ version, by, note, at }: SetAside): object {
  return { version, by, note, at };
}
