// The readable document as a resource of its case's lane: what it may tell, from the routes and consents of the lane's other resources. Pure.

import { withheldBy } from '../../access/access.ts';
import { type DocumentRules, isOffered } from '../../connections/connections.ts';
import {
  type DocumentInput,
  documentFacts,
  markerOf,
  renderText,
  renderXhtml,
  unnamedPlaces,
  urgency,
} from '../../documents/documents.ts';
import { type Reason, reason } from '../../errors.ts';
import { type JsonObject, objectsIn } from '../../json.ts';
import type { SlotRef } from '../../mapping/mapping.ts';
import { isRecordType, type RecordType } from '../../records/records.ts';
import { leftReason } from '../decisions/set-aside.ts';
import type { DesireInput, DocumentsHeld } from '../desire/desire-input.ts';
import { isStanding, type LinkRow, type RecordRow, waitFor } from '../desire/known.ts';
import { generationAfter, linkState, observation, placeholderFor } from '../desire/link-state.ts';
import { heldBack, holdsOf, isTopicOf } from '../desire/questions.ts';
import { strangerAt } from '../desire/still-ours.ts';
import { asTold, consentQuestion, receiverOf } from '../desire/told.ts';
import { isRefusal } from '../inbound/refuse.ts';
import { type LaneResource, nameOf, type ResourceKey, type Wait } from '../lane-resource.ts';
import { isElsewhere } from '../patients/chart.ts';
import {
  type DocumentContent,
  type DocumentForm,
  type DocumentState,
  documentDue,
  documentSlot,
  type Edition,
  type Encounter,
} from './document.ts';
import { encounterTopic } from './encounter.ts';

/** What a document tells of besides the case and the client; closed-loop B8. */
const toldTypes: readonly RecordType[] = [
  'carePlan',
  'need',
  'goal',
  'referral',
  'intervention',
  'appointment',
  'assessment',
  'coverage',
  'safetyPlan',
];

/** Those of them that have no document of their own: what cannot go natively of these needs the case's. */
const toldOnlyHere: readonly RecordType[] = toldTypes.filter((type) => type !== 'safetyPlan');

/** Undefined: the lane has no document and needs none. */
export function documentResource(input: DesireInput, others: readonly LaneResource[]): LaneResource | undefined {
  const { known, connection, documents } = input;
  const rules = connection.vendor.documents;
  const row = known.own.find(({ type }) => type === 'case');
  if (row === undefined || documents === undefined || !isOffered(rules)) return undefined;
  const key: ResourceKey = { type: 'case', id: row.id, slot: documentSlot };
  const links = known.links.filter(({ type, id, slot }) => nameOf({ type, id, slot }) === nameOf(key));
  const standing = links.find(isStanding);
  const told = toldRecords(input, row, others);
  if (told.length === 0 && standing === undefined) return undefined;

  const client = clientOf(input, row);
  const content = client === undefined ? undefined : contentOf(input, row, client, told);
  const patient = patientOf(input, row);
  const series = seriesOf(input, documents, rules, key, standing !== undefined, patient.id);
  const { editions, current } = series;
  const unnamed = unnamedPlaces(asTold(input, 'case', row.content), findTold(input));
  const urgent = urgentReason(editions, current, content, told, unnamed);
  const document: DocumentState = {
    ...series,
    form: caseForm(rules),
    patientId: patient.id,
    content,
    urgent,
    dueAt: documentDue({
      isUrgent: urgent !== undefined,
      lastSentAt: current?.sentAt,
      acceptedAt: known.own.flatMap((own) => (isInDocument(own) ? [own.accepted_at] : [])),
      ...connection.config.documents,
      heldUntil: documents.heldUntil,
    }),
  };
  return laneDocument(input, row, key, standing, {
    leave:
      leaveCause(row, content, current?.records ?? [], others) ??
      movedCause(input, row, current) ??
      strayCause(input, row, current),
    waits: patient.waits,
    parked: input.memory.refused.get(nameOf(key)) ?? parkedReason(input, links),
    party: 'requester',
    document,
  });
}

/** What every document of a lane says beside what it tells: where its series stands, and what holds the next edition back. */
type Series = Pick<
  DocumentState,
  'rules' | 'editions' | 'current' | 'encounter' | 'isHeld' | 'now' | 'timeZone' | 'marker' | 'amendRefused'
>;

/** @param isLinked whether the series has a link that stands. @param patientId into whose chart the next edition goes */
export function seriesOf(
  input: DesireInput,
  { editions, heldUntil, now, timeZone }: DocumentsHeld,
  rules: DocumentRules,
  key: ResourceKey,
  isLinked: boolean,
  patientId: string | undefined,
): Series {
  const { lease, memory } = input;
  const own = editions.filter(({ of }) => of === nameOf(key));
  return {
    rules,
    editions: own,
    current: isLinked ? own.findLast(({ retracts }) => !retracts) : undefined,
    encounter: encounterOf(input, rules.encounter, patientId),
    isHeld: heldUntil !== undefined && heldUntil > now,
    now,
    timeZone,
    marker: markerOf({ connection: lease.connection, source: lease.source, ...key }),
    amendRefused: memory.amendRefused || !input.abilities.changes('DocumentReference'),
  };
}

