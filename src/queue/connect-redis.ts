// The first connection to Redis, with a plain word on why it failed.

import type { Redis } from 'ioredis';
import { CasebridgeError } from '../errors.ts';

/** @throws CasebridgeError `queue-unusable` when it is no address; the text itself is not shown, for it may hold a password */
export function hostOf(url: string): string {
  const where = URL.parse(url)?.host;
  if (where) return where;
  throw new CasebridgeError('queue-unusable', {
    where: 'queue.url',
    problem: 'it is not a URL such as redis://host:6379',
  });
}

/** The first connection; later ones are Redis' own business. Throws `queue-unusable`. */
export async function connectOnce(redis: Redis, where: string): Promise<void> {
  let problem: Error | undefined;
  const note = (error: Error) => {
    problem = error;
  };
  redis.on('error', note);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    const cause = problem ?? error;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new CasebridgeError('queue-unusable', { where, problem: text }, { cause });
  } finally {
    redis.off('error', note);
  }
}
