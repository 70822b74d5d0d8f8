// A partner that performs a referral on a server of its own tells of its contacts with the client there: in a message, or by an appointment that the client
// came to. The lane of the case offers them to the source, and the appointments that the partner arranges (closed-loop B2, B6).

import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import type { MappingSet } from '../../mapping/mapping.ts';
import { isInstant } from '../../records/records.ts';
import { type Database, type Store, sql, type Transaction } from '../../store/store.ts';
import { offerPatch, referralsOffered } from '../changes.ts';
import type { LaneConnection, Run } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import { type LaneKey, type Lease, underLease } from '../lease.ts';
import { raiseWanted } from '../links/wanted.ts';
import type { LaneState } from '../load/load.ts';
import { linkedTargets, resolverOf } from '../look/linked-targets.ts';
import { markClocks } from '../mark-clocks.ts';
import { ownIdentifier } from '../own-identifier.ts';
import { localName, patientsOf } from './about.ts';
import { agenciesOf } from './agencies.ts';
import { cut } from './cut.ts';
import { keepTaken } from './keep-taken.ts';
import { lanesSpokenTo } from './note.ts';
import { hashOfMade, type Made, madeRecord, offerAppointmentMade, withdrawAppointmentMade } from './offer-made.ts';
import { type ContactPlan, type HeardContact, planContacts, stands } from './plan-contacts.ts';
import { type Contact, isVisitOf, type Performed, readContact } from './read-contact.ts';
import { appointmentRecord } from './their-appointment.ts';

export interface HeardContacts {
  /** Something was stored, so that the lane is to be loaded again. */
  readonly isNews: boolean;
  /** When the first of those that lie ahead may have happened. */
  readonly lookAt: Date | undefined;
}

export async function hearContacts(
  { deps, connection: { config }, lease }: Run,
  mappings: MappingSet,
  { resources, now, holds }: LaneState,
): Promise<HeardContacts> {
  // What is said at our own home of a partner is offered when it is said.
  if (config.share !== undefined) return { isNews: false, lookAt: undefined };
  const performed = performedThere(resources, config.baseUrl);
  const spoken = await spokenOf(deps.store, lease, [...new Set(performed.flatMap(({ patients }) => patients))]);
  const theirs = spoken.filter(({ body }) => ownIdentifier(body, deps.identifierSystem) === undefined);
  if (theirs.length === 0) return { isNews: false, lookAt: undefined };
  const { isOurs, namesReferral } = await namedAmong(deps.store, lease, config.baseUrl, theirs);
  const partners = await partnersOf(deps.store, lease, performed);
  const ids = performed.map(({ id }) => id);
  const untaken = await referralsOffered(deps.store.db, lease, holds.remoteValues ? ids : []);
  const ahead: number[] = [];
  /** It stands for that one, or was refused for it, and still speaks of it: it is to be taken back from there first. */
  const isHeldBy = (id: string, { body, offered, state }: Spoken): boolean => {
    const holder = performed.find((one) => one.id === id);
    if (holder !== undefined && readContact(body, { ...holder, isOurs }) !== undefined) return true;
    return state === 'refused' ? holder === undefined : stands(offered);
  };
  const plans = performed.map((one) => {
    const heard = theirs.flatMap((row) => {
      const contact = readContact(row.body, { ...one, isOurs });
      const isAhead = contact !== undefined && Date.parse(contact.at) > now.getTime();
      if (isAhead) ahead.push(Date.parse(contact.at));
      const isOthers = row.record_id !== null && row.record_id !== one.id;
      if (isEcho(row, resources) || (isOthers && isHeldBy(row.record_id, row))) return [];
      const before = isOthers ? { ...row, offered: null, state: null } : row;
      return [heardContact(before, isAhead ? undefined : contact)];
    });
    const byName = partners.get(one.id)?.name ?? undefined;
    const tries = objectsAt(untaken.get(one.id), 'followUps');
    return { ...one, plan: planContacts(lease.connection, one.record, heard, byName, tries) };
  });
  const visits = theirs.flatMap((row) => {
    const tied = performed.filter((one) => isVisitOf(row.body, { ...one, isOurs }));
    const offeredFor = row.visit_state === 'proposed' ? row.visit_referral : null;
    const isHere = performed.some(({ id }) => id === offeredFor);
    // Another lane offers it, for a referral that it still names.
    if (offeredFor !== null && !isHere && namesReferral(row.body, offeredFor)) return [];
    const one = tied.find(({ id }) => id === offeredFor) ?? tied[0];
    if (one === undefined && !isHere && row.visit_subject !== lease.subject) return [];
    return visitNews(lease, row, one?.record, partners.get(one?.id ?? '')) ?? [];
  });
  const isNews =
    visits.length > 0 || plans.some(({ plan: { patch, taken } }) => patch !== undefined || taken.length > 0);
  if (isNews) {
    const woken = await underLease({ deps, lease }, async (trx) => {
      for (const one of plans) await storePlan(trx, lease, one);
      for (const { resource, record } of visits) {
        if (record === undefined) await withdrawAppointmentMade(trx, lease, resource);
        else await offerAppointmentMade(trx, lease, mappings, { resource, record });
      }
      return wantFreed(trx, lease, config, takenBack(theirs, plans, visits));
    });
    deps.wake(woken);
  }
  const [lookAt] = ahead.filter((at) => at - now.getTime() < dayMs).sort((one, other) => one - other);
  return { isNews, lookAt: lookAt === undefined ? undefined : new Date(lookAt) };
}

