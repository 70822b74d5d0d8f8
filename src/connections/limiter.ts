// How fast one process asks one server: a token bucket and a number of requests at a time, first come, first served.

export interface LimiterClock {
  /** Monotonic milliseconds. */
  now(): number;
  later(run: () => void, ms: number): void;
}

export interface Limiter {
  /** Waits for a place and a token. Gives what frees the place; undefined when the signal aborted first. */
  take(signal: AbortSignal): Promise<(() => void) | undefined>;
}

const systemClock: LimiterClock = {
  now: () => performance.now(),
  later: (run, ms) => void setTimeout(run, ms),
};

interface Waiter {
  readonly signal: AbortSignal;
  readonly resolve: (release: (() => void) | undefined) => void;
}

/** After a rest, a second's worth of requests may go at once; then they go at `requestsPerSecond`. */
export function createLimiter(
  rate: { readonly requestsPerSecond: number; readonly concurrency: number },
  clock: LimiterClock = systemClock,
): Limiter {
  const capacity = Math.max(1, rate.requestsPerSecond);
  const waiters = new Set<Waiter>();
  let tokens = capacity;
  let filledAt = clock.now();
  let running = 0;
  let timerSet = false;

  function serve(): void {
    const now = clock.now();
    tokens = Math.min(capacity, tokens + ((now - filledAt) / 1000) * rate.requestsPerSecond);
    filledAt = now;
    for (const waiter of waiters) {
      if (running >= rate.concurrency || tokens < 1) {
        break;
      }
      waiters.delete(waiter);
      tokens -= 1;
      running += 1;
      waiter.resolve(releaseOnce());
    }
    if (waiters.size > 0 && running < rate.concurrency && !timerSet) {
      timerSet = true;
      clock.later(
        () => {
          timerSet = false;
          serve();
        },
        Math.ceil(((1 - tokens) / rate.requestsPerSecond) * 1000),
      );
    }
  }

  function releaseOnce(): () => void {
    let held = true;
    return () => {
      if (held) {
        held = false;
        running -= 1;
        serve();
      }
    };
  }

  return {
    take(signal) {
      const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>();
      if (signal.aborted) {
        resolve(undefined);
        return promise;
      }
      const waiter = { signal, resolve };
      const abort = () => {
        waiters.delete(waiter);
        resolve(undefined);
      };
      signal.addEventListener('abort', abort, { once: true });
      waiters.add(waiter);
      serve();
      return promise.finally(() => signal.removeEventListener('abort', abort));
    },
  };
}
