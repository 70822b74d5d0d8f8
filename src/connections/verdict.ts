// What one reply says of the server as a whole, whatever it says of the resource.

import type { HttpReply } from './exchange.ts';
import type { Fault, FaultKind } from './faults.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * `served`: it answered, be it with a refusal. `failed`: it did not, or only to say that it cannot. `none`: says nothing of it. `waitMs`: it
 * wants to be left alone, for so long where it says how long.
 */
export type Verdict = 'served' | 'failed' | 'none' | { readonly waitMs: number | undefined };

const failures: readonly FaultKind[] = ['timeout', 'reset', 'refused', 'dns'];

export function verdictOf(reply: HttpReply | Fault): Verdict {
  if (reply.fault !== undefined) return failures.includes(reply.fault) ? 'failed' : 'none';
  const waitMs = retryAfterMs(reply.headers['retry-after'], reply.headers.date);
  if (reply.status === 429 || (reply.status === 503 && waitMs !== undefined)) return { waitMs };
  return reply.status >= 500 && reply.status !== 501 ? 'failed' : 'served';
}
