// Takes in what a server holds now: moves the bases, offers their changes to the source, and asks where only a person can tell.
// Runs before planning, so that the plan sees nothing but our own work. Pure; `absorb.ts` stores what it says.

import { isDeepStrictEqual } from 'node:util';
import { reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject, objectAt, objectsAt, pointerStep, textAt } from '../../json.ts';
import {
  type AbsorbedElement,
  type CompiledSlot,
  type ExplainedAbsorb,
  explainAbsorb,
  type Facts,
  isEnteredInError,
  type MappingIssue,
  type NotUnderstood,
  type ProjectContext,
  patched,
  type SlotElement,
  type SlotRef,
} from '../../mapping/mapping.ts';
import {
  changedAt,
  isAskedToCancel,
  isEnded,
  isOutcomeUnknown,
  isTaskStatus,
  isTerminal,
  readCancellation,
  readOrder,
  readTask,
  requestIn,
} from '../../referrals/referrals.ts';
import { askedKey } from '../cancel-question.ts';
import { type Choice, type NewDecision, resourceTopic } from '../decisions/decisions.ts';
import { joinedComments } from '../inbound/their-comments.ts';
import { isRecalled, type LaneResource, type LinkState, nameOf, type Observation } from '../lane-resource.ts';
import { literalReferences } from '../look/linked-targets.ts';
import type { TaskResults } from '../look/task-results.ts';
import { type MergeElement, merge, sameFact, withFact } from '../merge.ts';
import { elementTopic, readMove } from '../plan.ts';
import { saysAll, seenBase } from './bases.ts';
import { offeredWith, withFields } from './both-changes.ts';
import { ownerIn } from './owner-in.ts';
import { type CountReverts, mostReverts, type Revert } from './reverts.ts';

export interface SettleContext {
  /** IANA: of the record's source. */
  readonly timeZone: string;
  /** Which of our resources a server's reference points at. */
  readonly resolve: (reference: string) => SlotRef | undefined;
  /** As the resources were projected. */
  readonly isTold?: ProjectContext['isTold'];
  /** Who acts on the other side, as a line of text. */
  readonly performerName: (resource: LaneResource) => string | undefined;
  /** The fields of its record that were offered to the source and not taken over yet, as they would be with that; null for one that would be gone. */
  readonly offeredOf: (resource: LaneResource) => JsonObject;
  /** What the Procedures say that a completed Task names (`task-results.ts`). */
  readonly resultsOf: (resource: LaneResource) => TaskResults;
  /** A stable id for a list item that the other side began. */
  readonly itemId: (text: string) => string;
  readonly countReverts: CountReverts;
  /** Why a question is open and what it shows, by its topic. */
  readonly openQuestion: (topic: string) => Pick<NewDecision, 'reason' | 'detail'> | undefined;
  /** A Task of their own asks us to cancel its referral. */
  readonly isAskedByTask: (resource: LaneResource) => boolean;
}

export interface Settlement {
  readonly resource: LaneResource;
  readonly sent: Facts;
  readonly seen: Facts;
  readonly seenHash: string;
  /** The version of the record that all of `sent` says; undefined: none is known to. */
  readonly sentVersion: number | undefined;
  /** Merge patches on the record for its source. */
  readonly patches: readonly JsonObject[];
  /** Elements that the patches were read from and that are ours to write over. */
  readonly offered: readonly string[];
  readonly decisions: readonly NewDecision[];
  /** Topics of open questions that answered themselves, or are asked anew. */
  readonly obsolete: readonly string[];
  /** What of theirs could not be carried over. */
  readonly issues: readonly MappingIssue[];
  /** Which of their elements the patches are made from, and what else they say. */
  readonly lineage: { readonly elements: readonly AbsorbedElement[]; readonly notUnderstood: readonly NotUnderstood[] };
  /** Elements in which theirs took the place of what we left there. */
  readonly reverts: readonly Revert[];
}

const settled = new WeakSet<LaneResource>();

/** Undefined: nothing about this resource is new; then nothing is new of the same object either, whatever the context. */
export function settle(resource: LaneResource, context: SettleContext): Settlement | undefined {
  if (settled.has(resource)) return undefined;
  const settlement = settleNew(resource, context);
  if (settlement === undefined) settled.add(resource);
  return settlement;
}

