// Where a rule reads from and writes to in a record: paths below the record, below the list item at hand, or the item itself.

import { isObject, type Json, type JsonObject } from '../json.ts';

/** The record, and the part of it that paths start from: the record itself, or the item of an `each`. */
export interface Scope {
  readonly record: JsonObject;
  readonly item: Json;
  /** The scope that `item` was found in, for a list of a list. */
  readonly outer?: Scope | undefined;
  /** JSON pointer of `item` within the record. */
  readonly pointer: string;
}

/** A scope of one record. The pointer is put together when asked for: most rules have nothing to report. */
export class RecordScope implements Scope {
  readonly record: JsonObject;
  readonly item: Json;
  readonly outer: Scope | undefined;
  readonly #list: string;
  readonly #index: number | undefined;

  /** @param list pointer of the list that `item` lies in, at `index`, found in `outer`; without them the item is the record */
  constructor(record: JsonObject, item: Json, list = '', index?: number, outer?: Scope) {
    this.record = record;
    this.item = item;
    this.outer = outer;
    this.#list = list;
    this.#index = index;
  }

  get pointer(): string {
    return this.#index === undefined ? this.#list : `${this.#list}/${this.#index}`;
  }
}

/** A scope over a record and an item that absorbing may change; what lies below them is made anew when it is written. */
export interface Draft {
  record: JsonObject;
  item: Json;
  readonly outer?: Scope;
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
  const [only] = names;
  if (only === undefined) {
    return fromRoot ? (scope) => scope.record : (scope) => scope.item;
  }
  const startOf = (scope: Scope): Json | undefined =>
    fromOuter ? scope.outer?.item : fromRoot ? scope.record : scope.item;
  if (names.length === 1) {
    return fromRoot
      ? ({ record }) => record[only]
      : fromOuter
        ? ({ outer }) => valueIn(outer?.item, only)
        : ({ item }) => valueIn(item, only);
  }
  return (scope) => {
    let value = startOf(scope);
    for (const name of names) {
      value = isObject(value) ? value[name] : undefined;
    }
    return value;
  };
}

function valueIn(holder: Json | undefined, name: string): Json | undefined {
  return isObject(holder) ? holder[name] : undefined;
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

/** Pointer of the list at `path`, whose items become scopes of their own. */
export function listPointer(scope: Scope, { fromRoot, names }: RecordPath): string {
  const [only] = names;
  const start = fromRoot ? '' : scope.pointer;
  return names.length === 1 ? `${start}/${only}` : [start, ...names].join('/');
}

/** Pointer of a dotted path: the field in every item of the lists on the way. */
export function fieldPointer(path: string): string {
  return `/${path.replaceAll('.', '/')}`;
}

export function pointerTo(scope: Scope, { fromRoot, fromOuter, names }: RecordPath): string {
  const start = fromOuter ? (scope.outer?.pointer ?? '') : fromRoot ? '' : scope.pointer;
  return [start, ...names].join('/');
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
  const next = isObject(below) ? { ...below } : {};
  write(next, rest, value);
  if (Object.keys(next).length === 0) {
    delete target[name];
  } else {
    target[name] = next;
  }
}
