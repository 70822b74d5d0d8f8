// `npm run sim`: many histories, on as many processes as there are cores; the first that fails is told with its seed, its faults and its steps. Or
// every order of a small one.

import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { openPostgres } from '../../src/store/postgres.ts';
import { EmbeddedDatabase } from './embedded-database.ts';
import { type HistoryResult, runHistory } from './history.ts';
import { explore, isModel, models } from './interleavings.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { isMechanism, type Mechanism, mechanisms } from './sabotage.ts';
import { openStage, type Stage } from './stage.ts';
import { type FaultName, faultNames } from './swarm.ts';

const usage = `npm run sim -- [options]

  --seeds N            so many histories (default 100)
  --from SEED          the first of them (default 1)
  --seed S             this history alone, with its steps; twice, to see that they are the same
  --json               the result as one line of JSON
  --postgres URL       every hundredth history on this server, in an empty database; with --seed that one
  --without MECHANISM  with a mechanism switched off, until a history fails: ${mechanisms.join(' | ')}
  --processes N        (default: the number of cores)
  --interleavings M    two workers on one lane in every order, with one misfortune: ${Object.keys(models).join(' | ')};
                       alone or with --without`;

/** What one process tells of one history. */
interface Told {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly steps: number;
  readonly trace: string;
  readonly lostInWindow: number;
}

interface Share {
  readonly from: number;
  readonly to: number;
  readonly every: number;
  readonly without?: Mechanism;
  readonly postgres?: string;
}

const onPostgresEvery = 100;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
      postgres: { type: 'string' },
      without: { type: 'string' },
      processes: { type: 'string', default: String(availableParallelism()) },
      share: { type: 'string' },
      interleavings: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (values.share !== undefined) {
    await runShare(JSON.parse(values.share));
    return 0;
  }
  const { without, postgres } = values;
  if (without !== undefined && !isMechanism(without)) throw new Error(`There is no mechanism ${without}.\n${usage}`);
  if (values.interleavings !== undefined) return exploreAll(values.interleavings, without, values.json);
  if (values.seed !== undefined) return showOne(Number(values.seed), without, postgres);
  const from = Number(values.from);
  const to = from + Number(values.seeds);
  const every = Number(values.processes);
  const startedAt = performance.now();
  const told = await runAll({ from, to, every, without, postgres });
  return report(told, (performance.now() - startedAt) / 1000, values.json, without);
}

async function exploreAll(model: string, without: Mechanism | undefined, asJson: boolean): Promise<number> {
  if (!isModel(model)) throw new Error(`There is no model ${model}.\n${usage}`);
  const database = await EmbeddedDatabase.open();
  const startedAt = performance.now();
  const explored = await explore(await openStage(database), model, { without });
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
  await database.close();
  const { orders, states, violations } = explored;
  if (asJson) console.log(JSON.stringify({ model, seconds, ...explored }));
  else {
    console.log(`${model}: ${orders} orders through ${states} states in ${seconds} s.`);
    console.log(violations.length === 0 ? 'All green.' : ['It went wrong:', ...violations].join('\n'));
  }
  return violations.length === 0 ? 0 : 1;
}

async function runAll(share: Share): Promise<Told[]> {
  const told: Told[] = [];
  const processes = Array.from({ length: share.every }, (_, at) =>
    fork(import.meta.filename, ['--share', JSON.stringify({ ...share, from: share.from + at })], {
      // A history leaves much behind at once.
      execArgv: ['--max-semi-space-size=32'],
    }),
  );
  await Promise.all(
    processes.map(
      (child) =>
        new Promise<void>((resolve, reject) => {
          child.on('message', (one: Told) => {
            told.push(one);
            // The smallest failing seed counts: smaller ones of the others are waited for.
            if (one.violations.length === 0) return;
            for (const other of processes.filter(({ connected }) => connected)) other.send(one.seed);
          });
          child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`A process ended with ${code}.`))));
        }),
    ),
  );
  return told.sort((a, b) => a.seed - b.seed);
}

