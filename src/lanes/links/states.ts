// The state of each resource as it can be asked for, with or without a link of its own.

import { sql, type Transaction } from 'kysely';
import type { Reason } from '../../errors.ts';
import { type Database, json } from '../../store/store.ts';
import type { LaneResource } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';

export interface SlotState {
  readonly resource: LaneResource;
  readonly state: string;
  readonly reason: Reason | undefined;
}

/** Keeps the state of slots, with or without a link of their own: every resource has one that can be asked for. */
export async function saveStates(
  trx: Transaction<Database>,
  lease: Lease,
  states: readonly SlotState[],
): Promise<void> {
  if (states.length === 0) return;
  const rows = states.map(({ resource, state, reason: why }) => ({
    type: resource.key.type,
    id: resource.key.id,
    slot: resource.key.slot,
    generation: resource.link?.generation ?? resource.nextGeneration,
    resource_type: resource.resourceType,
    record_version: resource.recordVersion,
    route: resource.route.route,
    state,
    reason: why === undefined ? null : { code: why.code, text: why.text },
  }));
  await sql`
    insert into link (connection, source, subject, type, id, slot, generation, resource_type, record_version, route, state, reason)
    select ${lease.connection}, ${lease.source}, ${lease.subject}, s.* from jsonb_to_recordset(${json(rows)})
      as s(type text, id text, slot text, generation integer, resource_type text, record_version integer, route text, state text, reason jsonb)
    on conflict (connection, source, type, id, slot, generation) do update set
      record_version = excluded.record_version, route = excluded.route, state = excluded.state, reason = excluded.reason,
      updated_at = now()`.execute(trx);
}
