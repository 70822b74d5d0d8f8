// A gateway's HTTP interface on a real embedded store, with the smallest gateway behind it: what lanes would do is only noted down.

import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Counter, Registry } from 'prom-client';
import { type Config, type ConnectionConfig, checkConfig, type Permission } from '../../src/config.ts';
import { reason } from '../../src/errors.ts';
import { openPartnerInterface } from '../../src/facade/facade.ts';
import { openHome } from '../../src/home/home.ts';
import { buildApp, type GatewayApi, type HttpLimits, listen } from '../../src/http/http.ts';
import {
  activeMappings,
  decide,
  parkLane,
  refuseChange,
  retryLane,
  skipStuck,
  startReplay,
} from '../../src/lanes/lanes.ts';
import { acceptRecords, acceptStale, shippedSchemas } from '../../src/records/records.ts';
import type { Store } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';

export const tokens = {
  county: 'county-token-1',
  town: 'town-token-1',
  reader: 'reader-token-1',
  runner: 'runner-token-1',
  decider: 'decider-token-1',
  configurer: 'configurer-token-1',
} as const;
export type Caller = keyof typeof tokens;

const configText = `
identifierSystem: https://agency.example.org/casebridge
operators:
  reader: { token: env:reader, may: [read] }
  runner: { token: env:runner, may: [run] }
  decider: { token: env:decider, may: [decide] }
  configurer: { token: env:configurer, may: [configure] }
sources:
  county:
    token: env:county
    timeZone: America/New_York
    webhook: { url: https://county.example.org/changes, secrets: [env:webhook] }
  town: { token: env:town }
connections:
  general:
    vendor: standard
    baseUrl: https://general.example.org/r4
    auth: { type: none }
    sources: [county]
    hook: { key: env:hook }
  harbor:
    vendor: standard
    baseUrl: https://harbor.example.org/r4
    auth: { type: none }
    sources: [town]
    hook: { key: env:hook, bearer: env:bearer }
  closed: { vendor: standard, baseUrl: https://closed.example.org/r4, auth: { type: none }, mode: off, sources: [town] }
`;

