// How often one caller may ask: so many times a minute, and no more of them at once. Each process counts for itself, as it is the one to be spared.

export interface RateLimit {
  /** @returns undefined: go on; else the seconds to wait */
  take(caller: string): number | undefined;
}

/** Callers that are remembered; the one that asked longest ago is forgotten first, which is to its favour. */
const mostCallers = 10_000;

/** @param now milliseconds of any clock that does not go back */
export function rateLimit(perMinute: number, now: () => number): RateLimit {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take(caller) {
      const at = now();
      const bucket = buckets.get(caller) ?? { left: perMinute, at };
      const left = Math.min(perMinute, bucket.left + ((at - bucket.at) * perMinute) / 60_000);
      buckets.delete(caller);
      buckets.set(caller, { left: left < 1 ? left : left - 1, at });
      const [oldest] = buckets.keys();
      if (buckets.size > mostCallers && oldest !== undefined) buckets.delete(oldest);
      return left < 1 ? Math.ceil(((1 - left) * 60) / perMinute) : undefined;
    },
  };
}
