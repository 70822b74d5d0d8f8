// The change feed of one source: what the other side did, oldest first.

import type { Selectable } from 'kysely';
import { CasebridgeError } from '../../errors.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Database, Store } from '../../store/store.ts';
import { cursorKey, cursorText } from '../cursor.ts';

/**
 * `{items, next}`; `next` is always set, so that a source can ask on from where it stands. With `lineage`, each item says which elements of which
 * resources it comes from, and what of them is not understood; null where none says it.
 * @throws CasebridgeError `cursor-invalid`; `cursor-expired` for one that this feed has not reached: the store is older than the cursor
 */
export async function listChanges(
  { db }: Store,
  source: string,
  filter: { readonly limit: number; readonly after?: string; readonly lineage?: boolean },
): Promise<{ items: JsonObject[]; next: string }> {
  const after = changeCursor(filter.after);
  const rows = await db
    .selectFrom('change')
    .selectAll()
    .where('source', '=', source)
    .where('cursor', '>', after)
    .orderBy('cursor')
    .limit(filter.limit)
    .execute();
  if (rows.length === 0 && after > (await lastCursor(db, source))) throw new CasebridgeError('cursor-expired');
  const items = rows.map((row) => ({ ...shownChange(row), ...(filter.lineage === true && { lineage: row.lineage }) }));
  return { items, next: cursorText('changes', [rows.at(-1)?.cursor ?? after]) };
}

/** One item of the feed, as webhooks post it too. */
export function shownChange(row: ChangeRow): JsonObject {
  return {
    cursor: cursorText('changes', [row.cursor]),
    connection: row.connection,
    op: row.op,
    type: row.type,
    id: row.id,
    ...contentOf(row.op, row.body),
    at: row.at.toISOString(),
  };
}

/** Of an item, or of a page's `next`; 0 without one: the beginning of the feed. @throws CasebridgeError `cursor-invalid` */
export function changeCursor(text: string | undefined): number {
  const [cursor] = cursorKey('changes', text, [0] as const) ?? [0];
  return cursor;
}

type ChangeRow = Omit<Selectable<Database['change']>, 'source' | 'subject' | 'elements' | 'lineage'>;

async function lastCursor(db: Store['db'], source: string): Promise<number> {
  const row = await db.selectFrom('change_counter').select('last').where('source', '=', source).executeTakeFirst();
  return row?.last ?? 0;
}

function contentOf(op: string, body: Json): { patch?: Json; record?: Json } {
  if (op === 'patch') return { patch: body };
  return op === 'propose' ? { record: body } : {};
}
