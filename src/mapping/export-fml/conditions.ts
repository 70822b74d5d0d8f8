// Conditions as the mapping language can test them: on the record, or on the list item at hand, in FHIRPath. Kept as alternatives of tests that
// all hold, so that they can be joined and turned round without brackets.

import type { Field } from '../../records/records.ts';
import { type Build, type Cursor, conceptMapNamed, cursorIn, fieldAt } from '../build.ts';
import { targetOf } from '../concept-map.ts';
import { toldTest } from '../condition.ts';
import type { MapEntry, Node, Position, ScalarNode } from '../positions.ts';
import type { RecordPath } from '../scope.ts';
import { Unsupported } from './left-out.ts';

type Value = string | number | boolean;

/** A path that says something, or one of some values; or that does not. */
export interface Test {
  readonly on: 'record' | 'item';
  /** FHIRPath below the record or the item, a filter over a list included. */
  readonly path: string;
  readonly values?: readonly Value[];
  /** At most one value is there, so that one value excludes the others. */
  readonly isSingle: boolean;
  readonly absent: boolean;
}

/** One of them has to hold, with all its tests. */
export type Condition = readonly (readonly Test[])[];

export const always: Condition = [[]];
export const never: Condition = [];

export function both(one: Condition, other: Condition): Condition {
  return simplified(one.flatMap((left) => other.map((right) => [...left, ...right])));
}

export function either(...conditions: readonly Condition[]): Condition {
  return simplified(conditions.flat());
}

export function not(condition: Condition): Condition {
  return condition.reduce<Condition>(
    (rest, tests) => both(rest, either(...tests.map((test): Condition => [[{ ...test, absent: !test.absent }]]))),
    always,
  );
}

/** True when the path says something; with values, when it says one of them. What every record and item has needs no test. */
export function says(path: RecordPath, cursor: Cursor, values?: readonly Value[]): Condition {
  if (values === undefined && isAlwaysThere(path, cursor)) return always;
  const isSingle = !holdsList(path, cursor);
  return [[{ on: scopeOf(path, cursor), path: pathOf(path), ...(values && { values }), isSingle, absent: false }]];
}

/** A filtered list, or what is reached through one, that says something. */
export function saysAt(on: Test['on'], path: string): Condition {
  return [[{ on, path, isSingle: false, absent: false }]];
}

/** The engine looks for choices such as value[x], and so takes the toString of every object for a field called "to". */
export function checkReadable({ names }: RecordPath, at: Position): void {
  if (names.includes('to')) throw new Unsupported('the engine finds a field called "to" in every object', at);
}

function isAlwaysThere({ fromRoot, names }: RecordPath, cursor: Cursor): boolean {
  const [name, ...more] = names;
  if (name === undefined) return true;
  const field = (fromRoot ? cursor.root : cursor.item).fields?.get(name);
  return more.length === 0 && field?.required === true && !field.list;
}

function holdsList({ fromRoot, names }: RecordPath, cursor: Cursor): boolean {
  let field: Field | undefined = fromRoot ? cursor.root : cursor.item;
  let isList = false;
  for (const name of names) {
    field = field?.fields?.get(name);
    isList ||= field?.list === true;
  }
  return isList;
}

/** Without what cannot hold, what follows from the rest, and alternatives that say less than another. */
function simplified(condition: Condition): Condition {
  const possible = condition.flatMap((tests) => {
    const left = reduced(tests);
    return left ? [left] : [];
  });
  const keys = possible.map((tests) => new Set(tests.map(keyOf)));
  return possible.filter(
    (_, index) =>
      !keys.some((other, at) => {
        const own = keys[index] ?? new Set();
        return at !== index && [...other].every((key) => own.has(key)) && (other.size < own.size || at < index);
      }),
  );
}

/** Undefined where the tests contradict each other. */
function reduced(tests: readonly Test[]): Test[] | undefined {
  const result: Test[] = [];
  for (const group of Map.groupBy(tests, ({ on, path }) => `${on} ${path}`).values()) {
    const left = group.every(({ isSingle }) => isSingle) ? ofOneValue(group) : distinct(group);
    if (!left || left.some((test) => left.some((other) => contradicts(test, other)))) return undefined;
    result.push(...left);
  }
  return result;
}

/** What is asked of one value: the values that are left for it. */
function ofOneValue(group: readonly Test[]): Test[] | undefined {
  const [first] = group;
  const wanted = group.filter(({ absent }) => !absent);
  const excluded = group.filter(({ absent, values }) => absent && values).flatMap(({ values = [] }) => values);
  const lists = wanted.flatMap(({ values }) => (values ? [values] : []));
  if (!first || lists.length === 0) return distinct(group);
  const isOut = group.some(({ absent, values }) => absent && !values);
  const values = lists.reduce((rest, list) => rest.filter((value) => list.includes(value)));
  const left = values.filter((value) => !excluded.includes(value));
  return isOut || left.length === 0 ? undefined : [{ ...first, values: left, absent: false }];
}

