// Retry-After (RFC 9110 section 10.2.3) in both forms, seconds and HTTP date, kept within bounds: a server can neither
// make us hammer it nor silence a connection for a year.

import { DateTime } from 'luxon';

const shortestMs = 1_000;
const longestMs = 15 * 60_000;

/**
 * Milliseconds to wait, from 1 s to 15 min. A date is compared with the reply's own Date header where there is one, so that
 * different clocks don't matter. Undefined for no header, or one that is neither form.
 */
export function retryAfterMs(header: string | undefined, dateHeader: string | undefined): number | undefined {
  const text = header?.trim() ?? '';
  if (/^[+-]?\d+$/.test(text)) {
    return bounded(Number(text) * 1000);
  }
  const until = DateTime.fromHTTP(text);
  const sentAt = DateTime.fromHTTP(dateHeader ?? '');
  return until.isValid ? bounded(until.toMillis() - (sentAt.isValid ? sentAt.toMillis() : Date.now())) : undefined;
}

function bounded(ms: number): number {
  return Math.min(Math.max(ms, shortestMs), longestMs);
}
