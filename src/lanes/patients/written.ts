// What has been written to the chart of one patient about a client: for the person who must know it when that chart was the wrong one, or has
// become another.

import { sql, type Transaction } from 'kysely';
import type { JsonObject } from '../../json.ts';
import type { Database } from '../../store/store.ts';
import { nameOf } from '../lane-resource.ts';
import type { ClientOn } from './patient-link.ts';

/** One resource; ids and times only. */
export interface Written {
  readonly resourceType: string;
  readonly id: string;
  /** `goal/g1#goal`: what of ours it is. */
  readonly slot: string;
  /** Of the last write that is known to have been done. */
  readonly at: string;
  /** Marked there as entered in error already. */
  readonly takenBack: boolean;
}

/** Everything of the client's records that names this patient, and every document about the client. */
export async function writtenTo(
  trx: Transaction<Database>,
  client: ClientOn,
  patientId: string,
): Promise<readonly Written[]> {
  const reference = JSON.stringify(`Patient/${patientId}`);
  const { rows } = await sql<{
    type: string;
    id: string;
    slot: string;
    resource_type: string;
    remote_id: string;
    retired_at: Date | null;
    at: Date;
  }>`
    select l.type, l.id, l.slot, l.resource_type, l.remote_id, l.retired_at, coalesce((
      select max(o.closed_at) from operation o where o.connection = l.connection and o.source = l.source and o.type = l.type
        and o.record_id = l.id and o.slot = l.slot and o.generation = l.generation and o.outcome in ('ok', 'found')), l.updated_at) as at
    from link l join record r on r.source = l.source and r.type = l.type and r.id = l.id
    where l.connection = ${client.connection} and l.source = ${client.source} and r.client_id = ${client.clientId}
      and l.type <> 'client' and l.remote_id is not null and l.origin = 'created'
      and (l.route = 'document' or strpos(l.sent::text, ${reference}) > 0 or strpos(l.seen::text, ${reference}) > 0)
    order by l.type, l.id, l.slot, l.generation`.execute(trx);
  return rows.map((row) => ({
    resourceType: row.resource_type,
    id: row.remote_id,
    slot: nameOf(row),
    at: row.at.toISOString(),
    takenBack: row.retired_at !== null,
  }));
}

export function asDetail(written: readonly Written[]): JsonObject[] {
  return written.map((one) => ({ ...one }));
}
