// A mapping, a configuration or a route table that is another than at the last run of a lane may want very many resources changed at once. What
// one such cause changes on a connection is counted per link; beyond 1 % of its links, and at least 100, the rest is held and a person decides
// once (lanes.md 22). Changes of records never count: not of the resource's own record, not of a consent, not a withdrawal.

import { type Reason, reason } from '../../../errors.ts';
import type { Database, LaneBasis, Transaction } from '../../../store/store.ts';
import type { Run } from '../../lane-connection.ts';
import { nameOf } from '../../lane-resource.ts';
import { type Lease, underLease } from '../../lease.ts';
import type { LaneState } from '../../load/load.ts';
import type { Plan, Write } from '../../plan.ts';
import { placeholdersIn } from '../../send/order.ts';
import { ask } from './ask.ts';
import { type Cause, causeOf, causeWords } from './cause.ts';
import { changesIn, isRelabelled } from './changes-by-cause.ts';
import { addLinks, changeCount, countedLinks, lockCount, massLimit } from './counts.ts';

/** The plan without what a mass change holds; those resources end in a state that says so. Counts the rest. */
export async function withoutMassChange(
  { deps, lease }: Run,
  state: LaneState,
  now: LaneBasis,
  planned: Plan,
): Promise<Plan> {
  const cause = causeOf(lease.basis, now);
  if (cause === undefined || lease.basis === null) return planned;
  const since = Date.parse(lease.basis.at);
  if (isRelabelled(state, since)) return planned;
  const changes = changesIn(planned.operations, state, since, cause);
  if (changes.length === 0) return planned;
  const held = await underLease({ deps, lease }, async (trx) => {
    return count(trx, lease, cause, changes);
  });
  return held === undefined ? planned : without(planned, held);
}

/** True where something of the plan is held: its lane keeps the basis of its last finished run. */
export function isHolding({ states }: Plan): boolean {
  return states.some(({ reason: why }) => why?.code === 'mass-change' || why?.code === 'mass-change-stopped');
}

interface Held {
  readonly names: ReadonlySet<string>;
  readonly isStopped: boolean;
  readonly reason: Reason;
}

async function count(
  trx: Transaction<Database>,
  lease: Lease,
  cause: Cause,
  changes: readonly Write[],
): Promise<Held | undefined> {
  const row = await lockCount(trx, lease.connection, cause);
  if (row.state === 'go-on') return undefined;
  const links = changes.map(({ resource: { key } }) => ({ source: lease.source, ...key }));
  const counted = await countedLinks(trx, lease.connection, cause, links);
  const fresh = changes.filter(({ resource }) => !counted.has(nameOf(resource.key)));
  if (fresh.length === 0) return undefined;
  const limit = massLimit(row.links);
  const goes = row.state === 'counting' && row.let_through + fresh.length <= limit;
  const added = await addLinks(trx, lease, cause, fresh, !goes);
  const next = {
    let_through: row.let_through + (goes ? added : 0),
    held: row.held + (goes ? 0 : added),
    state: goes || row.state === 'stop' ? row.state : 'held',
  };
  await changeCount(trx, lease.connection, cause, next);
  if (goes) return undefined;
  const isStopped = row.state === 'stop';
  const words = { cause: causeWords[cause.cause], limit, connection: lease.connection };
  const why = reason(isStopped ? 'mass-change-stopped' : 'mass-change', words);
  if (!isStopped) await ask(trx, lease.connection, cause, { ...row, ...next }, why, fresh);
  return { names: new Set(fresh.map(({ resource }) => nameOf(resource.key))), isStopped, reason: why };
}

/** What points at something that is held is held as well. */
function without({ operations, states, lookAt }: Plan, { names, isStopped, reason: why }: Held): Plan {
  const dropped = new Set(operations.filter(({ resource }) => names.has(nameOf(resource.key))));
  for (let size = -1; size !== dropped.size; ) {
    size = dropped.size;
    const missing = new Set([...dropped].map(({ resource }) => resource.placeholder));
    for (const operation of operations) {
      if ('body' in operation && placeholdersIn(operation.body).some((target) => missing.has(target)))
        dropped.add(operation);
    }
  }
  const rests = new Set([...dropped].map(({ resource }) => nameOf(resource.key)));
  return {
    operations: operations.filter((operation) => !dropped.has(operation)),
    states: states.map((one) =>
      rests.has(nameOf(one.resource.key)) ? { ...one, state: isStopped ? 'current' : 'waiting', reason: why } : one,
    ),
    lookAt,
  };
}
