// Front door of home/: Casebridge as the place where a partner's Tasks live (closed-loop B1). What the lanes write is there for the partner to see,
// and what the partner does is a new version of it, judged by the state machine, told to the lane in the same transaction, and audited.

import { type Actor, type AuditEntry, keepAudit } from '../access/access.ts';
import type { Config, PartnerConfig } from '../config.ts';
import type { Exchanger } from '../connections/connections.ts';
import { CasebridgeError, reason } from '../errors.ts';
import { contentHash, parseReference } from '../fhir/fhir.ts';
import { isObject, type JsonObject, objectsAt, textAt } from '../json.ts';
import { appointmentRecord, offerAppointmentMade, offerPatch, referralsOffered } from '../lanes/lanes.ts';
import type { MappingSet } from '../mapping/mapping.ts';
import { isTaskStatus, isTerminal } from '../referrals/referrals.ts';
import { type Store, timeOf } from '../store/store.ts';
import {
  type AppointmentMade,
  appointmentOf,
  askedTask,
  type ContactMade,
  communicationOf,
  confirmed,
  contactPatch,
  longestComment,
  type Making,
  procedureOf,
  type TaskMove,
} from './actions.ts';
import { homeExchanger } from './exchanger.ts';
import { type HomeReferral, readReferrals, referenceIn } from './referral.ts';
import { type HomeResource, lockResource } from './rows.ts';
import { changedTask, legalFor, MoveRefused } from './task-change.ts';
import { type Course, type Narrowing, type Portion, type Visible, visibleInTurn, visibleTo } from './visible.ts';
import { add, change, checkVersion, lockTask, type OwnTask, type Writer } from './writing.ts';

export type { Actor } from '../access/access.ts';
export type { HomeReferral } from './referral.ts';
export type { HomeResource } from './rows.ts';
export { MoveRefused } from './task-change.ts';
export type { Narrowing, Place, Visible } from './visible.ts';

/**
 * `partner` is the partner's name in the configuration; every call throws CasebridgeError `partner-unknown` for another. A Task that is not one of
 * the partner's, or not any more, is `resource-not-theirs` (404): nobody learns that it is somebody else's. Versions are entity tags.
 */
export interface Home {
  /** The server that the partner's connection goes to. */
  exchanger(partner: string): Exchanger;

  /** Every referral that the partner may see. */
  referrals(partner: string): Promise<HomeReferral[]>;
  referral(partner: string, taskId: string): Promise<HomeReferral | undefined>;
  /**
   * Moves the Task, with its reason, outcome and comment. @returns the Task as it is then
   * @throws MoveRefused `task-move-illegal`, `task-reason-missing`, naming the legal moves; CasebridgeError `version-conflict`
   */
  move(partner: string, taskId: string, move: TaskMove, by: Actor, ifMatch: string): Promise<JsonObject>;
  /** @returns the Task @throws CasebridgeError `comment-empty`, `version-conflict` */
  addComment(partner: string, taskId: string, text: string, by: Actor, ifMatch: string): Promise<JsonObject>;
  /** Offers the contact to the source, where it stops the clock once taken over. @returns the Communication */
  logFirstContact(partner: string, taskId: string, contact: ContactMade, by: Actor): Promise<JsonObject>;
  /**
   * The source is offered it as an appointment of its own (`propose`). What was proposed for the same time and place and is now agreed is booked.
   * @returns the Appointment
   * @throws MoveRefused where the referral has ended; CasebridgeError `appointment-exists` where one for the same time and place stands otherwise
   */
  proposeAppointment(partner: string, taskId: string, appointment: AppointmentMade, by: Actor): Promise<JsonObject>;
  /**
   * It is confirmed already: nothing happens. @param ifMatch of the Appointment
   * @returns the Appointment @throws CasebridgeError `appointment-unknown`, `version-conflict`
   */
  confirmAppointment(
    partner: string,
    taskId: string,
    appointmentId: string,
    by: Actor,
    ifMatch: string,
  ): Promise<JsonObject>;

