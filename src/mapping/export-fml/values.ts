// What one value becomes in a map: for each converter of the notation the targets that do the same.

import { conceptMapNamed, isPlainText } from '../build.ts';
import { type ConceptMap, codingsOf, targetOf, textOf } from '../concept-map.ts';
import type { MapNode, Node, ScalarNode } from '../positions.ts';
import { codingOf, localSystem, urlOf } from '../systems.ts';
import type { CodeGroup } from './code-tables.ts';
import { both, type Condition, literal, not, pathOf, says, saysAt } from './conditions.ts';
import { Unsupported } from './left-out.ts';
import { pickedBy, placeAt, presence, readField } from './presence.ts';
import type { Rule } from './rules.ts';
import {
  around,
  assign,
  codingParts,
  codingTargets,
  create,
  given,
  leaveOut,
  type Made,
  read,
  record,
  type Scope,
  type Spot,
  type Writer,
} from './writer.ts';

type WriteValue = (writer: Writer, node: Node, spot: Spot, scope: Scope, condition: Condition) => Rule[];

export function constantValue(
  writer: Writer,
  node: ScalarNode,
  { place }: Spot,
  scope: Scope,
  condition: Condition,
): Rule[] {
  const { value } = node;
  if (value === null) throw new Unsupported('it has no value', node.at);
  const once = place.isList;
  return given(condition, scope, { at: node.at, once }, () => ({ targets: assign(writer, place, literal(value)) }));
}

export function ruleValue(
  writer: Writer,
  node: MapNode,
  spot: Spot,
  scope: Scope,
  condition: Condition,
  writeValue: WriteValue,
): Rule[] {
  const has = (word: string): boolean => node.entries.has(word);
  if (has('fixed')) return fixed(writer, node, spot, scope, condition);
  if (has('local')) return local(writer, node, spot, scope, condition);
  if (has('slot')) return slotReference(writer, node, spot, scope, condition);
  if (has('narrative') || has('document')) throw new Unsupported('a text for people', node.at);
  if (has('identifierSystem')) return identifierSystem(writer, node, spot, scope, condition);
  if (has('reference')) return reference(writer, node, spot, scope, condition);
  if (has('code')) return code(writer, node, spot, scope, condition, writeValue);
  if (has('words')) return words(writer, node, spot, scope, condition);
  if (has('say')) return say(writer, node, spot, scope, condition);
  if (has('plus')) throw new Unsupported('a time so many minutes after another', node.at);
  if (has('canonical')) return canonical(writer, node, spot, scope, condition);
  return copy(writer, node, spot, scope, condition);
}

function fixed(writer: Writer, node: MapNode, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  const value = node.entries.get('fixed')?.value;
  const { build } = writer;
  if (!isPlainText(value) || ['code', 'string'].includes(spot.type)) {
    if (value?.kind !== 'scalar') throw new Unsupported('it has no value', node.at);
    return constantValue(writer, value, spot, scope, condition);
  }
  if (['uri', 'url', 'canonical'].includes(spot.type)) {
    const url = urlOf(value.value, build.systems, value.at, build.problems);
    return constantValue(writer, { ...value, value: url ?? null }, spot, scope, condition);
  }
  const coding = codingOf(value.value, build.systems, value.at, build.problems);
  const text = node.entries.get('text')?.value;
  if (!coding) throw new Unsupported('it has no code', node.at);
  return codings(writer, node, spot, scope, condition, {
    codings: [{ system: coding.system, code: () => literal(coding.code) }],
    ...(isPlainText(text) && { text: () => literal(text.value) }),
  });
}

function local(writer: Writer, node: MapNode, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  const value = node.entries.get('local')?.value;
  const [name = '', of = ''] = isPlainText(value) ? value.value.split('#') : [];
  const system = localSystem(writer.options.identifierSystem, name);
  return codings(writer, node, spot, scope, condition, { codings: [{ system, code: () => literal(of) }] });
}

