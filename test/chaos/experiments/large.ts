// It does not fall over (G21): a body of a gigabyte, thousands of sockets that do not go on, a million due lanes; each against one `serve` that does all
// the work itself. Judged by the kernel's count of its memory, its own event loop delay, and what those are told who ask meanwhile.

import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { deployedNodeOptions } from '../../../bench/deployed.ts';
import { isObject, type Json } from '../../../src/json.ts';
import { feed } from '../../../src/lanes/feeder.ts';
import { openStore } from '../../../src/store/store.ts';
import { aNote, anOrganization } from '../../builders.ts';
import { onDatabase } from '../../support/backends.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { tokens } from '../gateway.ts';
import type { Program } from '../programs.ts';
import { surroundings } from '../report.ts';
import type { ExperimentOptions, Result } from './experiment.ts';
import { quantile } from './serve-kills.ts';

const mostMegabytes = 350;
const mostLoopDelayMs = 200;

interface Part {
  readonly n: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
  readonly figures: Readonly<Record<string, number | string>>;
}

/** `megabytes` of records in one body, `count` sockets, `changes` due lanes; what is 0 is left out. */
export async function large({ seed, count, changes, megabytes, say }: ExperimentOptions): Promise<Result> {
  const asked = [
    // Beside a worker, so that what it takes to let records in is seen by itself.
    { name: 'one body', size: megabytes, workers: 1, work: oneBody },
    { name: 'sockets', size: count, workers: 1, work: manySockets },
    { name: 'due lanes', size: changes, workers: 0, work: dueLanes },
  ];
  const parts = new Map<string, Part>();
  let folder = '';
  for (const { name, size, workers, work } of asked.filter(({ size: wanted }) => wanted > 0)) {
    say(name);
    const env = { NODE_OPTIONS: (await deployedNodeOptions()).join(' ') };
    const setting = { vendors: ['standard'], serves: 1, lease: '60s', settle: '0s', people: [], env } as const;
    const cluster = await startCluster({ ...setting, workers });
    let isWell = false;
    try {
      const part = await watched(cluster, () => work(cluster, size));
      parts.set(name, part);
      isWell = part.findings.length === 0;
    } finally {
      if (!isWell) folder = cluster.folder;
      await cluster.stop(!isWell);
    }
  }
  const named = <T>(values: (one: Part) => Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      [...parts].flatMap(([name, one]) =>
        Object.entries(values(one)).map(([key, value]) => [`${name}: ${key}`, value]),
      ),
    );
  const report = {
    ...surroundings(),
    seed,
    n: named(({ n }) => n),
    faults: 0,
    kills: {},
    results: {
      findings: Object.fromEntries([...parts].map(([name, { findings }]) => [name, findings])),
      figures: named(({ figures }) => figures),
    },
  };
  const evidence = { answers: [], records: [], servers: [], changes: [], decisions: [], lanes: [], ownEnds: [] };
  return { report, evidence, folder };
}

/** Asks for something small all the while, and looks at the process in the end. */
async function watched(cluster: Cluster, work: () => Promise<Part>): Promise<Part> {
  const { serve, url } = onlyServe(cluster);
  await loopDelayMs(url);
  const over = new AbortController();
  const asking = askingMeanwhile(url, over.signal);
  const ranBefore = await ranAndWaited(serve.pid);
  const part = await work();
  over.abort();
  const { took, failed } = await asking;
  const ranAfter = await ranAndWaited(serve.pid);
  const delay = await loopDelayMs(url);
  const megabytes = await peakMegabytes(serve.pid);
  const [worker] = cluster.workers;
  const ran = ranAfter.ran - ranBefore.ran;
  const waited = ranAfter.waited - ranBefore.waited;
  const share = waited / (waited + ran);
  return {
    n: { ...part.n, 'asked meanwhile': took.length },
    findings: [
      ...part.findings,
      ...failed,
      ...(megabytes <= mostMegabytes ? [] : [`it used ${megabytes} MB`]),
      // Others on the machine stretch everything by the time that they take: that is no fault of the process.
      ...(delay * (1 - share) <= mostLoopDelayMs ? [] : [`its event loop was ${delay} ms late in one of 100 turns`]),
    ],
    figures: {
      ...part.figures,
      'most memory, MB': megabytes,
      ...(worker && { 'most memory of the worker, MB': await peakMegabytes(worker.pid) }),
      'event loop delay p99, ms': delay,
      'answers meanwhile, ms': `median ${quantile(took, 0.5)}, p99 ${quantile(took, 0.99)}`,
      'share of its time that it waited for a processor': Math.round(share * 100) / 100,
    },
  };
}

