// Which clocks have to be worked out anew because of accepted records. The mark is made in the transaction that accepts them; `clocks/` does the work
// afterwards, so that acceptance stays fast and a crash leaves the mark.

import { sql, type Transaction } from 'kysely';
import { type Database, json } from '../../store/store.ts';
import type { RecordType } from '../record-type.ts';
import type { Judged } from './judge.ts';

/** The records that a clock looks at. A client or an organization stands for all its cases. */
const seenByClocks: ReadonlySet<RecordType> = new Set<RecordType>([
  'case',
  'client',
  'organization',
  'referral',
  'note',
  'appointment',
  'incident',
  'carePlan',
  'hospitalStay',
  'safetyPlan',
]);

/** Marks the subject of each record, and the one that it left. Whoever is at work on a marked subject is waited for, so that no mark is lost. */
export async function markClocks(trx: Transaction<Database>, accepted: readonly Judged[]): Promise<void> {
  const subjects = accepted
    .filter(({ received }) => seenByClocks.has(received.type))
    .flatMap(({ place, before }) => [place.subject, before?.subject ?? '']);
  const marked = [...new Set(subjects)].filter((subject) => subject !== '').map((subject) => ({ subject }));
  if (marked.length === 0) return;
  await sql`
    insert into clock_mark (subject)
    select m.subject from jsonb_to_recordset(${json(marked)}) as m(subject text) order by m.subject
    on conflict (subject) do update set try_at = null`.execute(trx);
}
