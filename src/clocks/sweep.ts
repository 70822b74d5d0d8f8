// Keeps the clocks: works out what is marked, and moves on what time has changed. All that is known stands in rows, so a process may die between any
// two statements, and several may do this at once.

import { sql } from 'kysely';
import type { Reason } from '../errors.ts';
import { reason } from '../errors.ts';
import { json } from '../store/store.ts';
import { dateOf } from './calendar.ts';
import { digestTime, type SweepDeps } from './deps.ts';
import { breachedReason } from './evaluate.ts';
import { followSources, untoldAt } from './follow-sources.ts';
import { recomputeMarked } from './recompute.ts';
import { clockTopics } from './rows.ts';
import { rules } from './rules.ts';

/** Fewer and larger ones are about a tenth quicker on PostgreSQL; on the embedded store nobody else gets a turn before one is done. */
const rowsAtOnce = { embedded: 1000, postgres: 5000 } as const;
/** What is left after so many batches is for the next sweep, so that a process can stop in between. */
const mostBatches = 20;

export interface Swept {
  /** Subjects whose clocks were worked out. */
  readonly subjects: number;
  /** Clocks that time has moved on, or whose breach was told. */
  readonly moved: number;
}

/** Brings the clocks to `now`, up to some thousands at a time. What was done when it fails stays done. */
export async function sweepClocks(deps: SweepDeps, now: Date): Promise<Swept> {
  const subjects = await untilNone(() => recomputeMarked(deps, now));
  await followSources(deps, now);
  const moved = await untilNone(() => moveOn(deps, now));
  return { subjects, moved };
}

async function untilNone(some: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < mostBatches; batch += 1) {
    const count = await some();
    if (count === 0) break;
    total += count;
  }
  return total;
}

/**
 * Moves clocks whose time has come: running to due soon, that to breached; and tells of breaches, in the same statement, at once or when the digest
 * is due; those of a source that is not configured to nobody. Whatever another process has in hand is left to it.
 */
async function moveOn(deps: SweepDeps, now: Date): Promise<number> {
  const { rows } = await deps.store.tx((trx) =>
    sql<{ n: number }>`
    with rule as (select * from jsonb_to_recordset(${json(toldRules)}) as x(rule text, tells jsonb, reason jsonb)),
    digest as (select * from jsonb_to_recordset(${json(digestsOf(deps, now))}) as x(source text, at timestamptz, date text)),
    due as (
      select source, type, id, rule, part, state, due_at, worker from clock where next_at <= ${now}
      order by next_at limit ${rowsAtOnce[deps.store.kind]} for update skip locked
    ), step as (
      select d.*, r.reason, r.tells, coalesce(g.at, case when not k.is_told then ${untoldAt} end) as digest_at,
        d.due_at <= ${now} and k.is_told and (g.source is null or d.state = 'breached') as telling,
        case when g.source is null
          then ${`${clockTopics.one}:`} || concat_ws(':', d.source, d.type || '/' || d.id, d.rule, nullif(d.part, ''))
          else ${`${clockTopics.digest}:`} || concat_ws(':', d.source, d.worker, g.date) end as topic
      from due d join rule r using (rule) left join digest g using (source)
      cross join lateral (select jsonb_exists(${json(deps.sources)}, d.source) as is_told) k
    ), moved as (
      update clock c set
        state = case when s.due_at <= ${now} then 'breached' else 'due-soon' end,
        reason = case when s.due_at <= ${now} and c.reason ->> 'code' <> 'clock-times-crossed' then s.reason else c.reason end,
        next_at = case when s.due_at > ${now} then s.due_at when s.telling then null else s.digest_at end,
        topic = case when s.telling then s.topic end
      from step s
      where c.source = s.source and c.type = s.type and c.id = s.id and c.rule = s.rule and c.part = s.part
      returning c.source, c.worker, c.supervisor, c.topic, s.reason, s.tells, s.digest_at
    ), told as (
      select m.topic, m.source, case when m.digest_at is null then m.reason else ${json(digestReason)} end as reason,
        case when m.worker is null or not jsonb_exists(m.tells, 'worker') then '[]'::jsonb
          else jsonb_build_array(jsonb_build_object('role', 'worker', 'id', m.worker)) end
        || case when s.id is null or not jsonb_exists(m.tells, 'supervisor') then '[]'::jsonb
          else jsonb_build_array(jsonb_build_object('role', 'supervisor', 'id', s.id)) end as recipients
      from moved m left join record w on w.source = m.source and w.type = 'worker' and w.id = m.worker
      cross join lateral (select coalesce(m.supervisor, w.content ->> 'supervisorId') as id) s
      where m.topic is not null
    ), topics as (
      select topic, min(source) as source, (array_agg(reason))[1] as reason, count(*)::integer as n, array_agg(recipients) as lists
      from told group by topic
    ), alerts as (
      insert into alert (topic, source, reason, count, recipients, opened_at)
      select topic, source, reason, n, case when n = 1 then lists[1] else (
        select coalesce(jsonb_agg(distinct one), '[]') from unnest(lists) as list, jsonb_array_elements(list) as one) end, ${now}
      from topics order by topic
      on conflict (topic) where resolved_at is null do update set
        count = alert.count + excluded.count,
        recipients = (select jsonb_agg(distinct one) from jsonb_array_elements(alert.recipients || excluded.recipients) as one)
    )
    select count(*)::integer as n from moved`.execute(trx),
  );
  return rows[0]?.n ?? 0;
}

interface ToldRule {
  readonly rule: string;
  readonly tells: readonly string[];
  readonly reason: Reason;
}

const toldRules: readonly ToldRule[] = rules.map((rule) => ({
  rule: rule.name,
  tells: rule.tells,
  reason: breachedReason(rule),
}));

const digestReason = reason('clocks-breached');

function digestsOf(deps: SweepDeps, now: Date): { source: string; at: string; date: string }[] {
  return deps.sources.flatMap((source) => {
    const at = digestTime(deps, source, now);
    return at === undefined ? [] : [{ source, at: at.toISOString(), date: dateOf(now.getTime(), deps.zoneOf(source)) }];
  });
}
