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
  const indexes = old.flatMap((value, index) => (rule.claims(value, old) ? [index] : []));
  const theirs = keyItems(
    rule,
    indexes.map((index) => old[index] ?? null),
  );
  const ours = keyItems(rule, wanted);
  const agreed = saidIn(sent);
  // What says to the letter what we want is no rewording of something else.
  const keys = new Set(ours.map(({ key }) => key));
  const held = standIns(
    rule,
    agreed,
    theirs,
    theirs.filter(({ key }) => !keys.has(key)),
  );
  const saidOf = new Map([...standIns(rule, agreed, ours, [])].map(([said, one]) => [one, said]));
  const replaced = new Set(
    sent === undefined
      ? theirs.filter(isInPlaceOf(rule, wanted))
      : [...held.values(), ...theirs.filter(isDoubleOf(rule, agreed))],
  );
  const free = new Set(theirs);
  for (const one of held.values()) free.delete(one);
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
    return [putItem(rule, one, match, sent === undefined ? undefined : (said ?? unsaid))];
  });
  return replaceItems(
    old,
    indexes.filter((_, position) => theirs[position] !== undefined && replaced.has(theirs[position])),
    result,
  );
}

/** Nothing was agreed on. */
const unsaid: Said = { key: '', fact: {} };

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
function equalOf(rule: EachRule, { key, fact }: Keyed, items: ReadonlySet<Keyed>): Keyed | undefined {
  const all = [...items];
  return (
    all.find((item) => item.key === key) ?? all.find((item) => lacksId(rule, item.value) && sameJson(item.fact, fact))
  );
}

function putItem(rule: EachRule, one: Keyed, old: Keyed | undefined, said: Said | undefined): Json {
  const put = rule.item.put(one.value, old?.value, rule.by === 'content' ? undefined : said?.fact) ?? one.value;
  return withIdOf(rule, one, put);
}

/** The item with our id, unless it has one. */
function withIdOf({ by }: EachRule, { value }: Keyed, item: Json): Json {
  const id = isObject(value) ? value.id : undefined;
  return by === 'id' && isObject(item) && id !== undefined ? { id, ...item } : item;
}
