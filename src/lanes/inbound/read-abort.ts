// A Task of the requester's that does nothing but ask to cancel the one in its focus, which we perform (closed-loop B3). Pure.

import { type JsonObject, objectAt } from '../../json.ts';
import { isInstant } from '../../records/records.ts';
import { changedAt, isAbort, isTaskStatus, isTerminal } from '../../referrals/referrals.ts';
import { localName, patientsOf, referenced } from './about.ts';

export interface AbortContext {
  readonly baseUrl: string;
  /** Ids of the Patients whom the first Task is for. */
  readonly patients: readonly string[];
}

/** It asks to cancel this Task, and speaks of nobody else. */
export function isAbortOf(abort: JsonObject, task: JsonObject, { baseUrl, patients }: AbortContext): boolean {
  const focus = referenced(objectAt(abort, 'focus'), baseUrl).map(localName);
  const isOfThese = patientsOf(abort, baseUrl).every((id) => patients.includes(id));
  return isAbort(abort) && isOfThese && focus.includes(`Task/${task.id}`);
}

/** And it waits for an answer. */
export function isOpenAbort(abort: JsonObject, task: JsonObject, context: AbortContext): boolean {
  return isAbortOf(abort, task, context) && isWaiting(abort) && !isByAnother(abort, task, context);
}

export function isWaiting({ status }: JsonObject): boolean {
  return isTaskStatus(status) && status !== 'draft' && !isTerminal(status);
}

/** Its requester can be seen to be another one than that of the first Task: whoever is named by another type of resource may be the same. */
export function isByAnother(abort: JsonObject, task: JsonObject, { baseUrl }: Pick<AbortContext, 'baseUrl'>): boolean {
  const [asking] = referenced(objectAt(abort, 'requester'), baseUrl);
  const [first] = referenced(objectAt(task, 'requester'), baseUrl);
  return (
    asking !== undefined && first !== undefined && asking.resourceType === first.resourceType && asking.id !== first.id
  );
}

/** When it was asked. */
export function abortAt(abort: JsonObject): string {
  return [abort.authoredOn].find(isInstant) ?? changedAt(abort);
}
