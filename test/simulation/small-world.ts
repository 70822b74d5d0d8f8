// Two workers on one lane of two records, in a world so small that all orders in which things can happen can be played.

import { createHash } from 'node:crypto';
import type { HttpCall, HttpReply } from '../../src/connections/exchange.ts';
import { type Fault, networkFault } from '../../src/connections/faults.ts';
import { type LaneKey, wantAll } from '../../src/lanes/lanes.ts';
import { acceptRecords } from '../../src/records/records.ts';
import { SandboxRequest } from '../../src/sandbox/exchange.ts';
import { serve } from '../../src/sandbox/serve.ts';
import { type Store, sql, storeOn } from '../../src/store/store.ts';
import { aClient, aCoverage } from '../builders.ts';
import { checked } from '../support/caseload.ts';
import { backingOn } from './backing.ts';
import type { Choices } from './choices.ts';
import { ChosenTimeline } from './chosen-timeline.ts';
import { readTables, tablesSql } from './database.ts';
import { type Evidence, resourcesOf } from './evidence.ts';
import { asHttp } from './network.ts';
import { judge, judgeSecondRun } from './oracles.ts';
import type { Random } from './random.ts';
import type { Sabotage } from './sabotage.ts';
import { openSite, type Site } from './site.ts';
import { type SentRecord, told } from './source.ts';
import { makeActive, type Stage } from './stage.ts';
import { faultNames, type Swarm, swarmOf } from './swarm.ts';
import { newActor } from './timeline.ts';
import { Worker } from './worker.ts';

/** What may befall the two, once in each order. */
export type Misfortune =
  /** A request that is lost on the way there, or its answer on the way back, loudly or in silence. */
  | 'drop'
  | 'crash'
  /** For longer than a lease. */
  | 'freeze'
  /** The database is lost before or after it has done what was asked. */
  | 'store';

export interface Model {
  /** The source changes one of the records at any time. */
  readonly isChanged: boolean;
  readonly misfortunes: readonly Misfortune[];
}

const startsAt = Date.parse('2026-06-01T12:00:00Z');
const leaseMs = 15_000;
const comesBackMs = 5_000;
const mostRuns = 60;
const shared = ['source', 'wire w1', 'wire w2', 'wire w3'];

/** Another order has gone on from here. */
class Known extends Error {}

interface Parts {
  readonly stage: Stage;
  readonly model: Model;
  readonly sabotage: Sabotage;
  readonly choices: Choices;
  readonly seen: Set<string>;
  /** Beside the workers' backs: nothing befalls it. */
  readonly store: Store;
  /** Of all that the database holds. */
  readonly digest: () => Promise<string>;
}

/** @returns what went wrong; nothing for a way that comes to a known state */
export async function play(parts: Omit<Parts, 'store' | 'digest'>): Promise<readonly string[]> {
  const { database } = parts.stage;
  await database.empty();
  const client = await database.connect(startsAt);
  const { names } = readTables(await client.query(tablesSql));
  const tables = names.map(
    (name) => `select '${name}' as n, coalesce(jsonb_agg(to_jsonb(t) order by t), '[]')::text as d from ${name} t`,
  );
  const sqlText = `select md5(string_agg(n || d, ' ' order by n)) as digest from (${tables.join(' union all ')}) all_of_it`;
  const store = await storeOn(backingOn(database.kind, () => database.connect(startsAt)));
  const digest = async () => String(JSON.stringify((await client.query(sqlText)).rows));
  return new Play({ ...parts, store, digest }).toEnd();
}

class Play {
  readonly #parts: Parts;
  readonly #swarm: Swarm;
  readonly #site: Site;
  readonly #timeline: ChosenTimeline;
  readonly #world = newActor('world');
  readonly #source = newActor('source');
  /** By worker: all that it was answered and that befell it so far, which is all that it knows. */
  readonly #heard = new Map<string, string>();
  readonly #woken = new Set<string>();
  readonly #violations: string[] = [];
  readonly #sent: SentRecord[] = [];
  readonly #writes: Evidence['writes'] = [];
  readonly #commits = { count: 0 };
  #workers: Worker[] = [];
  #isSpent = false;
  #runs = 0;
  readonly #key: LaneKey;

