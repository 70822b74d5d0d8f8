// A FHIR server as the rest of Casebridge asks it: one request, one FHIR reply or one fault. Keeps credentials on the server's own
// origin, renews a refused token once, follows a read's redirects on the same origin, and believes only whole JSON.
// FHIR R4 http.html (headers, ETag, Location); ehr-behaviour section 3.

import { isObject, type JsonObject } from '../json.ts';
import type { Auth } from './auth/auth.ts';
import type { Deadline, MachineTime } from './deadline.ts';
import { startDeadline, unlessAborted } from './deadline.ts';
import type { Exchanger, HttpReply } from './exchange.ts';
import type { Fault } from './faults.ts';
import { makeFault } from './faults.ts';
import { readJsonBody } from './json-body.ts';
import { keepable, type Unkept } from './keepable.ts';
import type { Limiter } from './limiter.ts';
import type { ResourceLocation } from './location.ts';
import { readLocation } from './location.ts';
import { retryAfterMs } from './retry-after.ts';
import type { SearchFailure, SearchLimits, SearchResult } from './search.ts';
import { searchInParts, searchPages } from './search.ts';
import type { Query } from './url.ts';
import { requestUrl } from './url.ts';
import { isOffered, type Vendor } from './vendors/vendor.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export interface FhirRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Relative to the base URL; '' is the base itself. */
  readonly path: string;
  readonly query?: Query;
  /** For PATCH a JSON Patch (RFC 6902). */
  readonly body?: JsonObject | readonly JsonObject[];
  /** A version tag as the server gave it. */
  readonly ifMatch?: string;
  /** A search query, as in `identifier=system|value`. */
  readonly ifNoneExist?: string;
  /** Epoch ms; given up there, waiting for a place and a socket included (lanes.md 8). */
  readonly sendBefore?: number;
  /** Names the request in the server's log and in ours (FHIR R4 http.html, X-Request-Id). */
  readonly requestId?: string;
  /** Asks what changed: it takes the polls' part of the rate. */
  readonly isPoll?: boolean;
  /** The entries of a page that cannot be read are left out of it (`entry-cutter.ts`). */
  readonly cut?: boolean;
  /** What a write should answer with. @default 'representation' */
  readonly prefer?: 'representation' | 'minimal' | 'OperationOutcome';
}

export interface FhirReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  /** In the place of a body that cannot be kept. */
  readonly unkept?: Unkept;
  /** The ETag verbatim, else meta.versionId as a weak ETag. */
  readonly versionTag?: string;
  readonly location?: ResourceLocation;
  /** The Location header names another host: it was not read. */
  readonly locationElsewhere?: boolean;
  /** What the server asked us to wait, in milliseconds, within the bounds of `retry-after.ts`. */
  readonly retryAfterMs?: number;
  /** By what the server's support finds this request, as `name=value` pairs. */
  readonly requestId?: string;
  /** The read was redirected on the same origin, as Epic does for a merged patient. */
  readonly redirected?: boolean;
  readonly fault?: undefined;
}

export interface FhirClient {
  /**
   * One request. Never throws for what the network or the server does.
   * @throws CasebridgeError 'connection-path-invalid' for a path that no URL can carry
   */
  send(request: FhirRequest): Promise<FhirReply | Fault>;
  /** Every page of a search (`search.ts`). */
  searchAll(resourceType: string, query: Query, limits?: SearchLimits): Promise<SearchResult | SearchFailure>;
  /** `$match`: candidates for the patient in `parameters`, graded by the server. Changes nothing there, whatever comes back. */
  match(operation: string, parameters: JsonObject): Promise<SearchResult | SearchFailure>;
  /** Gives up what is under way and closes the sockets. */
  close(): void;
}

export interface ClientParts {
  /** Without a slash at the end. */
  readonly baseUrl: URL;
  readonly auth: Auth;
  readonly exchanger: Exchanger;
  readonly limiter: Limiter;
  readonly time: MachineTime;
  readonly vendor: Vendor;
  /** Sent with each request where the vendor has a header for it. */
  readonly clientId?: string;
}

const redirects = [301, 302, 303, 307, 308];
const mostRedirects = 3;

