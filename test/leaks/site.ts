// A whole gateway that says as much as it can, with its HTTP interface, before three simulated hospitals that know its clients: what it says
// is kept, each way of saying apart.

import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Config, ConnectionConfig, VendorName } from '../../src/config.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { buildApp, listen } from '../../src/http/http.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { type Store, sql } from '../../src/store/store.ts';
import { collected } from '../commands/program.ts';
import { startReceiver, type TestReceiver, webhookKey } from '../support/receiver.ts';
import { aConfig, aConnection, startServer, type TestServer } from '../support/rig.ts';
import type { Planted } from './records.ts';

export const vendorNames: readonly VendorName[] = ['standard', 'epic', 'oracle'];
export const identifierSystems = {
  mrn: 'urn:oid:1.2.3',
  medicaid: 'urn:oid:1.2.4',
  'state-id': 'urn:oid:1.2.5',
} as const;

export const tokens = { county: 'county-token', ops: 'operator-token' } as const;
export type Caller = keyof typeof tokens;

export interface Site {
  readonly url: string;
  readonly gateway: Gateway;
  readonly store: Store;
  readonly servers: Readonly<Record<VendorName, TestServer>>;
  /** Of the source's changes; it fails the first time that it is asked. */
  readonly receiver: TestReceiver;
  /** All lines of the log, at level trace. */
  readonly log: string[];
  send(caller: Caller | undefined, method: string, path: string, init?: RequestInit): Promise<Response>;
  /** Sends records as one stream, and says how many were accepted. */
  sendRecords(records: readonly Planted[]): Promise<number>;
  /** Waits until no lane has work, cutting short all waits and taking back every pause. */
  settle(): Promise<void>;
  /** Polls every kind on every connection once. */
  poll(): Promise<void>;
  stop(): Promise<void>;
}

export interface SiteOptions {
  readonly store: Store;
  readonly queue?: Config['queue'];
}

export async function startSite({ store, queue = {} }: SiteOptions): Promise<Site> {
  const answers = [500];
  const receiver = await startReceiver({ answer: () => answers.pop() ?? 204 });
  const [standard, epic, oracle] = await Promise.all([
    startServer('standard'),
    startServer('epic'),
    startServer('oracle'),
  ]);
  const servers = { standard, epic, oracle };
  for (const server of [epic, oracle]) await server.settings({ auth: 'none' });
  const log: string[] = [];
  const logger = pino({ level: 'trace' }, collected(log));
  const config = configuration(servers, queue, receiver.url);
  const gateway = await startGateway({ config, logger, lanes: true, open: async () => store, claimMs: 300 });
  const server = await listen(buildApp(gateway.api), { port: 0, host: '127.0.0.1' });
  const site: Site = {
    url: server.url,
    gateway,
    store,
    servers,
    receiver,
    log,

    send(caller, method, path, init = {}) {
      const headers = new Headers(init.headers);
      if (caller !== undefined) headers.set('authorization', `Bearer ${tokens[caller]}`);
      return fetch(`${server.url}${path}`, { ...init, method, headers });
    },

    async sendRecords(records) {
      const headers = { 'content-type': 'application/x-ndjson' };
      const body = records.map((one) => `${JSON.stringify(one)}\n`).join('');
      const answer = await (await site.send('county', 'POST', '/api/records', { body, headers })).text();
      const last: Json = JSON.parse(answer.trimEnd().split('\n').at(-1) ?? '');
      if (!isObject(last) || typeof last.accepted !== 'number') throw new Error(`the stream was cut: ${answer}`);
      return last.accepted;
    },

    settle: () => settle(gateway),

    async poll() {
      const now = await store.now();
      await store.db.updateTable('poll').set({ next_at: now }).execute();
      for (;;) {
        const open = await store.db.selectFrom('poll').select('connection').where('next_at', '<=', now).execute();
        if (open.length === 0) return;
        await sleep(50);
      }
    },

    async stop() {
      await server.close(0);
      await gateway.stop();
      await receiver.stop();
      for (const one of Object.values(servers)) await one.stop();
    },
  };
  return site;
}

function configuration(servers: Site['servers'], queue: Config['queue'], url: string): Config {
  const webhook = { url, secrets: [webhookKey], giveUpAfterMs: 86_400_000, allowPrivate: true };
  const connection = (id: VendorName, more: Partial<ConnectionConfig>) =>
    aConnection(servers[id].base, {
      id,
      vendor: id,
      // Polled when the story says so.
      pollEveryMs: 3_600_000,
      identifierSystems,
      createPatients: id === 'standard',
      documents: { quietMs: 0, atMostEveryMs: 0, encounter: id === 'standard' ? 'none' : 'latest-open' },
      ...more,
    });
  return aConfig(
    [
      connection('standard', {}),
      connection('epic', { task: 'answer', routes: { need: 'native' } }),
      connection('oracle', { task: 'off' }),
    ],
    {
      queue,
      sources: new Map([['county', { id: 'county', token: tokens.county, timeZone: 'America/New_York', webhook }]]),
      operators: new Map([
        ['ops', { name: 'ops', token: tokens.ops, may: ['read', 'run', 'decide', 'configure'] as const }],
      ]),
    },
  );
}

const settleWithinMs = 120_000;

async function settle({ api }: Gateway): Promise<void> {
  const { db } = api.store;
  const deadline = Date.now() + settleWithinMs;
  for (;;) {
    const paused = await db.selectFrom('connection').select('id').where('paused', 'is not', null).execute();
    for (const { id } of paused) await api.resume(id, 'ops');
    // What a server asked for, and what its failures led to.
    await db.deleteFrom('budget').where('rest_until', '>', sql<Date>`now()`).execute();
    await db
      .updateTable('lane')
      .set({ next_try_at: null, due_at: sql<Date>`now()` })
      .where('next_try_at', 'is not', null)
      .execute();
    const due = await db
      .selectFrom('lane')
      .select(['connection', 'subject', 'reason'])
      .where((is) => is.or([is('done', '<', is.ref('wanted')), is('lease_until', '>', sql<Date>`now()`)]))
      .execute();
    if (due.length === 0) return;
    if (Date.now() > deadline) throw new Error(`lanes did not come to rest: ${JSON.stringify(due)}`);
    await sleep(50);
  }
}

/** Each client as a hospital knows it, under this id. */
export function asPatient(client: JsonObject, id: string): JsonObject {
  const [name] = objectsOf(client.names).filter(({ use }) => use === 'legal');
  const systems: Readonly<Record<string, string>> = identifierSystems;
  return {
    resourceType: 'Patient',
    id,
    active: true,
    identifier: objectsOf(client.identifiers).flatMap(({ kind, value }) => {
      const system = systems[String(kind)];
      return system === undefined ? [] : [{ system, value: value ?? '' }];
    }),
    gender: client.sex ?? 'unknown',
    telecom: objectsOf(client.phones).map(({ number }) => ({ system: 'phone', value: number ?? '' })),
    name: [{ use: 'official', family: name?.family ?? '', given: name?.given ?? [] }],
    ...(client.birthDate !== undefined && { birthDate: client.birthDate }),
  };
}

export function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
