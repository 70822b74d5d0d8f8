// Of whom the source says that a client is a duplicate (`mergedInto`). Pure.

import { type JsonObject, textAt } from '../../json.ts';

export interface Duplicate {
  readonly other: string;
  /** That client is said to be a duplicate of this one in turn, be it over others: then nothing says who is left. */
  readonly isRing: boolean;
}

/** @param clientOf a client record by its id; undefined: it is not there, or withdrawn */
export function duplicateIn(
  record: JsonObject | undefined,
  clientOf: (id: string) => JsonObject | undefined,
): Duplicate | undefined {
  const other = textAt(record, 'mergedInto');
  if (other === undefined) return undefined;
  const passed = new Set<string>();
  let next: string | undefined = other;
  while (next !== undefined && next !== record?.id && !passed.has(next)) {
    passed.add(next);
    next = textAt(clientOf(next), 'mergedInto');
  }
  return { other, isRing: next !== undefined && next === record?.id };
}
