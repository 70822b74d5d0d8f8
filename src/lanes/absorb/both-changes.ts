// One state of a value from two that were changed apart: what either changes is changed, what neither changes stays. Pure.
// Items of a list are told apart by their id, or by their code where they have none; plain values by what they are.

import { isObject, type Json, type JsonObject } from '../../json.ts';
import { mergePatch, patched } from '../../mapping/mapping.ts';
import { sameFact } from '../merge.ts';

/** Undefined is a value that is not there. Where both change the same, `second` stands; the items of a list are in the order of `first`. */
export function bothChanges(
  before: Json | undefined,
  first: Json | undefined,
  second: Json | undefined,
): Json | undefined {
  if (sameFact(first, before)) return second;
  if (sameFact(second, before) || sameFact(first, second)) return first;
  // What one takes out and the other changes is not lost.
  if (first === undefined || second === undefined) return second ?? first;
  if (isObject(first) && isObject(second)) return bothObjects(isObject(before) ? before : {}, first, second);
  if (Array.isArray(first) && Array.isArray(second))
    return bothLists(Array.isArray(before) ? before : [], first, second);
  return second;
}

/** One merge patch (RFC 7396) on `before` from several. */
export function jointPatch(before: JsonObject, patches: readonly JsonObject[]): JsonObject {
  const joint: JsonObject = {};
  for (const [name, part] of patches.flatMap((patch) => Object.entries(patch))) {
    const earlier = joint[name];
    joint[name] = earlier === undefined ? part : bothParts(before[name], earlier, part);
  }
  return joint;
}

/** The record with these fields whole; null takes one out. */
export function withFields(record: JsonObject, fields: JsonObject): JsonObject {
  const names = Object.keys(fields);
  if (names.length === 0) return record;
  return Object.fromEntries(
    Object.entries({ ...record, ...fields }).filter(([name, value]) => value !== null || !names.includes(name)),
  );
}

/** A merge patch on `said` as one on the record, which has not taken over yet what `said` has more. */
export function offeredWith(record: JsonObject, said: JsonObject, patch: JsonObject): JsonObject {
  const before = mergePatch(record, said);
  return Object.fromEntries(Object.entries(patch).map(([name, part]) => [name, afterEach(before[name], part)]));
}

/** What two merge patches of one field do one after the other. */
function afterEach(first: Json | undefined, second: Json): Json {
  if (!isObject(first) || !isObject(second)) return second;
  const parts = Object.entries(second).map(([name, part]) => [name, afterEach(first[name], part)] as const);
  return { ...first, ...Object.fromEntries(parts) };
}

/** What a merge patch makes of one field. */
export function fieldAfter(before: Json | undefined, patch: Json): Json | undefined {
  return patched(before === undefined ? {} : { field: before }, { field: patch }).field;
}

function bothParts(before: Json | undefined, first: Json, second: Json): Json {
  if (isObject(first) && isObject(second)) return jointPatch(isObject(before) ? before : {}, [first, second]);
  return bothChanges(before, first ?? undefined, second ?? undefined) ?? null;
}

function bothObjects(before: JsonObject, first: JsonObject, second: JsonObject): JsonObject {
  const names = new Set([...Object.keys(first), ...Object.keys(second)]);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = bothChanges(before[name], first[name], second[name]);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function bothLists(before: readonly Json[], first: readonly Json[], second: readonly Json[]): Json[] {
  const [old, one, other] = [before, first, second].map(byKey);
  if (old === undefined || one === undefined || other === undefined) return bothSets(before, first, second);
  const keys = new Set([...one.keys(), ...other.keys()]);
  return [...keys].flatMap((key) => bothChanges(old.get(key), one.get(key), other.get(key)) ?? []);
}

/** Undefined where the items do not all have keys of their own. */
function byKey(items: readonly Json[]): Map<string, Json> | undefined {
  const keyed = items.flatMap((item) => {
    const key = isObject(item) ? (item.id ?? item.code) : undefined;
    return typeof key === 'string' ? [[key, item] as const] : [];
  });
  const map = new Map(keyed);
  return map.size === items.length ? map : undefined;
}

function bothSets(before: readonly Json[], first: readonly Json[], second: readonly Json[]): Json[] {
  const isIn = (list: readonly Json[], item: Json): boolean => list.some((one) => sameFact(one, item));
  const kept = first.filter((item) => isIn(second, item) || !isIn(before, item));
  return [...kept, ...second.filter((item) => !isIn(first, item) && !isIn(before, item))];
}
