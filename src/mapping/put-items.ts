// Our items put into a server's list (`each-lens.ts`): in the place of those that stand for them, whatever the server has made of ids and wording.
// What is not ours keeps its place; what was ours and is gone leaves.

import { isObject, type Json } from '../json.ts';
import { sameJson } from './lens.ts';
import { type EachRule, type Keyed, keyItems, lacksId, placeOf, type Said, saidIn, standIns } from './list-items.ts';
import { replaceItems } from './list-lens.ts';

/** @param sent the fact of what was last agreed on here; absent: all is put, and what stands there was ours */
export function putItems(
  rule: EachRule,
  wanted: readonly Json[],
  old: readonly Json[],
  sent: Json | undefined,
): Json | undefined {
  const ours = keyItems(rule, wanted);
  const theirs = theirItems(rule, old);
  const agreed = saidIn(sent);
  const saidOf = new Map([...standIns(rule, agreed, ours, [])].map(([said, one]) => [one, said]));
  // What says to the letter what we want is no rewording of something else.
  const keys = new Set(ours.map(({ key }) => key));
  const reworded = theirs.filter(({ key }) => !keys.has(key));
  const held = standIns(rule, agreed, theirs, reworded);
  const free = new Set(theirs);
  for (const one of held.values()) free.delete(one);
  const leaves = sent === undefined ? isInPlaceOf(rule, wanted) : isDoubleOf(rule, agreed);
  const replaced = new Set([...held.values(), ...theirs.filter(leaves)]);
  const result = ours.flatMap((one) => {
    const said = saidOf.get(one);
    const match = (said && held.get(said)) ?? equalOf(rule, one, free);
    if (match !== undefined) {
      free.delete(match);
      replaced.add(match);
    }
    // What we have not changed since is as they have it, or gone as they took it out.
    if (said !== undefined && sameJson(said.fact, one.fact))
      return match === undefined ? [] : [withIdOf(rule, one, match.value)];
    return [putItem(rule, one, match, sent === undefined ? undefined : (said?.fact ?? {}))];
  });
  return replaceItems(
    old,
    [...replaced].map(({ index }) => index),
    result,
  );
}

/** An item of the server's, with where it is in its list. */
type Placed = Keyed & { readonly index: number };

function theirItems(rule: EachRule, list: readonly Json[]): Placed[] {
  const indexes = list.flatMap((value, index) => (rule.claims(value, list) ? [index] : []));
  const items = indexes.map((index) => list[index] ?? null);
  return keyItems(rule, items).map((item, position) => ({ ...item, index: indexes[position] ?? -1 }));
}

/** An item in a place that the record says nothing about is somebody else's, such as the number that a hospital has given to a patient of ours. */
function isInPlaceOf(rule: EachRule, wanted: readonly Json[]): (one: Keyed) => boolean {
  const places = new Set(wanted.map((value) => placeOf(rule, value)));
  return ({ value }) => {
    const place = placeOf(rule, value);
    return !lacksId(rule, value) && (place === undefined || places.has(place));
  };
}

/** A server may show an item of ours twice, id and all. */
function isDoubleOf({ by }: EachRule, agreed: readonly Said[]): (one: Keyed) => boolean {
  const ids = new Set(by === 'id' ? agreed.map(({ key }) => key) : []);
  return ({ value }) => isObject(value) && typeof value.id === 'string' && ids.has(value.id);
}

/** What the other side has begun too: one of the same key, or without an id the same content. */
function equalOf(rule: EachRule, { key, fact }: Keyed, items: ReadonlySet<Placed>): Placed | undefined {
  const all = [...items];
  return (
    all.find((item) => item.key === key) ?? all.find((item) => lacksId(rule, item.value) && sameJson(item.fact, fact))
  );
}

function putItem(rule: EachRule, one: Keyed, old: Keyed | undefined, sent: Json | undefined): Json {
  const put = rule.item.put(one.value, old?.value, rule.by === 'content' ? undefined : sent) ?? one.value;
  return withIdOf(rule, one, put);
}

/** The item with our id, unless it has one. */
function withIdOf({ by }: EachRule, { value }: Keyed, item: Json): Json {
  const id = isObject(value) ? value.id : undefined;
  return by === 'id' && isObject(item) && id !== undefined ? { id, ...item } : item;
}
