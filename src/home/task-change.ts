// What a performer asks of its Task, held against the state machine, and what becomes of the Task then. Pure.

import { isDeepStrictEqual } from 'node:util';
import { CasebridgeError, type Reason } from '../errors.ts';
import { isObject, type Json, type JsonObject, objectsAt, textAt } from '../json.ts';
import {
  isTaskStatus,
  judgeMove,
  legalMoves,
  patientTaskKind,
  patientTaskMoves,
  performerElements,
  referralTaskMoves,
  type TaskStatus,
} from '../referrals/referrals.ts';

/** A move that the performer may not make. */
export class MoveRefused extends CasebridgeError {
  /** The statuses that it may move the Task to. */
  readonly legal: readonly TaskStatus[];

  constructor(why: Reason, legal: readonly TaskStatus[]) {
    super(why.code);
    this.message = why.text;
    this.legal = legal;
  }
}

/**
 * The Task after the change: of `asked` only what is a performer's to say counts, and the server keeps the time.
 * @param at ISO instant of the server
 * @throws MoveRefused by the rules of `judgeMove`; CasebridgeError `note-not-kept`
 */
export function changedTask(before: JsonObject, asked: JsonObject, at: string): JsonObject {
  const why = judgeMove({ before, after: asked, party: 'performer' });
  if (why !== undefined) throw new MoveRefused(why, legalFor(before));
  const own = performerElements[patientTaskKind(before) === undefined ? 'referral' : 'patient'];
  const { text: _narrative, ...kept } = before;
  const after: JsonObject = { ...kept };
  for (const element of own) {
    const value = asked[element];
    if (value === undefined) delete after[element];
    else after[element] = value;
  }
  const note = notesAfter(before, asked, at);
  if (note.length > 0) after.note = note;
  after.lastModified = at;
  return after;
}

/** What the performer may move the Task to from where it is. */
export function legalFor(task: JsonObject): TaskStatus[] {
  const moves = patientTaskKind(task) === undefined ? referralTaskMoves : patientTaskMoves;
  return isTaskStatus(task.status) ? legalMoves(task.status, 'performer', moves) : [];
}

/** Notes are added to and never changed; a new one is by the performer, whoever it says that it is by. */
function notesAfter(before: JsonObject, asked: JsonObject, at: string): Json[] {
  const kept = objectsAt(before, 'note');
  const given: readonly Json[] = Array.isArray(asked.note) ? asked.note : [];
  if (!kept.every((note) => given.some((one) => isDeepStrictEqual(one, note))))
    throw new CasebridgeError('note-not-kept');
  return given.map((one) => {
    if (!isObject(one) || kept.some((note) => isDeepStrictEqual(one, note))) return one;
    const { authorReference: _claimed, ...note } = one;
    const name = textAt(one, 'authorString');
    return {
      ...note,
      ...(name === undefined && isObject(before.owner) && { authorReference: before.owner }),
      time: at,
    };
  });
}
