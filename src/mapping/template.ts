// A template node becomes a lens: dispatches to the converters, and puts the modifiers around what they make.
// A name that FHIR has at a place is FHIR's; the words of the notation come after.

import { childNames } from '../fhir/fhir.ts';
import { didYouMean } from '../nearest.ts';
import type { Field } from '../records/records.ts';
import {
  addUses,
  type Build,
  type Cursor,
  childPlace,
  cursorIn,
  fieldAt,
  isPlainText,
  isTrue,
  type Place,
  rule,
} from './build.ts';
import { compileCondition, compileVia, type Elsewhere, fixedValues } from './condition.ts';
import { canonicalKeys, compileCanonical } from './converters/canonical.ts';
import { codeKeys, compileCode } from './converters/code.ts';
import { compileCopy, copyKeys } from './converters/copy.ts';
import { firstLens } from './converters/first.ts';
import { compileFixed, compileLocal, compilePlain } from './converters/fixed.ts';
import { compileIdentifierSystem, identifierSystemKeys } from './converters/identifier-system.ts';
import { compilePlus, plusKeys } from './converters/plus.ts';
import { compileReference, compileSlot, referenceKeys, slotKeys } from './converters/reference.ts';
import {
  compileDocument,
  compileNarrative,
  compileSay,
  compileWords,
  documentKeys,
  narrativeKeys,
  sayKeys,
  wordsKeys,
} from './converters/words.ts';
import { eachLens } from './each-lens.ts';
import { ownIdentifier } from './identity.ts';
import type { Lens } from './lens.ts';
import { traced } from './lineage.ts';
import { type Claims, joinedLens, singleItemLens } from './list-lens.ts';
import { haveKinds, ruleWords } from './notation.ts';
import { type ChildLens, objectLens } from './object-lens.ts';
import { conditional, elsewhere, oneWay } from './one-way.ts';
import type { MapEntry, MapNode, Node } from './positions.ts';
import { parsePath, type RecordPath, RecordScope, reader } from './scope.ts';

/** Words that may stand only where the rule is an element of its own: below one there is nothing to decide. */
const elementKeys = ['owner', 'moves', 'goesWith', 'derived'];

/** Words that may stand beside any rule. */
export const modifierKeys = ['when', 'report', 'via', 'pick', 'oneWay', 'key', ...elementKeys];

const directives = ['first', 'each', 'fixed', 'local', 'slot', 'narrative', 'document', 'identifierSystem', 'from'];

/** An object whose parts are elements of their own: nothing is said about it as a whole. */
export function flattens(node: MapNode): boolean {
  return ![...node.entries.keys()].some((name) => name === 'requires' || modifierKeys.includes(name));
}

/** True for a rule; false for an object template, whose names are FHIR's. */
export function isRule(node: Node, path: string, build: Pick<Build, 'resourceType'>): node is MapNode {
  if (node.kind !== 'map') {
    return false;
  }
  const names = childNames(build.resourceType, path);
  return directives.some((name) => node.entries.has(name) && !names.includes(name));
}

/** A lens on the whole element: on the list where the element is one. */
export function compileElement(node: Node, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  if (place.fact.max <= 1) {
    return compileValue(node, cursor, place, build);
  }
  if (node.kind === 'list') {
    const entries = compileEntries(node.items, cursor, place, build);
    return joinedLens(entries.map(({ key, lens }) => ({ key, lens })));
  }
  return compileEntry(node, cursor, place, build, reserved(place, build))?.lens;
}

export interface Entry {
  readonly key: string;
  readonly node: Node;
  readonly lens: Lens;
}

/** The entries of a list template; an item that two of them could claim belongs to the first. */
export function compileEntries(nodes: readonly Node[], cursor: Cursor, place: Place, build: Build): Entry[] {
  const entries: Entry[] = [];
  const earlier: Claims[] = reserved(place, build);
  for (const node of nodes) {
    const compiled = compileEntry(node, cursor, place, build, [...earlier]);
    const key = entryKey(node);
    if (!compiled) {
      continue;
    }
    if (entries.some((entry) => entry.key === key)) {
      build.problems.error(node.at, `Two rules for ${place.path} are both called "${key}"; give one a "key".`);
    }
    entries.push({ key, node, lens: compiled.lens });
    earlier.push(compiled.claims);
  }
  return entries;
}