function onlyServe({ serves }: Cluster): { readonly serve: Program; readonly url: string } {
  const [serve] = serves;
  if (serve?.url === undefined) throw new Error('there is no gateway');
  return { serve, url: serve.url };
}

async function askingMeanwhile(url: string, signal: AbortSignal): Promise<{ took: number[]; failed: string[] }> {
  const took: number[] = [];
  const failed: string[] = [];
  for (let at = 0; !signal.aborted; at += 1) {
    const began = performance.now();
    const record = anOrganization({ id: 'org-meanwhile', name: `Meanwhile ${at}`, updatedAt: timeOf(at) });
    const status = await (at % 2 === 0
      ? fetch(`${url}/health/ready`)
      : fetch(`${url}/api/records/organization/org-meanwhile`, {
          method: 'PUT',
          headers: { authorization: `Bearer ${tokens.county}`, 'content-type': 'application/json' },
          body: JSON.stringify(record),
        })
    ).then(
      async (response) => {
        await response.arrayBuffer();
        const isTold = [429, 503].includes(response.status) && response.headers.has('retry-after');
        return response.ok || isTold ? undefined : `answered with ${response.status}`;
      },
      (error: unknown) => String(error),
    );
    took.push(Math.round(performance.now() - began));
    if (status !== undefined) failed.push(`a request meanwhile: ${status}`);
    await sleep(50);
  }
  return { took, failed };
}

/** The 99th percentile since it was last asked. */
async function loopDelayMs(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const [, seconds] = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text) ?? [];
  return Math.round(Number(seconds) * 1000);
}