/** Of what lies further ahead the date is not to be believed. */
const dayMs = 24 * 60 * 60_000;

/** An outgoing referral whose Task lives on this server. */
interface PerformedReferral extends Omit<Performed, 'isOurs'> {
  readonly id: string;
  readonly record: JsonObject;
}

function performedThere(resources: readonly LaneResource[], baseUrl: string): PerformedReferral[] {
  return resources.flatMap(({ key, link, observed, record, isCopy }) => {
    const isFulfilment = key.type === 'referral' && key.slot === 'fulfilment' && record?.direction === 'outgoing';
    if (!isFulfilment || isCopy === true || link?.origin !== 'created' || link.retired || observed === undefined)
      return [];
    const order = resources.find(
      (one) => one.key.type === key.type && one.key.id === key.id && one.key.slot === 'request',
    );
    const sentAt = Date.parse(textAt(record, 'sentAt') ?? '');
    return [
      {
        id: key.id,
        record,
        baseUrl,
        names: [link, order?.link].flatMap((one, at) =>
          one === undefined
            ? []
            : [localName({ resourceType: at === 0 ? 'Task' : 'ServiceRequest', id: one.remoteId })],
        ),
        patients: patientsOf(observed.body, baseUrl),
        sentAt: Number.isNaN(sentAt) ? undefined : sentAt,
      },
    ];
  });
}

interface Spoken {
  readonly resource_type: string;
  readonly remote_id: string;
  readonly patient: string | null;
  readonly seen_at: Date;
  /** Empty where it is gone: what was heard of it before stands no more. */
  readonly body: JsonObject;
  /** A record has taken it over. */
  readonly is_linked: boolean;
  readonly state: string | null;
  readonly offered: JsonObject | null;
  readonly record_id: string | null;
  /** Of the appointment that was offered of it. */
  readonly visit_state: string | null;
  readonly visit_hash: string | null;
  /** Of the lane that offered it. */
  readonly visit_subject: string | null;
  /** For which it was offered. */
  readonly visit_referral: string | null;
}

