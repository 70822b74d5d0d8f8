// `when` and `where`: tests on record fields, compiled to one function. All entries must hold; a list of values means one of them.

import { isObject, type Json } from '../json.ts';
import { didYouMean, nearest } from '../nearest.ts';
import type { Field, FieldKind } from '../records/records.ts';
import { isRecordType } from '../records/records.ts';
import { type Build, type Cursor, conceptMapNamed, cursorAt, cursorIn, fieldAt, isTrue } from './build.ts';
import { mapOn, targetOf } from './concept-map.ts';
import { isOfKind, type ValueKind } from './notation.ts';
import type { MapNode, Node, Scalar, ScalarNode } from './positions.ts';
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

const always = (): true => true;

/** The field that a test is on. */
interface Tested {
  readonly name: string;
  readonly field: Field;
  /** Within its items. */
  readonly below: Cursor;
}

/**
 * Compiles a map of tests:
 * `{status: active}`, `{status: [a, b]}`, `{x: present}`, `{x: absent}`, `{x: {not: value}}`, `{domain: {mapped: conceptMap}}`,
 * `{id: {among: /progress.replaces}}`, `{history: {some: {...}}}`, `{history: {none: {...}}}`, `{any: [{...}, {...}]}`, `{told: true}`, `{via: {clientId: client}, ...}`.
 */
export function compileCondition(node: Node, cursor: Cursor, build: Build): Condition {
  if (node.kind !== 'map' || node.entries.size === 0) {
    build.problems.error(node.at, 'A condition is a map from record fields to values, at least one.');
    return always;
  }
  const viaNode = node.entries.get('via')?.value;
  if (viaNode) {
    const via = compileVia(viaNode, cursor, build);
    const rest = new Map([...node.entries].filter(([name]) => name !== 'via'));
    // With no test beside it, it asks for the record alone.
    const inner =
      via && rest.size > 0 ? compileCondition({ kind: 'map', at: node.at, entries: rest }, via.cursor, build) : always;
    return (scope, context) => {
      const other = via?.scope(scope, context);
      return other !== undefined && inner(other, context);
    };
  }
  const tests = [...node.entries.values()].map((entry): Condition => {
    if (entry.name === 'any') {
      return compileAny(entry.value, cursor, build);
    }
    if (entry.name === toldTest) {
      if (!isTrue(entry.value)) {
        build.problems.error(entry.value.at, `"${toldTest}" is true, or left out: there is no test for the others.`);
      }
      return (scope, context) => context?.isTold?.(scope.item) !== false;
    }
    const found = fieldAt({ kind: 'scalar', value: entry.name, at: entry.at }, cursor, build);
    if (!found) {
      return always;
    }
    const read = reader(found.path);
    const below = cursorIn(cursor, found.path, found.field);
    const test = compileTest(entry.value, { name: entry.name, field: found.field, below }, build);
    return (scope, context) => test(read(scope), scope, context);
  });
  const [only] = tests;
  return tests.length === 1 && only ? only : (scope, context) => tests.every((test) => test(scope, context));
}

/** `via: {caseId: case}`: the record that an id points to. */
export function compileVia(node: Node, cursor: Cursor, build: Build): Elsewhere | undefined {
  const [entry] = node.kind === 'map' && node.entries.size === 1 ? node.entries.values() : [];
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
  if (node.kind !== 'list' || node.items.length === 0) {
    build.problems.error(node.at, '"any" is a list of conditions, at least one.');
    return always;
  }
  const conditions = node.items.map((item) => compileCondition(item, cursor, build));
  return (scope, context) => conditions.some((condition) => condition(scope, context));
}

function compileTest(node: Node, tested: Tested, build: Build): Test {
  const { name, field } = tested;
  if (node.kind === 'list') {
    if (node.items.length === 0) {
      build.problems.error(node.at, `A test of "${name}" needs at least one value.`);
    }
    const values = new Set(node.items.map((item) => scalarOf(item, tested, build)));
    const isOne = (value: Json | undefined): boolean => isScalar(value) && values.has(value);
    return field.list ? (value) => Array.isArray(value) && value.some(isOne) : isOne;
  }
  if (node.kind === 'map') {
    return compileOperator(node, tested, build);
  }
  if (node.value === 'present') {
    return (value) => value !== undefined && !(Array.isArray(value) && value.length === 0);
  }
  if (node.value === 'absent') {
    return (value) => value === undefined || (Array.isArray(value) && value.length === 0);
  }
  checkPresence(node, tested, build);
  const wanted = scalarOf(node, tested, build);
  return field.list
    ? (value) => Array.isArray(value) && value.some((item) => item === wanted)
    : (value) => value === wanted;
}

