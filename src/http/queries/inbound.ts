// The list of what began on the other side, and of what polls found there and could not read.

import type { Reason } from '../../errors.ts';
import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export const inboundStates = ['new', 'kept', 'proposed', 'withdrawn', 'refused', 'adopted', 'unreadable'] as const;

export interface InboundFilter {
  /** Whose; undefined: all, with what could not be read, of which nobody knows whose it is. */
  readonly source?: string;
  readonly state?: string;
  readonly connection?: string;
  readonly limit: number;
  readonly after?: string;
}

/** Nothing was ever offered of these. */
const noProposal = ['new', 'kept', 'unreadable'];

interface Row {
  readonly connection: string;
  /** '' in what could not be read, as in `type`: no list knows more of it than its place. */
  readonly source: string;
  readonly type: string;
  readonly resource_type: string;
  readonly remote_id: string;
  /** The patient whom the poll asked about; '' where it asked about all, or where no poll is meant. */
  readonly about: string;
  readonly id: string;
  readonly state: (typeof inboundStates)[number];
  readonly reason: Reason | null;
  readonly record_id: string | null;
  readonly first_at: Date;
  readonly last_at: Date;
}

/** `{items, next}` by connection, source, type and resource. */
export async function listInbound({ db }: Store, filter: InboundFilter): Promise<Page> {
  const { source, state, connection } = filter;
  const after = cursorKey('inbound', filter.after, ['', '', '', '', '', ''] as const);
  const conditions = [
    ...(source === undefined ? [] : [sql<boolean>`source = ${source}`]),
    ...(state === undefined ? [] : [sql<boolean>`state = ${state}`]),
    ...(connection === undefined ? [] : [sql<boolean>`connection = ${connection}`]),
    ...(after === undefined
      ? []
      : [sql<boolean>`(connection, source, type, resource_type, remote_id, about) > (${sql.join(after)})`]),
  ];
  const { rows } = await sql<Row>`
    select * from (
      select connection, source, type, resource_type, remote_id, '' as about, id, state, reason, record_id,
        noted_at as first_at, updated_at as last_at
      from inbound
      union all
      select connection, '', '', resource_type, key, about, '', 'unreadable', reason, null, first_at, last_at
      from poll_unreadable) seen
    ${conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`}
    order by connection, source, type, resource_type, remote_id, about
    limit ${filter.limit + 1}`.execute(db);
  return page(rows, filter.limit, shown, (row) =>
    cursorText('inbound', [row.connection, row.source, row.type, row.resource_type, row.remote_id, row.about]),
  );
}

function shown(row: Row) {
  return {
    connection: row.connection,
    source: row.source === '' ? null : row.source,
    resourceType: row.resource_type,
    id: row.remote_id,
    type: row.type === 'none' || row.type === '' ? null : row.type,
    proposedId: noProposal.includes(row.state) ? null : row.id,
    state: row.state,
    reason: row.reason,
    recordId: row.record_id,
    firstSeenAt: row.first_at.toISOString(),
    at: row.last_at.toISOString(),
    ...(row.about !== '' && { patient: row.about }),
  };
}
