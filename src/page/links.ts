// Links and who has signed in by one, as rows.

import { CasebridgeError } from '../errors.ts';
import { closeAlert } from '../lanes/lanes.ts';
import { type Store, sql } from '../store/store.ts';
import { lockedTopic } from './codes.ts';
import { hashOf } from './seal.ts';
import { type Token, tokenHash } from './token.ts';

const idleMinutes = 30;
const longestHours = 8;
export const longestVisitSeconds = longestHours * 3_600;

export interface OpenLink {
  readonly id: string;
  readonly partner: string;
  readonly taskId: string;
  /** To whom of the partner it was given. */
  readonly contact: string;
  readonly state: 'good' | 'expired' | 'revoked';
  /** A code that was sent and can still be given. */
  readonly hasCode: boolean;
  readonly isLocked: boolean;
}

export async function keepLink(
  { db }: Store,
  token: Token,
  of: {
    readonly partner: string;
    readonly taskId: string;
    readonly contact: string;
    readonly message: number | null;
    readonly days: number;
  },
): Promise<void> {
  await db
    .insertInto('partner_link')
    .values({
      id: token.id,
      partner: of.partner,
      task_id: of.taskId,
      contact: of.contact,
      message: of.message,
      hash: tokenHash(token),
      expires_at: sql<Date>`now() + ${of.days} * interval '1 day'`,
    })
    .execute();
}

/** A link that no message has carried. */
export async function dropLink({ db }: Store, id: string): Promise<void> {
  await db.deleteFrom('partner_link').where('id', '=', id).execute();
}

/** Undefined: there is no such link. */
export async function findLink({ db }: Store, token: Token): Promise<OpenLink | undefined> {
  const row = await db
    .selectFrom('partner_link')
    .select(['id', 'partner', 'task_id', 'contact', 'revoked_at'])
    .select(sql<boolean>`expires_at <= now()`.as('over'))
    .select(sql<boolean>`coalesce(code_hash is not null and code_until > now(), false)`.as('has_code'))
    .select(sql<boolean>`coalesce(locked_until > now(), false)`.as('locked'))
    .where('id', '=', token.id)
    .where('hash', '=', tokenHash(token))
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const state = row.revoked_at !== null ? 'revoked' : row.over ? 'expired' : 'good';
  const { id, partner, task_id: taskId, contact, has_code: hasCode, locked: isLocked } = row;
  return { id, partner, taskId, contact, state, hasCode, isLocked };
}

/** Whoever has signed in by it is out too. @throws CasebridgeError `partner-link-unknown` */
export async function revokeLink(store: Store, id: string, by: string): Promise<void> {
  await store.tx(async (trx) => {
    const row = await trx
      .updateTable('partner_link')
      .set({
        revoked_at: sql<Date>`coalesce(revoked_at, now())`,
        revoked_by: sql<string>`coalesce(revoked_by, ${by})`,
        code_hash: null,
      })
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst();
    if (row === undefined) throw new CasebridgeError('partner-link-unknown');
    await trx.deleteFrom('partner_session').where('link', '=', id).execute();
    await closeAlert(trx, lockedTopic(id));
  });
}

/** The name of who has signed in; undefined: nobody, or too long ago. Looking keeps it alive. */
export async function sessionName({ db }: Store, link: string, cookie: string): Promise<string | undefined> {
  const row = await db
    .updateTable('partner_session')
    .set({ seen_at: sql<Date>`now()` })
    .where('hash', '=', hashOf(cookie))
    .where('link', '=', link)
    .where(sql<boolean>`seen_at > now() - ${idleMinutes} * interval '1 minute'`)
    .where(sql<boolean>`created_at > now() - ${longestHours} * interval '1 hour'`)
    .returning('name')
    .executeTakeFirst();
  return row?.name;
}

export async function endSession({ db }: Store, cookie: string): Promise<void> {
  await db.deleteFrom('partner_session').where('hash', '=', hashOf(cookie)).execute();
}

/** `mine`: nobody has sent this form before. `taken`: it has been done. `begun`: somebody is at it, or died at it. */
export type FormClaim = 'mine' | 'taken' | 'begun';

export async function claimForm({ db }: Store, link: string, key: string): Promise<FormClaim> {
  const mine = await db
    .insertInto('partner_form')
    .values({ link, key })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  if (mine !== undefined) return 'mine';
  return (await isFormDone({ db }, link, key)) ? 'taken' : 'begun';
}

export async function isFormDone({ db }: Pick<Store, 'db'>, link: string, key: string): Promise<boolean> {
  const row = await db
    .selectFrom('partner_form')
    .select('done')
    .where('link', '=', link)
    .where('key', '=', key)
    .executeTakeFirst();
  return row?.done ?? false;
}

/** Sent once more, it does nothing. */
export async function finishForm({ db }: Store, link: string, key: string): Promise<void> {
  await db.updateTable('partner_form').set({ done: true }).where('link', '=', link).where('key', '=', key).execute();
}

/** Nothing was done: it may be sent again. */
export async function releaseForm({ db }: Store, link: string, key: string): Promise<void> {
  await db.deleteFrom('partner_form').where('link', '=', link).where('key', '=', key).execute();
}

/** Forgets sessions that are over and links of which nobody has heard for long, and ends the alerts of links that are over. */
export async function prunePartnerRows(store: Store): Promise<void> {
  await store.tx(async (trx) => {
    await trx
      .deleteFrom('partner_session')
      .where(sql<boolean>`seen_at < now() - ${longestHours} * interval '1 hour'`)
      .execute();
    await trx
      .deleteFrom('partner_link')
      .where(sql<boolean>`expires_at < now() - ${keepDays} * interval '1 day'`)
      .execute();
    // Nobody gets in any more by a link that is over, locked or not.
    await sql`
      update alert a set resolved_at = now() where a.resolved_at is null and a.topic like ${lockedTopic('%')} and not exists (
        select 1 from partner_link l where l.id = split_part(a.topic, ':', 2) and l.revoked_at is null and l.expires_at > now())`.execute(
      trx,
    );
  });
}

const keepDays = 90;
