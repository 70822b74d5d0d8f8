// What of theirs no record can take, and the question that tells a person of it. Pure.

import { isDeepStrictEqual } from 'node:util';
import { reason } from '../../errors.ts';
import { type JsonObject, textAt } from '../../json.ts';
import {
  type CompiledSlot,
  type ExplainedAbsorb,
  type MappingIssue,
  patched,
  type SlotElement,
  type SlotRef,
} from '../../mapping/mapping.ts';
import { type NewDecision, resourceTopic } from '../decisions/decisions.ts';
import { type LaneResource, type LinkState, nameOf } from '../lane-resource.ts';
import { literalReferences } from '../look/linked-targets.ts';
import type { Look } from './settlement.ts';

/**
 * What the other side has changed of a value that comes from another record, or has taken away where a link of ours stands: it changes nothing here,
 * and nothing else would tell of it.
 */
export function untold(
  { resource, observedFacts, observed, said, context }: Look,
  theirs: JsonObject,
  reported: readonly string[],
  { patch, lineage, issues }: Pick<ExplainedAbsorb, 'patch' | 'lineage' | 'issues'>,
): MappingIssue[] {
  const { slot } = resource;
  const told = new Set([...lineage, ...issues].map(({ element }) => element));
  const after = patched(said, patch);
  const linked = (target: SlotRef) =>
    literalReferences(observed.body).find((reference) => isDeepStrictEqual(context.resolve(reference), target));
  return (slot?.elements ?? [])
    .filter(({ key }) => reported.includes(key) && !told.has(key))
    .filter(({ key }) => slot?.says(key, theirs, after, context.timeZone, linked) !== true)
    .map(({ key, at }) => ({
      code: 'left-out',
      element: key,
      message:
        observedFacts[key] === undefined
          ? 'What the other side has taken away here stands in the record; it can only be taken out there.'
          : 'What the other side has changed here comes from another record; it can only be changed there.',
      at,
    }));
}

/** What the other side has changed of a value that follows from the record, where even with what was taken over (`after`) another one does. */
export function notFollowing(
  { resource, link, context }: Look,
  theirs: JsonObject,
  keys: readonly string[],
  after: JsonObject,
): MappingIssue[] {
  const { slot } = resource;
  return (slot?.elements ?? [])
    .filter((element) => keys.includes(element.key) && !isOfEngine(slot, element.key))
    .filter((element) => !isReadAsReferral(resource, link, element))
    .filter(({ key }) => slot?.says(key, theirs, after, context.timeZone) !== true)
    .map(({ key, at }) => ({
      code: 'left-out',
      element: key,
      message: 'What the other side has changed here follows from something else in the record, which stands.',
      at,
    }));
}

/** True for what the referral rules read, beside the status that moves: how an order of theirs stands, and what came of a Task. */
function isReadAsReferral({ resourceType }: LaneResource, { origin }: LinkState, { key }: SlotElement): boolean {
  if (resourceType === 'ServiceRequest') return origin === 'theirs' && key === 'status';
  return resourceType === 'Task' && /^output\b/.test(key);
}

/** True for what is added to every resource of ours and no record says: our identifier and the profile. */
export function isOfEngine(slot: CompiledSlot | undefined, key: string): boolean {
  return slot?.elements.find((element) => element.key === key)?.converter === 'engine';
}

/** What began there was called off or an error, and the record has no status that could say so. */
export function takenBack(
  { resource: { key }, link, observed }: Look,
  issues: readonly MappingIssue[],
): NewDecision | undefined {
  const status = textAt(observed.body, 'status')?.trim();
  const isOver = status === 'cancelled' || status === 'entered-in-error';
  if (link.origin !== 'theirs' || !isOver || !issues.some(({ element }) => element === 'status')) return undefined;
  return {
    kind: 'conflict',
    topic: resourceTopic('taken-back', key),
    key,
    reason: reason('remote-taken-back', { target: nameOf(key), status }),
    detail: { status, issues: issues.map((issue) => ({ ...issue })) },
    choices: [{ choose: 'noted', effect: "Nothing is changed on either side; the record is its source's to delete." }],
  };
}

/** Part of what the other side says has no place in the record. It stays on the server, and a person learns of it. */
export function notCarried({ resource: { key } }: Look, issues: readonly MappingIssue[]): NewDecision {
  const target = nameOf(key);
  const elements = [...new Set(issues.map(({ element }) => element))];
  return {
    kind: 'conflict',
    topic: resourceTopic('not-carried', key),
    key,
    reason: reason('not-carried', { elements: elements.join(', '), target }),
    detail: { elements, issues: issues.map((issue) => ({ ...issue })) },
    choices: [{ choose: 'noted', effect: 'Nothing is changed on either side; the record may be completed by hand.' }],
  };
}
