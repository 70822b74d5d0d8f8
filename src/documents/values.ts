// What documents make of values that may be missing.

import type { Json, JsonObject } from '../json.ts';

/** The object without what is undefined or an empty list: an absent fact and an empty one are the same fact. */
export function present(values: { readonly [name: string]: Json | undefined }): JsonObject {
  const object: JsonObject = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) object[name] = value;
  }
  return object;
}

/** What there is to say, of parts that may be missing. */
export function said(parts: readonly (string | false | undefined)[]): string[] {
  return parts.flatMap((part) => (part === undefined || part === false || part === '' ? [] : [part]));
}
