// Records that came older than what is stored, with content that no version has: kept beside the record for a person to look at.

import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

/** `{items, next}` by source, type, id. */
export async function listStale(
  { db }: Store,
  filter: { readonly source?: string; readonly limit: number; readonly after?: string },
): Promise<Page<{ source: string; type: string; id: string }>> {
  const after = cursorKey('stale', filter.after, ['', '', '', ''] as const);
  let query = db
    .selectFrom('stale_record as stale')
    .innerJoin('record', (join) =>
      join
        .onRef('record.source', '=', 'stale.source')
        .onRef('record.type', '=', 'stale.type')
        .onRef('record.id', '=', 'stale.id'),
    )
    .select(['stale.source', 'stale.type', 'stale.id', 'stale.hash', 'stale.updated_at', 'stale.received_at'])
    .select(['stale.content', 'record.version', 'record.updated_at as stored_at'])
    .orderBy('stale.source')
    .orderBy('stale.type')
    .orderBy('stale.id')
    .orderBy('stale.hash')
    .limit(filter.limit + 1);
  if (filter.source !== undefined) query = query.where('stale.source', '=', filter.source);
  if (after)
    query = query.where(
      sql<boolean>`(stale.source, stale.type, stale.id, stale.hash) > (${after[0]}, ${after[1]}, ${after[2]}, ${after[3]})`,
    );
  const rows = await query.execute();
  return page(
    rows,
    filter.limit,
    (row) => ({
      source: row.source,
      type: row.type,
      id: row.id,
      key: row.hash,
      record: row.content,
      updatedAt: row.updated_at.toISOString(),
      receivedAt: row.received_at.toISOString(),
      stored: { version: row.version, updatedAt: row.stored_at.toISOString() },
    }),
    (row) => cursorText('stale', [row.source, row.type, row.id, row.hash]),
  );
}
