// One run of one lane: take the lease, bring observed to desired step by step, give the lease back. Each step loads everything again,
// so that running twice, late, or after a crash at any point ends the same.

import type { Transaction } from 'kysely';
import { CasebridgeError, type Reason, reason } from '../../errors.ts';
import { factsOf } from '../../fault.ts';
import type { SlotRef } from '../../mapping/mapping.ts';
import type { Database, LaneBasis } from '../../store/store.ts';
import { absorb } from '../absorb/absorb.ts';
import { hasUnmapped, keepUnmapped } from '../absorb/unmapped.ts';
import { dropAgreedValues } from '../changes.ts';
import { askAboutContested, mostConflicts } from '../decisions/contested.ts';
import { askAboutRefused, isAsked } from '../decisions/refused.ts';
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
import {
  isUnreleased,
  type LaneKey,
  LeaseLost,
  passOn,
  type RunKeeper,
  type RunOutcome,
  release,
  type Taker,
  takeLease,
  underLease,
} from '../lease.ts';
import { raiseWanted, saveStates, saveWaiting, wantAwaited } from '../links.ts';
import { areOthers, saveReads } from '../load/lane-reads.ts';
import { type LaneRows, takeLane } from '../load/lane-rows.ts';
import { type LaneState, loadLane } from '../load/load.ts';
import { judgeGone } from '../look/ask-about-gone.ts';
import { readLinked } from '../look/read.ts';
import { type Failure, isFailure } from '../look/search-failure.ts';
import { readResults } from '../look/task-results.ts';
import { closeAlert, crashTopic, openAlert } from '../operating/alerts.ts';
import { basisOf, isHolding, shapeOf, withoutMassChange } from '../operating/mass-change.ts';
import { tellOverdue } from '../operating/overdue.ts';
import { pauseForFault } from '../operating/pause.ts';
import { refuseUnread } from '../operating/replay-work.ts';
import { tellOfDuplicate } from '../patients/duplicate.ts';
import { findExisting, releaseMatchLeases } from '../patients/find.ts';
import { askAboutInactive } from '../patients/merged.ts';
import { giveUpMisfiled } from '../patients/misfiled.ts';
import { leaveToOthers } from '../patients/shared.ts';
import { elementTopic, type Operation, type Plan, plan, type ResourceState, type Write } from '../plan.ts';
import { nextTryMs } from '../retry.ts';
import { PlanOutdated } from '../send/operations.ts';
import { storeOutcomes } from '../send/outcomes.ts';
import { sendLevel, type WriteOutcome } from '../send/send.ts';
import { heldUntil, reconcile } from '../unknown/reconcile.ts';
import { keepingLease, type RunTime, RunTimeOver, startRun } from './kept-lease.ts';
import { newMemory, type RunMemory } from './run-memory.ts';

/** More steps than any lane needs; a run that gets here yields, as one does that takes too long (lanes.md 5). */
const mostSteps = 200;
const mostStarts = 3;
/** Looks in a row that the server has answered with no resource: where it has shown none before them, then it is not the resources. */
const mostUnread = 3;

/** Runs the lane if it has work, is due and is free. Never throws for what a server does. */
export async function runLane(deps: LaneDeps, key: LaneKey): Promise<void> {
  const connection = deps.connections.get(key.connection);
  if (connection === undefined) return passOn(deps.store, key);
  const { holder, leaseMs } = deps;
  const { configuration } = connection;
  const isSuspect = await deps.gate.sideBySide(async () => {
    const time = startRun(deps);
    const released: Taker = { holder, leaseMs, configuration, which: 'released' };
    const taken = await takeLane(deps.store, key, released, connection.config.share);
    const lease = taken?.lease ?? (await takeLease(deps.store, key, released));
    if (lease === undefined) {
      await passOn(deps.store, key, configuration);
      return isUnreleased(deps.store, key);
    }
    await runLeased({ deps, connection, lease }, time, taken?.rows);
    return false;
  });
  if (!isSuspect) return;
  await deps.gate.alone(async () => {
    const time = startRun(deps);
    const lease = await takeLease(deps.store, key, { holder, leaseMs, configuration, which: 'any' });
    if (lease !== undefined) await runLeased({ deps, connection, lease }, time, undefined);
  });
}