/** Codings that are the same in every resource. */
function codings(
  writer: Writer,
  node: MapNode,
  spot: Spot,
  scope: Scope,
  condition: Condition,
  group: Pick<CodeGroup, 'codings' | 'text'>,
): Rule[] {
  return given(condition, scope, { at: node.at, once: true }, () => concept(writer, spot, node, group, ''));
}

function code(
  writer: Writer,
  node: MapNode,
  spot: Spot,
  scope: Scope,
  condition: Condition,
  writeValue: WriteValue,
): Rule[] {
  const { path, field } = readField(node, 'from', around(writer, scope));
  const map = mapOf(node, 'code', spot, writer);
  if (path.names.length === 0 && scope.code !== undefined) {
    return codings(writer, node, spot, scope, condition, groupOf(map, scope.code, writer));
  }
  const textNode = node.entries.get('text')?.value;
  const groups = knownOnly(writer, node, spot)
    ? writer.tables.groups(map, field).filter(({ test }) => test !== 'not-in')
    : writer.tables.groups(map, field);
  if (textNode && spot.place.isList) throw new Unsupported('a text beside a code in a list', node.at);
  const rules = groups.flatMap((group) => {
    const here = both(condition, groupCondition(group, path, scope));
    const { text, ...rest } = group;
    const once = spot.place.isList || spot.type !== 'code';
    return read(writer, path, scope, here, { at: node.at, once }, (variable) =>
      concept(writer, spot, node, textNode ? rest : { ...rest, ...(text && { text }) }, variable),
    );
  });
  return textNode
    ? [
        ...rules,
        ...textBeside(
          writer,
          textNode,
          spot,
          scope,
          condition,
          presence(node, spot.path, 'made', around(writer, scope)),
          writeValue,
        ),
      ]
    : rules;
}

/** A rule of its own for codes outside the ConceptMap is left out, and so are they. */
function knownOnly(writer: Writer, node: MapNode, { path }: Spot): boolean {
  const policy = node.entries.get('unmapped')?.value;
  if (!policy) return false;
  leaveOut(writer, path, policy.at, 'what becomes of codes that the ConceptMap does not list');
  return true;
}

function textBeside(
  writer: Writer,
  node: Node,
  { path, place }: Spot,
  scope: Scope,
  condition: Condition,
  made: Condition,
  writeValue: WriteValue,
): Rule[] {
  const parent = { ...place.parent, below: [...place.parent.below, place.name] };
  const { path: at, type } = placeAt('text', path, node, writer.build);
  const spot: Spot = { path: at, type, place: { parent, name: 'text', isList: false } };
  const text: Node = isPlainText(node)
    ? { kind: 'map', at: node.at, entries: new Map([['from', { name: 'from', at: node.at, value: node }]]) }
    : node;
  return writeValue(writer, text, spot, scope, both(condition, made));
}

function groupCondition(
  { codes, test }: Pick<CodeGroup, 'codes' | 'test'>,
  path: Parameters<typeof says>[0],
  { cursor }: Scope,
): Condition {
  const listed = says(path, cursor, codes);
  return test === 'in' ? listed : test === 'not-in' ? not(listed) : [[]];
}

/** A code, a coding or a concept. */
function concept(
  writer: Writer,
  { type, place }: Spot,
  node: Node,
  { codings: all, text }: Pick<CodeGroup, 'codings' | 'text'>,
  variable: string,
): Made {
  const [first] = all;
  if (!first) throw new Unsupported('it has no code', node.at);
  if (type === 'code') return { targets: assign(writer, place, first.code(variable)) };
  const made = create(writer, place, node.at);
  const wanted = type === 'Coding' ? [first] : all;
  const targets = wanted.flatMap((coding) => {
    const { system } = coding;
    const parts = { system, code: coding.code(variable), display: coding.display?.(variable) };
    return type === 'Coding' ? codingParts(made.variable, parts) : codingTargets(writer, made.variable, parts);
  });
  const said = text && type === 'CodeableConcept' ? [`${made.variable}.text = ${text(variable)}`] : [];
  return { targets: [...made.targets, ...targets, ...said], rules: made.rules };
}

