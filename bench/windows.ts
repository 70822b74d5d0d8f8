// How many requests arrived in any 60 seconds. Pure; times are in milliseconds, in order.

const minuteMs = 60_000;

/** The most in any 60 seconds, wherever they begin. */
export function mostInAMinute(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [last, at] of times.entries()) {
    while (at - (times[first] ?? at) >= minuteMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** The fewest in 60 seconds that lie between two times and begin at a full second after the first. */
export function fewestInAMinute(times: readonly number[], from: number, to: number): number {
  let fewest = Number.POSITIVE_INFINITY;
  for (let start = from; start + minuteMs <= to; start += 1000) {
    fewest = Math.min(fewest, times.filter((at) => at >= start && at < start + minuteMs).length);
  }
  return fewest;
}
