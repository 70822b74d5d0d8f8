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
  return Math.max(askedMs, backOff(attempts - 1, longestForChangeMs, random));
}

/** Milliseconds that the receiver rests after so many failures in a row; 0: it does not. Parameters as above. */
export function restOfReceiver(failures: number, random: number, askedMs = 0): number {
  if (failures < failuresUntilRest) return askedMs;
  return Math.max(askedMs, backOff(failures - failuresUntilRest, longestForReceiverMs, random));
}

/** Doubles from a second up to `longestMs`, and takes from half of that to all of it, so that many do not come back together. */
function backOff(doublings: number, longestMs: number, random: number): number {
  return Math.min(firstMs * 2 ** doublings, longestMs) * (0.5 + random / 2);
}