/** @param rows of the lane as the lease found it; undefined: they are to be read */
async function runLeased(run: Run, time: RunTime, rows: LaneRows | undefined): Promise<void> {
  const { deps, lease } = run;
  const key = { connection: lease.connection, subject: lease.subject };
  const memory = deps.memories.take(key);
  try {
    const outcome =
      lease.starts > mostStarts
        ? await crashed(run)
        : await new LaneRun(run, time, {
            ...newMemory(memory, lease.wanted),
            carried: rows,
          }).toEnd();
    deps.wake(await release(deps.store, lease, outcome));
    if (outcome.kind === 'done' || memory.looked !== undefined || memory.unread.size > 0)
      deps.memories.keep(key, memory);
    await tellOverdue(run, outcome);
    deps.onRun?.(key.connection, outcome.kind === 'done' ? (outcome.parked === null ? 'done' : 'parked') : 'again');
  } catch (error) {
    if (error instanceof LeaseLost) return;
    // A fault of ours: told to the log, tried again with back-off.
    deps.log.error({ ...key, ...factsOf(error) }, 'a lane run failed');
    const failed = again(lease.attempts, deps, reason('internal', { requestId: lease.subject }), undefined);
    await release(deps.store, lease, failed);
    await tellOverdue(run, failed);
    deps.onRun?.(key.connection, 'failed');
  }
}

async function crashed({ deps, lease }: Run): Promise<RunOutcome> {
  const why = reason('lane-crashed', { starts: mostStarts });
  await underLease({ deps, lease }, async (trx) => {
    await openAlert(trx, { topic: crashTopic(lease), connection: lease.connection, reason: why });
  });
  return { kind: 'done', waiting: false, parked: why, reason: why, nextLookAt: null };
}

type RunAgain = Extract<RunOutcome, { kind: 'again' }>;

/** @param before tries in a row without success before this one */
function again(before: number, deps: LaneDeps, why: Reason, waitMs: number | undefined): RunAgain {
  const afterMs = nextTryMs(why.code, before, deps.random(), waitMs);
  return { kind: 'again', reason: why, afterMs, attempts: before + 1 };
}

/** What a step of a run says: go on with the next, or end so. */
type Step = 'go-on' | RunOutcome;

class LaneRun {
  readonly #run: Run;
  readonly #memory: RunMemory;
  #singly = false;
  #hasSearched = false;
  /** A server that takes some of what it is sent is not to be waited for as one that takes nothing. */
  #hasWritten = false;
  /** Why a write of this run was refused: it rests from then on, however the run ends. */
  #refused: Reason | undefined;
  #conflicts = 0;
  /** Their types. */
  #unreadInRow: string[] = [];
  /** When a contact that lies ahead may have happened. */
  #contactAt: Date | undefined;
  readonly #refusedTags = new Map<string, string | undefined>();
  readonly #saidGone = new Set<string>();
  #shape: ReturnType<typeof shapeOf> | undefined;
  readonly #endsAt: number;

