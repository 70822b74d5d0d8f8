// What the other side tells counts for clocks before its source has taken it over: the cases that it is about are to be worked out anew.

import type { Transaction } from 'kysely';
import type { Database } from '../store/store.ts';

/** @param subject of a case, or of a client, which stands for all its cases */
export async function markClocks(trx: Transaction<Database>, subject: string): Promise<void> {
  await trx
    .insertInto('clock_mark')
    .values({ subject })
    .onConflict((conflict) => conflict.column('subject').doUpdateSet({ try_at: null }))
    .execute();
}
