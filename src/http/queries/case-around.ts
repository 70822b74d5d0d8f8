// What stands around a case: which sources have one of its id, its zone, and the connections that it goes to.

import type { JsonObject } from '../../json.ts';
import { textAt } from '../../json.ts';
import type { Store } from '../../store/store.ts';

/** The sources, of those given, that have a case of this id; in their order of names. */
export async function sourcesOfCase({ db }: Store, sources: readonly string[], id: string): Promise<string[]> {
  if (sources.length === 0) return [];
  const rows = await db
    .selectFrom('record')
    .select('source')
    .where('source', 'in', sources)
    .where('type', '=', 'case')
    .where('id', '=', id)
    .orderBy('source')
    .execute();
  return rows.map(({ source }) => source);
}

/** The zone of the case's organization, as its record tells it. */
export async function organizationZone({ db }: Store, source: string, record: JsonObject): Promise<string | undefined> {
  const id = textAt(record, 'organizationId');
  if (id === undefined) return undefined;
  const row = await db
    .selectFrom('record')
    .select('content')
    .where('source', '=', source)
    .where('type', '=', 'organization')
    .where('id', '=', id)
    .where('deleted', '=', false)
    .executeTakeFirst();
  return row && textAt(row.content, 'timeZone');
}
