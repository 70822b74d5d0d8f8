// Which lanes have work because of accepted records (lanes.md 1 and 6), raised in the transaction that accepts them.

import { sql, type Transaction } from 'kysely';
import { type Database, json } from '../../store/store.ts';
import type { RecordType } from '../record-type.ts';
import { isSaid, sameClient } from '../same-client.ts';
import type { Judged } from './judge.ts';
import { movedBy } from './move.ts';

export interface LaneKey {
  readonly connection: string;
  readonly subject: string;
}

/** What acceptance needs to know of a connection. */
export interface Recipient {
  readonly id: string;
  readonly mode: 'off' | 'shadow' | 'live';
  readonly sources: readonly string[];
  /** With `organization`: lanes are made only for what belongs to referrals to it. */
  readonly share?: 'referrals';
  readonly organization?: { readonly source: string; readonly id: string };
}

/**
 * Smaller runs earlier. A lane that has read the record keeps its own priority where that is more urgent than a normal one; where very many
 * have read it, they are worked off behind everything else, unless its labels may be others: what they forbid is taken back.
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
/** What many lanes read. */
const labelledTypes: readonly RecordType[] = ['organization', 'service', 'worker'];

/**
 * Raises `wanted` of the lanes of each record's subject (where it left one, of both), of the lanes that have read the record, for a
 * consent of all lanes of the client and of who is the same person, as when it turns out that they are, and for a case of the client's lanes that keep something until there is one, and the new lane of what a moved record has there. Lane rows are taken in key order, in one statement.
 *
 * A connection that shares referrals only gets a lane for the case of a referral to its organization, and for what such a lane waits for
 * (`lanes/run/run.ts`); other cases never have one.
 *
 * Which connections take from the source is what is in force, by whichever process's configuration; while another one comes into force, by either.
 *
 * @param connections as this process has them, for those of which the store does not tell
 * @returns the raised ones of the records' own subjects, by connection
 */
