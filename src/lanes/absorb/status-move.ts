// What it means that the other side has moved a status, or that we have. Pure.

import { reason } from '../../errors.ts';
import type { Json } from '../../json.ts';
import type { SlotElement } from '../../mapping/mapping.ts';
import { changedAt, isOutcomeUnknown, readCancellation, readTask } from '../../referrals/referrals.ts';
import { nameOf } from '../lane-resource.ts';
import { sameFact } from '../merge.ts';
import { elementTopic, readMove } from '../plan.ts';
import { seenBase } from './bases.ts';
import { withOffered } from './offered-referral.ts';
import { type Look, type Settled, withMove, withNew } from './settlement.ts';
import { movedCopy, noPath, refusedToCancel, statusDecision } from './status-questions.ts';

/** The element that moves along a state machine: their move is read by the referral rules, ours is left to the plan. */
export function settleMove(look: Look, merged: Settled): Settled {
  const { resource, link, desired, observedFacts } = look;
  const element = resource.slot?.elements.find(({ moves }) => moves !== undefined)?.key;
  if (element === undefined || resource.openTopics.has(elementTopic(resource, element))) return merged;
  const before = seenBase(look);
  const isAgreed = sameFact(desired[element], observedFacts[element]);
  const hasMoved = !isAgreed && !sameFact(observedFacts[element], before?.[element]);
  const isExplained = reasonsOf(look, element).some(
    ({ key }) => before !== undefined && !sameFact(observedFacts[key], before[key]),
  );
  if (resource.isCopy && (hasMoved || isExplained) && !isAgreed) return movedCopy(look, merged, element);
  const theirs =
    hasMoved || isExplained || isAnswered(look) ? takeMove(look, merged, element, before?.[element]) : merged;
  if (theirs.decisions.length > merged.decisions.length) return theirs;
  if (isAgreed) return agreed(look, theirs, element);
  const ours = readMove(
    { ...resource, link: { ...link, sent: theirs.sent } },
    { ...link, sent: theirs.sent },
    look.observed.body,
  );
  if (ours?.kind === 'lagging') return { ...theirs, sent: withNew(theirs.sent, desired, keysOf(look, element)) };
  return ours?.kind === 'no-path'
    ? { ...theirs, decisions: [...theirs.decisions, noPath(look, element, ours)] }
    : theirs;
}

/** What a completed Task names now tells what nobody knew when it was completed. */
function isAnswered(look: Look): boolean {
  return look.context.resultsOf(look.resource).length > 0 && isOutcomeUnknown(withOffered(look).referral.outcome);
}

/** The elements that explain the moving one; they have no merge of their own. */
function reasonsOf({ resource }: Look, element: string): readonly SlotElement[] {
  return resource.slot?.elements.filter(({ goesWith }) => goesWith === element) ?? [];
}

function keysOf(look: Look, element: string): string[] {
  return [element, ...reasonsOf(look, element).map(({ key }) => key)];
}

/** Both sides stand on the same status. How they explain it may differ; a new word of ours is still to be written where the status is ours. */
function agreed(look: Look, settled: Settled, element: string): Settled {
  const { desired, observedFacts, record, link } = look;
  const isToWrite = ({ key, owner }: SlotElement) =>
    owner(record) === 'source' && link.sent !== undefined && !sameFact(desired[key], link.sent[key]);
  const kept = reasonsOf(look, element).filter(isToWrite);
  const keys = keysOf(look, element).filter((key) => !kept.some((reasons) => reasons.key === key));
  return {
    ...settled,
    sent: withNew(settled.sent, desired, keys),
    seen: withNew(settled.seen, observedFacts, keysOf(look, element)),
  };
}

function takeMove(look: Look, settled: Settled, element: string, before: Json | undefined): Settled {
  const { resource, observed, observedFacts, context } = look;
  if (machineOf(look, element) === 'cancellation-task') return takeAnswer(look, settled, element);
  const { referral, dates } = withOffered(look);
  const reading = readTask({
    referral,
    task: observed.body,
    before: typeof before === 'string' ? before : undefined,
    by: context.performerName(resource),
    itemId: (text) => context.itemId(`${nameOf(resource.key)} ${text}`),
    results: context.resultsOf(resource),
  });
  if (reading.kind === 'decision') {
    const status = String(observed.body.status);
    return {
      ...settled,
      decisions: [
        ...settled.decisions,
        statusDecision(look, element, reason('status-read', { status, why: reading.why })),
      ],
    };
  }
  if (reading.kind === 'asked') return settled;
  const taken = { ...settled, seen: withNew(settled.seen, observedFacts, keysOf(look, element)) };
  return reading.kind === 'patch' ? withMove(look, taken, element, { ...dates, ...reading.patch }) : taken;
}

function machineOf({ resource }: Look, element: string): string | undefined {
  return resource.slot?.elements.find(({ key }) => key === element)?.moves;
}

/** The answer to a Task that asks the performer to cancel. */
function takeAnswer(look: Look, settled: Settled, element: string): Settled {
  const { record, observed, observedFacts } = look;
  const taken = { ...settled, seen: withNew(settled.seen, observedFacts, [element]) };
  const answer = readCancellation(record, observed.body.status, changedAt(observed.body));
  if (answer === undefined) return taken;
  const told = withMove(look, taken, element, answer.patch);
  return answer.isRefused ? { ...told, decisions: [...told.decisions, refusedToCancel(look, element)] } : told;
}