/** What one known code becomes, all of it fixed. */
function groupOf(map: ConceptMap, of: string, { options }: Writer): Pick<CodeGroup, 'codings' | 'text'> {
  const target = targetOf(map, of);
  const text = textOf(map, of);
  return {
    codings: (target ? codingsOf(map, target, of, options.identifierSystem) : []).map(
      ({ system, code: to, display }) => ({
        system,
        code: () => literal(to),
        ...(display !== undefined && { display: () => literal(display) }),
      }),
    ),
    ...(text !== undefined && { text: () => literal(text) }),
  };
}

function words(writer: Writer, node: MapNode, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  const { path, field } = readField(node, 'from', around(writer, scope));
  const { place } = spot;
  if (field.list) throw new Unsupported('a list put into one text', node.at);
  return writer.tables
    .words(mapOf(node, 'words', spot, writer), field)
    .flatMap((group) =>
      read(
        writer,
        path,
        scope,
        both(condition, groupCondition(group, path, scope)),
        { at: node.at, once: place.isList },
        (variable) => ({ targets: assign(writer, place, group.words(variable)) }),
      ),
    );
}

function say(writer: Writer, node: MapNode, { place }: Spot, scope: Scope, condition: Condition): Rule[] {
  const { path, field } = readField(node, 'from', around(writer, scope));
  const sentence = node.entries.get('say')?.value;
  if (field.list || place.isList || !isPlainText(sentence)) throw new Unsupported('a list put into one text', node.at);
  const [before = '', after = ''] = sentence.value.split('{}');
  return read(writer, path, scope, condition, { at: node.at, once: true }, (variable) => {
    const begun = assign(writer, place, `append(${literal(before)}, ${variable})`);
    if (after === '') return { targets: begun };
    const half = writer.names.make('to', place.name);
    return {
      targets: [
        ...begun.slice(0, -1),
        `${begun.at(-1)} as ${half}`,
        ...assign(writer, place, `append(${half}, ${literal(after)})`),
      ],
    };
  });
}

/** A reference is `Type/<record id>`: what a server gives as ids is not the map's to know. */
function reference(writer: Writer, node: MapNode, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  const { path } = readField(node, 'from', around(writer, scope));
  const target = targetType(node.entries.get('reference')?.value, writer);
  return read(writer, path, scope, condition, { at: node.at, once: true }, (variable) =>
    pointing(writer, spot, node, target, variable),
  );
}

function slotReference(writer: Writer, node: MapNode, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  const name = node.entries.get('slot')?.value;
  const entry = isPlainText(name) ? writer.build.slots.get(writer.build.recordType)?.get(name.value) : undefined;
  if (!entry) throw new Unsupported('it points to no slot', node.at);
  const by = entry.each === undefined ? 'id' : (entry.by ?? 'id');
  const path = { text: by, fromRoot: entry.each === undefined, fromOuter: false, names: [by] };
  return read(writer, path, scope, condition, { at: node.at, once: true }, (variable) =>
    pointing(writer, spot, node, entry.resourceType, variable),
  );
}

function pointing(writer: Writer, { place }: Spot, node: Node, type: string, id: string): Made {
  const made = create(writer, place, node.at);
  return {
    targets: [...made.targets, `${made.variable}.reference = append(${literal(`${type}/`)}, ${id})`],
    rules: made.rules,
  };
}

function targetType(node: Node | undefined, { build }: Writer): string {
  const [type = '', named] = isPlainText(node) ? node.value.split('#') : [];
  const slots = build.slots.get(type);
  const entry = named === undefined ? [...(slots?.values() ?? [])][0] : slots?.get(named);
  if (!entry || !node)
    throw new Error(`no slot for a reference of ${build.recordType}: the mapping has not been compiled`);
  return entry.resourceType;
}

