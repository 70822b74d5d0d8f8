// Alerts: what an operator must see once, with how often it happened since and when it was over.

import type { Reason } from '../../errors.ts';
import type { Recipient, Store } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export const alertStates = ['open', 'resolved'] as const;

export interface AlertView {
  readonly id: number;
  readonly topic: string;
  readonly connection: string | null;
  readonly source: string | null;
  readonly recipients: readonly Recipient[];
  readonly state: (typeof alertStates)[number];
  readonly reason: Reason;
  readonly count: number;
  readonly openedAt: string;
  readonly resolvedAt: string | null;
  readonly resolution: Reason | null;
}

/** `{items, next}`, newest first. */
export async function listAlerts(
  { db }: Store,
  filter: {
    readonly source?: string;
    readonly connection?: string;
    readonly state?: string;
    readonly limit: number;
    readonly after?: string;
  },
): Promise<Page<AlertView>> {
  const after = cursorKey('alerts', filter.after, [0] as const);
  let query = db
    .selectFrom('alert')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.state === 'open') query = query.where('resolved_at', 'is', null);
  if (filter.state === 'resolved') query = query.where('resolved_at', 'is not', null);
  if (filter.connection !== undefined) query = query.where('connection', '=', filter.connection);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  if (after) query = query.where('id', '<', after[0]);
  const rows = await query.execute();
  return page(
    rows,
    filter.limit,
    ({
      id,
      topic,
      connection,
      source,
      recipients,
      reason,
      count,
      resolution,
      opened_at: openedAt,
      resolved_at: resolvedAt,
    }) => ({
      id,
      topic,
      connection,
      source,
      recipients: recipients ?? [],
      state: resolvedAt === null ? 'open' : 'resolved',
      reason,
      count,
      openedAt: openedAt.toISOString(),
      resolvedAt: resolvedAt?.toISOString() ?? null,
      resolution,
    }),
    (row) => cursorText('alerts', [row.id]),
  );
}
