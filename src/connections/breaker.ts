// Leaves a server alone that does not answer: after a few failures in a row, over all processes, nothing is sent for a growing time, then one
// request asks whether it is well. Pure; the state is kept with the budget, because a library's breaker would know one process only.

export interface Breaker {
  /** Failures in a row. */
  readonly failures: number;
  /** How often it has opened since a request of ours was last answered. */
  readonly openings: number;
  /** Present while it is open: from then on one request may ask. */
  readonly openUntil?: number;
  /** Present while one request asks. */
  readonly probeUntil?: number;
}

export const closedBreaker: Breaker = { failures: 0, openings: 0 };

const mostFailures = 5;
const firstOpenMs = 5_000;
const longestOpenMs = 5 * 60_000;
/** Longer than any request may take; a process that dies with it costs so much. */
const probeMs = 45_000;

/** What came back since the last word: whether anything was answered, and how many failed after that. */
export interface Answers {
  readonly succeeded: boolean;
  readonly failed: number;
}

/** @param random 0 to 1, spreads the time to the next try over its upper half */
export function afterAnswers(before: Breaker, { succeeded, failed }: Answers, now: number, random: number): Breaker {
  if (succeeded) return failed === 0 ? closedBreaker : afterFailures(closedBreaker, failed, now, random);
  // What was under way when it opened tells nothing new.
  return failed === 0 || before.openUntil !== undefined ? before : afterFailures(before, failed, now, random);
}

function afterFailures(before: Breaker, failed: number, now: number, random: number): Breaker {
  const failures = before.failures + failed;
  return failures < mostFailures ? { ...before, failures } : opened({ ...before, failures }, now, random);
}

function opened({ failures, openings }: Breaker, now: number, random: number): Breaker {
  const ms = Math.min(longestOpenMs, firstOpenMs * 2 ** Math.min(openings, 10));
  return { failures, openings: openings + 1, openUntil: now + Math.round(ms / 2 + (ms / 2) * random) };
}

/** The one request that may ask now; undefined when it is not time, or another one is at it. */
export function claimProbe(before: Breaker, now: number): Breaker | undefined {
  const { openUntil, probeUntil } = before;
  if (openUntil === undefined || openUntil > now || (probeUntil !== undefined && probeUntil > now)) return undefined;
  return { ...before, probeUntil: now + probeMs };
}

/** A server that answers a simple question may still fail at real ones: then the next failure opens it again, for longer. */
export function afterProbe(before: Breaker, isWell: boolean, now: number, random: number): Breaker {
  if (before.openUntil === undefined) return before;
  const { failures, openings } = before;
  return isWell ? { failures: mostFailures - 1, openings } : opened({ failures: failures + 1, openings }, now, random);
}
