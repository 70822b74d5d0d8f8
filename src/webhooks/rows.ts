// Deliveries as rows: one for each change that a receiver has not taken yet, handed out in the order of the feed, one at a time for each case,
// to whichever process asks. An outcome counts only for the attempt that it is of (`fence`).

import type { Selectable } from 'kysely';
import { type Reason, reason } from '../errors.ts';
import { closeAlert, openAlert, openAlertOnce, reviewStuck, stuckTopic } from '../lanes/lanes.ts';
import { type Database, json, type Store, sql, type Transaction } from '../store/store.ts';
import { failuresUntilRest } from './waits.ts';

export type ChangeRow = Selectable<Database['change']>;

export interface Claimed {
  readonly change: ChangeRow;
  /** This one counted. */
  readonly attempts: number;
  readonly fence: number;
}

const mostAtOnce = 1_000;

/** Makes a row of each change that has none yet. Of several processes one does it. */
export async function enqueue({ db }: Store, source: string): Promise<void> {
  await sql`
    with known as (
      insert into webhook (source) select ${source}
      where not exists (select 1 from webhook where source = ${source}) on conflict do nothing),
    mine as (select source, taken from webhook where source = ${source} for update skip locked),
    more as (
      select c.source, c.cursor, c.subject from change c join mine on c.source = mine.source and c.cursor > mine.taken
      order by c.cursor limit ${mostAtOnce}),
    made as (
      insert into delivery (source, cursor, subject) select source, cursor, subject from more on conflict do nothing)
    update webhook w set taken = (select max(cursor) from more) where w.source = ${source} and exists (select 1 from more)`.execute(
    db,
  );
}

/**
 * Takes up to `most` changes, the oldest first: those whose time has come, that nobody else is at, and before which nothing of their case is left.
 * A receiver that rests gets none; one that has rested gets one, from one of the processes.
 */
export async function claim(
  { db }: Store,
  source: string,
  { most, leaseMs }: { readonly most: number; readonly leaseMs: number },
): Promise<Claimed[]> {
  const limit = (await mayTake(db, source, leaseMs)) ?? most;
  if (limit === 0) return [];
  const { rows } = await sql<{ cursor: number; attempts: number; fence: number }>`
    with due as (
      select d.source, d.cursor from delivery d
      where d.source = ${source} and d.next_at <= now() and (d.lease_until is null or d.lease_until < now())
        and not exists (
          select 1 from delivery e where e.source = d.source and e.subject = d.subject and e.cursor < d.cursor)
      order by d.cursor limit ${limit} for update of d skip locked)
    update delivery d set lease_until = now() + ${leaseMs} * interval '1 millisecond', attempts = attempts + 1, fence = fence + 1
    from due where d.source = due.source and d.cursor = due.cursor
    returning d.cursor, d.attempts, d.fence`.execute(db);
  if (rows.length === 0) return [];
  const changes = await db
    .selectFrom('change')
    .selectAll()
    .where('source', '=', source)
    .where(
      'cursor',
      'in',
      rows.map(({ cursor }) => cursor),
    )
    .orderBy('cursor')
    .execute();
  return changes.flatMap((change) => {
    const row = rows.find(({ cursor }) => cursor === change.cursor);
    return row === undefined ? [] : [{ change, attempts: row.attempts, fence: row.fence }];
  });
}

/** How many the receiver may be given; undefined: no limit. */
async function mayTake(db: Store['db'], source: string, leaseMs: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('webhook')
    .select(['disabled', 'failures'])
    .select(sql<boolean>`coalesce(rest_until > now(), false)`.as('rests'))
    .where('source', '=', source)
    .executeTakeFirst();
  if (row === undefined || row.disabled !== null || row.rests) return 0;
  if (row.failures < failuresUntilRest) return undefined;
  // Whoever asks it for all keeps the others away until the answer.
  const { numUpdatedRows } = await db
    .updateTable('webhook')
    .set({ rest_until: sql<Date>`now() + ${leaseMs} * interval '1 millisecond'` })
    .where('source', '=', source)
    .where(sql<boolean>`coalesce(rest_until <= now(), true)`)
    .executeTakeFirst();
  return numUpdatedRows === 0n ? 0 : 1;
}

