// A person who pauses and resumes the connection, activates mappings, runs lanes and answers questions, mostly just when something moves.

import { CasebridgeError, reason } from '../../src/errors.ts';
import { isObject } from '../../src/json.ts';
import { applyDecision, decide, raiseWanted, setPaused } from '../../src/lanes/lanes.ts';
import type { Store } from '../../src/store/store.ts';
import type { Activation, Interval } from './evidence.ts';
import type { Random } from './random.ts';
import { makeActive } from './stage.ts';

interface Parts {
  readonly connections: readonly string[];
  /** Of the mapping. */
  readonly versions: readonly string[];
  readonly store: Store;
  readonly random: Random;
  /** Of the history. */
  readonly commits: { count: number };
}

export class Operator {
  /** By connection, in commits of the history. */
  readonly pauses: ReadonlyMap<string, Interval[]>;
  readonly activations: Activation[] = [];
  readonly #connections: readonly string[];
  readonly #versions: readonly string[];
  readonly #store: Store;
  readonly #random: Random;
  readonly #commits: { count: number };

  constructor({ connections, versions, store, random, commits }: Parts) {
    this.#connections = connections;
    this.pauses = new Map(connections.map((connection) => [connection, []]));
    this.#versions = versions;
    this.#store = store;
    this.#random = random;
    this.#commits = commits;
  }

  /** @returns what was done, and after how long a pause is to end */
  async act(): Promise<{ readonly what: string; readonly resumeAfterMs?: number }> {
    const what = this.#random.pick(['pause', 'pause', 'run', 'decide', 'decide', 'activate']);
    if (what === 'run') await this.#run();
    if (what === 'decide') await this.#decide();
    if (what === 'activate') await this.activate();
    if (what !== 'pause') return { what };
    // One connection costs no draw.
    const [only = ''] = this.#connections;
    const connection = this.#connections.length === 1 ? only : this.#random.pick(this.#connections);
    await setPaused(this.#store, connection, reason('connection-paused', { why: '' }));
    this.pauses.get(connection)?.push({ from: ++this.#commits.count, to: Number.POSITIVE_INFINITY });
    return { what, resumeAfterMs: this.#random.between(500, 30_000) };
  }

  /** The next version of the mapping, at the beginning the first one. */
  async activate(): Promise<void> {
    const version = this.#versions[this.activations.length % this.#versions.length] ?? '';
    await makeActive(this.#store, version);
    this.activations.push({ from: ++this.#commits.count, version });
  }

  async resume(): Promise<void> {
    for (const [connection, pauses] of this.pauses) {
      await setPaused(this.#store, connection, undefined);
      for (const pause of pauses) pause.to = Math.min(pause.to, this.#commits.count);
    }
  }

  /** Every lane is tried again, whatever had parked it; or those that are parked. */
  async runAll({ parkedOnly = false } = {}): Promise<void> {
    const lanes = await this.#store.db
      .selectFrom('lane')
      .select(['connection', 'subject'])
      .$if(parkedOnly, (query) => query.where('parked', 'is not', null))
      .execute();
    await this.#store.tx((trx) => raiseWanted(trx, lanes, { unpark: true }));
  }

  /** A server that said 412 to a create for no reason has made us ask about a double that is none; a real one shows on the server. @returns how many */
  async endFalseDoubles(): Promise<number> {
    const open = await this.#store.db
      .selectFrom('decision')
      .select('id')
      .where('state', '=', 'open')
      .where('kind', '=', 'doubled')
      .execute();
    for (const { id } of open) await decide(this.#store, id, { choose: 'done', by: 'Ida' }, applyDecision);
    return open.length;
  }

  /** @returns how many connections were paused */
  async endPauses(): Promise<number> {
    const paused = await this.#store.db.selectFrom('connection').select('id').where('paused', 'is not', null).execute();
    for (const { id } of paused) await setPaused(this.#store, id, undefined);
    return paused.length;
  }

  async #run(): Promise<void> {
    const lanes = await this.#store.db
      .selectFrom('lane')
      .select(['connection', 'subject'])
      .orderBy('subject')
      .execute();
    if (lanes.length === 0) return;
    const options = { unpark: true, reread: this.#random.chance(0.5) };
    await this.#store.tx((trx) => raiseWanted(trx, [this.#random.pick(lanes)], options));
  }

  async #decide(): Promise<void> {
    const open = await this.#store.db
      .selectFrom('decision')
      .selectAll()
      .where('state', '=', 'open')
      .orderBy('id')
      .execute();
    if (open.length === 0) return;
    const { id, choices } = this.#random.pick(open);
    const offered = (Array.isArray(choices) ? choices : []).flatMap((choice) =>
      isObject(choice) && typeof choice.choose === 'string' ? [choice.choose] : [],
    );
    try {
      await decide(this.#store, id, { choose: this.#random.pick(offered), by: 'Ida' }, applyDecision);
    } catch (error) {
      // Something has been seen since that the lane has not taken in: whoever is told so looks again later.
      if (!(error instanceof CasebridgeError && error.code === 'decision-outdated')) throw error;
    }
  }
}
