// When to try again: exponential up to a cap, spread over the upper half of each step, and never before the server asked for it. Pure.

import type { ErrorCode } from '../errors.ts';

const firstMs = 1_000;
/** Within five minutes of a server's recovery everything is there. A server that is down is spared by the connection, not by this. */
const capMs = 4 * 60_000;
const leastMs = 50;

/** Work that has been due and tried for so long without success is told to an operator; it is tried on all the same. */
export const retryHorizonMs = 7 * 24 * 60 * 60_000;

/** Waits of our own making: they take as long as they say, however often the lane was tried. */
const ownWaits: readonly ErrorCode[] = [
  'connection-configured-otherwise',
  'lane-yields',
  'outcome-unknown',
  'twin-in-progress',
];

/**
 * Milliseconds until the next try.
 * @param attempts failed tries so far, from 0. @param random 0 to 1. @param waitMs what the server asked for, or how long our own wait takes.
 */
export function nextTryMs(code: ErrorCode, attempts: number, random: number, waitMs: number | undefined): number {
  if (waitMs !== undefined && ownWaits.includes(code)) return Math.max(waitMs, leastMs);
  return Math.max(backoffMs(attempts, random), waitMs ?? 0);
}

/** @param attempts failed tries so far, from 0. @param random 0 to 1. */
export function backoffMs(attempts: number, random: number): number {
  const ceiling = Math.min(capMs, firstMs * 2 ** Math.min(attempts, 20));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
