// The interface for partners' systems as HTTP: FHIR below /fhir/R4, and the token endpoint. Refusals are an OperationOutcome there, and what RFC 6749 says
// here.

import type { Request, RequestHandler, Response } from 'express';
import { rateLimit } from '../access/access.ts';
import { CasebridgeError } from '../errors.ts';
import { type FacadeAnswer, type FacadeCall, isOfferedType, methodsAt } from '../facade/facade.ts';
import { parseJson } from '../records/records.ts';
import { checkBodyHeaders, readBody } from './body.ts';
import type { GatewayApi } from './gateway-api.ts';
import { hasBody } from './problem.ts';
import type { Call, HttpLimits, Route } from './route.ts';

export const fhirPath = '/fhir/R4';

const fhirTypes = ['application/fhir+json', 'application/json'];

/** Answers below `fhirPath`. */
export function fhirHandler({ partnerInterface }: GatewayApi, limits: HttpLimits): RequestHandler {
  const { facade, tokens } = partnerInterface;
  const limit = rateLimit(limits.partnerRequestsPerMinute, () => performance.now());
  return async (request, response) => {
    const call = readCall(request, response, limits);
    const [resourceType = ''] = call.path.split('/');
    const isKnown = isOfferedType(resourceType) || resourceType === 'metadata';
    response.locals.route = `${request.method} ${fhirPath}/${isKnown ? resourceType : '?'}`;
    const open = facade.open(call);
    if (open?.type === undefined) checkAnswerType(request, call.query);
    if (open !== undefined) return send(response, open);
    const token = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new CasebridgeError('token-missing');
    const holder = await tokens.holderOf(token);
    if (holder === undefined) throw new CasebridgeError('token-expired');
    response.locals.caller = `client ${holder.client.id}`;
    const seconds = limit.take(holder.client.id);
    if (seconds !== undefined)
      throw new CasebridgeError('requests-too-many', { limit: limits.partnerRequestsPerMinute, seconds });
    try {
      send(response, await facade.answer(call, holder));
    } catch (error) {
      if (error instanceof CasebridgeError && error.code === 'interaction-unknown')
        response.setHeader('allow', methodsAt(call.path).join(', '));
      throw error;
    }
  };
}

function readCall(request: Request, response: Response, limits: HttpLimits): FacadeCall {
  const start = request.url.indexOf('?');
  const path = decoded(start === -1 ? request.url : request.url.slice(0, start));
  return {
    method: methodOf(request),
    path: path.replace(/^\/+/, ''),
    query: new URLSearchParams(start === -1 ? '' : request.url.slice(start)),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    ),
    body: async () => {
      checkBodyHeaders(request, fhirTypes);
      return parseJson(await readBody(request, { ...limits, bodyBytes: limits.partnerBodyBytes }));
    },
    requestId: String(response.getHeader('x-request-id')),
  };
}

/** What is asked by HEAD is what GET would be answered; its body is not sent (RFC 9110 9.3.2). */
function methodOf({ method }: Request): string {
  return method === 'HEAD' ? 'GET' : method;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new CasebridgeError('request-malformed');
  }
}

/** JSON is what there is; `_format` goes before the header (FHIR R4 http.html). */
function checkAnswerType(request: Request, query: URLSearchParams): void {
  const format = query.get('_format');
  const isWanted =
    format === null
      ? request.accepts(fhirTypes) !== false
      : ['json', 'text/json', ...fhirTypes].includes(format.replaceAll(' ', '+'));
  if (!isWanted) throw new CasebridgeError('answer-type-unknown', { types: fhirTypes.join(' or ') });
}

function send(response: Response, { status, body, type = 'application/fhir+json', headers = {} }: FacadeAnswer): void {
  const { req: request } = response;
  if (!request.complete && hasBody(request.headers)) response.setHeader('connection', 'close');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const isBrief = methodOf(request) !== 'GET' && /\breturn=minimal\b/.test(String(request.headers.prefer));
  response.status(status).type(type);
  response.send(isBrief ? '' : JSON.stringify(body));
}

export const tokenRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/oauth/token',
    summary: "A token for a partner's system (SMART Backend Services: client_credentials with private_key_jwt).",
    access: 'anyone',
    takes: ['application/x-www-form-urlencoded'],
    checksBody: true,
    accepts: 'anything',
    handle: postToken,
  },
  {
    method: 'GET',
    path: '/.well-known/smart-configuration',
    summary: "How partners' systems get a token.",
    access: 'anyone',
    accepts: 'anything',
    handle: async ({ gateway }) => gateway.partnerInterface.smartConfiguration,
  },
];

async function postToken({ gateway, limits, request, response, requestId }: Call): Promise<object> {
  response.setHeader('pragma', 'no-cache');
  const form = await readForm(request, limits);
  if (form === undefined) {
    response.status(400);
    return { error: 'invalid_request', error_description: 'The body must be application/x-www-form-urlencoded.' };
  }
  const { status, body, retryAfter } = await gateway.partnerInterface.tokens.answer(form, requestId);
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  response.status(status);
  return body;
}

/** Undefined for what is no form. */
async function readForm(request: Request, limits: HttpLimits): Promise<URLSearchParams | undefined> {
  try {
    checkBodyHeaders(request, ['application/x-www-form-urlencoded']);
    const body = await readBody(request, { ...limits, bodyBytes: mostFormBytes });
    return new URLSearchParams(body.toString('utf8'));
  } catch (error) {
    if (error instanceof CasebridgeError) return undefined;
    throw error;
  }
}

const mostFormBytes = 20_000;
