// One-time codes: six digits that go to the partner's address, good for ten minutes and one use. After five wrong ones in a row the link is
// locked for a while and its code is void; each further lock lasts twice as long.

import { reason } from '../errors.ts';
import { closeAlert, openAlert } from '../lanes/lanes.ts';
import { type Store, sql } from '../store/store.ts';
import { hashOf, isSame, type RandomBytes, randomText, type Seal } from './seal.ts';

export const codeMinutes = 10;
const firstPauseSeconds = 60;
const longestPauseSeconds = 15 * 60;
const mostWrong = 5;
const firstLockMinutes = 15;
const longestLockMinutes = 24 * 60;

export type CodeAsked =
  | { readonly kind: 'new' }
  /** One was sent a moment ago; the more have been sent in vain, the longer a moment is. */
  | { readonly kind: 'sent-before' }
  | { readonly kind: 'locked' };

/** Makes this the code of the link, unless it is locked or has got one just now. */
export async function keepCode(store: Store, seal: Seal, link: string, code: string): Promise<CodeAsked> {
  return store.tx(async (trx) => {
    const row = await trx
      .selectFrom('partner_link')
      .select(sql<boolean>`coalesce(locked_until > now(), false)`.as('locked'))
      .select(
        sql<boolean>`coalesce(code_sent_at > now() - interval '1 second'
          * least(${firstPauseSeconds} * 2 ^ greatest(codes_sent - 1, 0), ${longestPauseSeconds}), false)`.as('recent'),
      )
      .where('id', '=', link)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined || row.locked) return { kind: 'locked' };
    if (row.recent) return { kind: 'sent-before' };
    await trx
      .updateTable('partner_link')
      .set({
        code_hash: codeHash(seal, link, code),
        codes_sent: sql<number>`codes_sent + 1`,
        code_sent_at: sql<Date>`now()`,
        code_until: sql<Date>`now() + ${codeMinutes} * interval '1 minute'`,
      })
      .where('id', '=', link)
      .execute();
    return { kind: 'new' };
  });
}

/** A code that could not be sent opens nothing, and the next one may be asked for at once. */
export async function dropCode({ db }: Store, seal: Seal, link: string, code: string): Promise<void> {
  await db
    .updateTable('partner_link')
    .set({ code_hash: null, code_sent_at: null, code_until: null, codes_sent: sql<number>`codes_sent - 1` })
    .where('id', '=', link)
    .where('code_hash', '=', codeHash(seal, link, code))
    .execute();
}

export type CodeGiven =
  | { readonly kind: 'right'; readonly session: string }
  | { readonly kind: 'wrong'; readonly left: number }
  /** None was sent, or it is too old, or was used. */
  | { readonly kind: 'none' }
  | { readonly kind: 'locked' };

export interface SignIn {
  readonly link: string;
  readonly partner: string;
  readonly code: string;
  /** What they call themselves. */
  readonly name: string;
}

/** Signs somebody in, or counts a wrong code. */
export async function giveCode(
  store: Store,
  seal: Seal,
  random: RandomBytes,
  { link, partner, code, name }: SignIn,
): Promise<CodeGiven> {
  return store.tx(async (trx) => {
    const row = await trx
      .selectFrom('partner_link')
      .select(['code_hash', 'wrong_codes', 'locks'])
      .select(sql<boolean>`coalesce(locked_until > now(), false)`.as('locked'))
      .select(sql<boolean>`coalesce(code_until > now(), false)`.as('fresh'))
      .where('id', '=', link)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined || row.locked) return { kind: 'locked' };
    if (row.code_hash === null || !row.fresh) return { kind: 'none' };
    const change = trx.updateTable('partner_link').where('id', '=', link);
    if (isSame(row.code_hash, codeHash(seal, link, code))) {
      const session = randomText(random, 24);
      await change
        .set({ code_hash: null, code_until: null, wrong_codes: 0, codes_sent: 0, locks: 0, used_at: sql<Date>`now()` })
        .execute();
      await trx
        .insertInto('partner_session')
        .values({ hash: hashOf(session), link, name })
        .execute();
      await closeAlert(trx, lockedTopic(link));
      return { kind: 'right', session };
    }
    const wrong = row.wrong_codes + 1;
    if (wrong < mostWrong) {
      await change.set({ wrong_codes: wrong }).execute();
      return { kind: 'wrong', left: mostWrong - wrong };
    }
    const minutes = Math.min(firstLockMinutes * 2 ** row.locks, longestLockMinutes);
    await change
      .set({
        code_hash: null,
        code_until: null,
        wrong_codes: 0,
        locks: row.locks + 1,
        locked_until: sql<Date>`now() + ${minutes} * interval '1 minute'`,
      })
      .execute();
    await openAlert(trx, {
      topic: lockedTopic(link),
      reason: reason('partner-link-locked', { partner, link }),
    });
    return { kind: 'locked' };
  });
}

/** Of the alert that tells of a locked link. */
export function lockedTopic(link: string): string {
  return `partner-link-locked:${link}`;
}

function codeHash(seal: Seal, link: string, code: string): string {
  return seal.sign('code', `${link} ${code}`);
}
