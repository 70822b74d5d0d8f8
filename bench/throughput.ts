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
    const single = await endToEnd(stage, options, false, spans);
    const bare = await bareLoop(stage, options, single);
    const bundled = await endToEnd(stage, options, true, spans);
    const figures = {
      ...accepted,
      ...headed('first send, single requests', phaseFigures(single.first)),
      ...headed('bare loop, creates', phaseFigures(bare.first)),
      'ratio, first send, single requests': rounded(bare.first.seconds / single.first.seconds, 3),
      ...headed('first send, transactions', phaseFigures(bundled.first)),
      'ratio, first send, transactions': rounded(bare.first.seconds / bundled.first.seconds, 3),
      ...headed('single-resource edits', phaseFigures(single.edits)),
      ...headed('bare loop, updates', phaseFigures(bare.edits)),
      'ratio, single-resource edits': rounded(bare.edits.seconds / single.edits.seconds, 3),
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

interface EndToEnd {
  readonly first: Phase;
  readonly edits: Phase;
  /** What the server held after the first send, and what the edits changed. */
  readonly created: readonly JsonObject[];
  readonly changed: readonly JsonObject[];
  readonly peakBytes: readonly number[];
}

async function endToEnd(
  stage: Stage,
  { kind, cases: count, concurrency, workers, profile }: ThroughputOptions,
  transactions: boolean,
  spans: ProfiledSpan[],
): Promise<EndToEnd> {
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
  try {
    const cpu = () => ({ gateway: gateway.cpuSeconds(), ...stage.cpuSeconds() });
    const through = async (title: string, lines: readonly Line[]) => {
      const from = profileClock();
      const phase = await measure(server, cpu, () => arrive(gateway, lines));
      if (file) spans.push({ title: `${kind}, ${title}, ${way}`, file, from, to: profileClock() });
      return phase;
    };
    const first = await through('first send', [...directory, ...cases(count)]);
    const created = await server.resources();
    const edited = await through('single-resource edits', edits(count, 1));
    const updated = await server.resources();
    const changed = updated.filter((resource) => JSON.stringify(resource).includes('edition 1'));
    const expected = directory.length + 1 + count * resourcesOfCase;
    expectCounts({
      created: [created.length, expected],
      updated: [updated.length, expected],
      changed: [changed.length, count],
    });
    return {
      first: { ...first, resources: created.length },
      edits: { ...edited, resources: changed.length },
      created,
      changed,
      peakBytes: gateway.peakBytes(),
    };
  } finally {
    await gateway.stop();
  }
}

async function arrive(gateway: BenchGateway, lines: readonly Line[]): Promise<void> {
  await gateway.send(lines);
  await gateway.untilIdle();
}

async function bareLoop(
  { server, cpuSeconds }: Stage,
  { concurrency }: ThroughputOptions,
  { created, changed }: EndToEnd,
): Promise<{ first: Phase; edits: Phase }> {
  await server.fresh({ transactions: false });
  const layers = layersOf(created);
  const cpu = () => ({ loop: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6, ...cpuSeconds() });
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

/** The figures mean nothing unless all arrived, once: as many resources before as after, and each edit where it belongs. */
function expectCounts(counts: Readonly<Record<string, readonly [found: number, expected: number]>>): void {
  for (const [name, [found, expected]] of Object.entries(counts))
    if (found !== expected) throw new Error(`${expected} resources ${name} were expected; the server holds ${found}`);
}
