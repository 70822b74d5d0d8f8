// Records that go as a document of their own where a server takes no resources of ours: a signed note and its addenda, a safety plan, an
// incident that is shared. The mapping makes the text; here it becomes a series of editions like that of the case's document (lanes.md 12). Pure.

import { type DocumentRules, isOffered } from '../../connections/connections.ts';
import { noteFacts, noteHead, renderNote } from '../../documents/documents.ts';
import { reason } from '../../errors.ts';
import { isObject, type JsonObject, objectsIn } from '../../json.ts';
import type { Desired, SlotRef } from '../../mapping/mapping.ts';
import { parseSubject } from '../../records/records.ts';
import type { DesireInput } from '../desire/desire-input.ts';
import type { RecordRow } from '../desire/known.ts';
import { asTold } from '../desire/told.ts';
import { invalidReason, type LaneResource, nameOf, type Wait } from '../lane-resource.ts';
import { clientOf, findTold, isAboutWithheld, movedCause, mrnOf, patientOf, seriesOf } from './desire-document.ts';
import { type DocumentForm, documentSlot, type Edition, takenBackAs } from './document.ts';
import { encounterTopic } from './encounter.ts';

/** The resources of the lane, with the documents among them ready to be filed. What goes by document waits for the case that it is about. */
export function withOwnDocuments(input: DesireInput, resources: readonly LaneResource[]): LaneResource[] {
  const row = input.known.own.find(({ type }) => type === 'case');
  const rules = input.connection.vendor.documents;
  if (!isOffered(rules)) return [...resources];
  if (row === undefined) return resources.map((resource) => awaitingCase(input, resource));
  return resources.map((resource) => ownDocument(input, resource, row, rules) ?? resource);
}

function awaitingCase({ lease }: DesireInput, resource: LaneResource): LaneResource {
  const { kind, id } = parseSubject(lease.subject);
  if (kind !== 'case' || resource.route.route !== 'document' || resource.desired === undefined) return resource;
  const target: SlotRef = { type: 'case', id, slot: documentSlot };
  const wait: Wait = { target, reason: reason('waits-for-record', { target: nameOf(target) }) };
  return { ...resource, waits: [wait, ...resource.waits] };
}

function ownDocument(
  input: DesireInput,
  resource: LaneResource,
  row: RecordRow,
  rules: DocumentRules,
): LaneResource | undefined {
  const { documents } = input;
  const { key, resourceType, route, link, desired } = resource;
  if (documents === undefined || resourceType !== 'DocumentReference') return undefined;
  const patient = patientOf(input, row);
  const series = seriesOf(input, documents, rules, key, link !== undefined, patient.id);
  const { editions, current } = series;
  const isFiled = link !== undefined && editions.length > 0;
  const isNew = link === undefined && route.route === 'document';
  if (!(isFiled || isNew)) return undefined;
  const client = clientOf(input, row);
  const mayTell =
    route.route === 'document' &&
    resource.leave === undefined &&
    client !== undefined &&
    !isAboutWithheld(input, row, client);
  const text = desired && mayTell ? textOf(desired, [asTold(input, key.type, resource.record ?? {})]) : undefined;
  return {
    ...resource,
    // It is compared by its editions, never element by element.
    slot: undefined,
    desired: undefined,
    nextGeneration: link?.generation ?? resource.nextGeneration,
    leave: resource.leave ?? movedCause(input, row, current),
    waits: desired === undefined ? patient.waits : resource.waits,
    parked: resource.parked ?? (desired && invalidReason(key, desired)),
    openTopics: input.openDecisions.some(({ topic }) => topic === encounterTopic)
      ? new Set([...resource.openTopics, encounterTopic])
      : resource.openTopics,
    document: {
      ...series,
      form: formOf(input, resource, row, rules),
      patientId: patient.id,
      content: text ? { facts: text, records: [`${key.type}/${key.id}`] } : undefined,
      urgent: urgentReason(editions, current),
      // What is signed waits for no quiet period; a plan for a crisis least of all.
      dueAt: documents.heldUntil ?? new Date(0),
    },
  };
}

function urgentReason(editions: readonly Edition[], current: Edition | undefined) {
  return current === undefined && editions.length > 0 ? reason('document-after-retraction') : undefined;
}

function textOf({ resource }: Desired, records: readonly JsonObject[]) {
  const { title, data } = attachmentOf(resource);
  if (typeof title !== 'string' || typeof data !== 'string') return undefined;
  return noteFacts(title, Buffer.from(data, 'base64').toString('utf8'), records);
}

function formOf(
  input: DesireInput,
  { key, desired, record = {} }: LaneResource,
  row: RecordRow,
  rules: DocumentRules,
): DocumentForm {
  const { documents, connection } = input;
  const resource = desired?.resource ?? {};
  const title = attachmentOf(resource).title;
  const author = desired?.references.find(({ target }) => target.type === 'worker')?.target.id;
  const client = clientOf(input, row) ?? {};
  const head = noteHead({
    caseRecord: asTold(input, 'case', row.content),
    client,
    record: asTold(input, key.type, record),
    authorId: author,
    find: findTold(input),
    mrn: mrnOf(documents?.patient, client, connection.config.identifierSystems.mrn),
  });
  const appends = appendedBy(resource);
  return {
    type: loincOf(resource) ?? rules.type,
    title: typeof title === 'string' ? title : takenBackAs,
    takenBackAs,
    ...(appends !== undefined && { appends }),
    render: (facts, frame) => renderNote(rules.format, facts, head, frame),
  };
}

function attachmentOf({ content }: JsonObject): JsonObject {
  const [first] = objectsIn(content);
  return isObject(first?.attachment) ? first.attachment : {};
}

/** The type that the mapping names in LOINC; undefined: the one that this server knows documents of ours by. */
function loincOf({ type }: JsonObject): DocumentForm['type'] | undefined {
  const coding = objectsIn(isObject(type) ? type.coding : undefined).find(
    ({ system }) => system === 'http://loinc.org',
  );
  return typeof coding?.code === 'string' ? { code: coding.code } : undefined;
}

function appendedBy({ relatesTo }: JsonObject): string | undefined {
  const target = objectsIn(relatesTo).find(({ code }) => code === 'appends')?.target;
  return isObject(target) && typeof target.reference === 'string' ? target.reference : undefined;
}