  /** What the partner may see of these, the one changed longest ago first. */
  visible(partner: string, narrowing: Narrowing): Promise<Visible[]>;
  /** The same of one type, in portions and in either order. */
  visibleInTurn(
    partner: string,
    narrowing: Narrowing & { readonly type: string },
    course: Course,
  ): AsyncIterable<Portion>;
  /**
   * The Task as the partner's system asks for it: only what a performer may say.
   * @throws MoveRefused; CasebridgeError `version-conflict`, `note-not-kept`, `output-unknown`, `resource-refused`
   */
  updateTask(partner: string, taskId: string, asked: JsonObject, by: Actor, ifMatch: string): Promise<HomeResource>;
  /**
   * Sent again, with the same identifier, it is there once. `unless`: an identifier that, where a Procedure bears it, makes that one the answer.
   * @throws CasebridgeError `order-not-theirs`, `resource-element-unknown`, `resource-refused`; `procedure-exists` for one that says something else
   * under the same identifier, `procedure-several`
   */
  createProcedure(
    partner: string,
    asked: JsonObject,
    by: Actor,
    unless?: IdentifierSought,
  ): Promise<{ readonly resource: HomeResource; readonly isNew: boolean }>;
  /** Keeps who looked at what, or what was refused to whom. */
  audit(entry: AuditEntry): Promise<void>;
}

export interface IdentifierSought {
  readonly system: string;
  readonly value: string;
}

export interface HomeDeps {
  readonly store: Store;
  readonly config: Pick<Config, 'partners' | 'identifierSystem'>;
  readonly newId: () => string;
  readonly mappings: () => Promise<MappingSet>;
  /** Called after commit: lanes have work. */
  readonly wake: () => void;
  /** Told of what kept the home from answering a lane. */
  readonly onError: (error: unknown) => void;
}

/** Opens the home of the configured partners; does nothing by itself. */
export function openHome({ store, config, newId, mappings, wake, onError }: HomeDeps): Home {
  const { identifierSystem } = config;
  const partnerOf = (id: string): PartnerConfig => {
    const partner = config.partners.get(id);
    if (partner === undefined) throw new CasebridgeError('partner-unknown', { partner: id });
    return partner;
  };

  /** One write, which is one transaction, and then the lanes. */
  const write = async <T>(partner: string, by: Actor, work: (writer: Writer) => Promise<T>): Promise<T> => {
    const known = partnerOf(partner);
    const result = await store.tx((trx) => work({ trx, partner: known, by }));
    wake();
    return result;
  };

  const making = async ({ trx, by }: Writer, { task, order }: OwnTask): Promise<Making> => {
    const at = (await timeOf(trx)).toISOString();
    return { identifierSystem, task: task.body, order: order.body, at, byName: by.name };
  };

  return {
    exchanger: (partner) => homeExchanger({ store, identifierSystem, newId, onError }, partnerOf(partner).id),

    referrals: (partner) => readReferrals(store.db, partnerOf(partner)),

    async referral(partner, taskId) {
      const [found] = await readReferrals(store.db, partnerOf(partner), taskId);
      return found;
    },

    move: (partner, taskId, move, by, ifMatch) =>
      write(partner, by, async (writer) => {
        const own = await lockTask(writer, taskId);
        checkVersion(own.task, ifMatch);
        const facts = await making(writer, own);
        checkComment(move.note);
        const procedure = move.outcome && procedureOf(facts, move.outcome);
        const after = changedTask(own.task.body, askedTask(facts, move, procedure?.id), facts.at);
        if (procedure !== undefined) await add(writer, own.order, procedure);
        return (await change(writer, own.task, after, 'update')).body;
      }),

    addComment: (partner, taskId, text, by, ifMatch) =>
      write(partner, by, async (writer) => {
        checkComment(text);
        const own = await lockTask(writer, taskId);
        checkVersion(own.task, ifMatch);
        const facts = await making(writer, own);
        const after = changedTask(own.task.body, askedTask(facts, { note: text }, undefined), facts.at);
        return (await change(writer, own.task, after, 'update')).body;
      }),

    logFirstContact: (partner, taskId, contact, by) =>
      write(partner, by, async (writer) => {
        checkComment(contact.note);
        const own = await lockTask(writer, taskId);
        const facts = await making(writer, own);
        const { resource, isNew } = await add(writer, own.order, communicationOf(facts, contact));
        if (isNew) await offerContact(writer, own, contact, resource);
        return resource.body;
      }),

    proposeAppointment: async (partner, taskId, appointment, by) => {
      const set = await mappings();
      return write(partner, by, async (writer) => {
        const own = await lockTask(writer, taskId);
        checkOpen(own);
        const facts = await making(writer, own);
        const { resource, isNew } = await add(writer, own.order, appointmentOf(facts, appointment));
        if (isNew) await offerAppointment(writer, own, set, resource, facts.at);
        else if (resource.body.status !== appointment.status) return agreeTo(writer, own, set, resource, appointment);
        return resource.body;
      });
    },

    confirmAppointment: async (partner, taskId, appointmentId, by, ifMatch) => {
      const set = await mappings();
      return write(partner, by, async (writer) => {
        const own = await lockTask(writer, taskId);
        await lockResource(writer.trx, { partner, resourceType: 'Appointment', id: appointmentId });
        const found = await appointmentOfTask(writer, own, appointmentId);
        if (found === undefined) throw new CasebridgeError('appointment-unknown');
        checkVersion(found, ifMatch);
        return isProposed(found) ? confirm(writer, own, set, found) : found.body;
      });
    },

    visible: (partner, narrowing) => visibleTo(store.db, partnerOf(partner), narrowing),

    visibleInTurn: (partner, narrowing, course) => visibleInTurn(store.db, partnerOf(partner), narrowing, course),

    updateTask: (partner, taskId, asked, by, ifMatch) =>
      write(partner, by, async (writer) => {
        const own = await lockTask(writer, taskId);
        checkVersion(own.task, ifMatch);
        const facts = await making(writer, own);
        const after = changedTask(own.task.body, asked, facts.at);
        await checkOutput(writer, own, after);
        return change(writer, own.task, after, 'update');
      }),

    createProcedure: (partner, asked, by, unless) =>
      write(partner, by, async (writer) => {
        const foreign = Object.keys(asked).filter((element) => !procedureElements.includes(element));
        if (foreign.length > 0) {
          const elements = foreign.sort().join(', ');
          const own = procedureElements.join(', ');
          throw new CasebridgeError('resource-element-unknown', { resourceType: 'Procedure', elements, own });
        }
        const names = objectsAt(asked, 'basedOn').flatMap((reference) => referenceIn(reference));
        const [order, second] = await visibleTo(writer.trx, writer.partner, { type: 'ServiceRequest', names });
        if (order === undefined || second !== undefined || !isAboutSame(asked, order.body))
          throw new CasebridgeError('order-not-theirs');
        const { id: _id, meta: _meta, text: _text, ...procedure } = asked;
        // The same that is sent twice at once takes turns.
        await lockResource(writer.trx, order);
        const there = await procedureThere(writer, order, procedure, unless);
        if (there !== undefined) return { resource: there, isNew: false };
        return add(writer, order, { ...procedure, resourceType: 'Procedure', id: newId() });
      }),

    audit: (entry) => keepAudit(store.db, entry),
  };
}