export function createClient(parts: ClientParts): FhirClient {
  const { baseUrl, auth, exchanger, limiter, time, vendor } = parts;
  const { host } = baseUrl;
  const closing = new AbortController();

  const aborted = () => makeFault('aborted', false, 'connection-aborted', { host });

  async function sendTo(url: URL, request: FhirRequest): Promise<FhirReply | Fault> {
    const deadline = startDeadline(request.sendBefore, closing.signal, time);
    try {
      return await follow(url, request, deadline);
    } finally {
      deadline.end();
    }
  }

  async function follow(url: URL, request: FhirRequest, deadline: Deadline): Promise<FhirReply | Fault> {
    let at = url;
    for (let hops = 0; ; hops += 1) {
      const reply = await withToken(at, request, deadline);
      if (reply.fault !== undefined || !redirects.includes(reply.status)) {
        return reply.fault === undefined ? readReply(reply, hops > 0) : reply;
      }
      const header = reply.headers.location ?? '';
      const target = URL.canParse(header, at.href) ? new URL(header, at.href) : undefined;
      if (request.method !== 'GET' || hops === mostRedirects || target?.origin !== baseUrl.origin) {
        const where = target?.origin ?? 'nowhere';
        return makeFault('redirect', true, 'connection-redirect', { host, target: where }, { status: reply.status });
      }
      at = target;
    }
  }

  /** A 401 renews the token and repeats the request, once: the server did nothing with it. */
  async function withToken(url: URL, request: FhirRequest, deadline: Deadline): Promise<HttpReply | Fault> {
    const first = await attempt(url, request, deadline);
    const refused = first.reply.fault === undefined && first.reply.status === 401;
    return refused && auth.forget(first.authorization) ? (await attempt(url, request, deadline)).reply : first.reply;
  }

  async function attempt(
    url: URL,
    request: FhirRequest,
    deadline: Deadline,
  ): Promise<{ reply: HttpReply | Fault; authorization?: string }> {
    const turn = await limiter.take(request.isPoll ? 'poll' : 'lane', deadline.signal);
    if (turn === undefined || turn.fault !== undefined) {
      return { reply: turn ?? aborted() };
    }
    let verdict: Verdict = 'none';
    try {
      const credentials = (await unlessAborted(auth.credentials(), deadline.signal)) ?? aborted();
      if ('fault' in credentials) {
        return { reply: { ...credentials, sent: false } };
      }
      const { authorization } = credentials;
      const headers = { ...requestHeaders(request), ...(authorization !== undefined && { authorization }) };
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const { method, cut } = request;
      const reply = await exchanger.exchange({ method, url, headers, body, deadline, cut });
      verdict = verdictOf(reply);
      return { reply, authorization };
    } finally {
      turn.release(verdict);
    }
  }

  function requestHeaders(request: FhirRequest): Record<string, string> {
    const isWrite = request.method !== 'GET';
    return {
      accept: 'application/fhir+json',
      ...vendor.headers,
      ...clientIdHeader(parts),
      ...(request.body !== undefined && {
        'content-type': request.method === 'PATCH' ? 'application/json-patch+json' : 'application/fhir+json',
      }),
      ...(isWrite && { prefer: `return=${request.prefer ?? 'representation'}` }),
      ...(request.requestId !== undefined && { 'x-request-id': request.requestId }),
      ...(request.ifMatch !== undefined && { 'if-match': request.ifMatch }),
      ...(request.ifNoneExist !== undefined && { 'if-none-exist': request.ifNoneExist }),
    };
  }

  function readReply(reply: HttpReply, redirected: boolean): FhirReply | Fault {
    const { status, headers } = reply;
    const wait = retryAfterMs(headers['retry-after'], headers.date);
    const json = readJsonBody(reply.bytes, headers['content-type']);
    const notFhir = (found: string, isBroken?: true) =>
      makeFault(
        'not-json',
        true,
        'connection-not-fhir',
        { host, status, found },
        { status, retryAfterMs: wait, isBroken },
      );
    if ('found' in json) {
      return notFhir(json.found, json.isBroken);
    }
    // Some servers answer an error with an empty JSON text; the status says it all.
    const body = isObject(json.value) ? json.value : undefined;
    if (body === undefined && json.value !== undefined && status < 400) {
      return notFhir('JSON that is no resource');
    }
    const read = readLocation(headers.location, baseUrl);
    const kept = keepable(body);
    return {
      status,
      headers,
      ...kept,
      versionTag: headers.etag ?? versionTagOf(kept.body),
      location: typeof read === 'object' ? read.location : undefined,
      ...(read === 'elsewhere' && { locationElsewhere: true }),
      ...(redirected && { redirected }),
      ...requestId(headers),
      retryAfterMs: wait,
    };
  }

  function requestId(headers: HttpReply['headers']): { requestId?: string } {
    const named = vendor.requestIds.flatMap((name) => {
      const value = headers[name];
      return value !== undefined && /^[\x21-\x7e]{1,200}$/.test(value) ? [`${name}=${value}`] : [];
    });
    return named.length > 0 ? { requestId: named.join(' ') } : {};
  }

  return {
    async send(request) {
      return sendTo(requestUrl(baseUrl, request.path, request.query), request);
    },
    async searchAll(resourceType, query, limits = {}) {
      const { sendBefore, isPoll } = limits;
      const search = (sized: Query, cut: boolean) => {
        const ask = (url: URL) => sendTo(url, { method: 'GET', path: '', sendBefore: sendBefore?.(), isPoll, cut });
        // A kept connection may be closed by the server just as we write to it: once, at once (ehr-behaviour 6.3).
        const read = async (url: URL) => {
          const reply = await ask(url);
          return reply.fault === 'reset' ? ask(url) : reply;
        };
        return searchPages(read, requestUrl(baseUrl, resourceType, sized), resourceType, vendor, limits);
      };
      return searchInParts(query, vendor.paging.pageSize, isPoll === true, search);
    },
    async match(operation, parameters) {
      const first = requestUrl(baseUrl, operation);
      const read = (url: URL) =>
        url === first
          ? sendTo(url, { method: 'POST', path: '', body: parameters })
          : sendTo(url, { method: 'GET', path: '' });
      return searchPages(read, first, 'Patient', vendor, {});
    },
    close() {
      closing.abort();
      exchanger.close();
    },
  };
}

function clientIdHeader({ vendor, clientId }: ClientParts): Record<string, string> {
  const { clientIdHeader: header } = vendor;
  return clientId !== undefined && isOffered(header) ? { [header.name]: clientId } : {};
}

/** `meta.versionId` in the form of a weak ETag, where a reply had no ETag of its own. */
export function versionTagOf(body: JsonObject | undefined): string | undefined {
  const version = isObject(body?.meta) ? body.meta.versionId : undefined;
  return typeof version === 'string' ? `W/"${version}"` : undefined;
}
