// The questions about a status that only a person can settle. Pure.

import { reason } from '../../errors.ts';
import type { NewDecision } from '../decisions/decisions.ts';
import { nameOf } from '../lane-resource.ts';
import { elementTopic } from '../plan.ts';
import { ifWritable } from './element-questions.ts';
import type { Look, Settled } from './settlement.ts';

export function statusDecision(
  { resource, desired, observedFacts }: Look,
  element: string,
  why: NewDecision['reason'],
): NewDecision {
  return {
    kind: 'status',
    topic: elementTopic(resource, element),
    key: resource.key,
    reason: why,
    detail: { element, ours: desired[element] ?? null, theirs: observedFacts[element] ?? null, patch: {} },
    choices: [
      {
        choose: 'theirs',
        effect: 'Leave the status on the server as it is; nothing is written until the record changes again.',
      },
    ],
  };
}

export function refusedToCancel(look: Look, element: string): NewDecision {
  const { body } = look.observed;
  const why = reason('cancel-refused', { status: String(body.status) });
  const { detail, ...decision } = statusDecision(look, element, why);
  return {
    ...decision,
    detail: { ...detail, statusReason: body.statusReason ?? null },
    choices: [{ choose: 'theirs', effect: 'Seen: the performer goes on.' }],
  };
}

/** Somebody has moved the mirror: only where the Task lives does a move count. */
export function movedCopy(look: Look, settled: Settled, element: string): Settled {
  const target = nameOf(look.resource.key);
  const decision = statusDecision(look, element, reason('copy-edited', { element, target }));
  const ours = { choose: 'ours', effect: 'Write where the Task stands over the copy again.' };
  const choices = [...ifWritable(look.resource, ours), ...decision.choices];
  return { ...settled, decisions: [...settled.decisions, { ...decision, choices }] };
}

export function noPath(look: Look, element: string, move: { from: string; to: string }): NewDecision {
  return statusDecision(
    look,
    element,
    reason('status-path', { from: move.from, to: move.to, party: look.resource.party }),
  );
}
