// Given what should be and what we believe is, say what to do. Pure: no clock, no I/O, same input, same output.
// Operations are ordered so that a reference never points at something not yet created. Planning the result of a plan gives nothing.

import { type Reason, reason } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { type Desired, type Facts, isEnteredInError, type Leaving, setElement } from '../mapping/mapping.ts';
import { businessAnswer, isTaskStatus, isTerminal, isUntouched, taskPath } from '../referrals/referrals.ts';
import { ownerIn } from './absorb/owner-in.ts';
import { askedKey, isAnsweredQuestion, type Question, questionFor } from './cancel-question.ts';
import { decideDocument, documentSlot, type EditionPlan, isForDocument } from './documents/document.ts';
import {
  foremost,
  invalidReason,
  isRecalled,
  type LaneResource,
  type LinkState,
  nameOf,
  type Observation,
} from './lane-resource.ts';
import { merge, sameFact } from './merge.ts';
import { orderByReferences } from './send/order.ts';

interface Step {
  readonly resource: LaneResource;
  /** Why this is done, for people. */
  readonly why: Reason;
}

export type Operation =
  | (Step & { readonly kind: 'find' | 'encounter' })
  | (Step & { readonly kind: 'read'; readonly link: LinkState })
  | (Step & { readonly kind: 'create'; readonly body: JsonObject; readonly edition?: EditionPlan })
  | (Step & Overwrite & { readonly kind: 'update' | 'retire' })
  | (Step & Overwrite & { readonly kind: 'move'; readonly from: string; readonly to: string })
  | (Step & Overwrite & { readonly kind: 'ask' | 'unask'; readonly asked: JsonObject | undefined });

interface Overwrite {
  readonly link: LinkState;
  readonly body: JsonObject;
  readonly versionTag: string | undefined;
  /** The elements that this write changes. */
  readonly elements: readonly string[];
  /** Of a readable document. */
  readonly edition?: EditionPlan;
}

export type Write = Extract<Operation, { body: JsonObject }>;

export type LinkPhase = 'current' | 'due' | 'waiting' | 'parked' | 'withheld' | 'read' | 'leaving';

export interface ResourceState {
  readonly resource: LaneResource;
  readonly state: LinkPhase;
  readonly reason: Reason | undefined;
}

export interface Plan {
  readonly operations: readonly Operation[];
  /** Every resource of the lane ends in a state; nothing is skipped in silence. */
  readonly states: readonly ResourceState[];
  /** When the lane is to be looked at again although nothing happens, such as at the end of a quiet period. */
  readonly lookAt: Date | undefined;
}

export interface Outcome {
  readonly state: LinkPhase;
  readonly reason?: Reason | undefined;
  readonly operation?: Operation;
  readonly lookAt?: Date;
}

/** Plans one lane. Relies on observations having been absorbed (`settle.ts`): bases are current, decisions are open where they must be. */
export function plan(resources: readonly LaneResource[]): Plan {
  const documents = documentsOf(resources);
  const outcomes = resources.map((resource) => ({ resource, ...(carried(resource, documents) ?? decide(resource)) }));
  const operations = outcomes.flatMap(({ operation }) => (operation === undefined ? [] : [operation]));
  return {
    operations: orderByReferences(operations),
    states: outcomes.map(({ resource, state, reason: why }) => ({ resource, state, reason: why })),
    lookAt: firstLook(documents),
  };
}

interface PlannedDocument {
  readonly resource: LaneResource;
  readonly outcome: Outcome;
  /** The records that it tells of, as `type/id`; unknown while it waits. */
  readonly records: readonly string[];
}

function documentsOf(resources: readonly LaneResource[]): PlannedDocument[] {
  return resources.flatMap((resource) => {
    const { document } = resource;
    if (document === undefined) return [];
    return [
      {
        resource,
        outcome: held(resource) ?? decideDocument(resource, document),
        records: document.content?.records ?? [],
      },
    ];
  });
}

function firstLook(documents: readonly PlannedDocument[]): Date | undefined {
  const looks = documents.flatMap(({ outcome: { lookAt } }) => lookAt ?? []);
  return looks.sort((a, b) => a.getTime() - b.getTime())[0];
}

/** What goes in a document is as far as the document is: one of its own record's first. */
function carried(resource: LaneResource, documents: readonly PlannedDocument[]): Outcome | undefined {
  const own = documents.find((planned) => planned.resource === resource);
  if (own !== undefined) return own.outcome;
  if (resource.route.route !== 'document') return undefined;
  const name = `${resource.key.type}/${resource.key.id}`;
  const planned =
    documents.find((one) => isOwn(one) && `${one.resource.key.type}/${one.resource.key.id}` === name) ??
    documents.find(
      ({ resource: { key }, outcome, records }) =>
        key.slot === documentSlot && (outcome.state === 'waiting' || records.includes(name)),
    );
  return planned && { state: planned.outcome.state, reason: planned.outcome.reason };
}

