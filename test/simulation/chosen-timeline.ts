// A scheduler that asks which of the things that may happen next does: whoever answers it each way in turn sees every interleaving. No time passes while
// anything may happen at once; when nothing may, it goes on to the next thing that is due.

import { type Actor, Timeline } from './timeline.ts';

interface Pending {
  readonly at: number;
  readonly actor: Actor;
  /** Others see it: a statement in the database, a request at the server. What is not shared changes nothing for anybody else, and waits for nobody. */
  readonly isShared: boolean;
  readonly run: () => void;
}

/** What takes no longer than this may happen at any time; more is a time-out or a wait. */
const atOnceMs = 100;

/** @returns which of so many goes on */
export type Choose = (count: number) => Promise<number>;

export class ChosenTimeline extends Timeline {
  #pending: Pending[] = [];
  readonly #shared: ReadonlySet<string>;
  readonly #choose: Choose;

  /** @param shared names of actors of whom all that they do is shared */
  constructor(startsAt: number, shared: readonly string[], choose: Choose) {
    super(startsAt);
    this.#shared = new Set(shared);
    this.#choose = choose;
  }

  override after(actor: Actor, ms: number, _what: string, run: () => void): () => void {
    return this.#add(actor, ms, this.#shared.has(actor.name), run);
  }

  /** Whoever sleeps is on the way to the database. */
  override sleep(actor: Actor, ms: number): Promise<void> {
    return new Promise((resolve) => void this.#add(actor, ms, true, resolve));
  }

  override async step(until = Number.POSITIVE_INFINITY): Promise<boolean> {
    const next = await this.#next(until);
    if (next === undefined) return false;
    this.#pending = this.#pending.filter((one) => one !== next);
    next.run();
    await this.rest();
    return true;
  }

  /** What is under way and what is waited for, by whom and for how long. */
  waits(): string[] {
    return this.#pending
      .filter(({ actor }) => actor.isAlive)
      .map((one) => `${one.actor.name} ${one.isShared} ${Math.max(0, dueAt(one) - this.now)}`)
      .toSorted();
  }

  #add(actor: Actor, ms: number, isShared: boolean, run: () => void): () => void {
    const at = ms <= atOnceMs ? this.now : this.now + ms;
    const pending: Pending = { at, actor, isShared, run };
    this.#pending.push(pending);
    return () => {
      this.#pending = this.#pending.filter((one) => one !== pending);
    };
  }

  async #next(until: number): Promise<Pending | undefined> {
    const living = this.#pending.filter(({ actor }) => actor.isAlive);
    const due = living.filter((one) => dueAt(one) <= this.now);
    const own = due.find(({ isShared }) => !isShared);
    if (own !== undefined) return own;
    if (due.length > 0) return due[due.length === 1 ? 0 : await this.#choose(due.length)];
    const first = living.toSorted((one, other) => dueAt(one) - dueAt(other))[0];
    if (first === undefined || dueAt(first) > until) return undefined;
    this.moveTo(dueAt(first));
    return this.#next(until);
  }
}

function dueAt({ at, actor }: Pending): number {
  return Math.max(at, actor.frozenUntil);
}
