// Cases that somebody should look at, and how many: those with a breached clock that still waits, an open decision or a parked lane, of the case
// itself or of its client.

import { CasebridgeError } from '../../errors.ts';
import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export interface AttentionView {
  readonly source: string;
  readonly id: string;
  /** Breached clocks that nothing has stopped. */
  readonly breached: number;
  /** When the first of its clocks that run or are breached was or is due, as ISO instant. */
  readonly dueAt: string | null;
  readonly decisions: number;
  readonly parked: number;
}

/** `{items, next}`: breached clocks first, then open decisions, then parked lanes; in each the earliest due first. */
export async function listAttention(
  { db }: Store,
  filter: { readonly source?: string; readonly limit: number; readonly after?: string },
): Promise<Page<AttentionView>> {
  const [rank, due, source, id] = cursorKey('attention', filter.after, [0, '', '', ''] as const) ?? [8, '', '', ''];
  if (filter.after !== undefined && !/^(\d{4}-\d\d-\d\dT[\d:.]{15}|~)$/.test(due))
    throw new CasebridgeError('cursor-invalid');
  const { rows } = await sql<Row>`
    select * from (${inNeed}) n
    where (${filter.source ?? null}::text is null or source = ${filter.source ?? null})
      and (rank < ${rank} or (rank = ${rank} and (due, source, id) > (${due}, ${source}, ${id})))
    order by rank desc, due, source, id
    limit ${filter.limit + 1}`.execute(db);
  return page(
    rows,
    filter.limit,
    (row) => ({
      source: row.source,
      id: row.id,
      breached: row.breached,
      dueAt: row.due_at?.toISOString() ?? null,
      decisions: row.decisions,
      parked: row.parked,
    }),
    (row) => cursorText('attention', [row.rank, row.due, row.source, row.id]),
  );
}

interface Row {
  readonly source: string;
  readonly id: string;
  readonly breached: number;
  readonly due_at: Date | null;
  readonly decisions: number;
  readonly parked: number;
  /** Which of the three it has, as bits. */
  readonly rank: number;
  /** `due_at` as text that sorts, what is never due last. */
  readonly due: string;
}

const inNeed = sql`
  with breached as (select subject, count(*)::integer as n from clock where state = 'breached' and stopped_at is null group by 1),
  asked as (select subject, count(*)::integer as n from decision where state = 'open' and subject <> '' group by 1),
  stuck as (select subject, count(*)::integer as n from lane where parked is not null or stopped is not null group by 1),
  known as (
    select subject, split_part(subject, '.', 1) as source, split_part(subject, '.', 2) as kind
    from (select subject from breached union select subject from asked union select subject from stuck) s),
  found as (
    select r.source, r.id, r.subject, k.subject as about from known k join record r on k.kind = 'case' and r.subject = k.subject and r.type = 'case'
    union
    select r.source, r.id, r.subject, k.subject from known k join record r on k.kind = 'client' and r.source = k.source and r.type = 'case'
      and r.client_id = substr(k.subject, length(k.source) + length('.client.') + 1)
    where not r.deleted)
  select source, id, breached, decisions, parked, due_at,
    (breached > 0)::integer * 4 + (decisions > 0)::integer * 2 + (parked > 0)::integer as rank,
    coalesce(to_char(due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '~') as due
  from (
    select f.source, f.id, coalesce(sum(b.n), 0)::integer as breached, coalesce(sum(a.n), 0)::integer as decisions, coalesce(sum(s.n), 0)::integer as parked,
      (select min(c.due_at) from clock c where c.subject = f.subject and c.state in ('breached', 'due-soon', 'running') and c.stopped_at is null) as due_at
    from found f left join breached b on b.subject = f.about left join asked a on a.subject = f.about left join stuck s on s.subject = f.about
    group by f.source, f.id, f.subject) summed`;

/** How many cases need attention, how many decisions are open, and how many alerts of each connection. */
export async function attentionCounts({ db }: Store): Promise<{
  readonly cases: number;
  readonly decisions: number;
  readonly alerts: ReadonlyMap<string, number>;
}> {
  const { rows } = await sql<{ cases: number; decisions: number }>`
    select (select count(*)::integer from (${inNeed}) n) as cases,
      (select count(*)::integer from decision where state = 'open') as decisions`.execute(db);
  const alerts = await db
    .selectFrom('alert')
    .select(['connection', sql<number>`count(*)::integer`.as('count')])
    .where('resolved_at', 'is', null)
    .where('connection', 'is not', null)
    .groupBy('connection')
    .execute();
  return {
    cases: rows[0]?.cases ?? 0,
    decisions: rows[0]?.decisions ?? 0,
    alerts: new Map(alerts.map(({ connection, count }) => [connection ?? '', count])),
  };
}
