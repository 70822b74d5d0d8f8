// The `epic` server for one test file, reached by HTTP only.

import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import {
  hospitalSeed,
  inventedPeople,
  type Sandbox,
  type SeedPerson,
  startSandbox,
} from '../../../src/sandbox/sandbox.ts';
import type { Answered, Options, Parsed } from '../server.ts';

export const mrnSystem = 'urn:oid:1.2.3.4';
/** Invented patients of the seed, each with an open encounter `visit-<id>`. */
export const [ada, bruno] = [personAt(0), personAt(1)];

function personAt(index: number): SeedPerson {
  const person = inventedPeople(index + 1)[index];
  if (person === undefined) throw new Error('Nobody was invented.');
  return person;
}

export interface EpicClient {
  readonly base: string;
  readonly tokenUrl: string;
  /** A request below the FHIR base that asks for JSON, or to an absolute URL; redirects are not followed. */
  fhir(method: string, path: string, options?: Options): Promise<Answered>;
  control(method: string, path: string, body?: unknown): Promise<Answered>;
  settings(change: Record<string, unknown>): Promise<void>;
  seed(...resources: Record<string, unknown>[]): Promise<void>;
  /** Id of a new resource. */
  created(resource: Record<string, unknown>): Promise<string>;
  /** The resource as the store has it. */
  stored(type: string, id: string): Promise<Parsed>;
}

/** Starts the sandbox before all tests of a file; before each, the server is reset, seeded with two patients and asks for no token. */
export function useEpic(): EpicClient {
  let sandbox: Sandbox | undefined;
  const url = () => sandbox?.url ?? '';
  const client: EpicClient = {
    get base() {
      return `${url()}/epic/api/FHIR/R4`;
    },
    get tokenUrl() {
      return `${url()}/epic/oauth2/token`;
    },
    fhir: (method, path, { body, headers = {} } = {}) =>
      send(method, path.startsWith('http') ? path : path === '' ? client.base : `${client.base}/${path}`, {
        body,
        headers: { accept: 'application/fhir+json', ...headers },
      }),
    control: (method, path, body) => send(method, `${url()}/_control/epic/${path}`, body === undefined ? {} : { body }),
    async settings(change) {
      const answer = await client.control('POST', 'settings', change);
      if (answer.status !== 200) throw new Error(`Not set: ${JSON.stringify(answer.body)}`);
    },
    async seed(...resources) {
      const answer = await client.control('POST', 'seed', resources);
      if (answer.status !== 200) throw new Error(`Not seeded: ${JSON.stringify(answer.body)}`);
    },
    async created(resource) {
      const answer = await client.fhir('POST', String(resource.resourceType), { body: resource });
      if (answer.status !== 201) throw new Error(`Not created: ${JSON.stringify(answer.body)}`);
      return answer.headers.get('location')?.split('/').at(-1) ?? '';
    },
    async stored(type, id) {
      const { body } = await client.control('GET', `resources/${type}`);
      return body.find((resource: Parsed) => resource.id === id);
    },
  };
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0 });
  });
  beforeEach(async () => {
    await client.control('POST', 'reset');
    await client.settings({ auth: 'none' });
    const seed = hospitalSeed({ mrnSystem, people: [ada, bruno], since: '2026-03-01T08:00:00Z', padded: true });
    await client.control('POST', 'seed', seed);
  });
  afterAll(async () => {
    await sandbox?.stop();
  });
  return client;
}

async function send(method: string, url: string, { body, headers = {} }: Options = {}): Promise<Answered> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = body === undefined ? {} : { 'content-type': 'application/fhir+json' };
  const init = { method, headers: { ...type, ...headers }, ...(text !== undefined && { body: text }) };
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const answer = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && answer !== '' ? JSON.parse(answer) : answer || undefined,
  };
}

/** The numbers of an OperationOutcome, or of the outcome entries of a Bundle, in order. */
export function numbers(body: Parsed): string[] {
  const outcomes =
    body.resourceType === 'Bundle'
      ? (body.entry ?? []).filter((each: Parsed) => each.search.mode === 'outcome').map((each: Parsed) => each.resource)
      : [body];
  return outcomes.flatMap(({ issue }: Parsed) => issue.map((each: Parsed) => each.details.coding[0].code));
}

/** Ids of the matches in a Bundle. */
export function matches(body: Parsed): string[] {
  return (body.entry ?? [])
    .filter((each: Parsed) => each.search.mode === 'match')
    .map((each: Parsed) => each.resource.id);
}

export function aNote(person: SeedPerson = ada, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    resourceType: 'DocumentReference',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] },
    subject: { reference: `Patient/${person.id}` },
    date: '2026-03-02T10:00:00-05:00',
    content: [{ attachment: { contentType: 'text/plain', data: base64('Rides on Tuesdays.') } }],
    context: { encounter: [{ reference: `Encounter/visit-${person.id}` }] },
    ...change,
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function aTask(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    resourceType: 'Task',
    id: 'referral-1',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: 'urn:oid:1.2.840.114350.1.13.0.1.7.2.5', code: 'community-resource' }] },
    for: { reference: `Patient/${ada.id}` },
    authoredOn: '2026-03-02T15:00:00Z',
    ...change,
  };
}

export interface Key {
  privateKey: CryptoKey;
  jwk: JWK;
  alg: string;
}

export async function newKey(alg: string, kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, alg, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

export const seconds = () => Math.floor(Date.now() / 1000);

let nextAssertion = 0;

/** An assertion of the client `gateway` that lives four minutes, with what `change` says otherwise. */
export async function assertion(client: EpicClient, key: Key, change: Record<string, unknown> = {}): Promise<string> {
  nextAssertion += 1;
  const { kid = key.jwk.kid, ...claims } = change;
  const payload = {
    iss: 'gateway',
    sub: 'gateway',
    aud: client.tokenUrl,
    iat: seconds(),
    exp: seconds() + 240,
    jti: `assertion-${nextAssertion}`,
    ...claims,
  };
  const header = { alg: key.alg, typ: 'JWT', ...(kid !== undefined && { kid: String(kid) }) };
  return new SignJWT(payload).setProtectedHeader(header).sign(key.privateKey);
}

export function tokenForm(jwt: string, change: Record<string, string> = {}): URLSearchParams {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: jwt,
    ...change,
  });
}

export function askToken(client: EpicClient, jwt: string): Promise<Answered> {
  return client.fhir('POST', client.tokenUrl, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: tokenForm(jwt).toString(),
  });
}

export async function register(client: EpicClient, change: Record<string, unknown>): Promise<void> {
  const answer = await client.control('POST', 'clients', [
    { clientId: 'gateway', scopes: ['system/*.crus'], ...change },
  ]);
  if (answer.status !== 200) throw new Error(`Not registered: ${JSON.stringify(answer.body)}`);
}

/** The header with a new token for a client that is registered with these scopes; from here on the server asks for tokens. */
export async function authorized(client: EpicClient, key: Key, scopes: string[]): Promise<{ authorization: string }> {
  await client.settings({ auth: 'token' });
  await register(client, { jwks: { keys: [key.jwk] }, scopes });
  const { body } = await askToken(client, await assertion(client, key));
  return { authorization: `Bearer ${body.access_token}` };
}