/** A document that no mapping makes, as a resource of its lane. */
export function laneDocument(
  input: DesireInput,
  row: RecordRow,
  key: ResourceKey,
  standing: LinkRow | undefined,
  own: Pick<LaneResource, 'leave' | 'waits' | 'parked' | 'party' | 'document'>,
): LaneResource {
  const { known, memory } = input;
  // A later edition stays under the link of the first; after a retraction the next one begins another.
  const nextGeneration = standing?.generation ?? generationAfter(known.links, key);
  const seen = standing === undefined ? undefined : input.seen.get(`DocumentReference/${standing.remote_id}`);
  const link = standing === undefined ? undefined : linkState(standing);
  const stranger = link && seen && strangerAt(input, row, { key, link, slot: undefined, desired: undefined, seen });
  const left = leftReason(key, standing);
  return {
    key,
    resourceType: 'DocumentReference',
    placeholder: placeholderFor(input, key, nextGeneration),
    record: row.content,
    recordVersion: row.version,
    slot: undefined,
    desired: undefined,
    link,
    nextGeneration,
    observed: seen === undefined || stranger !== undefined ? undefined : observation(seen, memory.fresh),
    isGone: stranger !== undefined || (seen?.gone ?? false),
    ...(stranger && { stranger }),
    ...(left && { left }),
    route: { route: 'document', reason: undefined },
    openTopics: new Set(
      input.openDecisions.flatMap(({ topic }) => (isTopicOf(key, topic) || topic === encounterTopic ? [topic] : [])),
    ),
    moves: {},
    search: 'none',
    ...holdsOf(input, key),
    ...own,
    parked: heldBack(input, key, standing) ?? own.parked,
  };
}

/** A note that is being written, or what never leaves, is no unrest in what the document tells. */
function isInDocument({ type }: RecordRow): boolean {
  return type === 'case' || type === 'consent' || toldTypes.some((told) => told === type);
}

function caseForm({ type, format }: DocumentRules): DocumentForm {
  const render = format === 'text' ? renderText : renderXhtml;
  return { type, title: 'Community care plan', render };
}

/** Records of which something goes by document, and whatever else may be shown to this receiver beside it. */
function toldRecords(input: DesireInput, row: RecordRow, others: readonly LaneResource[]): RecordRow[] {
  const { known } = input;
  const shown = new Set<string>();
  const hidden = new Set<string>();
  let needed = false;
  for (const { key, resourceType, route, desired, record } of others) {
    const name = `${key.type}/${key.id}`;
    if (!toldTypes.includes(key.type) || desired === undefined) continue;
    if (route.route === 'document' || route.route === 'native' || isAuthorized(input, key, route, record))
      shown.add(name);
    // Where its Task lives says nothing of whether the referral itself may be told.
    else if (resourceType !== 'Task' || (route.route !== 'answer' && route.route !== 'off')) hidden.add(name);
    needed ||= route.route === 'document' && toldOnlyHere.includes(key.type);
  }
  const isTold = ({ type, id, content }: RecordRow) =>
    shown.has(`${type}/${id}`) && !hidden.has(`${type}/${id}`) && !isOfAnother(content, row);
  return needed ? known.own.filter(isTold) : [];
}

/** Whether the record is about another client than the case. */
function isOfAnother({ clientId }: JsonObject, { content }: RecordRow): boolean {
  return typeof clientId === 'string' && clientId !== content.clientId;
}

/** The hospital keeps its own coverages; what a payer has authorized is told all the same, where the coverage may be shown. */
function isAuthorized(
  input: DesireInput,
  { type }: ResourceKey,
  { route }: LaneResource['route'],
  record: JsonObject | undefined,
): boolean {
  if (record === undefined) return false;
  return type === 'coverage' && route === 'read' && withheldBy(consentQuestion(input, record, type)) === undefined;
}

export function clientOf({ known }: DesireInput, { content }: RecordRow): JsonObject | undefined {
  return typeof content.clientId === 'string' ? known.record('client', content.clientId) : undefined;
}

/** Undefined where nothing may be said of the client or the case at all. */
function contentOf(
  input: DesireInput,
  row: RecordRow,
  client: JsonObject,
  told: readonly RecordRow[],
): DocumentContent | undefined {
  if (told.length === 0 || isAboutWithheld(input, row, client)) return undefined;
  const { connection, documents } = input;
  const facts = documentFacts({
    caseRecord: asTold(input, 'case', row.content),
    client,
    records: told.flatMap(({ type, content }) =>
      isRecordType(type) ? [{ type, record: asTold(input, type, content) }] : [],
    ),
    find: findTold(input),
    mrn: mrnOf(documents?.patient, client, connection.config.identifierSystems.mrn),
    receiver: receiverOf(input),
  });
  return { facts, records: told.map(({ type, id }) => `${type}/${id}`) };
}

