// Patients who are asked about though no client is linked to them.

import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

/** `{items, next}` by patient. `origin`: group, uploaded or referred. */
export async function listRoster(
  { db }: Pick<Store, 'db'>,
  connection: string,
  asked: { readonly limit: number; readonly after?: string | undefined },
): Promise<Page> {
  const after = cursorKey('roster', asked.after, ['', ''] as const);
  let query = db
    .selectFrom('roster')
    .select(['patient', 'origin', 'since'])
    .where('connection', '=', connection)
    .orderBy('patient')
    .orderBy('origin')
    .limit(asked.limit + 1);
  if (after) query = query.where(sql<boolean>`(patient, origin) > (${after[0]}, ${after[1]})`);
  return page(
    await query.execute(),
    asked.limit,
    ({ patient, origin, since }) => ({ patient, origin, since: since.toISOString() }),
    ({ patient, origin }) => cursorText('roster', [patient, origin]),
  );
}
