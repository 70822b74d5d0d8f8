// Until when a request may be sent (lanes.md 8): given as wall-clock time, held on the monotonic clock from the first moment on.

const longestTimerMs = 2 ** 31 - 1;

/** The clocks of the machine that waits; a simulation brings its own. */
export interface MachineTime {
  /** Wall clock, epoch ms. */
  wall(): number;
  /** Monotonic ms. */
  now(): number;
  /** Runs it once, so many ms from now, unless the returned function is called before. */
  later(run: () => void, ms: number): () => void;
}

export const machineTime: MachineTime = {
  wall: () => Date.now(),
  now: () => performance.now(),
  later: (run, ms) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export interface Deadline {
  /** On the monotonic clock; Infinity where there is none. */
  readonly at: number;
  /** Aborts at the deadline, or when the connection is closed. */
  readonly signal: AbortSignal;
  /** Stops the timer. */
  end(): void;
}

/** Starts the countdown to `until` (epoch ms; undefined: no deadline). One that is past aborts at once. */
export function startDeadline(until: number | undefined, closed: AbortSignal, time: MachineTime): Deadline {
  if (until === undefined) {
    return { at: Number.POSITIVE_INFINITY, signal: closed, end: () => undefined };
  }
  const leftMs = until - time.wall();
  if (leftMs <= 0) {
    return { at: time.now(), signal: AbortSignal.abort(), end: () => undefined };
  }
  const over = new AbortController();
  const cancel = time.later(() => over.abort(), Math.min(leftMs, longestTimerMs));
  return {
    at: time.now() + leftMs,
    signal: AbortSignal.any([closed, over.signal]),
    end: cancel,
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
