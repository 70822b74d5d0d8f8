// The bases of a link that were made by another mapping, as the active one would have made them (lanes.md 13, 22). What a mapping says otherwise is no
// change of either side: it takes the place of what we have said ourselves, and never of what the other side says. Pure.

import { isObject, type Json } from '../../json.ts';
import type { CompiledSlot, Desired, Facts, SlotElement } from '../../mapping/mapping.ts';
import { askedKey } from '../cancel-question.ts';
import type { LaneResource, LinkState, Observation } from '../lane-resource.ts';
import { sameFact, withFact } from '../merge.ts';
import { elementTopic } from '../plan.ts';
import { ownerIn } from './owner-in.ts';

/**
 * The base when the write's own reply held no content: what a read under the reply's version tag shows is the server's rewriting of ours;
 * under another tag somebody may have edited it, so what we sent is the base. Where the reply had no tag, only what the vendor's file lists is a
 * rewriting (lanes.md 15).
 */
export function seenBase({
  resource: { rewritten = [] },
  link,
  observed,
  observedFacts,
}: {
  readonly resource: Pick<LaneResource, 'rewritten'>;
  readonly link: LinkState;
  readonly observed: Pick<Observation, 'versionTag'>;
  readonly observedFacts: Facts;
}): Facts | undefined {
  if (link.seen !== undefined) return link.seen;
  if (link.versionTag !== undefined) return observed.versionTag === link.versionTag ? observedFacts : link.sent;
  const keys = Object.keys({ ...link.sent, ...observedFacts }).filter((key) => rewritten.includes(elementIn(key)));
  return link.sent && keys.reduce<Facts>((facts, key) => withFact(facts, key, observedFacts[key]), link.sent);
}

