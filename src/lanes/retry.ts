// When to try again: exponential, spread over the upper half of each step; what the server asked for if it is longer, never beyond the cap. Pure.

const firstMs = 1_000;
const capMs = 15 * 60_000;

/** @param attempts failed tries so far, from 0. @param random 0 to 1. */
export function backoffMs(attempts: number, random: number, askedMs = 0): number {
  const ceiling = Math.min(capMs, firstMs * 2 ** Math.min(attempts, 20));
  return Math.min(capMs, Math.max(askedMs, Math.round(ceiling / 2 + (ceiling / 2) * random)));
}
