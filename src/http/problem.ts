// Errors as RFC 9457 problem details. What a caller did wrong is told; what went wrong here is logged under the request's id.

import { STATUS_CODES } from 'node:http';
import { types } from 'node:util';
import type { Response } from 'express';
import type { Logger } from 'pino';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { factsOf } from '../fault.ts';
import { operationOutcome } from '../fhir/fhir.ts';
import type { Json, JsonObject } from '../json.ts';
import type { FieldError } from '../records/records.ts';

/** A refusal that lists what is wrong, field by field. */
export class FieldsRefused extends CasebridgeError {
  readonly errors: readonly FieldError[];

  /** @param count of records, where several are refused */
  constructor(
    code: 'record-id-differs' | 'record-refused' | 'records-refused' | 'request-refused',
    errors: readonly FieldError[],
    count = errors.length,
  ) {
    super(code, { count });
    this.errors = errors;
  }
}

export interface Problem {
  readonly status: number;
  readonly body: JsonObject;
  /** When it is worth trying again. */
  readonly retryAfterSeconds?: number;
}

/** The problem that a caller is told of. */
export function problemOf(error: unknown, requestId: string): Problem {
  const known = knownError(error) ?? new CasebridgeError('internal', { requestId });
  const { status } = known.kind;
  const errors: Json = fieldErrors(known, error).map((field) => ({ ...field }));
  return {
    status,
    body: {
      type: `urn:casebridge:error:${known.code}`,
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail: known.message,
      code: known.code,
      requestId,
      ...(errors.length > 0 && { errors }),
    },
    ...waitOf(known),
  };
}

/** The same as an OperationOutcome. */
export function outcomeOf(error: unknown, requestId: string): Problem {
  const known = knownError(error) ?? new CasebridgeError('internal', { requestId });
  return {
    status: known.kind.status,
    body: operationOutcome('error', known.kind.issue, known.message),
    ...waitOf(known),
  };
}

// About as long as a database server takes to start again.
const retryAfterSeconds = 5;

function waitOf({ code, kind, parameters }: CasebridgeError): Pick<Problem, 'retryAfterSeconds'> {
  if (kind.status === 429 && typeof parameters.seconds === 'number') return { retryAfterSeconds: parameters.seconds };
  return code === 'store-unavailable' ? { retryAfterSeconds } : {};
}

function fieldErrors(known: CasebridgeError, error: unknown): readonly FieldError[] {
  if (error instanceof FieldsRefused) return error.errors;
  if (known.code !== 'json-invalid') return [];
  // As a line of a stream is answered that breaks the same rule.
  const rule = String(known.parameters.rule);
  return [{ pointer: '', rule, found: 'text that is not JSON', message: known.message }];
}

/** Answers with the problem. A body that has not been read whole ends the connection, after the caller had time to read the answer. */
export function sendProblem(
  response: Response,
  problem: Problem,
  type = 'application/problem+json',
  text = JSON.stringify(problem.body),
): void {
  const { req: request } = response;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.status(problem.status).type(type).setHeader('content-length', Buffer.byteLength(text));
  if (problem.retryAfterSeconds !== undefined) response.setHeader('retry-after', problem.retryAfterSeconds);
  if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (request.complete || !hasBody(request.headers)) {
    response.end(text);
    return;
  }
  response.setHeader('connection', 'close');
  // The caller may close before the response is ended, and has the whole of it all the same.
  response.write(text, (error) => {
    response.locals.isWhole = !error;
  });
  request.resume();
  const lingering = setTimeout(() => response.end(), lingerMs);
  request.once('close', () => {
    clearTimeout(lingering);
    response.end();
  });
}

// Closing at once would reset the connection while the caller still sends, and it would never see the answer.
const lingerMs = 500;

export function hasBody(headers: Response['req']['headers']): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Logs an error that is our fault: its kind, code and place in the code, never its text, which may quote what was sent. */
export function logFault(logger: Logger, error: unknown, requestId: string): void {
  if (knownError(error) && statusOf(error) < 500) return;
  logger.error({ requestId, ...factsOf(error) }, 'request failed');
}

function statusOf(error: unknown): number {
  return knownError(error)?.kind.status ?? 500;
}

function knownError(error: unknown): CasebridgeError | undefined {
  if (error instanceof CasebridgeError) return error;
  // Express refuses a malformed escape in the address so.
  if (types.isNativeError(error) && 'status' in error && error.status === 400)
    return new CasebridgeError('request-malformed');
  return isStoreAway(errorCode(error) ?? '') ? new CasebridgeError('store-unavailable') : undefined;
}

/** SQLSTATE classes 08 (connection), 53 (resources) and 58 (its system), 57P0x (shutdown), and Node's own words for an unreachable server. */
function isStoreAway(code: string): boolean {
  return (
    /^(08|53|57P0|58)/.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'].includes(code)
  );
}
