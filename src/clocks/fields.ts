// Readers of records that passed their schema when they were accepted: what is not there is undefined.

import { isObject, type JsonObject } from '../json.ts';

export function textAt(record: JsonObject | undefined, name: string): string | undefined {
  const value = record?.[name];
  return typeof value === 'string' ? value : undefined;
}

export function objectAt(record: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = record?.[name];
  return isObject(value) ? value : undefined;
}

export function objectsAt(record: JsonObject | undefined, name: string): JsonObject[] {
  const value = record?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Epoch milliseconds of an instant with offset. */
export function timeAt(record: JsonObject | undefined, name: string): number | undefined {
  const value = textAt(record, name);
  return value === undefined ? undefined : Date.parse(value);
}

/** The values that are there. */
export function known<T>(...values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

/** The least of the numbers; undefined of none. */
export function earliest(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : Math.min(...numbers);
}
