// What a run that has done all it can leaves behind: every resource gets its state, every wait its row, and the lane its next look.

import type { Transaction } from 'kysely';
import { type Reason, reason } from '../../errors.ts';
import type { SlotRef } from '../../mapping/mapping.ts';
import type { Database, LaneBasis } from '../../store/store.ts';
import { hasUnmapped, keepUnmapped } from '../absorb/unmapped.ts';
import { dropAgreedValues } from '../changes.ts';
import { askAboutRefused, isAsked } from '../decisions/refused.ts';
import { isForDocument } from '../documents/document.ts';
import type { Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import { crashTopic, type LaneKey, type Lease, type RunKeeper, type RunOutcome } from '../lease.ts';
import { saveStates } from '../links/states.ts';
import { saveWaiting, wantAwaited } from '../links/waiting.ts';
import { raiseWanted } from '../links/wanted.ts';
import { areOthers, saveReads } from '../load/lane-reads.ts';
import type { LaneState } from '../load/load.ts';
import { closeAlert } from '../operating/alerts.ts';
import { releaseMatchLeases } from '../patients/find.ts';
import { elementTopic, type Plan, type ResourceState } from '../plan.ts';
import { heldUntil } from '../unknown/reconcile.ts';

type RunDone = Extract<RunOutcome, { kind: 'done' }>;

/** What the run knows beside its last state and plan. */
interface Ending {
  /** Writes that shadow mode has held back. */
  readonly held: number;
  /** What the run was made from; undefined where not everything that it wants was done. */
  readonly basis: LaneBasis | undefined;
  /** It has looked for somebody, under leases that keep others from making them. */
  readonly hasSearched: boolean;
  /** When else there will be something to look for. */
  readonly looksAt: readonly (Date | undefined)[];
}

/** Nothing is left to do but what waits, is parked or is held back. */
export function finish(
  run: Run,
  state: LaneState,
  planned: Plan,
  { held, basis, hasSearched, looksAt }: Ending,
): RunDone {
  const stuck = planned.states.filter(needsMending);
  // A server that shows one resource for another cannot be trusted with any: an operator must hear of it first.
  const wrong = stuck.find(({ reason: why }) => why?.code === 'server-wrong-resource');
  const parked = (wrong ?? stuck[0])?.reason ?? null;
  const waiting = planned.states.find(({ state: phase }) => phase === 'waiting')?.reason ?? null;
  const gone = planned.states.find(({ resource }) => resource.isGone)?.reason ?? null;
  const shadow = held > 0 ? reason('shadow', { count: held }) : null;
  return {
    kind: 'done',
    keep: keeper(run, state, planned, stuck, hasSearched),
    waiting: waiting !== null,
    parked,
    reason: parked ?? waiting ?? shadow ?? gone,
    nextLookAt: nextLook(state, planned, looksAt),
    ...(basis && { basis }),
  };
}

/**
 * Most runs have nothing to change in most of these tables; the load has told in which. Undefined: in none, and the lane is given back by one
 * statement.
 */
function keeper(
  run: Run,
  state: LaneState,
  planned: Plan,
  stuck: readonly ResourceState[],
  hasSearched: boolean,
): RunKeeper | undefined {
  const { connection, lease } = run;
  const { holds, known, resources, openDecisions } = state;
  const states = planned.states.filter((one) => isNewState(state, one.resource, one.state, one.reason));
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
    needed(hasSearched, (trx) => releaseMatchLeases(trx, lease, settleMs)),
  ].flat();
  const waking = [
    needed(areOthers(known.readRecords, holds.reads), (trx) => saveOwnReads(trx, lease, state)),
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

async function saveOwnReads(
  trx: Transaction<Database>,
  lease: Lease,
  { known, holds, rows }: LaneState,
): Promise<readonly LaneKey[]> {
  const isOvertaken = await saveReads(trx, lease, known.readRecords, holds.reads, rows.otherLinks);
  if (!isOvertaken) return [];
  await raiseWanted(trx, [lease]);
  return [lease];
}

function needed<T>(isNeeded: boolean, part: (trx: Transaction<Database>) => T): ((trx: Transaction<Database>) => T)[] {
  return isNeeded ? [part] : [];
}

/** Required references hold a resource back; optional ones only bring the lane back when their link appears. */
function waitedFor(resources: readonly LaneResource[]): SlotRef[] {
  return resources.flatMap(({ desired, document, waits }) => [
    ...(desired?.references ?? []).flatMap(({ target, reference }) => (reference === undefined ? [target] : [])),
    ...waits.filter((wait) => document !== undefined || isForDocument(wait)).map(({ target }) => target),
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
