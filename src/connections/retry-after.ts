// Retry-After (RFC 9110 section 10.2.3) in both forms, seconds and HTTP date, kept within bounds: a server can neither
// make us hammer it nor silence a connection for a year.

import { DateTime } from 'luxon';

const shortestMs = 1_000;
const longestMs = 15 * 60_000;

/** How a server asks for a pause that is not taken as it says it: longer or shorter than the bounds, or in neither form. */
export type OddWait = 'too-long' | 'too-short' | 'unreadable';

/**
 * Milliseconds to wait, from 1 s to 15 min. A date is compared with the reply's own Date header where there is one, so that
 * different clocks don't matter. Undefined for no header, or one that is neither form.
 */
export function retryAfterMs(header: string | undefined, dateHeader: string | undefined): number | undefined {
  const ms = askedMs(header, dateHeader);
  return ms === undefined ? undefined : Math.min(Math.max(ms, shortestMs), longestMs);
}

/** Undefined: there is no such header, or it is taken as it is. */
export function oddWait(header: string | undefined, dateHeader: string | undefined): OddWait | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  const ms = askedMs(header, dateHeader);
  if (ms === undefined) return 'unreadable';
  if (ms > longestMs) return 'too-long';
  return ms < shortestMs ? 'too-short' : undefined;
}

function askedMs(header: string | undefined, dateHeader: string | undefined): number | undefined {
  const text = header?.trim() ?? '';
  if (/^[+-]?\d+$/.test(text)) {
    return Number(text) * 1000;
  }
  const until = DateTime.fromHTTP(text);
  const sentAt = DateTime.fromHTTP(dateHeader ?? '');
  return until.isValid ? until.toMillis() - (sentAt.isValid ? sentAt.toMillis() : Date.now()) : undefined;
}
