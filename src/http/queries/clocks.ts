// The list of clocks, by what is due first.

import { CasebridgeError, type Reason } from '../../errors.ts';
import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export interface ClockFilter {
  readonly source?: string;
  readonly state?: string;
  /** Whose clock it is, or whom the worker reports to. */
  readonly worker?: string;
  /** Of records that are linked there, or began there. */
  readonly connection?: string;
  readonly subject?: string;
  readonly limit: number;
  readonly after?: string;
}

export interface ClockView {
  readonly source: string;
  readonly subject: string;
  readonly type: string;
  readonly id: string;
  readonly rule: string;
  readonly part: string | null;
  readonly state: string;
  /** ISO instants. */
  readonly startedAt: string;
  readonly dueAt: string | null;
  readonly stoppedAt: string | null;
  readonly pausedSince: string | null;
  readonly contact: string | null;
  readonly worker: string | null;
  readonly supervisor: string | null;
  readonly connections: readonly string[];
  readonly told: boolean;
  readonly reason: Reason;
}

// As in the index `clock_by_due`.
const dueOrNever = sql<Date>`coalesce(clock.due_at, timestamptz '9999-12-31 00:00:00+00')`;

/** `{items, next}`, the earliest due first; those without a time at which they are due come last. */
export async function listClocks({ db }: Store, filter: ClockFilter): Promise<Page<ClockView>> {
  const after = cursorKey('clocks', filter.after, ['', '', '', '', '', ''] as const);
  let query = db
    .selectFrom('clock')
    .selectAll('clock')
    .select([
      sql<string[]>`array(${connectionsOf})`.as('connections'),
      supervisorOf.as('told_supervisor'),
      dueOrNever.as('due_or_never'),
    ])
    .orderBy(dueOrNever)
    .orderBy('source')
    .orderBy('type')
    .orderBy('id')
    .orderBy('rule')
    .orderBy('part')
    .limit(filter.limit + 1);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.worker !== undefined)
    query = query.where(sql<boolean>`${filter.worker} in (clock.worker, ${supervisorOf})`);
  if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
  if (filter.connection !== undefined) query = query.where(sql<boolean>`${filter.connection} in (${connectionsOf})`);
  if (after) {
    const [due, source, type, id, rule, part] = after;
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(due) || Number.isNaN(Date.parse(due)))
      throw new CasebridgeError('cursor-invalid');
    query = query.where(
      sql<boolean>`(${dueOrNever}, source, type, id, rule, part) > (${due}::timestamptz, ${source}, ${type}, ${id}, ${rule}, ${part})`,
    );
  }
  return page(
    await query.execute(),
    filter.limit,
    (row) => ({
      source: row.source,
      subject: row.subject,
      type: row.type,
      id: row.id,
      rule: row.rule,
      part: row.part === '' ? null : row.part,
      state: row.state,
      startedAt: row.started_at.toISOString(),
      dueAt: row.due_at?.toISOString() ?? null,
      stoppedAt: row.stopped_at?.toISOString() ?? null,
      pausedSince: row.paused_since?.toISOString() ?? null,
      contact: row.contact,
      worker: row.worker,
      supervisor: row.told_supervisor,
      connections: row.connections,
      told: row.topic !== null,
      reason: row.reason,
    }),
    (row) => cursorText('clocks', [row.due_or_never.toISOString(), row.source, row.type, row.id, row.rule, row.part]),
  );
}

/** As the sweep tells it (`clocks/sweep.ts`). */
const supervisorOf = sql<string | null>`coalesce(clock.supervisor, (
  select worker.content ->> 'supervisorId' from record worker
  where worker.source = clock.source and worker.type = 'worker' and worker.id = clock.worker))`;

const connectionsOf = sql`
  select link.connection from link where link.source = clock.source and link.type = clock.type and link.id = clock.id
  union select record.content #>> '{origin,connection}' from record
    where record.source = clock.source and record.type = clock.type and record.id = clock.id and record.content ? 'origin'
  order by 1`;
