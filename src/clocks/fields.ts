// Times in records that passed their schema when they were accepted.

import { type JsonObject, textAt } from '../json.ts';

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
