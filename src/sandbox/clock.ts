// The time of one simulated server. It runs with the real clock until it is set or moved, then keeps the distance, so that a test can
// jump ahead by hours while the order of events stays natural. What it runs with can be given: a simulation has no real time.

import { setTimeout as sleep } from 'node:timers/promises';

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The time below a server's clock. */
export interface BaseTime {
  /** Milliseconds since 1970. */
  now(): number;
  /** Holds up an answer by so many milliseconds. */
  wait(milliseconds: number): Promise<void>;
}

const realTime: BaseTime = {
  now: Date.now,
  // An answer that is held up keeps no process alive.
  wait: (milliseconds) => sleep(milliseconds, undefined, { ref: false }),
};

export class VirtualClock {
  readonly #base: BaseTime;
  #offset = 0;

  constructor(base: BaseTime = realTime) {
    this.#base = base;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#base.now() + this.#offset;
  }

  /** The clock shows `instant` (milliseconds since 1970) and runs on from there. */
  set(instant: number): void {
    this.#offset = instant - this.#base.now();
  }

  /** Moves the clock by a number of milliseconds; negative is back. */
  advance(milliseconds: number): void {
    this.#offset += milliseconds;
  }

  /** Holds up an answer, in base time. */
  wait(milliseconds: number): Promise<void> {
    return this.#base.wait(milliseconds);
  }

  /** Back to the base time. */
  real(): void {
    this.#offset = 0;
  }

  /** Distance from the base time in milliseconds. */
  get offset(): number {
    return this.#offset;
  }
}

/** `-?<int>(ms|s|m|h|d)` in milliseconds, undefined when it is not such a text. */
export function parseDuration(text: string): number | undefined {
  const match = /^(-?\d+)(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2];
  if (match === null || !isUnit(unit)) return undefined;
  return Number(match[1]) * units[unit];
}

function isUnit(text: string | undefined): text is keyof typeof units {
  return text !== undefined && text in units;
}
