// The alert that a receiver does not take changes of some cases (docs/changes.md): it ends with the last delivery that is stuck, however that ends.

import type { Database, Transaction } from '../../store/store.ts';
import { closeAlert } from './alerts.ts';

export function stuckTopic(source: string): string {
  return `webhook-stuck:${source}`;
}

/** Closes the alert when nothing is stuck any more. */
export async function reviewStuck(trx: Transaction<Database>, source: string): Promise<void> {
  const left = await trx
    .selectFrom('delivery')
    .select('cursor')
    .where('source', '=', source)
    .where('stuck', '=', true)
    .executeTakeFirst();
  if (left === undefined) await closeAlert(trx, stuckTopic(source));
}
