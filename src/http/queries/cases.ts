// The list of cases, and the timeline of one.

import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export interface CaseFilter {
  readonly source?: string;
  readonly limit: number;
  readonly after?: string;
}

/** `{items, next}` by source and id. */
export async function listCases({ db }: Store, filter: CaseFilter): Promise<Page> {
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

const openDecisions = sql`select count(*) from decision where decision.subject = record.subject and decision.state = 'open'`;

// More than a person scrolls through; what is older is in the record versions.
const timelineLength = 1000;

/** What happened in a case, newest first: record versions as they were accepted, changes from the other side, decisions. */
export async function timelineOf({ db }: Store, source: string, subject: string): Promise<object[]> {
  const { rows } = await sql<TimelineRow>`
    select v.accepted_at as at, 'record' as kind, null as connection, v.type, v.id, v.version, null as what
    from record r join record_version v using (source, type, id)
    where r.source = ${source} and r.subject = ${subject}
    union all
    select c.at, 'change', c.connection, c.type, c.id, null, c.op
    from record r join change c using (source, type, id)
    where r.source = ${source} and r.subject = ${subject}
    union all
    select d.opened_at, 'decision', d.connection, d.type, d.record_id, null, d.kind
    from decision d where d.subject = ${subject}
    order by at desc, kind, type, id, version desc
    limit ${timelineLength}`.execute(db);
  return rows.map(({ at, ...row }) => ({ at: at.toISOString(), ...row }));
}

interface TimelineRow {
  readonly at: Date;
  readonly kind: 'record' | 'change' | 'decision';
  readonly connection: string | null;
  readonly type: string | null;
  readonly id: string | null;
  readonly version: number | null;
  /** The change's op, or the decision's kind. */
  readonly what: string | null;
}

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
