// `when` and `where`: tests on record fields, compiled to one function. All entries must hold; a list of values means one of them.

import { isObject, type Json } from '../json.ts';
import { didYouMean } from '../nearest.ts';
import type { Field } from '../records/records.ts';
import { isRecordType } from '../records/records.ts';
import { type Build, type Cursor, conceptMapNamed, cursorAt, cursorIn, fieldAt } from './build.ts';
import { mapOn, targetOf } from './concept-map.ts';
import type { Node, Scalar } from './positions.ts';
import { RecordScope, reader, type Scope } from './scope.ts';
import type { ProjectContext } from './types.ts';

/** `{told: true}` of a consent's recipient: the receiver learns that it is one. */
export const toldTest = 'told';

export type Condition = (scope: Scope, context?: ProjectContext) => boolean;

/** Somewhere else to read from. */
export interface Elsewhere {
  readonly cursor: Cursor;
  /** True when the record points there, whatever is found. */
  readonly held: (scope: Scope) => boolean;
  readonly scope: (scope: Scope, context?: ProjectContext) => Scope | undefined;
}

type Test = (value: Json | undefined, scope: Scope, context?: ProjectContext) => boolean;

/**
 * Compiles a map of tests:
 * `{status: active}`, `{status: [a, b]}`, `{x: present}`, `{x: absent}`, `{x: {not: value}}`, `{domain: {mapped: conceptMap}}`,
 * `{id: {among: /progress.replaces}}`, `{history: {some: {...}}}`, `{history: {none: {...}}}`, `{any: [{...}, {...}]}`, `{told: true}`, `{via: {clientId: client}, ...}`.
 */
export function compileCondition(node: Node, cursor: Cursor, build: Build): Condition {
  if (node.kind !== 'map') {
    build.problems.error(node.at, 'A condition is a map from record fields to values.');
    return () => true;
  }
  const viaNode = node.entries.get('via')?.value;
  if (viaNode) {
    const via = compileVia(viaNode, cursor, build);
    const rest = new Map([...node.entries].filter(([name]) => name !== 'via'));
    const inner = via && compileCondition({ kind: 'map', at: node.at, entries: rest }, via.cursor, build);
    return (scope, context) => {
      const other = via?.scope(scope, context);
      return other !== undefined && inner?.(other, context) === true;
    };
  }
  const tests = [...node.entries.values()].map((entry): Condition => {
    if (entry.name === 'any') {
      return compileAny(entry.value, cursor, build);
    }
    if (entry.name === toldTest) {
      return (scope, context) => context?.isTold?.(scope.item) !== false;
    }
    const found = fieldAt({ kind: 'scalar', value: entry.name, at: entry.at }, cursor, build);
    if (!found) {
      return () => true;
    }
    const read = reader(found.path);
    const test = compileTest(entry.value, found.field, cursorIn(cursor, found.path, found.field), build);
    return (scope, context) => test(read(scope), scope, context);
  });
  const [only] = tests;
  return tests.length === 1 && only ? only : (scope, context) => tests.every((test) => test(scope, context));
}

/** `via: {caseId: case}`: the record that an id points to. */
export function compileVia(node: Node, cursor: Cursor, build: Build): Elsewhere | undefined {
  const [entry] = node.kind === 'map' ? node.entries.values() : [];
  const type = entry?.value.kind === 'scalar' ? String(entry.value.value) : '';
  const found = entry && fieldAt({ kind: 'scalar', value: entry.name, at: entry.at }, cursor, build);
  if (!entry || !isRecordType(type)) {
    return build.problems.error(node.at, '"via" is written {idField: recordType}, as in {caseId: case}.');
  }
  if (!found) {
    return undefined;
  }
  if (found.field.ref !== type || found.field.list) {
    const points = found.field.ref ? `points to ${found.field.ref}` : 'points to no record';
    return build.problems.error(entry.at, `"${entry.name}" ${points}, not to one ${type}.`);
  }
  const read = reader(found.path);
  return {
    cursor: cursorAt(type, false, build),
    held: (scope) => read(scope) !== undefined,
    scope: (scope, context) => {
      const id = read(scope);
      const record = typeof id === 'string' ? context?.record(type, id) : undefined;
      return record && new RecordScope(record, record);
    },
  };
}