function settleNew(resource: LaneResource, context: SettleContext): Settlement | undefined {
  const { link, slot, desired, observed, record, leave } = resource;
  if (
    link === undefined ||
    slot === undefined ||
    desired === undefined ||
    observed === undefined ||
    record === undefined
  )
    return undefined;
  // What is taken back after a withdrawal is blanked there: what the other side said in it is offered to the source first.
  if (link.origin === 'found' || (leave !== undefined && !isRecalled(leave))) return undefined;
  const look: Look = {
    resource,
    link,
    observed,
    record,
    said: withFields(record, context.offeredOf(resource)),
    desired: desired.facts,
    observedFacts: slot.facts(observed.body),
    context,
  };
  const merged = mergeElements(look);
  const moved = settleQuestion(look, settleOrder(look, settleMove(look, merged)));
  const renewed = askedAnew(look);
  const decisions = [...moved.decisions, ...renewed];
  const settlement: Settlement = {
    resource,
    seenHash: observed.hash,
    obsolete: [...answeredTopics(look), ...renewed.map(({ topic }) => topic)],
    ...moved,
    decisions,
    sentVersion: saysAll(resource, moved.sent, look.desired, decisions) ? resource.recordVersion : link.sentVersion,
  };
  return isNews(settlement, link) ? settlement : undefined;
}

interface Look {
  readonly resource: LaneResource;
  readonly link: LinkState;
  readonly observed: Observation;
  readonly record: JsonObject;
  /** The record as its source would have it, had it taken over what it was offered: what is new there is new to that. */
  readonly said: JsonObject;
  readonly desired: Facts;
  readonly observedFacts: Facts;
  readonly context: SettleContext;
}

type Settled = Pick<
  Settlement,
  'sent' | 'seen' | 'patches' | 'offered' | 'decisions' | 'issues' | 'lineage' | 'reverts'
>;

function mergeElements(look: Look): Settled {
  const { resource, link, record, said, desired, observedFacts, observed, context } = look;
  const slot = resource.slot;
  const elements: MergeElement[] = (slot?.elements ?? [])
    .filter(
      ({ key, moves, goesWith }) =>
        (moves ?? goesWith) === undefined &&
        isShown(look, key) &&
        !resource.openTopics.has(elementTopic(resource, key)),
    )
    .map(({ key }) => ({ key, owner: ownerIn(resource, key) }));
  const times = timesOf(record, observed.body);
  const before = seenBase(look);
  const { verdicts, bases } = merge({
    elements,
    desired: link.origin === 'theirs' ? withoutOurWordOn(elements, desired, link.sent ?? {}) : desired,
    observed: observedFacts,
    sent: link.sent,
    seen: before,
    ...(link.baseless && { baseless: link.baseless }),
    times,
  });
  const isDerived = (key: string) => slot?.elements.find((element) => element.key === key)?.derived === true;
  const keysWith = (...wanted: string[]) =>
    [...verdicts].flatMap(([key, verdict]) => (wanted.includes(verdict) ? [key] : []));
  // What follows from the record is ours to say, unless it is of what the other side decides about.
  const isTheirs = (key: string) => ownerIn(resource, key) === 'remote';
  const isAsked = (key: string) => resource.isCopy === true || (isDerived(key) && !isTheirs(key));
  // Of what both have changed nobody would learn either: it is never offered, and ours would stand in its place. Which profile we claim and what
  // number we give are no words of a record: ours are simply written again.
  const isWord = (key: string) => resource.isCopy === true || !isOfEngine(slot, key);
  const edited = [...keysWith('keep'), ...keysWith('override').filter(isWord)].filter(isAsked);
  const reverts = keysWith('keep', 'override')
    .filter((key) => !isDerived(key) && !isAsked(key))
    .map((element): Revert => ({ key: resource.key, element, value: observedFacts[element] }));
  const contested = reverts
    .filter((revert) => context.countReverts(revert) + 1 >= mostReverts)
    .map(({ element }) => element);
  const reported = reverts.flatMap(({ element }) => (contested.includes(element) ? [] : [element]));
  const revoked =
    said === record ? [] : keysWith('agreed').filter((key) => !sameFact(observedFacts[key], before?.[key]));
  const news = [...reported, ...revoked];
  const theirs = withOursIn(look, keysWith('keep', 'override'), before);
  const absorbed =
    slot === undefined || news.length === 0
      ? { patch: {}, issues: [], lineage: [], notUnderstood: [] }
      : explainAbsorb(slot, news, theirs, said, context);
  const derived = keysWith('keep').filter((key) => isDerived(key) && !isAsked(key));
  const issues = [
    ...absorbed.issues,
    ...untold(look, theirs, reported, absorbed),
    ...notFollowing(look, theirs, derived, patched(said, absorbed.patch)),
  ];
  return {
    // What a person is asked about keeps its bases until the answer.
    sent: withNew(bases.sent, link.sent ?? {}, [...edited, ...contested]),
    seen: withNew(bases.seen, link.seen ?? {}, [...edited, ...contested]),
    patches: Object.keys(absorbed.patch).length === 0 ? [] : [absorbed.patch],
    offered: reported.filter((key) => resource.takesNoChanges !== true && !isTheirs(key)),
    decisions: [
      ...edited.map((key) => aboutElement(look, key, 'remote-edit')),
      ...contested.map((key) => aboutElement(look, key, 'server-reverts')),
      ...keysWith('ask').map((key) => aboutElement(look, key, 'merge-conflict')),
      ...(issues.length === 0 ? [] : [takenBack(look, issues) ?? notCarried(look, issues)]),
    ],
    issues,
    lineage: {
      elements: absorbed.lineage.map((one) => ({ ...one, raw: slot?.raw(one.element, observed.body) ?? null })),
      notUnderstood: absorbed.notUnderstood,
    },
    reverts,
  };
}