/** What others said and arranged in the charts of these patients, and what was heard of it before, wherever it is now. */
async function spokenOf({ db }: Store, lease: Lease, patients: readonly string[]): Promise<Spoken[]> {
  const { connection, source, subject } = lease;
  const isTheirs = patients.length === 0 ? sql`false` : sql`patient in (${sql.join(patients)})`;
  const { rows } = await sql<Spoken>`
    with named as (
      select resource_type, remote_id from seen where connection = ${connection} and ${isTheirs}
        and resource_type in ('Communication', 'Appointment')
      union
      select resource_type, remote_id from inbound where connection = ${connection} and subject = ${subject} and source = ${source}
        and type in ('none', 'appointment') and resource_type in ('Communication', 'Appointment')
    )
    select s.resource_type, s.remote_id, s.patient, s.seen_at, case when s.gone then '{}' else s.body end as body,
      i.state, i.offered, i.record_id, v.state as visit_state,
      v.offered_hash as visit_hash, v.subject as visit_subject, v.offered ->> 'referralId' as visit_referral, exists (select 1 from link l
        where l.connection = s.connection and l.resource_type = s.resource_type and l.remote_id = s.remote_id) as is_linked
    from named n join seen s on s.connection = ${connection} and s.resource_type = n.resource_type and s.remote_id = n.remote_id
    left join inbound i on i.connection = s.connection and i.source = ${source} and i.type = 'none'
      and i.resource_type = s.resource_type and i.remote_id = s.remote_id and i.state in ('adopted', 'refused')
    left join inbound v on v.connection = s.connection and v.source = ${source} and v.type = 'appointment'
      and v.resource_type = s.resource_type and v.remote_id = s.remote_id
    where case when s.gone then i.state = 'adopted' or v.state = 'proposed' else s.body is not null end
      and not exists (select 1 from link l where l.connection = s.connection and l.resource_type = s.resource_type
        and l.remote_id = s.remote_id and l.origin <> 'theirs')
      and not exists (select 1 from edition e where e.connection = s.connection and e.remote_id = s.remote_id)
    order by s.resource_type, s.remote_id`.execute(db);
  return rows;
}

/** Whom these name: the agency or one of its workers, and referrals by their Tasks or orders. */
async function namedAmong(store: Store, lease: Lease, baseUrl: string, rows: readonly Spoken[]) {
  const bodies = rows.map(({ body }) => body);
  const resolve = resolverOf(await linkedTargets(store, lease, baseUrl, bodies), baseUrl);
  const { organizations, workers } = await agenciesOf(store, lease.source);
  const targetOf = (reference: JsonObject) => resolve(textAt(reference, 'reference') ?? '');
  const isOurs = (reference: JsonObject): boolean => {
    const target = targetOf(reference);
    const ours = target?.type === 'worker' ? workers : organizations;
    return (target?.type === 'worker' || target?.type === 'organization') && ours.has(target.id);
  };
  const namesReferral = (appointment: JsonObject, id: string): boolean =>
    objectsAt(appointment, 'basedOn').some((reference) => {
      const target = targetOf(reference);
      return target?.type === 'referral' && target.id === id;
    });
  return { isOurs, namesReferral };
}

/** An appointment that a record has taken over says what the record has said of it. */
function isEcho({ remote_id: id, body, offered }: Spoken, resources: readonly LaneResource[]): boolean {
  const own = resources.find(({ resourceType, link }) => resourceType === 'Appointment' && link?.remoteId === id);
  if (body.resourceType !== 'Appointment' || own === undefined || offered !== null) return false;
  return own.link?.sent?.status === own.slot?.facts(body).status;
}

function heardContact(row: Spoken, contact: Contact | undefined): HeardContact {
  const { resource_type: resourceType, remote_id: remoteId, body, offered, state } = row;
  const note = objectsAt(body, 'note').flatMap((one) => textAt(one, 'text') ?? []);
  return {
    resourceType,
    remoteId,
    contact,
    note: note.length === 0 ? undefined : cut(note.join('\n'), longestNote),
    offered: offered ?? undefined,
    isRefused: state === 'refused',
  };
}

const longestNote = 20_000;

