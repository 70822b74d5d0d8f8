// Messages to partners as rows: one for each event of a referral, sent until somebody has taken it or it is given up. Each try carries a link of
// its own, because only the hash of a link's secret is kept.

import type { UpdateObject } from 'kysely';
import { type Actor, keepAudit } from '../access/access.ts';
import { CasebridgeError, type Reason, reason } from '../errors.ts';
import { closeAlert, openAlert } from '../lanes/lanes.ts';
import { type Database, json, type Store, sql, type Transaction } from '../store/store.ts';
import type { NotSent } from './messenger.ts';

export interface DueMessage {
  readonly id: number;
  readonly partner: string;
  readonly taskId: string;
  /** Who of the partner is told; '' where the page has one address only. */
  readonly contact: string;
  readonly event: string;
  /** This one counted. */
  readonly attempts: number;
  readonly fence: number;
}

/** Who is told, and of what. */
type Told = Pick<DueMessage, 'partner' | 'taskId' | 'contact'>;
type Given = Omit<DueMessage, 'attempts'>;

/** The first of every referral. */
export const newReferral = 'new';
/** Begins the event that the partner may not see a referral any more. */
export const goneReferral = 'gone';

const leaseSeconds = 60;
const firstWaitMs = 30_000;
const longestWaitMs = 3_600_000;
/** A message that nobody has taken for so long is given up. */
const giveUpAfterHours = 48;

/**
 * Makes a row of each event for each contact that has none yet. What had happened before a contact was first told of the referral is told with it.
 * @param isAsked an operator wants them to be sent, whatever was told before
 * @returns how many there are to send
 */
export async function addEvents(
  trx: Transaction<Database>,
  {
    partner,
    taskId,
    contacts,
  }: { readonly partner: string; readonly taskId: string; readonly contacts: Iterable<string> },
  events: readonly string[],
  isAsked = false,
): Promise<number> {
  if (events.length === 0) return 0;
  const told = await toldBefore(trx, partner, taskId);
  const rows = [...contacts].flatMap((contact) => {
    const isFirst = !isAsked && !told.has(contact);
    return events.map((event) => ({
      partner,
      task_id: taskId,
      contact,
      event,
      state: isFirst && event !== newReferral ? 'needless' : 'waiting',
    }));
  });
  const made = await trx
    .insertInto('partner_message')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['partner', 'task_id', 'event', 'contact']).doNothing())
    .returning('state')
    .execute();
  return made.filter(({ state }) => state === 'waiting').length;
}

async function toldBefore(trx: Transaction<Database>, partner: string, taskId: string): Promise<ReadonlySet<string>> {
  const rows = await trx
    .selectFrom('partner_message')
    .select('contact')
    .distinct()
    .where('partner', '=', partner)
    .where('task_id', '=', taskId)
    .execute();
  return new Set(rows.map(({ contact }) => contact));
}

