// A run that holds its lease: brings observed to desired step by step. Each step loads everything again, so that running twice, late, or after a crash at
// any point ends the same.

import { CasebridgeError, type Reason, reason } from '../../errors.ts';
import type { LaneBasis } from '../../store/store.ts';
import { absorb } from '../absorb/absorb.ts';
import { askAboutContested, mostConflicts } from '../decisions/contested.ts';
import { closed, leftOut } from '../desire/left-out.ts';
import { findEncounter } from '../documents/encounter.ts';
import { adopt } from '../inbound/adopt.ts';
import { hearMessages } from '../inbound/hear.ts';
import { hearCancellation } from '../inbound/hear-cancellation.ts';
import { hearContacts } from '../inbound/hear-contacts.ts';
import { lookForAbsent } from '../inbound/look-absent.ts';
import { takeInbound } from '../inbound/take.ts';
import type { Abilities, LaneDeps, Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { RunKeeper, RunOutcome } from '../lease.ts';
import { type LaneState, loadLane } from '../load/load.ts';
import { judgeGone } from '../look/ask-about-gone.ts';
import { type Failure, isFailure } from '../look/search-failure.ts';
import { readResults } from '../look/task-results.ts';
import { isHolding, withoutMassChange } from '../operating/mass-change/hold.ts';
import { basisOf, shapeOf } from '../operating/mass-change/lane-basis.ts';
import { pauseForFault } from '../operating/pause.ts';
import { refuseUnread } from '../operating/replay-work.ts';
import { tellOfDuplicate } from '../patients/duplicate.ts';
import { findExisting } from '../patients/find.ts';
import { askAboutInactive } from '../patients/merged.ts';
import { giveUpMisfiled } from '../patients/misfiled.ts';
import { leaveToOthers } from '../patients/shared.ts';
import { type Operation, type Plan, plan, type Write } from '../plan.ts';
import { nextTryMs } from '../retry.ts';
import { PlanOutdated } from '../send/operations.ts';
import { storeOutcomes } from '../send/outcomes.ts';
import { sendLevel, type WriteOutcome } from '../send/send.ts';
import { reconcile } from '../unknown/reconcile.ts';
import { finish } from './finish.ts';
import { keepingLease, type RunTime, RunTimeOver } from './kept-lease.ts';
import { LinkedReader } from './read-all.ts';
import type { RunMemory } from './run-memory.ts';

/** More steps than any lane needs; a run that gets here yields, as one does that takes too long (lanes.md 5). */
const mostSteps = 200;

export type RunAgain = Extract<RunOutcome, { kind: 'again' }>;

/** @param before tries in a row without success before this one */
export function again(before: number, deps: LaneDeps, why: Reason, waitMs: number | undefined): RunAgain {
  const afterMs = nextTryMs(why.code, before, deps.random(), waitMs);
  return { kind: 'again', reason: why, afterMs, attempts: before + 1 };
}

/** What a step of a run says: go on with the next, or end so. */
type Step = 'go-on' | RunOutcome;

/** One question of a step; undefined: there is nothing to do about it, and the next one is asked. */
type Question = (state: LaneState) => Promise<Step | undefined>;

export class LaneRun {
  readonly #run: Run;
  readonly #memory: RunMemory;
  readonly #reader: LinkedReader;
  #singly = false;
  #hasSearched = false;
  /** A server that takes some of what it is sent is not to be waited for as one that takes nothing. */
  #hasWritten = false;
  /** Why a write of this run was refused: it rests from then on, however the run ends. */
  #refused: Reason | undefined;
  #conflicts = 0;
  /** When a contact that lies ahead may have happened. */
  #contactAt: Date | undefined;
  readonly #refusedTags = new Map<string, string | undefined>();
  readonly #saidGone = new Set<string>();
  #shape: ReturnType<typeof shapeOf> | undefined;
  readonly #endsAt: number;

  /** Each rests on what those before it have settled, so the one that has something to do ends the step. */
  readonly #questions: readonly Question[] = [
    (state) => this.#mayWork(state),
    (state) => this.#settleUnknown(state),
    (state) => this.#leaveOut(state),
    (state) => this.#readAgain(state),
    (state) => this.#knowClient(state),
    (state) => this.#adopt(state),
    (state) => this.#judgeGone(state),
    (state) => this.#absorb(state),
    (state) => this.#lookForAbsent(state),
    (state) => this.#hear(state),
    (state) => this.#takeInbound(state),
    (state) => this.#giveUpMisfiled(state),
  ];

  constructor(run: Run, time: RunTime, memory: RunMemory) {
    this.#memory = memory;
    this.#run = { ...run, connection: keepingLease(run, time) };
    this.#reader = new LinkedReader(this.#run, memory);
    this.#endsAt = time.endsAt;
  }

  async toEnd(): Promise<RunOutcome> {
    this.#memory.lane.looked = undefined;
    try {
      const abilities = await this.#abilities();
      if ('kind' in abilities) return abilities;
      for (let steps = 0; steps < mostSteps && this.#run.deps.clock() < this.#endsAt; steps += 1) {
        const step = await this.#step(abilities);
        if (step !== 'go-on') return step;
      }
    } catch (error) {
      if (!(error instanceof RunTimeOver)) throw error;
    }
    this.#keepLooks();
    return this.#again(reason('lane-yields'), 0);
  }

  /** The run comes back soon: what it has read only because all is to be read again need not be read once more then. */
  #keepLooks(): void {
    const { lane, looked, fresh } = this.#memory;
    lane.looked = { wanted: this.#run.lease.wanted, names: new Set([...looked, ...fresh]) };
  }

  /** What the server offers; when it cannot be asked, how the run ends. */
  async #abilities(): Promise<Abilities | RunOutcome> {
    const { deps, connection, lease } = this.#run;
    try {
      this.#memory.mappings = await deps.mappings(lease.mapping);
      return await connection.abilities(this.#memory.mappings);
    } catch (error) {
      if (!(error instanceof CasebridgeError)) throw error;
      return error.kind.class === 'config' ? this.#pause(error.reason) : this.#again(error.reason, undefined);
    }
  }

  async #step(abilities: Abilities): Promise<Step> {
    const state = await loadLane(this.#run, abilities, this.#memory);
    for (const ask of this.#questions) {
      const step = await ask(state);
      if (step !== undefined) return step;
    }
    return this.#work(abilities, state, plan(state.resources));
  }

  async #mayWork({ basis, isConfiguredOtherwise }: LaneState): Promise<Step | undefined> {
    if (basis.isPaused) return this.#again(reason('connection-paused', { why: '' }), undefined);
    if (isConfiguredOtherwise) return this.#again(reason('connection-configured-otherwise'), 0);
    return undefined;
  }

  async #settleUnknown(state: LaneState): Promise<Step | undefined> {
    const cleared = await reconcile(this.#run, state, this.#memory);
    if (isFailure(cleared)) return this.#stop(cleared);
    return cleared.kind === 'clear' && cleared.changed ? 'go-on' : undefined;
  }

  /** A lane of which nothing goes here ends so; what became of what was sent before has been found out all the same. */
  async #leaveOut(state: LaneState): Promise<Step | undefined> {
    const { connection, lease } = this.#run;
    const why = leftOut(connection, lease);
    if (why === undefined) return undefined;
    const resources = state.resources.map((resource) => closed(resource, why));
    // The basis stays that of the last run that did what is wanted.
    const finished = this.#finish({ ...state, resources }, plan(resources), 0, undefined);
    return { ...finished, reason: why };
  }

  async #readAgain(state: LaneState): Promise<Step | undefined> {
    if (!this.#run.lease.reread) return undefined;
    const unread = state.resources.filter((resource) => this.#reader.isUnread(resource));
    return unread.length > 0 ? this.#readAll(state, unread) : undefined;
  }

  /** Whether the server still has the client as one person, and as one of ours. */
  async #knowClient(state: LaneState): Promise<Step | undefined> {
    const unsure = await askAboutInactive(this.#run, state.resources);
    if (unsure !== undefined) {
      this.#run.deps.wake(unsure);
      return 'go-on';
    }
    return (await tellOfDuplicate(this.#run, state)) ? 'go-on' : undefined;
  }

  /** Ties records to what they answer. */
  async #adopt(state: LaneState): Promise<Step | undefined> {
    if (!state.holds.begun) return undefined;
    const adopted = await adopt(this.#run, state, this.#memory.refused);
    if (isFailure(adopted)) return this.#stop(adopted);
    if (adopted.kind === 'nothing') return undefined;
    if (adopted.kind === 'parked') for (const [name, why] of adopted.slots) this.#memory.refused.set(name, why);
    else this.#run.deps.wake(adopted.woken);
    return 'go-on';
  }

  async #judgeGone(state: LaneState): Promise<Step | undefined> {
    const gone = await judgeGone(this.#run, state, this.#memory.unread);
    if (isFailure(gone)) return this.#stop(gone);
    if (gone.kind !== 'settled') return undefined;
    this.#run.deps.wake(gone.woken);
    return 'go-on';
  }

  async #absorb(state: LaneState): Promise<Step | undefined> {
    const results = await readResults(this.#run, state.resources);
    if (isFailure(results)) return this.#stop(results);
    return (await absorb(this.#run, state, results.byTask)) ? 'go-on' : undefined;
  }

  async #lookForAbsent({ holds }: LaneState): Promise<Step | undefined> {
    const failed = holds.inbound ? await lookForAbsent(this.#run) : undefined;
    return failed && this.#stop(failed);
  }

  /** Hears what others said and arranged about the lane's referrals. */
  async #hear(state: LaneState): Promise<Step | undefined> {
    const { holds, resources } = state;
    if (holds.begun && (await hearMessages(this.#run, resources))) return 'go-on';
    const { mappings } = this.#memory;
    if (!(holds.spoken || holds.inbound) || mappings === undefined) return undefined;
    const heard = await hearContacts(this.#run, mappings, state);
    this.#contactAt = heard.lookAt;
    return heard.isNews || (await hearCancellation(this.#run, mappings, state)) ? 'go-on' : undefined;
  }

  /** Takes up what began on the other side. */
  async #takeInbound(state: LaneState): Promise<Step | undefined> {
    if (!state.holds.inbound || this.#memory.mappings === undefined) return undefined;
    const { mappings, texts } = this.#memory;
    const taken = await takeInbound(this.#run, mappings, state.now, texts);
    if (isFailure(taken)) return this.#stop(taken);
    return taken.kind === 'stored' ? 'go-on' : undefined;
  }

  async #giveUpMisfiled({ resources }: LaneState): Promise<Step | undefined> {
    const givenUp = await giveUpMisfiled(this.#run, resources);
    for (const name of givenUp) this.#memory.refused.delete(name);
    return givenUp.length > 0 ? 'go-on' : undefined;
  }

  async #work(abilities: Abilities, state: LaneState, planned: Plan): Promise<Step> {
    const { operations } = planned;
    const finds = operations.filter(({ kind }) => kind === 'find');
    if (finds.length > 0) return this.#find(abilities, finds);
    const reads = operations.filter(({ kind }) => kind === 'read');
    if (reads.length > 0)
      return this.#readAll(
        state,
        reads.map(({ resource }) => resource),
      );
    const [toFile] = operations.filter(({ kind }) => kind === 'encounter');
    if (toFile !== undefined) return this.#findEncounter(toFile.resource);
    const { config } = this.#run.connection;
    this.#shape ??= shapeOf(config, abilities);
    const basis = basisOf(this.#shape, state);
    const isLive = config.mode === 'live';
    const allowed = isLive ? await withoutMassChange(this.#run, state, basis, planned) : planned;
    if (isLive && (await leaveToOthers(this.#run, allowed.operations))) return 'go-on';
    const writes = allowed.operations.filter(isWrite);
    if (writes.length > 0 && isLive) return this.#send(abilities, state, writes);
    return this.#finish(state, allowed, writes.length, isLive && !isHolding(allowed) ? basis : undefined);
  }

  async #readAll(state: LaneState, resources: readonly LaneResource[]): Promise<Step> {
    const read = await this.#reader.readAll(resources);
    if (isFailure(read)) return this.#stop(read);
    if (!read.isNews) this.#memory.carried = state.rows;
    return 'go-on';
  }

  async #find(abilities: Abilities, finds: readonly Operation[]): Promise<Step> {
    this.#hasSearched = true;
    for (const { resource } of finds) {
      const found = await findExisting(this.#run, abilities, resource);
      if (isFailure(found)) return this.#stop(found);
      if (found.kind === 'parked') this.#memory.refused.set(nameOf(resource.key), found.reason);
      if (found.kind === 'not-found') this.#memory.notFound.set(nameOf(resource.key), found.matchKeys);
      if (found.kind === 'linked') this.#run.deps.wake(found.woken);
    }
    return 'go-on';
  }

  async #findEncounter(resource: LaneResource): Promise<Step> {
    const found = await findEncounter(this.#run, resource);
    if (isFailure(found)) return this.#stop(found);
    this.#memory.encounters.set(resource.document?.patientId ?? '', found.encounter);
    return 'go-on';
  }

  async #send(abilities: Abilities, state: LaneState, writes: readonly Write[]): Promise<Step> {
    try {
      const outcomes = await sendLevel(this.#run, abilities, state, writes, {
        singly: this.#singly,
        refusedTags: this.#refusedTags,
        saidGone: this.#saidGone,
        notFound: this.#memory.notFound,
      });
      if (outcomes.length === 0) {
        // Every body points at one that is not there yet: optional references are left out now and follow as updates.
        this.#memory.placeholders = false;
        this.#memory.carried = state.rows;
        return 'go-on';
      }
      this.#memory.placeholders = true;
      const stored = await storeOutcomes(this.#run, state.rows, outcomes);
      this.#memory.carried = stored.rows;
      this.#hasWritten ||= outcomes.some(({ class: result }) => result === 'ok');
      this.#run.deps.wake(stored.woken);
      for (const outcome of outcomes) this.#learn(outcome);
      for (const [name, why] of stored.refused) this.#memory.refused.set(name, why);
      const [refusal] = stored.refused.values();
      this.#refused ??= refusal;
      this.#singly ||= stored.goSingly;
      this.#memory.amendRefused ||= stored.amendRefused;
      this.#conflicts += stored.hadConflict ? 1 : 0;
      if (stored.config !== undefined) return this.#pause(stored.config);
      if (stored.again !== undefined) return this.#again(stored.again.reason, stored.again.afterMs);
      if (this.#conflicts <= mostConflicts) return 'go-on';
      return !(await askAboutContested(this.#run, outcomes))
        ? this.#again(reason('server-conflict', { status: 412, issue: '' }), undefined)
        : 'go-on';
    } catch (error) {
      if (!(error instanceof PlanOutdated)) throw error;
      this.#memory.mappings = undefined;
      this.#memory.records = undefined;
      // What was seen may be old by now: a twin may have been made, and somebody may have edited what no version tag protects (lanes.md 28).
      this.#memory.notFound.clear();
      this.#memory.fresh.clear();
      return 'go-on';
    }
  }

  /** After a write the next one needs a new look, unless the reply was one; what a single one was answered is kept for the next. */
  #learn({ intent: { write }, class: result, status, inTransaction }: WriteOutcome): void {
    if (write.kind === 'create') return;
    const name = `${write.resource.resourceType}/${write.link.remoteId}`;
    this.#memory.fresh.delete(name);
    this.#memory.looked.delete(name);
    if (inTransaction) return;
    if (status === 412) this.#refusedTags.set(name, write.versionTag);
    if (result === 'gone') this.#saidGone.add(name);
  }

  async #stop({ kind, reason: why, afterMs }: Failure): Promise<RunOutcome> {
    return kind === 'config' ? this.#pause(why) : this.#again(why, afterMs);
  }

  async #pause(why: Reason): Promise<RunOutcome> {
    await pauseForFault(this.#run.deps, this.#run.lease.connection, why);
    return this.#again(why, undefined);
  }

  #again(why: Reason, afterMs: number | undefined): RunAgain {
    const { deps, lease } = this.#run;
    const ended = again(this.#hasWritten ? 0 : lease.attempts, deps, why, afterMs);
    return { ...ended, ...(this.#refused && { parked: this.#refused }) };
  }

  #finish(state: LaneState, planned: Plan, held: number, basis: LaneBasis | undefined): RunOutcome {
    const done = finish(this.#run, state, planned, {
      held,
      basis,
      hasSearched: this.#hasSearched,
      looksAt: [this.#contactAt, this.#memory.texts.againAt],
    });
    const [unread] = this.#memory.unread.values();
    if (unread === undefined) return done;
    this.#keepLooks();
    const keep: RunKeeper = async (trx) => {
      await refuseUnread(trx, this.#run.lease, unread);
      return done.keep?.(trx) ?? [];
    };
    return { ...this.#again(unread, undefined), rest: { keep, waiting: done.waiting, parked: done.parked } };
  }
}

function isWrite(operation: Operation): operation is Write {
  return 'body' in operation;
}