/** Our own identifier is the engine's. */
function reserved(place: Place, build: Build): Claims[] {
  return place.path === 'identifier' ? [ownIdentifier(build.recordType, build.slot)] : [];
}

/** One entry of a list: a lens on the whole list. */
function compileEntry(
  node: Node,
  cursor: Cursor,
  place: Place,
  build: Build,
  earlier: readonly Claims[],
): { lens: Lens; claims: Claims } | undefined {
  if (isRule(node, place.path, build) && (node.entries.has('each') || listFieldOf(node, cursor))) {
    return compileEach(node, cursor, place, build, earlier);
  }
  if (isRule(node, place.path, build) && node.entries.has('first') && holdsEach(node)) {
    return compileFirstList(node, cursor, place, build, earlier);
  }
  const item = compileValue(node, cursor, place, build);
  if (!item) {
    return undefined;
  }
  const claims = except(item.claims, earlier);
  return { lens: singleItemLens(item, claims), claims };
}

/** A lens on one value. */
function compileValue(node: Node, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  if (node.kind === 'list') {
    return build.problems.error(node.at, `${place.fact.path} is no list.`);
  }
  if (node.kind === 'scalar') {
    const lens = compilePlain(node, place, build);
    return lens && traced(lens, { rule: rule(node.at), converter: 'fixed', fields: [], cursor });
  }
  return withModifiers(node, cursor, place, build, (inner, at) =>
    isRule(node, place.path, build) ? compileRule(node, inner, at, build) : compileObject(node, inner, at, build),
  );
}

interface RuleKind {
  /** The word that tells this kind from the others. */
  readonly word: string;
  readonly keys: readonly string[];
  readonly compile: (node: MapNode, cursor: Cursor, place: Place, build: Build) => Lens | undefined;
  readonly hasWayBack: boolean;
}

/** In this order, because several kinds have `from`. */
const ruleKinds: readonly RuleKind[] = [
  { word: 'first', keys: ['first'], compile: compileFirst, hasWayBack: true },
  {
    word: 'fixed',
    keys: ['fixed', 'text'],
    compile: (node, _, place, build) => compileFixed(node, place, build),
    hasWayBack: true,
  },
  {
    word: 'local',
    keys: ['local'],
    compile: (node, _, place, build) => compileLocal(node, place, build),
    hasWayBack: true,
  },
  {
    word: 'slot',
    keys: slotKeys,
    compile: (node, _, place, build) => compileSlot(node, place, build),
    hasWayBack: true,
  },
  { word: 'narrative', keys: narrativeKeys, compile: compileNarrative, hasWayBack: false },
  { word: 'document', keys: documentKeys, compile: compileDocument, hasWayBack: false },
  { word: 'identifierSystem', keys: identifierSystemKeys, compile: compileIdentifierSystem, hasWayBack: true },
  { word: 'reference', keys: referenceKeys, compile: compileReference, hasWayBack: true },
  {
    word: 'code',
    keys: codeKeys,
    compile: (node, cursor, place, build) =>
      compileCode(node, cursor, place, build, textOf(node, cursor, place, build)),
    hasWayBack: true,
  },
  { word: 'words', keys: wordsKeys, compile: compileWords, hasWayBack: false },
  { word: 'say', keys: sayKeys, compile: compileSay, hasWayBack: false },
  { word: 'plus', keys: plusKeys, compile: compilePlus, hasWayBack: false },
  { word: 'canonical', keys: canonicalKeys, compile: compileCanonical, hasWayBack: false },
  { word: 'from', keys: copyKeys, compile: compileCopy, hasWayBack: true },
];

function compileRule(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const kind = ruleKinds.find(({ word }) => node.entries.has(word));
  if (!kind || node.entries.has('each')) {
    return build.problems.error(node.at, `${place.fact.path} is no list, so "each" has no place here.`);
  }
  if (!kind.hasWayBack && !node.entries.has('oneWay')) {
    build.problems.error(node.at, 'This rule has no way back; say why under "oneWay".');
  }
  if (!checkKeys(node, kind.keys, build)) {
    return undefined;
  }
  const uses = new Set<string>();
  const lens = kind.compile(node, cursor, place, { ...build, uses });
  addUses(build, uses);
  // Of several alternatives the one that speaks tells of itself.
  if (lens === undefined || kind.word === 'first') {
    return lens;
  }
  const from = node.entries.get('from')?.value;
  const path = isPlainText(from) ? parsePath(from.value) : undefined;
  return traced(lens, {
    rule: rule(node.at),
    converter: converterOf(kind.word, node, build),
    ...(path && { path }),
    fields: [...uses],
    cursor,
  });
}

