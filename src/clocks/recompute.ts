// Works out the clocks of marked subjects from their records and keeps them as rows. Mark, rows and alerts change in one transaction: a process that
// dies leaves the mark, and doing it again changes nothing.

import { sql, type Transaction } from 'kysely';
import { type Reason, reason } from '../errors.ts';
import { parseSubject, sourceOf } from '../records/records.ts';
import { type Database, json } from '../store/store.ts';
import { digestTime, type SweepDeps } from './deps.ts';
import { clocksOf } from './evaluate.ts';
import { loadFacts } from './load.ts';
import {
  type ClockRow,
  handOver,
  keyOf,
  lockKeys,
  lockRows,
  removeRows,
  rowOf,
  type StoredRow,
  upsertRows,
} from './rows.ts';

/** Few, because whoever accepts a record of one of these waits for the rest. */
const subjectsAtOnce = 50;
/** A subject whose clocks could not be worked out is tried again after this, so that it holds nobody up. */
const laterMs = 600_000;

/** Works off some marks. Answers how many. */
export async function recomputeMarked(deps: SweepDeps, now: Date): Promise<number> {
  const failures: unknown[] = [];
  const marks = await deps.store.tx(async (trx) => {
    failures.length = 0;
    const subjects = await takeMarks(trx, now);
    const groups = Map.groupBy(subjects, (subject) => parseSubject(subject).kind === 'case');
    await markCases(trx, groups.get(false) ?? []);
    const cases = groups.get(true) ?? [];
    if (cases.length > 0) await recompute(trx, deps, cases, now, failures);
    return subjects.length;
  });
  for (const failure of failures) deps.onError(failure);
  return marks;
}

async function takeMarks(trx: Transaction<Database>, now: Date): Promise<string[]> {
  const { rows } = await sql<{ subject: string }>`
    delete from clock_mark where subject in (
      select subject from clock_mark where try_at is null or try_at <= ${now} order by since limit ${subjectsAtOnce} for update skip locked)
    returning subject`.execute(trx);
  return rows.map(({ subject }) => subject);
}

/** A client or an organization stands for its cases. */
async function markCases(trx: Transaction<Database>, subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return;
  const keys = subjects.map(parseSubject);
  await sql`
    insert into clock_mark (subject)
    select distinct r.subject from jsonb_to_recordset(${json(keys)}) as k(source text, kind text, id text)
    join record r on r.source = k.source and r.type = 'case'
      and (k.kind = 'client' and r.client_id = k.id or k.kind = 'organization' and r.content ->> 'organizationId' = k.id)
    order by 1
    on conflict (subject) do update set try_at = null`.execute(trx);
}

async function recompute(
  trx: Transaction<Database>,
  deps: SweepDeps,
  subjects: readonly string[],
  now: Date,
  failures: unknown[],
): Promise<void> {
  const own = await lockRows(trx, subjects);
  const facts = await loadFacts(trx, subjects, deps.zoneOf);
  const failed: string[] = [];
  const attempt = <T>(subject: string, work: () => T[]): T[] => {
    try {
      return work();
    } catch (error) {
      failures.push(error);
      failed.push(subject);
      return [];
    }
  };
  const clocks = [...facts].flatMap(([subject, found]) =>
    attempt(subject, () => clocksOf(found, now.getTime(), deps.options).map((clock) => ({ subject, clock }))),
  );
  const keys = clocks.map(({ subject, clock }) => keyOf({ source: sourceOf(subject), ...clock }));
  // A clock that was another case's until now may have been told there.
  const others = await lockKeys(
    trx,
    keys.filter((key) => !own.has(key)),
  );
  const stored = new Map([...own, ...others]);
  const rows = [...Map.groupBy(clocks, ({ subject }) => subject)].flatMap(([subject, all]) =>
    attempt(subject, () => {
      const tellAt = digestTime(deps, subject, now) ?? now;
      return all.map(({ clock }) => rowOf(subject, clock, stored, tellAt));
    }),
  );
  const wanted = new Map(rows.map((row) => [row.key, row]));
  await tryLater(trx, failed, new Date(now.getTime() + laterMs));
  const left = [...own.values()].filter(({ key, subject }) => !wanted.has(key) && !failed.includes(subject));
  const given = await handOver(trx, left);
  const gone = left.filter(({ key }) => !given.has(key));
  await upsertRows(
    trx,
    [...wanted.values()].filter((row) => stored.get(row.key)?.same !== row.same),
  );
  await removeRows(trx, gone);
  await endAlerts(trx, now, ended(stored, wanted, gone));
}

interface Ended {
  readonly topic: string;
  readonly resolution: Reason;
}

/** What was told of clocks that nobody has to see to any more. */
function ended(
  stored: ReadonlyMap<string, StoredRow>,
  wanted: ReadonlyMap<string, ClockRow>,
  gone: readonly StoredRow[],
): Ended[] {
  const over = [...wanted.values()].flatMap((row): Ended[] => {
    const topic = stored.get(row.key)?.topic ?? null;
    return topic === null || topic === row.topic ? [] : [{ topic, resolution: row.reason }];
  });
  return [
    ...over,
    ...gone.flatMap(({ topic }) => (topic === null ? [] : [{ topic, resolution: reason('clock-gone') }])),
  ];
}

/** An alert that tells of several clocks ends with the last of them. */
async function endAlerts(trx: Transaction<Database>, now: Date, all: readonly Ended[]): Promise<void> {
  if (all.length === 0) return;
  await sql`
    update alert a set resolved_at = ${now}, resolution = e.resolution
    from (select distinct on (topic) topic, resolution
      from jsonb_to_recordset(${json(all)}) as x(topic text, resolution jsonb) order by topic) e
    where a.topic = e.topic and a.resolved_at is null and not exists (select from clock c where c.topic = a.topic)`.execute(
    trx,
  );
}

async function tryLater(trx: Transaction<Database>, subjects: readonly string[], at: Date): Promise<void> {
  if (subjects.length === 0) return;
  await trx
    .insertInto('clock_mark')
    .values(subjects.map((subject) => ({ subject, try_at: at })))
    .execute();
}