export async function wantLanes(
  trx: Transaction<Database>,
  source: string,
  accepted: readonly Judged[],
  connections: readonly Recipient[],
): Promise<LaneKey[]> {
  if (accepted.length === 0) return [];
  // Asked anew: another transaction may have told of a merge while the epochs waited for it.
  const clients = await consentClients(trx, source, accepted);
  const recipients = connections
    .filter((connection) => takesFrom(source, connection))
    .map(({ id, share, organization }) => ({
      id,
      organization: share === undefined ? null : (organization?.id ?? ''),
    }));
  const keys = accepted.map(({ received: { type, id }, version, place: { subject } }) => ({
    type,
    id,
    version,
    subject,
  }));
  const { rows } = await sql<LaneKey>`
    with configured as (select * from jsonb_to_recordset(${json(recipients)}) as r(id text, organization text)),
    recipient as (
      select o.id, o.organization from configured o
      where not exists (select 1 from connection c where c.id = o.id and c.recipient is not null)
      union
      select c.id, r.one ->> 'organization' from connection c, lateral (
        select c.recipient as one union all select jsonb_array_elements(c.recipient #> '{takingOver,to}')) r
      where (c.off_since is null or c.recipient ? 'takingOver') and r.one -> 'sources' ? ${source}::text),
    -- The labels of an entry are its own and those of what it is a part of.
    relabelled as (
      select distinct n.type, n.id from jsonb_to_recordset(${json(keys)}) as k(type text, id text, version integer)
      join record_version n on n.source = ${source} and n.type = k.type and n.id = k.id and n.version = k.version
      join record_version o on o.source = n.source and o.type = n.type and o.id = n.id and o.version = n.version - 1
      where n.type in (${sql.join(labelledTypes)}) and (n.content -> 'deleted') is distinct from 'true'::jsonb
        and (n.content -> 'sensitivity', n.content -> 'parentId', n.content -> 'organizationId')
          is distinct from (o.content -> 'sensitivity', o.content -> 'parentId', o.content -> 'organizationId')),
    raised as (
      select recipient.id as connection, s.subject, s.priority,
        recipient.organization is null or recipient.organization = case when s.service is null then s.performer
          else coalesce((select o.content ->> 'organizationId' from record o
            where o.source = ${source} and o.type = 'service' and o.id = s.service), recipient.organization) end as opens
      from recipient, jsonb_to_recordset(${json(subjectsOf(source, accepted, clients))})
        as s(subject text, priority integer, performer text, service text, shared boolean)
      where s.shared is null or recipient.organization is not null
      union all
      select recipient.id, r.subject, ${priorities.normal}::integer, recipient.organization is null
      from recipient, jsonb_to_recordset(${json(clients.map((id) => ({ id })))}) as c(id text)
      join record r on r.source = ${source} and r.client_id = c.id and r.type = 'case'
      union all
      select l.connection, l.subject,
        case when count(*) over (partition by l.type, l.id) > ${manyReaders}::integer and relabelled.id is null
             then ${priorities.backfill}::integer else least(reader.priority, ${priorities.normal}::integer) end, true
      from jsonb_to_recordset(${json(keys)}) as k(type text, id text, version integer)
      join lane_read l on l.source = ${source} and l.type = k.type and l.id = k.id
      join recipient on recipient.id = l.connection
      left join lane reader on reader.connection = l.connection and reader.subject = l.subject
      left join relabelled on relabelled.type = k.type and relabelled.id = k.id
      union all
      select w.connection, k.subject, ${priorities.pointedAt}::integer, true
      from jsonb_to_recordset(${json(keys)}) as k(type text, id text, subject text)
      join waiting w on w.source = ${source} and w.type = k.type and w.id = k.id
      join recipient on recipient.id = w.connection and recipient.organization is not null
      union all
      -- What a record that moves has there is its new lane's to see to, whatever is shared with that receiver.
      select recipient.id, m.subject, ${priorities.urgent}::integer, true
      from jsonb_to_recordset(${json(movedBy(accepted))}) as m(type text, id text, subject text), recipient
      where exists (select 1 from link x where x.connection = recipient.id and x.source = ${source} and x.type = m.type and x.id = m.id)
        or exists (select 1 from operation o where o.connection = recipient.id and o.source = ${source} and o.type = m.type
          and o.record_id = m.id and o.outcome is null)
      union all
      -- What began there is kept without an offer, or taken back, until the client has a case.
      select recipient.id, c.subject, ${priorities.urgent}::integer, true
      from jsonb_to_recordset(${json(clientsWithCase(source, accepted))}) as c(subject text), recipient
      where exists (select 1 from inbound i where i.connection = recipient.id and i.subject = c.subject and i.state in ('kept', 'withdrawn')
        and i.reason ->> 'code' = 'inbound-no-case')),
    wanted as (
      insert into lane (connection, subject, source, wanted, priority)
      select r.connection, r.subject, split_part(r.subject, '.', 1), 1, min(r.priority)
      from raised r
      where r.opens or exists (select 1 from lane l where l.connection = r.connection and l.subject = r.subject)
      group by r.connection, r.subject order by r.connection, r.subject
      on conflict (connection, subject) do update set
        wanted = lane.wanted + 1,
        due_at = case when lane.done < lane.wanted then lane.due_at else now() end,
        priority = case when lane.done < lane.wanted then least(lane.priority, excluded.priority) else excluded.priority end,
        next_try_at = null,
        parked = null,
        starts = case when lane.parked is null then lane.starts else 0 end,
        attempts = case when lane.parked is null then lane.attempts else 0 end,
        reason = case when lane.parked is null then lane.reason end
      returning connection, subject)
    select w.connection, w.subject from wanted w
    where w.subject in (select k.subject from jsonb_to_recordset(${json(keys)}) as k(subject text))
    order by w.connection, w.subject`.execute(trx);
  return rows;
}

/** A consent decides what may go out: plans made before it came are void (lanes.md 7). */
export async function raiseConsentEpochs(
  trx: Transaction<Database>,
  source: string,
  accepted: readonly Judged[],
): Promise<void> {
  const keys = (await consentClients(trx, source, accepted)).map((id) => ({ key: `client:${source}/${id}` }));
  if (keys.length === 0) return;
  await sql`
    insert into epoch (key)
    select e.key from jsonb_to_recordset(${json(keys)}) as e(key text) order by e.key
    on conflict (key) do update set n = epoch.n + 1`.execute(trx);
}