/** Of what was entered in error servers show a few elements; the others were not removed. */
function isShown({ observed, observedFacts }: Look, key: string): boolean {
  return observedFacts[key] !== undefined || !isEnteredInError(observed.body);
}

/**
 * What is there, with what they have not changed since it was seen as the record would say it, had its source taken over what it was offered: that is no
 * news of theirs.
 */
function withOursIn(
  { resource: { slot, desired }, observed, record, said, context }: Look,
  keys: readonly string[],
  seen: Facts = {},
): JsonObject {
  if (slot === undefined || desired === undefined || keys.length === 0) return observed.body;
  const { resource, references } = desired;
  const linked = (target: SlotRef) =>
    references.find((reference) => isDeepStrictEqual(reference.target, target))?.reference;
  const ours = said === record ? resource : slot.remade(keys, resource, said, { ...context, linked });
  return slot.withOurs(keys, observed.body, ours, seen);
}

/** What a record says otherwise of what is theirs is not for the server: it asks for no write, and nobody about one. */
function withoutOurWordOn(elements: readonly MergeElement[], desired: Facts, sent: Facts): Facts {
  return elements.reduce(
    (facts, { key, owner }) => (owner === 'remote' ? withFact(facts, key, sent[key]) : facts),
    desired,
  );
}

/**
 * What the other side has changed of a value that comes from another record, or has taken away where a link of ours stands: it changes nothing here,
 * and nothing else would tell of it.
 */
function untold(
  { resource, observedFacts, observed, said, context }: Look,
  theirs: JsonObject,
  reported: readonly string[],
  { patch, lineage, issues }: Pick<ExplainedAbsorb, 'patch' | 'lineage' | 'issues'>,
): MappingIssue[] {
  const { slot } = resource;
  const told = new Set([...lineage, ...issues].map(({ element }) => element));
  const after = patched(said, patch);
  const linked = (target: SlotRef) =>
    literalReferences(observed.body).find((reference) => isDeepStrictEqual(context.resolve(reference), target));
  return (slot?.elements ?? [])
    .filter(({ key }) => reported.includes(key) && !told.has(key))
    .filter(({ key }) => slot?.says(key, theirs, after, context.timeZone, linked) !== true)
    .map(({ key, at }) => ({
      code: 'left-out',
      element: key,
      message:
        observedFacts[key] === undefined
          ? 'What the other side has taken away here stands in the record; it can only be taken out there.'
          : 'What the other side has changed here comes from another record; it can only be changed there.',
      at,
    }));
}