/** The most that it ever held (proc_pid_status). */
async function peakMegabytes(pid: number | undefined): Promise<number> {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

/** Of its main thread, in nanoseconds (proc_pid_schedstat). */
async function ranAndWaited(pid: number | undefined): Promise<{ ran: number; waited: number }> {
  const [ran, waited] = (await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ');
  return { ran: Number(ran), waited: Number(waited) };
}

const timeOf = (version: number) => new Date(Date.UTC(2026, 1, 10) + version * 1_000).toISOString();

const kinds = ['short', 'long', 'too long', 'broken'] as const;
type Kind = (typeof kinds)[number];

/** Most of the bytes in lines of nearly a megabyte, a hundred in a row, most of the lines short; some are too long, and some no JSON. */
async function oneBody(cluster: Cluster, megabytes: number): Promise<Part> {
  const sent: Record<Kind, number> = { short: 0, long: 0, 'too long': 0, broken: 0 };
  let bytes = 0;
  async function* body() {
    for (let at = 0; bytes < megabytes * 1e6; at += 1) {
      const kind = kindOf(at);
      sent[kind] += 1;
      const line = Buffer.from(`${lineOf(kind, at)}\n`);
      bytes += line.length;
      yield line;
    }
  }
  const began = performance.now();
  const response = await fetch(`${onlyServe(cluster).url}/api/records`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.county}`, 'content-type': 'application/x-ndjson' },
    body: body(),
    duplex: 'half',
  });
  let end: Json = {};
  let lines = 0;
  for await (const line of linesOf(response)) {
    lines += 1;
    end = line;
  }
  const { done, accepted, refused } = isObject(end) ? end : {};
  const all = kinds.reduce((sum, kind) => sum + sent[kind], 0);
  const isWhole = done === true && lines === all + 1;
  const isRight = accepted === sent.short + sent.long && refused === sent['too long'] + sent.broken;
  return {
    n: { ...sent, bytes },
    findings: [
      ...(isWhole ? [] : [`${all} lines were sent, ${lines - 1} answered; status ${response.status}`]),
      ...(isRight ? [] : [`sent ${JSON.stringify(sent)}, told ${JSON.stringify(end)}`]),
    ],
    figures: { 'time, s': Math.round((performance.now() - began) / 1000) },
  };
}

const longBytes = 900_000;
const tooLongBytes = 1_200_000;
/** The longest text that a field takes. */
const pageLetters = 20_000;

function kindOf(at: number): Kind {
  if (at % 9_000 === 8_999) return 'too long';
  if (at % 1_000 === 999) return 'broken';
  // As many in a row as are accepted in one transaction.
  return at % 20_000 < 100 ? 'long' : 'short';
}

function lineOf(kind: Kind, at: number): string {
  if (kind === 'broken') return '{"type":';
  const updatedAt = timeOf(at);
  if (kind === 'short') {
    const record = anOrganization({ id: `org-${at % 100}`, name: `Organization ${at} `.padEnd(200, 'x'), updatedAt });
    return JSON.stringify({ type: 'organization', record });
  }
  const pages = (kind === 'long' ? longBytes : tooLongBytes) / pageLetters;
  const addenda = Array.from({ length: pages }, (_, n) => ({
    id: `addendum-${n}`,
    kind: 'addendum' as const,
    text: `${at} ${n} `.repeat(pageLetters).slice(0, pageLetters - 1),
    authorId: 'worker-okafor',
  }));
  const record = aNote({ id: `note-${at % 7}`, status: 'draft', signedAt: undefined, updatedAt, addenda });
  return JSON.stringify({ type: 'note', record });
}

async function* linesOf(response: Response): AsyncGenerator<Json> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.map((line): Json => JSON.parse(line));
  }
}

type Manner = 'idle' | 'half a head' | 'half a body' | 'slow writer' | 'slow reader';
/** How ten sockets go on after they were opened. */
const manners: readonly Manner[] = [
  ...Array.from({ length: 4 }, (): Manner => 'idle'),
  ...Array.from({ length: 3 }, (): Manner => 'half a head'),
  ...Array.from({ length: 2 }, (): Manner => 'half a body'),
  'slow writer',
];
/** Of the streams whose answers nobody reads there are fewer: each is sent so many lines that the answers fill what the kernel keeps. */
const slowReaders = 10;
const unreadLines = 40_000;
/** A body may take 60 s, and a stream may rest as long. */
const closedWithinMs = 120_000;
const openAtOnce = 200;
const ownFiles = 500;
/** Of the pools and of those who ask meanwhile; less than there are slow readers. */
const spareSockets = 8;

async function manySockets(cluster: Cluster, wanted: number): Promise<Part> {
  const { serve, url } = onlyServe(cluster);
  const { hostname, port } = new URL(url);
  const count = Math.min(wanted, (await mostSockets()) - ownFiles);
  const open = new Set<Socket>();
  const closedAfter = new Map<Manner, number>();
  const add = (manner: Manner) => {
    const socket = connect(Number(port), hostname);
    const since = performance.now();
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      closedAfter.set(manner, Math.max(closedAfter.get(manner) ?? 0, performance.now() - since));
    });
    if (manner === 'slow reader') socket.pause();
    else socket.resume();
    socket.write(beginningOf(manner));
    if (manner === 'slow writer') drip(socket);
    return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  };
  const before = await socketsOf(serve);
  let most = 0;
  await Promise.all(Array.from({ length: slowReaders }, () => add('slow reader')));
  for (let at = 0; at < count; at += openAtOnce) {
    const some = Array.from(
      { length: Math.min(openAtOnce, count - at) },
      (_, n) => manners[n % manners.length] ?? 'idle',
    );
    await Promise.all(some.map(add));
    most = Math.max(most, await socketsOf(serve));
  }
  const began = performance.now();
  let left = await socketsOf(serve);
  while (left > before + spareSockets && performance.now() - began < closedWithinMs) {
    await sleep(200);
    left = await socketsOf(serve);
    most = Math.max(most, left);
  }
  const allClosedMs = performance.now() - began;
  for (const socket of open) socket.destroy();
  return {
    n: { sockets: count, 'slow readers': slowReaders, 'open at once': most },
    findings:
      left > before + spareSockets ? [`it had ${before} sockets before, ${left} after ${closedWithinMs} ms`] : [],
    figures: {
      'all closed within, s': Math.round(allClosedMs / 1000),
      ...Object.fromEntries(
        [...closedAfter].map(([manner, ms]) => [`${manner}: closed within, s`, Math.round(ms / 1000)]),
      ),
    },
  };
}

/** How many the process has open, as its kernel counts them. */
async function socketsOf({ pid }: Program): Promise<number> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith('socket:')).length;
}

async function mostSockets(): Promise<number> {
  const [, most] = /^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8')) ?? [];
  return Number(most);
}

function beginningOf(manner: Manner): string {
  if (manner === 'idle') return '';
  const body = manner === 'slow reader' ? '{}\n'.repeat(unreadLines) : '{';
  const [path, type] =
    manner === 'slow reader'
      ? ['POST /api/records', 'application/x-ndjson']
      : ['PUT /api/records/organization/org-1', 'application/json'];
  const head = `${path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${tokens.county}\r\ncontent-type: ${type}\r\n`;
  return manner === 'half a head' ? head : `${head}content-length: ${Math.max(100_000, body.length)}\r\n\r\n${body}`;
}

function drip(socket: Socket): void {
  const timer = setInterval(() => socket.write(' '), 2_000);
  socket.once('close', () => clearInterval(timer));
}

const looks = [
  '/api/lanes?limit=100',
  '/api/lanes?limit=100&state=due',
  '/api/lanes?limit=100&state=parked',
  '/api/lanes/reasons',
  '/api/connections',
  '/metrics',
];
const picks = 20;
const mostPassMs = 100;

/** Lanes of organizations of which a few are there; the rest have work that turns out to be none. */
async function dueLanes({ database, gateway }: Cluster, count: number): Promise<Part> {
  const url = database?.url ?? '';
  for (let at = 0; at < 20; at += 1) {
    const id = `org-due-${at}`;
    await gateway.ask('PUT', `/api/records/organization/${id}`, { as: 'county', body: anOrganization({ id }) });
  }
  await onDatabase(url, (client) =>
    client.query(
      `insert into casebridge.lane (connection, subject, source, wanted, done, priority, due_at, next_try_at, attempts)
       select 'standard', 'county.organization.due-' || n, 'county', 1, 0, (array[0, 10, 20, 50])[1 + n % 4], now() - n * interval '1 ms',
         case when n % 10 = 0 then now() + interval '1 hour' end, case when n % 10 = 0 then 3 else 0 end
       from generate_series(1, $1::integer) n`,
      [count],
    ),
  );
  const store = await openStore({ url, folder: 'unused' });
  const standard = await store.db
    .selectFrom('connection')
    .select('configuration')
    .where('id', '=', 'standard')
    .executeTakeFirstOrThrow();
  const passes: number[] = [];
  try {
    const deps = {
      store,
      connections: () => [{ id: 'standard', slots: 16, ...standard }],
      add: async () => {},
      onError: () => {},
      claimMs: 1_000,
    };
    for (let at = 0; at < picks; at += 1) {
      const began = performance.now();
      await feed(deps);
      passes.push(Math.round(performance.now() - began));
    }
  } finally {
    await store.close();
  }
  const figures: Record<string, string> = { 'a pass of the feeder, ms': medianAndMost(passes) };
  for (const path of looks) {
    const took: number[] = [];
    for (let at = 0; at < 5; at += 1) {
      const began = performance.now();
      await look(gateway.urls[0] ?? '', path);
      took.push(Math.round(performance.now() - began));
    }
    figures[`${path}, ms`] = medianAndMost(took);
  }
  await sleep(30_000);
  const { rows } = await onDatabase(url, (client) =>
    client.query<{ n: number }>('select count(*)::integer as n from casebridge.lane where done < wanted'),
  );
  const pass = quantile(passes, 0.5);
  return {
    n: { lanes: count, 'still due': rows[0]?.n ?? 0 },
    findings: pass <= mostPassMs ? [] : [`a pass of the feeder took ${pass} ms`],
    figures,
  };
}

async function look(url: string, path: string): Promise<void> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${tokens.ops}` } });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`GET ${path} was answered with ${response.status}`);
}

function medianAndMost(values: readonly number[]): string {
  return `median ${quantile(values, 0.5)}, most ${Math.max(...values)}`;
}
