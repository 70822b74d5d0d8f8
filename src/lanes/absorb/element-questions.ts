// The questions about one element on which both sides differ: asked, answered by themselves, asked anew. Pure.

import { reason } from '../../errors.ts';
import type { Choice, NewDecision } from '../decisions/decisions.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import { sameFact } from '../merge.ts';
import { elementTopic } from '../plan.ts';
import { offeredWith } from './both-changes.ts';
import { isShown, type Look } from './settlement.ts';

const elementCodes = ['remote-edit', 'merge-conflict', 'server-reverts'] as const;

export function aboutElement(
  { resource, desired, observedFacts, observed, record, said, context }: Look,
  element: string,
  code: (typeof elementCodes)[number],
): NewDecision {
  const news = resource.slot?.absorb([element], observed.body, said, context).patch ?? {};
  const patch = offeredWith(record, said, news);
  return {
    kind: 'conflict',
    topic: elementTopic(resource, element),
    key: resource.key,
    reason: reason(code, { element, target: nameOf(resource.key) }),
    detail: { element, ours: desired[element] ?? null, theirs: observedFacts[element] ?? null, patch },
    choices: [
      ...ifWritable(resource, { choose: 'ours', effect: `Write our value of ${element} over the server's.` }),
      { choose: 'theirs', effect: `Leave the server's value of ${element} and offer it to the source as a change.` },
    ],
  };
}

/** No choice that the server would not let us carry out. */
export function ifWritable({ takesNoChanges }: LaneResource, choice: Choice): Choice[] {
  return takesNoChanges === true ? [] : [choice];
}

export function answeredTopics({ resource, desired, observedFacts }: Look): string[] {
  const prefix = `${nameOf(resource.key)}:`;
  return [...resource.openTopics].filter((topic) => {
    const element = topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
    return element !== undefined && sameFact(desired[element], observedFacts[element]);
  });
}

/** Questions whose sides have changed since: as new ones, so that no answer counts for values that whoever gave it has not seen. */
export function askedAnew(look: Look): NewDecision[] {
  const { resource, desired, observedFacts, context } = look;
  return (resource.slot?.elements ?? []).flatMap(({ key }) => {
    const open = context.openQuestion(elementTopic(resource, key));
    const code = elementCodes.find((one) => one === open?.reason.code);
    if (open === undefined || code === undefined || !isShown(look, key)) return [];
    const [ours, theirs] = [desired[key], observedFacts[key]];
    const isAsAsked = sameFact(open.detail.ours, ours ?? null) && sameFact(open.detail.theirs, theirs ?? null);
    return isAsAsked || sameFact(ours, theirs) ? [] : [aboutElement(look, key, code)];
  });
}
