// Readers for JSON whose shape was checked long ago (records) or is our own (facts): what is not there, or is something else, is undefined.

import { isObject, type Json, type JsonObject } from '../json.ts';

export function textAt(object: JsonObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberAt(object: JsonObject | undefined, name: string): number | undefined {
  const value = object?.[name];
  return typeof value === 'number' ? value : undefined;
}

export function objectAt(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return isObject(value) ? value : undefined;
}

export function objectsAt(object: JsonObject | undefined, name: string): JsonObject[] {
  const value = object?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function textsAt(object: JsonObject | undefined, name: string): string[] {
  const value = object?.[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string').filter((item) => item !== '') : [];
}

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
