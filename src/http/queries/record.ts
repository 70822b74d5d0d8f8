// One record with what the other sides say of it and where it went.

import type { JsonObject } from '../../json.ts';
import type { RecordKey } from '../../records/records.ts';
import { type Store, sql } from '../../store/store.ts';

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

/** The newest link of each slot on each connection. */
export async function linksOf({ db }: Store, { source, type, id }: RecordKey): Promise<object[]> {
  const rows = await db
    .selectFrom('link')
    .distinctOn(['connection', 'slot'])
    .select(['connection', 'slot', 'resource_type', 'remote_id', 'route', 'state', 'reason', 'set_aside'])
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .orderBy('connection')
    .orderBy('slot')
    .orderBy(sql`generation desc`)
    .execute();
  return rows.map(({ connection, slot, resource_type, remote_id, route, state, reason, set_aside: aside }) => ({
    connection,
    slot,
    resourceType: resource_type,
    id: remote_id,
    route,
    state,
    reason: reason,
    ...(aside !== null && { setAside: { version: aside.version, by: aside.by, note: aside.note, at: aside.at } }),
  }));
}
