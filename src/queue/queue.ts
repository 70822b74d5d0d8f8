// Wake-ups for lanes on BullMQ: on Redis where there is one, else on the store's own PostgreSQL. A job only says that a lane may
// have work; the store knows whether it does (lanes.md 2). So a job that is lost, doubled or late does no harm, and an error of
// the queue is reported, never thrown at whoever stored a record. What the queue does not take runs in the process that has it.

import type { BulkJobOptions } from 'bullmq';
import { CasebridgeError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { LaneWorker } from './backends.ts';
import { connectBackend } from './backends.ts';

export { examineRedis } from './examine.ts';

export interface LaneKey {
  readonly connection: string;
  readonly subject: string;
}

export interface WakeUps {
  /**
   * Wakes these lanes, after commit: throws inside a transaction of the store. Else it resolves, even when the queue is down: this process then runs
   * them itself where it takes wake-ups.
   */
  add(lanes: readonly LaneKey[]): Promise<void>;
  /**
   * Starts to take wake-ups; called once. A lane that is woken many times while it waits runs once; woken while it runs, it runs
   * once more after that. What `run` throws is reported and ends the job.
   */
  work(run: (lane: LaneKey) => Promise<void>, options: WorkOptions): void;
  /** Takes no more wake-ups and waits for the runs that are going on, at most `closeWithinMs`. */
  close(): Promise<void>;
}

export interface WorkOptions {
  /** How many lanes run at a time in this process; where the queue is down, so many once more. */
  readonly concurrency: number;
}

export interface WakeUpOptions {
  /** `redis://…` or `rediss://…`; absent: BullMQ's tables lie beside the store's. */
  readonly redisUrl?: string;
  readonly store: Store;
  /** Hears what went wrong in the queue or in a run. */
  readonly onError: (error: unknown) => void;
  /** @default 20000 */
  readonly closeWithinMs?: number;
  /** A Redis that answers nothing for so long is connected to anew. @default 15000 */
  readonly silentMs?: number;
  /** Nobody else works on this queue: what lies in it is a dead process's and would hold up its lanes for 15 s. @default false */
  readonly startEmpty?: boolean;
}

const queueName = 'lanes';
const batchSize = 500;

/**
 * Connects to the queue and makes it ready for use.
 * @throws CasebridgeError `queue-unusable` when Redis cannot be reached.
 */
export async function openWakeUps(options: WakeUpOptions): Promise<WakeUps> {
  const { store, onError, closeWithinMs = 20_000 } = options;
  const backend = await connectBackend(options);
  // Nobody reads the events; they are kept few.
  const queue = backend.queue(queueName, { streams: { events: { maxLen: 100 } } });
  await queue.waitUntilReady();
  if (options.startEmpty) await queue.obliterate({ force: true });
  let worker: LaneWorker | undefined;
  let closing: Promise<void> | undefined;
  let runHere: ((lanes: readonly LaneKey[]) => void) | undefined;
  const running = new Set<Promise<void>>();

  function runOne(lane: LaneKey, run: (lane: LaneKey) => Promise<void>): Promise<void> {
    // Not handed to BullMQ, which would keep the text of an unforeseen error in the queue.
    const ended = run(lane)
      .catch(onError)
      .finally(() => running.delete(ended));
    running.add(ended);
    return ended;
  }

  /** Runs lanes without the queue, as many at a time as `concurrency` says. */
  function runsHere(run: (lane: LaneKey) => Promise<void>, concurrency: number): (lanes: readonly LaneKey[]) => void {
    const waiting: LaneKey[] = [];
    let places = concurrency;
    const next = (): void => {
      while (closing === undefined && places > 0) {
        const lane = waiting.shift();
        if (lane === undefined) return;
        places -= 1;
        void runOne(lane, run).then(() => {
          places += 1;
          next();
        });
      }
    };
    return (lanes) => {
      waiting.push(...lanes);
      next();
    };
  }

  async function stop(): Promise<void> {
    const finished = await within(closeWithinMs, Promise.all([worker?.close(), ...running]));
    if (!finished)
      onError(new CasebridgeError('runs-unfinished', { count: running.size, seconds: closeWithinMs / 1000 }));
    await queue.close();
    await backend.close(!finished);
  }

  return {
    async add(lanes) {
      store.forbidInTransaction();
      if (closing) return;
      let added = 0;
      try {
        for (; added < lanes.length; added += batchSize) {
          await queue.addBulk(lanes.slice(added, added + batchSize).map(wakeUp));
        }
      } catch (error) {
        onError(error);
        runHere?.(lanes.slice(added));
      }
    },

    work(run, { concurrency }) {
      if (worker) throw new Error('This process takes wake-ups already.');
      runHere = runsHere(run, concurrency);
      worker = backend.worker(queueName, ({ data }) => runOne(data, run), { ...workerSettings, concurrency });
    },

    close() {
      closing ??= stop();
      return closing;
    },
  };
}

const workerSettings = {
  // A job of a process that died is found after at most 15 s. One that is given out twice is harmless: the lane is leased.
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // BullMQ never gives up on a job; how often a lane may crash is counted in the lane (lanes.md 5).
  maxStalledCount: 1_000_000,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
};

function wakeUp(lane: LaneKey): { name: string; data: LaneKey; opts: BulkJobOptions } {
  const { connection, subject } = lane;
  const deduplication = { id: `${connection}:${subject}`, keepLastIfActive: true };
  return { name: 'wake-up', data: { connection, subject }, opts: { deduplication } };
}

/** True when `work` ended within the time. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, milliseconds, false);
  try {
    return await Promise.race([work.then(() => true), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