/** How an element is read back: by its rule's converter; `each` of a list, `first` of several, or part by part. */
export function readerOf(node: Node, path: string, build: Build): string {
  if (node.kind !== 'map') return 'fixed';
  if (!isRule(node, path, build)) return 'template';
  if (node.entries.has('each')) return 'each';
  const kind = ruleKinds.find(({ word }) => node.entries.has(word));
  return kind ? converterOf(kind.word, node, build) : 'template';
}

/** A rule's kind and what it goes by, a ConceptMap with its version: `copy`, `code goal-status|1.0.0`, `reference worker#role`. */
function converterOf(word: string, node: MapNode, { conceptMaps }: Build): string {
  const by = node.entries.get(word)?.value;
  const map = isPlainText(by) && ['code', 'words'].includes(word) ? conceptMaps.get(by.value) : undefined;
  if (map) {
    return `${word} ${map.name}|${map.version}`;
  }
  return word === 'from' ? 'copy' : isPlainText(by) && word !== 'say' ? `${word} ${by.value}` : word;
}

/** The text beside a code: `text: field`, or a rule of its own. */
function textOf(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const text = node.entries.get('text');
  const at = text && place.type === 'CodeableConcept' ? childPlace('text', place.path, text.at, build) : undefined;
  if (!text || !at) {
    return text && build.problems.error(text.at, `${place.fact.path} is a ${place.type}, which has no text.`);
  }
  if (isPlainText(text.value)) {
    const from: MapEntry = { name: 'from', at: text.at, value: text.value };
    return compileCopy({ kind: 'map', at: text.value.at, entries: new Map([['from', from]]) }, cursor, at, build);
  }
  return compileValue(text.value, cursor, at, build);
}

function compileObject(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const names = childNames(build.resourceType, place.path);
  const [first] = node.entries.values();
  // A template of a primitive can only say its id and extensions.
  if (names.length === 0 || (/^[a-z]/.test(place.type) && first && !names.includes(first.name))) {
    return build.problems.error(
      first?.at ?? node.at,
      `${place.fact.path} is a ${place.type}; a rule for it has one of ${directives.join(', ')}.${didYouMean(first?.name ?? '', Object.keys(ruleWords))}`,
    );
  }
  const children: ChildLens[] = [];
  let required: string[] = [];
  for (const entry of node.entries.values()) {
    if (names.includes(entry.name) || !['requires', ...modifierKeys].includes(entry.name)) {
      const at = childPlace(entry.name, place.path, entry.at, build);
      const lens = at && compileElement(entry.value, cursor, at, build);
      if (lens) {
        children.push({ name: entry.name, lens, choice: choiceOf(entry.name, place.path, build) });
      }
    } else if (entry.name === 'requires') {
      required = requiredNames(entry, node, build);
    }
  }
  checkChoices(node, place.path, build);
  return objectLens(children, required, rule(node.at), oneValueTypes.includes(place.type));
}

/** Types of which no part says anything without the others. */
const oneValueTypes = ['Coding', 'Money', 'Quantity', 'Age', 'Count', 'Distance', 'Duration', 'Range', 'Ratio'];

function requiredNames(entry: MapEntry, node: MapNode, build: Build): string[] {
  const names = entry.value.kind === 'list' ? entry.value.items : [entry.value];
  return names.flatMap((name) => {
    if (isPlainText(name) && node.entries.has(name.value)) {
      return [name.value];
    }
    build.problems.error(name.at, '"requires" names elements of this template.');
    return [];
  });
}

