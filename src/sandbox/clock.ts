// The time of one simulated server. It runs with the real clock until it is set or moved, then keeps the distance, so that a test can
// jump ahead by hours while the order of events stays natural.

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export class VirtualClock {
  #offset = 0;

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#offset;
  }

  /** The clock shows `instant` (milliseconds since 1970) and runs on from there. */
  set(instant: number): void {
    this.#offset = instant - Date.now();
  }

  /** Moves the clock by a number of milliseconds; negative is back. */
  advance(milliseconds: number): void {
    this.#offset += milliseconds;
  }

  /** Back to the real time. */
  real(): void {
    this.#offset = 0;
  }

  /** Distance from the real time in milliseconds. */
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