  constructor(parts: Parts) {
    const { stage, model } = parts;
    this.#parts = parts;
    this.#swarm = smallSwarm(model);
    this.#timeline = new ChosenTimeline(startsAt, shared, (count) => this.#choose(count));
    stage.setTime(this.#timeline);
    this.#site = openSite(stage, 'standard', this.#swarm, 30_000);
    this.#key = { connection: this.#site.id, subject: 'county.client.c0' };
  }

  /** @returns what went wrong; nothing for an order that ends in a known state */
  async toEnd(): Promise<readonly string[]> {
    const { stage, store, choices } = this.#parts;
    await makeActive(store, stage.mappings[0].version);
    await this.#startWorker('w1');
    await this.#startWorker('w2');
    await this.#accept([clientAt(1), coverageAt(2)]);
    this.#begin();
    try {
      while (this.#violations.length === 0 && (await this.#timeline.step()));
    } catch (error) {
      if (error instanceof Known) return [];
      throw error;
    }
    choices.end();
    return this.#violations.length > 0 ? this.#violations : this.#judge();
  }

  async #judge(): Promise<readonly string[]> {
    const { store } = this.#parts;
    const rest = await this.#unrest();
    if (rest !== undefined) return [rest];
    const evidence = this.#evidence();
    const { violations } = await judge(store, [evidence]);
    if (violations.length > 0) return violations;
    const before = this.#site.server.journal.list(0, Number.POSITIVE_INFINITY).length;
    await wantAll(store, [this.#site.id]);
    for (const worker of this.#workers) this.#wake(worker);
    while (this.#violations.length === 0 && (await this.#timeline.step()));
    return [...this.#violations, ...(await judgeSecondRun(evidence, before))];
  }

  #evidence(): Evidence {
    const newest = new Map(this.#sent.map((one) => [`${one.type}/${one.record.id}`, one]));
    return {
      store: this.#parts.store,
      site: this.#site,
      server: this.#site.server,
      config: this.#site.config,
      mapping: this.#parts.stage.mappings[0],
      swarm: this.#swarm,
      newest,
      made: new Map(this.#sent.map((one) => [one.version, one])),
      promised: this.#sent,
      edits: [],
      writes: this.#writes,
      pauses: [],
      activations: [{ from: 0, version: this.#parts.stage.mappings[0].version }],
      revoked: new Map(),
    };
  }

  /** Both begin at once, and the source changes its record whenever it likes. */
  #begin(): void {
    for (const worker of this.#workers) this.#wake(worker);
    if (!this.#parts.model.isChanged) return;
    this.#timeline.after(this.#source, 0, '', () =>
      this.#hold(async () => {
        await this.#accept([clientAt(3)]);
        for (const worker of this.#workers) this.#wake(worker);
      }),
    );
  }

  async #accept(records: readonly SentRecord[]): Promise<void> {
    const items = records.map(({ type, record }) => [type, record] as const);
    const { config } = this.#site;
    await this.#parts.store.tx((trx) =>
      acceptRecords(trx, 'county', checked(items, new Date(this.#timeline.now)), [config]),
    );
    this.#commits.count += 1;
    this.#sent.push(...records);
  }

  async #startWorker(name: string): Promise<void> {
    const { stage, sabotage } = this.#parts;
    const statement: NonNullable<Sabotage['statement']> =
      sabotage.statement ?? ((client, text, values) => client.query(text, values));
    const worker: Worker = await Worker.start({
      name,
      timeline: this.#timeline,
      database: stage.database,
      network: { carry: (call, onReply) => this.#carry(name, call, onReply) },
      configs: [this.#site.config],
      mappings: stage.mappings,
      swarm: this.#swarm,
      chance: this.#misfortuneOf(name),
      dice: firstOf,
      sabotage: {
        ...sabotage,
        statement: async (client, text, values) => {
          const answer = await statement(client, text, values);
          this.#hear(name, JSON.stringify(answer.rows));
          return answer;
        },
      },
      commits: this.#commits,
      wake: () => this.#wake(worker, comesBackMs),
      onWrite: (write) => this.#writes.push(write),
      onDeath: () => this.#timeline.after(this.#world, comesBackMs, '', () => this.#hold(() => this.#replace())),
      onDefect: (text) => this.#violations.push(`A fault of ours: ${text}`),
    });
    this.#workers.push(worker);
  }

  async #replace(): Promise<void> {
    await this.#startWorker('w3');
    for (const worker of this.#workers) this.#wake(worker);
  }

  /** The worker runs the lane, unless nothing is left to do by then. */
  #wake(worker: Worker, ms = 0): void {
    const { name } = worker.actor;
    if (this.#woken.has(name)) return;
    this.#woken.add(name);
    this.#timeline.after(this.#world, ms, '', () =>
      this.#hold(async () => {
        this.#woken.delete(name);
        const rest = await this.#unrest();
        if (!worker.actor.isAlive || rest === undefined) return;
        this.#runs += 1;
        if (this.#runs <= mostRuns) worker.run(this.#key);
        else this.#violations.push(`It does not come to rest. ${rest}`);
      }),
    );
  }

  /** What the lane still has to do. */
  async #unrest(): Promise<string | undefined> {
    const rows = await this.#parts.store.db
      .selectFrom('lane')
      .select(['subject', 'reason'])
      .where(({ eb, or }) => or([eb('done', '<', sql<number>`wanted`), eb('lease_until', 'is not', null)]))
      .execute();
    return rows.length === 0 ? undefined : `(f) ${JSON.stringify(rows)}`;
  }

  #hold(work: () => Promise<void>): void {
    const done = this.#timeline.hold();
    work()
      .catch((error: unknown) => this.#violations.push(`The model failed: ${String(error)}`))
      .finally(done);
  }

  #hear(name: string, what: string): void {
    this.#heard.set(name, hash([this.#heard.get(name) ?? '', what]));
  }

  /** Drawn whenever it goes to the store or to the network. */
  #misfortuneOf(name: string): Random {
    return {
      ...firstOf,
      chance: (probability) => {
        if (probability === 0 || this.#isSpent) return false;
        this.#isSpent = this.#parts.choices.take(2) === 1;
        if (this.#isSpent) this.#hear(name, 'misfortune');
        return this.#isSpent;
      },
    };
  }

  #carry(name: string, call: HttpCall, onReply: (reply: HttpReply | Fault) => void): void {
    const wire = newActor(`wire ${name}`);
    const { method, url, headers, body = '' } = call;
    const fate = this.#fate();
    const broken = () => {
      this.#hear(name, 'nothing');
      if (fate.isLoud) onReply(networkFault('ECONNRESET', true, url.host));
    };
    if (!fate.arrives) {
      broken();
      return;
    }
    this.#timeline.after(wire, 0, '', () =>
      this.#hold(async () => {
        const { reply } = await serve(this.#site.server, new SandboxRequest(method, url, headers, body));
        if (!fate.isHeard || reply === undefined) {
          broken();
          return;
        }
        this.#hear(name, JSON.stringify(reply));
        onReply(asHttp(reply));
      }),
    );
  }

  #fate(): Fate {
    if (this.#isSpent || !this.#parts.model.misfortunes.includes('drop')) return arrives;
    const fate = fates[this.#parts.choices.take(fates.length)] ?? arrives;
    this.#isSpent = fate !== arrives;
    return fate;
  }

  async #choose(count: number): Promise<number> {
    const { choices, seen } = this.#parts;
    if (choices.isNew) {
      const state = await this.#state();
      if (seen.has(state)) throw new Known();
      seen.add(state);
    }
    return choices.take(count);
  }

  /** Equal where everything that is to come is: what the store and the server hold, what each worker knows, and what is under way. */
  async #state(): Promise<string> {
    const held = resourcesOf(this.#site.server);
    const under = [this.#timeline.now, this.#isSpent, this.#timeline.waits(), [...this.#heard], [...this.#woken]];
    return hash([await this.#parts.digest(), JSON.stringify(held), JSON.stringify(under)]);
  }
}

/** What becomes of a request. */
interface Fate {
  readonly arrives: boolean;
  readonly isHeard: boolean;
  /** The client hears of a broken connection; else it waits until it gives up. */
  readonly isLoud: boolean;
}

const arrives: Fate = { arrives: true, isHeard: true, isLoud: true };
const fates: readonly Fate[] = [
  arrives,
  { arrives: false, isHeard: false, isLoud: true },
  { arrives: true, isHeard: false, isLoud: true },
  { arrives: true, isHeard: false, isLoud: false },
];

const firstOf: Random = {
  next: () => 0,
  chance: () => false,
  between: (least) => least,
  pick: ([first]) => {
    if (first === undefined) throw new Error('There is nothing to pick from.');
    return first;
  },
};

function smallSwarm({ misfortunes }: Model): Swarm {
  const share = (misfortune: Misfortune) => (misfortunes.includes(misfortune) ? 0.5 : 0);
  return {
    ...swarmOf(1, faultNames),
    vendors: ['standard'],
    versions: true,
    transactions: false,
    conditionalCreate: 'none',
    searchLagMs: 0,
    settleMs: 0,
    basis: 'treatment',
    leaseMs,
    stall: 0,
    moves: false,
    calmMs: 0,
    crash: share('crash'),
    freeze: share('freeze'),
    storeBefore: share('store'),
    storeAfter: share('store'),
  };
}

function clientAt(version: number): SentRecord {
  const updatedAt = new Date(startsAt - 1_000_000 + version).toISOString();
  const names = [{ use: 'legal' as const, given: ['Rosa'], family: `Delgado ${told(version)}` }];
  const record = aClient({
    id: 'c0',
    updatedAt,
    names,
    identifiers: [{ kind: 'mrn', value: 'MRN-0', system: 'urn:oid:1.2.3' }],
  });
  return { type: 'client', record, version };
}

/** She pays for herself: nothing but her is pointed at. */
function coverageAt(version: number): SentRecord {
  const updatedAt = new Date(startsAt - 1_000_000 + version).toISOString();
  const record = aCoverage({ id: 'own', updatedAt, clientId: 'c0', kind: 'private-pay', payerId: undefined });
  return { type: 'coverage', record, version };
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64');
}
