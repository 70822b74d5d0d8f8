// An agency's own fields and codes (docs/custom-fields.md): files under `overlay/` say what records have beside our fields and what becomes of it.
// They are put into our files before anything is compiled, so all that is checked of ours is checked of them.

import { didYouMean } from '../../nearest.ts';
import {
  type CustomField,
  isRecordType,
  type RecordSchemas,
  type RecordType,
  recordTypes,
  withCustomFields,
} from '../../records/records.ts';
import { isPlainText, textAt } from '../build.ts';
import { conceptMapWords, isOfKind } from '../notation.ts';
import type { MapNode, Node, Position, Problems } from '../positions.ts';
import { type Declared, pathsOf, readFields } from './fields.ts';
import { addEntries, addResources, addUnused, type Merging, shown } from './merge.ts';

/** Where the files of an overlay stand among those of a mapping. */
export const overlayFolder = 'overlay/';

export interface Overlaid {
  /** Our files with what the overlay adds, and the ConceptMaps that are its own. */
  readonly roots: readonly MapNode[];
  readonly schemas: RecordSchemas;
  /** By record type and path, as `need.custom.pets`: where a field of the agency's own is declared. */
  readonly declared: ReadonlyMap<string, Position>;
}

/** Puts the overlay's files among `roots` into the others. Without any, `roots` are as they were. */
export function overlaid(roots: readonly MapNode[], problems: Problems): Overlaid {
  const isTheirs = ({ at }: MapNode): boolean => at.path.startsWith(overlayFolder);
  const theirs = roots.filter(isTheirs);
  const files = theirs.map((root) => ({ root, kind: kindOf(root, problems) }));
  const ofKind = (kind: FileKind): MapNode[] => files.flatMap((file) => (file.kind === kind ? [file.root] : []));
  let all = roots.filter((root) => !isTheirs(root));
  for (const root of ofKind('systems')) {
    all = addSystems(all, root, problems);
  }
  for (const root of ofKind('addsTo')) {
    all = addCodes(all, root, problems);
  }
  const declared = new Map<string, Position>();
  const fields = new Map<RecordType, CustomField[]>();
  const url = urlsIn(all);
  for (const root of ofKind('overlay')) {
    const type = typeOf(root, problems);
    if (type === undefined) {
      continue;
    }
    const own = readFields(root, type, problems).filter((one) => isNew(one, type, declared, problems));
    fields.set(type, [...(fields.get(type) ?? []), ...own.map(({ field }) => field)]);
    all = addToMapping(all, root, type, { problems, url });
  }
  const maps = ofKind('conceptMap');
  // What is wrong elsewhere may be why no rule names it.
  for (const map of problems.errors.length > 0 ? [] : maps) {
    checkNamed(map, all, problems);
  }
  return {
    roots: [...all, ...maps],
    schemas: withCustomFields(new Map([...fields].filter(([, own]) => own.length > 0))),
    declared,
  };
}

type FileKind = 'overlay' | 'conceptMap' | 'addsTo' | 'systems';

const firstKeys: readonly FileKind[] = ['overlay', 'conceptMap', 'addsTo'];

function kindOf(root: MapNode, problems: Problems): FileKind | undefined {
  if (root.at.path === `${overlayFolder}systems.yaml`) {
    return 'systems';
  }
  const kind = firstKeys.find((name) => root.entries.has(name));
  const [first = ''] = root.entries.keys();
  return (
    kind ??
    problems.error(
      root.at,
      first === 'record'
        ? 'The mapping of a record type is ours; an overlay adds to it, and says to which under "overlay".'
        : `A file of an overlay says "overlay" (a record type), "conceptMap" or "addsTo", or is systems.yaml.${didYouMean(first, firstKeys)}`,
    )
  );
}

function checkKeys(root: MapNode, what: string, keys: readonly string[], problems: Problems): void {
  for (const { name, at } of root.entries.values()) {
    if (!keys.includes(name)) {
      problems.error(at, `${what} has no "${name}".${didYouMean(name, keys)}`);
    }
  }
}

function replace(roots: readonly MapNode[], old: MapNode, by: MapNode): MapNode[] {
  return roots.map((root) => (root === old ? by : root));
}

function isSystems({ entries }: MapNode): boolean {
  return !entries.has('record') && !entries.has('conceptMap');
}

function addSystems(roots: readonly MapNode[], root: MapNode, problems: Problems): MapNode[] {
  const ours = roots.find(isSystems);
  const identifiers = root.entries.get('identifiers');
  if (identifiers) {
    problems.error(identifiers.at, 'Identifier systems are named by each connection, not by an overlay.');
  }
  const told = ({ name }: { name: string }, other: { at: Position }): string =>
    `The short name "${name}" is there already (${shown(other.at)}).`;
  return ours ? replace(roots, ours, addEntries(ours, root, told, problems)) : [...roots, root];
}

function urlsIn(roots: readonly MapNode[]): Merging['url'] {
  const systems = roots.find(isSystems);
  return (text) => {
    const node = systems?.entries.get(text)?.value;
    return isPlainText(node) ? node.value : text;
  };
}