/** The values that a `where` fixes, for items that the way back has to make. */
export function fixedValues(node: Node): Map<string, Scalar> {
  const values = new Map<string, Scalar>();
  if (node.kind === 'map') {
    for (const { name, value } of node.entries.values()) {
      const isFixed = value.kind === 'scalar' && value.value !== 'present' && value.value !== 'absent';
      if (isFixed && name !== toldTest) {
        values.set(name, value.value);
      }
    }
  }
  return values;
}

function compileAny(node: Node, cursor: Cursor, build: Build): Condition {
  if (node.kind !== 'list') {
    build.problems.error(node.at, '"any" is a list of conditions.');
    return () => true;
  }
  const conditions = node.items.map((item) => compileCondition(item, cursor, build));
  return (scope, context) => conditions.some((condition) => condition(scope, context));
}

function compileTest(node: Node, field: Field, below: Cursor, build: Build): Test {
  if (node.kind === 'list') {
    const values = new Set(node.items.map((item) => scalarOf(item, field, build)));
    const isOne = (value: Json | undefined): boolean => isScalar(value) && values.has(value);
    return field.list ? (value) => Array.isArray(value) && value.some(isOne) : isOne;
  }
  if (node.kind === 'map') {
    return compileOperator(node.entries, node, field, below, build);
  }
  if (node.value === 'present') {
    return (value) => value !== undefined && !(Array.isArray(value) && value.length === 0);
  }
  if (node.value === 'absent') {
    return (value) => value === undefined || (Array.isArray(value) && value.length === 0);
  }
  const wanted = scalarOf(node, field, build);
  return field.list
    ? (value) => Array.isArray(value) && value.some((item) => item === wanted)
    : (value) => value === wanted;
}

const operators = ['not', 'mapped', 'among', 'some', 'none'];

function compileOperator(
  entries: ReadonlyMap<string, { name: string; at: Node['at']; value: Node }>,
  node: Node,
  field: Field,
  below: Cursor,
  build: Build,
): Test {
  const [entry] = entries.values();
  if (!entry || entries.size !== 1) {
    build.problems.error(node.at, `A test has exactly one of ${operators.join(', ')}.`);
    return () => true;
  }
  switch (entry.name) {
    case 'not': {
      const test = compileTest(entry.value, field, below, build);
      return (value, scope, context) => !test(value, scope, context);
    }
    case 'mapped': {
      const map = conceptMapNamed(entry.value, build);
      return (value, { record }) =>
        map !== undefined && typeof value === 'string' && targetOf(mapOn(map, record), value) !== undefined;
    }
    case 'among':
      return compileAmong(entry.value, below, build);
    case 'some':
    case 'none': {
      const inner = compileCondition(entry.value, below, build);
      const some = (value: Json | undefined, scope: Scope, context?: ProjectContext): boolean =>
        Array.isArray(value) &&
        value.filter(isObject).some((item) => inner(new RecordScope(scope.record, item), context));
      return entry.name === 'some' ? some : (value, scope, context) => !some(value, scope, context);
    }
    default:
      build.problems.error(entry.at, `There is no test "${entry.name}".${didYouMean(entry.name, operators)}`);
      return () => true;
  }
}

/** `{id: {among: /progress.replaces}}`: some item of a list of the record has this value in that field. */
function compileAmong(node: Node, cursor: Cursor, build: Build): Test {
  const [list = '', name = ''] = node.kind === 'scalar' ? String(node.value).split('.') : [];
  const found = fieldAt({ kind: 'scalar', value: list, at: node.at }, cursor, build);
  if (!found?.field.list || !found.path.fromRoot || !found.field.fields?.has(name)) {
    build.problems.error(node.at, '"among" is written /list.field, with a list of the record.');
    return () => true;
  }
  if (cursor.own) {
    build.uses.add([...found.path.names, name].join('.'));
  }
  const read = reader(found.path);
  return (value, scope) => {
    const items = read(scope);
    return value !== undefined && Array.isArray(items) && items.some((item) => isObject(item) && item[name] === value);
  };
}

function scalarOf(node: Node, field: Field, build: Build): Scalar {
  if (node.kind !== 'scalar') {
    build.problems.error(node.at, 'A single value is expected here.');
    return null;
  }
  const { value } = node;
  if (field.enum && typeof value === 'string' && !field.enum.includes(value)) {
    build.problems.error(node.at, `"${value}" is not a value of this field.${didYouMean(value, field.enum)}`);
  }
  return value;
}

function isScalar(value: Json | undefined): value is Scalar {
  return value !== undefined && (value === null || typeof value !== 'object');
}
