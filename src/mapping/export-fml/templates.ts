// Templates of a mapping as rules of a map: elements, objects, lists and alternatives. What one value becomes stands in values.ts.

import { cursorIn } from '../build.ts';
import type { MapNode, Node } from '../positions.ts';
import type { RecordPath } from '../scope.ts';
import { isRule, modifierKeys } from '../template.ts';
import { codesOfList } from './code-lists.ts';
import { always, both, type Condition, conditionOf, not, says } from './conditions.ts';
import { Unsupported } from './left-out.ts';
import {
  type Around,
  isConstant,
  listIn,
  modifier,
  partsOf,
  placeAt,
  presence,
  readField,
  requiredOf,
} from './presence.ts';
import type { Rule } from './rules.ts';
import { constantValue, pickedValue, ruleValue } from './values.ts';
import {
  around,
  create,
  given,
  itemScope,
  leaveOut,
  orLeftOut,
  read,
  type Scope,
  type Spot,
  type Target,
  type Writer,
} from './writer.ts';

/** The elements of a slot; an object without words of its own is only a heading for its parts. */
export function writeElements(writer: Writer, node: MapNode, path: string, parent: Target, scope: Scope): Rule[] {
  return [...node.entries.values()].flatMap((entry) => {
    const { fact, ...at } = placeAt(entry.name, path, entry.value, writer.build);
    const heading = fact.max <= 1 ? plainObject(entry.value, at.path, writer) : undefined;
    return heading
      ? writeElements(writer, heading, at.path, { ...parent, below: [...parent.below, entry.name] }, scope)
      : writeElement(writer, entry.name, entry.value, path, parent, scope, always, true);
  });
}

function plainObject(node: Node, path: string, { build }: Writer): MapNode | undefined {
  const rule: boolean = isRule(node, path, build);
  if (node.kind !== 'map' || rule) return undefined;
  return [...node.entries.keys()].some((name) => name === 'requires' || modifierKeys.includes(name)) ? undefined : node;
}

/** @param alone an element of the slot, whose fixed list entries need no others beside them */
function writeElement(
  writer: Writer,
  name: string,
  node: Node,
  path: string,
  parent: Target,
  scope: Scope,
  condition: Condition,
  alone: boolean,
): Rule[] {
  const { fact, type, path: at } = placeAt(name, path, node, writer.build);
  const isList = fact.max > 1;
  const spot: Spot = { path: at, type, place: { parent, name, isList } };
  checkListIsKnown(isList, path, parent, node, writer);
  if (!isList) return orLeftOut(writer, at, () => writeValue(writer, node, spot, scope, condition));
  if (node.kind !== 'list') return orLeftOut(writer, at, () => writeEntry(writer, node, spot, scope, condition));
  const said = alone ? always : presence(node, at, 'made', around(writer, scope));
  return node.items.flatMap((item) =>
    orLeftOut(writer, at, () =>
      writeEntry(writer, item, spot, scope, isConstant(item, at, writer.build) ? both(condition, said) : condition),
    ),
  );
}

/** The engine looks up whether an element is a list by the type around it, which it does not know below a choice such as value[x]. */
function checkListIsKnown(isList: boolean, path: string, { below }: Target, node: Node, { build }: Writer): void {
  const name = below.at(-1);
  if (!isList || name === undefined) return;
  const around = path.slice(0, path.length - name.length);
  for (let end = name.length - 1; end > 0; end -= 1) {
    if (/[A-Z]/.test(name.charAt(end)) && build.isChoice(`${around}${name.slice(0, end)}[x]`)) {
      throw new Unsupported('a list below a choice of types', node.at);
    }
  }
}

function writeEntry(writer: Writer, node: Node, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  if (
    node.kind === 'map' &&
    isRule(node, spot.path, writer.build) &&
    (node.entries.has('each') || readsList(node, scope, writer))
  ) {
    return writeEach(writer, node, spot, scope, conditioned(writer, node, spot.path, scope, condition));
  }
  return writeValue(writer, node, spot, scope, condition);
}

function writeValue(writer: Writer, node: Node, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  if (node.kind === 'list') throw new Unsupported('a list where one value stands', node.at);
  if (node.kind === 'scalar') return constantValue(writer, node, spot, scope, condition);
  const { build } = writer;
  const here = conditioned(writer, node, spot.path, scope, condition);
  const pick = modifier(node, 'pick', spot.path, build);
  if (pick) return pickedValue(writer, node, pick, spot, scope, here);
  if (!isRule(node, spot.path, build)) return writeObject(writer, node, spot, scope, here);
  const alternatives = listIn(node, 'first');
  return alternatives
    ? writeFirst(writer, alternatives, spot, scope, here)
    : ruleValue(writer, node, spot, scope, here, writeValue);
}

function conditioned(writer: Writer, node: MapNode, path: string, scope: Scope, condition: Condition): Condition {
  if (modifier(node, 'via', path, writer.build)) throw new Unsupported('it reads another record', node.at);
  const when = modifier(node, 'when', path, writer.build);
  return when ? both(condition, conditionOf(when, scope.cursor, writer.build)) : condition;
}

