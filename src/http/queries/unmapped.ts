// Codes that a ConceptMap does not know, with in how many records they stand.

import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

interface Row {
  readonly concept_map: string;
  readonly way: 'out' | 'back';
  readonly code: string;
  readonly source: string;
  readonly type: string;
  readonly field: string;
  readonly records: number;
  readonly connections: readonly string[];
  readonly example: string;
  readonly since: Date;
}

/** `{items, next}` by ConceptMap, way and code. */
export async function listUnmapped(
  { db }: Store,
  filter: { readonly source?: string; readonly limit: number; readonly after?: string },
): Promise<Page> {
  const after = cursorKey('unmapped', filter.after, ['', '', '', '', '', ''] as const);
  const { rows } = await sql<Row>`
    select * from (
      select concept_map, way, code, source, type, regexp_replace(pointer, '/[0-9]+(?=/|$)', '', 'g') as field,
        count(distinct id)::integer as records, array_agg(distinct connection) as connections, min(id) as example, min(seen_at) as since
      from unmapped
      where ${filter.source ?? null}::text is null or source = ${filter.source ?? null}
      group by 1, 2, 3, 4, 5, 6) u
    where ${after === undefined} or (concept_map, way, code, source, type, field) >
      (${after?.[0] ?? ''}, ${after?.[1] ?? ''}, ${after?.[2] ?? ''}, ${after?.[3] ?? ''}, ${after?.[4] ?? ''}, ${after?.[5] ?? ''})
    order by concept_map, way, code, source, type, field
    limit ${filter.limit + 1}`.execute(db);
  return page(
    rows,
    filter.limit,
    ({ concept_map: conceptMap, way, code, source, type, field, records, connections, example, since }) => ({
      conceptMap,
      way,
      code,
      source,
      type,
      field,
      records,
      connections,
      example,
      since: since.toISOString(),
    }),
    (row) => cursorText('unmapped', [row.concept_map, row.way, row.code, row.source, row.type, row.field]),
  );
}