export interface Harness {
  readonly url: string;
  readonly store: Store;
  /** What the gateway was asked to do beside accepting records. */
  readonly asked: string[];
  /** Everything that was logged, as text. */
  readonly log: string[];
  /** The next batches fail with this. */
  failWith: Error | undefined;
  /** Sends a request as one of the callers. */
  send(caller: Caller | undefined, method: string, path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

/**
 * @param general settings of the connection `general` that differ from the configuration above
 * @param given a store that is there already; it is closed with the rest
 * @param may other permissions of operators
 */
export async function startHarness(
  limits: Partial<HttpLimits> = {},
  general: Partial<ConnectionConfig> = {},
  given?: Store,
  may: Readonly<Partial<Record<Caller, readonly Permission[]>>> = {},
): Promise<Harness> {
  const store = given ?? (await freshEmbedded());
  const config = withPermissions(withGeneral(await testConfig(), general), may);
  const asked: string[] = [];
  const log: string[] = [];
  const state: { failWith: Error | undefined } = { failWith: undefined };
  const gateway = minimalGateway(store, config, asked, log, state);
  const server = await listen(buildApp(gateway, limits), { port: 0, host: '127.0.0.1' }, limits);
  return {
    url: server.url,
    store,
    asked,
    log,
    get failWith() {
      return state.failWith;
    },
    set failWith(error) {
      state.failWith = error;
    },
    send(caller, method, path, init = {}) {
      const headers = new Headers(init.headers);
      if (caller) headers.set('authorization', `Bearer ${tokens[caller]}`);
      return fetch(`${server.url}${path}`, { ...init, method, headers });
    },
    async stop() {
      await server.close(0);
      await store.close();
    },
  };
}

export const hookKey = 'key-of-the-general-hospital';
export const hookBearer = 'bearer-of-the-server';
const webhookSecret = `whsec_${Buffer.alloc(32, 'a').toString('base64')}`;

async function testConfig(): Promise<Config> {
  const checked = await checkConfig('/tmp/casebridge.yaml', configText, {
    ...tokens,
    webhook: webhookSecret,
    hook: hookKey,
    bearer: hookBearer,
  });
  if ('config' in checked) return checked.config;
  throw new Error(JSON.stringify(checked.problems));
}

function withGeneral(config: Config, change: Partial<ConnectionConfig>): Config {
  const general = config.connections.get('general');
  if (general === undefined) return config;
  return { ...config, connections: new Map([...config.connections, ['general', { ...general, ...change }]]) };
}

function withPermissions(config: Config, may: Readonly<Partial<Record<string, readonly Permission[]>>>): Config {
  const operators = [...config.operators].map(
    ([name, operator]) => [name, { ...operator, may: may[name] ?? operator.may }] as const,
  );
  return { ...config, operators: new Map(operators) };
}

function minimalGateway(
  store: Store,
  config: Config,
  asked: string[],
  log: string[],
  state: { failWith: Error | undefined },
): GatewayApi {
  const registry = new Registry();
  const home = openHome({
    store,
    config,
    newId: () => 'home-1',
    mappings: activeMappings(store),
    wake: () => {},
    onError: (error) => log.push(String(error)),
  });
  const note = async (...words: string[]) => {
    asked.push(words.join(' '));
  };
  return {
    config,
    store,
    logger: pino({ level: 'trace' }, sink(log)),
    metrics: {
      registry,
      records: new Counter({
        name: 'casebridge_records_total',
        help: 'Records by outcome.',
        labelNames: ['source', 'outcome'],
        registers: [registry],
      }),
      partnerRequests: new Counter({
        name: 'casebridge_partner_requests_total',
        help: 'Requests of partners.',
        labelNames: ['route', 'outcome'],
        registers: [registry],
      }),
    },
    home,
    page: undefined,
    partnerInterface: openPartnerInterface(store, config, home),
    schemas: async () => shippedSchemas,
    accept(source, items) {
      if (state.failWith) throw state.failWith;
      return store.tx((trx) => acceptRecords(trx, source, items, [...config.connections.values()]));
    },
    async preview(source, items, connection) {
      await note('preview', String(items.length), connection ?? '');
      const bundle = { resourceType: 'Bundle', type: 'collection' };
      return { bundle, issues: [], lineage: [], read: [{ source, type: 'client', id: 'client-rosa' }] };
    },
    async resources(keys) {
      const entries = keys.map(({ type, id }) => ({
        fullUrl: `urn:x:${id}`,
        resource: { resourceType: 'Basic', id: `${type}-${id}` },
      }));
      return { entries, issues: [], lineage: [], nothing: [] };
    },
    runLane: ({ connection, subject }) => note('run', connection, subject),
    parkLane: (lane, signature) => parkLane(store, lane, signature),
    retryLane: (lane) => retryLane(store, lane),
    skipStuck: (lane, signature, resource) => skipStuck(store, lane, signature, resource),
    startReplay: (replay) => startReplay(store, [...config.connections.keys()], replay),
    acceptStale: (key) => store.tx((trx) => acceptStale(trx, key, [...config.connections.values()])),
    drain: (connection, by) => note('drain', connection, by),
    async planLane() {
      return { operations: [], parked: [], nextLookAt: null, awaitsDocument: false };
    },
    async decide(id, answer) {
      await decide(store, id, answer, async () => {});
      await note('decide', String(id), answer.choose, answer.by);
    },
    async linkPatient({ connection, source, clientId, patient, note: words = '', by }) {
      await note('link', connection, source, clientId, String(patient), words, by);
      return { was: null, now: patient, written: [] };
    },
    pause: (connection, by) => note('pause', connection, by),
    resume: (connection, by) => note('resume', connection, by),
    async capabilities(connection, source) {
      await note('capabilities', connection, source ?? 'of all');
      const { vendor, mode } = config.connections.get(connection) ?? { vendor: 'standard', mode: 'live' };
      return {
        connection,
        vendor,
        mode,
        paused: null,
        draining: null,
        otherConfigurationSince: null,
        reachable: true,
        auth: { ok: true, reason: null },
        scopes: [],
        basis: 'treatment',
        findings: [],
        routes: [],
        vendorRules: [],
        wouldWrite: { create: 0, update: 0, document: 0 },
        missing: [],
      };
    },
    async notify(connection, { body, resourceType = '' }) {
      await note('notify', connection, resourceType, String(body.length));
      return { status: 200, type: 'application/json', text: '{}' };
    },
    async uploadRoster(connection, patients, numbers) {
      await note('roster', connection, ...patients, ...numbers.map(({ system, value }) => `${system}|${value}`));
      return { added: patients.length, removed: 0 };
    },
    refuseChange: (refusal) => refuseChange(store, refusal),
    async testWebhook(source) {
      await note('ping', source);
      return { isTaken: false, status: 500, reason: reason('webhook-answered', { status: 500 }) };
    },
    enableWebhook: (source) => note('enable', source),
    async replayWebhook(source, after) {
      await note('replay', source, String(after));
      return 3;
    },
    async ready() {
      return state.failWith
        ? {
            checks: [{ name: 'store', ok: false, reason: reason('store-unavailable') }],
            mappingVersion: undefined,
          }
        : { checks: [{ name: 'store', ok: true }], mappingVersion: 'a1b2' };
    },
  };
}

function sink(lines: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
}

/** The body of a JSON answer. */
export async function json(response: Response): Promise<Record<string, unknown>> {
  return Object(await response.json());
}

/** The lines of an NDJSON answer. */
export async function lines(response: Response): Promise<Record<string, unknown>[]> {
  const text = await response.text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => Object(JSON.parse(line)));
}

export const asJson = (value: unknown): RequestInit => ({
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});

export const asLines = (...values: (string | object)[]): RequestInit => ({
  body: values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join(''),
  headers: { 'content-type': 'application/x-ndjson' },
});

export const asForm = (fields: Readonly<Record<string, string>>): RequestInit => ({
  body: String(new URLSearchParams(fields)),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

/** All that is answered to bytes written by hand, until the server closes the connection. `end`: nothing more is sent, and that is said. */
export function talk(harness: Harness, parts: readonly (string | Buffer)[], { end = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    const { port } = new URL(harness.url);
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(answer));
    for (const part of parts) socket.write(part);
    if (end) socket.end();
  });
}

/** The first line of a request and its headers. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Status and error code of the last answer in what `talk` heard. */
export function statusAndCode(answer: string): [status: number, code: string] {
  const last = answer.slice(answer.lastIndexOf('HTTP/1.1 '));
  return [Number(last.slice(9, 12)), /"code":"([a-z-]+)"/.exec(last)?.[1] ?? ''];
}
