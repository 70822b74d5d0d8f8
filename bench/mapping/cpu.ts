// Speed by CPU time, because other work shares the cores: all contenders take turns in short slices, so that what slows one slows all.

/** CPU milliseconds per turn. Long against the clock's step, short against a neighbour's burst of work. */
const sliceMs = 20;

export interface Task {
  readonly name: string;
  /** Does the n-th piece of work; pieces repeat. */
  run(n: number): unknown;
}

/** One task with what it has cost so far. */
interface Runner {
  readonly task: Task;
  perSlice: number;
  pieces: number;
  cpuMs: number;
}

/**
 * Pieces of work per second of CPU, by task name, in each of `runs` runs. Before the first run every task warms up and is timed, which tells how
 * many pieces make a slice.
 * @param msPerRun CPU milliseconds of each task in each run
 */
export async function speeds(
  tasks: readonly Task[],
  { runs, msPerRun }: { runs: number; msPerRun: number },
): Promise<Map<string, number>[]> {
  const runners = tasks.map((task): Runner => ({ task, perSlice: 1, pieces: 0, cpuMs: 0 }));
  for (const runner of runners) await warmUp(runner, msPerRun);
  const measured: Map<string, number>[] = [];
  for (let run = 0; run < runs; run += 1) {
    for (const runner of runners) Object.assign(runner, { pieces: 0, cpuMs: 0 });
    while (runners.some(({ cpuMs }) => cpuMs < msPerRun)) {
      for (const runner of runners) await slice(runner);
    }
    measured.push(new Map(runners.map(({ task, pieces, cpuMs }) => [task.name, (pieces / cpuMs) * 1000])));
  }
  return measured;
}

async function warmUp(runner: Runner, ms: number): Promise<void> {
  while (runner.cpuMs < ms) {
    await slice(runner);
    runner.perSlice = Math.max(1, Math.round((runner.pieces / runner.cpuMs) * sliceMs));
  }
}

async function slice(runner: Runner): Promise<void> {
  const { task, pieces, perSlice } = runner;
  const before = process.cpuUsage();
  for (let n = pieces; n < pieces + perSlice; n += 1) await task.run(n);
  const { user, system } = process.cpuUsage(before);
  runner.pieces += perSlice;
  runner.cpuMs += (user + system) / 1000;
}