function takesFrom(source: string, { mode, sources }: Recipient): boolean {
  return mode !== 'off' && sources.includes(source);
}

interface Raised {
  readonly subject: string;
  readonly priority: number;
  /** Of a referral: the organization that it asks, or the service, whose organization the lane finds out. */
  readonly performer?: string;
  readonly service?: string;
  /** It concerns only lanes of connections that share referrals: what belongs to the referral may have to leave. */
  readonly shared?: true;
}

function subjectsOf(source: string, accepted: readonly Judged[], clients: readonly string[]): Raised[] {
  const asked = clients.map((id) => ({
    subject: `${source}.client.${id}`,
    priority: priorities.normal,
  }));
  const own = accepted.flatMap(({ received: { type, record }, place, before }) => {
    const priority = priorityByType[type] ?? priorities.normal;
    const asked = type === 'referral' ? performerOf(record) : {};
    return [
      { subject: place.subject, priority, ...asked },
      { subject: before?.subject ?? '', priority },
    ];
  });
  const referred = accepted.flatMap(({ received: { type }, place: { clientId }, before }) =>
    type === 'referral'
      ? [clientId, before?.clientId].flatMap((id) =>
          typeof id === 'string'
            ? { subject: `${source}.client.${id}`, priority: priorities.urgent, shared: true as const }
            : [],
        )
      : [],
  );
  return [...own, ...asked, ...referred].filter(({ subject }) => subject !== '');
}

function performerOf({
  organizationId,
  serviceId,
}: Judged['received']['record']): Pick<Raised, 'performer' | 'service'> {
  if (typeof organizationId === 'string') return { performer: organizationId };
  return typeof serviceId === 'string' ? { service: serviceId } : {};
}

function clientsWithCase(source: string, accepted: readonly Judged[]): { subject: string }[] {
  const ids = accepted.flatMap(({ received: { type }, place: { clientId } }) =>
    type === 'case' && typeof clientId === 'string' ? clientId : [],
  );
  return [...new Set(ids)].map((id) => ({ subject: `${source}.client.${id}` }));
}

/**
 * The clients for whom another answer to what may go out may follow: those of the consents, those of whom it turns out that they are one person or are
 * not, and all who are the same person as one of these.
 */
async function consentClients(
  trx: Transaction<Database>,
  source: string,
  accepted: readonly Judged[],
): Promise<string[]> {
  const named = namedByConsents(accepted);
  const clients = accepted.flatMap(({ received: { type, id, record }, version, before }) => {
    const { mergedInto, deleted } = record;
    const isTold = mergedInto !== undefined || (deleted !== true && before !== undefined);
    return type === 'client' && isTold ? [{ id, version, other: mergedInto ?? null }] : [];
  });
  if (named.length === 0 && clients.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    with recursive named as (select * from jsonb_array_elements_text(${json(named)}) as n(id)),
    moved as (
      select k.id, k.other, o.other as former
      from jsonb_to_recordset(${json(clients)}) as k(id text, version integer, other text)
      left join lateral (
        select v.content ->> 'mergedInto' as other from record_version v
        where v.source = ${source} and v.type = 'client' and v.id = k.id and v.version < k.version and ${isSaid('v')}
        order by v.version desc limit 1) o on true
      where k.other is distinct from o.other),
    ${sameClient(source, sql`select id from named union select unnest(array[m.id, m.other, m.former]) from moved m`)}
    select distinct s.id from same_client s
    where s.id in (select id from named)
      or exists (select from record r where r.source = ${source} and r.type = 'client' and r.id = s.id)`.execute(trx);
  return rows.map(({ id }) => id);
}

function namedByConsents(accepted: readonly Judged[]): string[] {
  const consents = accepted.filter(({ received }) => received.type === 'consent');
  const clients = consents.flatMap(({ place, before }) => [place.clientId, before?.clientId]);
  return [...new Set(clients.filter((id) => typeof id === 'string'))];
}
