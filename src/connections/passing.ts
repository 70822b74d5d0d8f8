// Which failures of a read may be over by the next moment.

import type { FhirReply } from './client.ts';
import type { Fault } from './faults.ts';

const passingStatuses = [500, 502, 503, 504];

/**
 * True where asking the same once more, at once, may well do: the connection was closed before an answer, the answer was cut, or the server failed
 * without asking to be left alone. A case takes many reads in a row; one that fails by chance must not cost it all the others (ehr-behaviour 6.3).
 * Not after a timeout: whoever waited so long would wait as long again.
 */
export function isPassing(reply: FhirReply | Fault): boolean {
  if (reply.retryAfterMs !== undefined) return false;
  if (reply.fault === 'reset') return true;
  if (reply.fault !== undefined && reply.fault !== 'not-json') return false;
  const isCut = reply.fault === 'not-json' && reply.isBroken === true;
  return isCut || passingStatuses.includes(reply.status ?? 0);
}
