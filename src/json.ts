/** A JSON value as it is after strict parsing at the border (`records/parse-json.ts`). */
export type Json = string | number | boolean | null | Json[] | JsonObject;

export type JsonObject = { [key: string]: Json };

/** True for a JSON object: not null, not a list. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy that shares nothing with the value. Many times quicker than structuredClone, which has more than JSON to copy. */
export function cloneJson<Value extends Json | undefined>(value: Value): Value;
export function cloneJson(value: Json | undefined): Json | undefined {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => cloneJson(item));
  const copy: JsonObject = {};
  for (const name of Object.keys(value)) {
    const below = value[name];
    // A member of that name would become the copy's prototype; neither records nor resources have one.
    if (below !== undefined && name !== '__proto__') copy[name] = cloneJson(below);
  }
  return copy;
}

/** The value below these names and indexes; undefined where a step leads nowhere. */
export function valueBelow(value: Json | undefined, steps: readonly string[]): Json | undefined {
  return steps.reduce<Json | undefined>(
    (at, step) => (Array.isArray(at) ? at[Number(step)] : isObject(at) ? at[step] : undefined),
    value,
  );
}

/** One step of a JSON pointer, with its slash (RFC 6901 section 3). */
export function pointerStep(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

// Readers of what was checked when it came in (records) or is our own: what is not there, or is something else, is undefined; so is a blank text.

export function textAt(object: JsonObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  return typeof value === 'string' && !isBlank(value) ? value : undefined;
}

/** Whether there is nothing in it to be seen: it is empty, or white space, controls and characters without a width. Records take no such text (`filled`). */
export function isBlank(text: string): boolean {
  return !/[^\s\p{Cc}\p{Default_Ignorable_Code_Point}]/u.test(text);
}

export function numberAt(object: JsonObject | undefined, name: string): number | undefined {
  const value = object?.[name];
  return typeof value === 'number' ? value : undefined;
}

export function objectAt(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return isObject(value) ? value : undefined;
}

export function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

export function objectsIn(value: Json | undefined): JsonObject[] {
  return listOf(value).filter(isObject);
}

export function objectsAt(object: JsonObject | undefined, name: string): JsonObject[] {
  return objectsIn(object?.[name]);
}

export function textsAt(object: JsonObject | undefined, name: string): string[] {
  return listOf(object?.[name])
    .filter((item) => typeof item === 'string')
    .filter((item) => !isBlank(item));
}
