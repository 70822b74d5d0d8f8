// The gateway of the bench: `casebridge serve` and any number of `casebridge worker`, as processes of their own, used by HTTP.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type Json, type JsonObject } from '../src/json.ts';
import type { Line } from './caseload.ts';
import { deployedNodeOptions } from './deployed.ts';
import { cpuSeconds, peakBytes } from './processes.ts';
import { startBenchProgram } from './program.ts';

export interface BenchGateway {
  /** Sends records as NDJSON; all must be accepted. @returns seconds until the last answer line */
  send(lines: readonly Line[]): Promise<number>;
  /** Waits until no lane has work, or none of this connection. @returns seconds */
  untilIdle(connection?: string): Promise<number>;
  /** Answers of the API to an operator. */
  api(method: 'GET' | 'POST', path: string): Promise<JsonObject>;
  /** What it has logged so far. */
  log(): Promise<string>;
  /** Seconds of processor time so far, all processes together. */
  cpuSeconds(): number;
  /** The most memory (resident set, bytes) that each process has held so far: `serve`, then the workers. */
  peakBytes(): readonly number[];
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly lanes: boolean;
  /** The `connections:` of its configuration, as YAML. */
  readonly connections: string;
  /** PostgreSQL and Redis; absent: embedded. */
  readonly backends?: { readonly databaseUrl: string; readonly redisUrl: string };
  /** Workers beside `serve`. */
  readonly workers?: number;
  /** File for a V8 profile of `serve`. */
  readonly profile?: string;
}

const lookEveryMs = 200;
const idleWithinSeconds = 3600;

export async function startGateway(options: GatewayOptions): Promise<BenchGateway> {
  const { lanes, workers = 0, backends, profile } = options;
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-bench-'));
  const config = join(folder, 'casebridge.yaml');
  await writeFile(config, configuration(options));
  const common = {
    folder,
    env: {
      BENCH_TOKEN: 'bench-token',
      BENCH_OPS_TOKEN: 'bench-ops-token',
      BENCH_DATABASE_URL: backends?.databaseUrl ?? '',
      BENCH_REDIS_URL: backends?.redisUrl ?? '',
    },
  };
  const node = backends === undefined ? [] : await deployedNodeOptions();
  const profiled =
    profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${dirname(profile)}`, `--cpu-prof-name=${basename(profile)}`];
  const serve = await startBenchProgram({
    ...common,
    name: 'gateway',
    arguments: ['serve', '--config', config, ...(lanes ? [] : ['--no-lanes'])],
    node: [...node, ...profiled],
  });
  const started = [serve];
  for (let n = 1; n <= workers; n += 1) {
    started.push(
      await startBenchProgram({ ...common, name: `worker-${n}`, arguments: ['worker', '--config', config], node }),
    );
  }
  const url = String(serve.said.url);
  return {
    send: (lines) => timed(() => post(url, lines)),
    log: async () => {
      const logs = (await readdir(folder)).filter((name) => name.endsWith('.log'));
      return (await Promise.all(logs.map((name) => readFile(join(folder, name), 'utf8')))).join('');
    },
    async api(method, path) {
      const headers = { authorization: 'Bearer bench-ops-token' };
      const response = await fetch(`${url}${path}`, { method, headers });
      const body: Json = JSON.parse(await response.text());
      if (!response.ok || !isObject(body)) throw new Error(`${method} ${path} was answered with ${response.status}`);
      return body;
    },
    untilIdle: (connection) =>
      timed(async () => {
        const deadline = performance.now() + idleWithinSeconds * 1000;
        while ((await lanesDue(url, connection)) > 0) {
          if (performance.now() > deadline) throw new Error(`lanes still have work after ${idleWithinSeconds} seconds`);
          await sleep(lookEveryMs);
        }
      }),
    cpuSeconds: () => started.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
    peakBytes: () => started.map(({ pid }) => peakBytes(pid)),
    async stop() {
      for (const program of started.toReversed()) await program.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function configuration({ connections, backends }: GatewayOptions): string {
  const servers = 'store: { url: env:BENCH_DATABASE_URL }\nqueue: { url: env:BENCH_REDIS_URL }';
  return `
server: { host: 127.0.0.1, port: 0 }
${backends === undefined ? '' : servers}
identifierSystem: https://riverside.example.org/casebridge
log: { level: warn }
operators:
  ops: { token: env:BENCH_OPS_TOKEN, may: [read, run, decide] }
sources:
  county: { token: env:BENCH_TOKEN, timeZone: America/New_York }
connections:
${connections}`;
}

/** One server that takes everything. */
export function oneServer(fhirUrl: string, concurrency: number, name = 'sandbox'): string {
  return `
  ${name}:
    vendor: standard
    baseUrl: ${fhirUrl}
    auth: { type: none }
    createPatients: true
    settle: 0s
    poll: { every: 1h }
    rateLimit: { requestsPerSecond: 10000, concurrency: ${concurrency} }
`;
}

async function post(url: string, lines: readonly Line[]): Promise<void> {
  const response = await fetch(`${url}/api/records`, {
    method: 'POST',
    headers: { authorization: 'Bearer bench-token', 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  });
  const answers = (await response.text()).trim().split('\n');
  const last = JSON.parse(answers.at(-1) ?? '{}');
  if (last.done !== true || last.accepted !== lines.length) {
    throw new Error(`the gateway accepted ${last.accepted} of ${lines.length} records`);
  }
}

async function lanesDue(url: string, connection?: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const ofConnection = connection === undefined ? '' : `connection="${connection}"`;
  return text
    .split('\n')
    .filter((line) => line.startsWith('casebridge_lanes_due{') && line.includes(ofConnection))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Seconds that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
