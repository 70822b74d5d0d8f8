// From due lanes to runs, as the feeder and the queue do it: one pass soon after each cause and when the next lane is due; wake-ups that may be lost,
// doubled and late.

import type { ConnectionConfig } from '../../src/config.ts';
import { feed } from '../../src/lanes/feeder.ts';
import { configurationOf, type LaneKey } from '../../src/lanes/lanes.ts';
import { type Store, sql } from '../../src/store/store.ts';
import type { Random } from './random.ts';
import type { Swarm } from './swarm.ts';
import type { Actor, Timeline } from './timeline.ts';
import type { Worker } from './worker.ts';

interface Parts {
  readonly connections: readonly ConnectionConfig[];
  readonly timeline: Timeline;
  readonly actor: Actor;
  readonly store: Store;
  readonly swarm: Swarm;
  readonly random: Random;
  readonly worker: () => Worker | undefined;
  readonly onDefect: (text: string) => void;
}

const longestWaitMs = 20_000;

export class Feeding {
  readonly #parts: Parts;
  #isWell = false;
  #at = Number.POSITIVE_INFINITY;
  #callOff: () => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** No wake-up is lost any more, and passes are made only when there is a reason. */
  heal(): void {
    this.#isWell = true;
  }

  /** A pass soon. */
  kick(): void {
    this.#passIn(this.#parts.random.between(10, 150));
  }

  #passIn(ms: number): void {
    const { timeline, actor, onDefect } = this.#parts;
    const at = timeline.now + ms;
    if (at >= this.#at) return;
    this.#callOff();
    this.#at = at;
    this.#callOff = timeline.after(actor, ms, '', () => {
      this.#at = Number.POSITIVE_INFINITY;
      const done = timeline.hold();
      this.#pass()
        .catch((error: unknown) => onDefect(`The feeder failed: ${String(error)}`))
        .finally(done);
    });
  }

  async #pass(): Promise<void> {
    const { store, connections, timeline } = this.#parts;
    await feed({
      store,
      connections: () =>
        connections.map((config) => ({ id: config.id, configuration: configurationOf(config), slots: 4 })),
      add: async (lanes) => this.#queue(lanes),
      onError: (error) => this.#parts.onDefect(`The feeder failed: ${String(error)}`),
    });
    const next = await nextMoment(store);
    const most = this.#isWell ? Number.POSITIVE_INFINITY : longestWaitMs;
    const wait = next === undefined ? most : Math.min(most, Math.max(20, next - timeline.now + 1));
    if (Number.isFinite(wait)) this.#passIn(wait);
  }

  #queue(lanes: readonly LaneKey[]): void {
    const { random, swarm } = this.#parts;
    const ordered = [...lanes].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    for (const lane of ordered) {
      const isLost = random.chance(swarm.loseJob);
      const isDoubled = random.chance(swarm.doubleJob);
      if (isLost && !this.#isWell) continue;
      for (let n = isDoubled ? 2 : 1; n > 0; n -= 1) this.#wake(lane, random.between(1, 60));
    }
  }

  #wake(lane: LaneKey, ms: number): void {
    const { timeline, actor, worker } = this.#parts;
    timeline.after(actor, ms, '', () => {
      const free = worker();
      if (free === undefined) this.#wake(lane, 500);
      else free.run(lane);
    });
  }
}

function nameOf({ subject, connection }: LaneKey): string {
  return `${subject} ${connection}`;
}

/** When the store alone will make something due, epoch ms. */
async function nextMoment(store: Store): Promise<number | undefined> {
  const { rows } = await sql<{ at: Date | null }>`
    select min(t.at) as at from (
      select next_try_at as at from lane where done < wanted
      union all select lease_until from lane where done < wanted
      union all select queued_until from lane where done < wanted
      union all select next_look_at from lane) t
    where t.at > now()`.execute(store.db);
  return rows[0]?.at?.getTime();
}
