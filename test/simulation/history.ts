// One history: the lane core on the real store in virtual time, a source, a partner and an operator who all do something, and what befalls them.
// Then everything heals, the work is drained, and the oracles judge.

import type { JsonObject } from '../../src/json.ts';
import { wantAll } from '../../src/lanes/lanes.ts';
import { DatabaseError, type Store, sql, storeOn } from '../../src/store/store.ts';
import { backingOn } from './backing.ts';
import type { Evidence, Interval } from './evidence.ts';
import { Feeding } from './feeding.ts';
import { Network } from './network.ts';
import { Operator } from './operator.ts';
import { judge, judgeSecondRun } from './oracles.ts';
import { Partner } from './partner.ts';
import { stream } from './random.ts';
import { changeRules, type Mechanism, type Sabotage, sabotages } from './sabotage.ts';
import { openSite, type Site } from './site.ts';
import { Source } from './source.ts';
import type { Stage } from './stage.ts';
import { type FaultName, type Swarm, swarmOf } from './swarm.ts';
import { newActor, Timeline } from './timeline.ts';
import { Worker } from './worker.ts';

export interface HistoryOptions {
  readonly seed: number;
  readonly without?: Mechanism;
  /** Faults that this history is spared, for finding out which ones a failure needs. */
  readonly spared?: readonly FaultName[];
}

export interface HistoryResult {
  readonly seed: number;
  /** Empty: all oracles are content. */
  readonly violations: readonly string[];
  readonly trace: string;
  readonly steps: readonly string[];
  readonly swarm: Swarm;
  /** Without version tags: edits between our read and our write, which no client can see (lanes.md 28). */
  readonly lostInWindow: number;
}

const startsAt = Date.parse('2026-06-01T12:00:00Z');
const pollEveryMs = 30_000;
const mostSteps = 6_000;
const mostDrainMs = 4 * 60 * 60_000;
const brokenConnection = '08006';

export async function runHistory(stage: Stage, { seed, without, spared }: HistoryOptions): Promise<HistoryResult> {
  const swarm = swarmOf(seed, spared);
  const timeline = new Timeline(startsAt);
  const sabotage: Sabotage = without === undefined ? {} : sabotages[without];
  await stage.database.empty();
  stage.setTime(timeline);
  await changeRules(stage.database, sabotage.rules?.make);
  try {
    const store = await storeOn(backingOn(stage.database.kind, () => stage.database.connect(timeline.now)));
    return await new History({ stage, seed, swarm, timeline, sabotage, store }).play();
  } finally {
    await changeRules(stage.database, sabotage.rules?.drop);
  }
}

interface Parts {
  readonly stage: Stage;
  readonly seed: number;
  readonly swarm: Swarm;
  readonly timeline: Timeline;
  readonly sabotage: Sabotage;
  /** Beside the workers' backs: nothing befalls it. */
  readonly store: Store;
}

class History {
  readonly #parts: Parts;
  readonly #sites: readonly Site[];
  readonly #connections: readonly string[];
  readonly #network: Network;
  readonly #source: Source;
  readonly #partner: Partner;
  readonly #operator: Operator;
  readonly #feeding: Feeding;
  readonly #world = newActor('world');
  readonly #story;
  readonly #sourceStore;
  readonly #choice;
  readonly #commits = { count: 0 };
  readonly #evidence: readonly Evidence[];
  readonly #violations: string[] = [];
  /** By client: when their consent was withdrawn. */
  readonly #revoked = new Map<string, Interval[]>();
  #workers: Worker[] = [];
  #names = 0;
  #isHealing = false;
  #isQuiet = false;

