// When a rule makes something: for objects that are made only when the record says something in them, and for alternatives of which the first that
// is there wins.

import { isDeepStrictEqual } from 'node:util';
import { childNames } from '../../fhir/fhir.ts';
import type { Field } from '../../records/records.ts';
import { type Build, type Cursor, childPlace, conceptMapNamed, cursorIn, fieldAt, isPlainText } from '../build.ts';
import { targetOf } from '../concept-map.ts';
import type { MapNode, Node } from '../positions.ts';
import type { RecordPath } from '../scope.ts';
import { isRule, modifierKeys } from '../template.ts';
import {
  always,
  both,
  type Condition,
  checkReadable,
  conditionOf,
  criterionOf,
  either,
  filter,
  never,
  not,
  pathOf,
  says,
  saysAt,
  scopeOf,
} from './conditions.ts';
import { Unsupported } from './left-out.ts';

/**
 * `there`: the record says something, whatever becomes of it; throws Unsupported where that cannot be told. `made`: a value comes out of what
 * can be written of the rule.
 */
export type Presence = 'there' | 'made';

export interface Around {
  readonly cursor: Cursor;
  readonly build: Build;
  /** Identifier kinds that have a system. */
  readonly identifierKinds: readonly string[];
  /** In a list of codes: the one that is asked about, which becomes something. */
  readonly code?: string;
  /** Fields that are worked out by code before a record is mapped. */
  readonly derived?: readonly string[];
}

export function presence(node: Node, path: string, kind: Presence, around: Around): Condition {
  if (kind === 'there') return presenceOf(node, path, kind, around);
  try {
    return presenceOf(node, path, kind, around);
  } catch (problem) {
    if (problem instanceof Unsupported) return never;
    throw problem;
  }
}

/** True for what says nothing of the record: fixed parts. */
export function isConstant(node: Node, path: string, build: Build): boolean {
  if (node.kind === 'scalar') return true;
  if (node.kind === 'list') return node.items.every((item) => isConstant(item, path, build));
  if (!isRule(node, path, build)) {
    return partsOf(node, path, build).every(({ value, below }) => isConstant(value, below, build));
  }
  const alternatives = listIn(node, 'first');
  if (alternatives) return alternatives.every((item) => isConstant(item, path, build));
  return ['fixed', 'local', 'identifierSystem'].some((word) => node.entries.has(word)) && !node.entries.has('each');
}

/** The FHIR elements of an object template. */
export function partsOf(node: MapNode, path: string, build: Build): { name: string; value: Node; below: string }[] {
  const names = childNames(build.resourceType, path);
  return [...node.entries.values()]
    .filter(({ name }) => names.includes(name) || !['requires', ...modifierKeys].includes(name))
    .map(({ name, value }) => ({ name, value, below: path === '' ? name : `${path}.${name}` }));
}

export function requiredOf(node: MapNode, path: string, build: Build): string[] {
  const required = childNames(build.resourceType, path).includes('requires') ? undefined : node.entries.get('requires');
  const items = required?.value.kind === 'list' ? required.value.items : required ? [required.value] : [];
  return items.flatMap((item) => (isPlainText(item) ? [item.value] : []));
}

/** A modifier of a rule, or of an object template whose type has no element of that name. */
export function modifier(node: MapNode, name: string, path: string, build: Build): Node | undefined {
  const taken = isRule(node, path, build) ? [] : childNames(build.resourceType, path);
  return taken.includes(name) ? undefined : node.entries.get(name)?.value;
}

export function listIn(node: MapNode, word: string): readonly Node[] | undefined {
  const value = node.entries.get(word)?.value;
  return value?.kind === 'list' ? value.items : undefined;
}

export interface Picked {
  /** FHIRPath from the record to the item. */
  readonly path: string;
  readonly cursor: Cursor;
}

/** `pick`: the last item of a list that fulfils a condition. */
export function pickedBy(node: Node, { cursor, build }: Around): Picked {
  const from = node.kind === 'map' ? node.entries.get('from')?.value : undefined;
  const where = node.kind === 'map' ? node.entries.get('where')?.value : undefined;
  const found = from && fieldAt(from, cursor, build);
  if (!found || !where || scopeOf(found.path, cursor) !== 'record') {
    throw new Unsupported('only a list of the record itself can be picked from', node.at);
  }
  const below = cursorIn(cursor, found.path, found.field);
  return { path: `${pathOf(found.path)}${filter(criterionOf(where, below, build))}.last()`, cursor: below };
}

function presenceOf(node: Node, path: string, kind: Presence, around: Around): Condition {
  if (node.kind === 'scalar') return always;
  if (node.kind === 'list')
    return anyOf(
      node.items.map((item) => ({ node: item, path })),
      kind,
      around,
    );
  const when = modifier(node, 'when', path, around.build);
  const condition = when ? conditionOf(when, around.cursor, around.build) : always;
  if (modifier(node, 'via', path, around.build)) throw new Unsupported('it reads another record', node.at);
  const pick = modifier(node, 'pick', path, around.build);
  if (pick) return both(condition, pickPresence(node, pick, around));
  return both(
    condition,
    isRule(node, path, around.build) ? ofRule(node, path, kind, around) : ofObject(node, path, kind, around),
  );
}