/** A document of one record; messages about a referral are none. */
function isOwn({ resource: { key, document } }: PlannedDocument): boolean {
  return key.slot !== documentSlot && document?.form.message === undefined;
}

const decided = new WeakMap<LaneResource, Outcome>();

/** Worked out once for each resource: a load gives what has not changed as the same object. */
function decide(resource: LaneResource): Outcome {
  const outcome = decided.get(resource) ?? held(resource) ?? asOffered(resource, decideNew(resource));
  decided.set(resource, outcome);
  return outcome;
}

/** Written to again, it might be there twice, or be answered for what it is not; unread, it would be written over. To what is gone nothing is written. */
function held({ untold, unread, isGone }: LaneResource): Outcome | undefined {
  if (untold !== undefined) return { state: 'parked', reason: untold };
  return unread === undefined || isGone ? undefined : { state: 'due', reason: unread };
}

/** What the server does not declare to take is not sent; it is said what stands otherwise there. */
function asOffered({ resourceType, takesNoChanges }: LaneResource, outcome: Outcome): Outcome {
  const { operation } = outcome;
  if (takesNoChanges !== true || operation === undefined || !('elements' in operation)) return outcome;
  const elements = operation.elements.join(', ');
  return { state: 'parked', reason: reason('update-not-offered', { resourceType, elements }) };
}

function decideNew(resource: LaneResource): Outcome {
  const { link, desired, leave, route, parked } = resource;
  const isOpen = route.route === 'native' || (route.route === 'answer' && link?.origin === 'theirs');
  if (link !== undefined && !link.retired) {
    if (resource.isGone) return { state: 'parked', reason: goneReason(resource) };
    // A recall goes out where nothing else may. Over any other closed route nothing is written, and the link stays (lanes.md 16).
    if (leave !== undefined)
      return isOpen || route.route === 'withheld'
        ? retire(resource, link, leave)
        : { state: 'leaving', reason: route.reason ?? leave };
  }
  if (!isOpen) return notNative(resource);
  if (desired === undefined) return { state: 'current', reason: leave };
  if (link?.origin === 'found') return lookAtFound(resource, link);
  // Of what the other side has begun, the Task is where we answer, and an appointment is for both to arrange.
  if (link?.origin === 'theirs' && !link.retired) {
    if (parked !== undefined) return { state: 'parked', reason: parked };
    return resource.resourceType === 'Task' || resource.resourceType === 'Appointment'
      ? update(resource, link)
      : { state: 'read', reason: reason('theirs-to-make') };
  }
  const invalid = invalidReason(resource.key, desired);
  if (invalid !== undefined && resource.isSetAside !== true) return { state: 'parked', reason: invalid };
  if (parked !== undefined) return { state: 'parked', reason: parked };
  const wait = foremost(resource.waits);
  if (wait !== undefined) return { state: 'waiting', reason: wait.reason };
  return link === undefined || link.retired ? create(resource) : update(resource, link);
}

/** Why nothing is sent for what is gone. */
export function goneReason({ key, left, stranger }: LaneResource): Reason {
  return left ?? stranger?.reason ?? reason('remote-gone', { target: nameOf(key) });
}

function notNative(resource: LaneResource): Outcome {
  const { route, link, parked } = resource;
  if (route.route === 'read' && parked !== undefined) return { state: 'parked', reason: parked };
  const mayBeThere =
    route.route === 'read' && link === undefined && resource.search === 'pending' && resource.desired !== undefined;
  if (mayBeThere) return { state: 'due', operation: { kind: 'find', resource, why: reason('planned-find') } };
  const wait = resource.waits.find(isForDocument);
  if (wait !== undefined) return { state: 'waiting', reason: wait.reason };
  const state =
    route.route === 'withheld' ? 'withheld' : route.route === 'read' && link !== undefined ? 'read' : 'current';
  return { state, reason: route.reason };
}

function lookAtFound(resource: LaneResource, link: LinkState): Outcome {
  if (resource.parked !== undefined) return { state: 'parked', reason: resource.parked };
  const code = resource.key.type === 'client' ? 'read-only-patient' : 'directory-found';
  if (resource.observed === undefined) return { state: 'read', reason: reason(code), operation: read(resource, link) };
  return { state: 'read', reason: reason(code) };
}

