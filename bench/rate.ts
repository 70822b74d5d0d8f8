// `npm run experiment:rate`: worker processes that share a limited server, on PostgreSQL and Redis, with more work than the limit lets through (G12).
// Read from the server's own log of arrivals: the most requests in any 60 seconds, how much of the limit is used, and what arrives before the
// end of a pause that the server asks for. `--black-hole` puts a second server beside it that accepts connections and never answers. Ends with
// 1 when the limit is passed, less than 0.95 of it is used, or a request arrives in a pause that was not on its way.

import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolOptions } from '../scripts/tool-options.ts';
import { isObject, type JsonObject } from '../src/json.ts';
import { cases, directory } from './caseload.ts';
import { rounded } from './figures.ts';
import type { BenchGateway } from './gateway.ts';
import type { Entry, Server } from './server.ts';
import { openStage } from './stage.ts';
import { fewestInAMinute, mostInAMinute } from './windows.ts';

const { values } = toolOptions('experiment:rate', {
  rate: { type: 'string', default: '20' },
  workers: { type: 'string', default: '4' },
  seconds: { type: 'string', default: '130' },
  pauses: { type: 'string', default: '3' },
  'black-hole': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});
const rate = Number(values.rate);
const workers = Number(values.workers);
const seconds = Number(values.seconds);
const concurrency = 8;
/** Until every process works and the first minute's start is behind. */
const warmUpMs = 10_000;
/** A request may have been on its way, or its slot in hand, when the server asked for a pause. */
const onTheWayMs = 300;

/** A server that does not say how long is left alone for a second at least. */
const unsaidMs = 1_000;

const forms: readonly { readonly form: string; readonly retryAfter: () => string | undefined }[] = [
  { form: 'seconds', retryAfter: () => '6' },
  { form: 'date', retryAfter: () => new Date(Date.now() + 8_000).toUTCString() },
  { form: 'none', retryAfter: () => undefined },
];

const hole = values['black-hole'] ? await openHole() : undefined;
const stage = await openStage('postgres');
try {
  await stage.server.fresh({ auth: 'none', transactions: false });
  const gateway = await stage.gateway({ lanes: false, workers, connections: connections(stage.server.fhirUrl) });
  try {
    // A case takes more than ten requests.
    await gateway.send([...directory, ...cases(Math.ceil((rate * (seconds + 200)) / 10) + 20)]);
    const used = await measureUse(stage.server);
    process.stderr.write(`${JSON.stringify(used)}\n`);
    const atRest = hole === undefined ? {} : { hole: await holeFigures(gateway) };
    const pauses = await measurePauses(stage.server);
    const figures = { rate, workers, seconds, ...used, ...atRest, pauses };
    console.log(values.json ? JSON.stringify(figures) : shown(figures));
    const early = pauses.reduce((sum, one) => sum + one.early, 0);
    if (used.mostInAMinute > used.limit || used.usedShare < 0.95 || early > 0) process.exitCode = 1;
  } finally {
    await gateway.stop();
  }
} finally {
  await stage.stop();
  hole?.close();
}

function connections(fhirUrl: string): string {
  const limited = connection('limited', fhirUrl, `{ requestsPerSecond: ${rate}, concurrency: ${concurrency} }`);
  return hole === undefined
    ? limited
    : limited + connection('hole', hole.url, '{ requestsPerSecond: 20, concurrency: 8 }');
}

function connection(name: string, url: string, rateLimit: string): string {
  return `
  ${name}:
    vendor: standard
    baseUrl: ${url}
    auth: { type: none }
    createPatients: true
    settle: 0s
    poll: { every: 10s }
    rateLimit: ${rateLimit}
`;
}

async function measureUse(server: Server) {
  await sleep(warmUpMs);
  const from = Date.now();
  await sleep(seconds * 1000);
  const to = Date.now();
  const times = (await server.journal()).map(timeOf);
  const inside = times.filter((at) => at >= from && at < to);
  return {
    requests: inside.length,
    limit: Math.floor(rate * 60 + 1e-6),
    mostInAMinute: mostInAMinute(times),
    fewestInAMinute: fewestInAMinute(times, from, to),
    usedShare: rounded(inside.length / (rate * ((to - from) / 1000)), 4),
  };
}

interface Pause {
  readonly form: string;
  /** Milliseconds that the server asked for; null where it did not say. */
  readonly askedMs: number | null;
  /** Until the first request that was not on its way. */
  readonly keptMs: number;
  /** Requests that arrived before the end: within 300 ms, and later. */
  readonly onTheWay: number;
  readonly early: number;
}

/** Has the server ask for pauses, of each form several, one after the other. */
async function measurePauses(server: Server): Promise<Pause[]> {
  const pauses: Pause[] = [];
  for (let times = 0; times < Number(values.pauses); times += 1) {
    for (const { form, retryAfter } of forms) pauses.push(await measurePause(server, form, retryAfter()));
  }
  return pauses;
}

async function measurePause(server: Server, form: string, retryAfter: string | undefined): Promise<Pause> {
  const before = (await server.journal()).length;
  const headers: JsonObject = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  await server.faults([{ nth: 1, fault: { status: 429, headers } }]);
  for (;;) {
    await sleep(500);
    const entries = await server.journal(before);
    const at = entries.findIndex(({ status }) => status === 429);
    const stopped = entries[at];
    if (stopped === undefined) continue;
    const since = entries.slice(at + 1).map((entry) => timeOf(entry) - timeOf(stopped));
    const next = since.find((ms) => ms > onTheWayMs);
    if (next === undefined) continue;
    const askedMs = askedFor(retryAfter, timeOf(stopped));
    const early = since.filter((ms) => ms < (askedMs ?? unsaidMs));
    return {
      form,
      askedMs,
      keptMs: next,
      onTheWay: since.filter((ms) => ms <= onTheWayMs).length,
      early: early.filter((ms) => ms > onTheWayMs).length,
    };
  }
}

function askedFor(retryAfter: string | undefined, at: number): number | null {
  if (retryAfter === undefined) return null;
  return /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - at;
}

/** How the operator sees the server that never answers, and how many lanes it holds. */
async function holeFigures(gateway: BenchGateway): Promise<JsonObject> {
  const { items } = await gateway.api('GET', '/api/connections');
  const found = Array.isArray(items) ? items.filter(isObject).find(({ id }) => id === 'hole') : undefined;
  const running = await gateway.api('GET', '/api/lanes?state=running&limit=1000');
  const lanes = Array.isArray(running.items) ? running.items.filter(isObject) : [];
  return {
    resting: found?.resting ?? null,
    lanesHeld: lanes.filter(({ connection: id }) => id === 'hole').length,
    requests: hole?.connections() ?? 0,
  };
}

async function openHole() {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const listener = createServer((socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/r4`,
    connections: () => accepted,
    close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

function timeOf({ at }: Entry): number {
  return Date.parse(at);
}

function shown({ pauses, ...totals }: { readonly pauses: readonly Pause[] }): string {
  return [
    ...Object.entries(totals).map(
      ([name, value]) => `${name.padEnd(20)} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
    ),
    ...pauses.map((pause) => JSON.stringify(pause)),
  ].join('\n');
}
