// One process of ours: its own store, connection, clocks and identity, over the shared database and network. It may be killed, frozen or have its
// clock moved at any point where it waits for the world.

import type { ConnectionConfig } from '../../src/config.ts';
import { type Connection, openConnection, vendors } from '../../src/connections/connections.ts';
import {
  activeVersion,
  cachedCapabilities,
  configurationOf,
  createLaneMemories,
  createRunGate,
  type LaneConnection,
  type LaneDeps,
  type LaneKey,
  prepareConnection,
  preparePolls,
  probePaused,
  readAbilities,
  runDuePolls,
  runLane,
} from '../../src/lanes/lanes.ts';
import type { MappingSet } from '../../src/mapping/mapping.ts';
import { DatabaseError, type Store, storeOn } from '../../src/store/store.ts';
import type { Answered } from '../../src/store/wire-protocol.ts';
import { identifierSystem } from '../support/rig.ts';
import { backingOn } from './backing.ts';
import type { DatabaseClient, SimulatedDatabase } from './database.ts';
import { type SentWrite, simulatedExchanger } from './exchanger.ts';
import type { Carrier } from './network.ts';
import type { Random } from './random.ts';
import { runContext } from './run-context.ts';
import type { Sabotage } from './sabotage.ts';
import type { Swarm } from './swarm.ts';
import { type Actor, newActor, type Timeline } from './timeline.ts';

export interface WorkerParts {
  readonly name: string;
  readonly timeline: Timeline;
  readonly database: SimulatedDatabase;
  readonly network: Carrier;
  readonly configs: readonly ConnectionConfig[];
  /** All that may be active. */
  readonly mappings: readonly MappingSet[];
  readonly swarm: Swarm;
  /** What befalls it. */
  readonly chance: Random;
  /** What it throws its own dice with. */
  readonly dice: Random;
  readonly sabotage: Sabotage;
  readonly commits: { count: number };
  readonly wake: (lanes: readonly LaneKey[]) => void;
  readonly onWrite: (write: SentWrite) => void;
  readonly onDeath: () => void;
  /** A fault of ours that no injected one explains. */
  readonly onDefect: (text: string) => void;
}

interface Opened {
  readonly config: ConnectionConfig;
  readonly connection: Connection;
  readonly capabilities: ReturnType<typeof cachedCapabilities>;
}

function asLane({ config, connection, capabilities }: Opened): LaneConnection {
  return {
    config,
    configuration: configurationOf(config),
    vendor: connection.vendor,
    client: connection.client,
    abilities: (mappings) => readAbilities(connection, capabilities, mappings),
  };
}

const brokenConnection = '08006';

export class Worker {
  readonly actor: Actor;
  readonly #parts: WorkerParts;
  readonly #connections: ReadonlyMap<string, Opened>;
  readonly #deps: LaneDeps;
  #skewMs = 0;
  #isHealed = false;
  #running = 0;
  #isPolling = false;

