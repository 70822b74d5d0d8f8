// A connection that refuses our credentials or is set up wrongly rests as a whole: one alert, not one error per lane.

import { sql } from 'kysely';
import { type Reason, reason } from '../errors.ts';
import { json, type Store } from '../store/store.ts';
import { closeAlert, openAlert } from './alerts.ts';
import type { LaneDeps } from './lane-connection.ts';

/** Stops the connection for a fault of configuration and opens its alert. Resumed by an operator or a restart with a mended configuration. */
export async function pauseForFault(
  deps: Pick<LaneDeps, 'store' | 'log'>,
  connection: string,
  why: Reason,
): Promise<void> {
  const isNew = await setPaused(deps.store, connection, reason('connection-paused', { why: `: ${why.text}` }));
  if (isNew) deps.log.warn({ connection, code: why.code }, 'the connection is paused');
}

/** Pauses with a reason, or resumes with undefined; plans made before are void. @returns false when it was so already. */
export async function setPaused(store: Store, connection: string, why: Reason | undefined): Promise<boolean> {
  return store.tx(async (trx) => {
    const row = await trx
      .selectFrom('connection')
      .select('paused')
      .where('id', '=', connection)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined || (row.paused === null) === (why === undefined)) return false;
    await trx
      .updateTable('connection')
      .set({ paused: why === undefined ? null : json(why), epoch: sql<number>`epoch + 1` })
      .where('id', '=', connection)
      .execute();
    const topic = `connection-paused:${connection}`;
    if (why === undefined) {
      await closeAlert(trx, topic);
      await trx.updateTable('lane').set({ next_try_at: null }).where('connection', '=', connection).execute();
    } else {
      await openAlert(trx, { topic, connection, reason: why });
    }
    return true;
  });
}
