// Requests of the demo's actors. They are strangers to Casebridge: all they know of it and of each other is HTTP.

import type { Json } from '../json.ts';
import { DemoProblem } from './problem.ts';

export interface Answer {
  readonly headers: Headers;
  /** Undefined for an empty body; the lines as a list where it is NDJSON. */
  readonly body: Json | undefined;
}

export interface Request {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; text is sent as it is. */
  readonly body?: unknown;
  readonly mediaType?: string;
  readonly signal: AbortSignal;
}

const answerWithinMs = 60_000;

/** @throws DemoProblem for any status but 2xx, and where no answer comes */
export async function call(method: string, url: string, request: Request): Promise<Answer> {
  const { token, headers, body, mediaType = 'application/json', signal } = request;
  const limit = AbortSignal.timeout(answerWithinMs);
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': mediaType }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.any([signal, limit]),
    });
    const text = await response.text();
    if (!response.ok) throw new DemoProblem(`${method} ${url} was answered with ${response.status}: ${text}`);
    return { headers: response.headers, body: parsed(text, response.headers.get('content-type') ?? '') };
  } catch (error) {
    if (error instanceof DemoProblem || signal.aborted) throw error;
    const why = limit.aborted ? `in ${answerWithinMs / 1000} seconds` : `(${causeOf(error)})`;
    throw new DemoProblem(`${method} ${url} got no answer ${why}.`, { cause: error });
  }
}

function parsed(text: string, mediaType: string): Json | undefined {
  if (text === '') return undefined;
  if (!mediaType.includes('ndjson')) return JSON.parse(text);
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause ? String(cause.code) : cause.message;
}
