// A referral that carries out a part of another one carries out a part of an incoming one: what is known to be none is refused. One that comes later
// than its part is not waited for, so that records may come in any order; then the order that it becomes names nothing (`mappings/referral.yaml`).

import { sql, type Transaction } from 'kysely';
import { type Database, json } from '../../store/store.ts';
import { type FieldError, kindOf } from '../field-error.ts';
import type { Received } from './judge.ts';

/** The same records, those with their errors that name as the whole a referral of our own making. */
export async function withParents(
  trx: Transaction<Database>,
  source: string,
  received: readonly Received[],
): Promise<readonly Received[]> {
  const named = received.flatMap(({ type, record: { partOfId } }) =>
    type === 'referral' && partOfId !== undefined ? [{ id: partOfId }] : [],
  );
  if (named.length === 0) return received;
  const { rows } = await sql<{ id: string; direction: string | null }>`
    select r.id, r.content ->> 'direction' as direction from jsonb_to_recordset(${json(named)}) as n(id text)
    join record r on r.source = ${source} and r.type = 'referral' and r.id = n.id`.execute(trx);
  const directions = new Map(rows.map(({ id, direction }) => [id, direction]));
  for (const { type, id, record } of received)
    if (type === 'referral' && typeof record.direction === 'string') directions.set(id, record.direction);
  return received.map((one) => {
    const { partOfId } = one.record;
    const isWrong = one.type === 'referral' && typeof partOfId === 'string' && directions.get(partOfId) === 'outgoing';
    return isWrong ? { ...one, errors: [refusal(partOfId)] } : one;
  });
}

function refusal(found: string): FieldError {
  const message =
    '/partOfId names an outgoing referral. Name the incoming referral that this one carries out a part of.';
  return { pointer: '/partOfId', rule: 'part-of-incoming', found: kindOf(found), message };
}