/** `category` of the key `category[sdoh].coding`. */
function elementIn(key: string): string {
  return key.replace(/[.[].*$/, '');
}

/**
 * Whether what was sent is all that the record wants now, but for what a person is being asked about.
 * @param asking what the same look asks
 */
export function saysAll(
  resource: AboutElements,
  sent: Facts,
  desired: Facts,
  asking: readonly { readonly topic: string }[] = [],
): boolean {
  const openTopics = new Set([...resource.openTopics, ...asking.map(({ topic }) => topic)]);
  return (resource.slot?.elements ?? []).every(
    (element) =>
      sameFact(sent[element.key], desired[element.key]) ||
      isAskedAbout({ ...resource, openTopics }, element) ||
      isNoWordOfOurs(resource, element),
  );
}

type AboutElements = Pick<LaneResource, 'key' | 'slot' | 'link' | 'record' | 'openTopics'>;

function isAskedAbout(resource: AboutElements, { key, goesWith }: SlotElement): boolean {
  return [key, goesWith].some((one) => one !== undefined && resource.openTopics.has(elementTopic(resource, one)));
}

/** What we say of what is theirs to say is compared with nothing. */
function isNoWordOfOurs(resource: AboutElements, { key }: SlotElement): boolean {
  return resource.link?.origin === 'theirs' && ownerIn(resource, key) === 'remote';
}

/** True where the bases are of a form that is not the slot's. What we have found has none. */
export function isOfOtherForm({ origin, form, sent }: LinkState, slot: CompiledSlot): boolean {
  return origin !== 'found' && sent !== undefined && form !== slot.form;
}

export interface Rebasing extends AboutElements {
  readonly slot: CompiledSlot;
  readonly link: LinkState;
  readonly rewritten: readonly string[] | undefined;
  readonly observed: Pick<Observation, 'body' | 'versionTag' | 'hash'>;
  /** What the record wants now. */
  readonly desired: Wanted;
  /** What the version of the record that was sent last would want now; undefined: it is not known, or would want nothing. */
  readonly wanted: Wanted | undefined;
}

type Wanted = Pick<Desired, 'facts' | 'resource'>;

/** The link with bases of the slot's own form; the same link where it has such bases, or none. */
export function rebased(rebasing: Rebasing): LinkState {
  const { slot, link, rewritten, observed } = rebasing;
  if (!isOfOtherForm(link, slot)) return link;
  const facts = slot.facts(observed.body);
  const resource = rewritten === undefined ? {} : { rewritten };
  const kept = { sent: link.sent ?? {}, seen: seenBase({ resource, link, observed, observedFacts: facts }) ?? {} };
  const isSeen =
    observed.hash === link.seenHash ||
    (link.seen === undefined && link.versionTag !== undefined && observed.versionTag === link.versionTag);
  const lost = lostKeys(slot, kept);
  const baseless = new Set<string>();
  let { sent, seen } = { sent: without(kept.sent, lost), seen: without(kept.seen, lost) };
  for (const element of slot.elements) {
    const { key } = element;
    // What a person is being asked about keeps its bases until the answer.
    if (isAskedAbout(rebasing, element)) continue;
    const base = baseOf({ ...placeOf(rebasing, key, { kept, facts, lost }), rebasing, element, isSeen });
    if (base === undefined) baseless.add(key);
    else {
      sent = withFact(sent, key, base.sent);
      seen = withFact(seen, key, base.seen);
    }
  }
  return { ...link, sent, seen, isRebased: true, ...(baseless.size > 0 && { baseless }) };
}

interface Kept {
  readonly sent: Facts;
  readonly seen: Facts;
}

/** Elements that no rule makes any more. */
function lostKeys(slot: CompiledSlot, { sent, seen }: Kept): readonly string[] {
  const known = new Set([...slot.elements.map(({ key }) => key), askedKey]);
  return Object.keys({ ...sent, ...seen }).filter((key) => !known.has(key));
}

function without(facts: Facts, keys: readonly string[]): Facts {
  return keys.reduce<Facts>((left, key) => withFact(left, key, undefined), facts);
}

interface Place {
  /** As they were kept, in a form that may be another one. */
  readonly sent: Json | undefined;
  readonly seen: Json | undefined;
  readonly observed: Json | undefined;
  /** All that is there now of what the bases are of. */
  readonly there: Json | undefined;
  /** The bases are of other elements, which said the same value whole, in parts or by another key. */
  readonly isMoved: boolean;
}

function placeOf(
  rebasing: Rebasing,
  key: string,
  { kept, facts, lost }: { readonly kept: Kept; readonly facts: Facts; readonly lost: readonly string[] },
): Place {
  const { sent, seen } = kept;
  const observed = facts[key];
  const isKept = (one: string) => sent[one] !== undefined || seen[one] !== undefined;
  const own: Place = { sent: sent[key], seen: seen[key], observed, there: observed, isMoved: false };
  if (isKept(key)) return own;
  const wanted = [rebasing.desired, ...(rebasing.wanted ? [rebasing.wanted] : [])].map((one) => one.facts[key]);
  const renamed = lost.find(
    (one) =>
      elementIn(one) === elementIn(key) &&
      sameFact(seen[one], observed) &&
      wanted.some((fact) => sameFact(sent[one], fact)),
  );
  if (renamed !== undefined) return { ...own, sent: sent[renamed], seen: seen[renamed] };
  // Of a list each entry is a value of its own.
  const before = isEntry(key) ? [] : lost.filter((one) => elementIn(one) === elementIn(key) && !isEntry(one));
  if (before.length === 0) return own;
  const parts = rebasing.slot.elements.filter((one) => elementIn(one.key) === elementIn(key) && !isKept(one.key));
  return {
    sent: joined(before.map((one) => sent[one])),
    seen: joined(before.map((one) => seen[one])),
    observed,
    there: joined(parts.map((one) => facts[one.key])),
    isMoved: true,
  };
}

/** `telecom[phones]`, and no part of one value. */
function isEntry(key: string): boolean {
  return /^[^.[]+\[[^\]]*\]$/.test(key);
}

function joined(facts: readonly (Json | undefined)[]): Json | undefined {
  const [only] = facts;
  return facts.length === 1 ? only : facts.map((fact) => fact ?? null);
}

interface Rebase extends Place {
  readonly rebasing: Rebasing;
  readonly element: SlotElement;
  /** What is there is the very thing that was seen last. */
  readonly isSeen: boolean;
}

interface Base {
  readonly sent: Json | undefined;
  readonly seen: Json | undefined;
}

/** Undefined: there is none. */
function baseOf(rebase: Rebase): Base | undefined {
  const { rebasing, element, sent, seen, isMoved, observed, isSeen } = rebase;
  const { desired, wanted } = oursIn(rebase);
  const theirs = theirsIn(rebase);
  const seenNow = theirs === 'same' ? observed : seen;
  if (isNoWordOfOurs(rebasing, element)) return { sent, seen: seenNow };
  // Neither has said anything so far: what is there may have been there before there was a rule.
  if (sent === undefined && seen === undefined && observed !== undefined)
    return desired === undefined ? { sent, seen: isSeen ? observed : seen } : undefined;
  const isAsWanted = wanted !== undefined && sameFact(desired, wanted.fact);
  if (isAsWanted && ownerIn(rebasing, element.key) === 'remote') return { sent: desired, seen: seenNow };
  if (theirs !== 'changed') {
    // One value is not made of a part of theirs and a part of ours.
    if (holdsMore(rebase)) return isMoved && observed === undefined ? { sent: desired, seen: observed } : undefined;
    // The server held what we sent: what the rule says now goes in its place.
    if (sameFact(sent, seen) && !sameFact(sent, desired)) return { sent: observed, seen: observed };
  }
  // What the server holds is another thing than what we sent: only what the record says otherwise is a change of ours.
  return theirs === 'unknown' || wanted === undefined ? undefined : { sent: wanted.fact, seen: seenNow };
}

/** Whether the other side has changed the element since: it may read otherwise only because it is read otherwise. */
function theirsIn(rebase: Rebase): 'same' | 'changed' | 'unknown' {
  const { sent, seen, isMoved, observed, isSeen } = rebase;
  if (isSeen || sameFact(observed, seen)) return 'same';
  // What is not there is not there in any form.
  if (!isMoved && (observed === undefined || seen === undefined)) return 'changed';
  const { wanted } = oursIn(rebase);
  return wanted !== undefined && sameFact(sent, wanted.fact) ? 'changed' : 'unknown';
}

/** What the record wants, and what it wanted when it was sent; that undefined: it is not known. */
function oursIn({ rebasing, element: { key }, sent }: Rebase): {
  readonly desired: Json | undefined;
  readonly wanted: { readonly fact: Json | undefined } | undefined;
} {
  const desired = rebasing.desired.facts[key];
  if (sent !== undefined && sameFact(sent, desired)) return { desired, wanted: { fact: desired } };
  return { desired, wanted: rebasing.wanted && { fact: rebasing.wanted.facts[key] } };
}

/**
 * Something is there that no look has shown before and that is no word of ours: the rules read more than they did. Ours are also those that are written
 * and not compared, as what a code is called.
 */
function holdsMore({ rebasing, element: { key }, sent, seen, there }: Rebase): boolean {
  const ours = [rebasing.desired, rebasing.wanted].flatMap((one) => [one?.facts[key], one?.resource[elementIn(key)]]);
  const known = new Set([sent, seen, ...ours].flatMap(saidIn));
  return !saidIn(there).every((one) => known.has(one));
}

/** All that is said in a fact, however it is put together. */
function saidIn(fact: Json | undefined): Json[] {
  if (Array.isArray(fact)) return fact.flatMap(saidIn);
  if (isObject(fact)) return Object.values(fact).flatMap(saidIn);
  return fact === undefined || fact === null ? [] : [fact];
}
