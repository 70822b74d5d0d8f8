// The `standard` server: full CRUD, search and transactions as R4 describes them, to stand for HAPI, Medplum or an exchange. Its settings
// switch off or spoil one ability each.

import { type BaseTime, VirtualClock } from '../clock.ts';
import { capabilityStatement } from '../engine/capability-statement.ts';
import { loadDefinitions } from '../engine/definitions.ts';
import { type Engine, type FhirCall, idealSettings } from '../engine/engine.ts';
import { checkAccept, handleFhir, refusalReply, resourceReply } from '../engine/fhir-http.ts';
import { Refusal, refusal } from '../engine/outcome.ts';
import { onlyMatch } from '../engine/search.ts';
import { SearchView } from '../engine/search-view.ts';
import { Store } from '../engine/store.ts';
import { jsonReply, type Reply, SandboxRequest } from '../exchange.ts';
import { Faults } from '../faults.ts';
import { Journal } from '../journal.ts';
import { RateWindow } from '../rate-window.ts';
import type { Handled, SimulatedServer } from '../serve.ts';
import { TokenAuthority } from '../tokens/authority.ts';
import { scopesAllow } from '../tokens/scopes.ts';
import { parseStandardSettings, type StandardSettings } from './standard-settings.ts';
import { afterWrite } from './standard-subscriptions.ts';

const fhirPath = '/standard/fhir/R4';
const tokenPath = '/standard/oauth2/token';

const defaultSettings: StandardSettings = {
  ...idealSettings,
  auth: 'none',
  bearerToken: null,
  basic: null,
  tokenSeconds: 300,
  latencyMs: 0,
  requestsPerSecond: null,
  rateWindowMs: 1000,
  conditionalCreateGapMs: 0,
};

export class StandardServer implements SimulatedServer {
  readonly name = 'standard';
  readonly clock: VirtualClock;
  readonly faults = new Faults(fhirPath);
  readonly journal = new Journal();
  readonly authority: TokenAuthority;
  readonly #started: string;
  readonly #definitions = loadDefinitions();
  readonly #store = new Store();
  readonly #view = new SearchView();
  readonly #searchCache: Engine['searchCache'] = new Map();
  #settings = defaultSettings;
  readonly #rate = new RateWindow();

  /** @param time what its clock runs with; default: the real time */
  constructor(time?: BaseTime) {
    this.clock = new VirtualClock(time);
    this.authority = new TokenAuthority(this.clock);
    this.#started = new Date(this.clock.now()).toISOString();
  }

  get engine(): Engine {
    return {
      definitions: this.#definitions,
      store: this.#store,
      view: this.#view,
      clock: this.clock,
      settings: this.#settings,
      searchCache: this.#searchCache,
    };
  }

  get latencyMs(): number {
    return this.#settings.latencyMs;
  }

  settings(): StandardSettings {
    return this.#settings;
  }

  configure(change: unknown): void {
    this.#settings = { ...this.#settings, ...parseStandardSettings(change) };
    this.#searchCache.clear();
  }

  reset(): void {
    this.clock.real();
    this.faults.set([]);
    this.journal.clear();
    this.authority.clear();
    this.#store.clear();
    this.#view.clear();
    this.#searchCache.clear();
    this.#rate.clear();
    this.#settings = defaultSettings;
  }

  admit({ url, arrivedAt }: SandboxRequest): Reply | undefined {
    const { requestsPerSecond, rateWindowMs } = this.#settings;
    if (requestsPerSecond === null || url.pathname === tokenPath) return undefined;
    const most = Math.max(1, Math.floor((requestsPerSecond * rateWindowMs) / 1000));
    const waitMs = this.#rate.take(arrivedAt, most, rateWindowMs);
    if (waitMs === 0) return undefined;
    const issue = { code: 'throttled', text: 'Too many requests.' };
    return refusalReply(new Refusal(429, [issue], { 'retry-after': String(Math.ceil(waitMs / 1000)) }));
  }

