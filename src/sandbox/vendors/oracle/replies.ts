// The replies that are not plain FHIR: refused tenants and media types (C3, C5), missing tokens and scopes (C4), too many requests (C21),
// and the ids that every reply carries (C6).

import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../json.ts';
import type { Action } from '../../engine/engine.ts';
import { operationOutcome, Refusal } from '../../engine/outcome.ts';
import { jsonReply, type Reply } from '../../exchange.ts';
import type { OracleSettings } from './settings.ts';

/** Replies that come in two forms, each in its turn, so that a run repeats. */
export class Turns {
  readonly #counts = new Map<string, number>();

  /** False, true, false, true … per subject. */
  next(subject: string): boolean {
    const count = this.#counts.get(subject) ?? 0;
    this.#counts.set(subject, count + 1);
    return count % 2 === 1;
  }

  clear(): void {
    this.#counts.clear();
  }
}

export function mediaTypeOf(settings: OracleSettings, turns: Turns): string {
  if (settings.mediaType !== 'alternate') return settings.mediaType;
  return turns.next('media type') ? 'application/json+fhir' : 'application/fhir+json';
}

/** An OperationOutcome. A broken record is fatal, all else an error; a deleted resource says what the settings want. */
export function refusalReply({ status, issues, headers }: Refusal, settings: OracleSettings, mediaType: string): Reply {
  const [issue] = issues;
  const isGone = status === 410 && settings.deletedStatus === 404;
  const outcome = operationOutcome('error', isGone ? [{ code: 'not-found', text: 'Not Found' }] : issues);
  const fatal: JsonObject = {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'fatal', code: issue?.code ?? 'exception', details: { text: issue?.text ?? '' } }],
  };
  const reply = jsonReply(isGone ? 404 : status, status === 500 ? fatal : outcome, mediaType);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

export function wrongTenant(): Reply {
  return {
    status: 403,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: 'Tenant not valid or accessible',
  };
}

export function notAcceptable(): Reply {
  return { status: 406, headers: {} };
}

/** @param realm names the server; @param hadToken whether one was sent */
export function unauthorized(realm: string, hadToken: boolean): Refusal {
  const text = hadToken ? 'Token has expired or signature is invalid' : 'An access token is required';
  const challenge = `Bearer realm="${realm}"${hadToken ? ', error="invalid_token"' : ''}`;
  return new Refusal(401, [{ code: hadToken ? 'expired' : 'login', text }], { 'www-authenticate': challenge });
}

/** A missing scope is said by the FHIR server or by the gateway before it, which knows no FHIR. */
export function forbidden(
  settings: OracleSettings,
  turns: Turns,
  realm: string,
  mediaType: string,
  wanted: { type: string; action: Action },
): Reply {
  const byGateway =
    settings.forbiddenShape === 'alternate' ? turns.next('forbidden') : settings.forbiddenShape === 'gateway';
  if (byGateway) {
    const message = `Access to ${wanted.type} is forbidden; code=forbidden, subcode=no_scope_for_resource_path`;
    return jsonReply(403, { code: 403, message });
  }
  const diagnostics = `Bearer realm="${realm}", error="insufficient_scope"`;
  const issue = { severity: 'error', code: 'forbidden', diagnostics, expression: ['http.Authorization'] };
  const reply = jsonReply(403, { resourceType: 'OperationOutcome', issue: [issue] }, mediaType);
  return { ...reply, headers: { ...reply.headers, 'www-authenticate': diagnostics } };
}

/** @param now real time: clients wait by it */
export function throttled({ retryAfter, retryAfterSeconds }: NonNullable<OracleSettings['throttle']>, now: number) {
  const headers: Record<typeof retryAfter, Record<string, string>> = {
    none: {},
    seconds: { 'retry-after': String(retryAfterSeconds) },
    date: { 'retry-after': new Date(now + retryAfterSeconds * 1000).toUTCString() },
  };
  return new Refusal(429, [{ code: 'throttled', text: 'There are too many requests.' }], headers[retryAfter]);
}

/** The reply with the ids by which the vendor finds it again. */
export function withIds(reply: Reply, settings: OracleSettings, turns: Turns): Reply {
  const id = randomUUID().replaceAll('-', '');
  const isCloud = settings.opcRequestId === 'sometimes' ? turns.next('cloud') : settings.opcRequestId === 'always';
  return {
    ...reply,
    headers: {
      'cache-control': 'no-cache',
      ...reply.headers,
      'x-request-id': id,
      ...(isCloud && { 'opc-request-id': `/${id.slice(0, 16).toUpperCase()}/${id.slice(16).toUpperCase()}` }),
    },
  };
}
