// Where a server gives out tokens: its smart-configuration, else the oauth-uris extension of its CapabilityStatement.
// Never configured by hand: vendors move it, and it differs per tenant. SMART App Launch 2.2 conformance.html.

import { isObject, type Json, type JsonObject, objectsIn } from '../../json.ts';
import type { HttpReply } from '../exchange.ts';
import type { Fault } from '../faults.ts';
import { makeFault } from '../faults.ts';
import { readJsonBody } from '../json-body.ts';
import { requestUrl } from '../url.ts';
import type { AuthParts } from './auth.ts';

const oauthUris = 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris';

/** The token endpoint, or why there is none. It may be on another host, but not without TLS where the server has it. */
export async function findTokenEndpoint(parts: AuthParts): Promise<URL | Fault> {
  const { baseUrl } = parts;
  const { host } = baseUrl;
  const discovered = await readJson('.well-known/smart-configuration', 'application/json', parts);
  if (discovered !== undefined && 'fault' in discovered) {
    return discovered.fault;
  }
  const statement = discovered?.body.token_endpoint
    ? undefined
    : await readJson('metadata', 'application/fhir+json', parts);
  if (statement !== undefined && 'fault' in statement) {
    return statement.fault;
  }
  const text = discovered?.body.token_endpoint ?? tokenUri(statement?.body);
  if (typeof text !== 'string' || !URL.canParse(text)) {
    return makeFault('auth', false, 'connection-token-endpoint-missing', { host });
  }
  const endpoint = new URL(text);
  if (endpoint.protocol !== 'https:' && endpoint.protocol !== baseUrl.protocol) {
    return makeFault('auth', false, 'connection-token-endpoint-open', { host, target: endpoint.origin });
  }
  return endpoint;
}

/** The JSON object at a path; undefined: the server has none there; a fault: it could not be asked. */
async function readJson(
  path: string,
  accept: string,
  parts: AuthParts,
): Promise<{ body: JsonObject } | { fault: Fault } | undefined> {
  const url = requestUrl(parts.baseUrl, path);
  const deadline = { at: Number.POSITIVE_INFINITY, signal: new AbortController().signal };
  const reply: HttpReply | Fault = await parts.exchanger.exchange({
    method: 'GET',
    url,
    headers: { accept },
    deadline,
  });
  if (reply.fault !== undefined) {
    return { fault: { ...reply, sent: false } };
  }
  if (reply.status >= 500) {
    const { status } = reply;
    return { fault: makeFault('auth', false, 'connection-token-unavailable', { host: url.host, status }, { status }) };
  }
  const json = reply.status === 200 ? readJsonBody(reply.bytes, reply.headers['content-type']) : undefined;
  return json !== undefined && 'value' in json && isObject(json.value) ? { body: json.value } : undefined;
}

function tokenUri(statement: JsonObject | undefined): Json | undefined {
  return objectsIn(statement?.rest)
    .flatMap((rest) => (isObject(rest.security) ? objectsIn(rest.security.extension) : []))
    .filter((extension) => extension.url === oauthUris)
    .flatMap((extension) => objectsIn(extension.extension))
    .find((part) => part.url === 'token')?.valueUri;
}
