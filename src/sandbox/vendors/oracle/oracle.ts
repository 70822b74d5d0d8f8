// The `oracle` server: as Oracle Health's Millennium answers a backend client, by the quirks C1 to C31. One tenant, tokens wanted; reads
// everything, writes little: notes, problems, appointments, coverages. Its settings vary or switch off each quirk.

import { type BaseTime, VirtualClock } from '../../clock.ts';
import { loadDefinitions } from '../../engine/definitions.ts';
import { type Engine, type FhirCall, idealSettings } from '../../engine/engine.ts';
import { Refusal, refusal } from '../../engine/outcome.ts';
import { SearchView } from '../../engine/search-view.ts';
import { Store } from '../../engine/store.ts';
import { jsonReply, type Reply, type SandboxRequest } from '../../exchange.ts';
import { Faults } from '../../faults.ts';
import { Journal } from '../../journal.ts';
import type { Handled, SimulatedServer } from '../../serve.ts';
import { TokenAuthority } from '../../tokens/authority.ts';
import { scopesAllow } from '../../tokens/scopes.ts';
import { Forbidden, interact, NotAcceptable } from './interact.ts';
import {
  forbidden,
  mediaTypeOf,
  notAcceptable,
  refusalReply,
  Turns,
  throttled,
  unauthorized,
  withIds,
  wrongTenant,
} from './replies.ts';
import { defaultSettings, type OracleSettings, parseSettings } from './settings.ts';
import type { Oracle } from './show.ts';
import { capabilityStatement, smartConfiguration } from './statement.ts';
import { oracleTenant } from './tenant.ts';
import { answerToken } from './token.ts';

const fhirRoot = '/oracle/r4';
const fhirPath = `${fhirRoot}/${oracleTenant}`;
const tenantRoot = '/oracle/tenants';
const tokenPath = `${tenantRoot}/${oracleTenant}/protocols/oauth2/profiles/smart-v1/token`;
const methods: readonly FhirCall['method'][] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

export class OracleServer implements SimulatedServer {
  readonly name = 'oracle';
  readonly clock: VirtualClock;
  readonly faults = new Faults(fhirPath);
  readonly journal = new Journal();
  readonly authority: TokenAuthority;
  readonly #definitions = loadDefinitions();
  readonly #store = new Store();
  readonly #view = new SearchView();
  readonly #turns = new Turns();
  #settings = defaultSettings;
  /** Requests in the running second of the server's clock. */
  #window = { second: 0, requests: 0 };

  /** @param time what its clock runs with; default: the real time */
  constructor(time?: BaseTime) {
    this.clock = new VirtualClock(time);
    this.authority = new TokenAuthority(this.clock);
  }

  get engine(): Engine {
    const { conditionalCreate, searchLagMs } = this.#settings;
    return {
      definitions: this.#definitions,
      store: this.#store,
      view: this.#view,
      clock: this.clock,
      // Versions are checked here, since the tags are not the engine's.
      settings: { ...idealSettings, versions: false, transactions: false, conditionalCreate, searchLagMs },
      searchCache: new Map(),
    };
  }

  get latencyMs(): number {
    return this.#settings.latencyMs;
  }

  settings(): OracleSettings {
    return this.#settings;
  }

  configure(change: unknown): void {
    this.#settings = { ...this.#settings, ...parseSettings(change) };
  }

  reset(): void {
    this.clock.real();
    this.faults.set([]);
    this.journal.clear();
    this.authority.clear();
    this.#store.clear();
    this.#view.clear();
    this.#turns.clear();
    this.#settings = defaultSettings;
    this.#window = { second: 0, requests: 0 };
  }

