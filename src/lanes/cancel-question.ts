// Asking to cancel: within the Task, and taking that back, with what is kept of it so that each request is put once; or by a Task of its own, which is
// left as it stands once it is answered. Pure.

import { type Reason, reason } from '../errors.ts';
import { isObject, type Json, type JsonObject, textAt } from '../json.ts';
import {
  askedElements,
  asksToCancel,
  type CancelRequest,
  isBegun,
  isTaskStatus,
  isTerminal,
  questionFact,
  withoutQuestion,
  withQuestion,
} from '../referrals/referrals.ts';
import type { LaneResource } from './lane-resource.ts';

/** Beside the facts of elements that a link keeps as sent: the request that was put last, with what stood in its place. */
export const askedKey = 'cancelRequest';

export interface Question {
  readonly kind: 'ask' | 'unask';
  readonly body: JsonObject;
  readonly elements: readonly string[];
  /** To be kept under `askedKey`; undefined: nothing is asked any more. */
  readonly asked: JsonObject | undefined;
  readonly why: Reason;
}

/** @param asked what is kept of the last question; @returns undefined: nothing is to be written. */
export function questionFor(
  request: CancelRequest | 'none',
  task: JsonObject,
  asked: Json | undefined,
): Question | undefined {
  const before = isObject(asked) ? asked : undefined;
  if (request === 'none') {
    if (before === undefined || !asksToCancel(task)) return undefined;
    return {
      kind: 'unask',
      body: withoutQuestion(task, before),
      elements: askedElements,
      asked: undefined,
      why: reason('planned-ask-taken-back'),
    };
  }
  if (!isBegun(task) || asksToCancel(task) || textAt(before, 'at') === request.at) return undefined;
  return {
    kind: 'ask',
    body: withQuestion(task, request),
    elements: askedElements,
    asked: questionFact(task, request),
    why: reason('planned-ask-cancel'),
  };
}

/** The slot of the Task that does nothing but ask to cancel another one. */
export const cancellationSlot = 'cancellation';

/** A Task that asked to cancel, and whose performer has ended it: that is their word, and nothing is written over it any more. */
export function isAnsweredQuestion({ key, observed }: Pick<LaneResource, 'key' | 'observed'>): boolean {
  const status = observed?.body.status;
  return key.slot === cancellationSlot && isTaskStatus(status) && isTerminal(status);
}

/** Why an answered Task makes room for the next: its source has made another request since. */
export function askedAnew(
  resource: Pick<LaneResource, 'key' | 'observed' | 'desired' | 'link'>,
  request: CancelRequest | 'none' | undefined,
): Reason | undefined {
  const isOpen = request !== undefined && request !== 'none';
  const isNew = isOpen && resource.link?.sent?.authoredOn !== resource.desired?.facts.authoredOn;
  return isNew && isAnsweredQuestion(resource) ? reason('cancel-asked-anew') : undefined;
}
