// FHIR over HTTP: from a request to the engine and from its answer to a reply. Media types, Prefer, ETag, Location, OperationOutcome.

import type { Json, JsonObject } from '../../json.ts';
import { jsonReply, type Reply, type SandboxRequest } from '../exchange.ts';
import { locationOf } from './bundle-entry.ts';
import { dispatch } from './dispatch.ts';
import { type Answer, type Engine, type FhirCall, shown } from './engine.ts';
import { operationOutcome, Refusal, refusal } from './outcome.ts';
import type { Version } from './store.ts';
import { processBundle } from './transaction.ts';

export interface FhirResult {
  reply: Reply;
  committed: boolean;
  written: readonly Version[];
}

const fhirJson = 'application/fhir+json';
const bodyTypes: Readonly<Record<string, readonly string[]>> = {
  POST: [fhirJson, 'application/json'],
  PUT: [fhirJson, 'application/json'],
  PATCH: ['application/json-patch+json'],
};
const formType = 'application/x-www-form-urlencoded';
const methods: readonly FhirCall['method'][] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/**
 * Handles one request below the FHIR base, in one go.
 * @param path below the base, without a slash at the start
 * @param base URL of the server, without a slash at the end
 */
export function handleFhir(
  engine: Engine,
  request: SandboxRequest,
  path: string,
  base: string,
  may: FhirCall['may'],
): FhirResult {
  try {
    checkAccept(request);
    const call = readCall(request, path, base, may);
    const { result, written } = engine.store.transact(() => answer(engine, call));
    engine.view.publish(written, engine.clock.now(), engine.settings.searchLagMs);
    const committed = call.method !== 'GET' && !path.endsWith('_search');
    return { reply: replyTo(engine, call, result), committed, written };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { reply: refusalReply(error), committed: false, written: [] };
  }
}

/** An OperationOutcome with the status and headers of the refusal. */
export function refusalReply({ status, issues, headers }: Refusal): Reply {
  const reply = jsonReply(status, operationOutcome('error', issues), fhirJson);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

/** A resource as an answer of 200. */
export function resourceReply(resource: JsonObject): Reply {
  return jsonReply(200, resource, fhirJson);
}

/** @throws Refusal 406 when the client wants no JSON */
export function checkAccept(request: SandboxRequest): void {
  const wanted = request.url.searchParams.get('_format') ?? request.headers.accept ?? '*/*';
  const takesJson = wanted
    .split(',')
    .some((part) => /^\s*(\*\/\*|application\/\*|application\/(fhir\+)?json|json)\s*(;|$)/i.test(part));
  if (!takesJson) throw refusal(406, 'not-supported', `This server answers ${fhirJson} only.`);
}

function answer(engine: Engine, call: FhirCall): Answer {
  if (call.path !== '') return dispatch(engine, call);
  if (call.method !== 'POST' || !engine.settings.transactions) {
    const allow = engine.settings.transactions ? 'POST' : '';
    throw new Refusal(405, [{ code: 'not-supported', text: 'The base of this server does not take this method.' }], {
      allow,
    });
  }
  return processBundle(engine, call);
}

function readCall(request: SandboxRequest, path: string, base: string, may: FhirCall['may']): FhirCall {
  const method = methods.find((known) => known === request.method) ?? 'OPTIONS';
  const isSearch = method === 'POST' && path.endsWith('/_search');
  if (isSearch && request.mediaType !== formType) throw wrongMediaType(formType);
  const form = isSearch ? [...new URLSearchParams(request.text)] : [];
  const body = isSearch ? undefined : readBody(request, method);
  return {
    method,
    path,
    query: [...request.url.searchParams, ...form],
    headers: request.headers,
    base,
    may,
    ...(body !== undefined && { body }),
  };
}

function readBody(request: SandboxRequest, method: string): Json | undefined {
  const types = bodyTypes[method];
  if (types === undefined) return undefined;
  if (!types.includes(request.mediaType)) throw wrongMediaType(types[0] ?? fhirJson);
  if (request.json === undefined) throw refusal(400, 'structure', 'The body is no JSON.');
  return request.json.value;
}

function wrongMediaType(expected: string): Refusal {
  return refusal(415, 'not-supported', `Content-Type must be ${expected} here.`);
}

function replyTo(engine: Engine, call: FhirCall, { status, body, version, located }: Answer): Reply {
  const headers: Record<string, string> = {};
  if (version !== undefined) {
    if (engine.settings.versions) headers.etag = `W/"${version.number}"`;
    headers['last-modified'] = new Date(version.at).toUTCString();
    if (located === true) headers.location = `${call.base}/${locationOf(engine, version)}`;
  }
  const content = body ?? (version?.resource && chosen(engine, call, version, located === true));
  if (content === undefined) return { status, headers };
  const reply = jsonReply(status, content, fhirJson);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

/** After a write the client may choose what comes back. */
function chosen(engine: Engine, call: FhirCall, version: Version, isWrite: boolean): JsonObject | undefined {
  const wanted = isWrite ? /\breturn=(\w+)/.exec(call.headers.prefer ?? '')?.[1] : undefined;
  if (wanted === 'minimal') return undefined;
  if (wanted !== 'OperationOutcome') return shown(engine, version);
  return operationOutcome('information', [{ code: 'informational', text: 'Stored.' }]);
}
