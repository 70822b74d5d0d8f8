// Messages to partners as rows: one for each event of a referral, sent until somebody has taken it or it is given up. Each try carries a link of
// its own, because only the hash of a link's secret is kept.

import { type Reason, reason } from '../errors.ts';
import { closeAlert, openAlert } from '../lanes/lanes.ts';
import { type Database, json, type Store, sql, type Transaction } from '../store/store.ts';
import type { NotSent } from './messenger.ts';

export interface DueMessage {
  readonly id: number;
  readonly partner: string;
  readonly taskId: string;
  readonly event: string;
  /** This one counted. */
  readonly attempts: number;
  readonly fence: number;
}

/** The first of every referral. */
export const newReferral = 'new';

const leaseSeconds = 60;
const firstWaitMs = 30_000;
const longestWaitMs = 3_600_000;
/** A message that nobody has taken for so long is given up. */
export const giveUpAfterHours = 48;

/**
 * Makes a row of each event that has none yet. What had happened before the partner was first told of the referral is told with it.
 * @param isAsked an operator wants them to be sent, whatever was told before
 * @returns how many there are to send
 */
export async function addEvents(
  trx: Transaction<Database>,
  of: { readonly partner: string; readonly taskId: string },
  events: readonly string[],
  isAsked = false,
): Promise<number> {
  if (events.length === 0) return 0;
  const isFirst = !isAsked && !(await isKnown(trx, of));
  const rows = events.map((event) => ({
    partner: of.partner,
    task_id: of.taskId,
    event,
    state: isFirst && event !== newReferral ? 'needless' : 'waiting',
  }));
  const made = await trx
    .insertInto('partner_message')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['partner', 'task_id', 'event']).doNothing())
    .returning('state')
    .execute();
  return made.filter(({ state }) => state === 'waiting').length;
}

async function isKnown(trx: Transaction<Database>, { partner, taskId }: { partner: string; taskId: string }) {
  const row = await trx
    .selectFrom('partner_message')
    .select('id')
    .where('partner', '=', partner)
    .where('task_id', '=', taskId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Takes up to `most` messages whose time has come and that nobody else is at. */
export async function claimMessages({ db }: Store, most: number): Promise<DueMessage[]> {
  const { rows } = await sql<DueMessage>`
    with due as (
      select id from partner_message
      where state = 'waiting' and next_at <= now() and (lease_until is null or lease_until < now())
      order by next_at limit ${most} for update skip locked)
    update partner_message m set lease_until = now() + ${leaseSeconds} * interval '1 second', attempts = attempts + 1, fence = fence + 1
    from due where m.id = due.id
    returning m.id, m.partner, m.task_id as "taskId", m.event, m.attempts, m.fence`.execute(db);
  return rows;
}

/** On the embedded store nobody else was at it. */
export async function freeMessages(store: Store): Promise<void> {
  if (store.kind !== 'embedded') return;
  await store.db
    .updateTable('partner_message')
    .set({ lease_until: null })
    .where('lease_until', 'is not', null)
    .execute();
}

export async function markSent(store: Store, { id, fence, partner, taskId }: DueMessage): Promise<void> {
  await store.tx(async (trx) => {
    await trx
      .updateTable('partner_message')
      .set({ state: 'sent', sent_at: sql<Date>`now()`, lease_until: null, reason: null, failing_since: null })
      .where('id', '=', id)
      .where('fence', '=', fence)
      .execute();
    await closeAlert(trx, unreachableTopic(partner, taskId));
  });
}

/** There is nobody to tell, or nothing to tell any more. */
export async function markNeedless({ db }: Store, { id, fence }: DueMessage): Promise<void> {
  await db
    .updateTable('partner_message')
    .set({ state: 'needless', lease_until: null })
    .where('id', '=', id)
    .where('fence', '=', fence)
    .execute();
}

/**
 * Waits for the next try, or gives the message up with one alert.
 * @param onGivenUp in the same transaction
 * @returns true: given up
 */
export async function markFailed(
  store: Store,
  message: DueMessage,
  { reason: why }: NotSent,
  random: number,
  onGivenUp: (trx: Transaction<Database>) => Promise<void>,
): Promise<boolean> {
  const waitMs = Math.min(firstWaitMs * 2 ** (message.attempts - 1), longestWaitMs) * (0.5 + random / 2);
  return store.tx(async (trx) => {
    const row = await trx
      .updateTable('partner_message')
      .set({
        failing_since: sql<Date>`coalesce(failing_since, now())`,
        next_at: sql<Date>`now() + ${waitMs} * interval '1 millisecond'`,
        lease_until: null,
        reason: json<Reason>(why),
      })
      .where('id', '=', message.id)
      .where('fence', '=', message.fence)
      .returning(sql<boolean>`failing_since <= now() - ${giveUpAfterHours} * interval '1 hour'`.as('old'))
      .executeTakeFirst();
    if (row?.old !== true) return false;
    const { partner, taskId } = message;
    const unreachable = reason('partner-unreachable', { partner, hours: giveUpAfterHours, why: why.text });
    await trx
      .updateTable('partner_message')
      .set({ state: 'failed', reason: json<Reason>(unreachable) })
      .where('id', '=', message.id)
      .execute();
    await openAlert(trx, { topic: unreachableTopic(partner, taskId), connection: partner, reason: unreachable });
    await onGivenUp(trx);
    return true;
  });
}

function unreachableTopic(partner: string, taskId: string): string {
  return `partner-unreachable:${partner}:${taskId}`;
}