/** What the other side has changed of a value that follows from the record, where even with what was taken over (`after`) another one does. */
function notFollowing(
  { resource, link, context }: Look,
  theirs: JsonObject,
  keys: readonly string[],
  after: JsonObject,
): MappingIssue[] {
  const { slot } = resource;
  return (slot?.elements ?? [])
    .filter((element) => keys.includes(element.key) && !isOfEngine(slot, element.key))
    .filter((element) => !isReadAsReferral(resource, link, element))
    .filter(({ key }) => slot?.says(key, theirs, after, context.timeZone) !== true)
    .map(({ key, at }) => ({
      code: 'left-out',
      element: key,
      message: 'What the other side has changed here follows from something else in the record, which stands.',
      at,
    }));
}

/** True for what the referral rules read, beside the status that moves: how an order of theirs stands, and what came of a Task. */
function isReadAsReferral({ resourceType }: LaneResource, { origin }: LinkState, { key }: SlotElement): boolean {
  if (resourceType === 'ServiceRequest') return origin === 'theirs' && key === 'status';
  return resourceType === 'Task' && /^output\b/.test(key);
}

/** True for what is added to every resource of ours and no record says: our identifier and the profile. */
function isOfEngine(slot: CompiledSlot | undefined, key: string): boolean {
  return slot?.elements.find((element) => element.key === key)?.converter === 'engine';
}

/** What began there was called off or an error, and the record has no status that could say so. */
function takenBack(
  { resource: { key }, link, observed }: Look,
  issues: readonly MappingIssue[],
): NewDecision | undefined {
  const status = textAt(observed.body, 'status')?.trim();
  const isOver = status === 'cancelled' || status === 'entered-in-error';
  if (link.origin !== 'theirs' || !isOver || !issues.some(({ element }) => element === 'status')) return undefined;
  return {
    kind: 'conflict',
    topic: resourceTopic('taken-back', key),
    key,
    reason: reason('remote-taken-back', { target: nameOf(key), status }),
    detail: { status, issues: issues.map((issue) => ({ ...issue })) },
    choices: [{ choose: 'noted', effect: "Nothing is changed on either side; the record is its source's to delete." }],
  };
}

/** Part of what the other side says has no place in the record. It stays on the server, and a person learns of it. */
function notCarried({ resource: { key } }: Look, issues: readonly MappingIssue[]): NewDecision {
  const target = nameOf(key);
  const elements = [...new Set(issues.map(({ element }) => element))];
  return {
    kind: 'conflict',
    topic: resourceTopic('not-carried', key),
    key,
    reason: reason('not-carried', { elements: elements.join(', '), target }),
    detail: { elements, issues: issues.map((issue) => ({ ...issue })) },
    choices: [{ choose: 'noted', effect: 'Nothing is changed on either side; the record may be completed by hand.' }],
  };
}

const elementCodes = ['remote-edit', 'merge-conflict', 'server-reverts'] as const;

function aboutElement(
  { resource, desired, observedFacts, observed, record, said, context }: Look,
  element: string,
  code: (typeof elementCodes)[number],
): NewDecision {
  const news = resource.slot?.absorb([element], observed.body, said, context).patch ?? {};
  const patch = offeredWith(record, said, news);
  return {
    kind: 'conflict',
    topic: elementTopic(resource, element),
    key: resource.key,
    reason: reason(code, { element, target: nameOf(resource.key) }),
    detail: { element, ours: desired[element] ?? null, theirs: observedFacts[element] ?? null, patch },
    choices: [
      ...ifWritable(resource, { choose: 'ours', effect: `Write our value of ${element} over the server's.` }),
      { choose: 'theirs', effect: `Leave the server's value of ${element} and offer it to the source as a change.` },
    ],
  };
}

/** No choice that the server would not let us carry out. */
function ifWritable({ takesNoChanges }: LaneResource, choice: Choice): Choice[] {
  return takesNoChanges === true ? [] : [choice];
}

