// What the other side did, offered back to the source: the change feed and the values kept beside the record (lanes.md 14).

import { type Kysely, sql, type Transaction } from 'kysely';
import { type Json, type JsonObject, objectsAt, pointerStep } from '../json.ts';
import type { AbsorbedElement, NotUnderstood } from '../mapping/mapping.ts';
import { type ChangedElement, type Database, json } from '../store/store.ts';
import type { LaneKey, Lease } from './lease.ts';
import { markClocks } from './mark-clocks.ts';

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

/** Offers a patch, and keeps each patched field's value as what the other side says of the record. */
export async function offerPatch(
  trx: Transaction<Database>,
  lane: LaneOfSource,
  patch: Omit<Change, 'op'>,
): Promise<void> {
  const { type, id, body } = patch;
  await offerChanges(trx, lane, [{ op: 'patch', ...patch }]);
  for (const [field, value] of Object.entries(body)) {
    const content = { value: json<Json>(value), seen_at: sql<Date>`now()`, refused_at: null };
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

/** Forgets values that the record itself says by now: its source has taken the change over (of a list: all its items; what is to go from a field counts for nothing). */
export async function dropAgreedValues(trx: Transaction<Database>, lease: Lease): Promise<void> {
  await sql`
    delete from remote_value v using record r
    where v.connection = ${lease.connection} and r.source = v.source and r.type = v.type and r.id = v.id
      and r.subject = ${lease.subject}
      and coalesce(r.content -> replace(replace(substr(v.pointer, 2), '~1', '/'), '~0', '~'), 'null') @> jsonb_strip_nulls(v.value)`.execute(
    trx,
  );
}