function create(resource: LaneResource): Outcome {
  const { desired, search } = resource;
  if (desired === undefined || search === 'blocked') return { state: 'parked', reason: resource.parked };
  if (search === 'pending') return { state: 'due', operation: { kind: 'find', resource, why: reason('planned-find') } };
  return {
    state: 'due',
    operation: { kind: 'create', resource, body: desired.resource, why: reason('planned-create') },
  };
}

function read(resource: LaneResource, link: LinkState): Operation {
  return { kind: 'read', resource, link, why: reason('planned-read') };
}

function update(resource: LaneResource, link: LinkState): Outcome {
  const { desired, slot, observed } = resource;
  if (desired === undefined || slot === undefined) return { state: 'current' };
  if (observed === undefined) return { state: 'due', operation: read(resource, link) };
  const move = nextMove(resource, link, observed);
  const facts = slot.facts(observed.body);
  const writes = [...elementsToWrite(resource, link, facts), ...reasonsToWrite(resource, link, facts, move)];
  const question = move === undefined && writes.length === 0 ? questionOf(resource, link, observed) : undefined;
  if (move === undefined && writes.length === 0 && question === undefined)
    return { state: 'current', reason: notYetAsked(resource, observed) };
  if (isTakenBackThere(observed, desired, link))
    return { state: 'parked', reason: reason('remote-in-error', { target: nameOf(resource.key) }) };
  if (!observed.isFresh) return { state: 'due', operation: read(resource, link) };
  const { versionTag } = observed;
  if (question !== undefined) return { state: 'due', operation: { resource, link, versionTag, ...question } };
  if (move === undefined) {
    const body = copied(resource, link, writes, observed);
    return {
      state: 'due',
      operation: {
        kind: 'update',
        resource,
        link,
        body,
        versionTag,
        elements: writes,
        why: reason('planned-update', { elements: writes.join(', ') }),
      },
    };
  }
  const businessStatus = move.isLast && link.origin === 'theirs' ? businessAnswer(observed.body, move.to) : undefined;
  const answering = businessStatus === undefined ? [] : ['businessStatus'];
  const elements = move.isLast ? [...answering, ...writes, move.element] : [move.element];
  const before = move.isLast ? copied(resource, link, writes, observed) : observed.body;
  const body: JsonObject = { ...before, ...(businessStatus && { businessStatus }) };
  setElement(body, move.element, move.to);
  const why = reason('planned-move', { element: move.element, from: move.from, to: move.to });
  return {
    state: 'due',
    operation: { kind: 'move', resource, link, body, versionTag, elements, from: move.from, to: move.to, why },
  };
}

/** Nothing is asked while a person is being asked where the Task stands. */
function questionOf(resource: LaneResource, link: LinkState, { body }: Observation): Question | undefined {
  const { cancelRequest, openTopics } = resource;
  if (cancelRequest === undefined || openTopics.has(elementTopic(resource, 'status'))) return undefined;
  return questionFor(cancelRequest, body, link.sent?.[askedKey]);
}

/** Before anybody has accepted it the requester need not ask. */
function notYetAsked({ cancelRequest }: LaneResource, { body }: Observation): Reason | undefined {
  const waits = cancelRequest !== undefined && cancelRequest !== 'none' && isUntouched(body);
  return waits ? reason('cancel-not-accepted') : undefined;
}

/** What is there, with these elements as we want them. Of a list nothing is taken out that we did not put there. */
function copied(
  { slot, desired }: LaneResource,
  link: LinkState,
  keys: readonly string[],
  { body }: Observation,
): JsonObject {
  return slot?.copy(keys, desired?.resource ?? {}, body, link.sent ?? {}) ?? body;
}

/** Entered in error by the other side: what is left of it there is nothing to write to. */
function isTakenBackThere({ body }: Observation, desired: Desired, { sent }: LinkState): boolean {
  const isOurs = isEnteredInError(desired.resource) || (sent !== undefined && isEnteredInError(sent));
  return isEnteredInError(body) && !isOurs;
}

/** Elements whose verdict is ours to write; what a person is being asked about is left alone. */
function elementsToWrite(resource: LaneResource, link: LinkState, observed: Facts): string[] {
  const { desired, slot, record } = resource;
  if (desired === undefined || slot === undefined || record === undefined) return [];
  const elements = slot.elements
    .filter(
      ({ key, moves, goesWith }) =>
        (moves ?? goesWith) === undefined && !resource.openTopics.has(elementTopic(resource, key)),
    )
    .map(({ key }) => ({ key, owner: ownerIn(resource, key) }));
  const { sent, seen, baseless } = link;
  const bases = { sent, seen, ...(baseless && { baseless }) };
  const { verdicts } = merge({ elements, desired: desired.facts, observed, ...bases });
  return [...verdicts].flatMap(([key, verdict]) => (verdict === 'write' || verdict === 'override' ? [key] : []));
}

