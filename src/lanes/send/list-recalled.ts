// After a withdrawal: what had been sent, and that its recall was written, for the person who answers for it (lanes.md 16).

import type { Transaction } from 'kysely';
import { reason } from '../../errors.ts';
import type { Database } from '../../store/store.ts';
import { openDecision } from '../decisions/decisions.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';

/** Whether retiring it is a recall that is listed; a readable document has a list of its own. */
export function isListed({ leave }: Pick<LaneResource, 'leave'>): boolean {
  return leave?.code === 'consent-withdrawn';
}

/** To be called whenever the link of one that `isListed` has been retired, however its outcome came to be known. */
export async function listRecalled(trx: Transaction<Database>, lease: Lease): Promise<void> {
  const rows = await trx
    .selectFrom('link')
    .select(['type', 'id', 'slot', 'resource_type', 'remote_id', 'retired_at'])
    .where('connection', '=', lease.connection)
    .where('subject', '=', lease.subject)
    .where('retired_at', 'is not', null)
    .orderBy('type')
    .orderBy('id')
    .execute();
  await openDecision(trx, lease, {
    kind: 'recalled',
    topic: 'recalled',
    reason: reason('consent-withdrawn', { recordType: 'record' }),
    detail: {
      recalled: rows.map((row) => ({
        resource: nameOf(row),
        sentAs: `${row.resource_type}/${row.remote_id}`,
        recalledAt: row.retired_at?.toISOString() ?? null,
      })),
    },
    choices: [{ choose: 'done', effect: 'Seen. Nothing more is sent or changed.' }],
  });
}