/** @throws CasebridgeError `procedure-exists`, `procedure-several` */
async function procedureThere(
  { trx, partner }: Writer,
  order: HomeResource,
  procedure: JsonObject,
  unless: IdentifierSought | undefined,
): Promise<HomeResource | undefined> {
  const sought = unless === undefined ? objectsAt(procedure, 'identifier') : [unless];
  if (sought.length === 0) return undefined;
  const bears = ({ body }: HomeResource) =>
    objectsAt(body, 'identifier').some((one) => sought.some((wanted) => isSameIdentifier(one, wanted)));
  const [found, another] = (await visibleTo(trx, partner, { type: 'Procedure' })).filter(bears);
  if (another !== undefined) throw new CasebridgeError('procedure-several');
  if (found === undefined || unless !== undefined) return found;
  const { id: _id, meta: _meta, ...before } = found.body;
  const says = { ...procedure, basedOn: [{ reference: `ServiceRequest/${order.id}` }] };
  if (contentHash(before) !== contentHash(says)) throw new CasebridgeError('procedure-exists');
  return found;
}

function isSameIdentifier(one: JsonObject, wanted: JsonObject | IdentifierSought): boolean {
  return wanted.value !== undefined && one.value === wanted.value && one.system === wanted.system;
}

/** What a partner says of what it did. `id`, `meta` and `text` may be there and are the server's. */
const procedureElements = [
  'resourceType',
  'id',
  'meta',
  'text',
  'identifier',
  'basedOn',
  'status',
  'statusReason',
  'category',
  'code',
  'subject',
  'performedDateTime',
  'performedPeriod',
  'performer',
  'reasonCode',
  'reasonReference',
  'outcome',
  'note',
];

