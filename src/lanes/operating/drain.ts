// Draining a connection: what was due when it began is still done, what becomes due later waits, and when nothing is under way any more the
// connection pauses. Lanes that wait for a later try stay for after the resume, except those that must still learn what became of a
// request and of which no person is asked; those that are parked stay in any case.

import { sql } from 'kysely';
import { CasebridgeError, reason } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { changePaused } from './pause.ts';

/**
 * Takes nothing more on this connection that becomes due from now on, polls included. Safe to ask again.
 * @throws CasebridgeError `connection-not-running` for one that is paused
 */
export async function drain(store: Store, connection: string, by: string): Promise<void> {
  const { rows } = await sql`
    update connection set draining_since = coalesce(draining_since, now()), draining_by = coalesce(draining_by, ${by}::text)
    where id = ${connection} and paused is null returning 1`.execute(store.db);
  if (rows.length === 0) throw new CasebridgeError('connection-not-running', { connection, state: 'paused' });
}

/** Pauses the connections whose drain has come to its end. @returns their ids */
export async function finishDrains(store: Store): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select c.id from connection c where c.draining_since is not null and c.paused is null
      and not exists (
        select 1 from lane l where l.connection = c.id and (l.lease_until > now() or l.queued_until > now()))
      and not exists (
        select 1 from lane l where l.connection = c.id and l.done < l.wanted and l.stopped is null
          and l.due_at <= c.draining_since and (l.next_try_at is null or l.next_try_at <= now()))
      -- Of a lane that nobody runs before the resume nothing more is learned.
      and not exists (select 1 from operation o join lane l on l.connection = o.connection and l.subject = o.subject
        where o.connection = c.id and o.outcome is null
          and l.done < l.wanted and l.stopped is null and l.due_at <= c.draining_since
          and not exists (
            select 1 from decision d where d.connection = o.connection and d.subject = o.subject and d.state = 'open'
              and d.topic = 'untold:' || o.type || '/' || o.record_id || '#' || o.slot))`.execute(store.db);
  for (const { id } of rows) await pauseDrained(store, id);
  return rows.map(({ id }) => id);
}

async function pauseDrained(store: Store, connection: string): Promise<void> {
  await store.tx(async (trx) => {
    const drained = await trx
      .selectFrom('connection')
      .select('draining_by')
      .where('id', '=', connection)
      .where('draining_since', 'is not', null)
      .forUpdate()
      .executeTakeFirst();
    // Resumed meanwhile.
    if (drained === undefined) return;
    await trx
      .updateTable('connection')
      .set({ draining_since: null, draining_by: null })
      .where('id', '=', connection)
      .execute();
    const why = ` by ${drained.draining_by ?? 'an operator'}, who had it drained`;
    await changePaused(trx, connection, reason('connection-paused', { why }));
  });
}
