// A limit that holds in every window of time, wherever it begins: what was taken is remembered one by one.

export class RateWindow {
  #taken: number[] = [];

  /**
   * Takes one more, unless `most` were taken in the `windowMs` before.
   * @param at milliseconds of a clock that never jumps
   * @returns milliseconds until the next would be taken; 0: this one was
   */
  take(at: number, most: number, windowMs: number): number {
    this.#taken = this.#taken.filter((earlier) => earlier > at - windowMs);
    const oldest = this.#taken.at(-most);
    if (oldest !== undefined) return oldest + windowMs - at;
    this.#taken.push(at);
    return 0;
  }

  clear(): void {
    this.#taken = [];
  }
}
