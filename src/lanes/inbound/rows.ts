// Rows of what began on the other side: the names that proposals bear, and changes that are made only to the row that they were worked out from.

import type { Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Reason } from '../../errors.ts';
import { contentHash } from '../../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Facts } from '../../mapping/mapping.ts';
import { type Database, json } from '../../store/store.ts';
import type { Lease } from '../lease.ts';

export type InboundRow = Selectable<Database['inbound']>;

export type InboundState = 'new' | 'kept' | 'proposed' | 'withdrawn' | 'refused' | 'adopted';

/** One resource that a proposal was read from, and what it said then. */
export interface InboundPart {
  readonly slot: string;
  readonly resourceType: string;
  readonly remoteId: string;
  readonly facts: Facts;
  /** As `hashOfSeen` makes it. */
  readonly hash: string;
}

/** The id of a proposal: the same for the same resource, whenever it is seen. */
export function proposedId(connection: string, type: string, resourceType: string, remoteId: string): string {
  return `${connection}.${contentHash(`${type} ${resourceType}/${remoteId}`).slice(0, 24)}`;
}

export function partsOf(row: Pick<InboundRow, 'parts'>): InboundPart[] {
  return (Array.isArray(row.parts) ? row.parts : []).flatMap((part) => {
    if (!isObject(part)) return [];
    const { slot, resourceType, remoteId, facts, hash } = part;
    const isWhole =
      typeof slot === 'string' &&
      typeof resourceType === 'string' &&
      typeof remoteId === 'string' &&
      typeof hash === 'string' &&
      isObject(facts);
    return isWhole ? [{ slot, resourceType, remoteId, facts, hash }] : [];
  });
}

/** What becomes of a row; what is not named stays as it is. */
export interface InboundChange {
  /** What it was worked out from; one that has changed since, or is there already, is left alone. */
  readonly row: Pick<InboundRow, 'resource_type' | 'remote_id' | 'type' | 'id' | 'state' | 'look'> & {
    readonly isNew: boolean;
  };
  readonly patient: string | undefined;
  readonly state: InboundState;
  readonly reason: Reason | undefined;
  readonly look: string;
  readonly offered?: { readonly record: JsonObject; readonly hash: string; readonly parts: readonly InboundPart[] };
  readonly recordId?: string;
}

/** @returns false: somebody else has changed the row meanwhile, and nothing was stored. */
export async function storeInbound(trx: Transaction<Database>, lease: Lease, change: InboundChange): Promise<boolean> {
  const { row, patient, state, look, offered, recordId } = change;
  const content = {
    state,
    look,
    patient: patient ?? null,
    reason: change.reason === undefined ? null : json(change.reason),
    subject: lease.subject,
    ...(offered && {
      offered: json(offered.record),
      offered_hash: offered.hash,
      parts: json<Json>(offered.parts.map((part) => ({ ...part, facts: { ...part.facts } }))),
    }),
    ...(recordId !== undefined && { record_id: recordId }),
    updated_at: sql<Date>`now()`,
  };
  const key = {
    connection: lease.connection,
    source: lease.source,
    resource_type: row.resource_type,
    remote_id: row.remote_id,
    type: row.type,
  };
  if (row.isNew) {
    const made = await trx
      .insertInto('inbound')
      .values({ ...key, id: row.id, ...content })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .execute();
    return made.length > 0;
  }
  const { numUpdatedRows } = await trx
    .updateTable('inbound')
    .set(content)
    .where((is) => is.and(key))
    .where('state', '=', row.state)
    .where(sql<boolean>`look is not distinct from ${row.look}`)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