/** Other records, with the labels by which a document tells whether it may name them. */
export function findTold(input: DesireInput): DocumentInput['find'] {
  return (type, id) => {
    const found = input.known.record(type, id);
    return found && asTold(input, type, found);
  };
}

/** Whether nothing may be said of the client or the case at all. */
export function isAboutWithheld(input: DesireInput, row: RecordRow, client: JsonObject): boolean {
  const isWithheld = (type: RecordType, record: JsonObject) =>
    withheldBy(consentQuestion(input, record, type)) !== undefined;
  return row.deleted || isWithheld('client', client) || isWithheld('case', row.content);
}

/** The hospital's own number, as its chart has it; else as our record has it. */
export function mrnOf(
  patient: JsonObject | undefined,
  client: JsonObject,
  system: string | undefined,
): string | undefined {
  const there = objectsIn(patient?.identifier).find((one) => system !== undefined && one.system === system);
  const here = objectsIn(client.identifiers).find(
    (one) => one.kind === 'mrn' && (one.system === undefined || one.system === system),
  );
  const value = there?.value ?? here?.value;
  return typeof value === 'string' ? value.trim() : undefined;
}

function patientTarget({ content }: RecordRow): SlotRef | undefined {
  return typeof content.clientId === 'string' ? { type: 'client', id: content.clientId, slot: 'patient' } : undefined;
}

export function patientOf({ known }: DesireInput, row: RecordRow): { id: string | undefined; waits: Wait[] } {
  const target = patientTarget(row);
  if (target === undefined) return { id: undefined, waits: [] };
  const link = known.link(target);
  const isThere = link?.remote_id && !known.isGone(link);
  return { id: link?.remote_id ?? undefined, waits: isThere ? [] : [waitFor(known, target)] };
}

function encounterOf(
  { connection, memory }: DesireInput,
  rule: 'required' | 'optional',
  patientId: string | undefined,
): Encounter {
  if (connection.config.documents.encounter === 'none') return 'not-needed';
  const found = memory.encounters.get(patientId ?? '');
  if (found === undefined) return 'unknown';
  if (found !== 'none-open') return { id: found.id };
  return rule === 'required' ? 'none-open' : 'not-needed';
}

/** An edition that must not wait: by what it says, because a record is withdrawn that the last one told of, or because none stands. */
function urgentReason(
  editions: readonly Edition[],
  current: Edition | undefined,
  content: DocumentContent | undefined,
  told: readonly RecordRow[],
  unnamed: readonly string[],
): Reason | undefined {
  if (content === undefined) return undefined;
  if (current === undefined && editions.length > 0) return reason('document-after-retraction');
  const names = new Set(told.map(({ type, id }) => `${type}/${id}`));
  if (current?.records.some((name) => !names.has(name))) return reason('document-record-left');
  return urgency(current?.facts, content.facts, unnamed);
}

/** Only a stated cause takes a document back: the case deleted, a consent gone for something that it told (lanes.md 16). */
function leaveCause(
  row: RecordRow,
  content: DocumentContent | undefined,
  toldBefore: readonly string[],
  others: readonly LaneResource[],
): Reason | undefined {
  if (row.deleted) return reason('deleted-record');
  if (toldBefore.length === 0) return undefined;
  const withheld = others.find(
    ({ key, leave }) => leave?.code === 'consent-withdrawn' && toldBefore.includes(`${key.type}/${key.id}`),
  );
  if (withheld !== undefined) return withheld.leave;
  const areAllGone = others.every(
    ({ key, leave }) => !toldBefore.includes(`${key.type}/${key.id}`) || leave?.code === 'deleted-record',
  );
  return content === undefined && areAllGone ? reason('deleted-record') : undefined;
}

/** The client is another patient than the one in whose chart it stands. A refusal is about whom the hospital named: no client of ours stands for that one. */
export function movedCause({ known }: DesireInput, row: RecordRow, current: Edition | undefined): Reason | undefined {
  const target = patientTarget(row);
  if (current === undefined || target === undefined || isRefusal(row)) return undefined;
  const link = known.link(target);
  const now = link?.remote_id ? `Patient/${link.remote_id}` : undefined;
  return isElsewhere(known.generations(target), current.patientId, now) ? reason('subject-moved') : undefined;
}

/** It told of a record that is another client's: what it says of that one is in the wrong chart. */
function strayCause({ known }: DesireInput, row: RecordRow, current: Edition | undefined): Reason | undefined {
  const isStray = (name: string) => {
    const [type = '', id = ''] = name.split('/');
    const record = isRecordType(type) ? known.record(type, id) : undefined;
    return record !== undefined && isOfAnother(record, row);
  };
  return current?.records.some(isStray) ? reason('subject-moved') : undefined;
}

function parkedReason({ lease }: DesireInput, links: readonly LinkRow[]): Reason | undefined {
  if (lease.parked === null) return undefined;
  return links.find(({ state, retired_at }) => state === 'parked' && retired_at === null)?.reason ?? undefined;
}
