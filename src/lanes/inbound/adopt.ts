// Ties a record to what it answers on the other side: the source has taken a proposal over by a record with the same `origin`, and from then on the
// hospital's own resources are linked to it. Nothing is made there; what cannot be tied is parked with the reason.

import { type Reason, reason } from '../../errors.ts';
import { isObject, textAt } from '../../json.ts';
import type { Facts } from '../../mapping/mapping.ts';
import { isRecordType } from '../../records/records.ts';
import { type Database, json, type Store, sql, type Transaction } from '../../store/store.ts';
import { isAnswer } from '../absorb/owner-in.ts';
import type { RecordRow } from '../desire/known.ts';
import type { Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import { type LaneKey, type Lease, underLease } from '../lease.ts';
import { type NewLink, saveLinks } from '../links/links.ts';
import { raiseWanted } from '../links/wanted.ts';
import type { LaneState } from '../load/load.ts';
import { linkFound } from '../look/link-found.ts';
import type { Failure } from '../look/search-failure.ts';
import { markClocks } from '../mark-clocks.ts';
import { askWho } from '../patients/find-patient.ts';
import { isSomebodyElse, strongIdentifiers } from '../patients/match.ts';
import { isSameChart, patientSlot } from '../patients/patient-link.ts';
import { type Looks, lookInStore, lookThere } from './look.ts';
import { originHere } from './origin.ts';
import { type InboundPart, type InboundRow, partsOf } from './rows.ts';

export type Adopted =
  | { readonly kind: 'nothing' }
  /** Links were made, or a question was asked: load the lane again. */
  | { readonly kind: 'stored'; readonly woken: readonly LaneKey[] }
  /** Slots that cannot be tied to what their record names. */
  | { readonly kind: 'parked'; readonly slots: ReadonlyMap<string, Reason> }
  | Failure;

export async function adopt(run: Run, state: LaneState, refused: ReadonlyMap<string, Reason>): Promise<Adopted> {
  const parked = new Map<string, Reason>();
  for (const row of state.known.own) {
    if (row.deleted || !isRecordType(row.type)) continue;
    const resources = state.resources.filter(({ key }) => key.type === row.type && key.id === row.id);
    const isOpen = resources.some(({ link, key }) => link === undefined && !refused.has(nameOf(key)));
    if (!isOpen) continue;
    const done =
      row.type === 'client' ? await adoptClient(run, row, resources) : await adoptRecord(run, state, row, resources);
    if (done.kind === 'parked') for (const [slot, why] of done.slots) parked.set(slot, why);
    else if (done.kind !== 'nothing') return done;
  }
  return parked.size === 0 ? { kind: 'nothing' } : { kind: 'parked', slots: parked };
}

async function adoptRecord(
  run: Run,
  { known }: LaneState,
  record: RecordRow,
  resources: readonly LaneResource[],
): Promise<Adopted> {
  const { deps, connection, lease } = run;
  const origin = originHere(record.content, connection.config.id);
  // A case answers a referral, and has no resource there to be tied to.
  if (origin === undefined || record.type === 'case') return { kind: 'nothing' };
  const row = await rowOf(deps.store, lease, record.type, origin);
  const park = (why: Reason): Adopted => ({ kind: 'parked', slots: slotsOf(resources, row, why) });
  if (row === undefined) return park(reason('origin-unknown', { ...origin }));
  if (row.record_id !== null && row.record_id !== record.id) return park(reason('origin-taken', { ...origin }));
  const isAnswer = row.state === 'refused' && row.answer !== null;
  const clientId = textAt(record.content, 'clientId');
  if (!isAnswer && clientId !== undefined && row.patient !== null) {
    const client = { type: 'client', id: clientId, slot: patientSlot } as const;
    const link = known.link(client);
    // The lane waits for the client, and the client's lane may not have looked yet.
    if (link === undefined) return wantClient(run, clientId);
    const isTheirs = link.remote_id === row.patient || isSameChart(known.generations(client), row.patient);
    if (!isTheirs) return park(reason('origin-other-patient', { ...origin }));
  }
  const links = resources.flatMap((resource) => linkFor(resource, partsOf(row)) ?? []);
  if (links.length === 0) return { kind: 'nothing' };
  const woken = await underLease(run, async (trx) => {
    if (!(await take(trx, row, isAnswer ? 'refused' : 'adopted', record.id))) return [];
    if (row.type === 'referral' && !isAnswer) await takeCase(trx, row, textAt(record.content, 'caseId'));
    if (row.type === 'hospitalStay') await markClocks(trx, row.subject);
    return saveLinks(trx, lease, links);
  });
  return { kind: 'stored', woken };
}

/** Wanted once for each run that finds the client unlinked: the link wakes this lane by its wait. */
async function wantClient({ deps, lease }: Run, clientId: string): Promise<Adopted> {
  const client = { connection: lease.connection, subject: `${lease.source}.client.${clientId}` };
  if (client.subject === lease.subject) return { kind: 'nothing' };
  await underLease({ deps, lease }, async (trx) => {
    await raiseWanted(trx, [client]);
  });
  deps.wake([client]);
  return { kind: 'nothing' };
}

/** The slots that stand for what the record names; all of a record of which nothing was offered. */
function slotsOf(
  resources: readonly LaneResource[],
  row: InboundRow | undefined,
  why: Reason,
): ReadonlyMap<string, Reason> {
  const parts = row === undefined ? [] : partsOf(row);
  const theirs = resources.filter(
    ({ key, link, route }) =>
      link === undefined &&
      (parts.some(({ slot }) => slot === key.slot) || (parts.length === 0 && route.reason?.code === 'theirs-to-make')),
  );
  return new Map((theirs.length === 0 ? resources : theirs).map(({ key }) => [nameOf(key), why]));
}

/**
 * The bases are what was offered: what the server has changed since is theirs to tell, and what the record says otherwise of their own elements is the
 * source's business and is not written. Elements that are ours differ from what is there by all that the record says.
 */
function linkFor(
  { key, link, slot, desired, record, resourceType, nextGeneration, recordVersion, route }: LaneResource,
  parts: readonly InboundPart[],
):
  | (readonly [Pick<LaneResource, 'key' | 'resourceType' | 'nextGeneration' | 'recordVersion' | 'route'>, NewLink])[]
  | undefined {
  const part = parts.find((one) => one.slot === key.slot && one.resourceType === resourceType);
  if (part === undefined || link !== undefined || slot === undefined || record === undefined) return undefined;
  const isOurs = (name: string) => slot.elements.some((one) => one.key === name && isAnswer(slot, record, one));
  const facts = desired?.facts ?? {};
  const moving = slot.elements.filter(({ moves, goesWith }) => (moves ?? goesWith) !== undefined).map(({ key }) => key);
  const said = Object.entries(facts).filter(([name]) => !isOurs(name));
  const there = Object.entries(part.facts).flatMap(([name, fact]) => {
    const wanted = facts[name];
    if (!isOurs(name)) return [];
    // Of a list only what both say is agreed: what is there besides was never ours to take out.
    const isList = isObject(fact) && isObject(wanted) && !moving.includes(name);
    if (isList) return [[name, Object.fromEntries(Object.entries(wanted).filter(([id]) => id in fact))] as const];
    return wanted === undefined && !moving.includes(name) ? [] : [[name, fact] as const];
  });
  const sent: Facts = Object.fromEntries([...said, ...there]);
  const made: NewLink = {
    remoteId: part.remoteId,
    origin: 'theirs',
    versionTag: undefined,
    sent,
    seen: part.facts,
    seenHash: part.hash,
    form: slot.form,
  };
  return [[{ key, resourceType, nextGeneration, recordVersion, route }, made]];
}

async function rowOf(
  { db }: Store,
  { connection, source }: Lease,
  type: string,
  origin: { readonly resourceType: string; readonly id: string },
): Promise<InboundRow | undefined> {
  return db
    .selectFrom('inbound')
    .selectAll()
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('type', '=', type)
    .where('resource_type', '=', origin.resourceType)
    .where('remote_id', '=', origin.id)
    .where('offered', 'is not', null)
    .executeTakeFirst();
}

/** @returns false: another record has it. */
async function take(
  trx: Transaction<Database>,
  row: InboundRow,
  state: 'adopted' | 'refused',
  recordId: string,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('inbound')
    .set({ state, record_id: recordId, reason: null, updated_at: sql<Date>`now()` })
    .where('connection', '=', row.connection)
    .where('source', '=', row.source)
    .where('type', '=', row.type)
    .where('resource_type', '=', row.resource_type)
    .where('remote_id', '=', row.remote_id)
    .where((is) => is.or([is('record_id', 'is', null), is('record_id', '=', recordId)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The case that was offered with it is the one that the source has put it in. */
async function takeCase(trx: Transaction<Database>, row: InboundRow, caseId: string | undefined): Promise<void> {
  await trx
    .updateTable('inbound')
    .set({ state: 'adopted', record_id: caseId ?? null, updated_at: sql<Date>`now()` })
    .where('connection', '=', row.connection)
    .where('source', '=', row.source)
    .where('type', '=', 'case')
    .where('patient', '=', row.patient)
    .where('state', '=', 'proposed')
    .execute();
}

/**
 * The patient whom a client was proposed for, or whom a referral of the client is about, is who the client is: the source has said so. Somebody whose
 * name and birth date are others, or whom a person has said that the client is not, is a question all the same.
 */
async function adoptClient(run: Run, record: RecordRow, resources: readonly LaneResource[]): Promise<Adopted> {
  const { deps, connection, lease } = run;
  const resource = resources.find(({ key }) => key.slot === 'patient');
  if (resource === undefined || resource.search === 'blocked') return { kind: 'nothing' };
  const patient = await patientSaid(deps.store, lease, record, connection.config.id);
  if (patient === undefined) return { kind: 'nothing' };
  const looks: Looks = new Map();
  const named = { resourceType: 'Patient', id: patient };
  await lookInStore(deps.store, lease.connection, looks, [named]);
  const failure = looks.size === 0 ? await lookThere(run, looks, named) : undefined;
  if (failure !== undefined) return failure;
  const look = looks.get(`Patient/${patient}`);
  if (look === undefined || typeof look === 'string') return { kind: 'nothing' };
  const by = resource.client?.denied.get(patient);
  if (by !== undefined || isSomebodyElse(record.content, look.body)) {
    const strong = strongIdentifiers(record.content, connection.config.identifierSystems);
    const why = by === undefined ? reason('patient-uncertain', { count: 1 }) : reason('patient-denied', { by });
    await underLease(run, async (trx) => {
      await askWho(trx, lease, resource, { patients: [look.body], grades: new Map(), strong, mayCreate: false, why });
    });
    return { kind: 'stored', woken: [] };
  }
  // Before the link: what is of a linked client is not looked at here again.
  await underLease(run, async (trx) => {
    const ofPatient = trx
      .updateTable('inbound')
      .where('connection', '=', lease.connection)
      .where('source', '=', lease.source)
      .where('patient', '=', patient);
    await ofPatient.set({ subject: lease.subject }).execute();
    await ofPatient
      .set({ state: 'adopted', record_id: record.id, updated_at: sql<Date>`now()` })
      .where('type', '=', 'client')
      .where('state', '=', 'proposed')
      .execute();
    await raiseWanted(trx, [lease]);
  });
  return { kind: 'stored', woken: await linkFound(run, resource, look.body) };
}

/** Whom the records of the client say that they answer about; undefined: none does, or they name several. */
async function patientSaid(
  { db }: Store,
  { connection, source }: Lease,
  { id, content }: RecordRow,
  here: string,
): Promise<string | undefined> {
  const own = originHere(content, here);
  const origins = json(own?.resourceType === 'Patient' ? [{ type: 'client', ...own }] : []);
  const { rows } = await sql<{ patient: string }>`
    with said as (
      select o.type, o."resourceType" as resource_type, o.id as remote_id
      from jsonb_to_recordset(${origins}) as o(type text, "resourceType" text, id text)
      union
      select r.type, r.content -> 'origin' ->> 'resourceType', r.content -> 'origin' ->> 'id' from record r
      where r.source = ${source} and r.client_id = ${id} and not r.deleted and r.type = 'referral'
        and r.content -> 'origin' ->> 'connection' = ${connection})
    select distinct i.patient from said s join inbound i on i.connection = ${connection} and i.source = ${source}
      and i.type = s.type and i.resource_type = s.resource_type and i.remote_id = s.remote_id
    where i.patient is not null and i.offered is not null`.execute(db);
  return rows.length === 1 ? rows[0]?.patient : undefined;
}
