// What a Task's status means for our referral record when the other side has moved it: both tables of
// "Referral states, both ways" (outgoing: we are the requester; incoming: we perform). Pure.

import { isObject, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { isInstant } from '../records/records.ts';
import { asksToCancel, isAskedToCancel } from './ask-to-cancel.ts';
import { codesOf } from './codes.ts';
import { completedOutcome, isOutcomeUnknown } from './read-result.ts';
import { isTaskStatus, isTerminal, type TaskStatus, taskPath } from './task-moves.ts';

export type ReferralStatus =
  | 'draft'
  | 'sent'
  | 'undeliverable'
  | 'received'
  | 'accepted'
  | 'waitlisted'
  | 'on-hold'
  | 'in-progress'
  | 'completed'
  | 'failed'
  | 'declined'
  | 'cancelled'
  | 'entered-in-error';

export interface TaskObservation {
  /** The record as its source last sent it. */
  readonly referral: JsonObject;
  readonly task: JsonObject;
  /** Task.status at the last agreement, undefined when this is the first look. */
  readonly before: string | undefined;
  /** Who acted, as far as the server says (a line of text for people). */
  readonly by: string | undefined;
  /** Makes the id of a new history item from a text that is unique for it. */
  readonly itemId: (text: string) => string;
  /** What the Procedures that the Task names said when they were read (`completedOutcome`); absent: none was. */
  readonly results?: Parameters<typeof completedOutcome>[1];
}

/** What the record's source is offered, or why a person must look. */
export type TaskReading =
  | { readonly kind: 'unchanged' }
  /** The requester, whichever side that is, asks to cancel: what both sides agreed on before still stands. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'patch'; readonly patch: JsonObject; readonly implied: readonly ReferralStatus[] }
  | {
      readonly kind: 'decision';
      readonly why: 'unknown-status' | 'left-final-state' | 'went-back' | 'wrong-party' | 'order-moved';
      /** What the source is told all the same. */
      readonly patch?: JsonObject;
    };

const asRequesterWeRead: Partial<Record<TaskStatus, ReferralStatus>> = {
  received: 'received',
  ready: 'accepted',
  accepted: 'accepted',
  'in-progress': 'in-progress',
  'on-hold': 'on-hold',
  rejected: 'declined',
  completed: 'completed',
  failed: 'failed',
};

/**
 * Reads a Task whose status the other side changed.
 *
 * Jumps are tolerated: the steps in between are recorded as implied, and stop no contact clock. A move out of a final state, or one
 * that is not theirs to make, is for a person.
 */
export function readTask(observation: TaskObservation): TaskReading {
  const { referral, task, before } = observation;
  const status = task.status;
  if (!isTaskStatus(status)) return { kind: 'decision', why: 'unknown-status' };
  if (isEcho(referral, status)) return { kind: 'unchanged' };
  const from = isTaskStatus(before) && before !== 'draft' ? (drawn[before] ?? before) : 'requested';
  const isIncoming = referral.direction === 'incoming';
  // The requester may still say that it was all an error.
  const isCorrection = isIncoming && status === 'entered-in-error';
  if (isTerminal(from) && status !== from && !isCorrection) return { kind: 'decision', why: 'left-final-state' };
  if (begun.includes(from) && notBegun.includes(status)) return { kind: 'decision', why: 'went-back' };
  return isIncoming ? readIncoming(observation, status) : readOutgoing(observation, from, status);
}

/** Statuses that the diagram lacks, by the ones that they come to. */
const drawn: Partial<Record<TaskStatus, TaskStatus>> = { received: 'requested', ready: 'accepted' };
const begun: readonly TaskStatus[] = ['accepted', 'in-progress', 'on-hold'];
const notBegun: readonly TaskStatus[] = ['draft', 'requested', 'received'];

/** Our own word, seen again because the reply to it was lost: nothing that the other side did. */
function isEcho({ direction, status: known }: JsonObject, status: TaskStatus): boolean {
  const isIncoming = direction === 'incoming';
  if (status === 'cancelled') return known === 'cancelled' || (isIncoming && known === 'declined');
  if (status === 'entered-in-error') return known === status;
  return isIncoming && asRequesterWeRead[status] === known;
}

