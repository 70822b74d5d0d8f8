// Where a rule reads from and writes to in a record: paths below the record, below the list item at hand, or the item itself.

import { isObject, type Json, type JsonObject } from '../json.ts';

/** The record, and the part of it that paths start from: the record itself, or the item of an `each`. */
export interface Scope {
  readonly record: JsonObject;
  readonly item: Json;
  /** What `item` is an item of, within a list of a list. */
  readonly outer?: Json;
  /** JSON pointer of `item` within the record. */
  readonly pointer: string;
}

/** A scope over private copies, which absorbing may change. */
export interface Draft {
  record: JsonObject;
  item: Json;
  readonly outer?: Json;
  readonly pointer: string;
}

/**
 * `domain`, `period.from`; `/organizationId` starts from the record wherever one is, `../code` from what the item is an item of; `.` is the item
 * itself.
 */
export interface RecordPath {
  readonly text: string;
  readonly fromRoot: boolean;
  /** Only read, never written. */
  readonly fromOuter: boolean;
  /** Empty: the item itself. */
  readonly names: readonly string[];
}

export function parsePath(text: string): RecordPath {
  const fromRoot = text.startsWith('/');
  const fromOuter = text.startsWith('../');
  const below = text.slice(fromRoot ? 1 : fromOuter ? 3 : 0);
  return { text, fromRoot, fromOuter, names: below === '.' ? [] : below.split('.') };
}

/** Reads a path; undefined where any part of it is absent. */
export function reader({ fromRoot, fromOuter, names }: RecordPath): (scope: Scope) => Json | undefined {
  const startOf = (scope: Scope): Json | undefined => (fromOuter ? scope.outer : fromRoot ? scope.record : scope.item);
  const [only] = names;
  if (names.length === 1 && only !== undefined) {
    return (scope) => {
      const start = startOf(scope);
      return isObject(start) ? start[only] : undefined;
    };
  }
  return (scope) => {
    let value = startOf(scope);
    for (const name of names) {
      value = isObject(value) ? value[name] : undefined;
    }
    return value;
  };
}

/** Writes a path, making the objects on the way; undefined removes the field, and objects that this leaves empty. */
export function writer({ fromRoot, fromOuter, names }: RecordPath): (draft: Draft, value: Json | undefined) => void {
  return (draft, value) => {
    if (names.length === 0) {
      draft.item = value ?? null;
      return;
    }
    const start = fromRoot ? draft.record : draft.item;
    if (isObject(start) && !fromOuter) {
      write(start, names, value);
    }
  };
}

export function pointerTo(scope: Scope, { fromRoot, names }: RecordPath): string {
  return [fromRoot ? '' : scope.pointer, ...names].join('/');
}

function write(target: JsonObject, names: readonly string[], value: Json | undefined): void {
  const [name, ...rest] = names;
  if (name === undefined) {
    return;
  }
  if (rest.length === 0) {
    if (value === undefined) {
      delete target[name];
    } else {
      target[name] = value;
    }
    return;
  }
  const below = target[name];
  const next = isObject(below) ? below : {};
  write(next, rest, value);
  if (Object.keys(next).length === 0) {
    delete target[name];
  } else {
    target[name] = next;
  }
}