/** The element that moves along a state machine: their move is read by the referral rules, ours is left to the plan. */
function settleMove(look: Look, merged: Settled): Settled {
  const { resource, link, desired, observedFacts } = look;
  const element = resource.slot?.elements.find(({ moves }) => moves !== undefined)?.key;
  if (element === undefined || resource.openTopics.has(elementTopic(resource, element))) return merged;
  const before = seenBase(look);
  const isAgreed = sameFact(desired[element], observedFacts[element]);
  const hasMoved = !isAgreed && !sameFact(observedFacts[element], before?.[element]);
  const isExplained = reasonsOf(look, element).some(
    ({ key }) => before !== undefined && !sameFact(observedFacts[key], before[key]),
  );
  if (resource.isCopy && (hasMoved || isExplained) && !isAgreed) return movedCopy(look, merged, element);
  const theirs =
    hasMoved || isExplained || isAnswered(look) ? takeMove(look, merged, element, before?.[element]) : merged;
  if (theirs.decisions.length > merged.decisions.length) return theirs;
  if (isAgreed) return agreed(look, theirs, element);
  const ours = readMove(
    { ...resource, link: { ...link, sent: theirs.sent } },
    { ...link, sent: theirs.sent },
    look.observed.body,
  );
  if (ours?.kind === 'lagging') return { ...theirs, sent: withNew(theirs.sent, desired, keysOf(look, element)) };
  return ours?.kind === 'no-path'
    ? { ...theirs, decisions: [...theirs.decisions, noPath(look, element, ours)] }
    : theirs;
}

/** What a completed Task names now tells what nobody knew when it was completed. */
function isAnswered(look: Look): boolean {
  return look.context.resultsOf(look.resource).length > 0 && isOutcomeUnknown(withOffered(look).referral.outcome);
}

/** The status of an order that the other side has given: it moves along no diagram of ours, and is read by the referral rules. */
function settleOrder(look: Look, settled: Settled): Settled {
  const { resource, link, observed, observedFacts, context } = look;
  const before = seenBase(look)?.status;
  if (resource.resourceType !== 'ServiceRequest' || link.origin !== 'theirs' || sameFact(observedFacts.status, before))
    return settled;
  const { referral, dates } = withOffered(look);
  const reading = readOrder({
    referral,
    order: observed.body,
    before: typeof before === 'string' ? before : undefined,
    by: context.performerName(resource),
    itemId: (text) => context.itemId(`${nameOf(resource.key)} ${text}`),
  });
  const patch = 'patch' in reading ? reading.patch : undefined;
  const told = patch === undefined ? settled : { ...settled, patches: [...settled.patches, { ...dates, ...patch }] };
  if (reading.kind !== 'decision') return told;
  const why = reason('status-read', { status: String(observed.body.status), why: reading.why });
  return { ...told, decisions: [...told.decisions, statusDecision(look, 'status', why)] };
}

/** A Task that we perform asks us to cancel, or not any more: told once for each asking. */
function settleQuestion(look: Look, settled: Settled): Settled {
  const { resource, link, record, observed } = look;
  if (resource.key.slot !== 'fulfilment' || link.origin !== 'theirs' || resource.recordVersion === 0) return settled;
  const heard = link.sent?.[askedKey];
  const isAsked = isAskedToCancel(observed.body);
  if (isAsked === (heard !== undefined)) return settled;
  const known = objectAt(record, 'cancelRequest');
  if (isAsked) {
    const request = requestIn(observed.body, changedAt(observed.body));
    const isOpen = known !== undefined && known.answeredAt === undefined;
    const asked: JsonObject = { at: isOpen ? (textAt(known, 'at') ?? request.at) : request.at };
    const told =
      isOpen || isEnded(record) ? settled : withMove(look, settled, 'status', { cancelRequest: { ...request } });
    return { ...told, sent: withFact(told.sent, askedKey, asked) };
  }
  const { status } = observed.body;
  const isOver = isEnded(record) || (isTaskStatus(status) && isTerminal(status));
  const isTheirs = known === undefined || (isObject(heard) && known.at === heard.at && known.answeredAt === undefined);
  const told = isOver || !isTheirs ? settled : withMove(look, settled, 'status', { cancelRequest: null });
  return { ...told, sent: withFact(told.sent, askedKey, undefined) };
}

