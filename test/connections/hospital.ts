// A simulated hospital server for one test file, and connections to it as a configuration would make them.

import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { JWK } from 'jose';
import type { AuthConfig, ConnectionConfig } from '../../src/config.ts';
import {
  type Connection,
  type ConnectionParts,
  generateKey,
  isSearchResult,
  publicKeySet,
  type SearchFailure,
  type SearchResult,
} from '../../src/connections/connections.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { connectTo, stopAll } from './fhir-server.ts';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly requestHeaders: JsonObject;
  readonly requestBody: Json;
}

export interface Hospital {
  readonly url: string;
  readonly key: JWK;
  set(settings: object): Promise<void>;
  seed(...resources: JsonObject[]): Promise<void>;
  control(name: string, body: object): Promise<void>;
  /** What a client is registered for; its key is `key` unless another one is given. */
  register(scopes: readonly string[], client?: object): Promise<void>;
  connect(settings?: Partial<ConnectionConfig>, parts?: ConnectionParts): Connection;
  /** A connection that signs in with `key`; from here on the server wants tokens. */
  signedIn(scopes: readonly string[], auth?: Partial<KeyAuth>, parts?: ConnectionParts): Promise<Connection>;
  /** Requests since the reset: those of FHIR, or those of the token endpoint. */
  asked(what?: 'fhir' | 'token'): Promise<Asked[]>;
}

type KeyAuth = Extract<AuthConfig, { type: 'smart-backend' }>;

/** Starts the sandbox before all tests of a file; each begins with an empty server that wants no token. */
export function useHospital(vendor: 'epic' | 'oracle', basePath: string): Hospital {
  let sandbox: Sandbox | undefined;
  let key: JWK | undefined;
  const origin = () => sandbox?.url ?? '';
  const ownKey = (): JWK => {
    if (key === undefined) throw new Error('There is no key yet.');
    return key;
  };

  async function ask(name: string, body?: object): Promise<Json> {
    const post = body && { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${origin()}/_control/${vendor}/${name}`, post ?? {});
    if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  }

  const hospital: Hospital = {
    get url() {
      return `${origin()}${basePath}`;
    },
    get key() {
      return ownKey();
    },
    async control(name, body) {
      await ask(name, body);
    },
    set: (settings) => hospital.control('settings', settings),
    seed: (...resources) => hospital.control('seed', resources),
    async register(scopes, client = {}) {
      const jwks = await publicKeySet([ownKey()]);
      await hospital.control('clients', [{ clientId: 'casebridge', jwks, scopes, ...client }]);
    },
    connect: (settings = {}, parts = {}) => connectTo({ url: hospital.url }, { vendor, ...settings }, parts),
    async signedIn(scopes, auth = {}, parts = {}) {
      await hospital.set({ auth: 'token' });
      await hospital.register(scopes);
      const full: KeyAuth = { type: 'smart-backend', clientId: 'casebridge', key: ownKey(), scopes, ...auth };
      return hospital.connect({ auth: full }, parts);
    },
    async asked(what = 'fhir') {
      const journal = await ask('journal');
      const all = (Array.isArray(journal) ? journal : []).filter(isObject).map((entry) => ({
        method: String(entry.method),
        url: String(entry.url),
        status: Number(entry.status),
        requestHeaders:
          isObject(entry.requestHeaders ?? null) && isObject(entry.requestHeaders) ? entry.requestHeaders : {},
        requestBody: entry.requestBody ?? null,
      }));
      return all.filter(({ url }) => (what === 'token') === /\/token($|\?)/.test(url));
    },
  };
  beforeAll(async () => {
    [sandbox, key] = await Promise.all([startSandbox({ port: 0 }), generateKey()]);
  });
  beforeEach(async () => {
    await hospital.control('reset', {});
    await hospital.set({ auth: 'none' });
  });
  afterEach(stopAll);
  afterAll(async () => {
    await sandbox?.stop();
  });
  return hospital;
}

/** Ids of what a search found, in order. */
export function idsOf(result: SearchResult | SearchFailure): string[] {
  return isSearchResult(result) ? result.resources.map(({ id }) => String(id)) : ['the search failed'];
}