function readOutgoing(observation: TaskObservation, from: TaskStatus, status: TaskStatus): TaskReading {
  if (status === 'requested') return readRequested(observation);
  if (status === 'draft' || status === 'entered-in-error') return { kind: 'decision', why: 'wrong-party' };
  // We have withdrawn it and are about to write so: taken over by the source, their step would open it again.
  if (isWithdrawn(observation.referral) && !isTerminal(status)) return { kind: 'unchanged' };
  if (asksToCancel(observation.task)) return { kind: 'asked' };
  // A refusal after acceptance is not drawn, but is how some servers end a referral.
  const isLateRefusal = status === 'rejected' && begun.includes(from);
  if (status === 'cancelled' || isLateRefusal)
    return patchTo(observation, cancelledMeans(from, observation.referral), []);
  const path = taskPath(from, drawn[status] ?? status, 'performer');
  if (path === undefined) return { kind: 'decision', why: 'went-back' };
  const implied = path.slice(0, -1).flatMap((step) => asRequesterWeRead[step] ?? []);
  return patchTo(observation, asRequesterWeRead[status] ?? 'received', implied);
}

function isWithdrawn({ status }: JsonObject): boolean {
  return status === 'cancelled' || status === 'entered-in-error';
}

/**
 * The performer's `cancelled` after acceptance is a late "no", unless we asked for it; after work has begun it is an end. What only explains it
 * changes neither.
 */
function cancelledMeans(from: TaskStatus, { status: known, cancelRequest }: JsonObject): ReferralStatus {
  if (from !== 'cancelled' && cancelRequest !== undefined) return 'cancelled';
  const after = from === 'cancelled' ? known : from;
  return after === 'accepted' || after === 'on-hold' || after === 'declined' ? 'declined' : 'cancelled';
}

function readRequested(observation: TaskObservation): TaskReading {
  const { referral, task } = observation;
  return reasonCodes(task).includes('waitlisted') && !isWithdrawn(referral)
    ? patchTo(observation, 'waitlisted', [])
    : { kind: 'unchanged' };
}

function readIncoming(observation: TaskObservation, status: TaskStatus): TaskReading {
  const known = observation.referral.status;
  if (status === 'requested' || status === 'received')
    return known === 'sent' ? patchTo(observation, 'received', []) : { kind: 'unchanged' };
  if (status === 'draft') return { kind: 'unchanged' };
  if (status === 'in-progress' && isAskedToCancel(observation.task)) return { kind: 'asked' };
  // We had ended it, and they withdrew it before we could say so there: which of the two holds is for a person.
  if (status === 'cancelled' && (known === 'completed' || known === 'failed'))
    return { kind: 'decision', why: 'left-final-state' };
  if (status === 'cancelled' || status === 'entered-in-error') return patchTo(observation, status, []);
  return { kind: 'decision', why: 'wrong-party' };
}

function patchTo(observation: TaskObservation, to: ReferralStatus, implied: readonly ReferralStatus[]): TaskReading {
  const { referral, task, before, by } = observation;
  if (referral.status === to) return laterWords(observation, to);
  const at = changedAt(task);
  const text = reasonText(task);
  const known = objectsAt(referral, 'history');
  const [last] = known.slice(-1);
  // The step was offered before and is not taken over yet.
  const isKnown = task.status === before && last?.status === to && (text === undefined || last.reason === text);
  const steps = isKnown ? [] : [...implied, to];
  const history = steps.map((status, index) => {
    const isImplied = index < implied.length;
    return {
      id: stepId(observation, status, at, isImplied ? undefined : text),
      status,
      at,
      ...(by === undefined ? {} : { byName: by }),
      ...(isImplied ? { reason: 'implied' } : text === undefined ? {} : { reason: text }),
    };
  });
  const patch: JsonObject = {
    status: to,
    history: [...known, ...history],
    ...datesFor(referral, to, at),
    ...detailFor(observation, to, at, text),
    ...answerFor(referral, to, at),
  };
  return { kind: 'patch', patch, implied };
}

/** What they say later of a status that the record has: what it does not say yet is added, and other words are one more step of its history. */
function laterWords(observation: TaskObservation, to: ReferralStatus): TaskReading {
  const { referral, task, by } = observation;
  const at = changedAt(task);
  const text = reasonText(task);
  const filled = laterDetail(observation, to, at, text);
  const history = objectsAt(referral, 'history');
  const said = [
    history.findLast(({ status }) => status === to)?.reason,
    to === 'declined' ? (referral.declineText ?? text) : undefined,
    to === 'failed' && isObject(referral.outcome) ? referral.outcome.text : undefined,
  ];
  const step = { id: stepId(observation, to, at, text), status: to, at, ...(by !== undefined && { byName: by }) };
  const patch: JsonObject = {
    ...filled,
    ...(explained.includes(to) &&
      text !== undefined &&
      !said.includes(text) && { history: [...history, { ...step, reason: text }] }),
  };
  return Object.keys(patch).length === 0 ? { kind: 'unchanged' } : { kind: 'patch', patch, implied: [] };
}