function identifierSystem(writer: Writer, node: MapNode, { place }: Spot, scope: Scope, condition: Condition): Rule[] {
  const kind = readField(node, 'identifierSystem', around(writer, scope));
  const own = node.entries.has('own') ? readField(node, 'own', around(writer, scope)) : undefined;
  const how = { at: node.at, once: place.isList };
  const taken = own
    ? read(writer, own.path, scope, condition, how, (variable) => ({ targets: assign(writer, place, variable) }))
    : [];
  const missing = own ? both(condition, not(says(own.path, scope.cursor))) : condition;
  const systems = { ...Object.fromEntries(writer.build.systems.identifiers), ...writer.options.identifierSystems };
  const known = Object.entries(systems).filter(([name]) => kind.field.enum?.includes(name) ?? true);
  return [
    ...taken,
    ...known.flatMap(([name, url]) =>
      given(both(missing, says(kind.path, scope.cursor, [name])), scope, how, () => ({
        targets: assign(writer, place, literal(url)),
      })),
    ),
  ];
}

function copy(writer: Writer, node: MapNode, spot: Spot, scope: Scope, condition: Condition): Rule[] {
  const { path, field } = readField(node, 'from', around(writer, scope));
  const part = partFor(spot, node);
  const prefix = node.entries.get('prefix')?.value;
  return read(writer, path, scope, condition, { at: node.at, once: true }, (variable) => {
    const before = isPlainText(prefix) ? `append(${literal(prefix.value)}, ${variable})` : variable;
    const value = field.kind === 'time' ? `append(${variable}, ':00')` : before;
    if (part === undefined) return { targets: assign(writer, spot.place, value) };
    const made = create(writer, spot.place, node.at);
    return { targets: [...made.targets, `${made.variable}.${part} = ${value}`], rules: made.rules };
  });
}

function canonical(writer: Writer, node: MapNode, { place }: Spot, scope: Scope, condition: Condition): Rule[] {
  const { path } = readField(node, 'from', around(writer, scope));
  const type = node.entries.get('canonical')?.value;
  const base = `${writer.options.identifierSystem}/${isPlainText(type) ? type.value : ''}/`;
  return read(writer, path, scope, condition, { at: node.at, once: true }, (variable) => ({
    targets: assign(writer, place, `append(${literal(base)}, ${variable})`),
  }));
}

/** A text as the only part of a concept or reference. */
function partFor({ type }: Spot, node: MapNode): 'text' | 'display' | undefined {
  if (type === 'CodeableConcept') return 'text';
  return type === 'Reference' && node.entries.has('display') ? 'display' : undefined;
}

export function pickedValue(
  writer: Writer,
  node: MapNode,
  pick: Node,
  spot: Spot,
  scope: Scope,
  condition: Condition,
): Rule[] {
  const about = around(writer, scope);
  const picked = pickedBy(pick, about);
  const { path } = readField(node, 'from', { ...about, cursor: picked.cursor });
  const from = `${picked.path}.${pathOf(path)}`;
  const expression = `(%${record}.${from})`;
  const here = both(condition, saysAt('record', from));
  return given(here, scope, { at: node.at, once: true }, () => {
    if (!node.entries.has('reference')) return { targets: assign(writer, spot.place, expression) };
    const made = create(writer, spot.place, node.at);
    const id = writer.names.make('to', 'id');
    const type = targetType(node.entries.get('reference')?.value, writer);
    return {
      targets: [
        ...made.targets,
        `${made.variable}.reference = ${expression} as ${id}`,
        `${made.variable}.reference = append(${literal(`${type}/`)}, ${id})`,
      ],
      rules: made.rules,
    };
  });
}

/** With dates the map of the last of them, since the language knows none. */
function mapOf(node: MapNode, word: 'code' | 'words', { path }: Spot, writer: Writer): ConceptMap {
  const name = node.entries.get(word)?.value;
  const map = name && conceptMapNamed(name, writer.build);
  if (!map) throw new Unsupported('it has no ConceptMap', node.at);
  const since = map.editions?.at(-1)?.from;
  if (since !== undefined) leaveOut(writer, path, node.at, `what ConceptMap ${map.name} says of days before ${since}`);
  return map;
}
