// What a referral that began on a server says in words there, where the server takes messages: each comment, the reason of a decline and the outcome is
// a series of editions like that of a document, for a message is posted once and never changed (lanes.md 12; closed-loop B1). What stands in a note of
// the Task already is not said again, and what is said by messages is not written into the notes. Pure.

import { isDeepStrictEqual } from 'node:util';
import { type DocumentRules, isOffered } from '../../connections/connections.ts';
import { renderMessage, renderMessageTakenBack } from '../../documents/documents.ts';
import { isObject, type Json, type JsonObject, objectsAt, textAt, textsAt } from '../../json.ts';
import type { Desired } from '../../mapping/mapping.ts';
import type { DesireInput } from '../desire/desire-input.ts';
import type { RecordRow } from '../desire/known.ts';
import { asTold, receiverOf } from '../desire/told.ts';
import { patientsOf } from '../inbound/about.ts';
import { isRefusal } from '../inbound/refuse.ts';
import { isTheirs } from '../inbound/their-comments.ts';
import { invalidReason, type LaneResource } from '../lane-resource.ts';
import { withFact } from '../merge.ts';
import { movedCause, patientOf, seriesOf } from './desire-document.ts';
import type { DocumentState, EditionPlan, MessageForm } from './document.ts';
import { messageWords } from './message-words.ts';

/** The resources of the lane, with the messages among them ready to be posted, and without those that are none of this server's. */
export function withMessages(input: DesireInput, resources: readonly LaneResource[]): LaneResource[] {
  if (!isOffered(input.connection.vendor.messages)) return resources.filter((one) => !isMessage(one));
  return input.known.own.flatMap((row) => {
    const own = resources.filter(({ key }) => key.type === row.type && key.id === row.id);
    return row.type === 'referral' ? ofReferral(input, row, own) : own;
  });
}

function isMessage({ resourceType }: LaneResource): boolean {
  return resourceType === 'Communication';
}

function ofReferral(input: DesireInput, row: RecordRow, own: readonly LaneResource[]): LaneResource[] {
  const task = own.find(({ resourceType, link }) => resourceType === 'Task' && link?.origin === 'theirs');
  const noted = task === undefined ? new Set<string>() : notesOn(task);
  const theirs = new Set(
    objectsAt(row.content, 'comments')
      .filter((comment) => isTheirs(comment) || isReceiver(input, comment.byOrganizationId))
      .map(({ id }) => String(id)),
  );
  const isToPost = ({ key: { slot }, route }: LaneResource) => {
    const item = itemOf(slot);
    const isOurs = item === undefined || !(noted.has(item) || theirs.has(item));
    return task !== undefined && route.route === 'answer' && isOurs;
  };
  const messages = own.filter((one) => isMessage(one) && (one.link !== undefined || isToPost(one)));
  const posted = new Set(messages.flatMap(({ key }) => itemOf(key.slot) ?? []));
  const isNote = (id: string) => noted.has(id) || !(posted.has(id) || theirs.has(id));
  return [
    ...own.flatMap((one) => (isMessage(one) ? [] : one === task ? withNotes(one, isNote) : one)),
    ...inTurn(messages.map((one) => messageOf(input, row, one, task))),
  ];
}

/** The comment that a slot is about; undefined: the answer is. */
function itemOf(slot: string): string | undefined {
  return /^message\[(.*)\]$/.exec(slot)?.[1];
}

/** Comments that stand as notes of the Task, or did when both sides last agreed. */
function notesOn({ link, slot, observed }: LaneResource): Set<string> {
  const held = [link?.sent?.note, observed && slot?.facts(observed.body).note];
  return new Set(held.flatMap((notes) => (isObject(notes) ? Object.keys(notes) : [])));
}

function isReceiver(input: DesireInput, organization: Json | undefined): boolean {
  const receiver = receiverOf(input);
  return receiver !== undefined && organization === receiver;
}

/** The Task with none but these of the notes that it is to have. */
function withNotes(task: LaneResource, isNote: (id: string) => boolean): LaneResource {
  const { desired } = task;
  const notes = desired?.facts.note;
  if (desired === undefined || !isObject(notes)) return task;
  const facts = Object.fromEntries(Object.entries(notes).filter(([id]) => isNote(id)));
  const items = objectsAt(desired.resource, 'note').filter(({ id }) => typeof id === 'string' && isNote(id));
  const { note: _all, ...rest } = desired.resource;
  const trimmed: Desired = {
    ...desired,
    facts: withFact(desired.facts, 'note', Object.keys(facts).length > 0 ? facts : undefined),
    resource: items.length > 0 ? { ...rest, note: items } : rest,
  };
  return { ...task, desired: trimmed };
}

