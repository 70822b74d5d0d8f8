// A stay that the hospital tells of starts clocks before its source has taken it over: the cases of its client are to be worked out anew.

import type { Transaction } from 'kysely';
import type { Database } from '../../store/store.ts';

/** @param subject of the client, which stands for all its cases */
export async function markStays(trx: Transaction<Database>, subject: string): Promise<void> {
  await trx
    .insertInto('clock_mark')
    .values({ subject })
    .onConflict((conflict) => conflict.column('subject').doUpdateSet({ try_at: null }))
    .execute();
}
