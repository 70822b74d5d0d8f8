// An appointment that a partner has made at our own home, as a proposal to the source: there is nothing to look for on a server, so it is offered in the transaction
// that makes it. The source takes it over as any other proposal, by a record with the same `origin`.

import { sql, type Transaction } from 'kysely';
import { contentHash } from '../../fhir/fhir.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { MappingSet } from '../../mapping/mapping.ts';
import { type Database, json } from '../../store/store.ts';
import { type LaneOfSource, offerChanges } from '../changes.ts';
import { partsIn, slotFor } from './propose.ts';
import { proposedId } from './rows.ts';

const type = 'appointment';

export interface Made {
  /** As it stands at the home. */
  readonly resource: JsonObject & { readonly resourceType: string; readonly id: string };
  /** The record that is proposed, without id and origin. */
  readonly record: JsonObject;
}

/** The record as it is offered. */
export function madeRecord({ connection }: LaneOfSource, { resource, record }: Made): JsonObject {
  const { resourceType, id: remoteId } = resource;
  const id = proposedId(connection, type, resourceType, remoteId);
  return { ...record, id, origin: { connection, resourceType, id: remoteId } };
}

/** Equal as long as nothing but the time of the offer has changed. */
export function hashOfMade({ updatedAt: _at, ...record }: JsonObject): string {
  return contentHash(record);
}

/** Offers it, again under the same id when it has changed. What the source has answered already is left to its lane. */
export async function offerAppointmentMade(
  trx: Transaction<Database>,
  lane: LaneOfSource,
  mappings: MappingSet,
  made: Made,
): Promise<void> {
  const { connection, source, subject } = lane;
  const { resource } = made;
  const { resourceType, id: remoteId } = resource;
  const id = proposedId(connection, type, resourceType, remoteId);
  const offered = madeRecord(lane, made);
  const slot = slotFor(mappings, type, resourceType);
  const parts = slot === undefined ? [] : partsIn(mappings, type, slot, resource);
  const { rows } = await sql<{ id: string }>`
    insert into inbound as i (connection, source, resource_type, remote_id, type, id, subject, state, offered, offered_hash, parts)
    values (${connection}, ${source}, ${resourceType}, ${remoteId}, ${type}, ${id}, ${subject}, 'proposed',
      ${json(offered)}, ${hashOfMade(offered)}, ${json<Json>(parts.map((part) => ({ ...part, facts: { ...part.facts } })))})
    on conflict (connection, source, type, resource_type, remote_id) do update set
      subject = excluded.subject, state = excluded.state, offered = excluded.offered, offered_hash = excluded.offered_hash,
      parts = excluded.parts, updated_at = now()
    where i.state = 'withdrawn' or i.state = 'proposed' and i.offered_hash <> excluded.offered_hash
    returning i.id`.execute(trx);
  if (rows.length > 0) await offerChanges(trx, lane, [{ op: 'propose', type, id, body: offered }]);
}

/** Takes it back, where the source has not answered yet. */
export async function withdrawAppointmentMade(
  trx: Transaction<Database>,
  lane: LaneOfSource,
  { resourceType, id: remoteId }: Pick<Made['resource'], 'resourceType' | 'id'>,
): Promise<void> {
  const { connection, source } = lane;
  const { numUpdatedRows } = await trx
    .updateTable('inbound')
    .set({ state: 'withdrawn', updated_at: sql<Date>`now()` })
    .where((is) => is.and({ connection, source, type, resource_type: resourceType, remote_id: remoteId }))
    .where('state', '=', 'proposed')
    .executeTakeFirst();
  const id = proposedId(connection, type, resourceType, remoteId);
  if (numUpdatedRows > 0n) await offerChanges(trx, lane, [{ op: 'withdraw', type, id, body: {} }]);
}
