// Keeps the lease of a run that looks for long: however slowly a server answers, and however many requests share its rate, no look outlives the
// lease under which it was begun (lanes.md 5).

import { isPassing, isSearchResult } from '../../connections/connections.ts';
import type { LaneConnection, LaneDeps, Run } from '../lane-connection.ts';
import { holdLease } from '../lease.ts';

/** A run that takes longer yields: others want its place, and what it has read and stored is kept. */
const mostRunMs = 5 * 60_000;

/** By `LaneDeps.clock`. */
export interface RunTime {
  /** Before its lease was taken. */
  readonly startedAt: number;
  /** No request is begun after it. */
  readonly endsAt: number;
}

export function startRun({ clock }: Pick<LaneDeps, 'clock'>): RunTime {
  const startedAt = clock();
  return { startedAt, endsAt: startedAt + mostRunMs };
}

/** Thrown before a look of a run whose time is over: the run ends, and is wanted again at once. */
export class RunTimeOver extends Error {}

/**
 * The connection as a run may use it. Before each request the lease is renewed when less than half of it is left; a look is given up where the lease
 * ends, and none is begun when the time of the run is over. A look that fails by chance is had once more at once (`isPassing`), but not one after another.
 * A write has its own `sendBefore`, and its intent has just renewed the lease.
 */
export function keepingLease({ deps, connection, lease }: Run, time: RunTime): LaneConnection {
  const { client } = connection;
  let renewedAt = time.startedAt;
  let hasFailed = false;

  async function keep(): Promise<void> {
    const now = deps.clock();
    if (now >= time.endsAt) throw new RunTimeOver();
    if (now - renewedAt < deps.leaseMs / 2) return;
    await deps.store.once((db) => holdLease(db, lease, deps.leaseMs, { starts: 0 }));
    renewedAt = now;
  }
  const leaseEnd = () => renewedAt + deps.leaseMs;

  return {
    ...connection,
    client: {
      ...client,
      async send(request) {
        if (request.sendBefore !== undefined) return client.send(request);
        const look = async () => {
          await keep();
          return client.send({ ...request, sendBefore: leaseEnd() });
        };
        const first = await look();
        const reply = request.method === 'GET' && isPassing(first) && !hasFailed ? await look() : first;
        hasFailed = isPassing(reply);
        return reply;
      },
      async searchAll(resourceType, query, limits) {
        const search = () =>
          client.searchAll(resourceType, query, { ...limits, beforePage: keep, sendBefore: leaseEnd });
        const found = await search();
        return !isSearchResult(found) && isPassing(found) ? search() : found;
      },
      async match(operation, parameters) {
        await keep();
        return client.match(operation, parameters);
      },
    },
  };
}
