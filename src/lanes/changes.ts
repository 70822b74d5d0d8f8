// What the other side did, offered back to the source: the change feed and the values kept beside the record (lanes.md 14).

import { type Kysely, sql, type Transaction } from 'kysely';
import { type Json, type JsonObject, objectsAt, pointerStep } from '../json.ts';
import { type AbsorbedElement, mergePatch, type NotUnderstood } from '../mapping/mapping.ts';
import { type ChangedElement, type Database, type JsonText, json } from '../store/store.ts';
import { bothChanges, fieldAfter, jointPatch, withFields } from './absorb/both-changes.ts';
import type { LaneKey, Lease } from './lease.ts';
import { markClocks } from './mark-clocks.ts';
import { sameFact } from './merge.ts';

export type LaneOfSource = LaneKey & { readonly source: string };

export interface Change {
  readonly op: 'patch' | 'propose' | 'withdraw';
  readonly type: string;
  readonly id: string;
  /** The merge patch (RFC 7396), or the proposed record. */
  readonly body: JsonObject;
  /** What of the record's resources a patch was read from, where the record's own value could be written over it. */
  readonly elements?: readonly ChangedElement[];
  /** Where it comes from; absent for what no resource says. */
  readonly lineage?: ChangeLineage;
}

/** Where a change comes from: as much PHI as the change itself. */
export interface ChangeLineage {
  /** The mapping version that read it. */
  readonly mapping: string;
  readonly resources: readonly {
    /** On the server: `Goal/123`. */
    readonly resource: string;
    readonly slot: string;
    readonly elements: readonly AbsorbedElement[];
    readonly notUnderstood: readonly NotUnderstood[];
  }[];
}

/** Appends to the source's feed. Cursors are taken from one locked row per source, so that none becomes visible after a higher one. */
export async function offerChanges(
  trx: Transaction<Database>,
  lane: LaneOfSource,
  changes: readonly Change[],
): Promise<void> {
  for (const { op, type, id, body, elements = [], lineage } of changes) {
    const { last } = await trx
      .insertInto('change_counter')
      .values({ source: lane.source, last: 1 })
      .onConflict((conflict) => conflict.column('source').doUpdateSet({ last: sql<number>`change_counter.last + 1` }))
      .returning('last')
      .executeTakeFirstOrThrow();
    await trx
      .insertInto('change')
      .values({
        source: lane.source,
        cursor: last,
        connection: lane.connection,
        subject: lane.subject,
        op,
        type,
        id,
        body: json(body),
        elements: elements.length === 0 ? null : json(elements),
        ...(lineage && { lineage: json<Json>(toJson(lineage)) }),
      })
      .execute();
  }
}

function toJson(lineage: ChangeLineage): Json {
  return {
    mapping: lineage.mapping,
    resources: lineage.resources.map(({ elements, notUnderstood, ...of }) => ({
      ...of,
      elements: elements.map((one) => ({ ...one, pointers: [...one.pointers] })),
      notUnderstood: notUnderstood.map((one) => ({ ...one })),
    })),
  };
}

/**
 * Offers a patch, and keeps each patched field's value as what the other side says of the record.
 * @param record as the patch was made from it; absent: as it is stored
 */
export async function offerPatch(
  trx: Transaction<Database>,
  lane: LaneOfSource,
  patch: Omit<Change, 'op'>,
  record?: JsonObject,
): Promise<void> {
  const { type, id, body } = patch;
  await offerChanges(trx, lane, [{ op: 'patch', ...patch }]);
  for (const [field, value] of Object.entries(body)) {
    const stored = sql<JsonText<Json>>`(select r.content -> ${field}::text from record r
      where r.source = ${lane.source} and r.type = ${type} and r.id = ${id})`;
    const base = record === undefined ? stored : json<Json>(record[field] ?? null);
    const content = { value: json<Json>(value), base, seen_at: sql<Date>`now()`, refused_at: null };
    await trx
      .insertInto('remote_value')
      .values({ connection: lane.connection, source: lane.source, type, id, pointer: pointerStep(field), ...content })
      .onConflict((conflict) =>
        conflict.columns(['source', 'type', 'id', 'connection', 'pointer']).doUpdateSet(content),
      )
      .execute();
  }
  if (isCounted(type, body)) await markClocks(trx, lane.subject);
}

/**
 * What the source has refused of it counts for no clock; `isRefused` false: it has thought better of it.
 * @returns what of it the other side still says
 */
