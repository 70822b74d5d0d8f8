// `npm run chaos`: real processes, PostgreSQL, Redis and simulated servers under kill -9, frozen and restarted parts and faults; judged from the
// servers' own stores and journals. Ends with 1 when anything is wrong, and keeps the history then. With --experiment, one narrower question.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toolOptions } from '../../scripts/tool-options.ts';
import { alert } from './experiments/alert.ts';
import { creates } from './experiments/creates.ts';
import { disk } from './experiments/disk.ts';
import { embedded } from './experiments/embedded.ts';
import type { ExperimentOptions, Result } from './experiments/experiment.ts';
import { frozen } from './experiments/frozen.ts';
import { large } from './experiments/large.ts';
import { outage } from './experiments/outage.ts';
import { redis } from './experiments/redis.ts';
import { replay } from './experiments/replay.ts';
import { serveKills } from './experiments/serve-kills.ts';
import { stale } from './experiments/stale.ts';
import { stops } from './experiments/stops.ts';
import { webhooks } from './experiments/webhooks.ts';
import { endWithUs } from './programs.ts';
import { isGood, page } from './report.ts';
import { run } from './run.ts';
import { vendorNames } from './simulated.ts';

interface Experiment {
  readonly run: (options: ExperimentOptions) => Promise<Result>;
  /** How often what it does is done, and how many record changes it takes, unless said otherwise. */
  readonly count: number;
  readonly changes: number;
}

const experiments: Readonly<Record<string, Experiment>> = {
  alert: { run: alert, count: 1, changes: 5_000 },
  creates: { run: creates, count: 200, changes: 1_000 },
  disk: { run: disk(false), count: 20, changes: 2_000 },
  'disk-embedded': { run: disk(true), count: 20, changes: 1_000 },
  embedded: { run: embedded, count: 50, changes: 1_000 },
  large: { run: large, count: 10_000, changes: 1_000_000 },
  outage: { run: outage, count: 20, changes: 3_000 },
  redis: { run: redis, count: 20, changes: 2_000 },
  replay: { run: replay, count: 4, changes: 10_000 },
  'serve-kills': { run: serveKills, count: 200, changes: 20_000 },
  stale: { run: stale, count: 10_000, changes: 600 },
  stops: { run: stops, count: 100, changes: 3_000 },
  frozen: { run: frozen, count: 200, changes: 3_000 },
  webhooks: { run: webhooks, count: 2, changes: 1_000 },
};

const { values } = toolOptions('chaos', {
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  minutes: { type: 'string', default: '1' },
  changes: { type: 'string' },
  cases: { type: 'string' },
  vendors: { type: 'string', default: vendorNames.join(',') },
  workers: { type: 'string', default: '3' },
  serves: { type: 'string', default: '2' },
  edits: { type: 'string' },
  every: { type: 'string', default: '4' },
  'no-versions': { type: 'boolean', default: false },
  'conditional-creates': { type: 'boolean', default: false },
  experiment: { type: 'string' },
  count: { type: 'string' },
  megabytes: { type: 'string', default: '1000' },
  seconds: { type: 'string', default: '60' },
  folder: { type: 'string' },
  history: { type: 'string' },
  json: { type: 'boolean', default: false },
});
endWithUs();
const say = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
const seed = Number(values.seed);

const { report, evidence, folder } = await (values.experiment === undefined ? chaos() : asked(values.experiment));
console.log(values.json ? JSON.stringify(report) : page(report));
const history = values.history ?? (isGood(report) ? undefined : join(folder, 'history.json'));
if (history !== undefined) {
  await writeFile(history, JSON.stringify({ report, evidence }));
  say(`the history is in ${history}`);
}
if (!isGood(report)) process.exitCode = 1;

function chaos(): Promise<Result> {
  return run({
    seed,
    minutes: Number(values.minutes),
    changes: Number(values.changes ?? '600'),
    cases: values.cases === undefined ? undefined : Number(values.cases),
    vendors: vendorNames.filter((name) => values.vendors.split(',').includes(name)),
    workers: Number(values.workers),
    serves: Number(values.serves),
    edits: values.edits === undefined ? undefined : Number(values.edits),
    every: Number(values.every),
    versions: !values['no-versions'],
    conditionalCreates: values['conditional-creates'],
    say,
  });
}

function asked(name: string): Promise<Result> {
  const experiment = experiments[name];
  if (experiment === undefined) throw new Error(`--experiment is one of ${Object.keys(experiments).join(', ')}.`);
  const { count, changes } = { count: values.count ?? experiment.count, changes: values.changes ?? experiment.changes };
  return experiment.run({
    seed,
    count: Number(count),
    changes: Number(changes),
    megabytes: Number(values.megabytes),
    seconds: Number(values.seconds),
    folder: values.folder,
    say,
  });
}
