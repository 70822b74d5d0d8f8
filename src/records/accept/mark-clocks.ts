// Which clocks have to be worked out anew because of accepted records. The mark is made in the transaction that accepts them; `clocks/` does the work
// afterwards, so that acceptance stays fast and a crash leaves the mark.

import { sql, type Transaction } from 'kysely';
import { type Database, json } from '../../store/store.ts';
import type { RecordType } from '../record-type.ts';
import type { Judged, Place } from './judge.ts';

/** The records that a clock looks at. A client or an organization stands for all its cases; a coverage counts in all those of its client. */
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
  'need',
  'goal',
  'coverage',
]);

/**
 * Marks the subject of each record, and the one that it left; with a case of a client whose stay a hospital has proposed all cases of that client, for
 * the stay's clock may be another one's now. Whoever is at work on a marked subject is waited for, so that no mark is lost.
 */
export async function markAcceptedClocks(
  trx: Transaction<Database>,
  source: string,
  accepted: readonly Judged[],
): Promise<void> {
  const subjects = accepted
    .filter(({ received }) => seenByClocks.has(received.type))
    .flatMap(({ received, place, before }) =>
      [place, before].flatMap((at) => (at === undefined ? [] : subjectIn(source, received.type, at))),
    );
  const marked = [...new Set(subjects)].filter((subject) => subject !== '').map((subject) => ({ subject }));
  if (marked.length === 0) return;
  const cases = accepted
    .filter(({ received }) => received.type === 'case')
    .map(({ received }) => ({ id: received.id }));
  await sql`
    insert into clock_mark (subject)
    select m.subject from jsonb_to_recordset(${json(marked)}) as m(subject text)
    union
    select i.subject from jsonb_to_recordset(${json(cases)}) as k(id text)
      join record c on c.source = ${source} and c.type = 'case' and c.id = k.id
      join inbound i on i.subject = c.source || '.client.' || c.client_id and i.type = 'hospitalStay' and i.state = 'proposed'
    order by 1
    on conflict (subject) do update set try_at = null`.execute(trx);
}

function subjectIn(source: string, type: RecordType, { subject, clientId }: Place): string {
  return type === 'coverage' && clientId !== null ? `${source}.client.${clientId}` : subject;
}
