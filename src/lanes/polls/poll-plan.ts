// How often what is asked for, and what that costs (lanes.md 21). Pure.

import type { ConnectionConfig } from '../../config.ts';
import { isOffered, pollShare, type Vendor } from '../../connections/connections.ts';

type Polled = Pick<ConnectionConfig, 'vendor' | 'pollEveryMs' | 'polls'>;

/** What a patient's polls have to wait for: all patients at once 0, an open referral 1, an open case 2, none 3. */
export const tiers = [0, 1, 2, 3] as const;

const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;
/** A guide of the closed loop asks not to be asked more often about one thing, unless it is urgent (closed-loop B4). */
const shortestMs = 15 * minuteMs;
/** Of the time between polls of a patient with an open referral. */
const perTier: Readonly<Record<number, number>> = { 1: 1, 2: 4, 3: 96 };

/** Whether all patients are asked about in one search that no site refuses: single patients are then read in full once a day. */
export function isReadWhole(vendor: Vendor, resourceType: string): boolean {
  const grammar = vendor.queries.poll(resourceType);
  return isOffered(grammar) && grammar.all !== undefined && grammar.all.refusedBy === undefined;
}

/** Types that are searched for all patients at once, at least where the site allows it. */
export function typesOfAll(vendor: Vendor, { polls }: Polled): string[] {
  return polls.types.filter((type) => {
    const grammar = vendor.queries.poll(type);
    return isOffered(grammar) && grammar.all !== undefined;
  });
}

/** Types that are searched within one patient. */
export function typesOfOne(vendor: Vendor, { polls }: Polled): string[] {
  return polls.types.filter((type) => {
    const grammar = vendor.queries.poll(type);
    return isOffered(grammar) && grammar.within !== undefined;
  });
}

/** Milliseconds from one poll of this kind to the next. */
export function pollEveryMs(config: Polled, vendor: Vendor, resourceType: string, tier: number): number {
  if (tier === 0) return config.pollEveryMs;
  if (isReadWhole(vendor, resourceType)) return dayMs;
  const first = config.vendor === 'standard' ? Math.max(config.pollEveryMs, shortestMs) : config.pollEveryMs;
  return Math.min(Math.max(first, dayMs), first * (perTier[tier] ?? 1));
}

export interface PollCost {
  /** One page each. */
  readonly requestsPerDay: number;
  /** What polls may take of the connection's rate. */
  readonly mostPerDay: number;
  /** The shortest time in which a third of the rate gets once through the polls of each tier, in seconds. */
  readonly cycleSeconds: number;
}

/** What asking costs, from the number of polls of each kind. */
export function pollCost(
  config: Polled & Pick<ConnectionConfig, 'rateLimit'>,
  vendor: Vendor,
  counts: readonly { readonly resourceType: string; readonly tier: number; readonly count: number }[],
): PollCost {
  const perSecond = config.rateLimit.requestsPerSecond / pollShare;
  const requestsPerDay = counts.reduce(
    (sum, { resourceType, tier, count }) => sum + (count * dayMs) / pollEveryMs(config, vendor, resourceType, tier),
    0,
  );
  const perDay = config.rateLimit.requestsPerDay ?? Number.POSITIVE_INFINITY;
  return {
    requestsPerDay: Math.ceil(requestsPerDay),
    mostPerDay: Math.floor(Math.min((perSecond * dayMs) / 1000, perDay / pollShare)),
    cycleSeconds: Math.ceil(counts.reduce((sum, { count }) => sum + count, 0) / perSecond),
  };
}
