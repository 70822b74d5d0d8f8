// How far a server's clock is from ours, by the Date header of its reply.

import { DateTime } from 'luxon';

/** Less than this is delay and rounding. An assertion's start is set back by as much. */
const toleratedSeconds = 30;

/** Seconds that the server is ahead (negative: behind); undefined when within 30 s, or unknown. */
export function clockSkewSeconds(dateHeader: string | undefined, now: number): number | undefined {
  const theirs = DateTime.fromHTTP(dateHeader ?? '');
  const seconds = theirs.isValid ? Math.round((theirs.toMillis() - now) / 1000) : 0;
  return Math.abs(seconds) > toleratedSeconds ? seconds : undefined;
}