/** What explains a status: written with our move, and later alone only by the side whose status it is. */
function reasonsToWrite(resource: LaneResource, link: LinkState, observed: Facts, move: Move | undefined): string[] {
  const { desired, slot, record } = resource;
  if (desired === undefined || slot === undefined || record === undefined) return [];
  return slot.elements.flatMap(({ key, goesWith }) => {
    if (goesWith === undefined || sameFact(desired.facts[key], observed[key])) return [];
    const isLater =
      ownerIn(resource, key) === 'source' &&
      sameFact(desired.facts[goesWith], observed[goesWith]) &&
      !sameFact(desired.facts[key], link.sent?.[key]) &&
      !resource.openTopics.has(elementTopic(resource, goesWith));
    return move?.element === goesWith || isLater ? [key] : [];
  });
}

/** The topic under which a person is asked about one element. */
export function elementTopic(resource: Pick<LaneResource, 'key'>, element: string): string {
  return `${nameOf(resource.key)}:${element}`;
}

interface Move {
  readonly element: string;
  readonly from: string;
  readonly to: string;
  readonly isLast: boolean;
}

/** The next legal step of an element that only moves along a state machine (lanes.md 11), or undefined when there is none to make. */
function nextMove(resource: LaneResource, link: LinkState, observed: Observation): Move | undefined {
  const reading = readMove(resource, link, observed.body);
  if (reading?.kind !== 'path') return undefined;
  const [to] = reading.path;
  return to === undefined
    ? undefined
    : { element: reading.element, from: reading.from, to, isLast: reading.path.length === 1 };
}

export type MoveReading =
  | { readonly kind: 'path'; readonly element: string; readonly from: string; readonly path: readonly string[] }
  | { readonly kind: 'lagging' | 'no-path'; readonly element: string; readonly from: string; readonly to: string };

/**
 * How the wanted status stands to the observed one: a path that we may walk; `lagging` when the record is behind what the other side
 * did (or the other side ended it first), which asks for nothing; `no-path` when only a person can tell. Undefined: nothing is wanted.
 */
export function readMove(resource: LaneResource, link: LinkState, body: JsonObject): MoveReading | undefined {
  const element = resource.slot?.elements.find(({ moves }) => moves !== undefined)?.key;
  if (
    element === undefined ||
    resource.desired === undefined ||
    resource.openTopics.has(elementTopic(resource, element))
  )
    return undefined;
  const from = body[element];
  const to = resource.desired.resource[element];
  if (sameFact(from, to) || sameFact(resource.desired.facts[element], link.sent?.[element])) return undefined;
  if (!isTaskStatus(from) || !isTaskStatus(to)) return { kind: 'no-path', element, from: kindOf(from), to: kindOf(to) };
  // A mirror shows where the Task stands, whoever moved it and by whatever way.
  const path = resource.isCopy
    ? (taskPath(from, to, undefined, resource.moves) ?? [to])
    : taskPath(from, to, resource.party, resource.moves);
  if (path !== undefined) return { kind: 'path', element, from, path };
  const otherEndedFirst = (to === 'cancelled' && isTerminal(from)) || (to === 'rejected' && from === 'cancelled');
  return { kind: otherEndedFirst || taskPath(to, from) !== undefined ? 'lagging' : 'no-path', element, from, to };
}

function kindOf(value: Json | undefined): string {
  return isTaskStatus(value) ? value : 'unknown';
}

function leavingFor({ record }: LaneResource, cause: Reason): Leaving {
  const isOver = isRecalled(cause) || cause.code === 'condition-false';
  return isOver && record?.status !== 'entered-in-error' ? 'ended' : 'error';
}

function retire(resource: LaneResource, link: LinkState, cause: Reason): Outcome {
  const { slot, observed, desired } = resource;
  if (link.origin !== 'created') return { state: 'read', reason: cause };
  if (resource.parked !== undefined) return { state: 'parked', reason: resource.parked };
  if (isAnsweredQuestion(resource)) return { state: 'leaving', reason: cause };
  if (observed === undefined || !observed.isFresh)
    return { state: 'leaving', reason: cause, operation: read(resource, link) };
  const leaving = leavingFor(resource, cause);
  const body = isRecalled(cause)
    ? slot?.recall(observed.body, leaving, desired?.resource)
    : slot?.retire(observed.body, leaving);
  if (body === undefined) return { state: 'leaving', reason: cause };
  const elements = Object.keys(body).filter((name) => !sameFact(body[name], observed.body[name]));
  return {
    state: 'leaving',
    reason: cause,
    operation: { kind: 'retire', resource, link, body, versionTag: observed.versionTag, elements, why: cause },
  };
}
