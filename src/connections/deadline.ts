// Until when a request may be sent (lanes.md 8): given as wall-clock time, held on the monotonic clock from the first moment on.

const longestTimerMs = 2 ** 31 - 1;

export interface Deadline {
  /** On the clock of `performance.now()`; Infinity where there is none. */
  readonly at: number;
  /** Aborts at the deadline, or when the connection is closed. */
  readonly signal: AbortSignal;
  /** Stops the timer. */
  end(): void;
}

/** Starts the countdown to `until` (epoch ms; undefined: no deadline). One that is past aborts at once. */
export function startDeadline(until: number | undefined, closed: AbortSignal): Deadline {
  if (until === undefined) {
    return { at: Number.POSITIVE_INFINITY, signal: closed, end: () => undefined };
  }
  const leftMs = until - Date.now();
  if (leftMs <= 0) {
    return { at: performance.now(), signal: AbortSignal.abort(), end: () => undefined };
  }
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), Math.min(leftMs, longestTimerMs));
  return {
    at: performance.now() + leftMs,
    signal: AbortSignal.any([closed, over.signal]),
    end: () => clearTimeout(timer),
  };
}

/** What `work` gives, or undefined when the signal aborts first. `work` itself goes on: others may share it. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) {
    return Promise.resolve(undefined);
  }
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const abort = () => resolve(undefined);
  signal.addEventListener('abort', abort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  return promise;
}
