// Where each element of a resource comes from, noted while the resource is put together, and why other fields of the record went nowhere.

import { isObject, type Json, type JsonObject, pointerStep } from '../json.ts';
import type { Cursor } from './build.ts';
import type { Lens } from './lens.ts';
import { fieldPointer, pointerTo, type RecordPath, reader } from './scope.ts';
import type { MappingIssue, Origin, Unsent } from './types.ts';

/** The path that is being made, and what has been noted so far. */
export class Trace {
  readonly origins: Origin[] = [];
  readonly #path: string[] = [];
  #base = 0;

  /** Goes into an element by its name, or into an item of a list by its index. */
  enter(step: string | number): void {
    const isFirst = this.#path.length === 0;
    this.#path.push(typeof step === 'number' ? `[${step}]` : isFirst ? step : `.${step}`);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Several rules make one list: the next one's items come after so many. */
  startAt(base: number): void {
    this.#base = base;
  }

  /** How many items the list has already, for the rule that makes the next ones. */
  takeBase(): number {
    const base = this.#base;
    this.#base = 0;
    return base;
  }

  note(origin: Omit<Origin, 'element'>): void {
    this.origins.push({ element: this.#path.join(''), ...origin });
  }

  /** For `forget`. */
  mark(): number {
    return this.origins.length;
  }

  /** What has been noted since the mark was for something that is left out after all. */
  forget(mark: number): void {
    this.origins.length = mark;
  }
}

/** What a rule tells of itself. */
export interface TracedRule {
  readonly rule: string;
  readonly converter: string;
  /** The field that it reads; absent: it reads those of `fields`, or none. */
  readonly path?: RecordPath;
  /** Dotted paths of the record. */
  readonly fields: readonly string[];
  readonly cursor: Cursor;
}

/** The lens, which notes what it makes where somebody wants to know. */
export function traced(lens: Lens, { rule, converter, path, fields, cursor }: TracedRule): Lens {
  const read = path && reader(path);
  const others = fields.map(fieldPointer);
  const { project } = lens;
  return {
    ...lens,
    project: (scope, run) => {
      const value = project(scope, run);
      if (run.trace === undefined || value === undefined) {
        return value;
      }
      const raw = read?.(scope);
      run.trace.note({
        rule,
        converter,
        pointers: path === undefined ? others : [pointerTo(scope, path)],
        ...(raw !== undefined && { raw }),
        ...(!cursor.own && { record: { type: cursor.type, id: String(scope.record.id) } }),
      });
      return value;
    },
  };
}

/** Which rules read a field, and why others do not: what `unsentOf` explains with. */
export interface FieldReasons {
  /** Dotted path -> `file:line` of the rules that read it. */
  readonly readBy: ReadonlyMap<string, readonly string[]>;
  /** Dotted path -> the reason under `unused`. */
  readonly unused: ReadonlyMap<string, { readonly why: string; readonly rule: string }>;
  /** Fields of every record that the gateway itself acts on. */
  readonly envelope: readonly string[];
}

/** The values of a record that no element came from, each with the reason. */
export function unsentOf(
  record: JsonObject,
  origins: readonly Origin[],
  issues: readonly MappingIssue[],
  reasons: FieldReasons,
): Unsent[] {
  const sent = new Set(origins.flatMap(({ record: other, pointers }) => (other === undefined ? pointers : [])));
  const told = new Map(
    issues.flatMap((issue) => (issue.pointer === undefined ? [] : [[issue.pointer, issue] as const])),
  );
  return leaves(record, '').flatMap((pointer) => {
    const above = withParents(pointer);
    if (above.some((one) => sent.has(one))) {
      return [];
    }
    const issue = above.map((one) => told.get(one)).find((one) => one !== undefined);
    return [issue ? { pointer, why: issue.message, rule: issue.at } : { pointer, ...whyNot(pointer, reasons) }];
  });
}

function whyNot(pointer: string, { readBy, unused, envelope }: FieldReasons): Omit<Unsent, 'pointer'> {
  const names = pointer
    .split('/')
    .slice(1)
    .filter((name) => !/^\d+$/.test(name));
  const paths = names.map((_, index) => names.slice(0, names.length - index).join('.'));
  const reason = paths.map((path) => unused.get(path)).find((found) => found !== undefined);
  if (reason) {
    return reason;
  }
  if (envelope.includes(names[0] ?? '') || names.at(-1) === 'id') {
    return { why: 'The gateway itself acts on it.' };
  }
  const [first, ...more] = new Set(paths.flatMap((path) => readBy.get(path) ?? []));
  if (first === undefined) {
    return { why: 'It only decides what else is said.' };
  }
  return { why: `${[first, ...more].join(', ')} had nothing to say of it here.`, rule: first };
}

function leaves(value: Json, pointer: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => leaves(item, `${pointer}/${index}`));
  }
  if (!isObject(value)) {
    return [pointer];
  }
  return Object.entries(value).flatMap(([name, below]) => leaves(below, `${pointer}${pointerStep(name)}`));
}

function withParents(pointer: string): string[] {
  const parts = pointer.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, parts.length - index).join('/'));
}
