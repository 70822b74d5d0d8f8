// What a resource of the other side stands for in a record of ours that exists: heard once, and remembered as such.

import type { JsonObject } from '../../json.ts';
import { type Database, json, sql, type Transaction } from '../../store/store.ts';
import type { Lease } from '../lease.ts';
import { proposedId } from './rows.ts';

export interface TakenOver {
  readonly recordId: string;
  readonly patient: string | undefined;
  readonly resourceType: string;
  readonly remoteId: string;
}

/** @param as what was offered of it, or the hash of what it said when it was heard: only another is news */
export async function keepTaken(
  trx: Transaction<Database>,
  { connection, source, subject }: Lease,
  { recordId, patient, resourceType, remoteId }: TakenOver,
  as: { readonly offered: JsonObject } | { readonly look: string },
): Promise<void> {
  const key = { connection, source, resource_type: resourceType, remote_id: remoteId, type: 'none' } as const;
  const taken = {
    state: 'adopted',
    record_id: recordId,
    reason: null,
    subject,
    ...(patient !== undefined && { patient }),
    ...('offered' in as ? { offered: json(as.offered) } : as),
  } as const;
  await trx
    .insertInto('inbound')
    .values({ ...key, ...taken, id: proposedId(connection, 'none', resourceType, remoteId) })
    .onConflict((conflict) =>
      conflict
        .columns(['connection', 'source', 'type', 'resource_type', 'remote_id'])
        .doUpdateSet({ ...taken, updated_at: sql<Date>`now()` }),
    )
    .execute();
  await trx
    .updateTable('seen')
    .set({ news_since: null })
    .where((is) => is.and({ connection, resource_type: resourceType, remote_id: remoteId }))
    .execute();
}