function writeObject(writer: Writer, node: MapNode, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  const { place } = spot;
  const made = both(condition, presence(node, spot.path, 'made', around(writer, scope)));
  if (made.length === 0) throw new Unsupported('what it needs is left out', node.at);
  if (!place.isList) {
    const target = { ...place.parent, below: [...place.parent.below, place.name] };
    return writeParts(writer, node, spot, target, scope, made);
  }
  return given(made, scope, { at: node.at, once: true }, (here) => {
    const { variable, targets, rules } = create(writer, place, node.at);
    return { targets, rules: [...rules, ...writeParts(writer, node, spot, { variable, below: [] }, here, always)] };
  });
}

function writeParts(
  writer: Writer,
  node: MapNode,
  { path }: Spot,
  target: Target,
  scope: Scope,
  made: Condition,
): Rule[] {
  const required = requiredOf(node, path, writer.build);
  return partsOf(node, path, writer.build).flatMap(({ name, value, below }) => {
    const write = (): Rule[] => writeElement(writer, name, value, path, target, scope, made, false);
    return required.includes(name) ? write() : orLeftOut(writer, below, write);
  });
}

/** The first that is there. Behind one that cannot be written, nobody knows whether its turn has come. */
function writeFirst(
  writer: Writer,
  alternatives: readonly Node[],
  spot: Spot,
  scope: Scope,
  condition: Condition,
): Rule[] {
  const rules: Rule[] = [];
  let before: Condition | undefined = condition;
  for (const item of alternatives) {
    const here: Condition | undefined = before;
    if (here === undefined) {
      leaveOut(writer, spot.path, item.at, 'it comes after a rule that is left out');
      continue;
    }
    rules.push(...orLeftOut(writer, spot.path, () => writeEntry(writer, item, spot, scope, here)));
    before = without(item, spot, here, around(writer, scope));
  }
  return rules;
}

function without(item: Node, spot: Spot, condition: Condition, about: Around): Condition | undefined {
  try {
    return both(condition, not(presence(item, spot.path, 'there', about)));
  } catch (problem) {
    if (problem instanceof Unsupported) return undefined;
    throw problem;
  }
}

function readsList(node: MapNode, { cursor }: Scope, { build }: Writer): boolean {
  if (!node.entries.has('from') || ['words', 'say', 'via', 'pick'].some((word) => node.entries.has(word))) return false;
  const { path, field } = readField(node, 'from', { cursor, build, identifierKinds: [] });
  return field.list && path.names.length > 0;
}

function writeEach(writer: Writer, node: MapNode, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  const { build } = writer;
  const isExplicit = node.entries.has('each');
  const { path, field } = readField(node, isExplicit ? 'each' : 'from', around(writer, scope));
  const item = isExplicit ? node.entries.get('item')?.value : onTheItem(node);
  if (!item) throw new Unsupported('it makes nothing of its items', node.at);
  const cursor = cursorIn(scope.cursor, path, field);
  const codes = codesOfList(item, { cursor, build, identifierKinds: [] }, field);
  if (codes) {
    const isDistinct = node.entries.has('distinct');
    return codeByCode(writer, item, path, codes.groups(isDistinct), spot, { ...scope, cursor }, scope, condition);
  }
  const where = node.entries.get('where')?.value;
  const filtered = where ? conditionOf(where, cursor, build) : always;
  const by = node.entries.get('by')?.value;
  const keepsId = by?.kind === 'scalar' && by.value === 'id';
  return read(writer, path, scope, condition, { at: node.at, once: true }, (variable) => ({
    targets: [],
    rules: writeValue(
      writer,
      item,
      { ...spot, place: { ...spot.place, ...(keepsId && { idOf: variable }) } },
      itemScope(cursor, variable),
      filtered,
    ),
  }));
}

const orderReason = 'only the order: of a list of codes each comes once, in the order of the ConceptMap';

/** The language cannot test a plain value of a list, so a list of known codes becomes one rule for each code, in the order of the ConceptMap. */
function codeByCode(
  writer: Writer,
  item: Node,
  path: RecordPath,
  groups: readonly (readonly string[])[],
  spot: Spot,
  below: Scope,
  scope: Scope,
  condition: Condition,
): Rule[] {
  const [, ...more] = groups;
  if (more.length > 0) leaveOut(writer, spot.path, item.at, orderReason);
  return groups.flatMap((codes) => {
    const [code = ''] = codes;
    const held = both(condition, says(path, scope.cursor, codes));
    return writeValue(writer, item, spot, { ...below, code }, held);
  });
}

/** A rule on a list of plain values is the same rule on each of them. */
function onTheItem(node: MapNode): MapNode {
  const entries = new Map([...node.entries].filter(([name]) => !modifierKeys.includes(name)));
  const from = entries.get('from');
  if (from) entries.set('from', { ...from, value: { kind: 'scalar', value: '.', at: from.value.at } });
  return { ...node, entries };
}