function ofObject(node: MapNode, path: string, kind: Presence, around: Around): Condition {
  const parts = partsOf(node, path, around.build).map(({ name, value, below }) => ({ name, node: value, path: below }));
  const required = requiredOf(node, path, around.build);
  const needed = parts.filter(({ name }) => required.includes(name));
  if (kind === 'made' && needed.length > 0) {
    return needed.map((part) => presence(part.node, part.path, kind, around)).reduce(both, always);
  }
  const variable = parts.filter((part) => !isConstant(part.node, part.path, around.build));
  const telling = variable.filter((part) => needed.includes(part));
  return anyOf(telling.length > 0 ? telling : variable.length > 0 ? variable : parts, kind, around);
}

/** One of several parts; fixed ones tell only where there are no others. */
function anyOf(parts: readonly { node: Node; path: string }[], kind: Presence, around: Around): Condition {
  const variable = parts.filter(({ node, path }) => !isConstant(node, path, around.build));
  return either(
    ...(variable.length > 0 ? variable : parts).map(({ node, path }) => presence(node, path, kind, around)),
  );
}

function ofRule(node: MapNode, path: string, kind: Presence, around: Around): Condition {
  const { build, cursor } = around;
  const alternatives = listIn(node, 'first');
  if (alternatives) return ofFirst(alternatives, path, kind, around);
  // An attached text begins with words that are always there.
  if (node.entries.has('document')) return always;
  if (node.entries.has('narrative')) throw new Unsupported('a text for people', node.at);
  if (node.entries.has('each')) return ofEach(node, around);
  if (node.entries.has('identifierSystem')) return kind === 'made' ? ofIdentifierSystem(node, around) : always;
  if (['fixed', 'local', 'slot'].some((word) => node.entries.has(word))) return always;
  const from = readField(node, 'from', around);
  if (around.code !== undefined && from.path.names.length === 0) return always;
  const mapNode = node.entries.get('code')?.value;
  if (kind === 'made' && mapNode) {
    const map = conceptMapNamed(mapNode, build);
    const codes = map ? [...map.codes].filter((code) => targetOf(map, code) !== undefined) : [];
    const isWhole = map?.unmapped !== undefined || from.field.enum?.every((code) => codes.includes(code));
    return isWhole ? says(from.path, cursor) : says(from.path, cursor, codes);
  }
  return says(from.path, cursor);
}

/** Of alternatives the first that is there counts; it may be there and make nothing, as a code does that goes nowhere. */
function ofFirst(alternatives: readonly Node[], path: string, kind: Presence, around: Around): Condition {
  if (kind === 'there') return either(...alternatives.map((item) => presence(item, path, kind, around)));
  const made: Condition[] = [];
  let before: Condition = always;
  for (const item of alternatives) {
    const here = presence(item, path, 'made', around);
    made.push(both(before, here));
    try {
      const there = presence(item, path, 'there', around);
      if (!isDeepStrictEqual(here, there)) before = both(before, not(there));
    } catch (problem) {
      if (problem instanceof Unsupported) break;
      throw problem;
    }
  }
  return either(...made);
}

function ofEach(node: MapNode, { cursor, build }: Around): Condition {
  const found = readField(node, 'each', { cursor, build, identifierKinds: [] });
  const where = node.entries.get('where')?.value;
  if (!where) return says(found.path, cursor);
  const criterion = criterionOf(where, cursorIn(cursor, found.path, found.field), build);
  return saysAt(scopeOf(found.path, cursor), `${pathOf(found.path)}${filter(criterion)}`);
}

function ofIdentifierSystem(node: MapNode, around: Around): Condition {
  const kind = readField(node, 'identifierSystem', around);
  const own = node.entries.has('own') ? readField(node, 'own', around) : undefined;
  return either(
    own ? says(own.path, around.cursor) : never,
    around.identifierKinds.length > 0 ? says(kind.path, around.cursor, around.identifierKinds) : never,
  );
}

function pickPresence(node: MapNode, pick: Node, around: Around): Condition {
  const { path, cursor } = pickedBy(pick, around);
  const from = readField(node, 'from', { ...around, cursor });
  return saysAt('record', `${path}.${pathOf(from.path)}`);
}

export function readField(
  node: MapNode,
  word: string,
  { cursor, build, derived = [] }: Around,
): { path: RecordPath; field: Field } {
  const from = node.entries.get(word)?.value;
  const found = from && fieldAt(from, cursor, build);
  if (!found) throw new Unsupported('it reads no field of the record', node.at);
  checkReadable(found.path, node.at);
  if (derived.includes([...cursor.prefix, ...found.path.names].join('.'))) {
    throw new Unsupported('a value that is worked out before the record is mapped', node.at);
  }
  return found;
}

/** The place below another, as checked when the mapping was loaded. */
export function placeAt(name: string, path: string, node: Node, build: Build) {
  const place = childPlace(name, path, node.at, build);
  if (!place) throw new Unsupported('it fills no element of R4', node.at);
  return place;
}
