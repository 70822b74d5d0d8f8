// Closed-loop referrals: the states of a Task, who may move it, and what the partner's answer means for our record.

export { type ReferralStatus, readTask, type TaskObservation, type TaskReading } from './read-task.ts';
export {
  isTaskStatus,
  isTerminal,
  legalMoves,
  type Party,
  type TaskStatus,
  taskMoves,
  taskPath,
  taskStatuses,
} from './task-states.ts';
