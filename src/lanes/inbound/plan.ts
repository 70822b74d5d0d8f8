// What becomes of the resources that began on the other side, for one patient and one source: pure, same input, same output; planned again after it was
// stored it gives nothing.

import { type ErrorCode, type Reason, reason } from '../../errors.ts';
import { contentHash } from '../../fhir/fhir.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import type { MappingSet, SlotRef } from '../../mapping/mapping.ts';
import { isRecordType, openCaseStatuses, type RecordType } from '../../records/records.ts';
import {
  type BegunReading,
  changedAt,
  codesOf,
  isAskedToCancel,
  passesOn,
  readBegun,
  requestIn,
} from '../../referrals/referrals.ts';
import type { Change } from '../changes.ts';
import type { NewDecision } from '../decisions/decisions.ts';
import { type LaneConnection, receiverFor } from '../lane-connection.ts';
import { hashOfSeen } from '../links/seen.ts';
import { resolverOf } from '../look/linked-targets.ts';
import { ownIdentifier } from '../own-identifier.ts';
import { carriesOut, localName, type Named, orderOf, partOf, patientsOf, pointedAtBy, referenced } from './about.ts';
import { clientFields } from './client-fields.ts';
import {
  attachmentToRead,
  documentDoubt,
  documentFields,
  documentTime,
  isOurText,
  replacedAmong,
} from './hospital-document.ts';
import { labelled } from './labels.ts';
import type { Look, Looks } from './look.ts';
import { originHere } from './origin.ts';
import {
  isReadable,
  type Proposal,
  type ProposeContext,
  propose,
  type ReferralBodies,
  referralMoves,
  referralOtherwise,
  slotFor,
  type Told,
  toldOfPatient,
} from './propose.ts';
import { abortAt, isOpenAbort } from './read-abort.ts';
import { readableText } from './readable-text.ts';
import { type InboundChange, type InboundRow, type InboundState, partsOf, proposedId } from './rows.ts';
import type { Around } from './take.ts';

export interface InboundInput {
  readonly connection: Pick<LaneConnection, 'config' | 'vendor'>;
  readonly source: string;
  /** IANA: of the source. */
  readonly timeZone: string;
  readonly identifierSystem: string;
  readonly mappings: MappingSet;
  /** Those of the lane, the oldest first. */
  readonly rows: readonly InboundRow[];
  readonly looks: Looks;
  /** Attachments that were read, by the name of their Binary. */
  readonly texts: ReadonlyMap<string, AttachmentLook>;
  readonly around: Around;
  /** Database time. */
  readonly now: Date;
}

/** `unread`: the server could not say now. */
export type AttachmentLook = Look | 'unread';

export interface PlannedChange extends InboundChange {
  readonly change?: Change;
  readonly ask?: NewDecision;
}

export interface InboundPlan {
  /** In the order in which a source can take them over. */
  readonly changes: readonly PlannedChange[];
  /** Topics of open questions that answered themselves. */
  readonly answered: readonly string[];
  /** What has to be looked at before the rest can be told: plan again with it. */
  readonly toRead: readonly Named[];
}

export function planInbound(input: InboundInput): InboundPlan {
  return new InboundPlanner(input).plan();
}

/** A row, or the place of one that is not there yet. */
interface Place {
  readonly row: InboundRow | undefined;
  readonly type: RecordType | 'none';
  readonly resourceType: string;
  readonly remoteId: string;
}

type Verdict =
  | { readonly kind: 'offer'; readonly told: Told }
  /** As it was offered. */
  | { readonly kind: 'stands' }
  /** This is to be read first. */
  | { readonly kind: 'read'; readonly named: Named }
  | { readonly kind: 'keep' | 'withdraw' | 'ask'; readonly why: ErrorCode };

interface Judged {
  readonly place: Place;
  readonly verdict: Verdict;
  readonly patient: string | undefined;
  readonly look: string;
}

interface ReadReferral {
  readonly row: InboundRow;
  readonly bodies: ReferralBodies;
  readonly patient: string | undefined;
  readonly look: string;
  readonly reading: BegunReading;
}

/** What others point at comes first. */
const order: readonly string[] = [
  'client',
  'case',
  'coverage',
  'need',
  'goal',
  'referral',
  'hospitalStay',
  'note',
  'carePlan',
  'none',
];

/** A stay that was over, or a document that was written, longer ago than this when it was first seen is history: within it, another stay would be a readmission. */
const pastMs = 30 * 24 * 60 * 60_000;

class InboundPlanner {
  readonly #input: InboundInput;
  readonly #context: ProposeContext;
  /** Of the cases under which referrals are offered, by the patient; of a client with an open one there is none. */
  #casePlaces: ReadonlyMap<string, Place> = new Map();
  /** Names of Tasks that somebody carries out by a Task of their own. */
  readonly #passedOn: ReadonlySet<string>;

