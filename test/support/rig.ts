// A gateway and a sandbox in one process, joined by real HTTP: records go in, and what the server holds is read from its own store.

import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import type { Config, ConnectionConfig, VendorName } from '../../src/config.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { createLaneMemories, createRunGate, type LaneDeps, wantAll } from '../../src/lanes/lanes.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import type { Store } from '../../src/store/store.ts';
import { caseload, caseTypes, checked, type Item } from './caseload.ts';
import { freshEmbedded } from './embedded.ts';
import { workerSandbox } from './worker-sandbox.ts';

export const identifierSystem = 'https://agency.example.org/casebridge';

/** A connection to the sandbox's `standard` server, hurried. */
export function aConnection(baseUrl: string, overrides: Partial<ConnectionConfig> = {}): ConnectionConfig {
  return {
    id: 'general',
    vendor: 'standard',
    baseUrl,
    auth: { type: 'none' },
    mode: 'live',
    basis: 'treatment',
    sources: ['county'],
    inboundTo: 'county',
    createPatients: true,
    identifierSystems: { mrn: 'urn:oid:1.2.3' },
    task: 'home',
    backfill: 'open-cases',
    pollEveryMs: 200,
    polls: {
      types: ['ServiceRequest', 'Task'],
      performers: [],
      referralCodes: [],
      documentTypes: [],
      lookBackMs: 90 * 86_400_000,
    },
    rateLimit: { requestsPerSecond: 1000, concurrency: 4 },
    settleMs: 0,
    documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'none' },
    routes: {},
    ...overrides,
  };
}

export function aConfig(connections: readonly ConnectionConfig[], overrides: Partial<Config> = {}): Config {
  return {
    file: '/casebridge.yaml',
    server: { port: 0, host: '127.0.0.1' },
    store: { folder: '/nowhere' },
    queue: {},
    lanes: { leaseMs: 60_000 },
    log: { level: 'silent' },
    clocks: {},
    retention: { auditMs: 2192 * 86_400_000, versionsMs: 2192 * 86_400_000, seenMs: 365 * 86_400_000 },
    guides: [],
    identifierSystem,
    operators: new Map(),
    sources: new Map([['county', { id: 'county', token: 'county-token', timeZone: 'America/New_York' }]]),
    connections: new Map(connections.map((connection) => [connection.id, connection])),
    partners: new Map(),
    warnings: [],
    ...overrides,
  };
}

export const testLogger = pino({ level: process.env.TEST_LOG ?? 'silent' });

