// How fast records are accepted, how fast they reach a FHIR server, and how a bare loop that writes the same prebuilt resources at the same
// concurrency to the same server compares.

import { join } from 'node:path';
import type { JsonObject } from '../src/json.ts';
import { createAll, layersOf, updateAll } from './bare-loop.ts';
import { cases, directory, edits, type Line, resourcesOfCase } from './caseload.ts';
import { type Figures, headed, mebibytes, rounded } from './figures.ts';
import { type BenchGateway, oneServer, timed } from './gateway.ts';
import { profileClock, type Span } from './profile.ts';
import { openStage, type Stage, type StoreKind } from './stage.ts';

export interface ThroughputOptions {
  readonly kind: StoreKind;
  readonly cases: number;
  /** Cases whose records are only accepted. */
  readonly accept: number;
  readonly concurrency: number;
  readonly workers: number;
  /** Folder for V8 profiles of `serve`; profiled figures are slower. */
  readonly profile: string | undefined;
}

export interface Throughput {
  readonly figures: Figures;
  readonly spans: readonly ProfiledSpan[];
}

export interface ProfiledSpan extends Span {
  readonly title: string;
  readonly file: string;
}

export async function measureThroughput(options: ThroughputOptions): Promise<Throughput> {
  const stage = await openStage(options.kind);
  const spans: ProfiledSpan[] = [];
  try {
    const accepted = await acceptOnly(stage, options);
    const single = await withTraffic(stage, options, false, spans, async (traffic) => ({
      first: await firstSend(stage, traffic, options.cases),
      edits: await sendEdits(stage, traffic, options.cases),
      peakBytes: traffic.gateway.peakBytes(),
    }));
    const bare = await bareLoop(stage, options, single.first.created, single.edits.changed);
    const bundled = await withTraffic(stage, options, true, spans, (traffic) =>
      firstSend(stage, traffic, options.cases),
    );
    const ratio = (bareSeconds: number, ours: Phase) => rounded(bareSeconds / ours.seconds, 3);
    const figures = {
      ...accepted,
      'ratio, first send, single requests': ratio(bare.first.seconds, single.first.phase),
      'ratio, first send, transactions': ratio(bare.first.seconds, bundled.phase),
      'ratio, single-resource edits': ratio(bare.edits.seconds, single.edits.phase),
      ...headed('first send, single requests', phaseFigures(single.first.phase)),
      ...headed('first send, transactions', phaseFigures(bundled.phase)),
      ...headed('bare loop, creates', phaseFigures(bare.first)),
      ...headed('single-resource edits', phaseFigures(single.edits.phase)),
      ...headed('bare loop, updates', phaseFigures(bare.edits)),
      ...memoryFigures(single.peakBytes),
    };
    return { figures, spans };
  } finally {
    await stage.stop();
  }
}

function memoryFigures([serve = Number.NaN, ...workers]: readonly number[]): Figures {
  return {
    'peak memory of serve, MiB': mebibytes(serve),
    ...(workers.length > 0 && { 'peak memory of a worker, MiB': mebibytes(Math.max(...workers)) }),
  };
}

/** Intake alone: validated, versioned and committed before it is answered; no lane runs. */
async function acceptOnly(stage: Stage, { accept, concurrency }: ThroughputOptions): Promise<Figures> {
  const gateway = await stage.gateway({ lanes: false, connections: oneServer(stage.server.fhirUrl, concurrency) });
  try {
    const lines = [...directory, ...cases(accept)];
    const seconds = await gateway.send(lines);
    return { 'accepted records/s': rounded(lines.length / seconds) };
  } finally {
    await gateway.stop();
  }
}

interface Phase {
  readonly seconds: number;
  readonly resources: number;
  readonly requests: number;
  /** Seconds of processor time, by program. */
  readonly cpu: Readonly<Record<string, number>>;
}

function phaseFigures({ seconds, resources, requests, cpu }: Phase): Figures {
  return {
    'resources/s': rounded(resources / seconds),
    'requests per resource': rounded(requests / resources, 2),
    ...Object.fromEntries(
      Object.entries(cpu).map(([name, spent]) => [
        `CPU ms per resource, ${name}`,
        rounded((spent * 1000) / resources, 2),
      ]),
    ),
  };
}

