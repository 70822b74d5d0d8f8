// Which Patient a client is, as links: each answer is a generation of its own, so that it stays known what the client was before and why that
// ended. Plans that were made from the answer before are void (lanes.md 7, 17).

import { sql, type Transaction } from 'kysely';
import type { Reason } from '../../errors.ts';
import { type Database, json } from '../../store/store.ts';
import type { LinkRow } from '../known.ts';
import { distinctLanes, type LaneKey } from '../lease.ts';

/** A client on one connection. */
export interface ClientOn {
  readonly connection: string;
  readonly source: string;
  readonly clientId: string;
  /** The client's own lane. */
  readonly subject: string;
}

export const patientSlot = 'patient';

/** Of the question who a client is on a server. */
export const patientTopic = 'patient';

/** The generations of the client's link, the oldest first, locked for the rest of the transaction. */
export function lockPatientLinks(trx: Transaction<Database>, client: ClientOn): Promise<LinkRow[]> {
  return trx
    .selectFrom('link')
    .selectAll()
    .where('connection', '=', client.connection)
    .where('source', '=', client.source)
    .where('type', '=', 'client')
    .where('id', '=', client.clientId)
    .where('slot', '=', patientSlot)
    .orderBy('generation')
    .forUpdate()
    .execute();
}

/** Ends the standing link for a stated cause; nothing is written to the server. */
export async function endPatientLink(trx: Transaction<Database>, client: ClientOn, why: Reason): Promise<void> {
  await trx
    .updateTable('link')
    .set({ retired_at: sql<Date>`now()`, state: 'read', reason: json(why), updated_at: sql<Date>`now()` })
    .where('connection', '=', client.connection)
    .where('source', '=', client.source)
    .where('type', '=', 'client')
    .where('id', '=', client.clientId)
    .where('slot', '=', patientSlot)
    .where('remote_id', 'is not', null)
    .where('retired_at', 'is', null)
    .execute();
}

/** Links the client to a patient who is there, as the next generation. @returns the lanes that waited for it, or keep what began there of this patient. */
export async function pointAtPatient(
  trx: Transaction<Database>,
  client: ClientOn,
  remoteId: string,
): Promise<LaneKey[]> {
  const { connection, source, clientId: id, subject } = client;
  const ended = (await lockPatientLinks(trx, client)).filter(({ retired_at: at }) => at !== null);
  const generation = 1 + Math.max(0, ...ended.map((row) => row.generation));
  const content = {
    remote_id: remoteId,
    origin: 'found',
    route: 'native',
    state: 'read',
    reason: null,
    sent: null,
    seen: null,
    seen_hash: null,
    version_tag: null,
  };
  const key = { connection, source, type: 'client', id, slot: patientSlot, generation };
  await trx
    .insertInto('link')
    .values({ ...key, subject, resource_type: 'Patient', ...content })
    .onConflict((conflict) =>
      conflict.columns(['connection', 'source', 'type', 'id', 'slot', 'generation']).doUpdateSet(content),
    )
    .execute();
  const { rows } = await sql<{ subject: string }>`
    delete from waiting where connection = ${connection} and source = ${source} and type = 'client' and id = ${id}
      and slot = ${patientSlot} returning subject`.execute(trx);
  const waiting = rows.map((row) => ({ connection, subject: row.subject }));
  return distinctLanes([...waiting, ...(await lanesKeeping(trx, client, remoteId))]);
}

/** The other lanes that keep what began there of a patient and is not settled: it goes to the lane of the client who is that patient. */
export async function lanesKeeping(
  trx: Transaction<Database>,
  { connection, source, subject }: Pick<ClientOn, 'connection' | 'source' | 'subject'>,
  patient: string,
): Promise<LaneKey[]> {
  return trx
    .selectFrom('inbound')
    .select(['connection', 'subject'])
    .distinct()
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('patient', '=', patient)
    .where('subject', '<>', subject)
    .where('state', 'not in', ['refused', 'adopted'])
    .execute();
}

/** What was planned from the link before is not sent any more. */
export async function voidPlans(trx: Transaction<Database>, client: ClientOn): Promise<void> {
  await sql`
    insert into epoch (key) values (${`patient:${client.connection}:${client.source}/${client.clientId}`})
    on conflict (key) do update set n = epoch.n + 1`.execute(trx);
}

/** The lanes that hold records of the client, its own included, in key order. */
export async function lanesOfClient(trx: Transaction<Database>, client: ClientOn): Promise<LaneKey[]> {
  const { rows } = await sql<{ subject: string }>`
    select l.subject from lane l where l.connection = ${client.connection} and l.subject in (
      select r.subject from record r where r.source = ${client.source} and r.client_id = ${client.clientId}
      union select ${client.subject})
    order by l.subject`.execute(trx);
  return rows.map(({ subject }) => ({ connection: client.connection, subject }));
}

export type Generation = Pick<LinkRow, 'remote_id' | 'generation' | 'retired_at' | 'reason'>;

/**
 * Whether what names `was` as its patient is in the chart that the client has now: every step from there to the standing link was a merge by
 * the hospital, which moves a chart and makes nothing wrong.
 *
 * @param links all generations of the client's link, in any order.
 */
export function isSameChart(links: readonly Generation[], was: string): boolean {
  const inOrder = links.filter(({ remote_id: id }) => id !== null).sort((a, b) => a.generation - b.generation);
  const from = inOrder.findLastIndex(({ remote_id: id }) => id === was);
  const ended = inOrder.slice(from).filter(({ retired_at: at }) => at !== null);
  return from >= 0 && ended.every(({ reason }) => reason?.code === 'patient-merged');
}
