// Asking the performer to cancel (closed-loop B3, B6). In BSeR's two steps the requester puts the Task to in-progress with the business status 5.2, and
// the performer answers cancelled (6.0) or completed (7.0). In base R4 a second Task with the code `abort` asks, and its status is the answer. Pure.

import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { codesOf } from './codes.ts';
import { isTaskStatus, isTerminal, type TaskStatus } from './task-moves.ts';

/** A request of the record to cancel that the performer has not answered. */
export interface CancelRequest {
  /** When it was made: by this one request is told from the next. */
  readonly at: string;
  readonly reason?: string;
}

/** Statuses of a referral in which nothing more is done about it. */
export const finalStatuses: readonly string[] = ['completed', 'failed', 'declined', 'cancelled', 'entered-in-error'];

/** Whether the record says that the referral has ended: nobody is asked to cancel it any more. */
export function isEnded({ status }: JsonObject): boolean {
  return typeof status === 'string' && finalStatuses.includes(status);
}

/** Of an outgoing referral that goes on; `none`: what had been asked is taken back. Undefined: there is nothing to ask or to take back. */
export function cancelRequestOf(referral: JsonObject): CancelRequest | 'none' | undefined {
  const request = objectAt(referral, 'cancelRequest');
  const isOpen = referral.direction === 'outgoing' && referral.status !== 'draft' && !isEnded(referral);
  if (!isOpen || request?.answeredAt !== undefined) return undefined;
  const [at, reason] = [textAt(request, 'at'), textAt(request, 'reason')];
  return at === undefined ? 'none' : { at, ...(reason !== undefined && { reason }) };
}

const system = 'http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS';
const cancellationRequested = '5.2';

/** The Task says that its requester asks to cancel, and nobody has answered yet. */
export function asksToCancel({ status, businessStatus }: JsonObject): boolean {
  return status === 'in-progress' && codesOf(businessStatus).includes(cancellationRequested);
}

/** Where we perform: the requester asks to cancel in the Task itself, whatever has become of it since, and it has not ended. */
export function isAskedToCancel({ status, businessStatus }: JsonObject): boolean {
  return isTaskStatus(status) && !isTerminal(status) && codesOf(businessStatus).includes(cancellationRequested);
}

/** A Task that does nothing but ask to cancel the one in its `focus`. */
export function isAbort({ code }: JsonObject): boolean {
  return codesOf(code).includes('abort');
}

/** What the requester asks, in its own words. @param at when it was asked */
export function requestIn(task: JsonObject, at: string): CancelRequest {
  const said = [labelOf(task.reasonCode), labelOf(task.statusReason), textAt(task, 'description')];
  const reason = said.find((text) => text !== undefined);
  return { at, ...(reason !== undefined && { reason }) };
}

const answers: Readonly<Record<string, { readonly code: string; readonly display: string }>> = {
  cancelled: { code: '6.0', display: 'Fulfillment Cancelled' },
  completed: { code: '7.0', display: 'Fulfillment Completed' },
};

/** What BSeR wants beside the status that answers a Task which asks to cancel; undefined: nothing. */
export function businessAnswer(task: JsonObject, to: string): JsonObject | undefined {
  const answer = answers[to];
  return answer === undefined || !isAskedToCancel(task)
    ? undefined
    : { coding: [{ system, ...answer }], text: answer.display };
}

/** Whether the performer has begun, so that a cancellation is asked for: before, the requester cancels; after the end, nobody does. */
export function isBegun(task: JsonObject): boolean {
  const { status } = task;
  return isTaskStatus(status) && begun.includes(status);
}

/** Whether nobody has accepted the Task yet. */
export function isUntouched({ status }: JsonObject): boolean {
  return isTaskStatus(status) && !begun.includes(status) && !isTerminal(status);
}

const begun: readonly TaskStatus[] = ['ready', 'accepted', 'in-progress', 'on-hold'];

/** What the performer answers by the status of a Task that asks to cancel, as a merge patch on the referral; undefined: nothing yet. */
export interface CancelAnswer {
  readonly patch: JsonObject;
  /** It does not cancel, and a person must know. */
  readonly isRefused: boolean;
}

/** @param at when the status was set */
export function readCancellation(referral: JsonObject, status: Json | undefined, at: string): CancelAnswer | undefined {
  const request = cancelRequestOf(referral);
  if (!isTaskStatus(status) || !isTerminal(status) || request === undefined) return undefined;
  const isRefused = status !== 'completed';
  return { isRefused, patch: { cancelRequest: { answeredAt: at, ...(!isRefused && { answer: 'cancelled' }) } } };
}

/** What the asking changes in a Task. */
export const askedElements = ['status', 'statusReason', 'businessStatus'] as const;

/** The Task with the question in it. What the performer had said in `businessStatus` stays readable in its text. */
export function withQuestion(task: JsonObject, { reason }: CancelRequest): JsonObject {
  const before = labelOf(task.businessStatus);
  const text = before === undefined ? question : `${question}; before: ${before}`;
  return {
    ...task,
    status: 'in-progress',
    statusReason: { text: reason ?? question },
    businessStatus: { coding: [{ system, code: cancellationRequested, display: question }], text },
  };
}

const question = 'Cancellation Requested';

function labelOf(concept: Json | undefined): string | undefined {
  if (!isObject(concept)) return undefined;
  return [
    textAt(concept, 'text'),
    ...objectsAt(concept, 'coding').flatMap((coding) => [textAt(coding, 'display'), textAt(coding, 'code')]),
  ].find((text) => text !== undefined);
}

/** What is kept of a question: which request it puts, and what stood in its place. */
export function questionFact(task: JsonObject, { at }: CancelRequest): JsonObject {
  return { at, ...only(task) };
}

/** The Task as it was before the question, for a request that its source has taken back. */
export function withoutQuestion(task: JsonObject, fact: JsonObject): JsonObject {
  const rest = Object.entries(task).filter(([element]) => !askedElements.some((one) => one === element));
  return { ...Object.fromEntries(rest), ...only(fact) };
}

function only(from: JsonObject): JsonObject {
  return Object.fromEntries(
    askedElements.flatMap((element) => {
      const value = from[element];
      return value === undefined ? [] : [[element, value]];
    }),
  );
}
