// Closed-loop referrals: the states of a Task, who may move it, and what the partner's answer means for our record.

export {
  askedElements,
  asksToCancel,
  businessAnswer,
  type CancelAnswer,
  type CancelRequest,
  cancelRequestOf,
  finalStatuses,
  isAbort,
  isAskedToCancel,
  isBegun,
  isEnded,
  isUntouched,
  questionFact,
  readCancellation,
  requestIn,
  withoutQuestion,
  withQuestion,
} from './ask-to-cancel.ts';
export { codesOf } from './codes.ts';
export { judgeMove, performerElements, reasonedStatuses } from './judge-move.ts';
export { patientTaskKind, patientTaskKinds, patientTaskRules } from './patient-tasks.ts';
export { type BegunReading, passesOn, readBegun } from './read-begun.ts';
export { readOrder } from './read-order.ts';
export { isOutcomeUnknown, resultsNamedBy } from './read-result.ts';
export {
  changedAt,
  declineCodes,
  type ReferralStatus,
  readTask,
  type TaskObservation,
  type TaskReading,
} from './read-task.ts';
export {
  isTaskStatus,
  isTerminal,
  legalMoves,
  type Party,
  patientTaskMoves,
  referralTaskMoves,
  type TaskMoves,
  type TaskStatus,
  taskPath,
  taskStatuses,
} from './task-moves.ts';
