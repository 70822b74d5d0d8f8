// The list of cases, and the records of one.

import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export interface CaseFilter {
  readonly source?: string;
  readonly limit: number;
  readonly after?: string;
}

export interface CaseView {
  readonly source: string;
  readonly id: string;
  readonly clientId: string | null;
  readonly status: string | null;
  readonly deleted: boolean;
  readonly version: number;
  readonly updatedAt: string;
  readonly openDecisions: number;
}

/** `{items, next}` by source and id. */
export async function listCases({ db }: Store, filter: CaseFilter): Promise<Page<CaseView>> {
  const after = cursorKey('cases', filter.after, ['', ''] as const);
  let query = db
    .selectFrom('record')
    .select(['source', 'id', 'version', 'updated_at', 'client_id', 'deleted'])
    .select([
      sql<string | null>`content ->> 'status'`.as('status'),
      sql<number>`(${openDecisions})::integer`.as('open'),
    ])
    .where('type', '=', 'case')
    .orderBy('source')
    .orderBy('id')
    .limit(filter.limit + 1);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  if (after) query = query.where(sql<boolean>`(source, id) > (${after[0]}, ${after[1]})`);
  const rows = await query.execute();
  return page(
    rows,
    filter.limit,
    (row) => ({
      source: row.source,
      id: row.id,
      clientId: row.client_id,
      status: row.status,
      deleted: row.deleted,
      version: row.version,
      updatedAt: row.updated_at.toISOString(),
      openDecisions: row.open,
    }),
    (row) => cursorText('cases', [row.source, row.id]),
  );
}

/** Of its own lanes and of its client's, which it waits for. */
const openDecisions = sql`select count(*) from decision where decision.state = 'open'
  and decision.subject in (record.subject, record.source || '.client.' || record.client_id)`;

/** The records of a case, for its bundle. */
export async function keysOfSubject(
  { db }: Store,
  source: string,
  subject: string,
): Promise<{ type: string; id: string }[]> {
  return db
    .selectFrom('record')
    .select(['type', 'id'])
    .where('source', '=', source)
    .where('subject', '=', subject)
    .where('deleted', '=', false)
    .orderBy('type')
    .orderBy('id')
    .execute();
}
