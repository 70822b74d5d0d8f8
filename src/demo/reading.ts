// Looking into answers: what has not the expected shape reads as absent.

import { isObject, type Json, type JsonObject, objectsIn } from '../json.ts';

/** The value at a path of names. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

/** The text at a path, '' where there is none. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The objects of the list at a path. */
export function objectsAt(value: Json | undefined, ...path: readonly string[]): JsonObject[] {
  return objectsIn(at(value, ...path));
}

/** The texts of the list at a path. */
export function textsAt(value: Json | undefined, ...path: readonly string[]): string[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter((item) => typeof item === 'string') : [];
}
