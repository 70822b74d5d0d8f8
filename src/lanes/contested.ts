// A resource that somebody else writes each time before we do: after a limited number of tries a person is asked (ehr-behaviour 6.3, conflict).

import { sql } from 'kysely';
import { type Reason, reason } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type NewDecision, openDecision, resourceTopic } from './decisions.ts';
import type { LaneDeps } from './lane-connection.ts';
import { type LaneResource, nameOf } from './lane-resource.ts';
import { holdLease, type LaneKey, type Lease } from './lease.ts';
import type { WriteOutcome } from './send.ts';

/** In one run; then the lane comes back with back-off. */
export const mostConflicts = 3;
/** Runs in a row that came back before a person is asked. */
const mostRuns = 5;
/** Times that a create is looked up after such an answer before a person is asked. */
const mostClashes = 5;

/** @returns whether a person is asked now, so that the resource rests and the lane goes on without it. */
export async function askAboutContested(
  deps: LaneDeps,
  lease: Lease,
  outcomes: readonly WriteOutcome[],
): Promise<boolean> {
  const contested = outcomes.filter(({ class: result, inTransaction }) => result === 'conflict' && !inTransaction);
  if (lease.attempts < mostRuns || contested.length === 0) return false;
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    for (const { intent } of contested) {
      const { key, resourceType, link } = intent.write.resource;
      await openDecision(trx, lease, {
        kind: 'conflict',
        topic: resourceTopic('contested', key),
        key,
        reason: reason('contested', { target: nameOf(key) }),
        detail: { resourceType, id: link?.remoteId ?? null },
        choices: [{ choose: 'again', effect: 'Read it again, merge, and write what is ours.' }],
      });
    }
  });
  return true;
}

/** Whether the server has said too often already that something stands against the making of a resource: what else failed meanwhile does not count. */
export async function isLastingClash(
  { db }: Store,
  { connection, subject }: LaneKey,
  resource: LaneResource,
): Promise<boolean> {
  const { type, id, slot } = resource.key;
  const before = await db
    .selectFrom('operation')
    .select('id')
    .where((is) => is.and({ connection, subject, type, record_id: id, slot, outcome: 'not-done' }))
    .where('generation', '=', resource.nextGeneration)
    .where(sql<boolean>`reason ->> 'code' = 'create-conflict'`)
    .limit(mostClashes)
    .execute();
  return before.length === mostClashes;
}

/** Something on the server stands against the making of a resource each time, and it is none of ours. */
export function standsAgainst({ key, resourceType }: LaneResource, why: Reason): NewDecision {
  return {
    kind: 'conflict',
    topic: resourceTopic('contested', key),
    key,
    reason: why,
    detail: { resourceType, id: null },
    choices: [{ choose: 'again', effect: 'What stood against it has been mended on the server: make it.' }],
  };
}
