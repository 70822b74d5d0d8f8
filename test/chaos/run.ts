// The chaos run: load, partner and nemesis together, until the time is over and everything has been sent.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ExperimentOptions,
  experiment,
  type Measured,
  type Result,
  type Stage,
} from './experiments/experiment.ts';
import { Nemesis } from './nemesis.ts';
import { Partner } from './partner.ts';
import { randomOf } from './random.ts';
import type { VendorName } from './simulated.ts';
import { workload } from './workload.ts';

export interface RunOptions extends Pick<ExperimentOptions, 'seed' | 'changes' | 'say'> {
  readonly minutes: number;
  readonly cases?: number;
  readonly vendors: readonly VendorName[];
  readonly workers: number;
  readonly serves: number;
  /** Seconds between two deeds of the nemesis, about. */
  readonly every: number;
  /** How many edits the partner tries. @default a tenth of the changes, at least 20 */
  readonly edits?: number;
  /** Whether the community exchange has version tags. */
  readonly versions: boolean;
  /** Whether it takes conditional creates, without which no Provenance is written. */
  readonly conditionalCreates: boolean;
}

const leaseMs = 5_000;
const searchLagMs = 300;

export function run(options: RunOptions): Promise<Result> {
  const setting = {
    ...options,
    lease: `${leaseMs}ms`,
    settle: '1s',
    settings: {
      standard: { searchLagMs, conditionalCreate: options.conditionalCreates, versions: options.versions },
      epic: { searchLagMs },
      oracle: { searchLagMs },
    },
  };
  return experiment(
    options,
    setting,
    (stage) => disturb(stage, options),
    workload(randomOf(options.seed, 'workload'), options),
  );
}

const fewestEdits = 5;
const longestMoreMs = 60_000;

async function disturb({ cluster, source, changes }: Stage, options: RunOptions): Promise<Measured> {
  const { seed, minutes, every, versions, edits = Math.max(20, changes.length / 10) } = options;
  const loadMs = minutes * 60_000;
  const exchange = cluster.servers.find(({ name }) => name === 'standard');
  const partner = exchange && new Partner(exchange, randomOf(seed, 'partner'), versions);
  const nemesis = new Nemesis(cluster, randomOf(seed, 'nemesis'), { everyMs: every * 1_000, leaseMs });
  const calm = new AbortController();
  const others = Promise.all([partner?.work(loadMs / edits, calm.signal), nemesis.work(calm.signal)]);
  const began = performance.now();
  await source.send(changes, loadMs * 0.9);
  await sleep(Math.max(0, began + loadMs - performance.now()));
  // A slow machine may have brought nothing to the exchange yet that could be edited.
  while (partner !== undefined && partner.edits < fewestEdits && performance.now() < began + loadMs + longestMoreMs)
    await sleep(250);
  calm.abort();
  await others;
  const { counts, struck, badStops } = nemesis.deeds;
  const missed = [
    ...(Object.keys(counts).length === 0 ? ['nothing was done to any program'] : []),
    ...(struck === 0 ? ['no fault of a server struck'] : []),
    ...(partner !== undefined && partner.edits === 0 ? ['the partner edited nothing'] : []),
  ];
  return { kills: counts, faults: struck, findings: { 'bad stops': badStops, 'fault not met': missed } };
}
