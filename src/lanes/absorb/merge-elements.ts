// The elements that both sides may change, merged one by one: what is offered to the source, and what a person is asked about. Pure.

import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, objectAt, textAt } from '../../json.ts';
import { explainAbsorb, type Facts, patched, type SlotRef } from '../../mapping/mapping.ts';
import { type MergeElement, merge, sameFact, withFact } from '../merge.ts';
import { elementTopic } from '../plan.ts';
import { seenBase } from './bases.ts';
import { aboutElement } from './element-questions.ts';
import { isOfEngine, notCarried, notFollowing, takenBack, untold } from './not-carried.ts';
import { ownerIn } from './owner-in.ts';
import { mostReverts, type Revert } from './reverts.ts';
import { isShown, type Look, type Settled, withNew } from './settlement.ts';

export function mergeElements(look: Look): Settled {
  const { resource, link, record, said, desired, observedFacts, observed, context } = look;
  const slot = resource.slot;
  const elements: MergeElement[] = (slot?.elements ?? [])
    .filter(
      ({ key, moves, goesWith }) =>
        (moves ?? goesWith) === undefined &&
        isShown(look, key) &&
        !resource.openTopics.has(elementTopic(resource, key)),
    )
    .map(({ key }) => ({ key, owner: ownerIn(resource, key) }));
  const times = timesOf(record, observed.body);
  const before = seenBase(look);
  const { verdicts, bases } = merge({
    elements,
    desired: link.origin === 'theirs' ? withoutOurWordOn(elements, desired, link.sent ?? {}) : desired,
    observed: observedFacts,
    sent: link.sent,
    seen: before,
    ...(link.baseless && { baseless: link.baseless }),
    times,
  });
  const isDerived = (key: string) => slot?.elements.find((element) => element.key === key)?.derived === true;
  const keysWith = (...wanted: string[]) =>
    [...verdicts].flatMap(([key, verdict]) => (wanted.includes(verdict) ? [key] : []));
  // What follows from the record is ours to say, unless it is of what the other side decides about.
  const isTheirs = (key: string) => ownerIn(resource, key) === 'remote';
  const isAsked = (key: string) => resource.isCopy === true || (isDerived(key) && !isTheirs(key));
  // Of what both have changed nobody would learn either: it is never offered, and ours would stand in its place. Which profile we claim and what
  // number we give are no words of a record: ours are simply written again.
  const isWord = (key: string) => resource.isCopy === true || !isOfEngine(slot, key);
  const edited = [...keysWith('keep'), ...keysWith('override').filter(isWord)].filter(isAsked);
  const reverts = keysWith('keep', 'override')
    .filter((key) => !isDerived(key) && !isAsked(key))
    .map((element): Revert => ({ key: resource.key, element, value: observedFacts[element] }));
  const contested = reverts
    .filter((revert) => context.countReverts(revert) + 1 >= mostReverts)
    .map(({ element }) => element);
  const reported = reverts.flatMap(({ element }) => (contested.includes(element) ? [] : [element]));
  const revoked =
    said === record ? [] : keysWith('agreed').filter((key) => !sameFact(observedFacts[key], before?.[key]));
  const news = [...reported, ...revoked];
  const theirs = withOursIn(look, keysWith('keep', 'override'), before);
  const absorbed =
    slot === undefined || news.length === 0
      ? { patch: {}, issues: [], lineage: [], notUnderstood: [] }
      : explainAbsorb(slot, news, theirs, said, context);
  const derived = keysWith('keep').filter((key) => isDerived(key) && !isAsked(key));
  const issues = [
    ...absorbed.issues,
    ...untold(look, theirs, reported, absorbed),
    ...notFollowing(look, theirs, derived, patched(said, absorbed.patch)),
  ];
  return {
    // What a person is asked about keeps its bases until the answer.
    sent: withNew(bases.sent, link.sent ?? {}, [...edited, ...contested]),
    seen: withNew(bases.seen, link.seen ?? {}, [...edited, ...contested]),
    patches: Object.keys(absorbed.patch).length === 0 ? [] : [absorbed.patch],
    offered: reported.filter((key) => resource.takesNoChanges !== true && !isTheirs(key)),
    decisions: [
      ...edited.map((key) => aboutElement(look, key, 'remote-edit')),
      ...contested.map((key) => aboutElement(look, key, 'server-reverts')),
      ...keysWith('ask').map((key) => aboutElement(look, key, 'merge-conflict')),
      ...(issues.length === 0 ? [] : [takenBack(look, issues) ?? notCarried(look, issues)]),
    ],
    issues,
    lineage: {
      elements: absorbed.lineage.map((one) => ({ ...one, raw: slot?.raw(one.element, observed.body) ?? null })),
      notUnderstood: absorbed.notUnderstood,
    },
    reverts,
  };
}

/**
 * What is there, with what they have not changed since it was seen as the record would say it, had its source taken over what it was offered: that is no
 * news of theirs.
 */
function withOursIn(
  { resource: { slot, desired }, observed, record, said, context }: Look,
  keys: readonly string[],
  seen: Facts = {},
): JsonObject {
  if (slot === undefined || desired === undefined || keys.length === 0) return observed.body;
  const { resource, references } = desired;
  const linked = (target: SlotRef) =>
    references.find((reference) => isDeepStrictEqual(reference.target, target))?.reference;
  const ours = said === record ? resource : slot.remade(keys, resource, said, { ...context, linked });
  return slot.withOurs(keys, observed.body, ours, seen);
}

/** What a record says otherwise of what is theirs is not for the server: it asks for no write, and nobody about one. */
function withoutOurWordOn(elements: readonly MergeElement[], desired: Facts, sent: Facts): Facts {
  return elements.reduce(
    (facts, { key, owner }) => (owner === 'remote' ? withFact(facts, key, sent[key]) : facts),
    desired,
  );
}

function timesOf(record: JsonObject, body: JsonObject): { ours: number; theirs: number } | undefined {
  const ours = textAt(record, 'updatedAt');
  const theirs = textAt(objectAt(body, 'meta'), 'lastUpdated');
  return ours === undefined || theirs === undefined
    ? undefined
    : { ours: Date.parse(ours), theirs: Date.parse(theirs) };
}
