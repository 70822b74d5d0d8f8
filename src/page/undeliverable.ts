// A referral whose partner could not be told: its source is offered the state `undeliverable` (closed-loop B7: not final; sent again, it goes on).

import type { PartnerConfig } from '../config.ts';
import { objectsAt } from '../json.ts';
import { keepRemoteValues, offerChanges } from '../lanes/lanes.ts';
import { type Database, sql, type Transaction } from '../store/store.ts';

export async function undeliverable(
  trx: Transaction<Database>,
  { id: partner, organization }: PartnerConfig,
  taskId: string,
): Promise<void> {
  const record = await trx
    .selectFrom('link')
    .innerJoin('record', (join) =>
      join
        .onRef('record.source', '=', 'link.source')
        .onRef('record.type', '=', 'link.type')
        .onRef('record.id', '=', 'link.id'),
    )
    .select(['record.id', 'record.subject', 'record.content', sql<Date>`now()`.as('now')])
    .where('link.connection', '=', partner)
    .where('link.resource_type', '=', 'Task')
    .where('link.remote_id', '=', taskId)
    .where('link.retired_at', 'is', null)
    .executeTakeFirst();
  // Whoever has begun with it has been told in another way.
  if (record === undefined || record.content.status !== 'sent') return;
  const at = record.now.toISOString();
  const step = { id: `undeliverable-${taskId}`, status: 'undeliverable', at, reason: 'The partner could not be told.' };
  const known = objectsAt(record.content, 'history');
  if (known.some(({ id }) => id === step.id)) return;
  const patch = { status: 'undeliverable', history: [...known, step] };
  const lane = { connection: partner, subject: record.subject, source: organization.source };
  await offerChanges(trx, lane, [{ op: 'patch', type: 'referral', id: record.id, body: patch }]);
  await keepRemoteValues(trx, lane, 'referral', record.id, patch);
}
