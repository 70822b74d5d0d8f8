// A polite stop loses no work (G19): workers get SIGTERM under load, one after the other. Each ends with 0 within half a minute; no job of the queue
// stalls, and no request is left with an unknown outcome.

import { setTimeout as sleep } from 'node:timers/promises';
import { QueueEvents } from 'bullmq';
import { onDatabase } from '../../support/backends.ts';
import type { Program, Stopped } from '../programs.ts';
import { randomOf } from '../random.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';
import { leasesOf } from './frozen.ts';

const mostMs = 30_000;

export async function stops(options: ExperimentOptions): Promise<Result> {
  const random = randomOf(options.seed, 'stops');
  const setting = { vendors: ['standard'], workers: 4, serves: 2, lease: '60s', settle: '0s' } as const;
  return experiment(
    options,
    { ...setting, settings: { standard: { latencyMs: 50 } } },
    async ({ cluster, source, changes }) => {
      const events = new QueueEvents('lanes', { connection: { url: cluster.redis?.url ?? '' } });
      await events.waitUntilReady();
      let stalled = 0;
      events.on('stalled', () => {
        stalled += 1;
      });
      const ends: Stopped[] = [];
      let underWay = 0;
      const starting: Promise<void>[] = [];
      // Waves of load, so that there is always work when somebody is stopped.
      const wave = Math.ceil(changes.length / options.count);
      for (let at = 0; at < options.count; at += 1) {
        await source.send(changes.slice(at * wave, (at + 1) * wave), 0);
        await sleep(random.between(0, 200));
        const one = await someoneUp(at % 5 === 4 ? cluster.serves : cluster.workers);
        if ((await leasesOf(cluster, one.pid)) > 0) underWay += 1;
        ends.push(await one.stop());
        starting.push(one.start());
      }
      await Promise.all(starting);
      await cluster.gateway.drained(300_000);
      await events.close();
      const slowest = Math.max(...ends.map(({ ms }) => ms));
      return {
        n: { 'polite stops': ends.length, 'with lanes under way': underWay },
        kills: {},
        findings: {
          'bad stops': ends
            .filter(({ code, ms }) => code !== 0 || ms > mostMs)
            .map(({ code, ms }) => `ended with ${code} after ${ms} ms`),
          stalled: Array.from({ length: stalled }, () => 'a job stalled'),
          'fault not met': underWay === 0 ? ['nobody who was stopped was running a lane'] : [],
          'unknown outcomes': await unknownOutcomes(cluster.database?.url ?? ''),
        },
        figures: { 'slowest stop, s': slowest / 1000, 'median stop, s': median(ends.map(({ ms }) => ms)) / 1000 },
      };
    },
  );
}

/** The first of them that runs, unless it is the last one that does. */
async function someoneUp(programs: readonly Program[]): Promise<Program> {
  for (;;) {
    const [one, other] = programs.filter(({ isRunning }) => isRunning);
    if (one !== undefined && other !== undefined) return one;
    await sleep(50);
  }
}

/** Requests of which nobody knew at first what had come of them. */
async function unknownOutcomes(url: string): Promise<string[]> {
  const { rows } = await onDatabase(url, (client) =>
    client.query<{ id: string; outcome: string | null }>(
      `select id::text, outcome from casebridge.operation where outcome is null or outcome in ('found', 'not-done')`,
    ),
  );
  return rows.map(({ id, outcome }) => `operation ${id} is ${outcome ?? 'open'}`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
