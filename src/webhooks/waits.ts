// How long to wait after a failure. Pure.

const firstMs = 1_000;
/** For one change, while the receiver takes others. */
const longestForChangeMs = 3_600_000;
/** For the receiver, while it takes nothing. */
const longestForReceiverMs = 900_000;

/** After so many failures in a row the receiver rests as a whole, and is asked with one delivery at a time. */
export const failuresUntilRest = 5;

/**
 * Milliseconds until a change is tried again.
 * @param attempts how often it was tried, from 1 @param random from 0 to below 1 @param askedMs what the receiver asked for (Retry-After)
 */
export function waitOfChange(attempts: number, random: number, askedMs = 0): number {
  return Math.max(askedMs, spread(Math.min(firstMs * 2 ** (attempts - 1), longestForChangeMs), random));
}

/**
 * Milliseconds that the receiver rests; 0: it does not. About as long as it has been failing: many posts at the same time fail together, so
 * their number says nothing.
 * @param failures in a row @param failingMs since the first of them; the rest as above
 */
export function restOfReceiver(failures: number, failingMs: number, random: number, askedMs = 0): number {
  if (failures < failuresUntilRest) return askedMs;
  return Math.max(askedMs, spread(Math.min(Math.max(failingMs, firstMs), longestForReceiverMs), random));
}

/** From half of it to all of it, so that many do not come back together. */
function spread(ms: number, random: number): number {
  return ms * (0.5 + random / 2);
}
