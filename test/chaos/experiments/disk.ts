// A disk that is full is said, not guessed (G22): the file system of the store is filled up again and again while a source sends, and at every other
// time the gateway is killed on the full disk. Whoever sends is told that it was accepted, or 503 and when to try again; with room again all goes on.

import { appendFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '../../support/backends.ts';
import { randomOf } from '../random.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';
import { calm, unrefused, wrongAnswers } from './outage.ts';
import { gone, goneFrom } from './serve-kills.ts';

const mebibyte = 1024 * 1024;
/** No file system that anybody else needs is that small. */
const mostBytes = 2048 * mebibyte;
const smallestWriteBytes = 4096;

/** `folder` is on a small file system of its own, which is filled `count` times, for up to `seconds`. */
export function disk(isEmbedded: boolean) {
  return async (options: ExperimentOptions): Promise<Result> => {
    const { seed, count, seconds, folder } = options;
    if (folder === undefined) throw new Error('--folder is to name a folder on a small file system of its own.');
    const { blocks, bsize } = await statfs(folder);
    if (blocks * bsize > mostBytes)
      throw new Error(`The file system of ${folder} has more than 2 GiB: somebody else may need it.`);
    const random = randomOf(seed, 'disk');
    const setting = {
      vendors: ['standard'],
      workers: isEmbedded ? 0 : 2,
      serves: isEmbedded ? 1 : 2,
      embedded: isEmbedded,
      storeUnder: folder,
      lease: isEmbedded ? '60s' : '10s',
      settle: '0s',
    } as const;
    return experiment(options, setting, async ({ cluster: { data, serves, database }, source, changes }) => {
      const [victim] = serves;
      if (victim === undefined) throw new Error('there is no gateway');
      const ballast = join(folder, 'ballast');
      let restarts = 0;
      let timesFull = 0;
      const sending = source.send(changes, count * seconds * 1_500, 100);
      for (let at = 0; at < count; at += 1) {
        await sleep(random.between(500, 2_000));
        const isKilled = at % 2 === 1;
        const full = fill(ballast, random.between(500, seconds * 1_000));
        if (isKilled) {
          await sleep(random.between(0, 500));
          await victim.kill();
        }
        const freed = full.then(async (wasFull) => {
          if (wasFull) timesFull += 1;
          if (database !== undefined && (await isDown(database.server))) restarts += 1;
        });
        // It may come up on the full disk, and is started until it does, which may need PostgreSQL started again.
        await Promise.all([freed, isKilled ? victim.start() : undefined]);
      }
      await sending;
      const accepted = source.answers.filter(({ outcome }) => outcome === 'accepted');
      let lost: string[];
      if (database === undefined) {
        // Nobody else opens the folder while the gateway has it.
        await victim.stop();
        lost = await goneFrom(data, accepted);
        await victim.start();
      } else {
        lost = await gone(database.url, accepted);
      }
      return {
        n: { accepted: accepted.length, 'times full': timesFull },
        kills: { 'kill serve': Math.floor(count / 2) },
        findings: {
          'accepted and gone': lost,
          'wrong answers': wrongAnswers(source, [...calm, 'PUT cut']),
          'fault not met': [
            ...(timesFull < count ? [`the disk was full ${timesFull} times, not ${count}`] : []),
            ...unrefused(source),
          ],
        },
        figures: { ...Object.fromEntries(source.refusals), 'PostgreSQL started again': restarts },
      };
    });
  };
}

/** Leaves no room, and takes what becomes free, for so many milliseconds. @returns whether there was no room. @throws when writing fails otherwise */
async function fill(file: string, ms: number): Promise<boolean> {
  let isFull = false;
  const until = performance.now() + ms;
  try {
    while (performance.now() < until) {
      for (let bytes = 16 * mebibyte; bytes >= smallestWriteBytes; ) {
        const isWritten = await appendFile(file, Buffer.alloc(bytes, 1)).then(
          () => true,
          (error: unknown) => {
            if (!hasNoRoom(error)) throw error;
            return false;
          },
        );
        if (isWritten) continue;
        bytes /= 2;
        isFull ||= bytes < smallestWriteBytes;
      }
      await sleep(20);
    }
    return isFull;
  } finally {
    await rm(file, { force: true });
  }
}

function hasNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}

/** Whether PostgreSQL has given up on the full disk; then it is started again, as an operator would. */
async function isDown(server: PostgresServer): Promise<boolean> {
  if (!server.hasEnded()) return false;
  await server.crash();
  return true;
}
