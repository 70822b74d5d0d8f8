// What all rules of one map share, and the few forms that they take: reading a field, testing a condition, making a place in the resource.

import type { Build, Cursor } from '../build.ts';
import type { Position } from '../positions.ts';
import type { RecordPath } from '../scope.ts';
import type { CodeTables } from './code-tables.ts';
import { always, both, type Condition, inFhirPath, literal, not, scopeOf, type Test } from './conditions.ts';
import { type LeftOut, Unsupported } from './left-out.ts';
import type { Around } from './presence.ts';
import type { Names, Rule } from './rules.ts';

/** What a map is made for: the constants that a record does not hold. */
export interface ExportOptions {
  readonly source: string;
  readonly identifierSystem: string;
  /** By identifier kind. */
  readonly identifierSystems: Readonly<Record<string, string>>;
}

/** One map in the making. */
export interface Writer {
  readonly build: Build;
  readonly options: ExportOptions;
  readonly names: Names;
  readonly tables: CodeTables;
  readonly leftOut: LeftOut[];
  /** Fields that are worked out by code before a record is mapped. */
  readonly derived: readonly string[];
}

/** Where paths start from, by the names that they have in the map. */
export interface Scope {
  readonly cursor: Cursor;
  /** The variable of the item at hand; the record's own outside any list. */
  readonly item: string;
  /** A field of the item that is there for certain: a condition hangs on an element that is read. */
  readonly anchor?: Anchor;
  /** In a list of codes: the one that these rules are about. */
  readonly code?: string;
}

export interface Anchor {
  readonly name: string;
  readonly isList: boolean;
}

export const record = 'record';

/** An object of the resource: a variable, and the names below it of objects that are made when something comes into them. */
export interface Target {
  readonly variable: string;
  readonly below: readonly string[];
}

/** Where a value goes. */
export interface Place {
  readonly parent: Target;
  readonly name: string;
  readonly isList: boolean;
  /** The variable of the item whose id the new one takes along. */
  readonly idOf?: string;
}

/** A template at its place: the element's path below the resource, and where its value goes. */
export interface Spot {
  readonly path: string;
  readonly type: string;
  readonly place: Place;
}

export function around({ build, options, derived }: Writer, { cursor, code }: Scope): Around {
  const identifierKinds = [...Object.keys(options.identifierSystems), ...build.systems.identifiers.keys()];
  return {
    cursor,
    build,
    derived,
    identifierKinds: [...new Set(identifierKinds)],
    ...(code !== undefined && { code }),
  };
}

export interface Made {
  readonly targets: readonly string[];
  readonly rules?: readonly Rule[];
}

/** Leaves a rule out where it cannot be written, and says so. */
export function orLeftOut(writer: Writer, element: string, write: () => Rule[]): Rule[] {
  try {
    return write();
  } catch (problem) {
    if (!(problem instanceof Unsupported)) throw problem;
    leaveOut(writer, element, problem.at, problem.message);
    return [];
  }
}

export function leaveOut({ build, leftOut }: Writer, element: string, at: Position, reason: string): void {
  leftOut.push({ record: build.recordType, slot: build.slot, element, at: `${at.path}:${at.line}`, reason });
}

/** The scope of the items of a list. */
export function itemScope(cursor: Cursor, item: string): Scope {
  const required = [...(cursor.item.fields ?? [])].find(([, field]) => field.required && !field.list);
  return { cursor, item, ...(required && { anchor: { name: required[0], isList: false } }) };
}

export interface How {
  readonly at: Position;
  /** What is made must not be made twice: it would come into a list, or say it all over again. */
  readonly once: boolean;
}

/** A rule that reads a field and makes something of it, where the condition holds. */
export function read(
  writer: Writer,
  path: RecordPath,
  scope: Scope,
  condition: Condition,
  how: How,
  make: (variable: string) => Made,
): Rule[] {
  const on = scopeOf(path, scope.cursor);
  const from = on === 'record' ? record : scope.item;
  return waysOf(condition, on, how).flatMap(({ here, there }) => {
    const reading = (): Rule => chain(writer, from, path.names, inFhirPath(here) || undefined, how.at, make);
    return testing(on === 'record' ? 'item' : 'record', there, scope, how.at, () => ({
      targets: [],
      rules: [reading()],
    }));
  });
}

/** A rule that makes something where the condition holds; `make` gets the scope with what is certain in it. */
export function given(condition: Condition, scope: Scope, how: How, make: (scope: Scope) => Made): Rule[] {
  return waysOf(condition, 'record', how).flatMap(({ here, there }) =>
    isAlways(here) && isAlways(there)
      ? [{ source: scope.item, rules: [], at: how.at, ...make(scope) }]
      : isAlways(there)
        ? testing('record', here, scope, how.at, make)
        : testing('record', here, scope, how.at, () => ({
            targets: [],
            rules: testing('item', there, scope, how.at, make),
          })),
  );
}

/**
 * The engine tests a source before it walks its items, and sees only what the source is read from. So tests on the record and on the item stand
 * at different rules, and what has to be made once cannot have two ways to it.
 */