interface FirstSend {
  readonly phase: Phase;
  /** What the server held after it. */
  readonly created: readonly JsonObject[];
}

interface Edits {
  readonly phase: Phase;
  readonly changed: readonly JsonObject[];
}

interface Traffic {
  readonly gateway: BenchGateway;
  through(title: string, lines: readonly Line[]): Promise<Omit<Phase, 'resources'>>;
}

/** A fresh gateway on a fresh server, which takes transactions or does not, while the work lasts. */
async function withTraffic<T>(
  stage: Stage,
  { kind, concurrency, workers, profile }: ThroughputOptions,
  transactions: boolean,
  spans: ProfiledSpan[],
  work: (traffic: Traffic) => Promise<T>,
): Promise<T> {
  const { server } = stage;
  await server.fresh({ transactions });
  const way = transactions ? 'transactions' : 'single requests';
  const file = profile && join(profile, `${kind}-${way.replace(' ', '-')}.cpuprofile`);
  const gateway = await stage.gateway({
    lanes: true,
    connections: oneServer(server.fhirUrl, concurrency),
    workers,
    ...(file && { profile: file }),
  });
  const through: Traffic['through'] = async (title, lines) => {
    const from = profileClock();
    const phase = await measure(
      server,
      () => ({ gateway: gateway.cpuSeconds(), ...stage.cpuSeconds() }),
      async () => {
        await gateway.send(lines);
        await gateway.untilIdle();
      },
    );
    if (file) spans.push({ title: `${kind}, ${title}, ${way}`, file, from, to: profileClock() });
    return phase;
  };
  try {
    return await work({ gateway, through });
  } finally {
    await gateway.stop();
  }
}

async function firstSend({ server }: Stage, { through }: Traffic, count: number): Promise<FirstSend> {
  const phase = await through('first send', [...directory, ...cases(count)]);
  // A transaction says beside each resource who wrote it; single requests can't.
  const created = (await server.resources()).filter(({ resourceType }) => resourceType !== 'Provenance');
  // The worker makes two: Practitioner and PractitionerRole.
  expectCount('created', created.length, directory.length + 1 + count * resourcesOfCase);
  return { phase: { ...phase, resources: created.length }, created };
}

async function sendEdits({ server }: Stage, { through }: Traffic, count: number): Promise<Edits> {
  const phase = await through('single-resource edits', edits(count, 1));
  const changed = (await server.resources()).filter((resource) => JSON.stringify(resource).includes('edition 1'));
  expectCount('changed', changed.length, count);
  return { phase: { ...phase, resources: changed.length }, changed };
}

async function bareLoop(
  { server, cpuSeconds }: Stage,
  { concurrency }: ThroughputOptions,
  created: readonly JsonObject[],
  changed: readonly JsonObject[],
): Promise<{ first: Phase; edits: Phase }> {
  await server.fresh({ transactions: false });
  const layers = layersOf(created);
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return { loop: (user + system) / 1e6, sandbox: cpuSeconds().sandbox ?? 0 };
  };
  let made = new Map<string, string>();
  const first = await measure(server, cpu, async () => {
    made = await createAll(server.fhirUrl, layers, concurrency);
  });
  const edited = await measure(server, cpu, () => updateAll(server.fhirUrl, changed, made, concurrency));
  return { first: { ...first, resources: created.length }, edits: { ...edited, resources: changed.length } };
}

async function measure(
  server: Stage['server'],
  cpu: () => Readonly<Record<string, number>>,
  work: () => Promise<void>,
): Promise<Omit<Phase, 'resources'>> {
  const requestsBefore = await server.requestCount();
  const before = cpu();
  const seconds = await timed(work);
  const after = cpu();
  const spent = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]);
  return { seconds, requests: (await server.requestCount()) - requestsBefore, cpu: Object.fromEntries(spent) };
}

/** The figures mean nothing unless all arrived, once. */
function expectCount(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${expected} resources ${what} were expected; the server holds ${found}`);
}