interface Written {
  readonly resource: LaneResource;
  /** When it was said, in milliseconds since 1970, for the order. */
  readonly at: number;
}

/** What was said first is posted first; one that the server does not take holds nothing up. */
function inTurn(written: readonly Written[]): LaneResource[] {
  const ordered = [...written].sort((a, b) => a.at - b.at).map(({ resource }) => resource);
  const [first] = ordered.filter(isDue);
  return ordered.map((resource) => {
    const { document } = resource;
    const isBehind = document !== undefined && resource !== first && isDue(resource);
    return isBehind ? { ...resource, document: { ...document, isBehind } } : resource;
  });
}

function isDue({ document, parked, leave, waits }: LaneResource): boolean {
  const { content, current } = document ?? {};
  const isNews = content !== undefined && !isDeepStrictEqual(current?.facts, content.facts);
  return isNews && parked === undefined && leave === undefined && waits.length === 0;
}

function messageOf(
  input: DesireInput,
  row: RecordRow,
  resource: LaneResource,
  task: LaneResource | undefined,
): Written {
  const { key, route, link, desired } = resource;
  const { documents, connection } = input;
  const rules = connection.vendor.documents;
  const sent = textAt(desired?.resource, 'sent');
  const at = sent === undefined ? 0 : Date.parse(sent);
  if (documents === undefined || !isOffered(rules)) return { resource, at };
  const [patient] = task?.observed === undefined ? [] : patientsOf(task.observed.body, connection.config.baseUrl);
  const client = isRefusal(row) ? { id: patient, waits: [] } : patientOf(input, row);
  const series = seriesOf(input, documents, onlyPosted(rules), key, link !== undefined, client.id);
  const leave = resource.leave ?? movedCause(input, row, series.current);
  const mayTell = leave === undefined && route.route !== 'withheld';
  const facts = desired && mayTell ? factsOf(desired, asTold(input, 'referral', row.content)) : undefined;
  const isNews = facts !== undefined && !isDeepStrictEqual(series.current?.facts, facts);
  const closed = isNews && route.route !== 'answer' ? route.reason : undefined;
  const document: DocumentState = {
    ...series,
    encounter: 'not-needed',
    form: {
      type: rules.type,
      title: 'Message about a referral',
      render: renderMessage,
      message: formOf(desired, task),
    },
    patientId: client.id,
    content: facts && { facts, records: [`${key.type}/${key.id}`] },
    urgent: undefined,
    dueAt: documents.heldUntil ?? new Date(0),
  };
  const message: LaneResource = {
    ...resource,
    // It is compared by its editions, never element by element.
    slot: undefined,
    desired: undefined,
    nextGeneration: link?.generation ?? resource.nextGeneration,
    leave,
    waits: [...resource.waits, ...client.waits],
    parked: resource.parked ?? closed ?? (desired && invalidReason(key, desired)),
    document,
  };
  return { resource: message, at };
}

/** Nothing of a message can be changed where it was posted. */
function onlyPosted(rules: DocumentRules): DocumentRules {
  return { ...rules, laterEdition: 'new-note', retraction: 'note' };
}

function factsOf({ resource }: Desired, record: JsonObject): JsonObject | undefined {
  const words = messageWords(resource);
  if (words.length === 0) return undefined;
  const isPart2 = textsAt(record, 'sensitivity').includes('substance-use-part2');
  return { text: words.join('\n'), ...(isPart2 && { part2: true }) };
}

function formOf(desired: Desired | undefined, task: LaneResource | undefined): MessageForm {
  return {
    takeBack: renderMessageTakenBack,
    carry: (edition, text) => carried(edition, text, desired?.resource ?? aboutTask(task)),
  };
}

/** What is left to be said of a message whose words are gone. */
function aboutTask(task: LaneResource | undefined): JsonObject {
  const partOf = task?.link && [{ reference: `Task/${task.link.remoteId}` }];
  return { resourceType: 'Communication', status: 'completed', ...(partOf && { partOf }) };
}

/** The first edition was sent when it was said; a later one is a message of its own time. */
function carried({ number, asOf, patientId }: EditionPlan, text: string, said: JsonObject): JsonObject {
  const sent = number === 1 ? (textAt(said, 'sent') ?? asOf) : asOf;
  return { ...said, subject: { reference: `Patient/${patientId}` }, sent, payload: [{ contentString: text }] };
}