/** Two rules for one choice element can only stand together when a condition keeps them apart. */
export function checkChoices(node: MapNode, path: string, build: Build): void {
  const chosen = new Map<string, MapEntry>();
  for (const entry of node.entries.values()) {
    const choice = choiceOf(entry.name, path, build);
    if (choice === undefined) {
      continue;
    }
    const other = chosen.get(choice);
    if (other && !hasCondition(entry) && !hasCondition(other)) {
      build.problems.error(
        entry.at,
        `"${entry.name}" and "${other.name}" are the same element; only a condition ("when") can keep them apart.`,
      );
    }
    chosen.set(choice, entry);
  }
}

/** The choice that a name is one type of: `onset[x]` for `onsetDateTime`. */
export function choiceOf(name: string, path: string, build: Pick<Build, 'isChoice'>): string | undefined {
  for (let end = name.length - 1; end > 0; end--) {
    const base = `${name.slice(0, end)}[x]`;
    if (/[A-Z]/.test(name.charAt(end)) && build.isChoice(path === '' ? base : `${path}.${base}`)) {
      return base;
    }
  }
  return undefined;
}

function hasCondition({ value }: MapEntry): boolean {
  return value.kind === 'map' && value.entries.has('when');
}

function compileFirst(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const list = node.entries.get('first')?.value;
  if (list?.kind !== 'list' || list.items.length === 0) {
    return build.problems.error(node.at, '"first" is a list of rules.');
  }
  const lenses = list.items.map((item) => compileValue(item, cursor, place, build));
  const last = lenses.findIndex((lens) => lens?.constant === true && lens.optional !== true);
  const dead = last < 0 ? undefined : list.items[last + 1];
  if (dead) {
    return build.problems.error(dead.at, 'This rule is never reached: the one before it always speaks.');
  }
  return firstLens(
    lenses.filter((lens) => lens !== undefined),
    rule(node.at),
  );
}

/** `first` between rules of which some make whole lists. */
function compileFirstList(
  node: MapNode,
  cursor: Cursor,
  place: Place,
  build: Build,
  earlier: readonly Claims[],
): { lens: Lens; claims: Claims } | undefined {
  const list = node.entries.get('first')?.value;
  const items = list?.kind === 'list' ? list.items : [];
  let claims: Claims = () => false;
  const lens = withModifiers(node, cursor, place, build, (inner, at) => {
    if (!checkKeys(node, ['first'], build)) {
      return undefined;
    }
    const parts = items
      .map((item) => compileEntry(item, inner, at, build, earlier))
      .filter((part) => part !== undefined);
    claims = (item, among) => parts.some((part) => part.claims(item, among));
    return firstLens(
      parts.map((part) => part.lens),
      rule(node.at),
    );
  });
  return lens && { lens, claims };
}

function holdsEach(node: MapNode): boolean {
  const list = node.entries.get('first')?.value;
  return list?.kind === 'list' && list.items.some((item) => item.kind === 'map' && item.entries.has('each'));
}

