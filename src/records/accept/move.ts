// A record that moves to another case or client takes along what is keyed by its lane: from then on its new lane answers for what is on the servers
// (lanes.md 9, 17). In the transaction that accepts it, after the rows of both lanes are locked.

import { sql, type Transaction } from 'kysely';
import { type Database, json } from '../../store/store.ts';
import type { Judged } from './judge.ts';
import { keyOf } from './rows.ts';

export interface Moved {
  readonly type: string;
  readonly id: string;
  readonly subject: string;
  /** The lane that it was of; the same where only its client is another. */
  readonly before: string;
  /** What is in the chart of the client before is in the wrong chart. */
  readonly isOtherClient: boolean;
}

/** Records that are of another lane, or of another client, after all of this than they were before. */
export function movedBy(accepted: readonly Judged[]): Moved[] {
  return [...Map.groupBy(accepted, ({ received }) => keyOf(received)).values()].flatMap((versions) => {
    const [first, last] = [versions[0]?.before, versions.at(-1)];
    if (first === undefined || last === undefined || first.subject === '') return [];
    const { type, id } = last.received;
    const { subject, clientId } = last.place;
    const isOtherClient = first.clientId !== null && clientId !== first.clientId;
    const isMoved = subject !== first.subject || isOtherClient;
    return isMoved ? [{ type, id, subject, before: first.subject, isOtherClient }] : [];
  });
}

/**
 * Links of every generation and open operations go over. Whoever runs a lane that a record has left stores nothing more: what that run has sent is an
 * unknown outcome, which the new lane clears up as any other (lanes.md 8).
 */
export async function moveRecords(
  trx: Transaction<Database>,
  source: string,
  accepted: readonly Judged[],
): Promise<void> {
  const moved = movedBy(accepted);
  if (moved.length === 0) return;
  const rows = moved.map(({ isOtherClient, ...one }) => ({ ...one, is_other: isOtherClient }));
  const records = sql`jsonb_to_recordset(${json(rows)})
    as m(type text, id text, subject text, before text, is_other boolean)`;
  await endRuns(
    trx,
    moved.flatMap(({ subject, before }) => (subject === before ? [] : [before])),
  );
  await sql`
    update link l set subject = m.subject from ${records}
    where l.source = ${source} and l.type = m.type and l.id = m.id and l.subject <> m.subject`.execute(trx);
  await sql`
    update operation o set subject = m.subject from ${records}
    where o.source = ${source} and o.type = m.type and o.record_id = m.id and o.subject <> m.subject
      and (o.outcome is null or o.late_check_at is not null)`.execute(trx);
  await sql`
    update unmapped u set subject = m.subject from ${records}
    where u.source = ${source} and u.type = m.type and u.id = m.id and u.subject <> m.subject`.execute(trx);
  await sql`
    update mass_change_link c set subject = m.subject from ${records}
    where c.source = ${source} and c.type = m.type and c.id = m.id and c.subject <> m.subject`.execute(trx);
  await sql`
    delete from remote_value v using ${records}
    where v.source = ${source} and v.type = m.type and v.id = m.id and m.is_other`.execute(trx);
  await moveQuestions(trx, source, records);
}

/** Takes the lanes out of the hands of whoever runs them; that is no crash of theirs. */
async function endRuns(trx: Transaction<Database>, subjects: readonly string[]): Promise<void> {
  const left = json([...new Set(subjects)].map((subject) => ({ subject })));
  await sql`
    update lane l set fence = l.fence + 1, lease_holder = null, lease_until = null, starts = 0
    from (select connection, subject from lane
      where subject in (select s.subject from jsonb_to_recordset(${left}) as s(subject text))
      order by connection, subject for update) as k
    where l.connection = k.connection and l.subject = k.subject`.execute(trx);
}

/**
 * An open question about the record is asked in its new lane. One about what stands in the chart of another client is moot, and so is where the lane
 * files its documents; if not, the next run asks again. One about a change that the source refuses stays with that change.
 */
async function moveQuestions(
  trx: Transaction<Database>,
  source: string,
  records: ReturnType<typeof sql>,
): Promise<void> {
  const asked = sql`d.source = ${source} and d.subject = m.before and d.type = m.type and d.record_id = m.id and d.state = 'open'`;
  await sql`
    update decision d set state = 'obsolete', decided_at = now() from ${records}
    where ${asked} and (m.is_other and d.kind in ('conflict', 'status', 'refused-change')
      or m.subject <> m.before and (d.kind = 'encounter-missing' or exists (
        select 1 from decision same where same.connection = d.connection and same.subject = m.subject and same.topic = d.topic
          and same.state = 'open')))`.execute(trx);
  await sql`
    update decision d set subject = m.subject from ${records}
    where ${asked} and m.subject <> m.before and d.kind <> 'refused-change'`.execute(trx);
}
