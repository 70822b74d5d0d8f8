// A connection that refuses our credentials or is set up wrongly rests as a whole: one alert, not one error per lane.

import { type RawBuilder, sql, type Transaction } from 'kysely';
import { type Reason, reason } from '../../errors.ts';
import { type Database, json, type Store } from '../../store/store.ts';
import { forgetTokenRefusal, tokenRefusedUntil } from '../budget/shared-budget.ts';
import type { LaneDeps } from '../lane-connection.ts';
import { closeAlert, openAlert, pausedTopic, renewAlert } from './alerts.ts';

/** Five minutes, ten, twenty, and then every hour. */
const firstProbeMs = 5 * 60_000;
const longestProbeMs = 60 * 60_000;

/**
 * Stops the connection for a fault and opens its alert. It is asked again by itself (`probePaused`) and resumes when the fault is gone, or
 * when an operator says so.
 */
export async function pauseForFault(
  deps: Pick<LaneDeps, 'store' | 'log'>,
  connection: string,
  why: Reason,
): Promise<void> {
  const paused = reason('connection-paused', { why: `: ${why.text.replace(/\.$/, '')}` });
  const isNew = await deps.store.tx(async (trx) => {
    if (!(await changePaused(trx, connection, paused))) return false;
    // A fault that comes back within the hour goes on where its back-off was.
    const goesOn = sql<number>`case when resumed_at > now() - interval '1 hour' then probes else 0 end`;
    await trx
      .updateTable('connection')
      .set({ probes: goesOn, probe_at: nextProbe(goesOn) })
      .where('id', '=', connection)
      .execute();
    return true;
  });
  if (isNew) deps.log.warn({ connection, code: why.code }, 'the connection is paused');
}

/** What a connection answers when it is asked whether its fault is gone. */
export type Probe = (connection: string) => Promise<{ readonly ok: boolean }>;

/**
 * Asks the connections that a fault has paused and whose time has come; one that answers resumes, its alert closed. One that an operator
 * paused is left alone.
 * @returns how many resumed.
 */
export async function probePaused(
  deps: Pick<LaneDeps, 'store' | 'log' | 'connections'>,
  probe: Probe,
): Promise<number> {
  let resumed = 0;
  for (const connection of await claimProbes(deps.store, [...deps.connections.keys()])) {
    const { ok } = await probe(connection);
    if (ok && (await resumeByItself(deps.store, connection))) {
      resumed += 1;
      deps.log.info({ connection }, 'the connection resumes');
    }
  }
  return resumed;
}

/**
 * For a start: it may come with a mended configuration, so the connections that a fault has paused are asked at once, or as soon as a server
 * that refused us a token may be asked for one again.
 */
export async function probeSoon(store: Store): Promise<void> {
  await store.once((db) =>
    db
      .updateTable('connection')
      .set({ probe_at: sql<Date>`greatest(now(), ${tokenRefusedUntil})` })
      .where('paused', 'is not', null)
      .where('probe_at', 'is not', null)
      .execute(),
  );
}

/** The next probe is set with the claim: a process that dies here costs one probe, and two processes ask once. */
async function claimProbes(store: Store, connections: readonly string[]): Promise<string[]> {
  const claimed = sql<{ id: string }>`
    update connection set probes = probes + 1, probe_at = ${nextProbe(sql<number>`probes + 1`)}
    where paused is not null and probe_at <= now()
      and id in (select c.id from jsonb_to_recordset(${json(connections.map((id) => ({ id })))}) as c(id text))
    returning id`;
  const { rows } = await store.once((db) => claimed.execute(db));
  return rows.map(({ id }) => id);
}

/** The time of the probe that comes after so many. */
function nextProbe(probes: RawBuilder<number>): RawBuilder<Date> {
  const waitMs = sql`least(${firstProbeMs} * power(2, least(${probes}, 10)), ${longestProbeMs})`;
  return sql<Date>`now() + ${waitMs} * interval '1 millisecond'`;
}

/** False when an operator has paused or resumed it meanwhile. */
async function resumeByItself(store: Store, connection: string): Promise<boolean> {
  return store.tx(async (trx) => {
    await wakeResting(trx, connection);
    const row = await trx
      .selectFrom('connection')
      .select('probe_at')
      .where('id', '=', connection)
      .forUpdate()
      .executeTakeFirst();
    if (row?.probe_at === null || row === undefined || !(await changePaused(trx, connection, undefined))) return false;
    await trx
      .updateTable('connection')
      .set({ probe_at: null, resumed_at: sql<Date>`now()` })
      .where('id', '=', connection)
      .execute();
    return true;
  });
}

/** An operator pauses with a reason, or resumes with undefined; plans made before are void. @returns false when it was so already. */
export async function setPaused(store: Store, connection: string, why: Reason | undefined): Promise<boolean> {
  return store.tx(async (trx) => {
    if (why === undefined) await wakeResting(trx, connection);
    // Whoever pauses by hand wants it to stay so, whatever the fault: theirs is then the reason.
    await trx
      .updateTable('connection')
      .set({
        probe_at: null,
        probes: 0,
        resumed_at: null,
        draining_since: null,
        draining_by: null,
        ...(why && { paused: sql`case when paused is null then null else ${json(why)} end` }),
      })
      .where('id', '=', connection)
      .execute();
    if (await changePaused(trx, connection, why)) return true;
    if (why !== undefined) await renewAlert(trx, { topic: `${pausedTopic}${connection}`, reason: why });
    return false;
  });
}

/**
 * Where it is paused, its lanes wait for no next try any more. They are locked in key order, as acceptance locks them, and before the row of the connection,
 * as whoever stores an intent does.
 */
async function wakeResting(trx: Transaction<Database>, connection: string): Promise<void> {
  await sql`
    with resting as (
      select l.subject from lane l
      where l.connection = ${connection} and l.next_try_at is not null
        and exists (select 1 from connection c where c.id = ${connection} and c.paused is not null)
      order by l.subject for update of l)
    update lane l set next_try_at = null from resting r where l.connection = ${connection} and l.subject = r.subject`.execute(
    trx,
  );
}

/** With the alert that tells of it. @returns false when it was so already. */
export async function changePaused(
  trx: Transaction<Database>,
  connection: string,
  why: Reason | undefined,
): Promise<boolean> {
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
  const topic = `${pausedTopic}${connection}`;
  if (why === undefined) {
    await closeAlert(trx, topic);
    await forgetTokenRefusal(trx, connection);
  } else {
    await openAlert(trx, { topic, connection, reason: why });
  }
  return true;
}
