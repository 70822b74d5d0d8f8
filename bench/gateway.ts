// The gateway of the bench: `casebridge serve` on an embedded store, as a process of its own, used by HTTP.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProgram } from '../src/demo/programs.ts';
import { isObject, type Json, type JsonObject } from '../src/json.ts';
import type { Line } from './caseload.ts';

export interface BenchGateway {
  /** Sends records as NDJSON; all must be accepted. @returns seconds until the last answer line */
  send(lines: readonly Line[]): Promise<number>;
  /** Waits until no lane has work. @returns seconds */
  untilIdle(): Promise<number>;
  /** Answers of the API to an operator. */
  api(method: 'GET' | 'POST', path: string): Promise<JsonObject>;
  /** What it has logged so far. */
  log(): Promise<string>;
  /** The most memory (resident set, bytes) that was seen so far. */
  readonly peakBytes: number;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly lanes: boolean;
  /** The `connections:` of its configuration, as YAML. */
  readonly connections: string;
}

const lookEveryMs = 100;
const idleWithinSeconds = 600;

export async function startGateway({ lanes, connections }: GatewayOptions): Promise<BenchGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-bench-'));
  const config = join(folder, 'casebridge.yaml');
  const envFile = join(folder, 'bench.env');
  await writeFile(envFile, 'BENCH_TOKEN=bench-token\nBENCH_OPS_TOKEN=bench-ops-token\n');
  await writeFile(config, configuration(connections));
  const end = new AbortController();
  const program = await startProgram({
    name: 'gateway',
    arguments: ['serve', '--config', config, '--json', ...(lanes ? [] : ['--no-lanes'])],
    envFile,
    folder,
    onEnd: (problem) => end.abort(problem),
    signal: end.signal,
  });
  let peakBytes = 0;
  const metric = async (name: string) => {
    const values = await readMetric(program.url, name, end.signal);
    return values.reduce((sum, value) => sum + value, 0);
  };
  const look = async () => {
    peakBytes = Math.max(peakBytes, await metric('process_resident_memory_bytes'));
  };
  return {
    get peakBytes() {
      return peakBytes;
    },
    async send(lines) {
      const seconds = await timed(() => post(program.url, lines, end.signal));
      await look();
      return seconds;
    },
    log: () => readFile(join(folder, 'gateway.log'), 'utf8'),
    async api(method, path) {
      const headers = { authorization: 'Bearer bench-ops-token' };
      const response = await fetch(`${program.url}${path}`, { method, headers, signal: end.signal });
      const body: Json = JSON.parse(await response.text());
      if (!response.ok || !isObject(body)) throw new Error(`${method} ${path} was answered with ${response.status}`);
      return body;
    },
    untilIdle: () =>
      timed(async () => {
        const deadline = performance.now() + idleWithinSeconds * 1000;
        while ((await metric('casebridge_lanes_due')) > 0) {
          if (performance.now() > deadline) throw new Error(`lanes still have work after ${idleWithinSeconds} seconds`);
          await look();
          await sleep(lookEveryMs, undefined, { signal: end.signal });
        }
      }),
    async stop() {
      await program.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function configuration(connections: string): string {
  return `
server: { host: 127.0.0.1, port: 0 }
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
export function oneServer(fhirUrl: string, concurrency: number): string {
  return `
  sandbox:
    vendor: standard
    baseUrl: ${fhirUrl}
    auth: { type: none }
    createPatients: true
    settle: 0s
    poll: { every: 1h }
    rateLimit: { requestsPerSecond: 1000, concurrency: ${concurrency} }
`;
}

async function post(url: string, lines: readonly Line[], signal: AbortSignal): Promise<void> {
  const response = await fetch(`${url}/api/records`, {
    method: 'POST',
    headers: { authorization: 'Bearer bench-token', 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    signal,
  });
  const answers = (await response.text()).trim().split('\n');
  const last = JSON.parse(answers.at(-1) ?? '{}');
  if (last.done !== true || last.accepted !== lines.length) {
    throw new Error(`the gateway accepted ${last.accepted} of ${lines.length} records`);
  }
}

async function readMetric(url: string, name: string, signal: AbortSignal): Promise<number[]> {
  const text = await (await fetch(`${url}/metrics`, { signal })).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => Number(line.split(' ').at(-1)));
}

/** Seconds that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
