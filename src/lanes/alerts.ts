// Alerts: what an operator must see once, not once per lane. One open alert per topic; further causes only count.

import { sql, type Transaction } from 'kysely';
import type { Reason } from '../errors.ts';
import { type Database, json } from '../store/store.ts';
import type { LaneKey } from './lease.ts';

export interface Alert {
  readonly topic: string;
  readonly connection: string;
  readonly reason: Reason;
}

/** That a lane has brought processes down. */
export function crashTopic({ connection, subject }: LaneKey): string {
  return `lane-crashed:${connection}:${subject}`;
}

export async function openAlert(trx: Transaction<Database>, { topic, connection, reason }: Alert): Promise<void> {
  await trx
    .insertInto('alert')
    .values({ topic, connection, reason: json(reason) })
    .onConflict((conflict) =>
      conflict.column('topic').where('resolved_at', 'is', null).doUpdateSet({ count: sql<number>`alert.count + 1` }),
    )
    .execute();
}

/** What it told of is no longer so. */
export async function closeAlert(trx: Transaction<Database>, topic: string): Promise<void> {
  await trx
    .updateTable('alert')
    .set({ resolved_at: sql<Date>`now()` })
    .where('topic', '=', topic)
    .where('resolved_at', 'is', null)
    .execute();
}
