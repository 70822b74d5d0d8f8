// What goes wrong in a run, by seed: processes are killed, frozen past their lease or stopped politely, Redis is emptied or killed, PostgreSQL dies and
// comes back, and the simulated servers have their weather. In the end everything is healed.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../src/sandbox/faults.ts';
import { onRedis } from '../support/backends.ts';
import type { Cluster } from './cluster.ts';
import type { Program } from './programs.ts';
import type { Random } from './random.ts';

export interface Deeds {
  /** How often each deed was done. */
  readonly counts: Record<string, number>;
  /** Requests that a fault of a server struck. */
  struck: number;
  /** Polite stops that ended otherwise than with 0 within half a minute. */
  readonly badStops: string[];
}

export interface NemesisOptions {
  /** Milliseconds between two deeds, about. */
  readonly everyMs: number;
  readonly leaseMs: number;
}

const politeMs = 30_000;

export class Nemesis {
  readonly deeds: Deeds = { counts: {}, struck: 0, badStops: [] };
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #options: NemesisOptions;
  /** Programs that something is being done to. */
  readonly #taken = new Set<Program>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(cluster: Cluster, random: Random, options: NemesisOptions) {
    this.#cluster = cluster;
    this.#random = random;
    this.#options = options;
  }

  /** Does one thing after the other until told to stop, and heals what it did. */
  async work(signal: AbortSignal): Promise<void> {
    const weather = this.#weather(signal);
    while (!signal.aborted) {
      await rest(this.#random.between(0.5, 1.5) * this.#options.everyMs, signal);
      if (signal.aborted) break;
      await this.#act();
      this.#revive();
    }
    await weather;
    await this.#heal();
  }

  async #act(): Promise<void> {
    const { workers, serves, redis, database } = this.#cluster;
    const deeds: readonly (readonly [number, string, () => Promise<void> | undefined])[] = [
      [4, 'kill worker', () => this.#kill(workers)],
      [3, 'kill serve', () => this.#kill(serves)],
      [2, 'freeze worker', () => this.#freeze()],
      [2, 'stop worker', () => this.#stop()],
      [1, 'empty Redis', () => redis && onRedis(redis.url, async (at) => void (await at.flushall()))],
      [1, 'kill Redis', () => redis?.server.crash()],
      [1, 'kill PostgreSQL', () => database?.server.crash()],
    ];
    const [, name, act] = this.#random.pick(deeds.flatMap((deed) => Array.from({ length: deed[0] }, () => deed)));
    const done = act();
    if (done === undefined) return;
    this.deeds.counts[name] = (this.deeds.counts[name] ?? 0) + 1;
    await done;
  }

  /** Kills one of them; it is started again after a while. @returns undefined when none is there to be killed */
  #kill(programs: readonly Program[]): Promise<void> | undefined {
    return this.#to(programs, async (one) => {
      await one.kill();
      await sleep(this.#random.between(0, 2_000));
      await one.start();
    });
  }

  #freeze(): Promise<void> | undefined {
    return this.#to(this.#cluster.workers, async (one) => {
      one.freeze();
      await sleep(this.#options.leaseMs * this.#random.between(1.1, 1.8));
      one.thaw();
    });
  }

  #stop(): Promise<void> | undefined {
    return this.#to(this.#cluster.workers, async (one) => {
      const { code, ms } = await one.stop();
      if (code !== 0 || ms > politeMs) this.deeds.badStops.push(`${one.name} ended with ${code} after ${ms} ms`);
      await one.start();
    });
  }

  /** Does it to one of them that is up, beside whatever else goes on. */
  #to(programs: readonly Program[], act: (one: Program) => Promise<void>): Promise<void> | undefined {
    const up = programs.filter((one) => one.isRunning && !this.#taken.has(one));
    if (up.length === 0) return undefined;
    this.#hold(this.#random.pick(up), act);
    return Promise.resolve();
  }

  #hold(one: Program, act: (one: Program) => Promise<void>): void {
    this.#taken.add(one);
    const going = act(one).finally(() => {
      this.#taken.delete(one);
      this.#underWay.delete(going);
    });
    this.#underWay.add(going);
  }

  /** Starts what ended by itself, as whoever runs it would. */
  #revive(): void {
    for (const one of [...this.#cluster.workers, ...this.#cluster.serves]) {
      if (!one.isRunning && !this.#taken.has(one)) this.#hold(one, (program) => program.start());
    }
  }

  async #weather(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const server of this.#cluster.servers) {
        this.deeds.struck += await server.struck();
        await server.setFaults(faultsOf(this.#random));
      }
      await rest(this.#random.between(3_000, 8_000), signal);
    }
    for (const server of this.#cluster.servers) {
      this.deeds.struck += await server.struck();
      await server.setFaults([]);
    }
  }

  async #heal(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#revive();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }
}

/** A random part of all faults, so that rare pairs meet. */
function faultsOf(random: Random): FaultRule[] {
  const seed = () => random.below(1_000_000);
  const probability = () => random.between(0.03, 0.1);
  const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'transient' }] };
  const rules: FaultRule[] = [
    ...(['POST', 'PUT'] as const).map((method) => ({
      method,
      probability: probability(),
      seed: seed(),
      fault: { drop: 'after-commit' as const },
    })),
    { probability: probability(), seed: seed(), fault: { drop: 'before-commit' } },
    { probability: probability(), seed: seed(), fault: { status: 503, body: outcome } },
    {
      method: 'POST',
      probability: probability(),
      seed: seed(),
      fault: { status: 500, body: outcome, at: 'after-commit' },
    },
    {
      probability: probability(),
      seed: seed(),
      fault: { status: 429, headers: { 'retry-after': '1' }, body: outcome },
    },
    { probability: probability(), seed: seed(), fault: { delayMs: Math.round(random.between(100, 1_500)) } },
    { probability: probability(), seed: seed(), fault: { delayMs: 1_000, at: 'after-commit' } },
    { probability: probability(), seed: seed(), fault: { truncate: 60 } },
  ];
  return rules.filter(() => random.chance(0.5));
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