  constructor(input: InboundInput) {
    this.#input = input;
    const { connection, mappings, timeZone, around } = input;
    const { baseUrl } = connection.config;
    this.#context = {
      connection: connection.config.id,
      mappings,
      timeZone,
      resolve: resolverOf(new Map([...this.#proposed(true), ...around.linked]), baseUrl),
      resolveAsProposed: resolverOf(new Map([...around.linked, ...this.#proposed(false)]), baseUrl),
    };
    this.#passedOn = new Set(
      input.rows.flatMap(({ type, resource_type: resourceType, remote_id: id }) => {
        const body = type === 'referral' && resourceType === 'Task' ? this.#body(resourceType, id) : undefined;
        if (body === undefined || !passesOn(body)) return [];
        return this.#along([{ resourceType, id }], partOf).flatMap((one) => (one.id === id ? [] : [localName(one)]));
      }),
    );
  }

  plan(): InboundPlan {
    const judged = this.#judged();
    const changes = judged.flatMap((one) => this.#change(one) ?? []);
    const topics = judged.flatMap(({ place, verdict }) => {
      const { row } = place;
      const isAnswered = row?.reason != null && verdict.kind !== 'ask' && isAsked(row.reason);
      return isAnswered ? [topicOf(place)] : [];
    });
    const rank = ({ row, change }: PlannedChange) => {
      const at = order.indexOf(row.type);
      return change?.op === 'withdraw' ? order.length + (order.length - at) : at;
    };
    const toRead = judged.flatMap(({ verdict }) => (verdict.kind === 'read' ? [verdict.named] : []));
    return { changes: changes.sort((a, b) => rank(a) - rank(b)), answered: topics, toRead };
  }

  #judged(): Judged[] {
    const { rows } = this.#input;
    const open = rows.filter(({ state }) => state !== 'refused' && state !== 'adopted');
    const read = open.filter(({ type }) => type === 'referral').map((row) => this.#readReferral(row));
    this.#casePlaces = this.#placesOfCases(read);
    const referrals = read.map((one) => this.#referral(one));
    const offered = referrals.filter(({ verdict }) => verdict.kind === 'offer');
    // What is asked about stands as it was offered, and so does what it came with.
    const standing = referrals.filter(
      ({ place, verdict }) => verdict.kind === 'offer' || (verdict.kind === 'ask' && place.row?.state === 'proposed'),
    );
    const pointed = this.#pointed(standing);
    const others = open
      .filter(({ type }) => type !== 'referral' && type !== 'client' && type !== 'case')
      .filter((row) => !pointed.some(({ place }) => place.row === row))
      .map((row) => this.#record(row));
    const offeredWith = rows.flatMap(({ type, remote_id: id, patient }) =>
      type === 'client' ? id : type === 'case' ? (patient ?? []) : [],
    );
    const patients = new Set([...standing.flatMap(({ patient }) => patient ?? []), ...offeredWith]);
    const people = [...patients].flatMap((patient) => {
      const isTheirs = (one: Judged) => one.patient === patient;
      return this.#person(patient, offered.filter(isTheirs), standing.filter(isTheirs));
    });
    return [...people, ...pointed, ...referrals, ...others];
  }

  /** A patient as a client, and a case, where the source has neither. */
  #person(patient: string, offered: readonly Judged[], standing: readonly Judged[]): Judged[] {
    const { around } = this.#input;
    const client = this.#rowOf('client', 'Patient', patient);
    if (client?.state === 'refused') return this.#cases(patient, offered, standing);
    const isNeeded = standing.length > 0;
    const isKnown = around.clients.has(patient);
    const place: Place = { row: client, type: 'client', resourceType: 'Patient', remoteId: patient };
    const body = this.#body('Patient', patient);
    const ofClient: Judged[] =
      client?.state === 'adopted' || body === undefined || (isKnown && client?.state !== 'proposed')
        ? []
        : [
            {
              place,
              patient,
              look: hashOfSeen(body),
              verdict:
                isNeeded && !isKnown
                  ? { kind: 'offer', told: this.#client(patient, body) }
                  : { kind: 'withdraw', why: isKnown ? 'inbound-client-known' : 'inbound-cancelled' },
            },
          ];
    return [...ofClient, ...this.#cases(patient, offered, standing)];
  }

  /** The case under which referrals of somebody are offered who has none: one that is offered already, else that of the first of them. */
  #placesOfCases(read: readonly ReadReferral[]): ReadonlyMap<string, Place> {
    const places = new Map<string, Place>();
    const keep = (patient: string | null | undefined, place: Place) => {
      if (patient == null || places.has(patient) || this.#openCases(patient).length > 0) return;
      places.set(patient, place);
    };
    for (const row of this.#input.rows) {
      if (row.type === 'case' && row.state === 'proposed') keep(row.patient, placeOf(row));
    }
    for (const { row: referral, patient, reading } of read) {
      if (reading.kind !== 'offer') continue;
      const { resource_type: resourceType, remote_id: remoteId } = referral;
      keep(patient, { row: this.#rowOf('case', resourceType, remoteId), type: 'case', resourceType, remoteId });
    }
    return places;
  }

  #cases(patient: string, offered: readonly Judged[], standing: readonly Judged[]): Judged[] {
    const place = this.#casePlaces.get(patient);
    const needless = place === undefined ? this.#needlessCase(patient) : undefined;
    if (needless !== undefined) {
      const verdict: Verdict = { kind: 'withdraw', why: 'inbound-client-known' };
      return [{ place: placeOf(needless), patient, look: needless.look ?? '', verdict }];
    }
    if (place === undefined || place.row?.state === 'refused' || place.row?.state === 'adopted') return [];
    const look = contentHash(standing.map((one) => one.look));
    if (standing.length === 0)
      return [{ place, patient, look, verdict: { kind: 'withdraw', why: 'inbound-cancelled' } }];
    const [first] = offered;
    return first === undefined
      ? []
      : [{ place, patient, look, verdict: { kind: 'offer', told: this.#case(place, first) } }];
  }

  /** The case that was offered with a client who is known by now by another record, unless the source has taken it over. */
  #needlessCase(patient: string): InboundRow | undefined {
    const { rows, around, connection } = this.#input;
    const row = rows.find((one) => one.type === 'case' && one.patient === patient && one.state === 'proposed');
    if (row === undefined || !this.#isKnownOtherwise(patient)) return undefined;
    const origins = (around.clients.get(patient)?.cases ?? []).map((one) => originHere(one, connection.config.id));
    return origins.some((origin) => origin?.resourceType === row.resource_type && origin.id === row.remote_id)
      ? undefined
      : row;
  }

  #client(patient: string, body: JsonObject): Told {
    return {
      type: 'client',
      id: this.#id('client', 'Patient', patient),
      origin: { resourceType: 'Patient', id: patient },
      resources: [{ slot: 'patient', body }],
      elements: toldOfPatient,
      fixed: { ...clientFields(body, this.#input.connection.config.identifierSystems), ...labelled([body]) },
    };
  }

  /** The record, in this source, of the organization whose server this is. */
  #hospital(): string | undefined {
    return receiverFor(this.#input.connection.config, this.#input.source).organization;
  }

  #case({ resourceType, remoteId }: Place, first: Judged): Told {
    const referral = first.verdict.kind === 'offer' ? first.verdict.told.fixed : {};
    const organization = this.#hospital();
    const hospital: JsonObject = organization === undefined ? {} : { organizationId: organization };
    const performer = this.#performers(first.place).find(({ type }) => type === 'organization');
    const isAgency = performer !== undefined && this.#input.around.agencies.has(performer.id);
    return {
      type: 'case',
      id: this.#id('case', resourceType, remoteId),
      origin: { resourceType, id: remoteId },
      resources: [],
      fixed: {
        clientId: this.#clientId(first.patient ?? ''),
        status: 'referred',
        referredAt: referral.sentAt ?? '',
        referralSource: { kind: 'hospital', ...hospital },
        ...(isAgency && { organizationId: performer.id }),
      },
    };
  }

  #readReferral(row: InboundRow): ReadReferral {
    const body = this.#body(row.resource_type, row.remote_id);
    const bodies = this.#bodies(row, body);
    const patients = this.#patients(bodies);
    const [patient] = patients;
    const look = contentHash([
      bodies.task === undefined ? null : hashOfSeen(bodies.task),
      bodies.order === undefined ? null : hashOfSeen(bodies.order),
      [...patients, patient === undefined ? null : this.#shown('Patient', patient)],
      body === undefined,
    ]);
    return { row, bodies, patient, look, reading: this.#judgeReferral(row, body, bodies, patients) };
  }

  #referral({ row, bodies, patient, look, reading }: ReadReferral): Judged {
    const verdict: Verdict =
      reading.kind === 'offer'
        ? { kind: 'offer', told: this.#toldReferral(row, bodies, patient ?? '', reading) }
        : reading;
    // While a person is asked it is about whom it was offered for.
    const isStanding = reading.kind === 'ask' && row.state === 'proposed';
    return { place: placeOf(row), verdict, patient: isStanding ? (row.patient ?? patient) : patient, look };
  }

  #judgeReferral(
    row: InboundRow,
    body: JsonObject | undefined,
    bodies: ReferralBodies,
    patients: readonly string[],
  ): BegunReading {
    const isOffered = row.state === 'proposed';
    if (body === undefined) return { kind: isOffered ? 'ask' : 'keep', why: 'inbound-gone' };
    const { referralsBegin } = this.#input.connection.vendor;
    if (row.resource_type !== referralsBegin) return { kind: 'keep', why: 'inbound-order' };
    const parts = partsOf(row);
    const status = (resourceType: string) => {
      const held = parts.find((part) => part.resourceType === resourceType)?.facts.status;
      return typeof held === 'string' ? held : undefined;
    };
    const isPartOfOurs = this.#isPartOfOurs(body);
    const reading = readBegun({
      ...(bodies.task && { task: bodies.task }),
      ...(bodies.order && { order: bodies.order }),
      ...(isOffered && { offered: { task: askedFrom(row, status('Task')), order: status('ServiceRequest') } }),
      isWithdrawn: row.state === 'withdrawn',
      performer: this.#isForUs(bodies, isPartOfOurs),
      isPartOfOurs,
      isPassedOn: this.#passedOn.has(localName({ resourceType: row.resource_type, id: row.remote_id })),
    });
    return reading.kind === 'offer' ? (this.#doubt(row, patients) ?? reading) : reading;
  }

  /** Why it must not be offered although it is open: about whom it is does not stand. */
  #doubt(row: InboundRow, patients: readonly string[]): BegunReading | undefined {
    const [patient, another] = patients;
    if (patient === undefined) return { kind: 'ask', why: 'inbound-no-patient' };
    if (another !== undefined) return { kind: 'ask', why: 'inbound-two-patients' };
    if (row.state === 'proposed' && row.patient !== null && row.patient !== patient)
      return { kind: 'ask', why: 'inbound-patient-changed' };
    return this.#body('Patient', patient) === undefined ? { kind: 'ask', why: 'inbound-patient-unknown' } : undefined;
  }

  #toldReferral(
    row: InboundRow,
    bodies: ReferralBodies,
    patient: string,
    reading: Extract<BegunReading, { kind: 'offer' }>,
  ): Told {
    const hospital = this.#hospital();
    const resources = [
      ...(bodies.order === undefined ? [] : [{ slot: 'request', body: bodies.order }]),
      ...(bodies.task === undefined ? [] : [{ slot: 'fulfilment', body: bodies.task }]),
    ];
    const told: Told = {
      type: 'referral',
      id: row.id,
      origin: { resourceType: row.resource_type, id: row.remote_id },
      resources,
      fixed: {
        ...referralMoves(bodies, reading.status, row.noted_at.toISOString()),
        ...this.#caseOf(patient),
        ...labelled([bodies.task, bodies.order, ...this.#conditionsOf(bodies)]),
        clientId: this.#clientId(patient),
        ...this.#cancelRequest(row, bodies.task, patient),
      },
    };
    const { record } = propose(this.#context, told, '');
    return {
      ...told,
      otherwise: {
        ...referralOtherwise(bodies, record),
        ...(hospital !== undefined && { requesterOrganizationId: hospital }),
      },
    };
  }

  /** That the requester asks to cancel what nobody has answered yet withdraws nothing: it is said with it. */
  #cancelRequest(row: InboundRow, task: JsonObject | undefined, patient: string): JsonObject {
    if (task === undefined) return {};
    const before = textAt(objectAt(row.offered ?? undefined, 'cancelRequest'), 'at');
    const abort = this.#input.rows
      .filter(({ resource_type: type, type: becomes }) => type === 'Task' && becomes === 'referral')
      .map(({ remote_id: id }) => this.#body('Task', id))
      .filter((body) => body !== undefined)
      .find((body) => isOpenAbort(body, task, { baseUrl: this.#baseUrl, patients: [patient] }));
    if (isAskedToCancel(task)) return { cancelRequest: { ...requestIn(task, before ?? changedAt(task)) } };
    return abort === undefined ? {} : { cancelRequest: { ...requestIn(abort, abortAt(abort)) } };
  }

  /** What an order is for tells as much as the order. */
  #conditionsOf({ order: asked }: ReferralBodies): (JsonObject | undefined)[] {
    const named = asked === undefined ? [] : pointedAtBy(asked, this.#baseUrl);
    return named.map(({ resourceType, id }) =>
      resourceType === 'Condition' ? this.#body(resourceType, id) : undefined,
    );
  }

  /** Needs, goals and coverages that a standing referral points at, offered with it. */
  #pointed(standing: readonly Judged[]): Judged[] {
    const { around, mappings } = this.#input;
    const found = new Map<string, Judged>();
    for (const { place, patient } of standing) {
      const { order: body } = this.#bodiesOf(place);
      for (const named of body === undefined ? [] : pointedAtBy(body, this.#baseUrl)) {
        const type = pointedTypes[named.resourceType];
        const resource = this.#body(named.resourceType, named.id);
        if (type === undefined || resource === undefined || around.linked.has(localName(named))) continue;
        // Another patient's is none of this referral's business.
        if (!patientsOf(resource, this.#baseUrl).every((id) => id === patient)) continue;
        const row = this.#rowOf(type, named.resourceType, named.id);
        if (row?.state === 'refused' || row?.state === 'adopted') continue;
        const slot = slotFor(mappings, type, named.resourceType);
        const target: Place = { row, type, resourceType: named.resourceType, remoteId: named.id };
        const told = slot === undefined ? undefined : this.#told(type, target, slot, resource, patient ?? '');
        const verdict: Verdict =
          told === undefined ? { kind: 'keep', why: 'inbound-unreadable' } : { kind: 'offer', told };
        found.set(localName(named), { place: target, verdict, patient, look: hashOfSeen(resource) });
      }
    }
    return [...found.values()];
  }

  /** Anything else about a linked patient; what no referral points at any more is taken back unless it is offered for itself. */
  #record(row: InboundRow): Judged {
    const body = this.#body(row.resource_type, row.remote_id);
    const patient = body === undefined ? (row.patient ?? undefined) : patientsOf(body, this.#baseUrl)[0];
    const client = this.#input.around.clients.get(patient ?? '');
    const look = contentHash([body === undefined ? null : hashOfSeen(body), client?.id ?? null]);
    return { place: placeOf(row), verdict: this.#judgeRecord(row, body, patient, look), patient, look };
  }

  #judgeRecord(row: InboundRow, body: JsonObject | undefined, patient: string | undefined, look: string): Verdict {
    const { around, mappings, now } = this.#input;
    const isOffered = row.state === 'proposed';
    const not = (why: ErrorCode): Verdict => ({ kind: isOffered ? 'withdraw' : 'keep', why });
    if (body === undefined) return { kind: isOffered ? 'ask' : 'keep', why: 'inbound-gone' };
    if (isOffered && row.patient !== null && row.patient !== patient)
      return { kind: 'ask', why: 'inbound-patient-changed' };
    if (!isRecordType(row.type)) return { kind: 'keep', why: 'inbound-no-rule' };
    if (isTakenBack(body)) return not('inbound-cancelled');
    if (patient === undefined || !around.clients.has(patient)) return not('inbound-cancelled');
    if (this.#openCases(patient).length === 0) return not('inbound-no-case');
    if (row.type === 'hospitalStay' && textAt(body, 'status') === 'planned') return not('inbound-planned');
    if (!isOffered && row.type === 'hospitalStay' && isPast(textAt(objectAt(body, 'period'), 'end'), now))
      return not('inbound-past');
    if (row.type === 'note') return this.#judgeDocument(row, body, patient, look);
    const slot = slotFor(mappings, row.type, row.resource_type);
    const told = slot === undefined ? undefined : this.#told(row.type, placeOf(row), slot, body, patient);
    if (told !== undefined) return { kind: 'offer', told };
    return not(row.type === 'hospitalStay' ? 'inbound-no-stay' : 'inbound-unreadable');
  }

  /** Its text is read once, when it is offered, and again when the document has changed. */
  #judgeDocument(row: InboundRow, body: JsonObject, patient: string, look: string): Verdict {
    const { now, connection } = this.#input;
    const isOffered = row.state === 'proposed';
    const not = (why: ErrorCode): Verdict => ({ kind: isOffered ? 'withdraw' : 'keep', why });
    const isReplaced = this.#replaced.has(row.remote_id);
    const why = documentDoubt(body, connection.config.polls.documentTypes);
    if (why !== undefined || isReplaced) return not(why ?? 'inbound-superseded');
    if (!isOffered && isPast(documentTime(body), now)) return not('inbound-past');
    if (isOffered && row.reason === null && row.look === look) return { kind: 'stands' };
    const found = attachmentToRead(body, this.#baseUrl);
    const read = found?.binary && this.#input.texts.get(localName(found.binary));
    if (found?.binary !== undefined && read === undefined) return { kind: 'read', named: found.binary };
    // It is tried again; what was offered before stands meanwhile.
    if (read === 'unread') return isOffered ? { kind: 'stands' } : not('inbound-text-unread');
    const held = typeof read === 'object' ? read.body : found?.attachment;
    const text = held && readableText(held);
    if (isOurText(text)) return not('inbound-own-document');
    const slot = slotFor(this.#input.mappings, 'note', row.resource_type);
    const told = slot === undefined ? undefined : this.#toldDocument(row, slot, body, patient, text);
    return told === undefined ? not('inbound-unreadable') : { kind: 'offer', told };
  }

  #toldDocument(
    row: InboundRow,
    slot: string,
    document: JsonObject,
    patient: string,
    text: string | undefined,
  ): Told | undefined {
    const { rows, around } = this.#input;
    const replaces = replacedAmong([document], this.#baseUrl);
    const before = rows.filter(({ type, remote_id: id, offered }) => type === 'note' && offered && replaces.has(id));
    const names = before.map(({ record_id: recordId, id }) => recordId ?? id);
    const fields = documentFields({ document, text, hospital: around.hospital, replaces: names });
    const { id, resource_type: resourceType, remote_id: remoteId } = row;
    const told: Told = {
      type: 'note',
      id,
      origin: { resourceType, id: remoteId },
      resources: [{ slot, body: document }],
      fixed: {
        ...fields.fixed,
        ...this.#caseOf(patient),
        ...labelled([document]),
        clientId: this.#clientId(patient),
      },
      otherwise: fields.otherwise,
    };
    return isReadable('note', propose(this.#context, told, '').record) ? told : undefined;
  }

  /** Ids of the documents of the lane that another one of it stands in place of. */
  get #replaced(): ReadonlySet<string> {
    const documents = this.#input.rows
      .filter(({ type }) => type === 'note')
      .map((row) => this.#body(row.resource_type, row.remote_id))
      .filter((body) => body !== undefined);
    return replacedAmong(documents, this.#baseUrl);
  }

  #told(type: RecordType, place: Place, slot: string, body: JsonObject, patient: string): Told | undefined {
    const { row, resourceType, remoteId } = place;
    const isStay = type === 'hospitalStay';
    const told: Told = {
      type,
      id: this.#id(type, resourceType, remoteId),
      origin: { resourceType, id: remoteId },
      resources: [{ slot, body }],
      fixed: {
        clientId: this.#clientId(patient),
        ...this.#caseOf(patient),
        ...labelled([body]),
        ...(isStay && { knownAt: (row?.noted_at ?? this.#input.now).toISOString(), source: 'adt' }),
      },
    };
    const { record } = propose(this.#context, told, '');
    if (!isReadable(type, record)) return undefined;
    const isNamed = 'hospitalId' in record || 'hospitalName' in record;
    const hospitalId = isStay && !isNamed ? this.#hospital() : undefined;
    return hospitalId === undefined ? told : { ...told, otherwise: { hospitalId } };
  }

  #change({ place, verdict, patient, look }: Judged): PlannedChange | undefined {
    const { row } = place;
    const base = {
      row: {
        resource_type: place.resourceType,
        remote_id: place.remoteId,
        type: place.type,
        id: row?.id ?? this.#id(place.type, place.resourceType, place.remoteId),
        state: row?.state ?? 'new',
        look: row?.look ?? null,
        isNew: row === undefined,
      },
      patient,
      look,
    };
    if (verdict.kind === 'offer') return this.#offer(base, row, verdict.told);
    if (verdict.kind === 'stands' || verdict.kind === 'read') return undefined;
    // Nothing is there to be taken back.
    if (verdict.kind === 'withdraw' && row?.state !== 'proposed') {
      if (row === undefined || row.state === 'withdrawn') return undefined;
      return kept(base, row, 'kept', reason(verdict.why));
    }
    if (row === undefined && verdict.kind === 'keep') return { ...base, state: 'kept', reason: reason(verdict.why) };
    if (row === undefined) return undefined;
    if (verdict.kind === 'withdraw') {
      const change: Change = { op: 'withdraw', type: row.type, id: row.id, body: {} };
      return { ...base, state: 'withdrawn', reason: reason(verdict.why), change };
    }
    const standing: InboundState = row.state === 'proposed' || row.state === 'withdrawn' ? row.state : 'kept';
    const change = kept(base, row, standing, reason(verdict.why));
    return change && verdict.kind === 'ask'
      ? { ...change, ask: aboutInbound(place, change.reason ?? reason(verdict.why)) }
      : change;
  }

  #offer(
    base: Pick<PlannedChange, 'row' | 'patient' | 'look'>,
    row: InboundRow | undefined,
    told: Told,
  ): PlannedChange | undefined {
    const offered: Proposal = propose(this.#context, told, this.#input.now.toISOString());
    const isOffered =
      row?.state === 'proposed' &&
      row.offered_hash === offered.hash &&
      !this.#isOfAnother(row.offered, offered.record, base.patient);
    if (isOffered && row.reason === null && row.look === base.look) return undefined;
    const change: Change = { op: 'propose', type: told.type, id: told.id, body: offered.record };
    return { ...base, state: 'proposed', reason: undefined, offered, ...(!isOffered && { change }) };
  }

  /** Whether it was offered of another client. That the source has taken over the client who was offered with it makes no other of them. */
  #isOfAnother(before: JsonObject | null, now: JsonObject, patient: string | undefined): boolean {
    const was = textAt(before ?? undefined, 'clientId');
    if (was === undefined || was === now.clientId) return false;
    const isAsProposed = patient !== undefined && was === this.#id('client', 'Patient', patient);
    return !isAsProposed || this.#isKnownOtherwise(patient);
  }

  /** The source has not taken over the client who was offered, so a client whom it has is another record. */
  #isKnownOtherwise(patient: string): boolean {
    const client = this.#rowOf('client', 'Patient', patient);
    return client?.state === 'proposed' || client?.state === 'withdrawn';
  }

  #bodies(
    { resource_type: resourceType }: Pick<InboundRow, 'resource_type'>,
    body: JsonObject | undefined,
  ): ReferralBodies {
    if (resourceType !== 'Task') return { task: undefined, order: body };
    const named = body === undefined ? undefined : orderOf(body, this.#baseUrl);
    return { task: body, order: named && this.#body(named.resourceType, named.id) };
  }

  #bodiesOf({ resourceType, remoteId }: Place): ReferralBodies {
    return this.#bodies({ resource_type: resourceType }, this.#body(resourceType, remoteId));
  }

  #patients({ task, order: asked }: ReferralBodies): string[] {
    return [...new Set([task, asked].flatMap((body) => (body === undefined ? [] : patientsOf(body, this.#baseUrl))))];
  }

  /** Whom a referral is asked of, as far as these are records of the source. */
  #performers(place: Place): SlotRef[] {
    const { task, order: asked } = this.#bodiesOf(place);
    const references = [objectAt(task, 'owner') ?? [], ...objectsAt(asked, 'performer')].flat();
    return references.flatMap((one) => this.#context.resolve(textAt(one, 'reference') ?? '') ?? []);
  }

  /** These resources and all that they lead to, each once, as far as they were looked at. */
  #along(from: readonly Named[], lead: (body: JsonObject, baseUrl: string) => readonly Named[]): Named[] {
    const found = new Map(from.map((named) => [localName(named), named]));
    for (const { resourceType, id } of found.values()) {
      const body = this.#body(resourceType, id);
      // A map is walked through to what was added on the way.
      for (const named of body === undefined ? [] : lead(body, this.#baseUrl))
        if (!found.has(localName(named))) found.set(localName(named), named);
    }
    return [...found.values()];
  }

  /**
   * Whether what they ask for carries out a part of a referral of ours, known by its link or, before that is stored, by our identifier. An order that
   * we answer may well be followed by another one; a Task that we answer is ours with all its parts.
   */
  #isPartOfOurs(request: JsonObject): boolean {
    const { around, identifierSystem } = this.#input;
    return this.#along(carriesOut(request, this.#baseUrl), carriesOut).some((named) => {
      const origin = around.referred.get(localName(named));
      const body = this.#body(named.resourceType, named.id);
      const isMade = body !== undefined && ownIdentifier(body, identifierSystem) !== undefined;
      return isMade || origin === 'made' || (origin === 'theirs' && named.resourceType === 'Task');
    });
  }

  #isForUs({ task, order: asked }: ReferralBodies, isPartOfOurs: boolean): 'ours' | 'open' | 'others' {
    const { around, connection } = this.#input;
    const { performers, referralCodes } = connection.config.polls;
    const owner = objectAt(task, 'owner');
    const named = owner === undefined ? objectsAt(asked, 'performer') : [owner];
    const isUs = named.some((one) => {
      const target = this.#context.resolve(textAt(one, 'reference') ?? '');
      const isListed = referenced(one, this.#baseUrl).some((found) => performers.includes(localName(found)));
      return (
        isListed || target?.type === 'worker' || (target?.type === 'organization' && around.agencies.has(target.id))
      );
    });
    if (isUs) return 'ours';
    // A Task for the community is for whoever is asked by this server's own means, unless it names a partner whom we know.
    const isForCommunity = codesOf(task?.code).includes('community-resource');
    const isKnown = named.some((one) => this.#context.resolve(textAt(one, 'reference') ?? '') !== undefined);
    if (isForCommunity && !isPartOfOurs && named.length > 0 && !isKnown) return 'ours';
    if (named.length > 0) return 'others';
    if (task !== undefined) return 'open';
    // An order alone may be for anybody in the house: only what the connection lists is for us.
    const concepts = [objectAt(asked, 'code'), ...objectsAt(asked, 'category')];
    const codings = concepts.flatMap((concept) => objectsAt(concept, 'coding'));
    const isKind = codings.some(({ system, code }) => referralCodes.includes(`${system}|${code}`));
    return isKind ? 'ours' : 'others';
  }

  #clientId(patient: string): string {
    return this.#input.around.clients.get(patient)?.id ?? this.#id('client', 'Patient', patient);
  }

  /** The one open case of the client; the proposed one of a stranger; which of several is for the source to say. */
  #caseOf(patient: string): JsonObject {
    const open = this.#openCases(patient);
    const [only] = open;
    if (open.length === 1 && only !== undefined) return { caseId: only.id ?? '' };
    if (open.length > 1) return {};
    const place = this.#casePlaces.get(patient);
    return place === undefined ? {} : { caseId: place.row?.id ?? this.#id('case', place.resourceType, place.remoteId) };
  }

  #rowOf(type: RecordType, resourceType: string, remoteId: string): InboundRow | undefined {
    return this.#input.rows.find(
      (row) => row.type === type && row.resource_type === resourceType && row.remote_id === remoteId,
    );
  }

  #openCases(patient: string): JsonObject[] {
    return (this.#input.around.clients.get(patient)?.cases ?? []).filter(isOpenCase);
  }

  /** What references mean while no link says it. @param asAnswered by the names under which the source has taken them over */
  #proposed(asAnswered: boolean): [string, SlotRef][] {
    const { looks, mappings } = this.#input;
    return [...looks.keys()].flatMap((name): [string, SlotRef][] => {
      const [resourceType = '', remoteId = ''] = name.split('/');
      if (resourceType === 'Patient')
        return [[name, { type: 'client', id: this.#patientId(remoteId, asAnswered), slot: 'patient' }]];
      const type = pointedTypes[resourceType];
      const slot = type && slotFor(mappings, type, resourceType);
      if (type === undefined || slot === undefined) return [];
      const row = this.#rowOf(type, resourceType, remoteId);
      if (row?.state === 'refused' || !this.#canBeOffered(type, resourceType, remoteId)) return [];
      const id = (asAnswered ? row?.record_id : undefined) ?? this.#id(type, resourceType, remoteId);
      return [[name, { type, id, slot }]];
    });
  }

  /** It says enough to be a record, and of nobody but the patient of this lane. */
  #canBeOffered(type: RecordType, resourceType: string, remoteId: string): boolean {
    const { mappings, timeZone, rows, connection } = this.#input;
    const body = this.#body(resourceType, remoteId);
    const slot = slotFor(mappings, type, resourceType);
    if (body === undefined || slot === undefined) return false;
    const none = () => undefined;
    const context = { connection: connection.config.id, mappings, timeZone, resolve: none, resolveAsProposed: none };
    const origin = { resourceType, id: remoteId };
    const { record } = propose(context, { type, id: '', origin, resources: [{ slot, body }], fixed: {} }, '');
    const isTheirs = patientsOf(body, this.#baseUrl).every((patient) => rows.some((row) => row.patient === patient));
    return isTheirs && isReadable(type, record);
  }

  #patientId(patient: string, asAnswered: boolean): string {
    return asAnswered ? this.#clientId(patient) : this.#id('client', 'Patient', patient);
  }

  #id(type: string, resourceType: string, remoteId: string): string {
    return proposedId(this.#input.connection.config.id, type, resourceType, remoteId);
  }

  get #baseUrl(): string {
    return this.#input.connection.config.baseUrl;
  }

  #body(resourceType: string, id: string): JsonObject | undefined {
    const look = this.#input.looks.get(localName({ resourceType, id }));
    return look === undefined || typeof look === 'string' ? undefined : look.body;
  }

  #shown(resourceType: string, id: string): string {
    const look = this.#input.looks.get(localName({ resourceType, id }));
    return look === undefined ? 'unread' : typeof look === 'string' ? look : hashOfSeen(look.body);
  }
}

/** What a referral may point at, and a source is offered with it. */
const pointedTypes: Readonly<Record<string, RecordType>> = { Condition: 'need', Goal: 'goal', Coverage: 'coverage' };

function placeOf(row: InboundRow): Place {
  const type = isRecordType(row.type) ? row.type : 'none';
  return { row, type, resourceType: row.resource_type, remoteId: row.remote_id };
}

/** Nothing new: the same state for the same reason, of the same look. */
function kept(
  base: Pick<PlannedChange, 'row' | 'patient' | 'look'>,
  row: InboundRow,
  state: InboundState,
  why: Reason,
): PlannedChange | undefined {
  const isSame = row.state === state && row.reason?.code === why.code && row.look === base.look;
  return isSame ? undefined : { ...base, state, reason: why };
}

/** Where the Task stood before its requester asked to cancel; while it does not, where it stands. */
function askedFrom({ offered }: InboundRow, held: string | undefined): string | undefined {
  const known = textAt(offered ?? undefined, 'status');
  return held !== 'in-progress' || known === undefined || known === held
    ? held
    : known === 'received'
      ? 'requested'
      : known;
}

function isOpenCase({ status }: JsonObject): boolean {
  return openCaseStatuses.some((open) => open === status);
}

function isTakenBack({ status, lifecycleStatus, verificationStatus }: JsonObject): boolean {
  const verified = codesOf(verificationStatus);
  const says = [status, lifecycleStatus].map((text) => (typeof text === 'string' ? text.trim() : ''));
  return (
    says.some((text) => ['entered-in-error', 'cancelled', 'revoked', 'rejected'].includes(text)) ||
    verified.some((code) => code === 'entered-in-error' || code === 'refuted')
  );
}

function isPast(time: string | undefined, now: Date): boolean {
  return time !== undefined && Date.parse(time) < now.getTime() - pastMs;
}

/** Those of which a person was asked. */
const asked: readonly ErrorCode[] = [
  'inbound-gone',
  'inbound-moved',
  'inbound-no-patient',
  'inbound-order-moved',
  'inbound-patient-changed',
  'inbound-patient-unknown',
  'inbound-status',
  'inbound-two-patients',
];

function isAsked({ code }: Reason): boolean {
  return asked.includes(code);
}

function topicOf({ resourceType, remoteId }: Place): string {
  return `inbound:${resourceType}/${remoteId}`;
}

function aboutInbound(place: Place, why: Reason): NewDecision {
  return {
    kind: 'inbound',
    topic: topicOf(place),
    reason: why,
    detail: {
      resourceType: place.resourceType,
      id: place.remoteId,
      offeredAs: place.row?.offered === null ? null : (place.row?.id ?? null),
    },
    choices: [
      {
        choose: 'seen',
        effect: 'Nothing is changed on either side. It is looked at again when the server changes it.',
      },
    ],
  };
}
