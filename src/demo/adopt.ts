// How the agency's system adopts what began elsewhere: a record of its own for each proposal, under an id of its own, with `origin` as proposed, and
// with what only the agency can say.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { type RecordType, recordTypes } from '../records/records.ts';
import type { RecordLine } from './caseload.ts';
import { textAt } from './reading.ts';

export interface Adopting {
  /** The id of each proposal, and the agency's own. */
  readonly ids: ReadonlyMap<string, string>;
  /** What the agency adds to a record of this type. */
  readonly own: Readonly<Partial<Record<RecordType, JsonObject>>>;
  /** ISO instant. */
  readonly at: string;
}

/** @param proposal an item of the change feed whose `op` is `propose` */
export function adopted(proposal: JsonObject, { ids, own, at }: Adopting): RecordLine {
  const type = recordTypes.find((one) => one === proposal.type);
  const record = withIds(proposal.record ?? {}, ids);
  if (type === undefined || !isObject(record)) throw new Error('the feed proposes something that is no record');
  return { type, record: { ...record, ...own[type], id: textAt(record, 'id'), updatedAt: at } };
}

function withIds(value: Json, ids: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return ids.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => withIds(item, ids));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withIds(inner, ids)]));
}
