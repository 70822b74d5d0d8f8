// The record of every request that reached a simulated server, in the order in which it was handled. Tests count and compare by it, so it
// keeps everything; secrets are masked before they come in.

import type { Json } from '../json.ts';
import type { SandboxRequest } from './exchange.ts';

export interface JournalWrite {
  resourceType: string;
  id: string;
  version: string;
  kind: 'create' | 'update' | 'delete';
}

export interface JournalEntry {
  /** 1, 2, 3 … */
  n: number;
  /** ISO instant on the server's clock. */
  at: string;
  /** Real time of arrival, in milliseconds with fractions, on a clock that never jumps: rates are checked by it. */
  arrivedAt: number;
  method: string;
  /** Path and query. */
  url: string;
  requestHeaders: Readonly<Record<string, string | undefined>>;
  /** JSON where it is JSON, else text; absent without a body. */
  requestBody?: Json;
  /** What was sent; 0 when the connection was cut instead. */
  status: number;
  responseHeaders: Readonly<Record<string, string>>;
  /** Whether the server carried out a create, update, delete, transaction or batch, whatever the client got to hear. */
  committed: boolean;
  /** Versions that came into being; none when the store already said the same. */
  writes: readonly JournalWrite[];
}

export class Journal {
  readonly #entries: JournalEntry[] = [];

  add(entry: Omit<JournalEntry, 'n'>): void {
    this.#entries.push({ n: this.#entries.length + 1, ...entry });
  }

  /** At most `limit` entries with a number above `after`. */
  list(after: number, limit: number): readonly JournalEntry[] {
    return this.#entries.slice(after, after + limit);
  }

  clear(): void {
    this.#entries.length = 0;
  }
}

/** Headers for the journal: of credentials only the scheme stays. */
export function maskedHeaders(headers: SandboxRequest['headers']): JournalEntry['requestHeaders'] {
  const { authorization } = headers;
  return authorization === undefined ? headers : { ...headers, authorization: `${authorization.split(' ')[0]} ***` };
}

/** Body for the journal: of a token request the credentials are left out. */
export function maskedBody(request: SandboxRequest): Json | undefined {
  if (request.text === '') return undefined;
  if (request.mediaType === 'application/x-www-form-urlencoded') {
    return request.text.replace(/(^|&)(client_assertion|client_secret)=[^&]*/g, '$1$2=***');
  }
  return request.json?.value ?? request.text;
}