function contradicts(one: Test, other: Test): boolean {
  return one.absent !== other.absent && keyOf({ ...one, absent: false }) === keyOf({ ...other, absent: false });
}

function distinct(tests: readonly Test[]): Test[] {
  return [...new Map(tests.map((test) => [keyOf(test), test])).values()];
}

function keyOf({ on, path, values, absent }: Test): string {
  return JSON.stringify([on, path, values, absent]);
}

/** Where a path starts: outside any list, the item is the record. */
export function scopeOf(path: RecordPath, cursor: Cursor): Test['on'] {
  return path.fromRoot || cursor.item === cursor.root ? 'record' : 'item';
}

export function pathOf({ names }: RecordPath): string {
  return names.length === 0 ? '$this' : names.join('.');
}

export function filter(criterion: string): string {
  return `.where(${criterion})`;
}

/** FHIRPath, for conditions whose tests are all on the same thing. */
export function inFhirPath(condition: Condition): string {
  return condition.map((tests) => tests.map(written).join(' and ')).join(' or ');
}

function written({ path, values, isSingle, absent }: Test): string {
  const [value, ...more] = values ?? [];
  if (value !== undefined && more.length === 0 && isSingle && !absent) return `${path} = ${literal(value)}`;
  return `${path}${values ? filter(oneOf(values)) : ''}.exists()${absent ? '.not()' : ''}`;
}

/** `when` or `where`, as the engine compiles it. Throws Unsupported for what reads another record. */
export function conditionOf(node: Node, cursor: Cursor, build: Build): Condition {
  if (node.kind !== 'map') throw new Unsupported('this condition cannot be written', node.at);
  if (node.entries.has('via')) throw new Unsupported('it depends on another record', node.at);
  return [...node.entries.values()].map((entry) => testOf(entry, cursor, build)).reduce(both, always);
}

/** The criterion of a FHIRPath filter over the items of a list. */
export function criterionOf(node: Node, cursor: Cursor, build: Build): string {
  const condition = conditionOf(node, cursor, build);
  if (condition.some((tests) => tests.some(({ on }) => on === 'record'))) {
    throw new Unsupported('a filter over a list cannot look at the record', node.at);
  }
  return inFhirPath(condition);
}

function testOf(entry: MapEntry, cursor: Cursor, build: Build): Condition {
  const { value } = entry;
  if (entry.name === 'any') {
    return either(...(value.kind === 'list' ? value.items : []).map((item) => conditionOf(item, cursor, build)));
  }
  // The maps are for no receiver in particular.
  if (entry.name === toldTest) return always;
  const found = fieldAt({ kind: 'scalar', value: entry.name, at: entry.at }, cursor, build);
  if (!found) throw new Unsupported('it reads no field of the record', entry.at);
  checkReadable(found.path, entry.at);
  if (value.kind === 'map') {
    const [operator] = value.entries.values();
    const below = cursorIn(cursor, found.path, found.field);
    return operator ? operatorOf(operator, found.path, cursor, below, build) : always;
  }
  return valuesTest(value, found.path, cursor);
}

function valuesTest(node: Node, path: RecordPath, cursor: Cursor): Condition {
  if (node.kind === 'scalar' && node.value === 'present') return says(path, cursor);
  if (node.kind === 'scalar' && node.value === 'absent') return not(says(path, cursor));
  const nodes = node.kind === 'list' ? node.items : [node];
  return says(
    path,
    cursor,
    nodes.filter((item): item is ScalarNode => item.kind === 'scalar').map((item) => item.value ?? ''),
  );
}

function operatorOf(
  { name, value, at }: MapEntry,
  path: RecordPath,
  cursor: Cursor,
  below: Cursor,
  build: Build,
): Condition {
  switch (name) {
    case 'not':
      return not(
        value.kind === 'map'
          ? nested(value.entries.values(), path, cursor, below, build, at)
          : valuesTest(value, path, cursor),
      );
    case 'mapped': {
      const map = conceptMapNamed(value, build);
      const codes = map ? [...map.codes].filter((code) => targetOf(map, code) !== undefined) : [];
      return says(path, cursor, codes);
    }
    case 'some':
    case 'none': {
      const some = saysAt(scopeOf(path, cursor), `${pathOf(path)}${filter(criterionOf(value, below, build))}`);
      return name === 'some' ? some : not(some);
    }
    default:
      throw new Unsupported(`it has no test "${name}"`, at);
  }
}

function nested(
  entries: Iterable<MapEntry>,
  path: RecordPath,
  cursor: Cursor,
  below: Cursor,
  build: Build,
  at: Position,
): Condition {
  const [operator] = entries;
  if (!operator) throw new Unsupported('this condition cannot be written', at);
  return operatorOf(operator, path, cursor, below, build);
}

function oneOf(values: readonly (string | number | boolean)[]): string {
  return values.map((value) => `$this = ${literal(value)}`).join(' or ');
}

/** A text, number or truth value as FHIRPath and the mapping language write it. */
export function literal(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` : String(value);
}
