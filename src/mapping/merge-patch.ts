// Merge patches of RFC 7396 between two states of a record: lists are replaced whole, null takes a field out.

import { isObject, type JsonObject } from '../json.ts';
import { sameJson } from './lens.ts';

/** The patch from one object to another. */
export function mergePatch(before: JsonObject, after: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = before[name];
    const value = after[name];
    if (sameJson(old, value)) {
      continue;
    }
    patch[name] = value === undefined ? null : isObject(old) && isObject(value) ? mergePatch(old, value) : value;
  }
  return patch;
}

/** The object with the patch applied. */
export function patched(before: JsonObject, patch: JsonObject): JsonObject {
  const after: JsonObject = { ...before };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      delete after[name];
    } else {
      const old = after[name];
      after[name] = isObject(value) ? patched(isObject(old) ? old : {}, value) : value;
    }
  }
  return after;
}
