// Losing the queue loses nothing (G8): Redis is emptied, and killed and started empty, while lanes have work. What was due then is done after one
// sweep of at most a minute, and the time that the work itself takes.

import { setTimeout as sleep } from 'node:timers/promises';
import { onRedis } from '../../support/backends.ts';
import { randomOf } from '../random.ts';
import { type ExperimentOptions, experiment, type Result, untilRest } from './experiment.ts';
import { median } from './stops.ts';

/** Of a lease that is a third of the default; a job that was lost is given out again after half a lease. */
const sweepMs = 20_000;

export async function redis(options: ExperimentOptions): Promise<Result> {
  const random = randomOf(options.seed, 'redis');
  const setting = { vendors: ['standard'], workers: 2, serves: 1, lease: '20s', settle: '0s' } as const;
  return experiment(options, setting, async ({ cluster, source, changes }) => {
    const { redis: queue } = cluster;
    if (queue === undefined) throw new Error('there is no Redis');
    const times: Record<'emptied' | 'restarted empty' | 'undisturbed', number[]> = {
      emptied: [],
      'restarted empty': [],
      undisturbed: [],
    };
    let struck = 0;
    const rounds = options.count * 2 + 1;
    const wave = Math.ceil(changes.length / rounds);
    for (let at = 0; at < rounds; at += 1) {
      await source.send(changes.slice(at * wave, (at + 1) * wave), 0);
      await sleep(random.between(0, 100));
      const how = at === 0 ? 'undisturbed' : at % 2 === 0 ? 'emptied' : 'restarted empty';
      if (how !== 'undisturbed' && (await cluster.gateway.due()) > 0) struck += 1;
      if (how === 'emptied') await onRedis(queue.url, async (client) => void (await client.flushall()));
      if (how === 'restarted empty') await queue.server.crash();
      times[how].push(await untilRest(cluster));
    }
    const late = [...times.emptied, ...times['restarted empty']].filter(
      (ms) => ms > sweepMs + Math.max(...times.undisturbed),
    );
    const seconds = (ms: number) => Math.round(ms / 100) / 10;
    return {
      n: { waves: rounds, 'struck with lanes due': struck, 'changes a wave': wave },
      kills: { 'empty Redis': times.emptied.length, 'kill Redis': times['restarted empty'].length },
      findings: {
        'left after a sweep': late.map((ms) => `it took ${ms} ms`),
        // Now and then a wave is done before the blow.
        'fault not met': struck < options.count ? [`lanes were due at ${struck} of ${rounds - 1} losses only`] : [],
      },
      figures: Object.fromEntries(
        Object.entries(times).map(([how, all]) => [
          `${how}: s to rest`,
          `median ${seconds(median(all))}, most ${seconds(Math.max(...all))}`,
        ]),
      ),
    };
  });
}