/** The elements that explain the moving one; they have no merge of their own. */
function reasonsOf({ resource }: Look, element: string): readonly SlotElement[] {
  return resource.slot?.elements.filter(({ goesWith }) => goesWith === element) ?? [];
}

function keysOf(look: Look, element: string): string[] {
  return [element, ...reasonsOf(look, element).map(({ key }) => key)];
}

/** Both sides stand on the same status. How they explain it may differ; a new word of ours is still to be written where the status is ours. */
function agreed(look: Look, settled: Settled, element: string): Settled {
  const { desired, observedFacts, record, link } = look;
  const isToWrite = ({ key, owner }: SlotElement) =>
    owner(record) === 'source' && link.sent !== undefined && !sameFact(desired[key], link.sent[key]);
  const kept = reasonsOf(look, element).filter(isToWrite);
  const keys = keysOf(look, element).filter((key) => !kept.some((reasons) => reasons.key === key));
  return {
    ...settled,
    sent: withNew(settled.sent, desired, keys),
    seen: withNew(settled.seen, observedFacts, keysOf(look, element)),
  };
}

function withNew(facts: Facts, from: Facts, keys: readonly string[]): Facts {
  return keys.reduce((result, key) => withFact(result, key, from[key]), facts);
}

function takeMove(look: Look, settled: Settled, element: string, before: Json | undefined): Settled {
  const { resource, observed, observedFacts, context } = look;
  if (machineOf(look, element) === 'cancellation-task') return takeAnswer(look, settled, element);
  const { referral, dates } = withOffered(look);
  const reading = readTask({
    referral,
    task: observed.body,
    before: typeof before === 'string' ? before : undefined,
    by: context.performerName(resource),
    itemId: (text) => context.itemId(`${nameOf(resource.key)} ${text}`),
    results: context.resultsOf(resource),
  });
  if (reading.kind === 'decision') {
    const status = String(observed.body.status);
    return {
      ...settled,
      decisions: [
        ...settled.decisions,
        statusDecision(look, element, reason('status-read', { status, why: reading.why })),
      ],
    };
  }
  if (reading.kind === 'asked') return settled;
  const taken = { ...settled, seen: withNew(settled.seen, observedFacts, keysOf(look, element)) };
  return reading.kind === 'patch' ? withMove(look, taken, element, { ...dates, ...reading.patch }) : taken;
}

/**
 * The referral with the steps and the outcome that its source was offered and has not taken over. The next change says the steps again: whoever takes
 * over only that one has all of them.
 */
function withOffered({ resource, record, context }: Look): {
  readonly referral: JsonObject;
  readonly dates: JsonObject;
} {
  const offered = context.offeredOf(resource);
  const dates: JsonObject = {};
  for (const date of ['receivedAt', 'decidedAt']) {
    const at = offered[date];
    if (record[date] === undefined && at !== undefined) dates[date] = at;
  }
  const history = joinedComments(objectsAt(record, 'history'), objectsAt(offered, 'history'));
  const outcome = record.outcome ?? offered.outcome;
  return {
    referral: {
      ...record,
      ...dates,
      ...(history.length > 0 && { history }),
      ...(outcome !== undefined && { outcome }),
    },
    dates,
  };
}

function machineOf({ resource }: Look, element: string): string | undefined {
  return resource.slot?.elements.find(({ key }) => key === element)?.moves;
}

/** The answer to a Task that asks the performer to cancel. */
function takeAnswer(look: Look, settled: Settled, element: string): Settled {
  const { record, observed, observedFacts } = look;
  const taken = { ...settled, seen: withNew(settled.seen, observedFacts, [element]) };
  const answer = readCancellation(record, observed.body.status, changedAt(observed.body));
  if (answer === undefined) return taken;
  const told = withMove(look, taken, element, answer.patch);
  return answer.isRefused ? { ...told, decisions: [...told.decisions, refusedToCancel(look, element)] } : told;
}

