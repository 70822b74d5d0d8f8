// When requests may start, so that no 60 seconds hold more of them than the server allows (GCRA: one time, the next free slot, is all that is
// kept). Slots are spread evenly and never saved up: a process that was slow catches up at most a quarter of a second. Pure.

/** Slots that nobody took are lost after this. It lets a process that comes a little late use what it would else lose. */
const catchUpMs = 250;
/** Slots are given out only so far ahead, so that a stop (Retry-After) finds few of them in hand. */
const aheadMs = 100;
/** A slot that nobody of those who waited longer has taken by then is anybody's. */
const leftOverMs = 150;
/** A slot that was not used this long after its time is not used any more. */
export const slotLifeMs = 200;

/**
 * Milliseconds between two slots. A server counts arrivals, and those may come up to a second later than their slots: the slots of 61 seconds
 * are therefore as many as the server allows in 60. That costs a sixtieth of the rate.
 */
export function slotEveryMs(requestsPerSecond: number): number {
  return (1000 / requestsPerSecond) * (61 / 60);
}

/** Which slots may be given out now: the time of the first, and how many there are. */
export interface Reach {
  readonly firstAt: number;
  readonly count: number;
  /** How many of them are due: their time has come, and they are lost soon. */
  readonly due: number;
}

/** @param nextAt the first slot that is free; all times in milliseconds of one clock */
export function reach(nextAt: number, everyMs: number, now: number): Reach {
  const firstAt = Math.max(nextAt, now - catchUpMs);
  const count = Math.max(0, Math.floor((now + aheadMs - firstAt) / everyMs) + 1);
  return { firstAt, count, due: Math.max(0, Math.floor((now - firstAt) / everyMs)) };
}

/**
 * How many slots to take. Of those that are due anybody may have what he wants, and half of them unasked: that saves a later call. Of those
 * ahead each of the others who have waited longer is left one: one that is frozen then delays a slot, and loses none.
 */
export function slotsToTake({ count, due }: Reach, wanted: number, waitLonger: number): number {
  return wanted === 0
    ? 0
    : Math.min(due + Math.max(0, count - due - waitLonger), Math.max(wanted, Math.floor(due / 2)));
}

/** When to ask for the slot at `nextAt`, or for a later one where others have waited longer. */
export function whenToAsk(nextAt: number, everyMs: number, waitLonger: number): number {
  return Math.min(nextAt + waitLonger * everyMs - aheadMs, nextAt + leftOverMs);
}