async function runShare({ from, to, every, without, postgres }: Share): Promise<void> {
  let last = to;
  // Whoever asked is gone.
  process.on('disconnect', () => process.exit());
  process.on('message', (seed: number) => {
    last = Math.min(last, seed);
  });
  const embedded = await openStage(await EmbeddedDatabase.open());
  const server =
    postgres === undefined ? undefined : await openStage(await PostgresDatabase.open(await openPostgres(postgres)));
  for (let seed = from; seed < last; seed += every) {
    const stage = seed % onPostgresEvery === 0 ? (server ?? embedded) : embedded;
    const { violations, steps, trace, lostInWindow } = await runHistory(stage, { seed, without });
    process.send?.({ seed, violations, steps: steps.length, trace, lostInWindow } satisfies Told);
    if (violations.length > 0) break;
  }
  await embedded.database.close();
  await server?.database.close();
  process.exit();
}

function report(told: readonly Told[], seconds: number, asJson: boolean, without: Mechanism | undefined): number {
  const failed = told.find(({ violations }) => violations.length > 0);
  const steps = told.reduce((sum, one) => sum + one.steps, 0);
  const figures = {
    histories: told.length,
    seconds: Number(seconds.toFixed(1)),
    historiesPerSecond: Number((told.length / seconds).toFixed(2)),
    stepsPerHistory: Math.round(steps / Math.max(1, told.length)),
    editsLostInWindow: told.reduce((sum, one) => sum + one.lostInWindow, 0),
    failedSeed: failed?.seed ?? null,
    violations: failed?.violations ?? [],
  };
  if (asJson) console.log(JSON.stringify(figures));
  else {
    const { histories, historiesPerSecond, stepsPerHistory, editsLostInWindow } = figures;
    console.log(
      `${histories} histories in ${figures.seconds} s (${historiesPerSecond} a second), ${stepsPerHistory} steps each.`,
    );
    console.log(`Edits between our read and our write, on servers without versions: ${editsLostInWindow}.`);
    console.log(failed === undefined ? 'All green.' : failure(failed, without));
  }
  return failed === undefined ? 0 : 1;
}

function failure({ seed, violations }: Told, without: Mechanism | undefined): string {
  const again = `SEED=${seed} npm run sim -- --seed ${seed}${without === undefined ? '' : ` --without ${without}`}`;
  return [`Seed ${seed} failed:`, ...violations, again].join('\n');
}

async function showOne(seed: number, without: Mechanism | undefined, postgres: string | undefined): Promise<number> {
  const database =
    postgres === undefined ? await EmbeddedDatabase.open() : await PostgresDatabase.open(await openPostgres(postgres));
  const stage = await openStage(database);
  const first = await runHistory(stage, { seed, without });
  console.log(first.steps.join('\n'));
  console.log(JSON.stringify(first.swarm));
  const second = await runHistory(stage, { seed, without });
  console.log(`${first.steps.length} steps, trace ${first.trace}, and again ${second.trace}.`);
  if (first.violations.length === 0) {
    console.log('All oracles are content.');
  } else {
    console.log(`It needs these faults: ${(await neededFaults(stage, first, without)).join(', ') || 'none'}.`);
    console.log(failure({ ...first, steps: first.steps.length }, without));
  }
  await database.close();
  return first.violations.length === 0 && first.trace === second.trace ? 0 : 1;
}

/** Spares the history one fault after the other, as long as it still fails. */
async function neededFaults(
  stage: Stage,
  { seed, swarm }: HistoryResult,
  without: Mechanism | undefined,
): Promise<FaultName[]> {
  const spared: FaultName[] = [];
  const present = faultNames.filter((name) => swarm[name] > 0);
  for (const name of present) {
    const { violations } = await runHistory(stage, { seed, without, spared: [...spared, name] });
    if (violations.length > 0) spared.push(name);
  }
  return present.filter((name) => !spared.includes(name));
}

process.exitCode = await main();
