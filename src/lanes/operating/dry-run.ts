// A plan that is not executed: what a run would do now, as the API shows it.

import type { Reason } from '../../errors.ts';
import type { Json } from '../../json.ts';
import { sourceOf } from '../../records/records.ts';
import { closed, leftOut } from '../desire/left-out.ts';
import type { LaneConnection, LaneDeps } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { LaneKey, Lease } from '../lease.ts';
import { emptyMemory } from '../load/lane-memory.ts';
import { loadLane } from '../load/load.ts';
import { type Operation, type Plan, plan } from '../plan.ts';
import { newMemory } from '../run/run-memory.ts';

export interface DryRun {
  readonly operations: readonly {
    readonly kind: string;
    /** Within its record: `request`. */
    readonly slot: string;
    /** As texts name it: `referral/r1#request`. */
    readonly resource: string;
    readonly resourceType: string;
    readonly id?: string;
    readonly reason: Reason;
    readonly diff?: Json;
  }[];
  readonly parked: readonly { readonly slot: string; readonly resource: string; readonly reason: Reason | null }[];
  readonly nextLookAt: string | null;
  /** Another edition of the case's document is to go, at once or after its quiet time. */
  readonly awaitsDocument: boolean;
}

/** What a run would do now, as the API shows it. */
export async function dryRun(deps: LaneDeps, connection: LaneConnection, key: LaneKey): Promise<DryRun> {
  return show(await planNow(deps, connection, key));
}

export interface PlanNow extends Pick<Plan, 'operations' | 'states'> {
  readonly nextLookAt: Date | null;
}

export interface PlanNowOptions {
  /** What is parked would be tried again, as an operator's run does. @default false */
  readonly unparks?: boolean;
}

/** Plans the lane from what the store holds, as if the last look at each resource were one of now. Asks no server and stores nothing. */
export async function planNow(
  deps: LaneDeps,
  connection: LaneConnection,
  key: LaneKey,
  { unparks = false }: PlanNowOptions = {},
): Promise<PlanNow> {
  const row = await deps.store.db
    .selectFrom('lane')
    .select(['next_look_at', 'parked'])
    .where('connection', '=', key.connection)
    .where('subject', '=', key.subject)
    .executeTakeFirst();
  // A lease that holds nothing: loading only reads.
  const lease: Lease = {
    ...key,
    source: sourceOf(key.subject),
    fence: 0,
    wanted: 0,
    attempts: 0,
    reread: false,
    parked: unparks ? null : (row?.parked ?? null),
    isOverdue: false,
    starts: 0,
    mapping: null,
    basis: null,
  };
  const memory = newMemory(emptyMemory());
  memory.mappings = await deps.mappings();
  const abilities = await connection.abilities(memory.mappings);
  const { resources } = await loadLane({ deps, connection, lease }, abilities, memory);
  const out = leftOut(connection, lease);
  const planned = out === undefined ? resources.map(asIfFresh) : resources.map((resource) => closed(resource, out));
  const { operations, states } = plan(planned);
  return { operations, states, nextLookAt: row?.next_look_at ?? null };
}

/** A run would read it again before it writes; what it would write is told from what is known. */
function asIfFresh(resource: LaneResource): LaneResource {
  const { observed } = resource;
  return observed === undefined ? resource : { ...resource, observed: { ...observed, isFresh: true } };
}

export function show({ operations, states, nextLookAt }: PlanNow): DryRun {
  return {
    operations: operations.map((operation) => ({
      kind: kindOf(operation),
      ...namesOf(operation.resource),
      resourceType: operation.resource.resourceType,
      ...(operation.resource.link === undefined ? {} : { id: operation.resource.link.remoteId }),
      reason: operation.why,
      ...diffOf(operation),
    })),
    parked: states.flatMap(({ resource, state, reason: why }) =>
      state === 'parked' ? [{ ...namesOf(resource), reason: why ?? null }] : [],
    ),
    nextLookAt: nextLookAt?.toISOString() ?? null,
    awaitsDocument: awaitsDocument(states),
  };
}

export function awaitsDocument(states: Plan['states']): boolean {
  return states.some(({ resource, state }) => resource.document !== undefined && state === 'due');
}

/** An edition of a readable document is neither a create nor an update to people. */
export function kindOf(operation: Operation): Operation['kind'] | 'document' {
  return 'edition' in operation && operation.edition !== undefined ? 'document' : operation.kind;
}

function namesOf({ key }: LaneResource): { slot: string; resource: string } {
  return { slot: key.slot, resource: nameOf(key) };
}

/** Element by element: what is there, and what would be. */
export function diffOf(operation: Operation): { diff?: Json } {
  if (!('elements' in operation)) return {};
  const { slot, observed } = operation.resource;
  const before = slot === undefined || observed === undefined ? {} : slot.facts(observed.body);
  const after = slot?.facts(operation.body) ?? {};
  return {
    diff: operation.elements.map((element) => ({
      element,
      before: before[element] ?? observed?.body[element] ?? null,
      after: after[element] ?? operation.body[element] ?? null,
    })),
  };
}