  constructor(run: Run, time: RunTime, memory: RunMemory) {
    this.#memory = memory;
    this.#run = { ...run, connection: keepingLease(run, time) };
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
    const { deps, connection, lease } = this.#run;
    const state = await loadLane(this.#run, abilities, this.#memory);
    if (state.basis.isPaused) return this.#again(reason('connection-paused', { why: '' }), undefined);
    if (state.isConfiguredOtherwise) return this.#again(reason('connection-configured-otherwise'), 0);
    const cleared = await reconcile(this.#run, state, this.#memory);
    if (isFailure(cleared)) return this.#stop(cleared);
    if (cleared.kind === 'clear' && cleared.changed) return 'go-on';
    // What became of what was sent before is found out all the same.
    const out = leftOut(connection, lease);
    if (out !== undefined) return this.#leaveOut(state, out);
    const reread = lease.reread ? state.resources.filter((resource) => this.#isUnread(resource)) : [];
    if (reread.length > 0) return this.#readAll(state, reread);
    const unsure = await askAboutInactive(this.#run, state.resources);
    if (unsure !== undefined) {
      deps.wake(unsure);
      return 'go-on';
    }
    if (await tellOfDuplicate(this.#run, state)) return 'go-on';
    const tied = await this.#adopt(state);
    if (tied !== undefined) return tied;
    const gone = await judgeGone(this.#run, state, this.#memory.unread);
    if (isFailure(gone)) return this.#stop(gone);
    if (gone.kind === 'settled') {
      deps.wake(gone.woken);
      return 'go-on';
    }
    const results = await readResults(this.#run, state.resources);
    if (isFailure(results)) return this.#stop(results);
    if (await absorb(this.#run, state, results.byTask)) return 'go-on';
    const looked = state.holds.inbound ? await lookForAbsent(this.#run) : undefined;
    if (looked !== undefined) return this.#stop(looked);
    if (state.holds.begun && (await hearMessages(this.#run, state.resources))) return 'go-on';
    if (await this.#hear(state)) return 'go-on';
    const taken = await this.#takeInbound(state);
    if (taken !== undefined) return taken;
    const givenUp = await giveUpMisfiled(this.#run, state.resources);
    for (const name of givenUp) this.#memory.refused.delete(name);
    if (givenUp.length > 0) return 'go-on';
    return this.#work(abilities, state, plan(state.resources));
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

  /** Ties records to what they answer; undefined: nothing was to be tied. */
  async #adopt(state: LaneState): Promise<Step | undefined> {
    if (!state.holds.begun) return undefined;
    const adopted = await adopt(this.#run, state, this.#memory.refused);
    if (isFailure(adopted)) return this.#stop(adopted);
    if (adopted.kind === 'nothing') return undefined;
    if (adopted.kind === 'parked') for (const [name, why] of adopted.slots) this.#memory.refused.set(name, why);
    else this.#run.deps.wake(adopted.woken);
    return 'go-on';
  }

  /** Hears what others said and arranged about the lane's referrals. @returns true when something was stored */
  async #hear(state: LaneState): Promise<boolean> {
    const { mappings } = this.#memory;
    if (!(state.holds.spoken || state.holds.inbound) || mappings === undefined) return false;
    const heard = await hearContacts(this.#run, mappings, state);
    this.#contactAt = heard.lookAt;
    return heard.isNews || hearCancellation(this.#run, mappings, state);
  }

  /** Takes up what began on the other side; undefined: nothing is new. */
  async #takeInbound(state: LaneState): Promise<Step | undefined> {
    if (!state.holds.inbound || this.#memory.mappings === undefined) return undefined;
    const { mappings, texts } = this.#memory;
    const taken = await takeInbound(this.#run, mappings, state.now, texts);
    if (isFailure(taken)) return this.#stop(taken);
    return taken.kind === 'stored' ? 'go-on' : undefined;
  }

  #isUnread({ link, resourceType, document, observed, unread }: LaneResource): boolean {
    if (document?.isHeld === true || observed?.isTold === true || unread !== undefined) return false;
    if (link === undefined || link.retired) return false;
    const name = `${resourceType}/${link.remoteId}`;
    return !this.#memory.fresh.has(name) && !this.#memory.looked.has(name);
  }

  async #readAll(state: LaneState, resources: readonly LaneResource[]): Promise<Step> {
    const { fresh, looked, unread, lane } = this.#memory;
    let isNews = false;
    for (const resource of lastUnreadLast(resources, lane.unread)) {
      if (resource.link === undefined) continue;
      const name = nameOf(resource.key);
      const spared = this.#sparedFor(resource);
      if (spared !== undefined) {
        unread.set(name, spared);
        continue;
      }
      const read = await readLinked(this.#run, resource, resource.link, fresh);
      if (read.kind === 'config') return this.#stop(read);
      lane.unread.delete(name);
      if (read.kind === 'again') {
        lane.unread.add(name);
        this.#unreadInRow.push(resource.resourceType);
        const isServer = this.#unreadInRow.length >= mostUnread && fresh.size + looked.size === 0;
        if (read.isAlone !== true || isServer) return this.#stop(read);
        unread.set(name, read.reason);
      } else this.#unreadInRow = [];
      if (read.kind === 'parked') this.#memory.refused.set(nameOf(resource.key), read.reason);
      isNews ||= read.kind !== 'read' || read.isNews;
    }
    if (!isNews) this.#memory.carried = state.rows;
    return 'go-on';
  }

  /** Why it is not asked for in this run: after some that could not be read, more of their kind would only stop the connection. */
  #sparedFor({ key, resourceType }: LaneResource): Reason | undefined {
    if (this.#unreadInRow.length < mostUnread) return undefined;
    const isLikely = this.#unreadInRow.includes(resourceType) || this.#memory.lane.unread.has(nameOf(key));
    return isLikely ? [...this.#memory.unread.values()].at(-1) : undefined;
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
      // A twin may have been made since: who was not there is looked for again.
      this.#memory.notFound.clear();
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

  #leaveOut(state: LaneState, why: Reason): RunOutcome {
    const resources = state.resources.map((resource) => closed(resource, why));
    // The basis stays that of the last run that did what is wanted.
    const finished = this.#finish({ ...state, resources }, plan(resources), 0, undefined);
    return { ...finished, reason: why };
  }

  /** Nothing is left to do now but to read what could not be read: every resource gets its state, every wait its row. */
  #finish(state: LaneState, planned: Plan, held: number, basis: LaneBasis | undefined): RunOutcome {
    const stuck = planned.states.filter(needsMending);
    // A server that shows one resource for another cannot be trusted with any: an operator must hear of it first.
    const wrong = stuck.find(({ reason: why }) => why?.code === 'server-wrong-resource');
    const parked = (wrong ?? stuck[0])?.reason ?? null;
    const waiting = planned.states.find(({ state: phase }) => phase === 'waiting')?.reason ?? null;
    const gone = planned.states.find(({ resource }) => resource.isGone)?.reason ?? null;
    const shadow = held > 0 ? reason('shadow', { count: held }) : null;
    const rest = { keep: this.#keep(state, planned), waiting: waiting !== null, parked };
    const [unread] = this.#memory.unread.values();
    if (unread !== undefined) {
      this.#keepLooks();
      const keep: RunKeeper = async (trx) => {
        await refuseUnread(trx, this.#run.lease, unread);
        return rest.keep?.(trx) ?? [];
      };
      return { ...this.#again(unread, undefined), rest: { ...rest, keep } };
    }
    return {
      kind: 'done',
      ...rest,
      reason: parked ?? waiting ?? shadow ?? gone,
      nextLookAt: nextLook(state, planned, [this.#contactAt, this.#memory.texts.againAt]),
      ...(basis && { basis }),
    };
  }

  /**
   * Most runs have nothing to change in most of these tables; the load has told in which. Undefined: in none, and the lane is given back by one
   * statement.
   */
  #keep(state: LaneState, planned: Plan): RunKeeper | undefined {
    const { connection, lease } = this.#run;
    const { holds, known, resources, openDecisions } = state;
    const states = planned.states.filter((one) => isNewState(state, one.resource, one.state, one.reason));
    const stuck = planned.states.filter(needsMending);
    const waits = waitedFor(resources);
    const sharesReferrals = connection.config.share === 'referrals';
    const awaited = sharesReferrals ? waitedFor(resources.filter(({ route }) => route.route === 'native')) : [];
    const { settleMs } = connection.config;
    const quiet = [
      needed(states.length > 0, (trx) => saveStates(trx, lease, states)),
      needed(holds.unmapped || hasUnmapped(resources), (trx) => keepUnmapped(trx, lease, resources)),
      needed(holds.remoteValues, (trx) => dropAgreedValues(trx, lease)),
      needed(holds.alerts, (trx) => closeAlert(trx, crashTopic(lease))),
      needed(stuck.length > 0 || isAsked(openDecisions), (trx) => askAboutRefused(trx, lease, stuck, openDecisions)),
      needed(this.#hasSearched, (trx) => releaseMatchLeases(trx, lease, settleMs)),
    ].flat();
    const waking = [
      needed(areOthers(known.readRecords, holds.reads), (trx) => this.#saveReads(trx, state)),
      needed(waits.length > 0 || holds.waits, (trx) => saveWaiting(trx, lease, waits)),
      needed(awaited.length > 0, (trx) => wantAwaited(trx, lease, awaited)),
    ].flat();
    if (quiet.length + waking.length === 0) return undefined;
    return async (trx) => {
      for (const part of quiet) await part(trx);
      const woken: LaneKey[] = [];
      for (const part of waking) woken.push(...(await part(trx)));
      return woken;
    };
  }

  async #saveReads(trx: Transaction<Database>, { known, holds }: LaneState): Promise<readonly LaneKey[]> {
    const { lease } = this.#run;
    const isOvertaken = await saveReads(trx, lease, known.readRecords, holds.reads);
    if (!isOvertaken) return [];
    await raiseWanted(trx, [lease]);
    return [lease];
  }
}

/** The one that has been tried last comes last of all, so that each of many has its turn. */
function lastUnreadLast(resources: readonly LaneResource[], unread: ReadonlySet<string>): LaneResource[] {
  const names = [...unread];
  const place = ({ key }: LaneResource) => names.indexOf(nameOf(key));
  return resources.toSorted((one, other) => place(one) - place(other));
}

function needed<T>(isNeeded: boolean, part: (trx: Transaction<Database>) => T): ((trx: Transaction<Database>) => T)[] {
  return isNeeded ? [part] : [];
}

function isWrite(operation: Operation): operation is Write {
  return 'body' in operation;
}

/** Required references hold a resource back; optional ones only bring the lane back when their link appears. */
function waitedFor(resources: readonly LaneResource[]): SlotRef[] {
  return resources.flatMap(({ desired, document, waits }) => [
    ...(desired?.references ?? []).flatMap(({ target, reference }) => (reference === undefined ? [target] : [])),
    ...(document === undefined ? [] : waits.map(({ target }) => target)),
  ]);
}

/** Parked, and not because a person is being asked about it or has said that it is to stay so, nor because the document is that would carry it. */
function needsMending({ state, reason: why, resource }: ResourceState): boolean {
  if (resource.route.route === 'document' && resource.document === undefined) return false;
  if (resource.isSetAside === true || resource.untold !== undefined || why?.code === 'elsewhere-left') return false;
  // A question about one element holds back that element alone.
  const isAskedAbout = [...resource.openTopics].some((topic) => !topic.startsWith(elementTopic(resource, '')));
  return state === 'parked' && !isAskedAbout && !resource.isGone && resource.search !== 'blocked';
}

function isNewState(state: LaneState, resource: LaneResource, phase: string, why: Reason | undefined): boolean {
  const generation = resource.link?.generation ?? resource.nextGeneration;
  const row = state.known.links.find((link) => nameOf(link) === nameOf(resource.key) && link.generation === generation);
  return (
    row === undefined ||
    row.state !== phase ||
    row.route !== resource.route.route ||
    row.record_version !== resource.recordVersion ||
    row.reason?.code !== why?.code ||
    row.reason?.text !== why?.text
  );
}

function nextLook(state: LaneState, { lookAt }: Plan, others: readonly (Date | undefined)[]): Date | null {
  const { openOperations, basis } = state;
  const late = openOperations.flatMap(({ late_check_at: at }) => at ?? []);
  const held = openOperations.map((operation) => heldUntil(state, operation));
  const times = [...late, ...held, lookAt, basis.until, ...others].flatMap((at) => at?.getTime() ?? []);
  return times.length === 0 ? null : new Date(Math.min(...times));
}
