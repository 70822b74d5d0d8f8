// How often somebody may try before it is refused unseen. In memory: each process counts for itself, and a restart forgets.

export interface AttemptLimit {
  /** Attempts that failed. */
  readonly most: number;
  readonly perMs: number;
}

export interface Attempts {
  /** Whether `who` may try at this time, in epoch milliseconds. */
  mayTry(who: string, now: number): boolean;
  failed(who: string, now: number): void;
}

/** So many are remembered; then those that failed first are forgotten. */
const mostRemembered = 10_000;

export function countAttempts({ most, perMs }: AttemptLimit): Attempts {
  const failures = new Map<string, { since: number; count: number }>();
  const current = (who: string, now: number) => {
    const found = failures.get(who);
    return found !== undefined && now - found.since < perMs ? found : undefined;
  };
  return {
    mayTry: (who, now) => (current(who, now)?.count ?? 0) < most,
    failed(who, now) {
      const { since, count } = current(who, now) ?? { since: now, count: 0 };
      failures.delete(who);
      failures.set(who, { since, count: count + 1 });
      const [oldest] = failures.keys();
      if (failures.size > mostRemembered && oldest !== undefined) failures.delete(oldest);
    },
  };
}
