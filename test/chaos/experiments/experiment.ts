// What all runs share: a cluster and a load, something that is done to them, then rest, a second pass over everything, and judgement.

import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from '../../../src/json.ts';
import { judge } from '../checks.ts';
import { type Cluster, type ClusterOptions, startCluster } from '../cluster.ts';
import { type Evidence, gather } from '../evidence.ts';
import { each } from '../gateway.ts';
import { randomOf } from '../random.ts';
import { editsInWindow } from '../remote-edits.ts';
import { type Report, surroundings } from '../report.ts';
import { Source } from '../source.ts';
import { type Change, type Workload, workload } from '../workload.ts';

export interface ExperimentOptions {
  readonly seed: number;
  /** How often what the experiment does is done. */
  readonly count: number;
  /** How many record changes are sent, about. */
  readonly changes: number;
  /** Of one large body. */
  readonly megabytes: number;
  /** Of one long outage; how long a disk is full at most. */
  readonly seconds: number;
  /** On a small file system, for what fills it. */
  readonly folder?: string | undefined;
  readonly say: (line: string) => void;
}

export interface Result {
  readonly report: Report;
  readonly evidence: Evidence;
  /** Of the programs' logs, where something is wrong. */
  readonly folder: string;
}

/** What an experiment counted, and what is wrong beside what the judge finds. */
export interface Measured {
  readonly n?: Readonly<Record<string, number>>;
  readonly kills: Readonly<Record<string, number>>;
  readonly faults?: number;
  readonly findings?: Readonly<Record<string, readonly string[]>>;
  readonly figures?: Readonly<Record<string, number | string>>;
}

export interface Stage {
  readonly cluster: Cluster;
  readonly source: Source;
  readonly changes: readonly Change[];
}

const drainWithinMs = 900_000;
/** It reads everything once more, however much that is. */
const mostMsOfSecondPass = 3_600_000;
/** After all has been healed. */
const convergesWithinMs = 300_000;
/** Longer than a poll takes to come round, twice. */
const pollsMs = 5_000;

/** The directory has been sent when `act` begins; all programs must be well when it ends. */
export async function experiment(
  { seed, changes: count, say }: Pick<ExperimentOptions, 'seed' | 'changes' | 'say'>,
  setting: Omit<ClusterOptions, 'people'>,
  act: (stage: Stage) => Promise<Measured>,
  load: Workload = workload(randomOf(seed, 'workload'), { changes: count }),
): Promise<Result> {
  const { changes, people } = load;
  say(`seed ${seed}: ${changes.length} changes of ${people.length} cases`);
  const cluster = await startCluster({ ...setting, people });
  let isWell = false;
  try {
    const source = new Source(cluster.gateway, randomOf(seed, 'source'));
    await source.send(load.directory, 0);
    const measured = await act({ cluster, source, changes });
    say(`done: ${JSON.stringify(measured.kills)}; waiting for rest`);
    const drainMs = await untilRest(cluster);
    await sleep(pollsMs);
    await untilRest(cluster);
    const crashed = await runCrashed(cluster);
    say(`at rest after ${drainMs} ms; second pass`);
    const quietAfter = new Map<string, number>();
    for (const server of cluster.servers) quietAfter.set(server.name, (await server.journal()).length);
    await cluster.gateway.runAll();
    await untilRest(cluster, mostMsOfSecondPass);
    const evidence = await gather(cluster, source.answers, [...load.directory, ...changes], quietAfter);
    const figures = { 'lanes parked as crashed': crashed, ...measured.figures };
    const report = reportOf(seed, load, evidence, { ...measured, figures }, drainMs);
    isWell = Object.values(report.results.findings).every((found) => found.length === 0);
    return { report, evidence, folder: cluster.folder };
  } finally {
    if (!isWell) say(`the logs are in ${cluster.folder}`);
    await cluster.stop(!isWell);
  }
}

/** @returns milliseconds until no lane had work. @throws with the lanes that still have some by then */
export async function untilRest({ gateway }: Cluster, withinMs = drainWithinMs): Promise<number> {
  const ms = await gateway.drained(withinMs);
  if (ms !== undefined) return ms;
  const busy = (await gateway.all('/api/lanes')).filter(({ state }) => state !== 'idle');
  throw new Error(`lanes did not come to rest in ${withinMs} ms: ${JSON.stringify(busy.slice(0, 20))}`);
}

/**
 * Three kills in a row while a lane runs look like a lane that brings its process down (lanes.md 5): it is parked, with an alert, until somebody runs
 * it, who is we.
 * @returns how many there were
 */
async function runCrashed(cluster: Cluster): Promise<number> {
  const { gateway } = cluster;
  const parked = await gateway.all('/api/lanes?state=parked');
  const crashed = parked.filter(({ reason }) => isObject(reason) && reason.code === 'lane-crashed');
  await each(crashed, 8, async ({ connection, subject }) => {
    await gateway.ask('POST', `/api/lanes/${connection}/${subject}/run`);
  });
  await untilRest(cluster);
  return crashed.length;
}

function reportOf(
  seed: number,
  { changes, people }: Workload,
  evidence: Evidence,
  measured: Measured,
  drainMs: number,
): Report {
  const { servers, answers } = evidence;
  const late = drainMs > convergesWithinMs ? [`lanes had work for ${Math.round(drainMs / 1000)} s more`] : [];
  const findings = { ...judge(evidence), 'at rest too late': late, ...measured.findings };
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
      ...measured.n,
    },
    faults: measured.faults ?? 0,
    kills: measured.kills,
    results: {
      findings,
      figures: {
        'time to drain, s': Math.round(drainMs / 100) / 10,
        'second pass: reads': secondPass.filter(({ method }) => method === 'GET').length,
        'second pass: writes': findings['writes after quiet'].length,
        'edits inside the window': servers.reduce((sum, server) => sum + editsInWindow(server, evidence), 0),
        'changes told': evidence.changes.length,
        'decisions open': evidence.decisions.length,
        ...measured.figures,
      },
    },
  };
}
