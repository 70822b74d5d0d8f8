// One run: load, partner and nemesis together; then everything is healed, comes to rest, looks at itself once more, and is judged.

import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from './checks.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { type Evidence, gather } from './evidence.ts';
import { Nemesis } from './nemesis.ts';
import { Partner } from './partner.ts';
import { randomOf } from './random.ts';
import { type Report, surroundings } from './report.ts';
import type { VendorName } from './simulated.ts';
import { Source } from './source.ts';
import { type Workload, workload } from './workload.ts';

export interface RunOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly changes: number;
  readonly vendors: readonly VendorName[];
  readonly workers: number;
  readonly serves: number;
  /** Seconds between two deeds of the nemesis, about. */
  readonly every: number;
  /** Whether the community exchange has version tags. */
  readonly versions: boolean;
  readonly say: (line: string) => void;
}

export interface Outcome {
  readonly report: Report;
  readonly evidence: Evidence;
  /** Of the programs' logs, where something is wrong. */
  readonly folder: string;
}

const leaseMs = 5_000;
const drainWithinMs = 600_000;
/** Longer than a poll takes to come round, twice. */
const pollsMs = 5_000;

export async function run(options: RunOptions): Promise<Outcome> {
  const { seed, minutes, changes, vendors, say } = options;
  const load = workload(randomOf(seed, 'workload'), { changes });
  say(`seed ${seed}: ${load.changes.length} changes of ${load.people.length} cases`);
  const searchLagMs = 300;
  const cluster = await startCluster({
    ...options,
    lease: `${leaseMs}ms`,
    settle: '1s',
    people: load.people,
    settings: {
      standard: { searchLagMs, conditionalCreate: false, versions: options.versions },
      epic: { searchLagMs },
      oracle: { searchLagMs },
    },
  });
  let isWell = false;
  try {
    const result = await disturb(cluster, options, load);
    const isBad = Object.values(result.report.results.findings).some((found) => found.length > 0);
    isWell = !isBad;
    return { ...result, folder: cluster.folder };
  } finally {
    await cluster.stop(!isWell);
    say(`vendors ${vendors.join(', ')}; ${minutes} minutes of load`);
  }
}

async function disturb(cluster: Cluster, options: RunOptions, load: Workload): Promise<Omit<Outcome, 'folder'>> {
  const { seed, minutes, say } = options;
  const source = new Source(cluster.gateway, randomOf(seed, 'source'));
  const [exchange] = cluster.servers.filter(({ name }) => name === 'standard');
  const partner = exchange && new Partner(exchange, randomOf(seed, 'partner'), options.versions);
  const nemesis = new Nemesis(cluster, randomOf(seed, 'nemesis'), { everyMs: options.every * 1_000, leaseMs });
  const calm = new AbortController();
  await source.send(load.directory, 0);
  const partnerEveryMs = Math.max(200, (minutes * 60_000) / Math.max(20, load.changes.length / 10));
  const others = Promise.all([partner?.work(partnerEveryMs, calm.signal), nemesis.work(calm.signal)]);
  const loadMs = minutes * 60_000;
  const began = performance.now();
  await source.send(load.changes, loadMs * 0.9);
  await sleep(Math.max(0, began + loadMs - performance.now()));
  calm.abort();
  await others;
  say(`healed after ${JSON.stringify(nemesis.deeds.counts)}; waiting for rest`);
  const healed = performance.now();
  await untilRest(cluster);
  const drainMs = Math.round(performance.now() - healed);
  await sleep(pollsMs);
  await untilRest(cluster);

  say(`at rest after ${drainMs} ms; second pass`);
  const quietAfter = new Map<string, number>();
  for (const server of cluster.servers) quietAfter.set(server.name, (await server.journal()).length);
  await cluster.gateway.runAll();
  await untilRest(cluster);
  const evidence = await gather(cluster, source.answers, [...load.directory, ...load.changes], quietAfter);
  const findings = { ...judge(evidence), 'bad stops': nemesis.deeds.badStops };
  return { evidence, report: reportOf(options, load, nemesis, evidence, findings, drainMs) };
}

function reportOf(
  { seed }: RunOptions,
  { changes, people }: Workload,
  { deeds }: Nemesis,
  evidence: Evidence,
  findings: Report['results']['findings'],
  drainMs: number,
): Report {
  const { servers, answers } = evidence;
  const journals = servers.flatMap(({ journal }) => journal);
  const secondPass = servers.flatMap(({ journal, quietAfter }) => journal.filter(({ n }) => n > quietAfter));
  return {
    ...surroundings(),
    seed,
    n: {
      'record changes': changes.length,
      cases: people.length,
      answers: answers.length,
      unknown: answers.filter(({ outcome }) => outcome === 'unknown').length,
      stale: answers.filter(({ outcome }) => outcome === 'stale').length,
      requests: journals.length,
      resources: servers.flatMap(({ store }) => Object.values(store)).reduce((sum, all) => sum + all.length, 0),
      'partner edits': journals.filter(({ isPartner, writes }) => isPartner && writes.length > 0).length,
    },
    faults: deeds.struck,
    kills: deeds.counts,
    results: {
      findings,
      figures: {
        'time to drain, s': seconds(drainMs),
        'second pass: reads': secondPass.filter(({ method }) => method === 'GET').length,
        'second pass: writes': findings['writes after quiet']?.length ?? 0,
        'changes told': evidence.changes.length,
        'decisions open': evidence.decisions.length,
      },
    },
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

async function untilRest({ gateway }: Cluster): Promise<void> {
  const ms = await gateway.drained(drainWithinMs);
  if (ms !== undefined) return;
  const busy = (await gateway.all('/api/lanes')).filter(({ state }) => state !== 'idle');
  throw new Error(`lanes did not come to rest in ${drainWithinMs} ms: ${JSON.stringify(busy.slice(0, 20))}`);
}