export async function keepRefused(
  trx: Transaction<Database>,
  { connection, source, subject }: LaneOfSource,
  { type, id, body }: Pick<Change, 'type' | 'id' | 'body'>,
  isRefused: boolean,
): Promise<JsonObject> {
  const said: [string, Json][] = [];
  for (const [field, value] of Object.entries(body)) {
    const { numUpdatedRows } = await trx
      .updateTable('remote_value')
      .set({ refused_at: isRefused ? sql<Date>`now()` : null })
      .where((is) => is.and({ connection, source, type, id, pointer: pointerStep(field) }))
      .where(sql<boolean>`value = ${json<Json>(value)}`)
      .executeTakeFirst();
    if (numUpdatedRows > 0n) said.push([field, value]);
  }
  if (isCounted(type, body)) await markClocks(trx, subject);
  return Object.fromEntries(said);
}

/** Whether the patch says something that counts for clocks before it is taken over (`clocks/load.ts`). */
function isCounted(type: string, patch: JsonObject): boolean {
  return type === 'referral' && ('firstContact' in patch || 'cancelRequest' in patch);
}

/** The comments of a referral as they were last offered from this server, where its source has not taken them over. */
export async function commentsOffered(db: Kysely<Database>, lane: LaneOfSource, id: string): Promise<JsonObject[]> {
  return objectsAt((await referralsOffered(db, lane, [id])).get(id), 'comments');
}

/**
 * By id of a referral: the fields that were offered from this server and that its source has neither taken over nor refused, as they were offered
 * last.
 */
export async function referralsOffered(
  db: Kysely<Database>,
  { connection, source }: LaneOfSource,
  ids: readonly string[],
): Promise<ReadonlyMap<string, JsonObject>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('remote_value')
    .select(['id', 'pointer', 'value'])
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('type', '=', 'referral')
    .where('id', 'in', ids)
    .where('refused_at', 'is', null)
    .execute();
  const fields = Map.groupBy(rows, ({ id }) => id);
  return new Map(
    [...fields].map(([id, of]) => [id, Object.fromEntries(of.map(({ pointer, value }) => [pointer.slice(1), value]))]),
  );
}

/**
 * By `type/id` of a record: its fields that were offered from this server and that its source has neither taken over nor refused, as they would be had
 * it done so; null for one that would be gone. What the source itself has changed since then stands.
 */
export async function fieldsOffered(
  db: Kysely<Database>,
  { connection, source }: LaneOfSource,
  records: readonly { readonly type: string; readonly id: string; readonly record: JsonObject }[],
): Promise<ReadonlyMap<string, JsonObject>> {
  if (records.length === 0) return new Map();
  const rows = await db
    .selectFrom('remote_value')
    .select(['type', 'id', 'pointer', 'value', 'base'])
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where((is) => is.or(records.map(({ type, id }) => is.and({ type, id }))))
    .where('refused_at', 'is', null)
    .execute();
  return new Map(
    records.map(({ type, id, record }) => {
      const fields = rows.flatMap((row) => {
        const field = fieldAt(row.pointer);
        const own = record[field];
        const offered = fieldAfter(row.base ?? undefined, row.value);
        return row.type === type && row.id === id
          ? [[field, bothChanges(row.base ?? undefined, offered, own) ?? null] as const]
          : [];
      });
      return [`${type}/${id}`, Object.fromEntries(fields)] as const;
    }),
  );
}

/** A patch that was made from the record alone, on top of what its source was offered of the same fields before. */
export async function withOffered(
  db: Kysely<Database>,
  lane: LaneOfSource,
  { type, id, record, patch }: { type: string; id: string; record: JsonObject; patch: JsonObject },
): Promise<JsonObject> {
  const offered = (await fieldsOffered(db, lane, [{ type, id, record }])).get(`${type}/${id}`) ?? {};
  const earlier = Object.entries(mergePatch(record, withFields(record, offered))).filter(([field]) => field in patch);
  return jointPatch(record, [Object.fromEntries(earlier), patch]);
}

/** Forgets values that the record itself says by now: its source has taken over all that the other side had changed in them. */
export async function dropAgreedValues(trx: Transaction<Database>, { connection, subject }: Lease): Promise<void> {
  const rows = await trx
    .selectFrom('remote_value as v')
    .innerJoin('record as r', (join) =>
      join.onRef('r.source', '=', 'v.source').onRef('r.type', '=', 'v.type').onRef('r.id', '=', 'v.id'),
    )
    .select(['v.source', 'v.type', 'v.id', 'v.pointer', 'v.value', 'v.base', 'r.content'])
    .where('v.connection', '=', connection)
    .where('r.subject', '=', subject)
    .execute();
  for (const { source, type, id, pointer, value, base, content } of rows) {
    const own = content[fieldAt(pointer)];
    const before = base ?? undefined;
    if (!sameFact(bothChanges(before, own, fieldAfter(before, value)), own)) continue;
    await trx
      .deleteFrom('remote_value')
      .where((is) => is.and({ connection, source, type, id, pointer }))
      .execute();
  }
}

function fieldAt(pointer: string): string {
  return pointer.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
}
