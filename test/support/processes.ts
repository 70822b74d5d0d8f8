// Gateways as processes of their own on one database, beside a sandbox in this one: what a source, a partner and an operator see of them.

import { expect } from '@jest/globals';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { openStore, type Store, sql } from '../../src/store/store.ts';
import { aFolder, casebridge, commandLine, type Ended, listening, type Running } from '../commands/program.ts';
import { freshFolder } from './embedded.ts';
import { eventually, identifierSystem, startServer, type TestServer } from './rig.ts';

/** Where processes are started, one after the other or side by side. */
export interface Site {
  readonly server: TestServer;
  serve(...options: string[]): Promise<Running>;
  worker(...options: string[]): Promise<Running>;
  /** A command with the same configuration, to its end, in this process. */
  run(...words: string[]): Promise<Ended>;
  /** The same as a person sees it who looks at standard error. */
  watched(...words: string[]): Promise<Ended>;
  /** The same in a process of its own. */
  program(...words: string[]): Promise<Ended>;
  /** The store, for a look at the tables; on an embedded one while no process has it. */
  look<T>(at: (store: Store) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export interface Backends {
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
}

/** Without a database: on an embedded folder of its own. */
export async function aSite({ databaseUrl, redisUrl }: Backends = {}): Promise<Site> {
  const [server, folder] = await Promise.all([startServer(), databaseUrl === undefined ? freshFolder() : aFolder()]);
  const env = {
    COUNTY_TOKEN: tokens.county,
    OPS_TOKEN: tokens.ops,
    DATABASE_URL: databaseUrl ?? '',
    REDIS_URL: redisUrl ?? '',
  };
  const store = databaseUrl === undefined ? `{ folder: ${folder} }` : '{ url: env:DATABASE_URL }';
  const queue = redisUrl === undefined ? '' : 'queue: { url: env:REDIS_URL }';
  const configured = await aFolder({ 'casebridge.yaml': configuration(server.base, store, queue) });
  const file = ['--config', `${configured}/casebridge.yaml`];
  const running = new Set<Running>();
  const start = async (words: string[]): Promise<Running> => {
    const one = await listening([...words, ...file], { env });
    running.add(one);
    return one;
  };
  return {
    server,
    serve: (...options) => start(['serve', ...options]),
    worker: (...options) => start(['worker', ...options]),
    run: (...words) => commandLine([...words, ...file], { env }),
    watched: (...words) => commandLine([...words, ...file], { env, isTTY: true }),
    program: (...words) => casebridge([...words, ...file], { env }),
    async look(at) {
      const opened = await openStore(databaseUrl === undefined ? { folder } : { url: databaseUrl, folder });
      return at(opened).finally(() => opened.close());
    },
    async stop() {
      await Promise.all([...running].map((one) => one.stop('SIGKILL')));
      await server.stop();
    },
  };
}

const tokens = { county: 'county-secret', ops: 'ops-secret' };

function configuration(baseUrl: string, store: string, queue: string): string {
  return `server: { port: 0, host: 127.0.0.1 }
store: ${store}
${queue}
identifierSystem: ${identifierSystem}
operators:
  ops: { token: env:OPS_TOKEN, may: [read, run, decide, configure] }
sources:
  county: { token: env:COUNTY_TOKEN, timeZone: America/New_York }
connections:
  general:
    vendor: standard
    baseUrl: ${baseUrl}
    auth: { type: none }
    createPatients: true
    identifierSystems: { mrn: "urn:oid:1.2.3" }
    settle: 0s
    poll: { every: 1s }
    rateLimit: { requestsPerSecond: 1000, concurrency: 4 }
`;
}

async function call(who: keyof typeof tokens, method: string, url: string, body?: string): Promise<Response> {
  const headers = { authorization: `Bearer ${tokens[who]}`, 'content-type': 'application/x-ndjson' };
  return fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
}

/** The source sends these records; each one is accepted. */
export async function send(url: string, items: readonly (readonly [string, JsonObject])[]): Promise<void> {
  const lines = items.map(([type, record]) => `${JSON.stringify({ type, record })}\n`);
  const answer = await (await call('county', 'POST', `${url}/api/records`, lines.join(''))).text();
  const last: Json = JSON.parse(answer.trimEnd().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({ done: true, accepted: items.length });
}

async function items(who: keyof typeof tokens, url: string): Promise<JsonObject[]> {
  const page: Json = JSON.parse(await (await call(who, 'GET', url)).text());
  return isObject(page) && Array.isArray(page.items) ? page.items.filter(isObject) : [];
}

/** What the source is told, from the beginning. */
export function feed(url: string): Promise<JsonObject[]> {
  return items('county', `${url}/api/changes?limit=1000`);
}

const atRest = ['idle'];

/** Awaits that no lane has anything to do or to mend. */
export async function settled(url: string, withinMs = 60_000): Promise<void> {
  let busy: JsonObject[] = [];
  const isSettled = async () => {
    busy = (await items('ops', `${url}/api/lanes?limit=1000`)).filter(({ state }) => !atRest.includes(String(state)));
    return busy.length === 0;
  };
  await eventually(isSettled, 'lanes at rest', withinMs).catch((error: unknown) => {
    throw new Error(`lanes did not come to rest: ${JSON.stringify(busy)}`, { cause: error });
  });
}

/** Every lane looks at each of its resources again. */
export async function runAll(url: string): Promise<void> {
  for (const { connection, subject } of await items('ops', `${url}/api/lanes?limit=1000`)) {
    const answer = await call('ops', 'POST', `${url}/api/lanes/${connection}/${subject}/run`);
    expect(answer.status).toBeLessThan(300);
  }
  await settled(url);
}

/** A request that the server holds up before it answers, or before it does anything. */
export interface Held {
  readonly method: string;
  readonly path: string;
  /** Whether the server has done the work by then; the connection is cut in the end. */
  readonly done: boolean;
}

/** The next such request is held up. @returns what awaits that it has come */
export async function hold(server: TestServer, { method, path, done }: Held): Promise<() => Promise<void>> {
  const fault = { drop: done ? 'after-commit' : 'before-commit', delayMs: 5_000 };
  await server.strikeOnce(method, path, fault);
  return () => eventually(() => hasStruck(server), `${method} ${path}`, 30_000);
}

export async function hasStruck(server: TestServer): Promise<boolean> {
  const rules = await server.control('GET', 'faults');
  return Array.isArray(rules) && rules.filter(isObject).some(({ fired }) => fired === 1);
}

/** What a dead process held has run out: on a database of several processes that takes a minute. */
export async function lateEnough({ look }: Site): Promise<void> {
  await look(async ({ db }) => {
    for (const statement of laterByAnHour) await sql.raw(statement).execute(db);
  });
}

/** Moves the times back that processes wait for, until what a dead one held runs out. */
export const laterByAnHour = [
  `update casebridge.lane set lease_until = lease_until - interval '1 hour', queued_until = queued_until - interval '1 hour',
     next_try_at = next_try_at - interval '1 hour'`,
  `update casebridge.operation set send_before = send_before - interval '1 hour', missed_at = missed_at - interval '1 hour'
   where outcome is null`,
  `update casebridge.match_lease set until = until - interval '1 hour'`,
  `update casebridge.poll set lease_until = lease_until - interval '1 hour'`,
];
