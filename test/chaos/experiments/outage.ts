// A database that is gone is said, not guessed (G22): PostgreSQL is killed under load, in the middle of transactions, and is away for a while, and once
// for long. Whoever sends is told that it was accepted, or 503 and when to try again; a stream may be cut. Nothing that was accepted is gone, and all
// processes go on by themselves.

import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '../random.ts';
import type { Source } from '../source.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';
import { gone } from './serve-kills.ts';

/** What a source may be told while the store is away, beside what became of its records. */
export const calm = [
  'PUT 503 store-unavailable, to be tried again',
  'POST 503 store-unavailable, to be tried again',
  'POST cut',
];

/** `count` short outages, and one of `seconds`. */
export async function outage(options: ExperimentOptions): Promise<Result> {
  const { seed, count, seconds } = options;
  const random = randomOf(seed, 'outage');
  const setting = { vendors: ['standard'], workers: 2, serves: 2, lease: '10s', settle: '0s' } as const;
  return experiment(options, setting, async ({ cluster: { database }, source, changes }) => {
    if (database === undefined) throw new Error('there is no database');
    const sending = source.send(changes, (seconds + count * 4) * 1_000, 100);
    for (let at = 0; at < count; at += 1) {
      await sleep(random.between(500, 2_000));
      await database.server.crash(random.between(0, 2_000));
    }
    await sleep(1_000);
    await database.server.crash(seconds * 1_000);
    await sending;
    const accepted = source.answers.filter(({ outcome }) => outcome === 'accepted');
    return {
      n: { accepted: accepted.length, 'seconds away': seconds },
      kills: { 'kill PostgreSQL': count + 1 },
      findings: {
        'accepted and gone': await gone(database.url, accepted),
        'wrong answers': wrongAnswers(source, calm),
        'fault not met': unrefused(source),
      },
      figures: Object.fromEntries(source.refusals),
    };
  });
}

export function wrongAnswers({ refusals }: Source, right: readonly string[]): string[] {
  return [...refusals].filter(([what]) => !right.includes(what)).map(([what, times]) => `${what}: ${times} times`);
}

/** Under load somebody is told that the store is away. */
export function unrefused({ refusals }: Pick<Source, 'refusals'>): string[] {
  return [...refusals.keys()].some((what) => what.includes('503 store-unavailable'))
    ? []
    : ['no sender was told that the store is away'];
}
