// How often one caller may ask: a count for each key in the window that runs. Kept in memory, one process each: what must hold across
// processes and restarts (wrong codes, links) is in the store.

export interface RateLimit {
  /** Counts this one. False: it is one too many. */
  allows(key: string): boolean;
}

/** The most keys that are remembered; beyond it the window ends early for all. */
const mostKeys = 50_000;

/** @param clock milliseconds, of any kind */
export function rateLimit(most: number, windowMs: number, clock: () => number): RateLimit {
  let counts = new Map<string, number>();
  let since = clock();
  return {
    allows(key) {
      if (clock() - since >= windowMs || counts.size > mostKeys) {
        counts = new Map();
        since = clock();
      }
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count <= most;
    },
  };
}
