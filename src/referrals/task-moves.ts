// The states of a Task and who may move it, as two tables: a referral (SDOHCC TaskForReferralManagement, state diagram and "set by" column)
// and what is asked of the patient (SDOHCC TaskForPatient, state diagram). `received` and, for a referral, `ready` are outside the profile's
// value set; they are read from other servers but never written.

/** `requester` asks for the service, `performer` gives it; of a patient Task the patient's application is the performer. */
export type Party = 'requester' | 'performer';

export const taskStatuses = [
  'draft',
  'requested',
  'received',
  'accepted',
  'rejected',
  'ready',
  'cancelled',
  'in-progress',
  'on-hold',
  'failed',
  'completed',
  'entered-in-error',
] as const;

export type TaskStatus = (typeof taskStatuses)[number];

export type TaskMoves = Readonly<Partial<Record<TaskStatus, Readonly<Partial<Record<TaskStatus, readonly Party[]>>>>>>;

const requester = ['requester'] as const;
const performer = ['performer'] as const;
const either = ['requester', 'performer'] as const;

const working = {
  completed: performer,
  failed: performer,
  cancelled: either,
  'entered-in-error': requester,
} as const;

const ended = { 'entered-in-error': requester } as const;

/** Every arrow of the diagram with the party that may walk it; what is not here is not allowed. */
export const referralTaskMoves: TaskMoves = {
  draft: { requested: requester, 'entered-in-error': requester },
  requested: { accepted: performer, rejected: performer, cancelled: either, 'entered-in-error': requester },
  accepted: { 'in-progress': performer, 'on-hold': performer, ...working },
  'in-progress': { 'on-hold': performer, ...working },
  'on-hold': { 'in-progress': performer, ...working },
  rejected: ended,
  completed: ended,
  failed: ended,
  cancelled: ended,
};

export const patientTaskMoves: TaskMoves = {
  draft: { ready: requester, 'entered-in-error': requester },
  ready: { 'in-progress': performer, 'on-hold': performer, ...working },
  'in-progress': { 'on-hold': performer, ...working },
  'on-hold': { 'in-progress': performer, ...working },
  completed: ended,
  failed: ended,
  cancelled: ended,
};

export function isTaskStatus(text: unknown): text is TaskStatus {
  return taskStatuses.some((status) => status === text);
}

/** True for a status that ends the Task: nothing but a correction (entered-in-error) follows. */
export function isTerminal(status: TaskStatus, moves = referralTaskMoves): boolean {
  return status === 'entered-in-error' || moves[status] === ended;
}

/**
 * The shortest legal way from one status to another, without the first and with the last; empty when they are equal.
 *
 * @param party whose moves may be used; absent: anybody's.
 * @returns undefined when there is no legal way.
 */
export function taskPath(
  from: TaskStatus,
  to: TaskStatus,
  party?: Party,
  moves = referralTaskMoves,
): TaskStatus[] | undefined {
  const reached = new Map<TaskStatus, TaskStatus[]>([[from, []]]);
  for (const [status, path] of reached) {
    if (status === to) return path;
    for (const next of legalMoves(status, party, moves)) {
      if (!reached.has(next)) reached.set(next, [...path, next]);
    }
  }
  return undefined;
}

/** The statuses that the party (absent: anybody) may set from this one. */
export function legalMoves(from: TaskStatus, party?: Party, moves = referralTaskMoves): TaskStatus[] {
  return taskStatuses.filter((to) => {
    const parties = moves[from]?.[to];
    return parties !== undefined && (party === undefined || parties.includes(party));
  });
}