function refusedToCancel(look: Look, element: string): NewDecision {
  const { body } = look.observed;
  const why = reason('cancel-refused', { status: String(body.status) });
  const { detail, ...decision } = statusDecision(look, element, why);
  return {
    ...decision,
    detail: { ...detail, statusReason: body.statusReason ?? null },
    choices: [{ choose: 'theirs', effect: 'Seen: the performer goes on.' }],
  };
}

function withMove({ resource, observed }: Look, settled: Settled, element: string, patch: JsonObject): Settled {
  const { elements, notUnderstood } = settled.lineage;
  const moved: AbsorbedElement = {
    element,
    rule: resource.slot?.elements.find(({ key }) => key === element)?.at ?? '',
    converter: 'moves',
    raw: observed.body[element] ?? null,
    pointers: Object.keys(patch).map((field) => pointerStep(field)),
  };
  return {
    ...settled,
    patches: [...settled.patches, patch],
    lineage: { elements: [...elements, moved], notUnderstood },
  };
}

/** Somebody has moved the mirror: only where the Task lives does a move count. */
function movedCopy(look: Look, settled: Settled, element: string): Settled {
  const target = nameOf(look.resource.key);
  const decision = statusDecision(look, element, reason('copy-edited', { element, target }));
  const ours = { choose: 'ours', effect: 'Write where the Task stands over the copy again.' };
  const choices = [...ifWritable(look.resource, ours), ...decision.choices];
  return { ...settled, decisions: [...settled.decisions, { ...decision, choices }] };
}

function noPath(look: Look, element: string, move: { from: string; to: string }): NewDecision {
  return statusDecision(
    look,
    element,
    reason('status-path', { from: move.from, to: move.to, party: look.resource.party }),
  );
}

function statusDecision(
  { resource, desired, observedFacts }: Look,
  element: string,
  why: NewDecision['reason'],
): NewDecision {
  return {
    kind: 'status',
    topic: elementTopic(resource, element),
    key: resource.key,
    reason: why,
    detail: { element, ours: desired[element] ?? null, theirs: observedFacts[element] ?? null, patch: {} },
    choices: [
      {
        choose: 'theirs',
        effect: 'Leave the status on the server as it is; nothing is written until the record changes again.',
      },
    ],
  };
}

function answeredTopics({ resource, desired, observedFacts }: Look): string[] {
  const prefix = `${nameOf(resource.key)}:`;
  return [...resource.openTopics].filter((topic) => {
    const element = topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
    return element !== undefined && sameFact(desired[element], observedFacts[element]);
  });
}

/** Questions whose sides have changed since: as new ones, so that no answer counts for values that whoever gave it has not seen. */
function askedAnew(look: Look): NewDecision[] {
  const { resource, desired, observedFacts, context } = look;
  return (resource.slot?.elements ?? []).flatMap(({ key }) => {
    const open = context.openQuestion(elementTopic(resource, key));
    const code = elementCodes.find((one) => one === open?.reason.code);
    if (open === undefined || code === undefined || !isShown(look, key)) return [];
    const [ours, theirs] = [desired[key], observedFacts[key]];
    const isAsAsked = sameFact(open.detail.ours, ours ?? null) && sameFact(open.detail.theirs, theirs ?? null);
    return isAsAsked || sameFact(ours, theirs) ? [] : [aboutElement(look, key, code)];
  });
}

function timesOf(record: JsonObject, body: JsonObject): { ours: number; theirs: number } | undefined {
  const ours = textAt(record, 'updatedAt');
  const theirs = textAt(objectAt(body, 'meta'), 'lastUpdated');
  return ours === undefined || theirs === undefined
    ? undefined
    : { ours: Date.parse(ours), theirs: Date.parse(theirs) };
}

function isNews(settlement: Settlement, link: LinkState): boolean {
  return (
    settlement.seenHash !== link.seenHash ||
    link.isRebased === true ||
    settlement.patches.length + settlement.decisions.length + settlement.obsolete.length > 0 ||
    !isDeepStrictEqual(settlement.sent, link.sent) ||
    !isDeepStrictEqual(settlement.seen, link.seen)
  );
}
