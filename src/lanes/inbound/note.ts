// Takes note of what a server was seen to hold and no record of ours has made: whose business it is, and which lane sees to it (lanes.md 20). Nothing
// is decided here; the lane of its patient does that, under its lease.

import { sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import { reason } from '../../errors.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { type Database, json } from '../../store/store.ts';
import { distinctLanes, type LaneKey } from '../lease.ts';
import { raiseWanted } from '../links/wanted.ts';
import { nobodyTopic, openAlert } from '../operating/alerts.ts';
import { ownIdentifier } from '../own-identifier.ts';
import { becomes, localName, partOf, patientsOf, referenced } from './about.ts';
import { proposedId } from './rows.ts';

export interface Noting {
  readonly config: Pick<ConnectionConfig, 'id' | 'baseUrl' | 'inboundTo'>;
  /** The system of our own identifiers: what carries one is ours, whether a link to it is stored yet or not. */
  readonly identifierSystem: string;
}

interface Noted {
  readonly resource_type: string;
  readonly remote_id: string;
  readonly type: string;
  readonly patient: string | null;
}

/**
 * Notes resources as they have just been stored as seen; those with a link, and those that we made, are passed over. What begins a referral is for
 * `inboundTo`, or where nobody is, and it is part of one of ours, for the source of that; anything else is for each source that has a client linked
 * to its patient.
 * @returns the lanes that have work now, to be woken after the commit
 */
export async function noteInbound(
  trx: Transaction<Database>,
  { config, identifierSystem }: Noting,
  resources: readonly JsonObject[],
): Promise<LaneKey[]> {
  const noted = resources.flatMap((resource): Noted[] => {
    const { resourceType, id } = resource;
    const type = typeof resourceType === 'string' ? becomes[resourceType] : undefined;
    if (type === undefined || typeof resourceType !== 'string' || typeof id !== 'string') return [];
    if (ownIdentifier(resource, identifierSystem) !== undefined) return [];
    const [patient = null] = patientsOf(resource, config.baseUrl);
    return [{ resource_type: resourceType, remote_id: id, type, patient }];
  });
  const speaking = distinctLanes([
    ...(await lanesSpokenTo(trx, config, resources)),
    ...(await lanesWaitingFor(trx, config, resources)),
  ]);
  await raiseWanted(trx, speaking, { priority: 10 });
  if (noted.length === 0) return speaking;
  const others = await withoutOurs(trx, config.id, noted);
  const clients = await linkedClients(trx, config.id, others);
  const wholes = config.inboundTo === undefined ? await sourcesOfWholes(trx, config, resources) : undefined;
  const referredTo = (one: Noted) =>
    config.inboundTo ?? wholes?.get(localName({ resourceType: one.resource_type, id: one.remote_id }));
  const rows = others.flatMap((one) => {
    const linked = clients.filter(({ patient }) => patient === one.patient);
    const sources = one.type === 'referral' ? [referredTo(one)] : [...new Set(linked.map(({ source }) => source))];
    return sources.flatMap((source) => {
      if (source === undefined) return [];
      const client = linked.find((row) => row.source === source);
      const id = proposedId(config.id, one.type, one.resource_type, one.remote_id);
      return [{ ...one, source, id, subject: client?.subject ?? laneOfStranger(config.id, source, one) }];
    });
  });
  if (others.some((one) => one.type === 'referral' && referredTo(one) === undefined)) {
    const why = reason('inbound-nobody', { connection: config.id });
    await openAlert(trx, { topic: `${nobodyTopic}${config.id}`, connection: config.id, reason: why });
  }
  return [...(await store(trx, config.id, rows)), ...speaking];
}

/** Whose referrals Tasks are part of, by the name of the part. */
async function sourcesOfWholes(
  trx: Transaction<Database>,
  { id: connection, baseUrl }: Noting['config'],
  resources: readonly JsonObject[],
): Promise<ReadonlyMap<string, string>> {
  const named = resources.flatMap((body) =>
    partOf(body, baseUrl).map((whole) => ({ part: `${body.resourceType}/${body.id}`, id: whole.id })),
  );
  if (named.length === 0) return new Map();
  const { rows } = await sql<{ part: string; source: string }>`
    select n.part, l.source from jsonb_to_recordset(${json(named)}) as n(part text, id text)
    join link l on l.connection = ${connection} and l.resource_type = 'Task' and l.remote_id = n.id and l.type = 'referral'
    order by l.source desc`.execute(trx);
  return new Map(rows.map(({ part, source }) => [part, source]));
}

/**
 * What speaks of a referral is heard by the lane of the referral's case, and so is what was heard before and may speak of something else by now: messages
 * (`hear.ts`), contacts and appointments (`hear-contacts.ts`), Tasks that ask to cancel another (`hear-cancellation.ts`).
 */
export async function lanesSpokenTo(
  trx: Transaction<Database>,
  { id: connection, baseUrl }: Noting['config'],
  resources: readonly JsonObject[],
): Promise<LaneKey[]> {
  const speaking = resources.filter(({ resourceType }) => typeof resourceType === 'string' && resourceType in speaks);
  if (speaking.length === 0) return [];
  const named = speaking
    .flatMap((body) => referencesIn(body, speaks[String(body.resourceType)] ?? []))
    .flatMap((one) => referenced(one, baseUrl))
    .map(({ resourceType, id }) => ({ resourceType, id }));
  const heard = speaking.map(({ resourceType, id }) => ({ resourceType: resourceType ?? null, id: id ?? null }));
  const { rows } = await sql<{ subject: string }>`
    select l.subject from jsonb_to_recordset(${json(named)}) as n("resourceType" text, id text)
    join link l on l.connection = ${connection} and l.resource_type = n."resourceType" and l.remote_id = n.id
      and l.type = 'referral' and l.retired_at is null
    union
    select i.subject from jsonb_to_recordset(${json(heard)}) as h("resourceType" text, id text)
    join inbound i on i.connection = ${connection} and i.resource_type = h."resourceType" and i.remote_id = h.id
      and (i.type = 'none' and i.record_id is not null or i.type = 'appointment' and i.state = 'proposed')
    order by subject`.execute(trx);
  return rows.map(({ subject }) => ({ connection, subject }));
}

/** The lanes of referrals about patients who are shown: they may have been asked about because they were not. */
async function lanesWaitingFor(
  trx: Transaction<Database>,
  { id: connection, inboundTo }: Noting['config'],
  resources: readonly JsonObject[],
): Promise<LaneKey[]> {
  const patients = resources.flatMap(({ resourceType, id }) =>
    resourceType === 'Patient' && typeof id === 'string' ? id : [],
  );
  if (patients.length === 0) return [];
  const waiting = trx
    .selectFrom('inbound')
    .select(['connection', 'subject'])
    .distinct()
    .where('connection', '=', connection)
    .where('patient', 'in', patients)
    .where('type', '=', 'referral')
    .where('state', 'in', ['new', 'kept', 'proposed']);
  return (inboundTo === undefined ? waiting : waiting.where('source', '=', inboundTo)).execute();
}

/** The elements by which resources of a type name the referral that they speak of. */
const speaks: Readonly<Record<string, readonly string[]>> = {
  Appointment: ['basedOn'],
  Communication: ['partOf', 'basedOn', 'about'],
  Task: ['focus'],
};

function referencesIn(body: JsonObject, elements: readonly string[]): JsonObject[] {
  return elements.flatMap((element) => {
    const value = body[element];
    return (Array.isArray(value) ? value : [value]).filter(isObject);
  });
}

/** A patient to whom no client is linked has the lane of the client that would be proposed. */
function laneOfStranger(connection: string, source: string, { patient, resource_type, remote_id }: Noted): string {
  const id =
    patient === null
      ? proposedId(connection, 'client', resource_type, remote_id)
      : proposedId(connection, 'client', 'Patient', patient);
  return `${source}.client.${id}`;
}

/** Also what a link named once, or an edition that another one has replaced. */
async function withoutOurs(trx: Transaction<Database>, connection: string, noted: readonly Noted[]): Promise<Noted[]> {
  const { rows } = await sql<{ resource_type: string; remote_id: string }>`
    with n as (select * from jsonb_to_recordset(${json(noted.map((one) => ({ ...one })))}) as n(resource_type text, remote_id text))
    select n.resource_type, n.remote_id from n where exists (
      select 1 from link l where l.connection = ${connection} and l.resource_type = n.resource_type and l.remote_id = n.remote_id)
    union
    select n.resource_type, n.remote_id from n join edition e on e.connection = ${connection} and e.remote_id = n.remote_id
    where n.resource_type in ('Communication', 'DocumentReference')`.execute(trx);
  const ours = new Set(rows.map((row) => `${row.resource_type}/${row.remote_id}`));
  return noted.filter((one) => !ours.has(`${one.resource_type}/${one.remote_id}`));
}

interface LinkedClient {
  readonly source: string;
  readonly subject: string;
  readonly patient: string;
}

async function linkedClients(
  trx: Transaction<Database>,
  connection: string,
  noted: readonly Noted[],
): Promise<LinkedClient[]> {
  const patients = [...new Set(noted.flatMap(({ patient }) => patient ?? []))];
  if (patients.length === 0) return [];
  const { rows } = await sql<LinkedClient>`
    select distinct on (l.source, l.remote_id) l.source, l.subject, l.remote_id as patient
    from link l
    where l.connection = ${connection} and l.resource_type = 'Patient' and l.type = 'client' and l.retired_at is null
      and l.remote_id in (${sql.join(patients)})
    order by l.source, l.remote_id, l.id`.execute(trx);
  return rows;
}

interface NewRow extends Noted {
  readonly source: string;
  readonly id: string;
  readonly subject: string;
}

async function store(trx: Transaction<Database>, connection: string, rows: readonly NewRow[]): Promise<LaneKey[]> {
  if (rows.length === 0) return [];
  const { rows: kept } = await sql<{ subject: string }>`
    insert into inbound (connection, source, resource_type, remote_id, type, id, subject, patient)
    select ${connection}, i.source, i.resource_type, i.remote_id, i.type, i.id, i.subject, i.patient
    from jsonb_to_recordset(${json(rows.map((row) => ({ ...row })))})
      as i(source text, resource_type text, remote_id text, type text, id text, subject text, patient text)
    order by 2, 5, 3, 4
    on conflict (connection, source, type, resource_type, remote_id) do update set
      subject = case when inbound.state in ('new', 'kept') then excluded.subject else inbound.subject end
    returning subject`.execute(trx);
  await forgetElsewhere(trx, connection, rows);
  const lanes = [...new Set(kept.map(({ subject }) => subject))].map((subject) => ({ connection, subject }));
  await raiseWanted(trx, lanes, { priority: 10 });
  return lanes;
}

/** What was asked about a resource while it was another patient's is asked no more. What has been offered stays with the lane that offered it. */
async function forgetElsewhere(trx: Transaction<Database>, connection: string, rows: readonly NewRow[]): Promise<void> {
  const named = rows.map(({ source, type, resource_type, remote_id }) => ({ source, type, resource_type, remote_id }));
  await sql`
    update decision d set state = 'obsolete', decided_at = now()
    from jsonb_to_recordset(${json(named)}) as n(source text, type text, resource_type text, remote_id text)
    join inbound i on i.connection = ${connection} and i.source = n.source and i.type = n.type
      and i.resource_type = n.resource_type and i.remote_id = n.remote_id
    where d.connection = ${connection} and d.source = n.source and d.state = 'open'
      and d.topic = 'inbound:' || n.resource_type || '/' || n.remote_id and d.subject <> i.subject`.execute(trx);
}