  private constructor(parts: WorkerParts, actor: Actor, store: Store) {
    this.#parts = parts;
    this.actor = actor;
    const { timeline, network, configs, chance, swarm, sabotage, dice } = parts;
    const bare = simulatedExchanger({
      timeline,
      actor,
      network,
      beforeItLeaves: () => this.#delay(),
      onWrite: parts.onWrite,
    });
    const exchanger = sabotage.exchanger?.(bare, () => this.#isWell) ?? bare;
    if (swarm.skew > 0) this.#skewMs = chance.between(-600_000, 600_000);
    const wall = () => timeline.now + this.#skewMs;
    const time = {
      wall,
      now: () => timeline.now,
      later: (run: () => void, ms: number) => timeline.after(actor, ms, '', run),
    };
    this.#connections = new Map(
      configs.map((config) => {
        const connection = openConnection(config, { exchanger, time });
        return [config.id, { config, connection, capabilities: cachedCapabilities(store, connection, wall) }];
      }),
    );
    let ids = 0;
    this.#deps = {
      store,
      identifierSystem,
      connections: new Map([...this.#connections].map(([id, opened]) => [id, asLane(opened)])),
      mappings: (known) => this.#mapping(store, known),
      holder: parts.name,
      leaseMs: swarm.leaseMs,
      gate: createRunGate(),
      memories: createLaneMemories(),
      timeZone: () => 'America/New_York',
      clock: wall,
      newId: () => `${parts.name}-${++ids}`,
      random: () => dice.next(),
      wake: parts.wake,
      log: { info: () => {}, warn: () => {}, error: (fields) => this.#hearOf(fields) },
    };
  }

  /** Starts as a process does: knows its connection, prepares its polls. */
  static async start(parts: WorkerParts): Promise<Worker> {
    const actor = newActor(parts.name);
    let worker: Worker | undefined;
    const connect = () => {
      if (worker === undefined) return parts.database.connect(parts.timeline.now);
      return worker.#connect();
    };
    const store = await storeOn(backingOn(parts.database.kind, connect));
    for (const config of parts.configs) {
      await prepareConnection(store, config);
      await preparePolls(store, config, vendors[config.vendor]);
    }
    worker = new Worker(parts, actor, store);
    return worker;
  }

  get isFrozen(): boolean {
    const { isAlive, frozenUntil } = this.actor;
    return isAlive && frozenUntil > this.#parts.timeline.now;
  }

  /** Nothing comes to a frozen process that it had not taken before. */
  get isFree(): boolean {
    const { isAlive, frozenUntil } = this.actor;
    return isAlive && frozenUntil <= this.#parts.timeline.now && this.#running < 3;
  }

  /** Nothing befalls it any more. */
  heal(): void {
    this.#isHealed = true;
  }

  get #isWell(): boolean {
    const { timeline, swarm } = this.#parts;
    return this.#isHealed || timeline.now - timeline.startedAt < swarm.calmMs;
  }

  run(key: LaneKey): void {
    this.#running += 1;
    this.#parts.timeline.note(
      this.actor,
      `runs ${key.subject}${this.#connections.size === 1 ? '' : ` at ${key.connection}`}`,
    );
    this.#alone(() => runLane(this.#deps, key)).finally(() => {
      this.#running -= 1;
      this.#parts.wake([key]);
    });
  }

  /** As processes get it: the one that a lease has just told of costs no look at the store. */
  async #mapping(store: Store, known: string | null = null): Promise<MappingSet> {
    const version = known ?? (await activeVersion(store.db));
    const set = this.#parts.mappings.find((one) => one.version === version);
    if (set === undefined) throw new Error(`There is no mapping ${version}.`);
    const context = runContext.getStore();
    if (context !== undefined) context.mapping = set.version;
    return set;
  }

  poll(): void {
    if (this.#isPolling || !this.actor.isAlive) return;
    this.#isPolling = true;
    this.#alone(() => runDuePolls(this.#deps, (id) => this.#opened(id).capabilities())).finally(() => {
      this.#isPolling = false;
    });
  }

  probe(): void {
    if (!this.actor.isAlive) return;
    void this.#alone(() =>
      probePaused(this.#deps, async (id) => {
        const diagnosis = await this.#opened(id).connection.diagnose();
        return { ok: diagnosis.reachable && diagnosis.auth.ok };
      }),
    );
  }

  #opened(id: string): Opened {
    const opened = this.#connections.get(id);
    if (opened === undefined) throw new Error(`There is no connection ${id}.`);
    return opened;
  }

  die(): void {
    this.#parts.timeline.note(this.actor, 'dies');
    this.actor.isAlive = false;
    this.#parts.onDeath();
  }

  freeze(ms: number): void {
    this.#parts.timeline.note(this.actor, `is frozen for ${ms} ms`);
    this.actor.frozenUntil = this.#parts.timeline.now + ms;
  }

  async #alone(work: () => Promise<unknown>): Promise<void> {
    try {
      await runContext.run({ lastCommit: 0 }, work);
    } catch (error) {
      if (!isInjected(error)) this.#parts.onDefect(error instanceof Error ? String(error.stack) : 'unknown');
    }
  }

  #hearOf(fields: object): void {
    if (!('code' in fields && fields.code === brokenConnection)) this.#parts.onDefect(JSON.stringify(fields));
  }

  /** How long it takes to get to its next doing; here it may die, freeze or have its clock moved. */
  #delay(): number {
    const { chance, swarm } = this.#parts;
    if (this.#isWell) return 1;
    const drawn = {
      dies: chance.chance(swarm.crash),
      freezes: chance.chance(swarm.freeze),
      jumps: swarm.skew > 0 && chance.chance(0.02),
      ms: chance.chance(swarm.stall) ? chance.between(0, 3_000) : chance.between(0, 30),
    };
    if (drawn.jumps) this.#skewMs = chance.between(-600_000, 600_000);
    if (drawn.dies) this.die();
    else if (drawn.freezes) this.freeze(this.#freezeMs());
    return drawn.ms;
  }

  /** Any time, or until about when its leases run out: then it wakes while whoever took them over is at work. */
  #freezeMs(): number {
    const { chance, swarm } = this.#parts;
    const aboutLeaseMs = swarm.leaseMs + chance.between(-1_000, 4_000);
    return chance.chance(0.5) ? aboutLeaseMs : chance.between(20_000, 200_000);
  }

  async #connect(): Promise<DatabaseClient> {
    const { timeline, database, chance, swarm, commits, sabotage } = this.#parts;
    await timeline.sleep(this.actor, this.#delay(), '');
    const fails = this.#isWell
      ? undefined
      : { before: chance.chance(swarm.storeBefore), after: chance.chance(swarm.storeAfter) };
    if (fails?.before) {
      timeline.note(this.actor, 'loses the database');
      throw brokenOff();
    }
    const done = timeline.hold();
    const client = await database.connect(timeline.now);
    const context = runContext.getStore();
    let isInside = false;
    let isTold = false;
    const ask =
      sabotage.statement ?? ((to: DatabaseClient, text: string, values: readonly unknown[]) => to.query(text, values));
    return {
      query: async (text: string, values: readonly unknown[] = []): Promise<Answered> => {
        const begins = /^(?:begin|start)/.test(text);
        if (!begins && !isTold) {
          isTold = true;
          timeline.note(this.actor, `asks ${text.replaceAll(/\s+/g, ' ').trim().slice(0, 60)}`);
        }
        const answer = await ask(client, text, values);
        isInside = begins || (isInside && !/^(?:commit|rollback)/.test(text));
        if (text !== 'commit' && (isInside || begins)) return answer;
        if (context !== undefined) context.lastCommit = ++commits.count;
        if (fails?.after && text !== 'rollback') {
          timeline.note(this.actor, 'loses the database after it was done');
          throw brokenOff();
        }
        return answer;
      },
      release: () => {
        client.release();
        done();
      },
    };
  }
}

function brokenOff(): DatabaseError {
  return new DatabaseError(brokenConnection, `The connection is broken (${brokenConnection})`, {});
}

function isInjected(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === brokenConnection;
}
