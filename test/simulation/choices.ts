// Which of what may happen does, one choice after the other, so that each way can be gone in turn.

/** The choices of one way: those that lead to where it is new, then always the first, with the others noted for later. */
export class Choices {
  /** Ways that are still to be gone. */
  readonly others: number[][] = [];
  readonly #taken: number[] = [];
  readonly #path: readonly number[];
  #isOver = false;

  constructor(path: readonly number[]) {
    this.#path = path;
  }

  get isNew(): boolean {
    return !this.#isOver && this.#taken.length >= this.#path.length;
  }

  /** From here on there is one order. */
  end(): void {
    this.#isOver = true;
  }

  take(count: number): number {
    if (this.#isOver) return 0;
    const given = this.#path[this.#taken.length];
    if (given === undefined) for (let other = 1; other < count; other += 1) this.others.push([...this.#taken, other]);
    this.#taken.push(given ?? 0);
    return given ?? 0;
  }
}
