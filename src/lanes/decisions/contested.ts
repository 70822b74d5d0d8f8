// A resource that somebody else writes each time before we do: after a limited number of tries a person is asked (ehr-behaviour 6.3, conflict).

import { type Reason, reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Run } from '../lane-connection.ts';
import { nameOf, type ResourceKey } from '../lane-resource.ts';
import { underLease } from '../lease.ts';
import type { WriteOutcome } from '../send/send.ts';
import { type Choice, type NewDecision, openDecision, resourceTopic } from './decisions.ts';
import { canBeSetAside } from './set-aside.ts';

/** In one run; then the lane comes back with back-off. */
export const mostConflicts = 3;
/** Runs in a row that came back before a person is asked. */
const mostRuns = 5;

const leave: Choice = {
  choose: 'leave',
  effect: 'Leave this version unsent until its record has a new one. What needs it goes on waiting.',
};

/** @returns whether a person is asked now, so that the resource rests and the lane goes on without it. */
export async function askAboutContested({ deps, lease }: Run, outcomes: readonly WriteOutcome[]): Promise<boolean> {
  const contested = outcomes.filter(({ class: result, inTransaction }) => result === 'conflict' && !inTransaction);
  if (lease.attempts < mostRuns || contested.length === 0) return false;
  await underLease({ deps, lease }, async (trx) => {
    for (const { intent } of contested) {
      const { key, resourceType, link } = intent.write.resource;
      const why = reason('contested', { target: nameOf(key) });
      const again = { choose: 'again', effect: 'Read it again, merge, and write what is ours.' };
      await openDecision(trx, lease, contestedBy(key, why, { resourceType, id: link?.remoteId ?? null }, again));
    }
  });
  return true;
}

/** Whether a create was answered that something on the server stands against it, which may be ours. */
export function isStoodAgainst(why: Pick<Reason, 'code'> | null): boolean {
  return why?.code === 'create-conflict' || why?.code === 'server-duplicate';
}

/** Something on the server stands against the making of a resource each time, and it is none of ours, as far as can be told. */
export function standsAgainst(key: ResourceKey, resourceType: string, why: Reason): NewDecision {
  const again = { choose: 'again', effect: 'What stood against it has been mended on the server: make it.' };
  return contestedBy(key, why, { resourceType, id: null }, again);
}

function contestedBy(key: ResourceKey, why: Reason, detail: JsonObject, again: Choice): NewDecision {
  const choices = canBeSetAside(key, why) ? [again, leave] : [again];
  return { kind: 'conflict', topic: resourceTopic('contested', key), key, reason: why, detail, choices };
}