function checkComment(text: string | undefined): void {
  if (text === undefined || (text.trim() !== '' && text.length <= longestComment)) return;
  throw new CasebridgeError('comment-empty', { limit: longestComment });
}

/** Of a referral that has ended nothing more is arranged. */
function checkOpen({ task: { body } }: OwnTask): void {
  if (!isTaskStatus(body.status) || !isTerminal(body.status)) return;
  throw new MoveRefused(
    reason('task-move-illegal', { from: body.status, party: 'performer', legal: 'nothing' }),
    legalFor(body),
  );
}

function isAboutSame(procedure: JsonObject, order: JsonObject): boolean {
  const [theirs] = referenceIn(procedure.subject);
  return theirs !== undefined && theirs === referenceIn(order.subject)[0];
}

/** @throws CasebridgeError `output-unknown` for a reference to what is not part of this referral */
async function checkOutput({ trx, partner }: Writer, { order }: OwnTask, task: JsonObject): Promise<void> {
  for (const { valueReference } of objectsAt(task, 'output')) {
    if (valueReference === undefined) continue;
    const reference = isObject(valueReference) ? (textAt(valueReference, 'reference') ?? '') : '';
    const parsed = parseReference(reference);
    const names = parsed === undefined ? [] : [`${parsed.resourceType}/${parsed.id}`];
    const found = await visibleTo(trx, partner, { names, basedOn: [`ServiceRequest/${order.id}`] });
    if (found.length === 0) throw new CasebridgeError('output-unknown', { reference: names[0] ?? 'nothing here' });
  }
}

async function appointmentOfTask(
  { trx, partner }: Writer,
  { order }: OwnTask,
  id: string,
): Promise<Visible | undefined> {
  const narrowing = { names: [`Appointment/${id}`], basedOn: [`ServiceRequest/${order.id}`] };
  const [found] = await visibleTo(trx, partner, narrowing);
  return found;
}

function isProposed({ body }: HomeResource): boolean {
  return body.status === 'proposed' || body.status === 'pending';
}

async function confirm(writer: Writer, own: OwnTask, set: MappingSet, found: Visible): Promise<JsonObject> {
  const after = await change(writer, found, confirmed(found.body), 'update');
  // The lane of its record tells the source what has changed.
  if (found.record === undefined)
    await offerAppointment(writer, own, set, after, (await timeOf(writer.trx)).toISOString());
  return after.body;
}

/** One for the same time and place is there, and stands otherwise than it is asked for. @throws CasebridgeError `appointment-exists` */
async function agreeTo(
  writer: Writer,
  own: OwnTask,
  set: MappingSet,
  { id }: HomeResource,
  { status, startsAt }: AppointmentMade,
): Promise<JsonObject> {
  const found = await appointmentOfTask(writer, own, id);
  const isThen = Date.parse(textAt(found?.body, 'start') ?? '') === Date.parse(startsAt);
  if (status === 'booked' && found !== undefined && isThen && isProposed(found))
    return confirm(writer, own, set, found);
  throw new CasebridgeError('appointment-exists');
}

async function offerAppointment(
  { trx, partner }: Writer,
  { task: { subject, record } }: OwnTask,
  mappings: MappingSet,
  { resourceType, id, body }: HomeResource,
  at: string,
): Promise<void> {
  if (subject === undefined || record === undefined) return;
  const { source, id: organization } = partner.organization;
  const offered = appointmentRecord(body, record.content, { organization, at });
  if (offered === undefined) return;
  await offerAppointmentMade(trx, { connection: partner.id, subject, source }, mappings, {
    resource: { ...body, resourceType, id },
    record: offered,
  });
}

async function offerContact(
  { trx, partner, by }: Writer,
  { task: { subject, record } }: OwnTask,
  contact: ContactMade,
  communication: HomeResource,
): Promise<void> {
  if (subject === undefined || record === undefined) return;
  const { source } = partner.organization;
  const lane = { connection: partner.id, subject, source };
  const untaken = (await referralsOffered(trx, lane, [record.id])).get(record.id) ?? {};
  const patch = contactPatch(record.content, untaken, contact, {
    communication: communication.id,
    byName: by.name,
    organization: partner.organization.id,
  });
  if (patch === undefined) return;
  await offerPatch(trx, lane, { type: record.type, id: record.id, body: patch });
}
