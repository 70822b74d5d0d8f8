// Which Patient a client is, as links: each answer is a generation of its own, so that it stays known what the client was before and why that
// ended. Plans that were made from the answer before are void (lanes.md 7, 17).

import { type Selectable, sql, type Transaction } from 'kysely';
import type { Reason } from '../../errors.ts';
import { objectsAt } from '../../json.ts';
import { type Database, json } from '../../store/store.ts';
import type { LinkRow } from '../desire/known.ts';
import type { ClientHistory } from '../lane-resource.ts';
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

/** Ends the standing link for a stated cause, with the questions about that Patient; nothing is written to the server. */
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
  await trx
    .updateTable('decision')
    .set({ state: 'obsolete', decided_at: sql<Date>`now()` })
    .where('connection', '=', client.connection)
    .where('subject', '=', client.subject)
    .where('kind', 'in', ['conflict', 'remote-gone'])
    .where('record_id', '=', client.clientId)
    .where('slot', '=', patientSlot)
    .where('state', '=', 'open')
    .execute();
}

/** Links the client to a patient who is there, as the next generation. @returns the lanes that waited for it, or keep what began there of this patient. */
export async function pointAtPatient(
  trx: Transaction<Database>,
  client: ClientOn,
  remoteId: string,
): Promise<LaneKey[]> {
  const key = { type: 'client', id: client.clientId, slot: patientSlot };
  const waiting = await pointAt(trx, client, { ...key, resourceType: 'Patient' }, remoteId);
  return distinctLanes([...waiting, ...(await lanesKeeping(trx, client, remoteId))]);
}

/** Links a slot to what is there, as its next generation. @returns the lanes that waited for it */
export async function pointAt(
  trx: Transaction<Database>,
  { connection, source, subject }: Pick<ClientOn, 'connection' | 'source' | 'subject'>,
  { type, id, slot, resourceType }: { type: string; id: string; slot: string; resourceType: string },
  remoteId: string,
): Promise<LaneKey[]> {
  const ended = await trx
    .selectFrom('link')
    .select('generation')
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .where('slot', '=', slot)
    .where('retired_at', 'is not', null)
    .forUpdate()
    .execute();
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
  const key = { connection, source, type, id, slot, generation };
  await trx
    .insertInto('link')
    .values({ ...key, subject, resource_type: resourceType, ...content })
    .onConflict((conflict) =>
      conflict.columns(['connection', 'source', 'type', 'id', 'slot', 'generation']).doUpdateSet(content),
    )
    .execute();
  const { rows } = await sql<{ subject: string }>`
    delete from waiting where connection = ${connection} and source = ${source} and type = ${type} and id = ${id}
      and slot = ${slot} returning subject`.execute(trx);
  return rows.map((row) => ({ connection, subject: row.subject }));
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

/** A run that is looking for the patient right now must not store what it finds over what a person says. */
export async function interruptRun(
  trx: Transaction<Database>,
  { connection, subject }: Pick<ClientOn, 'connection' | 'subject'>,
): Promise<void> {
  await trx
    .updateTable('lane')
    .set({ fence: sql<number>`fence + 1`, lease_holder: null, lease_until: null })
    .where('connection', '=', connection)
    .where('subject', '=', subject)
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
  const inOrder = named(links);
  const from = inOrder.findLastIndex(({ remote_id: id }) => id === was);
  const ended = inOrder.slice(from).filter(({ retired_at: at }) => at !== null);
  return from >= 0 && ended.every(({ reason }) => reason?.code === 'patient-merged');
}

/**
 * What was said last of each patient counts.
 *
 * @param links all generations of the client's link, in any order. @param answers who persons have said that the client is; newest first
 */
export function clientHistory(links: readonly Generation[], answers: readonly Answer[]): ClientHistory {
  const inOrder = named(links);
  const newest = new Map(inOrder.map((link) => [link.remote_id, link]));
  const denied = [...newest.values()].filter((link) => link.retired_at !== null && isDenial(link.reason));
  return {
    denied: new Map(
      denied.map(({ remote_id: id }) => [
        id,
        answers.find(({ detail }) => detail.was === id)?.decided_by ?? 'A person',
      ]),
    ),
    merged: mergedBefore(inOrder),
    isLost: lostFor.includes(inOrder.at(-1)?.reason?.code ?? ''),
    switchedOff: answers.flatMap(({ choice, detail }) =>
      objectsAt(detail, 'candidates').flatMap(({ id, active }) =>
        typeof id === 'string' && active === false && choice === `link:${id}` ? [id] : [],
      ),
    ),
  };
}

/** Why a link has ended about which a person is asked. */
const lostFor: readonly string[] = ['patient-gone', 'patient-replaced', 'patient-inactive', 'patient-unmerged'];

type Answer = Pick<Selectable<Database['decision']>, 'choice' | 'detail' | 'decided_by'>;
type Named = Generation & { readonly remote_id: string };

/** The generations that name a patient, the oldest first. */
function named(links: readonly Generation[]): Named[] {
  return links
    .flatMap((link) => (link.remote_id === null ? [] : [{ ...link, remote_id: link.remote_id }]))
    .sort((a, b) => a.generation - b.generation);
}

function isDenial(why: Reason | null): boolean {
  return why?.code === 'patient-unlinked' || why?.code === 'patient-relinked';
}

/** Patients from whom to the one who is linked now there were only merges. */
function mergedBefore(inOrder: readonly Named[]): string[] {
  const now = inOrder.at(-1);
  if (now === undefined || now.retired_at !== null) return [];
  const before = inOrder.slice(0, -1);
  const since = before.findLastIndex(({ reason }) => reason?.code !== 'patient-merged');
  return [...new Set(before.slice(since + 1).map(({ remote_id: id }) => id))].filter((id) => id !== now.remote_id);
}

/** The same in SQL: `f` names a patient who was merged into the one of the standing link `k`. */
export const wasMergedInto = sql`f.connection = k.connection and f.source = k.source and f.type = k.type and f.id = k.id and f.slot = k.slot
  and f.generation < k.generation and f.remote_id <> k.remote_id and f.retired_at is not null
  and f.reason ->> 'code' = 'patient-merged' and not exists (
    select 1 from link g where g.connection = k.connection and g.source = k.source and g.type = k.type and g.id = k.id and g.slot = k.slot
      and g.generation >= f.generation and g.generation < k.generation and g.reason ->> 'code' is distinct from 'patient-merged')`;
