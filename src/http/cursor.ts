// Cursors of lists: opaque to callers, the last row's key to us. `{items, next}` of every list is made here.

import { CasebridgeError } from '../errors.ts';
import { parseJson } from '../records/records.ts';

export type CursorKey = readonly (string | number)[];

/** The text of a cursor of the list called `list`. */
export function cursorText(list: string, key: CursorKey): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString('base64url');
}

/**
 * The key behind `after`, for a list whose keys look like `sample`; undefined without one.
 * @throws CasebridgeError `cursor-invalid`, for the cursor of another list too
 */
export function cursorKey<Key extends CursorKey>(
  list: string,
  after: string | undefined,
  sample: Key,
): Key | undefined {
  if (after === undefined) return undefined;
  const [name, ...key] = decoded(after);
  if (name !== list || !isLike(key, sample)) throw new CasebridgeError('cursor-invalid');
  return key;
}

export interface Page<Item extends object = object> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** One page of a list from rows of which one more than `limit` was asked for: whether that one came says if there is a next page. */
export function page<Row, Item extends object>(
  rows: readonly Row[],
  limit: number,
  shown: (row: Row) => Item,
  cursor: (row: Row) => string,
): Page<Item> {
  const visible = rows.slice(0, limit);
  const last = visible.at(-1);
  return { items: visible.map(shown), next: rows.length > limit && last !== undefined ? cursor(last) : null };
}

function decoded(after: string): unknown[] {
  try {
    // Strict, for what it lets through goes to the database, which takes no NUL and no half a character.
    const value = parseJson(Buffer.from(after, 'base64url'));
    return Array.isArray(value) ? value : [];
  } catch (error) {
    if (error instanceof CasebridgeError) return [];
    throw error;
  }
}

function isLike<Key extends CursorKey>(key: unknown, sample: Key): key is Key {
  return (
    Array.isArray(key) &&
    key.length === sample.length &&
    key.every(
      (part, index) => typeof part === typeof sample[index] && (typeof part === 'string' || Number.isSafeInteger(part)),
    )
  );
}