function waysOf(condition: Condition, on: Test['on'], { at, once }: How): { here: Condition; there: Condition }[] {
  if (condition.length === 0) return [];
  if (isAlways(condition)) return [{ here: always, there: always }];
  const isHere = (test: Test): boolean => test.on === on;
  if (condition.every((tests) => tests.every(isHere))) return [{ here: condition, there: always }];
  if (condition.every((tests) => !tests.some(isHere))) return [{ here: always, there: condition }];
  if (once && condition.length > 1) throw new Unsupported('its condition asks of the record or of the list item', at);
  return condition.map((tests) => {
    const [here, there] = [tests.filter(isHere), tests.filter((test) => !isHere(test))];
    return { here: here.length === 0 ? always : [here], there: there.length === 0 ? always : [there] };
  });
}

function isAlways(condition: Condition): boolean {
  return condition.some((tests) => tests.length === 0);
}

/** One rule that tests, or where nothing is certain in an item, one for each way in which the condition can hold. */
function testing(
  on: Test['on'],
  condition: Condition,
  scope: Scope,
  at: Position,
  make: (scope: Scope) => Made,
): Rule[] {
  if (isAlways(condition)) {
    const { targets, rules = [] } = make(scope);
    return targets.length === 0 ? [...rules] : [{ source: scope.item, targets, rules, at }];
  }
  const rule = (source: string, where: Condition, below: Scope): Rule => ({
    source,
    where: inFhirPath(where),
    rules: [],
    at,
    ...make(below),
  });
  if (on === 'record') return [rule(`${record}.id`, condition, scope)];
  if (scope.anchor) return [rule(sourceAt(scope.item, scope.anchor), condition, scope)];
  return apart(condition).map((tests) => {
    const anchor = anchorIn(tests, scope, at);
    return rule(sourceAt(scope.item, anchor), [tests], { ...scope, anchor });
  });
}

function sourceAt(item: string, { name, isList }: Anchor): string {
  return `${item}.${name}${isList ? ' first' : ''}`;
}

/** The same condition, of which at most one alternative holds. */
function apart(condition: Condition): Condition {
  return condition.flatMap((tests, index) => both([tests], not(condition.slice(0, index))));
}

function anchorIn(tests: readonly Test[], { cursor }: Scope, at: Position): Anchor {
  for (const { path, absent } of tests) {
    const [name = ''] = /^\w+/.exec(path) ?? [];
    const field = absent ? undefined : cursor.item.fields?.get(name);
    if (field) return { name, isList: field.list };
  }
  throw new Unsupported('nothing is certain in its items, on which a condition could stand', at);
}

function chain(
  writer: Writer,
  from: string,
  names: readonly string[],
  where: string | undefined,
  at: Position,
  make: (variable: string) => Made,
): Rule {
  const [name, ...rest] = names;
  if (name === undefined) {
    if (where !== undefined) throw new Unsupported('a plain value of a list cannot be tested', at);
    return { source: from, rules: [], at, ...make(from) };
  }
  const variable = writer.names.make('from', name);
  const source = { source: `${from}.${name}`, variable, ...(where !== undefined && { where }), at };
  if (rest.length === 0) return { rules: [], ...source, ...make(variable) };
  return { ...source, targets: [], rules: [chain(writer, variable, rest, undefined, at, make)] };
}

/** Makes an object at the place: the way to it, and the variable under which it is filled. */
export function create(
  writer: Writer,
  place: Place,
  at: Position,
): { variable: string; targets: string[]; rules: Rule[] } {
  const parent = open(writer, place.parent);
  const variable = writer.names.make('to', place.name);
  const rules: Rule[] = [];
  if (place.idOf !== undefined) {
    const id = writer.names.make('from', 'id');
    rules.push({ source: `${place.idOf}.id`, variable: id, targets: [`${variable}.id = ${id}`], rules: [], at });
  }
  return { variable, targets: [...parent.targets, `${parent.variable}.${place.name} as ${variable}`], rules };
}

export function assign(writer: Writer, place: Place, expression: string): string[] {
  const parent = open(writer, place.parent);
  return [...parent.targets, `${parent.variable}.${place.name} = ${expression}`];
}

/** The object itself, with the objects around it made where they are not there yet. */
function open(writer: Writer, { variable, below }: Target): { variable: string; targets: string[] } {
  const targets: string[] = [];
  let last = variable;
  for (const name of below) {
    const next = writer.names.make('to', name);
    targets.push(`${last}.${name} as ${next}`);
    last = next;
  }
  return { variable: last, targets };
}

/** Targets that put a coding into a list of them. */
export function codingTargets(
  writer: Writer,
  concept: string,
  { system, code, display }: { system?: string; code: string; display?: string },
): string[] {
  const variable = writer.names.make('to', 'coding');
  return [`${concept}.coding as ${variable}`, ...codingParts(variable, { system, code, display })];
}

export function codingParts(
  variable: string,
  { system, code, display }: { system?: string | undefined; code: string; display?: string | undefined },
): string[] {
  return [
    ...(system === undefined ? [] : [`${variable}.system = ${literal(system)}`]),
    `${variable}.code = ${code}`,
    ...(display === undefined ? [] : [`${variable}.display = ${display}`]),
  ];
}