async function storePlan(
  trx: Transaction<Database>,
  lease: Lease,
  { id, plan, patients }: PerformedReferral & { readonly plan: ContactPlan },
): Promise<void> {
  const { patch, taken, isForgotten } = plan;
  if (patch !== undefined) await offerPatch(trx, lease, { type: 'referral', id, body: patch });
  if (isForgotten) await forgetContact(trx, lease, id);
  for (const { heard, offered } of taken) {
    const { resourceType, remoteId } = heard;
    await keepTaken(trx, lease, { recordId: id, patient: patients[0], resourceType, remoteId }, { offered });
  }
}

/** What is taken back here may be about a referral of another lane by now, which has left it alone so far. */
async function wantFreed(
  trx: Transaction<Database>,
  { subject }: Lease,
  config: LaneConnection['config'],
  freed: readonly JsonObject[],
): Promise<LaneKey[]> {
  const lanes = (await lanesSpokenTo(trx, config, freed)).filter((lane) => lane.subject !== subject);
  await raiseWanted(trx, lanes);
  return lanes;
}

function takenBack(
  theirs: readonly Spoken[],
  plans: readonly { readonly plan: ContactPlan }[],
  visits: readonly Visit[],
): JsonObject[] {
  const freed = plans.flatMap(({ plan }) =>
    plan.taken.flatMap(({ heard, offered }) => (stands(offered) ? [] : [heard])),
  );
  const contacts = freed.flatMap(({ resourceType, remoteId }) =>
    theirs.flatMap(({ resource_type: type, remote_id: id, body }) =>
      type === resourceType && id === remoteId ? [body] : [],
    ),
  );
  return [...contacts, ...visits.flatMap(({ resource, record }) => (record === undefined ? [resource] : []))];
}

async function forgetContact(trx: Transaction<Database>, lease: Lease, id: string): Promise<void> {
  const { connection, source, subject } = lease;
  await trx
    .deleteFrom('remote_value')
    .where((is) => is.and({ connection, source, type: 'referral', id, pointer: '/firstContact' }))
    .execute();
  await markClocks(trx, subject);
}

interface Visit {
  readonly resource: Made['resource'];
  /** Undefined: it is called off. */
  readonly record: JsonObject | undefined;
}

/**
 * The partner arranges an appointment for the referral: the source may take it over as one of its own. Undefined: it was offered so before.
 * @param referral undefined: it is for none any more
 */
function visitNews(
  lease: Lease,
  row: Spoken,
  referral: JsonObject | undefined,
  partner: Partner | undefined,
): Visit | undefined {
  const { resource_type: resourceType, remote_id: id, body, visit_state: state } = row;
  if (resourceType !== 'Appointment' || row.is_linked || state === 'adopted' || state === 'refused') return undefined;
  const resource = { ...body, resourceType, id };
  const at = [objectAt(body, 'meta')?.lastUpdated].find(isInstant) ?? row.seen_at.toISOString();
  const record = referral && appointmentRecord(body, referral, { organization: partner?.id ?? undefined, at });
  if (record === undefined) return state === 'proposed' ? { resource, record } : undefined;
  const isSame = state === 'proposed' && row.visit_hash === hashOfMade(madeRecord(lease, { resource, record }));
  return isSame ? undefined : { resource, record };
}

interface Partner {
  readonly id: string | null;
  readonly name: string | null;
}

/** Who performs the referrals, by their ids. */
async function partnersOf({ db }: Store, { source }: Lease, performed: readonly PerformedReferral[]) {
  const ids = performed.map(({ id }) => id);
  if (ids.length === 0) return new Map<string, Partner>();
  const { rows } = await sql<Partner & { referral: string }>`
    select r.id as referral, o.id, o.content ->> 'name' as name from record r
    left join record s on s.source = r.source and s.type = 'service' and s.id = r.content ->> 'serviceId'
    left join record o on o.source = r.source and o.type = 'organization'
      and o.id = coalesce(r.content ->> 'organizationId', s.content ->> 'organizationId')
    where r.source = ${source} and r.type = 'referral' and r.id in (${sql.join(ids)})`.execute(db);
  return new Map(rows.map((row) => [row.referral, row]));
}