/** Those who have a message about the referral in one of these states, and none that it has ended. */
export async function contactsTold(
  db: Store['db'] | Transaction<Database>,
  partner: string,
  taskId: string,
  states: readonly ('sent' | 'waiting')[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('partner_message')
    .select(['contact', 'event'])
    .where('partner', '=', partner)
    .where('task_id', '=', taskId)
    .where('state', 'in', states)
    .execute();
  const ended = new Set(rows.filter(({ event }) => event.startsWith('ended:')).map(({ contact }) => contact));
  return new Set(rows.map(({ contact }) => contact).filter((contact) => !ended.has(contact)));
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
    returning m.id, m.partner, m.task_id as "taskId", m.contact, m.event, m.attempts, m.fence`.execute(db);
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

/** @param onSent in the same transaction */
export async function markSent(
  store: Store,
  message: DueMessage,
  onSent: (trx: Transaction<Database>) => Promise<void>,
): Promise<void> {
  const { id, fence } = message;
  await store.tx(async (trx) => {
    const row = await trx
      .updateTable('partner_message')
      .set({ state: 'sent', sent_at: sql<Date>`now()`, lease_until: null, reason: null, failing_since: null })
      .where('id', '=', id)
      .where('fence', '=', fence)
      .returning('id')
      .executeTakeFirst();
    await closeAlert(trx, unreachableTopic(message));
    if (row !== undefined) await onSent(trx);
  });
}

/** Who of the operators asks for it, kept in the audit. */
export interface Asked {
  readonly message: number;
  readonly by: Actor;
}

/**
 * Tries one that waits or was given up again now, as if for the first time.
 * @throws CasebridgeError `partner-message-unknown`, `partner-message-over`
 */
export async function retryMessage(store: Store, asked: Asked): Promise<void> {
  await store.tx((trx) =>
    change(trx, asked, 'retry', {
      state: 'waiting',
      attempts: 0,
      failing_since: null,
      next_at: sql<Date>`now()`,
    }),
  );
}

/**
 * Nobody is told of this any more, for instance because the partner was called. Its alert is over.
 * @throws CasebridgeError `partner-message-unknown`, `partner-message-over`
 */
export async function withdrawMessage(store: Store, asked: Asked): Promise<void> {
  await store.tx(async (trx) => {
    const { partner, task_id: taskId, contact } = await change(trx, asked, 'withdraw', { state: 'needless' });
    await closeWithLast(trx, { partner, taskId, contact });
  });
}

/** The alert ends with the last message about the referral that this contact was not given. */
async function closeWithLast(trx: Transaction<Database>, of: Told): Promise<void> {
  const { partner, taskId, contact } = of;
  const others = await trx
    .selectFrom('partner_message')
    .select('id')
    .where('partner', '=', partner)
    .where('task_id', '=', taskId)
    .where('contact', '=', contact)
    .where('state', '=', 'failed')
    .executeTakeFirst();
  if (others === undefined) await closeAlert(trx, unreachableTopic(of));
}

async function change(
  trx: Transaction<Database>,
  { message, by }: Asked,
  action: 'retry' | 'withdraw',
  set: UpdateObject<Database, 'partner_message'>,
) {
  const row = await trx
    .selectFrom('partner_message')
    .select(['partner', 'task_id', 'contact', 'state'])
    .where('id', '=', message)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new CasebridgeError('partner-message-unknown');
  const { state } = row;
  if (state !== 'waiting' && state !== 'failed') throw new CasebridgeError('partner-message-over', { state });
  await trx.updateTable('partner_message').set(set).where('id', '=', message).execute();
  const of = { partner: row.partner, by, action: `message-${action}`, outcome: 'done' };
  await keepAudit(trx, { ...of, resourceType: 'Task', ids: [row.task_id] });
  return row;
}

/** There is nobody to tell, or nothing to tell any more. */
export async function markNeedless(store: Store, message: Given): Promise<void> {
  await store.tx(async (trx) => {
    const row = await trx
      .updateTable('partner_message')
      .set({ state: 'needless', lease_until: null })
      .where('id', '=', message.id)
      .where('fence', '=', message.fence)
      .returning('id')
      .executeTakeFirst();
    if (row !== undefined) await closeWithLast(trx, message);
  });
}

/** What has been given up, as it stands now. */
export async function givenUp({ db }: Store): Promise<Given[]> {
  return db
    .selectFrom('partner_message')
    .select(['id', 'partner', 'task_id as taskId', 'contact', 'event', 'fence'])
    .where('state', '=', 'failed')
    .orderBy('id')
    .execute();
}

/** Where no partner has a page nobody is told of anything; what waits is told where one has a page again. */
export async function endUntold(store: Store): Promise<void> {
  await store.tx(async (trx) => {
    await trx.updateTable('partner_message').set({ state: 'needless' }).where('state', '=', 'failed').execute();
    await sql`
      update alert a set resolved_at = now()
      where a.resolved_at is null and split_part(a.topic, ':', 1) in ('partner-unreachable', 'partner-link-locked')`.execute(
      trx,
    );
  });
}

/**
 * Waits for the next try, or gives the message up with one alert.
 * @param onGivenUp in the same transaction; only where nobody of the partner is told of the event
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
      // It may have been withdrawn meanwhile.
      .where('state', '=', 'waiting')
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
    await openAlert(trx, { topic: unreachableTopic(message), connection: partner, reason: unreachable });
    const others = await trx
      .selectFrom('partner_message')
      .select('id')
      .where('partner', '=', partner)
      .where('task_id', '=', taskId)
      .where('event', '=', message.event)
      .where('state', 'in', ['sent', 'waiting'])
      .executeTakeFirst();
    if (others === undefined) await onGivenUp(trx);
    return true;
  });
}

function unreachableTopic({ partner, taskId, contact }: Told): string {
  return `partner-unreachable:${partner}:${taskId}${contact === '' ? '' : `:${contact}`}`;
}
