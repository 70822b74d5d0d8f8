// `npm run bench`: how fast records are accepted, how fast their changes reach a FHIR server, and how a bare loop that writes the same prebuilt
// resources at the same concurrency compares. Everything runs on this machine, so read the ratios; the rates are those of its cores.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startProgram } from '../src/demo/programs.ts';
import type { JsonObject } from '../src/json.ts';
import { createAll, updateAll } from './bare-loop.ts';
import { cases, directory } from './caseload.ts';
import { oneServer, startGateway, timed } from './gateway.ts';
import { Server } from './server.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    cases: { type: 'string', default: '60' },
    accept: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const caseCount = Number(values.cases);
const acceptCount = Number(values.accept);
const concurrency = 8;

interface Run {
  readonly [figure: string]: number;
}

const results: Run[] = [];
for (let run = 1; run <= runs; run += 1) {
  process.stderr.write(`run ${run} of ${runs}\n`);
  results.push(await measure());
}
const figures = Object.keys(results[0] ?? {}).map((name) => {
  const all = results.map((one) => one[name] ?? Number.NaN).sort((one, other) => one - other);
  return { name, median: middle(all), least: all[0] ?? Number.NaN, most: all.at(-1) ?? Number.NaN };
});
if (values.json) {
  const medians = Object.fromEntries(figures.map(({ name, median }) => [name, median]));
  console.log(JSON.stringify({ runs, cases: caseCount, concurrency, ...medians }));
} else {
  console.log(`medians of ${runs} runs (least to most), ${caseCount} cases, ${concurrency} requests at a time`);
  for (const { name, median, least, most } of figures)
    console.log(`${name.padEnd(28)} ${median}  (${least} to ${most})`);
}

async function measure(): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-bench-'));
  const signal = new AbortController().signal;
  const onEnd = (problem: Error) => {
    throw problem;
  };
  const sandbox = await startProgram({
    name: 'sandbox',
    arguments: ['sandbox', '--port', '0', '--json'],
    folder,
    onEnd,
    signal,
  });
  try {
    const server = new Server(sandbox.url, 'standard');
    return { ...(await accepted(server)), ...(await endToEnd(server)) };
  } finally {
    await sandbox.stop();
    await rm(folder, { recursive: true });
  }
}

/** Intake alone: validated, versioned and committed before it is answered; no lane runs. */
async function accepted({ fhirUrl }: Server): Promise<Run> {
  const gateway = await startGateway({ lanes: false, connections: oneServer(fhirUrl, concurrency) });
  try {
    const lines = [...directory, ...cases(acceptCount, 0)];
    const seconds = await gateway.send(lines);
    return { 'accepted records/s': rounded(lines.length / seconds), 'intake memory MiB': mebibytes(gateway.peakBytes) };
  } finally {
    await gateway.stop();
  }
}

async function endToEnd(server: Server): Promise<Run> {
  const { fhirUrl } = server;
  const gateway = await startGateway({ lanes: true, connections: oneServer(fhirUrl, concurrency) });
  try {
    const first = [...directory, ...cases(caseCount, 0)];
    const second = cases(caseCount, 1);
    const [creating, created, createRequests] = await through(server, first);
    const [updating, updated, allRequests] = await through(server, second);
    expectEditions(created, updated);
    await server.reset();
    let made = new Map<string, string>();
    const bareCreating = await timed(async () => {
      made = await createAll(fhirUrl, created, concurrency);
    });
    const changed = updated.filter((resource) => versionOf(resource) > 1);
    const bareUpdating = await timed(() => updateAll(fhirUrl, changed, made, concurrency));
    return {
      'new records/s': rounded(first.length / creating),
      'resources made/s': rounded(created.length / creating),
      'bare loop: made/s': rounded(created.length / bareCreating),
      'ratio when new': rounded(bareCreating / creating, 3),
      'changed records/s': rounded(second.length / updating),
      'resources changed/s': rounded(changed.length / updating),
      'bare loop: changed/s': rounded(changed.length / bareUpdating),
      'ratio when changed': rounded(bareUpdating / updating, 3),
      'requests when new': createRequests,
      'requests when changed': allRequests - createRequests,
      'gateway memory MiB': mebibytes(gateway.peakBytes),
    };
  } finally {
    await gateway.stop();
  }

  /** Sends the records and waits until they have arrived. @returns seconds, what the server holds then, its requests so far */
  async function through(
    to: Server,
    lines: Parameters<typeof gateway.send>[0],
  ): Promise<[number, JsonObject[], number]> {
    const seconds = await timed(async () => {
      await gateway.send(lines);
      await gateway.untilIdle();
    });
    const requests = Object.values(await to.requests()).reduce((sum, count) => sum + count, 0);
    return [seconds, await to.resources(), requests];
  }
}

/** The figures mean nothing unless all arrived, once: as many resources before as after, and each edition where it belongs. */
function expectEditions(created: readonly JsonObject[], updated: readonly JsonObject[]): void {
  const expected = directory.length + 1 + caseCount * 8;
  const old = updated.filter((resource) => JSON.stringify(resource).includes('edition 0'));
  if (created.length !== expected || updated.length !== expected || old.length > 0) {
    throw new Error(
      `${expected} resources were expected; the server held ${created.length}, then ${updated.length}, ${old.length} of them old`,
    );
  }
}

function versionOf({ meta }: JsonObject): number {
  return typeof meta === 'object' && meta !== null && !Array.isArray(meta) ? Number(meta.versionId) : 0;
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
