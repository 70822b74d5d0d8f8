// Which open questions are about a resource, and what they hold back. Pure.

import { type Reason, reason } from '../../errors.ts';
import { resourceTopic } from '../decisions/decisions.ts';
import { elsewhereReason } from '../decisions/set-aside.ts';
import { type LaneResource, nameOf, type ResourceKey } from '../lane-resource.ts';
import { patientTopic } from '../patients/patient-link.ts';
import type { DesireInput } from './desire-input.ts';
import type { LinkRow } from './known.ts';

/** A person is asked about the resource as a whole, or has said that it is to be left so, and writing it meanwhile is no cure. */
export function heldBack(input: DesireInput, key: ResourceKey, standing: LinkRow | undefined): Reason | undefined {
  const topics = [resourceTopic('contested', key), ...(standing === undefined ? topicsOfCreates(key) : [])];
  const open = input.openDecisions.find(({ topic }) => topics.includes(topic));
  return open?.reason ?? (standing === undefined ? elsewhereReason(key, input.known.links) : undefined);
}

/** Until it is known what became of its last request: for good where a person is asked about it. And until it can be read. */
export function holdsOf(
  { unknown, openDecisions, memory }: DesireInput,
  key: ResourceKey,
): Pick<LaneResource, 'untold' | 'unread'> {
  const unread = memory.unread.get(nameOf(key));
  const topic = resourceTopic('untold', key);
  const untold = unknown.has(nameOf(key))
    ? (openDecisions.find((decision) => decision.topic === topic)?.reason ?? reason('outcome-unknown'))
    : undefined;
  return { ...(untold && { untold }), ...(unread && { unread }) };
}

/** Our identifier is on several resources there, or the server says that it stores them elsewhere. */
function topicsOfCreates(key: ResourceKey): string[] {
  return [resourceTopic('doubled', key), resourceTopic('elsewhere', key)];
}

/** Whether an open question is about this resource. */
export function isTopicOf(key: ResourceKey, topic: string): boolean {
  const whole = [
    resourceTopic('contested', key),
    resourceTopic('gone', key),
    resourceTopic('several', key),
    resourceTopic('untold', key),
    ...topicsOfCreates(key),
  ];
  return (
    topic.startsWith(`${nameOf(key)}:`) || whole.includes(topic) || (topic === patientTopic && key.type === 'client')
  );
}