/** The receiver has it. */
export async function markTaken(store: Store, { change, fence }: Claimed): Promise<void> {
  const { source, cursor } = change;
  await store.tx(async (trx) => {
    const gone = await trx
      .deleteFrom('delivery')
      .where('source', '=', source)
      .where('cursor', '=', cursor)
      .where('fence', '=', fence)
      .returning('stuck')
      .executeTakeFirst();
    await receiverWorks(trx, source);
    if (gone?.stuck === true) await reviewStuck(trx, source);
  });
}

/** After a pause all that waited is tried at once. */
async function receiverWorks(trx: Transaction<Database>, source: string): Promise<void> {
  const before = await trx
    .selectFrom('webhook')
    .select('failures')
    .where('source', '=', source)
    .forUpdate()
    .executeTakeFirst();
  await trx
    .updateTable('webhook')
    .set({ failures: 0, failing_since: null, rest_until: null, reason: null, delivered_at: sql<Date>`now()` })
    .where('source', '=', source)
    .execute();
  if (before !== undefined && before.failures >= failuresUntilRest)
    await trx.updateTable('delivery').set({ next_at: sql<Date>`now()` }).where('source', '=', source).execute();
}

export interface Failure {
  readonly reason: Reason;
  /** Until this change is tried again. */
  readonly waitMs: number;
  /** How long the receiver rests after so many failures in a row, in so many milliseconds. */
  readonly restMs: (failures: number, failingMs: number) => number;
  /** It wants nothing more (410). */
  readonly isFinal: boolean;
  readonly giveUpAfterMs: number;
}

/** @returns the reason for which the receiver is disabled by this failure, if it is */
export async function markFailed(
  store: Store,
  { change, fence }: Claimed,
  failure: Failure,
): Promise<Reason | undefined> {
  const { source, cursor } = change;
  return store.tx(async (trx) => {
    const row = await trx
      .updateTable('delivery')
      .set({
        lease_until: null,
        next_at: inMs(failure.waitMs),
        failing_since: sql<Date>`coalesce(failing_since, now())`,
      })
      .where('source', '=', source)
      .where('cursor', '=', cursor)
      .where('fence', '=', fence)
      .returning(['stuck', isOlder('failing_since', failure.giveUpAfterMs).as('isOld')])
      .executeTakeFirst();
    const receiver = await trx
      .updateTable('webhook')
      .set({
        failures: sql<number>`failures + 1`,
        failing_since: sql<Date>`coalesce(failing_since, now())`,
        reason: json(failure.reason),
      })
      .where('source', '=', source)
      .returning(['failures', 'disabled', isOlder('failing_since', failure.giveUpAfterMs).as('isOld')])
      .returning(sql<number>`(extract(epoch from now() - failing_since) * 1000)::float8`.as('failingMs'))
      .executeTakeFirstOrThrow();
    const restMs = failure.restMs(receiver.failures, receiver.failingMs);
    if (restMs > 0)
      await trx
        .updateTable('webhook')
        .set({ rest_until: inMs(restMs) })
        .where('source', '=', source)
        .execute();
    if (receiver.isOld || failure.isFinal)
      return receiver.disabled === null ? disable(trx, source, failure) : undefined;
    if (row?.isOld === true && !row.stuck) {
      await trx
        .updateTable('delivery')
        .set({ stuck: true })
        .where('source', '=', source)
        .where('cursor', '=', cursor)
        .execute();
      const hours = Math.round(failure.giveUpAfterMs / 3_600_000);
      await openAlert(trx, { topic: stuckTopic(source), reason: reason('webhook-stuck', { source, hours }) });
    }
    return undefined;
  });
}

/** Given up by us, not by the receiver: it counts as no attempt. */
export async function giveBack({ db }: Store, { change, fence }: Claimed): Promise<void> {
  await db
    .updateTable('delivery')
    .set({ lease_until: null, attempts: sql<number>`attempts - 1` })
    .where('source', '=', change.source)
    .where('cursor', '=', change.cursor)
    .where('fence', '=', fence)
    .execute();
}

