// The ways in which a request can fail without a usable FHIR answer, each with one plain sentence.
// Texts name the host only: no path, no query, no body, so that no record content reaches a log.

import type { ErrorCode, ErrorParameters, Reason } from '../errors.ts';
import { reason } from '../errors.ts';

export type FaultKind =
  | 'timeout'
  | 'reset'
  | 'refused'
  | 'dns'
  | 'tls'
  | 'too-large'
  | 'redirect'
  | 'not-json'
  | 'auth'
  | 'aborted'
  /** Not sent: the connection rests (`budget.ts`). */
  | 'resting';

export interface Fault {
  readonly fault: FaultKind;
  /** True when bytes of the request may have reached the server: a write's outcome is then unknown. */
  readonly sent: boolean;
  readonly text: string;
  /** The HTTP status, where one was read. */
  readonly status?: number;
  /** It says that it is JSON, and is not. */
  readonly isBroken?: true;
  /** What a program needs to know; `text` is its text. Made by every fault of this folder. */
  readonly reason?: Reason;
  /** What the server asked us to wait, in milliseconds, within the bounds of `retry-after.ts`. */
  readonly retryAfterMs?: number;
}

/** A fault whose text is the one of an error code. */
export function makeFault(
  kind: FaultKind,
  sent: boolean,
  code: ErrorCode,
  parameters: ErrorParameters,
  more: Pick<Fault, 'status' | 'retryAfterMs' | 'isBroken'> = {},
): Fault {
  const why = reason(code, parameters);
  return { fault: kind, sent, text: why.text, reason: why, ...more };
}

/** The error code by which a lookup refuses a name, so that nothing is connected to. */
export const addressNotPublic = 'EADDRNOTPUBLIC';

/** Where an error code of Node's network layer belongs. Anything else is a broken exchange: 'reset'. */
export function networkFault(code: string, sent: boolean, host: string, status?: number): Fault {
  // A certificate is checked before anything is sent; what else goes wrong with TLS may do so at any time.
  const problem = certificateProblems[code];
  if (problem !== undefined)
    return makeFault('tls', false, 'connection-certificate', { host, problem: `${problem} (${code})` });
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || code === 'EPROTO')
    return makeFault('tls', sent, 'connection-tls', { host, problem: code });
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
      return makeFault('dns', false, 'connection-dns', { host });
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return makeFault('refused', false, 'connection-refused', { host });
    case addressNotPublic:
      return makeFault('refused', false, 'address-not-public', { host });
    case 'ETIMEDOUT':
      return makeFault('timeout', sent, 'connection-timeout', { host }, { status });
    default:
      return makeFault('reset', sent, 'connection-reset', { host }, { status });
  }
}

const certificateProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is made out to another host',
  HOSTNAME_MISMATCH: 'it is made out to another host',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here',
};