export async function startTestGateway(store: Store, config: Config, leaseMs?: number): Promise<Gateway> {
  return startGateway({
    config,
    logger: testLogger,
    lanes: true,
    open: async () => store,
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
}

/** What a lane needs where nothing is left to chance. */
export function testDeps(
  store: Store,
  overrides: Pick<LaneDeps, 'connections' | 'mappings'> & Partial<LaneDeps>,
): LaneDeps {
  let ids = 0;
  return {
    store,
    identifierSystem,
    holder: 'test',
    leaseMs: 60_000,
    gate: createRunGate(),
    memories: createLaneMemories(),
    timeZone: () => 'America/New_York',
    clock: Date.now,
    newId: () => `send-${++ids}`,
    random: () => 0,
    wake: () => {},
    log: testLogger,
    ...overrides,
  };
}

/** Accepts records of the source `county`, as the HTTP interface would after parsing them. */
export async function accept(gateway: Gateway, ...items: readonly Item[]) {
  return gateway.api.accept('county', checked(items));
}

/** Awaits that no lane has work that it could do now; fails with what is left after the deadline. */
export async function idle(gateway: Gateway, withinMs = 60_000): Promise<void> {
  const { db } = gateway.api.store;
  const deadline = Date.now() + withinMs;
  for (;;) {
    const due = await db.selectFrom('lane').selectAll().whereRef('done', '<', 'wanted').execute();
    if (due.length === 0) return;
    if (Date.now() > deadline) throw new Error(`lanes did not come to rest: ${JSON.stringify(due)}`);
    await sleep(20);
  }
}

/** Wants every lane and reads every linked resource again. */
export async function secondPass(gateway: Gateway): Promise<void> {
  await wantAll(gateway.api.store, [...gateway.api.config.connections.keys()]);
  await idle(gateway);
}

export interface TestServer {
  readonly url: string;
  readonly base: string;
  fhir(
    method: string,
    path: string,
    body?: JsonObject,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: JsonObject; etag: string | undefined }>;
  control(method: string, path: string, body?: Json): Promise<Json>;
  /** Puts resources there as if they had always been there: an id that is there already is replaced. */
  seed(...resources: readonly JsonObject[]): Promise<void>;
  /** Sets what the server does otherwise than it does by default. */
  settings(change: JsonObject): Promise<void>;
  /** The rules by which requests are struck from now on, instead of those before. */
  faults(...rules: readonly JsonObject[]): Promise<void>;
  /** Strikes the next request of this kind, and nothing else. */
  strikeOnce(method: string, path: string, fault: JsonObject): Promise<void>;
  /** Takes all faults away. */
  mend(): Promise<void>;
  /** The whole store of a type, without any rules of the server. */
  all(resourceType: string): Promise<JsonObject[]>;
  /** The one resource that carries our identifier for a slot. */
  own(resourceType: string, value: string): Promise<JsonObject>;
  /** Requests that changed the store, of all journalled ones after `after`. */
  writes(after?: number): Promise<JsonObject[]>;
  journal(after?: number): Promise<JsonObject[]>;
  stop(): Promise<void>;
}

/** Vendors of which this file has the worker's server already; a second one gets a sandbox of its own. */
const taken = new Set<VendorName>();

async function freeSandbox(vendor: VendorName): Promise<Pick<Sandbox, 'url' | 'fhirBases' | 'stop'>> {
  if (taken.has(vendor)) return startSandbox({ port: 0 });
  taken.add(vendor);
  const { url, fhirBases } = await workerSandbox();
  await fetch(`${url}/_control/${vendor}/reset`, { method: 'POST' });
  return {
    url,
    fhirBases,
    stop: async () => {
      taken.delete(vendor);
    },
  };
}

export async function startServer(vendor: VendorName = 'standard'): Promise<TestServer> {
  const sandbox = await freeSandbox(vendor);
  const base = sandbox.fhirBases[vendor] ?? '';
  const control: TestServer['control'] = async (method, path, body) => {
    const response = await fetch(`${sandbox.url}/_control/${vendor}/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  };
  const faults = async (...rules: readonly JsonObject[]) => void (await control('POST', 'faults', [...rules]));
  const listed = async (path: string): Promise<JsonObject[]> => {
    const answer = await control('GET', path);
    const items = isObject(answer) ? answer.items : answer;
    return Array.isArray(items) ? items.filter(isObject) : [];
  };
  return {
    url: sandbox.url,
    base,
    control,
    seed: async (...resources) => void (await control('POST', 'seed', [...resources])),
    settings: async (change) => void (await control('POST', 'settings', change)),
    faults,
    strikeOnce: (method, path, fault) => faults({ method, path, nth: 1, fault }),
    mend: () => faults(),
    fhir: async (method, path, body, headers) => {
      const response = await fetch(`${base}/${path}`, {
        method,
        headers: { accept: 'application/fhir+json', 'content-type': 'application/fhir+json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: text === '' ? {} : JSON.parse(text),
        etag: response.headers.get('etag') ?? undefined,
      };
    },
    all: (resourceType) => listed(`resources/${resourceType}`),
    own: async (resourceType, value) => {
      const found = (await listed(`resources/${resourceType}`)).filter((resource) => ownValue(resource) === value);
      const [only] = found;
      if (only === undefined || found.length !== 1) throw new Error(`${found.length} ${resourceType} with ${value}`);
      return only;
    },
    journal: (after = 0) => listed(`journal?after=${after}`),
    writes: async (after = 0) =>
      (await listed(`journal?after=${after}`)).filter(({ writes }) => Array.isArray(writes) && writes.length > 0),
    stop: () => sandbox.stop(),
  };
}

/** The value of our identifier on a resource. */
export function ownValue(resource: JsonObject): string | undefined {
  const identifiers = Array.isArray(resource.identifier) ? resource.identifier : [resource.identifier];
  const own = identifiers.find((identifier) => isObject(identifier) && identifier.system === identifierSystem);
  return isObject(own) && typeof own.value === 'string' ? own.value : undefined;
}

/** How often each of our identifiers occurs on the server: every count must be 1. */
export async function ownCounts(server: TestServer): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const resourceType of ownTypes) {
    for (const resource of await server.all(resourceType)) {
      const value = ownValue(resource);
      if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
    }
  }
  return counts;
}

const ownTypes = [
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'HealthcareService',
  'Location',
  'Patient',
  'Consent',
  ...caseTypes,
];

/** Awaits a state; fails with what was waited for. */
export async function eventually(holds: () => Promise<boolean>, what: string, withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(20);
  }
}

export interface Site {
  readonly server: TestServer;
  readonly store: Store;
  readonly gateway: Gateway;
}

export interface SiteOptions {
  /** @default a new embedded one */
  readonly openStore?: () => Promise<Store>;
  readonly connection?: Partial<ConnectionConfig>;
  readonly config?: Partial<Config>;
  /** With the gateway there and nothing sent yet. */
  readonly opened?: (site: Site) => void;
}

/** A gateway between a source and a simulated hospital that asks nobody to sign in, with the caseload sent; all of it is stopped after `work`. */
export async function onSite(options: SiteOptions, work: (site: Site) => Promise<void>): Promise<void> {
  const [server, store] = await Promise.all([startServer(), (options.openStore ?? freshEmbedded)()]);
  await server.settings({ auth: 'none' });
  const config = aConfig([aConnection(server.base, options.connection)], options.config);
  const gateway = await startTestGateway(store, config);
  try {
    const site = { server, store, gateway };
    options.opened?.(site);
    await accept(gateway, ...caseload());
    await idle(gateway);
    await work(site);
  } finally {
    await gateway.stop();
    await server.stop();
  }
}

/** The partner moves the Task of the caseload's referral, over FHIR. */
export async function partnerMoves({ server }: Site, status: string): Promise<void> {
  const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
  const { status: code } = await server.fhir('PUT', `Task/${task.id}`, { ...task, status });
  if (code !== 200) throw new Error(`The server answered ${code}.`);
}

/** Each status of a record that the source was offered, in order. */
export async function statusesOffered({ store }: Site): Promise<Json[]> {
  const changes = await store.db.selectFrom('change').select('body').orderBy('cursor').execute();
  return changes.flatMap(({ body }) => body?.status ?? []);
}
