// What the records of a lane said when all of a link was sent last. It is read where the bases of the link are of another form than its slot: with it
// can be told what of the difference the source has changed, and what only the mapping says otherwise (`bases.ts`).

import type { JsonObject } from '../../json.ts';
import type { MappingSet } from '../../mapping/mapping.ts';
import { isRecordType } from '../../records/records.ts';
import { json, type Store, sql } from '../../store/store.ts';
import { isOfOtherForm } from '../absorb/bases.ts';
import { slotOf } from './desire-input.ts';
import { isStanding, type LinkRow, type RecordName, type RecordRow, recordKey } from './known.ts';
import { linkState } from './link-state.ts';

/** By which the content of a version is found; a version that is not known finds none. */
export function pastKey(record: RecordName, version: number | undefined): string {
  return `${recordKey(record)}@${version}`;
}

/** Versions never change, so they need not be of the lane's snapshot. Nothing is read where the newest versions are what was sent. */
export async function contentsAsSent(
  { db }: Store,
  { source }: { readonly source: string },
  mappings: MappingSet,
  own: readonly RecordRow[],
  links: readonly LinkRow[],
): Promise<ReadonlyMap<string, JsonObject>> {
  const versions = new Map(own.map((row) => [recordKey(row), row.version]));
  const wanted = links.filter(isStanding).flatMap((row) => {
    const { type, id, slot: name } = row;
    if (!isRecordType(type)) return [];
    const link = linkState(row);
    const slot = slotOf({ mappings }, { type, id, slot: name });
    const version = link.sentVersion;
    const isOther = version !== undefined && version !== versions.get(recordKey(row));
    return slot !== undefined && isOther && isOfOtherForm(link, slot) ? [{ type, id, version }] : [];
  });
  if (wanted.length === 0) return new Map();
  const { rows } = await sql<RecordName & { version: number; content: JsonObject }>`
    select v.type, v.id, v.version, v.content from jsonb_to_recordset(${json(wanted)}) as w(type text, id text, version integer)
    join record_version v on v.source = ${source} and v.type = w.type and v.id = w.id and v.version = w.version`.execute(
    db,
  );
  return new Map(rows.map((row) => [pastKey(row, row.version), row.content]));
}
