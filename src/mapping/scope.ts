// Where a rule reads from and writes to in a record: paths below the record, below the list item at hand, or the item itself.

import { isObject, type Json, type JsonObject } from '../json.ts';

/** The record, and the part of it that paths start from: the record itself, or the item of an `each`. */
export interface Scope {
  readonly record: JsonObject;
  readonly item: Json;
  /** JSON pointer of `item` within the record. */
  readonly pointer: string;
}

/** A scope of one record. The pointer is put together when asked for: most rules have nothing to report. */
export class RecordScope implements Scope {
  readonly record: JsonObject;
  readonly item: Json;
  readonly #list: string;
  readonly #index: number | undefined;

  /** @param list pointer of the list that `item` lies in, at `index`; without them the item is the record */
  constructor(record: JsonObject, item: Json, list = '', index?: number) {
    this.record = record;
    this.item = item;
    this.#list = list;
    this.#index = index;
  }

  get pointer(): string {
    return this.#index === undefined ? this.#list : `${this.#list}/${this.#index}`;
  }
}

/** A scope over private copies, which absorbing may change. */
export interface Draft {
  record: JsonObject;
  item: Json;
  readonly pointer: string;
}

/** `domain`, `period.from`; `/organizationId` starts from the record wherever one is; `.` is the item itself. */
export interface RecordPath {
  readonly text: string;
  readonly fromRoot: boolean;
  /** Empty: the item itself. */
  readonly names: readonly string[];
}

export function parsePath(text: string): RecordPath {
  const fromRoot = text.startsWith('/');
  const below = fromRoot ? text.slice(1) : text;
  return { text, fromRoot, names: below === '.' ? [] : below.split('.') };
}

/** Reads a path; undefined where any part of it is absent. */
export function reader({ fromRoot, names }: RecordPath): (scope: Scope) => Json | undefined {
  const [only] = names;
  if (only === undefined) {
    return fromRoot ? (scope) => scope.record : (scope) => scope.item;
  }
  if (names.length === 1) {
    return (scope) => {
      const start = fromRoot ? scope.record : scope.item;
      return isObject(start) ? start[only] : undefined;
    };
  }
  return (scope) => {
    let value: Json | undefined = fromRoot ? scope.record : scope.item;
    for (const name of names) {
      value = isObject(value) ? value[name] : undefined;
    }
    return value;
  };
}

/** Writes a path, making the objects on the way; undefined removes the field, and objects that this leaves empty. */
export function writer({ fromRoot, names }: RecordPath): (draft: Draft, value: Json | undefined) => void {
  return (draft, value) => {
    if (names.length === 0) {
      draft.item = value ?? null;
      return;
    }
    const start = fromRoot ? draft.record : draft.item;
    if (isObject(start)) {
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
