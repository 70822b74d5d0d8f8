// Which lanes have work because of accepted records (lanes.md 1 and 6), raised in the transaction that accepts them.

import { sql, type Transaction } from 'kysely';
import { type Database, json } from '../../store/store.ts';
import type { RecordType } from '../record-type.ts';
import type { Judged } from './judge.ts';

export interface LaneKey {
  readonly connection: string;
  readonly subject: string;
}

/** What acceptance needs to know of a connection. */
export interface Recipient {
  readonly id: string;
  readonly mode: 'off' | 'shadow' | 'live';
  readonly sources: readonly string[];
}

/**
 * Smaller runs earlier. A lane that has read the record keeps its own priority where that is more urgent than a normal one; where very many
 * have read it, they are worked off behind everything else.
 */
const priorities = { pointedAt: 5, urgent: 10, normal: 50, backfill: 90 };
const priorityByType: Readonly<Partial<Record<RecordType, number>>> = {
  // What cases point at goes first, or their lanes run in vain and wait.
  organization: priorities.pointedAt,
  worker: priorities.pointedAt,
  service: priorities.pointedAt,
  client: priorities.pointedAt,
  referral: priorities.urgent,
  incident: priorities.urgent,
  safetyPlan: priorities.urgent,
};
const manyReaders = 100;

/** The lanes that these connections have for a subject of the source. */
export function lanesOf(source: string, subject: string, connections: readonly Recipient[]): LaneKey[] {
  if (subject === '') return [];
  return recipientsOf(source, connections).map((connection) => ({ connection, subject }));
}

/**
 * Raises `wanted` of the lanes of each record's subject (where it left one, of both), of the lanes that have read the record, and
 * for a consent of all the client's lanes. Lane rows are taken in key order, in one statement.
 */
export async function wantLanes(
  trx: Transaction<Database>,
  source: string,
  accepted: readonly Judged[],
  connections: readonly Recipient[],
): Promise<void> {
  const recipients = recipientsOf(source, connections);
  if (accepted.length === 0 || recipients.length === 0) return;
  const keys = accepted.map(({ received: { type, id } }) => ({ type, id }));
  await sql`
    with recipient as (select * from jsonb_to_recordset(${json(recipients.map((id) => ({ id })))}) as r(id text)),
    raised as (
      select recipient.id as connection, s.subject, s.priority
      from recipient, jsonb_to_recordset(${json(subjectsOf(source, accepted))}) as s(subject text, priority integer)
      union all
      select recipient.id, r.subject, ${priorities.normal}::integer
      from recipient, jsonb_to_recordset(${json(consentClients(accepted).map((id) => ({ id })))}) as c(id text)
      join record r on r.source = ${source} and r.client_id = c.id and r.type = 'case'
      union all
      select l.connection, l.subject,
        case when count(*) over (partition by l.type, l.id) > ${manyReaders}::integer
             then ${priorities.backfill}::integer else least(reader.priority, ${priorities.normal}::integer) end
      from jsonb_to_recordset(${json(keys)}) as k(type text, id text)
      join lane_read l on l.source = ${source} and l.type = k.type and l.id = k.id
      join recipient on recipient.id = l.connection
      join lane reader on reader.connection = l.connection and reader.subject = l.subject
    )
    insert into lane (connection, subject, source, wanted, priority)
    select connection, subject, split_part(subject, '.', 1), 1, min(priority)
    from raised group by connection, subject order by connection, subject
    on conflict (connection, subject) do update set
      wanted = lane.wanted + 1,
      due_at = case when lane.done < lane.wanted then lane.due_at else now() end,
      priority = case when lane.done < lane.wanted then least(lane.priority, excluded.priority) else excluded.priority end,
      next_try_at = null,
      parked = null,
      starts = case when lane.parked is null then lane.starts else 0 end,
      attempts = case when lane.parked is null then lane.attempts else 0 end,
      reason = case when lane.parked is null then lane.reason end`.execute(trx);
}

/** A consent decides what may go out: plans made before it came are void (lanes.md 7). */
export async function raiseConsentEpochs(
  trx: Transaction<Database>,
  source: string,
  accepted: readonly Judged[],
): Promise<void> {
  const keys = consentClients(accepted).map((id) => ({ key: `client:${source}/${id}` }));
  if (keys.length === 0) return;
  await sql`
    insert into epoch (key)
    select e.key from jsonb_to_recordset(${json(keys)}) as e(key text) order by e.key
    on conflict (key) do update set n = epoch.n + 1`.execute(trx);
}

function recipientsOf(source: string, connections: readonly Recipient[]): string[] {
  return connections.filter(({ mode, sources }) => mode !== 'off' && sources.includes(source)).map(({ id }) => id);
}

function subjectsOf(source: string, accepted: readonly Judged[]): { subject: string; priority: number }[] {
  const clients = consentClients(accepted).map((id) => ({ subject: `${source}.client.${id}`, type: undefined }));
  const own = accepted.flatMap(({ received: { type }, place, before }) => [
    { subject: place.subject, type },
    { subject: before?.subject ?? '', type },
  ]);
  return [...own, ...clients]
    .filter(({ subject }) => subject !== '')
    .map(({ subject, type }) => ({
      subject,
      priority: (type && priorityByType[type]) ?? priorities.normal,
    }));
}

function consentClients(accepted: readonly Judged[]): string[] {
  const consents = accepted.filter(({ received }) => received.type === 'consent');
  const clients = consents.flatMap(({ place, before }) => [place.clientId, before?.clientId]);
  return [...new Set(clients.filter((id) => typeof id === 'string'))];
}
