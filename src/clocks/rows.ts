// Clocks as rows: how a clock is written, and what of the stored row it keeps.

import { sql, type Transaction } from 'kysely';
import type { Reason } from '../errors.ts';
import { parseSubject } from '../records/records.ts';
import { type Database, json } from '../store/store.ts';
import { type Clock, nextChangeAt } from './evaluate.ts';

export interface ClockRow {
  readonly key: string;
  readonly topic: string | null;
  readonly reason: Reason;
  /** All of the row, to tell whether it changes. */
  readonly same: string;
  readonly columns: Columns;
}

export interface StoredRow {
  readonly key: string;
  readonly subject: string;
  readonly topic: string | null;
  readonly state: string;
  readonly nextAt: Date | null;
  readonly same: string;
}

interface Columns {
  readonly source: string;
  readonly type: string;
  readonly id: string;
  readonly rule: string;
  readonly part: string;
  readonly subject: string;
  readonly state: string;
  readonly started_at: string;
  readonly due_at: string | null;
  readonly due_soon_at: string | null;
  readonly stopped_at: string | null;
  readonly paused_since: string | null;
  readonly contact: string | null;
  readonly worker: string | null;
  readonly supervisor: string | null;
  readonly reason: Reason;
  readonly next_at: string | null;
  readonly topic: string | null;
}

/**
 * The row of a clock. A breach that was told stays told, whatever else changes, for as long as it is one that waits; one that was not is told at
 * `tellAt`, or when that was settled before.
 */
export function rowOf(subject: string, clock: Clock, stored: ReadonlyMap<string, StoredRow>, tellAt: Date): ClockRow {
  const { source } = parseSubject(subject);
  const { type, id, rule, part, state, contact, worker, supervisor, reason } = clock;
  const key = keyOf({ source, type, id, rule, part });
  const before = stored.get(key);
  const isAwaited = state === 'breached' && clock.stoppedAt === null;
  const topic = isAwaited ? (before?.topic ?? null) : null;
  const settled = before?.state === 'breached' ? before.nextAt : null;
  const nextAt = isAwaited && topic === null ? (settled ?? tellAt).toISOString() : instant(nextChangeAt(clock));
  const columns: Columns = {
    source,
    type,
    id,
    rule,
    part,
    subject,
    state,
    started_at: new Date(clock.startedAt).toISOString(),
    due_at: instant(clock.dueAt),
    due_soon_at: instant(clock.dueSoonAt),
    stopped_at: instant(clock.stoppedAt),
    paused_since: instant(clock.pausedSince),
    contact,
    worker,
    supervisor,
    reason,
    next_at: nextAt,
    topic,
  };
  return { key, topic, reason, same: sameText(columns), columns };
}

/** The rows of these subjects, locked in key order. */
export async function lockRows(
  trx: Transaction<Database>,
  subjects: readonly string[],
): Promise<Map<string, StoredRow>> {
  const rows = await trx
    .selectFrom('clock')
    .selectAll()
    .where('subject', 'in', subjects)
    .orderBy('source')
    .orderBy('type')
    .orderBy('id')
    .orderBy('rule')
    .orderBy('part')
    .forUpdate()
    .execute();
  return new Map(
    rows.map((row) => {
      const columns: Columns = {
        ...row,
        started_at: row.started_at.toISOString(),
        due_at: text(row.due_at),
        due_soon_at: text(row.due_soon_at),
        stopped_at: text(row.stopped_at),
        paused_since: text(row.paused_since),
        next_at: text(row.next_at),
      };
      const { subject, topic, state, next_at: nextAt } = row;
      return [keyOf(row), { key: keyOf(row), subject, topic, state, nextAt, same: sameText(columns) }];
    }),
  );
}

export async function upsertRows(trx: Transaction<Database>, rows: readonly ClockRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    insert into clock (source, type, id, rule, part, subject, state, started_at, due_at, due_soon_at, stopped_at, paused_since, contact, worker,
      supervisor, reason, next_at, topic)
    select x.* from jsonb_to_recordset(${json(rows.map(({ columns }) => columns))}) as x(source text, type text, id text, rule text, part text,
      subject text, state text, started_at timestamptz, due_at timestamptz, due_soon_at timestamptz, stopped_at timestamptz,
      paused_since timestamptz, contact text, worker text, supervisor text, reason jsonb, next_at timestamptz, topic text)
    order by 1, 2, 3, 4, 5
    on conflict (source, type, id, rule, part) do update set
      subject = excluded.subject, state = excluded.state, started_at = excluded.started_at, due_at = excluded.due_at,
      due_soon_at = excluded.due_soon_at, stopped_at = excluded.stopped_at, paused_since = excluded.paused_since,
      contact = excluded.contact, worker = excluded.worker, supervisor = excluded.supervisor, reason = excluded.reason,
      next_at = excluded.next_at, topic = excluded.topic`.execute(trx);
}

export async function removeRows(trx: Transaction<Database>, rows: readonly StoredRow[]): Promise<void> {
  if (rows.length === 0) return;
  const keys = rows.map(({ key }) => ({ key: JSON.parse(key) }));
  await sql`
    delete from clock c using jsonb_to_recordset(${json(keys)}) as x(key jsonb)
    where c.source = x.key ->> 0 and c.type = x.key ->> 1 and c.id = x.key ->> 2 and c.rule = x.key ->> 3 and c.part = x.key ->> 4`.execute(
    trx,
  );
}

function keyOf({ source, type, id, rule, part }: Pick<Columns, 'source' | 'type' | 'id' | 'rule' | 'part'>): string {
  return JSON.stringify([source, type, id, rule, part]);
}

function sameText(columns: Columns): string {
  const { reason, ...others } = columns;
  return JSON.stringify([...Object.entries(others).sort(), reason.code, reason.text]);
}

function instant(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

function text(time: Date | null): string | null {
  return time?.toISOString() ?? null;
}
