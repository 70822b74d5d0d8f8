// A source that is taken out of the configuration has nobody who would see to its clocks: what was told of them is over. If it comes back, what is
// still breached is told again.

import { sql } from 'kysely';
import { reason } from '../errors.ts';
import { json } from '../store/store.ts';
import type { SweepDeps } from './deps.ts';
import { clockTopics } from './rows.ts';

/** When a breach is told that is told to nobody: never, and until its source comes back. */
export const untoldAt = sql<Date>`timestamptz '9999-12-31 00:00:00+00'`;

const ofClocks = Object.values(clockTopics).map((words) => `${words}:%`);

/** Ends the alerts of sources that are not configured, and has those of sources that are again told anew. */
export async function followSources({ store, sources }: SweepDeps, now: Date): Promise<void> {
  const isConfigured = (row: string) => sql`jsonb_exists(${json(sources)}, ${sql.ref(`${row}.source`)})`;
  const isOver = sql`a.resolved_at is null and a.topic like any (array[${sql.join(ofClocks)}]) and not ${isConfigured('a')}`;
  // Clocks first and then alerts, in the order in which others lock them.
  await store.tx(async (trx) => {
    await sql`
      with told as (
        select c.source, c.type, c.id, c.rule, c.part from alert a join clock c on c.topic = a.topic where ${isOver}
        order by 1, 2, 3, 4, 5 for update of c)
      update clock c set topic = null, next_at = ${untoldAt} from told t
      where c.source = t.source and c.type = t.type and c.id = t.id and c.rule = t.rule and c.part = t.part`.execute(
      trx,
    );
    await sql`
      update alert a set resolved_at = ${now}, resolution = ${json(reason('clock-source-gone'))}
      where ${isOver} and not exists (select from clock c where c.topic = a.topic)`.execute(trx);
  });
  await sql`update clock c set next_at = ${now} where c.next_at = ${untoldAt} and ${isConfigured('c')}`.execute(
    store.db,
  );
}
