// Clocks as rows: how a clock is written, and what of the stored row it keeps.

import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Reason } from '../errors.ts';
import type { Json } from '../json.ts';
import { parseSubject } from '../records/records.ts';
import { type Database, json } from '../store/store.ts';
import { type Clock, nextChangeAt } from './evaluate.ts';
import { caseOfStay } from './load.ts';

/** The first words of the topics of alerts: of one clock, and of all of a worker in a digest. */
export const clockTopics = { one: 'clock-breached', digest: 'clocks-breached' } as const;

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
export function lockRows(trx: Transaction<Database>, subjects: readonly string[]): Promise<Map<string, StoredRow>> {
  return locked(trx, sql`c.subject in (${sql.join(subjects)})`);
}

/** The rows of these keys, whatever their subjects, locked in key order. */
export async function lockKeys(trx: Transaction<Database>, keys: readonly string[]): Promise<Map<string, StoredRow>> {
  return keys.length === 0 ? new Map() : locked(trx, sql`exists (select from ${listed(keys)} where ${isListed})`);
}

async function locked(trx: Transaction<Database>, condition: RawBuilder<unknown>): Promise<Map<string, StoredRow>> {
  const rows = await trx
    .selectFrom('clock as c')
    .selectAll()
    .where(sql<boolean>`${condition}`)
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
  await sql`delete from clock c using ${listed(rows.map(({ key }) => key))} where ${isListed}`.execute(trx);
}

/**
 * Rows that their subject does not want any more, and that are another case's now, go there with what was told of them: those of a record that moved,
 * and of a proposed stay whose case has closed. That case is marked, for it may not want them either. Gives their keys.
 */
export async function handOver(trx: Transaction<Database>, rows: readonly StoredRow[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const { rows: given } = await sql<{ key: Json }>`
    with given as (
      update clock c set subject = place.subject from ${listed(rows.map(({ key }) => key))}
      left join record r on r.source = x.key ->> 0 and r.type = x.key ->> 1 and r.id = x.key ->> 2
      left join inbound i on i.source = x.key ->> 0 and i.type = x.key ->> 1 and i.id = x.key ->> 2
      cross join lateral (select coalesce(r.subject, ${caseOfStay('i')}) as subject) place
      where ${isListed} and place.subject <> c.subject
      returning x.key, c.subject
    ), marked as (
      insert into clock_mark (subject) select distinct subject from given order by 1 on conflict do nothing
    )
    select key from given`.execute(trx);
  return new Set(given.map(({ key }) => JSON.stringify(key)));
}

export function keyOf({
  source,
  type,
  id,
  rule,
  part,
}: Pick<Columns, 'source' | 'type' | 'id' | 'rule' | 'part'>): string {
  return JSON.stringify([source, type, id, rule, part]);
}

/** Keys as rows `x`. */
function listed(keys: readonly string[]): RawBuilder<unknown> {
  return sql`jsonb_to_recordset(${json(keys.map((key) => ({ key: JSON.parse(key) })))}) as x(key jsonb)`;
}

/** The row `c` has the key of `x`. */
const isListed = sql`c.source = x.key ->> 0 and c.type = x.key ->> 1 and c.id = x.key ->> 2 and c.rule = x.key ->> 3
  and c.part = x.key ->> 4`;

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
