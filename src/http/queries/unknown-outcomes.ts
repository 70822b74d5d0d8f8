// Requests of which nobody knows what came: which they are, and by what name the server's own log has them.

import type { Reason } from '../../errors.ts';
import { isUnknown, nameOf } from '../../lanes/lanes.ts';
import type { Store } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export interface UnknownOutcomeFilter {
  readonly source: string | undefined;
  readonly connection: string | undefined;
  readonly limit: number;
  readonly after: string | undefined;
}

export interface UnknownOutcomeView {
  readonly connection: string;
  readonly subject: string;
  /** As in referral/r1#request. Nothing more is sent for it until this is known. */
  readonly resource: string;
  /** What was asked for: `create`, `update`, … */
  readonly kind: string;
  readonly resourceType: string;
  /** On the server; null where it was to be made. */
  readonly id: string | null;
  /** The `X-Request-Id` with which it was sent. Several writes that went out together have the same. */
  readonly requestId: string;
  readonly sentAt: string;
  /** When the server was asked for it and did not have it; null as long as it has not been asked. */
  readonly missedAt: string | null;
  /** Why its reply told nothing; null where the process that sent it has ended. */
  readonly reason: Reason | null;
}

/** `{items, next}` in the order in which they were sent. */
export async function listUnknownOutcomes(
  { db }: Store,
  { source, connection, limit, after }: UnknownOutcomeFilter,
): Promise<Page<UnknownOutcomeView>> {
  const key = cursorKey('unknown-outcomes', after, [0] as const);
  let query = db
    .selectFrom('operation')
    .select(['id', 'connection', 'subject', 'type', 'record_id', 'slot', 'kind', 'resource_type', 'remote_id'])
    .select(['send_id', 'intended_at', 'missed_at', 'reason'])
    .where(isUnknown);
  if (source !== undefined) query = query.where('source', '=', source);
  if (connection !== undefined) query = query.where('connection', '=', connection);
  if (key !== undefined) query = query.where('id', '>', key[0]);
  const rows = await query
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  return page(
    rows,
    limit,
    (row) => ({
      connection: row.connection,
      subject: row.subject,
      resource: nameOf({ type: row.type, id: row.record_id, slot: row.slot }),
      kind: row.kind,
      resourceType: row.resource_type,
      id: row.remote_id,
      requestId: row.send_id,
      sentAt: row.intended_at.toISOString(),
      missedAt: row.missed_at?.toISOString() ?? null,
      reason: row.reason,
    }),
    (row) => cursorText('unknown-outcomes', [row.id]),
  );
}