/** The list that a rule reads from, for `{from: needIds, reference: need}` on a list element. */
function listFieldOf(node: MapNode, cursor: Cursor): boolean {
  const from = node.entries.get('from')?.value;
  if (
    !isPlainText(from) ||
    node.entries.has('words') ||
    node.entries.has('say') ||
    node.entries.has('via') ||
    node.entries.has('pick')
  ) {
    return false;
  }
  let field: Field | undefined = from.value.startsWith('/') ? cursor.root : cursor.item;
  for (const name of from.value.replace(/^\//, '').split('.')) {
    field = name === '.' || name === '' ? field : field?.fields?.get(name);
  }
  return field?.list ?? false;
}

const eachKeys = ['each', 'by', 'where', 'distinct', 'item'];

function compileEach(
  node: MapNode,
  cursor: Cursor,
  place: Place,
  build: Build,
  earlier: readonly Claims[],
): { lens: Lens; claims: Claims } | undefined {
  let claims: Claims = () => false;
  const lens = withModifiers(node, cursor, place, build, (inner, at) => {
    const explicit = node.entries.has('each');
    const listNode = node.entries.get(explicit ? 'each' : 'from')?.value;
    const found = listNode && fieldAt(listNode, inner, build);
    if (!found) {
      return undefined;
    }
    if (!found.field.list) {
      return build.problems.error(found.at, '"each" needs a list of the record.');
    }
    if (explicit && !checkKeys(node, eachKeys, build)) {
      return undefined;
    }
    const below = cursorIn(inner, found.path, found.field);
    const itemNode = explicit ? node.entries.get('item')?.value : onTheItem(node);
    const where = node.entries.get('where')?.value;
    const item = itemNode && compileValue(itemNode, below, at, build);
    if (!item) {
      return itemNode ? undefined : build.problems.error(node.at, '"each" needs an "item": what one of them becomes.');
    }
    claims = except(item.claims, earlier);
    return eachLens({
      path: found.path,
      by: keyOfItems(node, itemNode, found.field, below, at, build),
      where: where && compileCondition(where, below, build),
      fixed: where ? fixedValues(where) : new Map(),
      item,
      claims,
      list: found.field,
      isShared: isSlotList(found.path, inner, build),
      distinct: explicit ? isTrue(node.entries.get('distinct')?.value) : node.entries.has('code'),
      at: rule(node.at),
    });
  });
  return lens && { lens, claims };
}

/** True for a list of the record of whose items resources of their own are made. */
function isSlotList({ fromRoot, names }: RecordPath, { own, prefix }: Cursor, { slots, recordType }: Build): boolean {
  const path = (fromRoot ? names : [...prefix, ...names]).join('.');
  return own && [...(slots.get(recordType)?.values() ?? [])].some(({ each }) => each === path);
}

/** A rule on a list of plain values is the same rule on each of them. */
function onTheItem(node: MapNode): MapNode {
  const entries = new Map([...node.entries].filter(([name]) => !modifierKeys.includes(name)));
  const from = entries.get('from');
  if (from) {
    entries.set('from', { ...from, value: { kind: 'scalar', value: '.', at: from.value.at } });
  }
  return { ...node, entries };
}

function keyOfItems(
  node: MapNode,
  itemNode: Node,
  list: Field,
  cursor: Cursor,
  place: Place,
  build: Build,
): 'id' | 'content' | { name: string; lens: Lens }[] {
  const by = node.entries.get('by')?.value;
  if (!by || (isPlainText(by) && by.value === 'content')) {
    if (!by && list.fields?.has('id')) {
      build.problems.error(node.at, 'The items of this list have ids: say "by: id".');
    }
    return 'content';
  }
  if (isPlainText(by) && by.value === 'id') {
    if (!list.fields?.has('id')) {
      build.problems.error(
        by.at,
        'The items of this list have no id; say by which fields they are told apart, or "by: content".',
      );
    }
    return 'id';
  }
  return (by.kind === 'list' ? by.items : [by]).flatMap((field) => {
    const holder = childReading(itemNode, field);
    const at = holder && childPlace(holder.name, place.path, field.at, build);
    const lens = at && compileElement(holder.value, cursor, at, build);
    if (lens) {
      return [{ name: holder.name, lens }];
    }
    build.problems.error(field.at, '"by" names elements of the item template, or the fields that they read.');
    return [];
  });
}

function childReading(itemNode: Node, field: Node): MapEntry | undefined {
  if (itemNode.kind !== 'map' || !isPlainText(field)) {
    return undefined;
  }
  const reading = [...itemNode.entries.values()].find(({ value }) => {
    const from = value.kind === 'map' ? value.entries.get('from')?.value : undefined;
    return isPlainText(from) && from.value === field.value;
  });
  return reading ?? itemNode.entries.get(field.value);
}

/** Puts `when`, `via`, `pick` and `oneWay` around what the rule itself makes. */
function withModifiers(
  node: MapNode,
  cursor: Cursor,
  place: Place,
  build: Build,
  compile: (cursor: Cursor, place: Place) => Lens | undefined,
): Lens | undefined {
  const isOfRule = isRule(node, place.path, build);
  const taken = isOfRule ? [] : childNames(build.resourceType, place.path);
  const said = [...node.entries.values()].filter(
    ({ name }) => isOfRule || (modifierKeys.includes(name) && !taken.includes(name)),
  );
  if (!haveKinds(said, ruleWords, build.problems)) {
    return undefined;
  }
  const modifier = (name: string): Node | undefined => said.find((entry) => entry.name === name)?.value;
  for (const { name, at } of place.isElement ? [] : said.filter(({ name }) => elementKeys.includes(name))) {
    build.problems.error(at, `"${name}" is said of a whole element, and this is a part of one: say it there.`);
  }
  const when = modifier('when');
  const report = modifier('report');
  if (report && !when) {
    build.problems.error(report.at, '"report" tells what "when" keeps out, and there is no "when" here.');
  }
  const viaNode = modifier('via');
  const pickNode = modifier('pick');
  if (viaNode && pickNode) {
    return build.problems.error(pickNode.at, 'A rule reads by "via" or by "pick", not by both.');
  }
  const via = viaNode && compileVia(viaNode, cursor, build);
  const pick = pickNode && compilePick(pickNode, cursor, build);
  if ((viaNode && !via) || (pickNode && !pick)) {
    return undefined;
  }
  const { isElement: _, ...part } = place;
  let lens = compile(via?.cursor ?? pick?.cursor ?? cursor, part);
  if (!lens) {
    return undefined;
  }
  if ((viaNode ?? pickNode) && !modifier('oneWay')) {
    build.problems.error(node.at, 'This rule reads somewhere else, so nothing can come back; say why under "oneWay".');
  }
  if (via) {
    lens = elsewhere(lens, via.scope, via.held);
  } else if (pick) {
    lens = elsewhere(lens, pick.scope, pick.held);
  }
  if (modifier('oneWay')) {
    lens = oneWay(lens, rule(node.at));
  }
  if (when) {
    const condition = compileCondition(when, cursor, build);
    lens = conditional(lens, condition, { at: rule(node.at), ...(isPlainText(report) && { report: report.value }) });
  }
  return lens;
}

/** `pick: {from: list, where: {...}}`: the last item of a list that matches, which is the newest where lists grow. */
function compilePick(node: Node, cursor: Cursor, build: Build): Elsewhere | undefined {
  const from = node.kind === 'map' ? node.entries.get('from')?.value : undefined;
  const where = node.kind === 'map' ? node.entries.get('where')?.value : undefined;
  const found = from && fieldAt(from, cursor, build);
  if (node.kind !== 'map' || node.entries.size !== 2 || !found || !where || !found.field.list) {
    return build.problems.error(node.at, '"pick" is written {from: list, where: {...}}.');
  }
  const below = cursorIn(cursor, found.path, found.field);
  const condition = compileCondition(where, below, build);
  const read = reader(found.path);
  const scope: Elsewhere['scope'] = (outer, context) => {
    const list = read(outer);
    const items = Array.isArray(list) ? list : [];
    const index = items.findLastIndex((item) => condition(new RecordScope(outer.record, item), context));
    const item = items[index];
    return item === undefined
      ? undefined
      : new RecordScope(outer.record, item, `/${found.path.names.join('/')}`, index);
  };
  return { cursor: below, scope, held: (outer) => scope(outer) !== undefined };
}

function checkKeys(node: MapNode, keys: readonly string[], build: Build): boolean {
  const known = [...keys, ...modifierKeys];
  let fine = true;
  for (const entry of node.entries.values()) {
    if (!known.includes(entry.name)) {
      fine = false;
      const meant = Object.hasOwn(ruleWords, entry.name) ? '' : didYouMean(entry.name, Object.keys(ruleWords));
      build.problems.error(entry.at, `A rule of this kind has no "${entry.name}".${meant}`);
    }
  }
  return fine;
}

function except(claims: Claims, earlier: readonly Claims[]): Claims {
  return earlier.length === 0
    ? claims
    : (item, list) => claims(item, list) && !earlier.some((other) => other(item, list));
}

/** A readable name for one entry of a list: its own "key", or what it reads, or what it fixes. */
function entryKey(node: Node): string {
  if (node.kind === 'scalar') {
    return String(node.value);
  }
  if (node.kind === 'list') {
    return 'list';
  }
  for (const name of ['key', 'each', 'from', 'fixed', 'slot']) {
    const value = node.entries.get(name)?.value;
    if (isPlainText(value)) {
      return name === 'fixed' ? value.value.replace(/^.*#/, '') : value.value;
    }
  }
  const first = node.entries.get('first')?.value;
  if (first?.kind === 'list' && first.items[0]) {
    return entryKey(first.items[0]);
  }
  for (const { value } of node.entries.values()) {
    if (value.kind === 'map' || value.kind === 'list') {
      return value.kind === 'list' && value.items[0] ? entryKey(value.items[0]) : entryKey(value);
    }
  }
  return 'item';
}
