// Whether a party may change a Task as it asks to: the status by the diagram, a reason where one must be given, and nothing else that is not
// its own. For moves that are asked of us (facade, partner page, decisions); what a server did already is read by `read-task.ts`. Pure.

import { isDeepStrictEqual } from 'node:util';
import { type Reason, reason } from '../errors.ts';
import { type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { patientTaskGaps, patientTaskKind } from './patient-tasks.ts';
import {
  isTaskStatus,
  legalMoves,
  type Party,
  patientTaskMoves,
  referralTaskMoves,
  type TaskMoves,
  type TaskStatus,
} from './task-moves.ts';

export interface AskedMove {
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly party: Party;
}

/** Statuses that say little without a reason (SDOHCC TaskForReferralManagement, statusReason). */
export const reasonedStatuses: readonly TaskStatus[] = ['rejected', 'cancelled', 'on-hold', 'failed'];

/** What a performer may say in a Task beside its status. A patient's application writes no notes. */
export const performerElements = {
  referral: ['status', 'statusReason', 'businessStatus', 'output', 'note', 'executionPeriod', 'lastModified'],
  patient: ['status', 'statusReason', 'output', 'lastModified'],
} as const;

/** What a server sets itself. */
const serverElements = ['id', 'meta', 'text'];

/** @returns why it may not; undefined: it may. The same status again is no move. */
export function judgeMove({ before, after, party }: AskedMove): Reason | undefined {
  const isPatients = patientTaskKind(before) !== undefined;
  return (
    judgeStatus(before.status, after, party, isPatients ? patientTaskMoves : referralTaskMoves) ??
    (party === 'performer'
      ? judgeElements(before, after, performerElements[isPatients ? 'patient' : 'referral'])
      : undefined) ??
    judgeParts(after)
  );
}

function judgeStatus(from: Json | undefined, after: JsonObject, party: Party, moves: TaskMoves): Reason | undefined {
  const to = after.status;
  if (!isTaskStatus(from) || from === to) return undefined;
  const legal = legalMoves(from, party, moves);
  if (!isTaskStatus(to) || !legal.includes(to)) {
    return reason('task-move-illegal', { from, party, legal: legal.length === 0 ? 'nothing' : legal.join(', ') });
  }
  const hasReason = textAt(objectAt(after, 'statusReason'), 'text') !== undefined;
  return reasonedStatuses.includes(to) && !hasReason ? reason('task-reason-missing', { to }) : undefined;
}

function judgeElements(before: JsonObject, after: JsonObject, own: readonly string[]): Reason | undefined {
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (element) => !isDeepStrictEqual(before[element], after[element]),
  );
  const foreign = changed.filter((element) => !own.includes(element) && !serverElements.includes(element));
  return foreign.length === 0
    ? undefined
    : reason('task-element-not-theirs', { elements: foreign.sort().join(', '), own: own.join(', ') });
}

function judgeParts(after: JsonObject): Reason | undefined {
  const [gap] = patientTaskGaps(after);
  return gap && reason('task-part-missing', gap);
}
