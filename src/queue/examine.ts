// What of a Redis server's settings endangers the wake-ups in it, with what to do.

import { Redis } from 'ioredis';
import { type Reason, reason } from '../errors.ts';
import { connectOnce, hostOf } from './connect-redis.ts';

const oldestVersion = 7;

/**
 * Asks by INFO alone, which hosted servers answer that refuse CONFIG.
 * @throws CasebridgeError `queue-unusable` when it cannot be reached
 */
export async function examineRedis(url: string): Promise<readonly Reason[]> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1, commandTimeout: 5_000 });
  await connectOnce(redis, hostOf(url));
  try {
    return findingsIn(factsIn(await redis.info()));
  } finally {
    redis.disconnect();
  }
}

function findingsIn(facts: ReadonlyMap<string, string>): Reason[] {
  const version = facts.get('redis_version') ?? 'unknown';
  const policy = facts.get('maxmemory_policy') ?? 'unknown';
  return [
    ...(Number.parseInt(version, 10) >= oldestVersion
      ? []
      : [reason('redis-too-old', { found: version, oldest: oldestVersion })]),
    ...(policy === 'noeviction' ? [] : [reason('redis-evicts', { policy })]),
    ...(facts.get('aof_enabled') === '1' ? [] : [reason('redis-not-kept')]),
  ];
}

/** `name:value` lines; headings begin with #. */
function factsIn(info: string): Map<string, string> {
  const lines = info.split('\r\n').filter((line) => line.includes(':') && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}