  async answer(request: SandboxRequest): Promise<Handled> {
    const { pathname, origin } = request.url;
    if (pathname.startsWith(`${tenantRoot}/`)) return nothingWritten(await this.#token(request));
    if (!pathname.startsWith(`${fhirRoot}/`)) return nothingWritten(noSuchPage());
    const [tenant = '', ...rest] = pathname.slice(fhirRoot.length + 1).split('/');
    const handled =
      this.#settings.checkTenant && tenant !== oracleTenant
        ? nothingWritten(wrongTenant())
        : this.#fhir(request, rest.join('/').replace(/\/$/, ''), `${origin}${fhirRoot}/${tenant}`);
    return { ...handled, reply: withIds(handled.reply, this.#settings, this.#turns) };
  }

  async #token(request: SandboxRequest): Promise<Reply> {
    const { pathname, origin } = request.url;
    if (!pathname.startsWith(`${tenantRoot}/${oracleTenant}/`)) return wrongTenant();
    if (pathname !== tokenPath) return noSuchPage();
    if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' } };
    return answerToken(this.authority, request, this.#settings, `${origin}${tokenPath}`, oracleTenant);
  }

  #fhir(request: SandboxRequest, path: string, base: string): Handled {
    const mediaType = mediaTypeOf(this.#settings, this.#turns);
    try {
      this.#checkRate();
      if (this.#timesOut(request, path)) return nothingWritten(gatewayTimeout());
      const published = request.method === 'GET' ? this.#published(path, base) : undefined;
      if (published !== undefined) return nothingWritten(jsonReply(200, published, mediaType));
      if (!path.startsWith('Binary/') && !this.#takesJson(request)) return nothingWritten(notAcceptable());
      const call = readCall(request, path, base, this.#rights(request, base));
      const { status, headers, resource, bytes, written } = interact(this.#oracle(), call);
      const committed = call.method !== 'GET';
      if (resource === undefined)
        return { reply: { status, headers, ...(bytes && { body: bytes }) }, committed, written };
      const reply = jsonReply(status, resource, mediaType);
      return { reply: { ...reply, headers: { ...headers, ...reply.headers } }, committed, written };
    } catch (error) {
      if (error instanceof Refusal) return nothingWritten(refusalReply(error, this.#settings, mediaType));
      if (error instanceof NotAcceptable) return nothingWritten(notAcceptable());
      if (!(error instanceof Forbidden)) throw error;
      return nothingWritten(forbidden(this.#settings, this.#turns, base, mediaType, error.wanted));
    }
  }

  #oracle(): Oracle {
    return { engine: this.engine, settings: this.#settings };
  }

  /** What anybody may read. */
  #published(path: string, base: string) {
    const { origin } = new URL(base);
    if (path === 'metadata') return capabilityStatement(this.#oracle(), base, `${origin}${tokenPath}`);
    if (path !== '.well-known/smart-configuration') return undefined;
    return smartConfiguration(this.#oracle(), `${origin}${tenantRoot}/${oracleTenant}`, `${origin}${tokenPath}`);
  }

  /** @throws Refusal 401 without a valid token */
  #rights(request: SandboxRequest, realm: string): FhirCall['may'] {
    if (this.#settings.auth === 'none') return () => true;
    const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
    const scopes = scheme === 'Bearer' ? this.authority.scopesOf(token) : undefined;
    if (scopes === undefined) throw unauthorized(realm, token !== '');
    return (resourceType, action) => scopesAllow(scopes, resourceType, action);
  }

  #takesJson({ headers, url }: SandboxRequest): boolean {
    const wanted = url.searchParams.get('_format') ?? headers.accept ?? '*/*';
    return (
      !this.#settings.checkAccept ||
      wanted
        .split(',')
        .some((part) =>
          /^\s*(\*\/\*|application\/\*|application\/(fhir\+json|json\+fhir|json)|json)\s*(;|$)/i.test(part),
        )
    );
  }

  /** @throws Refusal 429 */
  #checkRate(): void {
    const { throttle } = this.#settings;
    if (throttle === null) return;
    const second = Math.floor(this.clock.now() / 1000);
    if (second !== this.#window.second) this.#window = { second, requests: 0 };
    this.#window.requests += 1;
    if (this.#window.requests > throttle.requestsPerSecond) throw throttled(throttle, Date.now());
  }

  #timesOut({ method, url }: SandboxRequest, path: string): boolean {
    const query = [...url.searchParams].map(([name, value]) => `${name}=${value}`).join('&');
    const line = `${method} ${path}${query === '' ? '' : `?${query}`}`;
    return this.#settings.alwaysTimesOut.some((beginning) => line.startsWith(beginning));
  }
}

/** @throws Refusal 400 or 415 for a body that is not what the method takes */
function readCall(request: SandboxRequest, path: string, base: string, may: FhirCall['may']): FhirCall {
  const method = methods.find((known) => known === request.method) ?? 'OPTIONS';
  const call = { method, path, query: [...request.url.searchParams], headers: request.headers, base, may };
  const types = bodyTypes[method];
  if (types === undefined) return call;
  if (!types.includes(request.mediaType)) {
    throw refusal(415, 'not-supported', `The Content-Type must be ${types[0]} here.`);
  }
  if (request.json === undefined) throw refusal(400, 'structure', 'The body is no JSON.');
  return { ...call, body: request.json.value };
}

const resourceTypes = ['application/fhir+json', 'application/json+fhir', 'application/json'];
const bodyTypes: Readonly<Record<string, readonly string[]>> = {
  POST: resourceTypes,
  PUT: resourceTypes,
  PATCH: ['application/json-patch+json'],
};

function gatewayTimeout(): Reply {
  return { status: 504, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'Gateway Timeout' };
}

function noSuchPage(): Reply {
  return { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'Not Found' };
}

function nothingWritten(reply: Reply): Handled {
  return { reply, committed: false, written: [] };
}