const presence = ['present', 'absent'];

/** Where any text may stand, a slip of the pen in one of these words would be compared as a text. */
function checkPresence({ value, at }: ScalarNode, { field }: Tested, { problems }: Build): void {
  const meant = typeof value === 'string' && valueKindOf(field) === 'text' && !field.enum && nearest(value, presence);
  if (meant) {
    problems.error(at, `Did you mean "${meant}"? Where the text "${value}" itself is meant, write [${value}].`);
  }
}

const operators = ['not', 'mapped', 'among', 'some', 'none'];

function compileOperator(node: MapNode, tested: Tested, build: Build): Test {
  const { name, field, below } = tested;
  const [entry] = node.entries.values();
  if (!entry || node.entries.size !== 1) {
    build.problems.error(node.at, `A test has exactly one of ${operators.join(', ')}.`);
    return always;
  }
  switch (entry.name) {
    case 'not': {
      const test = compileTest(entry.value, tested, build);
      return (value, scope, context) => !test(value, scope, context);
    }
    case 'mapped': {
      const map = conceptMapNamed(entry.value, build);
      if (field.list || valueKindOf(field) !== 'text') {
        build.problems.error(entry.at, `"mapped" asks for one code; "${name}" is none.`);
      }
      return (value, { record }) =>
        map !== undefined && typeof value === 'string' && targetOf(mapOn(map, record), value) !== undefined;
    }
    case 'among':
      if (field.list || !valueKindOf(field)) {
        build.problems.error(entry.at, `"among" looks for one value; "${name}" is none.`);
      }
      return compileAmong(entry.value, below, build);
    case 'some':
    case 'none': {
      if (!field.list || !field.fields) {
        build.problems.error(entry.at, `"${entry.name}" looks into the items of a list; "${name}" has none.`);
        return always;
      }
      const inner = compileCondition(entry.value, below, build);
      const some = (value: Json | undefined, scope: Scope, context?: ProjectContext): boolean =>
        Array.isArray(value) &&
        value.filter(isObject).some((item) => inner(new RecordScope(scope.record, item), context));
      return entry.name === 'some' ? some : (value, scope, context) => !some(value, scope, context);
    }
    default:
      build.problems.error(entry.at, `There is no test "${entry.name}".${didYouMean(entry.name, operators)}`);
      return always;
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

function scalarOf(node: Node, { name, field }: Tested, build: Build): Scalar {
  const kind = valueKindOf(field);
  if (node.kind !== 'scalar') {
    build.problems.error(node.at, 'A single value is expected here.');
    return null;
  }
  if (!kind) {
    build.problems.error(
      node.at,
      `"${name}" is no single value: write present or absent${field.list ? ', or {some: {...}}' : ''}.`,
    );
    return null;
  }
  const { value } = node;
  if (value === null) {
    build.problems.error(node.at, 'No field of a record is null: write absent.');
  } else if (isOfKind(name, node, [kind], build.problems) && typeof value === 'string') {
    if (field.enum && !field.enum.includes(value)) {
      build.problems.error(node.at, `"${value}" is not a value of this field.${didYouMean(value, field.enum)}`);
    }
  }
  return value;
}

const kindsOfValues: Partial<Record<FieldKind, ValueKind | false>> = {
  boolean: 'boolean',
  number: 'number',
  integer: 'number',
  object: false,
  map: false,
};

/** What YAML has to write for a value of the field, or an item of it; false for what is no single value. */
function valueKindOf({ kind }: Field): ValueKind | false {
  return kindsOfValues[kind] ?? 'text';
}

function isScalar(value: Json | undefined): value is Scalar {
  return value !== undefined && (value === null || typeof value !== 'object');
}
