// One run of one lane: take the lease, let `lane-run.ts` do what is to be done, give the lease back.

import { reason } from '../../errors.ts';
import { factsOf } from '../../fault.ts';
import type { LaneDeps, Run } from '../lane-connection.ts';
import {
  crashTopic,
  isUnreleased,
  type LaneKey,
  LeaseLost,
  passOn,
  type RunOutcome,
  release,
  type Taker,
  takeLease,
  underLease,
} from '../lease.ts';
import { type LaneRows, takeLane } from '../load/lane-rows.ts';
import { openAlert } from '../operating/alerts.ts';
import { tellOverdue } from '../operating/overdue-lanes.ts';
import { type RunTime, startRun } from './kept-lease.ts';
import { again, LaneRun } from './lane-run.ts';
import { newMemory } from './run-memory.ts';

const mostStarts = 3;

/** Runs the lane if it has work, is due and is free. Never throws for what a server does. */
export async function runLane(deps: LaneDeps, key: LaneKey): Promise<void> {
  const connection = deps.connections.get(key.connection);
  if (connection === undefined) return passOn(deps.store, key);
  const { holder, leaseMs } = deps;
  const { configuration } = connection;
  const isSuspect = await deps.gate.sideBySide(async () => {
    const time = startRun(deps);
    const released: Taker = { holder, leaseMs, configuration, which: 'released' };
    const taken = await takeLane(deps.store, key, released, connection.config.share);
    const lease = taken?.lease ?? (await takeLease(deps.store, key, released));
    if (lease === undefined) {
      await passOn(deps.store, key, configuration);
      return isUnreleased(deps.store, key);
    }
    await runLeased({ deps, connection, lease }, time, taken?.rows);
    return false;
  });
  if (!isSuspect) return;
  await deps.gate.alone(async () => {
    const time = startRun(deps);
    const lease = await takeLease(deps.store, key, { holder, leaseMs, configuration, which: 'any' });
    if (lease !== undefined) await runLeased({ deps, connection, lease }, time, undefined);
  });
}

/** @param rows of the lane as the lease found it; undefined: they are to be read */
async function runLeased(run: Run, time: RunTime, rows: LaneRows | undefined): Promise<void> {
  const { deps, lease } = run;
  const key = { connection: lease.connection, subject: lease.subject };
  const memory = deps.memories.take(key);
  try {
    const outcome =
      lease.starts > mostStarts
        ? await crashed(run)
        : await new LaneRun(run, time, {
            ...newMemory(memory, lease.wanted),
            carried: rows,
          }).toEnd();
    deps.wake(await release(deps.store, lease, outcome));
    if (outcome.kind === 'done' || memory.looked !== undefined || memory.unread.size > 0)
      deps.memories.keep(key, memory);
    await tellOverdue(run, outcome);
    deps.onRun?.(key.connection, outcome.kind === 'done' ? (outcome.parked === null ? 'done' : 'parked') : 'again');
  } catch (error) {
    if (error instanceof LeaseLost) return;
    // A fault of ours: told to the log, tried again with back-off.
    deps.log.error({ ...key, ...factsOf(error) }, 'a lane run failed');
    const failed = again(lease.attempts, deps, reason('internal', { requestId: lease.subject }), undefined);
    await release(deps.store, lease, failed);
    await tellOverdue(run, failed);
    deps.onRun?.(key.connection, 'failed');
  }
}

async function crashed({ deps, lease }: Run): Promise<RunOutcome> {
  const why = reason('lane-crashed', { starts: mostStarts });
  await underLease({ deps, lease }, async (trx) => {
    await openAlert(trx, { topic: crashTopic(lease), connection: lease.connection, reason: why });
  });
  return { kind: 'done', waiting: false, parked: why, reason: why, nextLookAt: null };
}
