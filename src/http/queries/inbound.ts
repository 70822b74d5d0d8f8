// The list of what began on the other side.

import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export const inboundStates = ['new', 'kept', 'proposed', 'withdrawn', 'refused', 'adopted'] as const;

export interface InboundFilter {
  readonly source?: string;
  readonly state?: string;
  readonly connection?: string;
  readonly limit: number;
  readonly after?: string;
}

/** `{items, next}` by connection, source, type and resource. */
export async function listInbound({ db }: Store, filter: InboundFilter): Promise<Page> {
  const after = cursorKey('inbound', filter.after, ['', '', '', '', ''] as const);
  let query = db
    .selectFrom('inbound')
    .select(['connection', 'source', 'resource_type', 'remote_id', 'type', 'id', 'state', 'reason', 'record_id'])
    .select(['noted_at', 'updated_at'])
    .orderBy('connection')
    .orderBy('source')
    .orderBy('type')
    .orderBy('resource_type')
    .orderBy('remote_id')
    .limit(filter.limit + 1);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.connection !== undefined) query = query.where('connection', '=', filter.connection);
  if (after) {
    const [connection, source, type, resourceType, id] = after;
    query = query.where(
      sql<boolean>`(connection, source, type, resource_type, remote_id) > (${connection}, ${source}, ${type}, ${resourceType}, ${id})`,
    );
  }
  return page(
    await query.execute(),
    filter.limit,
    (row) => ({
      connection: row.connection,
      source: row.source,
      resourceType: row.resource_type,
      id: row.remote_id,
      type: row.type === 'none' ? null : row.type,
      proposedId: row.state === 'new' || row.state === 'kept' ? null : row.id,
      state: row.state,
      reason: row.reason,
      recordId: row.record_id,
      firstSeenAt: row.noted_at.toISOString(),
      at: row.updated_at.toISOString(),
    }),
    (row) => cursorText('inbound', [row.connection, row.source, row.type, row.resource_type, row.remote_id]),
  );
}