async function disable(trx: Transaction<Database>, source: string, failure: Failure): Promise<Reason> {
  const hours = Math.round(failure.giveUpAfterMs / 3_600_000);
  const why = failure.isFinal ? failure.reason.text : `it took none for ${hours} hours. ${failure.reason.text}`;
  const disabled = reason('webhook-disabled', { source, why });
  await trx
    .updateTable('webhook')
    .set({ disabled: json(disabled) })
    .where('source', '=', source)
    .execute();
  await openAlert(trx, { topic: disabledTopic(source), reason: disabled });
  return disabled;
}

/** Posts go on at once, as if nothing had failed. What was taken before stays taken. */
export async function enable(store: Store, source: string): Promise<void> {
  await store.tx(async (trx) => {
    await trx
      .insertInto('webhook')
      .values({ source })
      .onConflict((conflict) => conflict.column('source').doNothing())
      .execute();
    await trx
      .updateTable('webhook')
      .set({ disabled: null, failures: 0, failing_since: null, rest_until: null, reason: null })
      .where('source', '=', source)
      .execute();
    await trx
      .updateTable('delivery')
      .set({ next_at: sql<Date>`now()`, failing_since: null, stuck: false })
      .where('source', '=', source)
      .execute();
    await closeAlert(trx, disabledTopic(source), stuckTopic(source));
  });
}

/**
 * Every change after the cursor is delivered again, whether the receiver had it or not. An attempt under way counts no more, so that what comes
 * last is the newest of each case.
 * @returns how many
 */
export async function replayAfter(store: Store, source: string, cursor: number): Promise<number> {
  return store.tx(async (trx) => {
    const { taken } = await trx
      .insertInto('webhook')
      .values({ source })
      .onConflict((conflict) => conflict.column('source').doUpdateSet({ source }))
      .returning('taken')
      .executeTakeFirstOrThrow();
    const { numInsertedOrUpdatedRows: rows = 0n } = await trx
      .insertInto('delivery')
      .columns(['source', 'cursor', 'subject'])
      .expression(({ selectFrom }) =>
        selectFrom('change')
          .select(['source', 'cursor', 'subject'])
          .where('source', '=', source)
          .where('cursor', '>', cursor)
          .where('cursor', '<=', taken)
          .orderBy('cursor'),
      )
      .onConflict((conflict) =>
        conflict.columns(['source', 'cursor']).doUpdateSet({
          next_at: sql<Date>`now()`,
          attempts: 0,
          failing_since: null,
          fence: sql<number>`delivery.fence + 1`,
        }),
      )
      .executeTakeFirst();
    return Number(rows);
  });
}

/** On the embedded store nobody else was at it. */
export async function freeDeliveries(store: Store): Promise<void> {
  if (store.kind !== 'embedded') return;
  await store.db.updateTable('delivery').set({ lease_until: null }).where('lease_until', 'is not', null).execute();
}

/**
 * For a start: what a source without a webhook does not take, nobody waits for any more. One that has a webhook again is told of anew, where it is still
 * disabled here, and where a change is stuck once that has been tried again.
 */
export async function reviewReceivers(store: Store, withWebhook: readonly string[]): Promise<void> {
  await store.tx(async (trx) => {
    const all = await trx.selectFrom('webhook').select(['source', 'disabled']).orderBy('source').forUpdate().execute();
    for (const { source, disabled } of all) {
      if (withWebhook.includes(source)) {
        if (disabled !== null) await openAlertOnce(trx, { topic: disabledTopic(source), reason: disabled });
        continue;
      }
      await trx
        .updateTable('delivery')
        .set({ stuck: false })
        .where('source', '=', source)
        .where('stuck', '=', true)
        .execute();
      await closeAlert(trx, disabledTopic(source), stuckTopic(source));
    }
  });
}

function disabledTopic(source: string): string {
  return `webhook-disabled:${source}`;
}

function inMs(ms: number) {
  return sql<Date>`now() + ${ms} * interval '1 millisecond'`;
}

function isOlder(column: 'failing_since', ms: number) {
  return sql<boolean>`${sql.ref(column)} <= now() - ${ms} * interval '1 millisecond'`;
}
