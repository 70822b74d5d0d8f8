// The public keys of a partner's client: as configured, or fetched from where it publishes them, and kept no longer than it says.

import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { PartnerClient, PublishedKeys } from '../config.ts';
import { type Exchanger, machineTime, startDeadline } from '../connections/connections.ts';
import { isReachable } from '../public-address.ts';

/** Where there is no word of how long, a fetched set is kept so long. */
const defaultKeepMs = 5 * 60_000;
const longestKeepMs = 60 * 60_000;
const fetchMs = 5_000;
/** Forged names of keys make us ask no more often than this. */
const leastPauseMs = 5_000;

export interface ClientKeys {
  /**
   * The set in which the key of this name should be; fetched once more where the kept one lacks it.
   * @returns undefined when none can be had
   */
  keySet(client: PartnerClient, kid: string): Promise<JSONWebKeySet | undefined>;
}

interface Kept {
  readonly set: JSONWebKeySet | undefined;
  readonly fetchedAt: number;
  readonly until: number;
}

/**
 * @param exchangerFor what asks, for an address that may be in a private network and for one that may not: each refuses what it may not reach
 * @param now epoch ms
 */
export function clientKeys(exchangerFor: (allowPrivate: boolean) => Exchanger, now: () => number): ClientKeys {
  const kept = new Map<string, Kept>();

  const fetchSet = async ({ url, allowPrivate = false }: PublishedKeys): Promise<JSONWebKeySet | undefined> => {
    // A host that is written as an address is not looked up.
    if (isReachable(new URL(url).hostname, allowPrivate) === false) return undefined;
    const deadline = startDeadline(now() + fetchMs, new AbortController().signal, { ...machineTime, wall: now });
    try {
      const headers = { accept: 'application/jwk-set+json, application/json' };
      const reply = await exchangerFor(allowPrivate).exchange({ method: 'GET', url: new URL(url), headers, deadline });
      const isRead = reply.fault === undefined && reply.status === 200;
      const set = isRead ? readSet(reply.bytes) : undefined;
      const forMs = isRead ? keepMs(reply.headers['cache-control']) : 0;
      const before = kept.get(url);
      // An answer that is none takes nothing away: anybody can make us ask, by the forged name of a key.
      const lasting = set === undefined && before !== undefined && before.until > now() ? before : undefined;
      const next = { set, until: now() + forMs, ...lasting, fetchedAt: now() };
      kept.set(url, next);
      return next.set;
    } finally {
      deadline.end();
    }
  };

  return {
    async keySet({ keys }, kid) {
      if (!('url' in keys)) return keys;
      const known = kept.get(keys.url);
      if (known === undefined) return fetchSet(keys);
      const holds = known.set?.keys.some((key) => key.kid === kid) === true;
      const isFresh = known.until > now() && holds;
      const wasJustAsked = !holds && known.fetchedAt > now() - leastPauseMs;
      return isFresh || wasJustAsked ? known.set : fetchSet(keys);
    },
  };
}

function readSet(bytes: Uint8Array): JSONWebKeySet | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys))
      return undefined;
    const set = { keys: value.keys };
    createLocalJWKSet(set);
    return set;
  } catch {
    return undefined;
  }
}

/** RFC 9111: not at all, or for a number of seconds. */
function keepMs(cacheControl: string | undefined): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl ?? '')) return 0;
  const [, seconds] = /\bmax-age\s*=\s*"?(\d{1,9})/i.exec(cacheControl ?? '') ?? [];
  return seconds === undefined ? defaultKeepMs : Math.min(Number(seconds) * 1000, longestKeepMs);
}
