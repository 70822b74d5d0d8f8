// One runner per lane, even after a long pause (G6): workers are frozen past their leases while others take over. From the servers' journals, by the
// send id of each request: no send of an older fence comes after one of a newer fence of the same lane.

import { setTimeout as sleep } from 'node:timers/promises';
import { onDatabase } from '../../support/backends.ts';
import type { Cluster } from '../cluster.ts';
import { randomOf } from '../random.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';

const leaseMs = 2_000;

export async function frozen(options: ExperimentOptions): Promise<Result> {
  const random = randomOf(options.seed, 'frozen');
  const setting = { vendors: ['standard'], workers: 4, serves: 1, lease: `${leaseMs}ms`, settle: '0s' } as const;
  return experiment(options, setting, async ({ cluster, source, changes }) => {
    let freezes = 0;
    let takeOvers = 0;
    const freezing = async (workers: Cluster['workers'], isOver: () => boolean) => {
      while (freezes < options.count && !isOver()) {
        await sleep(random.between(50, 500));
        const one = random.pick(workers);
        freezes += 1;
        one.freeze();
        takeOvers += await leasesOf(cluster, one.pid);
        await sleep(leaseMs * random.between(1.1, 1.4));
        one.thaw();
      }
    };
    let isSent = false;
    const half = cluster.workers.length / 2;
    const aboutMs = (options.count / 2) * (leaseMs * 1.25 + 300);
    const sending = source.send(changes, aboutMs).then(() => {
      isSent = true;
    });
    const isOver = () => isSent && freezes >= options.count;
    await Promise.all([
      sending,
      freezing(cluster.workers.slice(0, half), isOver),
      freezing(cluster.workers.slice(half), isOver),
    ]);
    await cluster.gateway.drained(300_000);
    return {
      n: { 'leases held by a frozen worker': takeOvers },
      kills: { freezes },
      findings: {
        'older fence after newer': await fencesFallen(cluster),
        'fault not met': takeOvers === 0 ? ['no frozen worker held a lane'] : [],
      },
      figures: {},
    };
  });
}

/** How many lanes the process holds just now. */
export async function leasesOf({ database }: Cluster, pid: number | undefined): Promise<number> {
  if (database === undefined || pid === undefined) return 0;
  const { rows } = await onDatabase(database.url, (client) =>
    client.query<{ n: number }>(
      `select count(*)::integer as n from casebridge.lane where lease_holder like $1 and lease_until > now()`,
      [`%/${pid}/%`],
    ),
  );
  return rows[0]?.n ?? 0;
}

async function fencesFallen({ servers, database }: Cluster): Promise<string[]> {
  if (database === undefined) return [];
  const { rows } = await onDatabase(database.url, (client) =>
    client.query<{ send_id: string; lane: string; fence: string }>(
      `select distinct send_id, connection || ' ' || subject as lane, fence::text from casebridge.operation`,
    ),
  );
  const sends = new Map(rows.map(({ send_id, lane, fence }) => [send_id, { lane, fence: Number(fence) }]));
  const newest = new Map<string, number>();
  const fallen: string[] = [];
  for (const server of servers) {
    for (const { n, method, sendId } of await server.journal()) {
      if (method === 'GET' || sendId === '') continue;
      const send = sends.get(sendId);
      if (send === undefined) {
        fallen.push(`request ${n} belongs to no intent`);
        continue;
      }
      const before = newest.get(send.lane) ?? 0;
      if (send.fence < before)
        fallen.push(`request ${n} of ${send.lane} has fence ${send.fence}, after one with ${before}`);
      newest.set(send.lane, Math.max(before, send.fence));
    }
  }
  return fallen;
}