/** No other step of the history has it: whoever changes a Task need not change the time that it gives. */
function stepId({ referral, itemId }: TaskObservation, status: string, at: string, words = ''): string {
  const taken = new Set(objectsAt(referral, 'history').map(({ id }) => id));
  const name = `${status} ${at} ${words}`.trim();
  let id = itemId(name);
  for (let n = 2; taken.has(id); n += 1) id = itemId(`${name} ${n}`);
  return id;
}

/** What a performer may explain once more; of others the reason may still be the requester's, who has asked something. */
const explained: readonly ReferralStatus[] = ['waitlisted', 'on-hold', 'failed', 'declined'];

function laterDetail(
  { referral, task, results = [] }: TaskObservation,
  to: ReferralStatus,
  at: string,
  text: string | undefined,
): JsonObject {
  if (to === 'declined') {
    const code = knownCode(task, declineCodes);
    return {
      ...(referral.declineReason === 'other' && code !== 'other' && { declineReason: code }),
      ...(referral.declineText === undefined && text !== undefined && { declineText: text }),
    };
  }
  if (to === 'completed' && isOutcomeUnknown(referral.outcome)) {
    const outcome = completedOutcome(task, results);
    return isOutcomeUnknown(outcome) ? {} : { outcome: toldOutcome(referral, outcome, at) };
  }
  const code = knownCode(task, outcomeCodes);
  const isOpen = to === 'failed' && isObject(referral.outcome) && referral.outcome.code === 'other';
  return isOpen && code !== 'other' ? { outcome: { code, ...(text !== undefined && { text }) } } : {};
}

/** Merged into one that was unknown, it says so no more. */
function toldOutcome(referral: JsonObject, outcome: JsonObject, at: string): JsonObject {
  return { ...(isOutcomeUnknown(referral.outcome) && { text: null }), ...outcome, at, confirmedBy: 'partner' };
}

function datesFor(referral: JsonObject, to: ReferralStatus, at: string): JsonObject {
  if (to === 'received') return referral.receivedAt === undefined ? { receivedAt: at } : {};
  if (to === 'cancelled' || to === 'entered-in-error') return {};
  return referral.decidedAt === undefined ? { decidedAt: at } : {};
}

/** An end, whichever, answers our asking to cancel. */
function answerFor({ cancelRequest }: JsonObject, to: ReferralStatus, at: string): JsonObject {
  const isOpen = isObject(cancelRequest) && cancelRequest.answeredAt === undefined;
  return isOpen && (to === 'cancelled' || to === 'completed') ? { cancelRequest: { answeredAt: at, answer: to } } : {};
}

/** The fields that must come with a status (records.md 6.1, column "required under the condition"). */
function detailFor(
  { referral, task, results = [] }: TaskObservation,
  to: ReferralStatus,
  at: string,
  text: string | undefined,
): JsonObject {
  const words: JsonObject = text === undefined ? {} : { text };
  switch (to) {
    case 'declined':
      return { declineReason: knownCode(task, declineCodes), ...(text === undefined ? {} : { declineText: text }) };
    case 'waitlisted':
      return { waitlist: { since: at } };
    case 'failed':
      return { outcome: { code: knownCode(task, outcomeCodes), at, ...words, confirmedBy: 'partner' } };
    case 'completed':
      return { outcome: toldOutcome(referral, completedOutcome(task, results), at) };
    default:
      return {};
  }
}

/** Why a performer declines, beside `other` (closed-loop B7). */
export const declineCodes = [
  'no-capacity',
  'ineligible',
  'out-of-area',
  'duplicate',
  'insufficient-information',
  'safety',
  'client-unreachable',
] as const;

const outcomeCodes = ['not-received', 'no-show', 'unreachable', 'ineligible', 'client-declined', 'no-capacity'];

function knownCode(task: JsonObject, known: readonly string[]): string {
  return reasonCodes(task).find((code) => known.includes(code)) ?? 'other';
}

function reasonCodes(task: JsonObject): string[] {
  return codesOf(task.statusReason);
}

function reasonText(task: JsonObject): string | undefined {
  const reason = objectAt(task, 'statusReason');
  return textAt(reason, 'text') ?? objectsAt(reason, 'coding').flatMap((one) => textAt(one, 'display') ?? [])[0];
}

/** When a Task was changed last, as far as it tells. */
export function changedAt(task: JsonObject): string {
  const updated = isObject(task.meta) ? task.meta.lastUpdated : undefined;
  const at = [task.lastModified, updated, task.authoredOn].find(isInstant);
  return at ?? '1970-01-01T00:00:00Z';
}
