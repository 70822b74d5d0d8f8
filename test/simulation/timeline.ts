// The one clock and the one scheduler of a history: a heap of what is to happen, of which exactly one thing happens at a time. The next one waits
// until everything that the last one set in motion has come to rest, so that the same seed gives the same steps.

import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Whoever waits for something: a process that may die or be frozen. */
export interface Actor {
  readonly name: string;
  isAlive: boolean;
  /** On the timeline; what was due before happens then. */
  frozenUntil: number;
}

export function newActor(name: string): Actor {
  return { name, isAlive: true, frozenUntil: 0 };
}

interface Entry {
  at: number;
  readonly order: number;
  readonly actor: Actor;
  readonly what: string;
  readonly run: () => void;
  isOff: boolean;
}

export class Timeline {
  /** What happened, oldest first: virtual second, actor, what. */
  readonly steps: string[] = [];
  readonly #heap: Entry[] = [];
  readonly #hash = createHash('sha256');
  /** Epoch ms. */
  readonly startedAt: number;
  #now: number;
  #orders = 0;
  #held = 0;
  #released = Promise.withResolvers<void>();

  /** @param startsAt epoch ms */
  constructor(startsAt: number) {
    this.startedAt = startsAt;
    this.#now = startsAt;
  }

  /** Epoch ms of virtual time. */
  get now(): number {
    return this.#now;
  }

  /** Time never goes back. */
  protected moveTo(at: number): void {
    this.#now = Math.max(this.#now, at);
  }

  /** Runs it so many virtual milliseconds from now, unless the actor is dead by then. @returns what calls it off */
  after(actor: Actor, ms: number, what: string, run: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, ms), order: this.#orders++, actor, what, run, isOff: false };
    this.#push(entry);
    return () => {
      entry.isOff = true;
    };
  }

  /** Never resolves for an actor that is dead by then (lanes.md 26). */
  sleep(actor: Actor, ms: number, what: string): Promise<void> {
    return new Promise((resolve) => void this.after(actor, ms, what, resolve));
  }

  /** Adds to the history without taking time. */
  note(actor: Actor, what: string): void {
    const line = `${((this.#now - this.startedAt) / 1000).toFixed(3)} ${actor.name} ${what}`;
    this.steps.push(line);
    this.#hash.update(`${line}\n`);
  }

  /** Something is under way that ends without another step; the next one waits for it. @returns its end */
  hold(): () => void {
    this.#held += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#held -= 1;
      if (this.#held > 0) return;
      this.#released.resolve();
      this.#released = Promise.withResolvers();
    };
  }

  /** Does the next thing and what follows from it at once. @returns false when nothing is left to happen before `until` */
  async step(until = Number.POSITIVE_INFINITY): Promise<boolean> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) return false;
      this.#pop();
      if (next.isOff || !next.actor.isAlive) continue;
      if (next.actor.frozenUntil > next.at) {
        next.at = next.actor.frozenUntil;
        this.#push(next);
        continue;
      }
      this.moveTo(next.at);
      if (next.what !== '') this.note(next.actor, next.what);
      next.run();
      await this.rest();
      return true;
    }
  }

  async runUntil(until: number): Promise<void> {
    while (await this.step(until));
    this.moveTo(until);
  }

  /** Resolves when nothing is under way any more. */
  async rest(): Promise<void> {
    for (;;) {
      await nextTurn();
      // What waited for the end of a hold goes on in a turn of its own.
      if (this.#held === 0) return;
      await this.#released.promise;
    }
  }

  /** Equal for equal histories. */
  trace(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfEarlier(at, above)) break;
      at = above;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      const earlier = isEarlier(heap[right], heap[left]) ? right : left;
      if (!this.#swapIfEarlier(earlier, at)) break;
      at = earlier;
    }
  }

  #swapIfEarlier(one: number, other: number): boolean {
    const a = this.#heap[one];
    const b = this.#heap[other];
    if (a === undefined || b === undefined || !isEarlier(a, b)) return false;
    this.#heap[one] = b;
    this.#heap[other] = a;
    return true;
  }
}

function isEarlier(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