  async answer(request: SandboxRequest): Promise<Handled> {
    const { pathname, origin } = request.url;
    if (pathname === tokenPath) return nothingWritten(await this.#token(request, origin));
    if (pathname !== fhirPath && !pathname.startsWith(`${fhirPath}/`)) return nothingWritten(noSuchPath());
    const path = pathname.slice(fhirPath.length + 1).replace(/\/$/, '');
    try {
      if (request.method === 'GET' && path === 'metadata') return nothingWritten(this.#metadata(request, origin));
      if (request.method === 'GET' && path === '.well-known/smart-configuration') {
        return nothingWritten(jsonReply(200, smartConfiguration(`${origin}${tokenPath}`)));
      }
      const base = `${origin}${fhirPath}`;
      const may = this.#rights(request);
      const handled = handleFhir(this.engine, await this.#searchedBefore(request, path, base), path, base, may);
      afterWrite(this.engine, handled.written, base);
      return handled;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return nothingWritten(refusalReply(error));
    }
  }

  /** With a gap, a conditional create whose search finds nothing goes on later, as a plain create. */
  async #searchedBefore(request: SandboxRequest, path: string, base: string): Promise<SandboxRequest> {
    const { conditionalCreate, conditionalCreateGapMs } = this.#settings;
    const { 'if-none-exist': condition, ...headers } = request.headers;
    const isConditional = request.method === 'POST' && condition !== undefined && this.#definitions.types.has(path);
    if (!isConditional || !conditionalCreate || conditionalCreateGapMs === 0) return request;
    const existing = onlyMatch(this.engine, path, [...new URLSearchParams(condition)], base);
    await this.clock.wait(conditionalCreateGapMs);
    return existing === undefined ? new SandboxRequest(request.method, request.url, headers, request.text) : request;
  }

  async #token(request: SandboxRequest, origin: string): Promise<Reply> {
    if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' } };
    return this.authority.answer(request, `${origin}${tokenPath}`, this.#settings.tokenSeconds);
  }

  #metadata(request: SandboxRequest, origin: string): Reply {
    checkAccept(request);
    return resourceReply(
      capabilityStatement(this.engine, {
        name: 'Simulated FHIR server `standard`',
        base: `${origin}${fhirPath}`,
        date: this.#started,
        ...(this.#settings.auth === 'token' && { tokenUrl: `${origin}${tokenPath}` }),
      }),
    );
  }

  /** @throws Refusal 401 without valid credentials */
  #rights(request: SandboxRequest): FhirCall['may'] {
    const { auth, bearerToken, basic } = this.#settings;
    if (auth === 'none') return () => true;
    const [scheme, credentials = ''] = (request.headers.authorization ?? '').split(' ');
    if (scheme === 'Basic' && basic !== null && credentials === encoded(basic)) return () => true;
    if (scheme === 'Bearer' && bearerToken !== null && credentials === bearerToken) return () => true;
    const scopes = scheme === 'Bearer' ? this.authority.scopesOf(credentials) : undefined;
    if (scopes === undefined) throw unauthorized(credentials !== '');
    return (resourceType, action) => scopesAllow(scopes, resourceType, action);
  }
}

function smartConfiguration(tokenUrl: string) {
  return {
    token_endpoint: tokenUrl,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    scopes_supported: ['system/*.cruds', 'system/*.rs', 'system/*.read', 'system/*.write', 'system/*.*'],
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  };
}

function encoded({ user, password }: { user: string; password: string }): string {
  return Buffer.from(`${user}:${password}`).toString('base64');
}

function unauthorized(hadCredentials: boolean): Refusal {
  const text = hadCredentials ? 'The token is unknown or has expired.' : 'This server needs an access token.';
  const challenge = hadCredentials ? 'Bearer error="invalid_token"' : 'Bearer';
  return new Refusal(401, [{ code: hadCredentials ? 'expired' : 'login', text }], { 'www-authenticate': challenge });
}

function noSuchPath(): Reply {
  return refusalReply(refusal(404, 'not-found', 'There is nothing at this path.'));
}

function nothingWritten(reply: Reply): Handled {
  return { reply, committed: false, written: [] };
}