  constructor(parts: Parts) {
    const { stage, seed, swarm, timeline, store } = parts;
    this.#parts = parts;
    this.#sites = swarm.vendors.map((vendor) => openSite(stage, vendor, swarm, pollEveryMs));
    this.#connections = this.#sites.map(({ id }) => id);
    const configs = this.#sites.map(({ config }) => config);
    this.#story = stream(seed, 'story');
    this.#sourceStore = stream(seed, 'source store');
    this.#choice = stream(seed, 'choice of worker');
    this.#network = new Network(timeline, this.#sites, swarm, stream(seed, 'network'));
    this.#source = new Source(stream(seed, 'source'), configs, swarm);
    this.#partner = new Partner(stream(seed, 'partner'), this.#network);
    this.#operator = new Operator({
      connections: this.#connections,
      versions: stage.mappings.map(({ version }) => version),
      store,
      random: stream(seed, 'operator'),
      commits: this.#commits,
    });
    this.#feeding = new Feeding({
      connections: this.#sites.map(({ config }) => config),
      timeline,
      actor: this.#world,
      store,
      swarm,
      random: stream(seed, 'queue'),
      worker: () => this.#anyWorker(),
      onDefect: (text) => this.#violations.push(text),
    });
    this.#evidence = this.#sites.map((site) => ({
      store,
      site,
      server: site.server,
      config: site.config,
      mapping: stage.mappings[0],
      swarm,
      newest: this.#source.newest,
      made: this.#source.made,
      promised: this.#source.promised,
      edits: site.vendor === 'standard' ? this.#partner.edits : [],
      writes: [],
      pauses: this.#operator.pauses.get(site.id) ?? [],
      activations: this.#operator.activations,
      revoked: this.#revoked,
    }));
  }

  async play(): Promise<HistoryResult> {
    const { timeline, seed, swarm } = this.#parts;
    const until = startsAt + swarm.chaosMs;
    await this.#operator.activate();
    for (let at = 0; at < swarm.workers; at += 1) await this.#startWorker();
    this.#writeStory(swarm.chaosMs);
    await timeline.runUntil(until);
    await this.#heal();
    const lostInWindow = await this.#judge();
    const { steps } = timeline;
    return { seed, violations: this.#violations, trace: timeline.trace(), steps, swarm, lostInWindow };
  }

  /** When who does what, drawn at the beginning. */
  #writeStory(span: number): void {
    const { swarm, timeline } = this.#parts;
    const story = this.#story;
    const at = () => story.between(500, span);
    this.#source.begin(startsAt);
    this.#later(100, 'source begins', () => this.#sendRecords());
    for (let n = story.between(3, 8); n > 0; n -= 1) {
      const changesAt = at();
      this.#later(changesAt, 'source changes records', () => {
        this.#source.change(timeline.now);
        return this.#sendRecords();
      });
      if (swarm.operator > 0 && story.chance(0.6))
        this.#later(changesAt + story.between(50, 3_000), '', () => this.#operate());
      if (swarm.basis === 'consent' && story.chance(0.6))
        this.#later(changesAt + story.between(50, 3_000), 'source changes a consent', () => {
          this.#source.changeConsent(timeline.now);
          return this.#sendRecords();
        });
    }
    if (swarm.partner > 0) for (let n = story.between(2, 6); n > 0; n -= 1) this.#later(at(), '', () => this.#edit());
    if (swarm.operator > 0)
      for (let n = story.between(0, 2); n > 0; n -= 1) this.#later(at(), '', () => this.#operate());
    if (swarm.outageMs > 0) this.#writeOutage(story.between(500, 120_000), swarm.outageMs);
    this.#tick(0, 12_000, (worker) => worker.poll());
    this.#tick(60_000, 60_000, (worker) => worker.probe());
  }

  /** Servers go away one after the other, and come back in an order of their own. */
  #writeOutage(fromMs: number, ms: number): void {
    const { seed, timeline } = this.#parts;
    const own = stream(seed, 'outages');
    for (const [at, site] of this.#sites.entries()) {
      const laterMs = at === 0 ? 0 : own.between(0, 60_000);
      const longerMs = at === 0 ? 0 : own.between(-60_000, 60_000);
      this.#later(fromMs + laterMs, `${site.id} goes away`, async () =>
        this.#network.goAway(site, timeline.now + ms + longerMs),
      );
    }
  }

  #tick(afterMs: number, everyMs: number, act: (worker: Worker) => void): void {
    this.#parts.timeline.after(this.#world, afterMs, '', () => {
      const worker = this.#anyWorker();
      if (worker !== undefined) act(worker);
      if (!this.#isQuiet) this.#tick(everyMs, everyMs, act);
    });
  }

  /** Work of the people outside, which the next step waits for. */
  #later(ms: number, what: string, work: () => Promise<unknown>): void {
    const { timeline } = this.#parts;
    timeline.after(this.#world, ms, what, () => {
      const done = timeline.hold();
      work()
        .catch((error: unknown) => {
          this.#violations.push(`The simulation failed: ${error instanceof Error ? error.stack : String(error)}`);
        })
        .finally(done);
    });
  }

  /** The answer to the source may be lost before or after the commit; then it sends the same again. */
  async #sendRecords(): Promise<void> {
    const { store, swarm, timeline } = this.#parts;
    if (!this.#source.hasOpen) return;
    const fails = {
      before: !this.#isHealing && this.#sourceStore.chance(4 * swarm.storeBefore),
      after: !this.#isHealing && this.#sourceStore.chance(4 * swarm.storeAfter),
    };
    const tx: Store['tx'] = async (work, options) => {
      if (fails.before) throw brokenOff();
      const answer = await store.tx(work, options);
      await this.#noteCommit();
      if (fails.after) throw brokenOff();
      return answer;
    };
    try {
      await this.#source.send({ ...store, tx }, timeline.now);
    } catch (error) {
      if (!(error instanceof DatabaseError && error.code === brokenConnection)) throw error;
    }
    this.#feeding.kick();
    if (this.#source.hasOpen)
      this.#later(this.#sourceStore.between(200, 5_000), 'source sends again', () => this.#sendRecords());
  }

  /** From when to when which client's consent is withdrawn, in commits. */
  async #noteCommit(): Promise<void> {
    const { store, swarm } = this.#parts;
    this.#commits.count += 1;
    if (swarm.basis !== 'consent') return;
    const rows = await store.db.selectFrom('record').select('content').where('type', '=', 'consent').execute();
    for (const { content } of rows) {
      const client = String(content.clientId);
      const intervals: Interval[] = this.#revoked.get(client) ?? [];
      this.#revoked.set(client, intervals);
      const open = intervals.find(({ to }) => to === Number.POSITIVE_INFINITY);
      if (content.status === 'active' && open !== undefined) open.to = this.#commits.count;
      if (content.status !== 'active' && open === undefined)
        intervals.push({ from: this.#commits.count, to: Number.POSITIVE_INFINITY });
    }
  }

  async #edit(): Promise<void> {
    const { timeline } = this.#parts;
    const site = this.#sites.find(({ vendor }) => vendor === 'standard');
    const edited = site && (await this.#partner.edit(site, timeline.now));
    if (edited !== undefined) timeline.note(this.#world, `partner edits ${edited}`);
  }

  async #operate(): Promise<void> {
    const { what, resumeAfterMs } = await this.#operator.act();
    this.#parts.timeline.note(this.#world, `operator: ${what}`);
    this.#feeding.kick();
    if (resumeAfterMs !== undefined) this.#later(resumeAfterMs, 'operator: resume', () => this.#operator.resume());
  }

  async #startWorker(): Promise<void> {
    const { stage, seed, timeline, swarm, sabotage } = this.#parts;
    const name = `w${++this.#names}`;
    const worker = await Worker.start({
      name,
      timeline,
      database: stage.database,
      network: this.#network,
      configs: this.#sites.map(({ config }) => config),
      mappings: stage.mappings,
      swarm,
      chance: stream(seed, `fate of ${name}`),
      dice: stream(seed, `dice of ${name}`),
      sabotage,
      commits: this.#commits,
      wake: () => this.#feeding.kick(),
      onWrite: (write) => this.#evidence.find(({ site }) => write.path.startsWith(site.fhirPath))?.writes.push(write),
      onDeath: () => this.#later(this.#choice.between(500, 15_000), 'a new worker starts', () => this.#startWorker()),
      onDefect: (text) => this.#violations.push(`A fault of ours: ${text}`),
    });
    if (this.#isHealing) worker.heal();
    this.#workers = [...this.#workers.filter(({ actor }) => actor.isAlive), worker];
    this.#feeding.kick();
  }

  #anyWorker(): Worker | undefined {
    const free = this.#workers.filter(({ isFree }) => isFree);
    return free.length === 0 ? undefined : this.#choice.pick(free);
  }

  /** Nothing fails any more; people mend what only they can, and every poll is made that was due or whose lease a failure left behind. */
  async #heal(): Promise<void> {
    const { timeline, store } = this.#parts;
    timeline.note(this.#world, 'everything heals');
    this.#isHealing = true;
    this.#network.heal();
    this.#feeding.heal();
    for (const worker of this.#workers) worker.heal();
    while (this.#source.hasOpen) {
      await this.#source.send(store, timeline.now);
      await this.#noteCommit();
    }
    await this.#operator.resume();
    await this.#operator.endFalseDoubles();
    await this.#operator.runAll();
    this.#feeding.kick();
    // A poll that is frozen over the healing ends after it, and tells of what was before it: the next one is to be made too.
    const hasFrozen = this.#workers.some(({ isFrozen }) => isFrozen);
    do await timeline.runUntil(timeline.now + 2 * pollEveryMs);
    while (await hasPollToMake(store));
    if (hasFrozen) await timeline.runUntil(timeline.now + 2 * pollEveryMs);
    // A reply that was under way at the healing may have parked one.
    await this.#operator.runAll({ parkedOnly: true });
    this.#isQuiet = true;
  }

  /** @returns edits lost in the window */
  async #judge(): Promise<number> {
    const { store } = this.#parts;
    await this.#drain();
    if (this.#violations.length > 0) return 0;
    const { violations, lostInWindow } = await judge(store, this.#evidence);
    this.#violations.push(...violations);
    if (violations.length > 0) return lostInWindow;
    const before = this.#sites.map(({ server }) => server.journal.list(0, Number.POSITIVE_INFINITY).length);
    await wantAll(store, this.#connections);
    await this.#drain();
    for (const [at, evidence] of this.#evidence.entries())
      this.#violations.push(...(await judgeSecondRun(evidence, before[at] ?? 0)));
    return lostInWindow;
  }

  /** Until no lane has work, now or later. */
  async #drain(): Promise<void> {
    const { timeline, store } = this.#parts;
    const until = timeline.now + mostDrainMs;
    const most = timeline.steps.length + mostSteps;
    for (let round = 0; round < 5; round += 1) {
      this.#feeding.kick();
      while (timeline.steps.length < most && (await timeline.step(until)));
      // A reply that was under way at the healing may have asked about one, or paused a connection that nobody probes any more.
      const ended = (await this.#operator.endFalseDoubles()) + (await this.#operator.endPauses());
      if (this.#violations.length > 0 || (ended === 0 && (await unrest(store)).length === 0)) return;
    }
    this.#violations.push(`(f) It does not come to rest: ${JSON.stringify(await unrest(store))}`);
  }
}

/**
 * A poll is under way, leased by somebody who will not end it, overdue because everybody who could make it is frozen, or was given up by somebody who
 * was frozen over it, and comes back with back-off.
 */
async function hasPollToMake(store: Store): Promise<boolean> {
  const polls = await store.db
    .selectFrom('poll')
    .select('resource_type')
    .where(({ eb, or }) =>
      or([
        eb('lease_until', 'is not', null),
        // What the server does not offer is looked at again a day later.
        eb.and([eb('reason', 'is not', null), eb('next_at', '<', sql<Date>`now() + interval '1 hour'`)]),
        eb('next_at', '<', sql<Date>`now() - interval '15 seconds'`),
      ]),
    )
    .execute();
  return polls.length > 0;
}

function brokenOff(): DatabaseError {
  return new DatabaseError(brokenConnection, `The connection is broken (${brokenConnection})`, {});
}

/** The lanes that have work, are leased, or will look again by themselves. */
async function unrest(store: Store): Promise<JsonObject[]> {
  const rows = await store.db
    .selectFrom('lane')
    .selectAll()
    .where(({ eb, or }) =>
      or([eb('done', '<', sql<number>`wanted`), eb('lease_until', 'is not', null), eb('next_look_at', 'is not', null)]),
    )
    .execute();
  return rows.map(({ subject, wanted, done, reason, lease_holder: holder, next_look_at: nextLookAt }) => ({
    subject,
    wanted,
    done,
    reason: reason?.code ?? null,
    holder,
    nextLookAt: nextLookAt?.toISOString() ?? null,
  }));
}
