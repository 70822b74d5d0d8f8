// The gateway of the bench: `casebridge serve` on an embedded store, as a process of its own, used by HTTP.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProgram } from '../src/demo/programs.ts';
import type { Line } from './caseload.ts';

export interface BenchGateway {
  /** Sends records as NDJSON; all must be accepted. @returns seconds until the last answer line */
  send(lines: readonly Line[]): Promise<number>;
  /** Waits until no lane has work. @returns seconds */
  untilIdle(): Promise<number>;
  /** The most memory (resident set, bytes) that was seen so far. */
  readonly peakBytes: number;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly fhirUrl: string;
  readonly lanes: boolean;
  /** Requests at a time to the server. */
  readonly concurrency: number;
}

const lookEveryMs = 100;
const idleWithinSeconds = 600;

export async function startGateway({ fhirUrl, lanes, concurrency }: GatewayOptions): Promise<BenchGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-bench-'));
  const config = join(folder, 'casebridge.yaml');
  const envFile = join(folder, 'bench.env');
  await writeFile(envFile, 'BENCH_TOKEN=bench-token\n');
  await writeFile(config, configuration(fhirUrl, concurrency));
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

function configuration(fhirUrl: string, concurrency: number): string {
  return `
server: { host: 127.0.0.1, port: 0 }
identifierSystem: https://riverside.example.org/casebridge
log: { level: warn }
sources:
  county: { token: env:BENCH_TOKEN, timeZone: America/New_York }
connections:
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
