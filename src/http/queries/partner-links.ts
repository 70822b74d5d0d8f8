// What partners were told, and the links that they were given. No secret of a link is kept, so none is shown.

import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export const linkStates = ['good', 'locked', 'expired', 'revoked'] as const;
export const messageStates = ['waiting', 'sent', 'failed', 'needless'] as const;

interface Filter {
  readonly partner?: string;
  readonly state?: string;
  readonly limit: number;
  readonly after?: string;
}

const linkState = sql<(typeof linkStates)[number]>`case when revoked_at is not null then 'revoked'
  when expires_at <= now() then 'expired' when locked_until > now() then 'locked' else 'good' end`;

/** `{items, next}`, the newest first. */
export async function listLinks({ db }: Store, { partner, state, limit, after }: Filter): Promise<Page> {
  const key = cursorKey('partner-links', after, ['', ''] as const);
  let query = db
    .selectFrom('partner_link')
    .selectAll()
    .select([linkState.as('state'), sql<string>`created_at::text`.as('created_text')])
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (partner !== undefined) query = query.where('partner', '=', partner);
  if (state !== undefined) query = query.where(sql<boolean>`${linkState} = ${state}`);
  if (key) query = query.where(sql<boolean>`(created_at, id) < (${key[0]}::text::timestamptz, ${key[1]})`);
  return page(
    await query.execute(),
    limit,
    (row) => ({
      id: row.id,
      partner: row.partner,
      task: row.task_id,
      contact: row.contact === '' ? null : row.contact,
      state: row.state,
      message: row.message,
      createdAt: row.created_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      usedAt: row.used_at?.toISOString() ?? null,
      lockedUntil: row.locked_until?.toISOString() ?? null,
      revokedAt: row.revoked_at?.toISOString() ?? null,
      revokedBy: row.revoked_by,
    }),
    (row) => cursorText('partner-links', [row.created_text, row.id]),
  );
}

/** `{items, next}`, the newest first. */
export async function listMessages({ db }: Store, { partner, state, limit, after }: Filter): Promise<Page> {
  const key = cursorKey('partner-messages', after, [0] as const);
  let query = db
    .selectFrom('partner_message')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (partner !== undefined) query = query.where('partner', '=', partner);
  if (state !== undefined) query = query.where(sql<boolean>`state = ${state}`);
  if (key) query = query.where('id', '<', key[0]);
  return page(
    await query.execute(),
    limit,
    (row) => ({
      id: row.id,
      partner: row.partner,
      task: row.task_id,
      contact: row.contact === '' ? null : row.contact,
      event: row.event,
      state: row.state,
      attempts: row.attempts,
      createdAt: row.created_at.toISOString(),
      nextTryAt: row.state === 'waiting' ? row.next_at.toISOString() : null,
      sentAt: row.sent_at?.toISOString() ?? null,
      reason: row.reason,
    }),
    (row) => cursorText('partner-messages', [row.id]),
  );
}