/** `addsTo: map`, with more `codes`, and `back` for what they become. The map's version then names both: `1.0.0+2`. */
function addCodes(roots: readonly MapNode[], root: MapNode, problems: Problems): MapNode[] {
  checkKeys(root, 'An addition to a ConceptMap', ['addsTo', 'version', 'source', 'codes', 'back'], problems);
  const name = textAt(root, 'addsTo');
  const maps = roots.filter(({ entries }) => entries.has('conceptMap'));
  const ours = maps.find((map) => textAt(map, 'conceptMap') === name);
  if (!ours) {
    const names = maps.map((map) => textAt(map, 'conceptMap'));
    problems.error(
      root.entries.get('addsTo')?.value.at ?? root.at,
      `There is no ConceptMap "${name}".${didYouMean(name, names)}`,
    );
    return [...roots];
  }
  if (root.entries.get('codes')?.value.kind !== 'map' || textAt(root, 'source') === '') {
    problems.error(root.at, 'An addition needs "codes" (a map) and "source": where its codes come from.');
  }
  const version = root.entries.get('version');
  if (version?.value.kind !== 'scalar' || version.value.value === null) {
    problems.error(root.at, 'An addition needs "version": another one whenever its codes change.');
  }
  const back = root.entries.get('back');
  if (back) {
    isOfKind('back', back.value, conceptMapWords.back, problems);
  }
  const entries = new Map(ours.entries);
  const held = ours.entries.get('version');
  if (held?.value.kind === 'scalar' && version?.value.kind === 'scalar') {
    const value = `${held.value.value}+${version.value.value}`;
    entries.set('version', { ...held, value: { ...held.value, value } });
  }
  for (const part of ['codes', 'back'] as const) {
    const added = root.entries.get(part);
    const held = ours.entries.get(part);
    const told = (entry: { name: string }, other: { at: Position }): string =>
      part === 'codes'
        ? `ConceptMap ${name} has the code "${entry.name}" already (${shown(other.at)}): an overlay adds codes and changes none.`
        : `ConceptMap ${name} says already what ${entry.name} means on the way back (${shown(other.at)}).`;
    if (added?.value.kind === 'map') {
      const value = held?.value.kind === 'map' ? addEntries(held.value, added.value, told, problems) : added.value;
      entries.set(part, { ...(held ?? added), value });
    }
  }
  return replace(roots, ours, { ...ours, entries });
}

function typeOf(root: MapNode, problems: Problems): RecordType | undefined {
  checkKeys(root, 'An overlay', ['overlay', 'about', 'fields', 'resources', 'unused'], problems);
  const name = textAt(root, 'overlay');
  return isRecordType(name)
    ? name
    : problems.error(
        root.entries.get('overlay')?.value.at ?? root.at,
        `There is no record type "${name}".${didYouMean(name, recordTypes)}`,
      );
}

function isNew({ path, at }: Declared, type: RecordType, declared: Map<string, Position>, problems: Problems): boolean {
  const other = declared.get(`${type}.${path}`);
  if (other) {
    problems.error(at, `There are two fields "${path}" of ${type}; the other one is ${shown(other)}.`);
  } else {
    declared.set(`${type}.${path}`, at);
  }
  return other === undefined;
}

function addToMapping(roots: readonly MapNode[], root: MapNode, type: RecordType, merging: Merging): MapNode[] {
  const { problems } = merging;
  const ours = roots.find((one) => textAt(one, 'record') === type);
  if (!ours) {
    problems.error(root.at, `There is no mapping of ${type} for an overlay to add to.`);
    return [...roots];
  }
  const entries = new Map(ours.entries);
  const add = (name: string, combine: (held: MapNode, added: MapNode) => MapNode): void => {
    const added = root.entries.get(name);
    const held = ours.entries.get(name);
    if (added && added.value.kind !== 'map') {
      problems.error(added.value.at, `"${name}" is a map.`);
    } else if (added?.value.kind === 'map') {
      const from: Node = held?.value ?? { kind: 'map', at: added.value.at, entries: new Map() };
      if (from.kind === 'map') entries.set(name, { ...(held ?? added), value: combine(from, added.value) });
    }
  };
  const unsent = ours.entries.get('unsent');
  const resources = root.entries.get('resources');
  if (unsent && resources) {
    problems.error(
      resources.at,
      `Nothing of a record of type ${type} is ever sent (${shown(unsent.at)}), so an overlay adds no resources to it.`,
    );
  } else {
    add('resources', (held, added) => addResources(held, added, merging));
  }
  add('unused', (held, added) => addUnused(held, added, pathsOf(root), problems));
  return replace(roots, ours, { ...ours, entries });
}

/** A ConceptMap of an overlay that no rule names is a slip of the pen. */
function checkNamed(map: MapNode, roots: readonly MapNode[], problems: Problems): void {
  const name = textAt(map, 'conceptMap');
  const isNamed = (node: Node, under: string): boolean => {
    if (node.kind === 'list') {
      return node.items.some((item) => isNamed(item, under));
    }
    if (node.kind === 'map') {
      return [...node.entries.values()].some((entry) => isNamed(entry.value, entry.name));
    }
    return under === 'local'
      ? String(node.value).startsWith(`${name}#`)
      : naming.includes(under) && node.value === name;
  };
  if (!roots.some((root) => root.entries.has('record') && isNamed(root, ''))) {
    problems.error(map.at, `No rule names the ConceptMap "${name}".`);
  }
}

/** The words of a rule that name a ConceptMap. */
const naming = ['code', 'words', 'mapped'];
