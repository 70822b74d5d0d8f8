// What compiling a rule has to know, and where it stands: in the file, in the record, in the resource.

import { childNames, type ElementFact, elementFact, type Profiles } from '../fhir/fhir.ts';
import { didYouMean } from '../nearest.ts';
import type { Field, RecordSchemas, RecordType } from '../records/records.ts';
import type { ConceptMap } from './concept-map.ts';
import type { MapNode, Node, Position, Problems } from './positions.ts';
import { parsePath, type RecordPath } from './scope.ts';
import type { Systems } from './systems.ts';

/** Record type -> slot name -> the resource type it makes, for all mappings of the set. */
export type SlotIndex = ReadonlyMap<string, ReadonlyMap<string, SlotEntry>>;

export interface SlotEntry {
  /** The name under which its resources are known: its first one, whatever it is called by now (lanes.md 23). */
  readonly identity: string;
  readonly resourceType: string;
  /** The record list that the slot repeats over. */
  readonly each?: string;
  /** The field that names its items. */
  readonly by?: string;
}

/** The same for all rules of one slot. */
export interface Build {
  readonly problems: Problems;
  /** Of the guides that the mapping may name. */
  readonly profiles: Profiles;
  readonly systems: Systems;
  readonly conceptMaps: ReadonlyMap<string, ConceptMap>;
  readonly slots: SlotIndex;
  readonly schemas: RecordSchemas;
  /** Where a field of the agency's own is declared, by record type and path. */
  readonly declared: ReadonlyMap<string, Position>;
  readonly recordType: RecordType;
  readonly slot: string;
  readonly resourceType: string;
  /** Record fields that some rule reads, as dotted paths. */
  readonly uses: Set<string>;
  /** Element paths that some rule fills. */
  readonly fills: Set<string>;
  /** Slots that this one cannot go without: `type#slot`, with the rule that says so. */
  readonly needs: { readonly target: string; readonly at: Position }[];
  /** True for element paths that base R4 or the first profile of the ladder requires. */
  isRequired(path: string): boolean;
  /** True for the path of a choice: 'occurrence[x]'. */
  isChoice(path: string): boolean;
}

/** Where record paths start from. */
export interface Cursor {
  readonly type: RecordType;
  /** False where a rule reads another record (`via`): its fields are not fields of ours. */
  readonly own: boolean;
  readonly root: Field;
  /** The record, or the item of an `each`. */
  readonly item: Field;
  /** What the item is an item of. */
  readonly outer?: Field;
  /** Paths of the item's list, and of the outer one's, below the record. */
  readonly prefix: readonly string[];
  readonly outerPrefix?: readonly string[];
}

/** Where a rule stands in the resource. */
export interface Place {
  /** Below the resource: 'occurrencePeriod.start'; '' for the resource itself. */
  readonly path: string;
  readonly type: string;
  readonly fact: ElementFact;
  /** True for an element of its own, about which owners decide; absent below one. */
  readonly isElement?: boolean;
}

export function cursorAt(type: RecordType, own: boolean, { schemas }: Pick<Build, 'schemas'>): Cursor {
  const root = schemas.tree(type);
  return { type, own, root, item: root, prefix: [] };
}

/** The cursor within the items of a list. */
export function cursorIn(cursor: Cursor, path: RecordPath, list: Field): Cursor {
  const prefix = path.fromRoot ? path.names : [...cursor.prefix, ...path.names];
  return { ...cursor, item: { ...list, list: false }, outer: cursor.item, outerPrefix: cursor.prefix, prefix };
}

/** The field at a path and the path itself; tells a problem for an unknown one. */
export function fieldAt(
  node: Node,
  cursor: Cursor,
  build: Build,
): { path: RecordPath; field: Field; at: Position } | undefined {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    return build.problems.error(node.at, 'A record path must be text such as "period.from".');
  }
  const said = parsePath(node.value);
  // Where the item is the record, the way from the record is the shorter one to read.
  const path = cursor.item === cursor.root && !said.fromOuter ? { ...said, fromRoot: true } : said;
  let field: Field = (path.fromOuter ? cursor.outer : undefined) ?? (path.fromRoot ? cursor.root : cursor.item);
  for (const [index, name] of path.names.entries()) {
    const below: Field | undefined = field.list && index > 0 ? undefined : field.fields?.get(name);
    if (!below) {
      const whose =
        field === cursor.root
          ? `The ${cursor.type} record`
          : `"${path.names.slice(0, index).join('.') || cursor.prefix.join('.')}"`;
      const names = field.fields?.keys() ?? [];
      return build.problems.error(node.at, `${whose} has no field "${name}".${didYouMean(name, names)}`);
    }
    field = below;
  }
  if (cursor.own) {
    const prefix = path.fromOuter ? (cursor.outerPrefix ?? []) : path.fromRoot ? [] : cursor.prefix;
    build.uses.add([...prefix, ...path.names].join('.'));
  }
  return { path, field, at: node.at };
}

/** Record fields that a part of the build reads, which was compiled with uses of its own. */
export function addUses({ uses }: Pick<Build, 'uses'>, more: ReadonlySet<string>): void {
  for (const use of more) {
    uses.add(use);
  }
}

/** The place of a child element; tells a problem for an unknown one. */
export function childPlace(name: string, parent: string, at: Position, build: Build): Place | undefined {
  const path = parent === '' ? name : `${parent}.${name}`;
  const fact = elementFact(build.resourceType, path);
  const type = fact?.types[0];
  if (!fact || type === undefined || !childNames(build.resourceType, parent).includes(name)) {
    const whole = parent === '' ? build.resourceType : `${build.resourceType}.${parent}`;
    return build.problems.error(
      at,
      `${whole} has no element "${name}".${didYouMean(name, childNames(build.resourceType, parent))}`,
    );
  }
  build.fills.add(path);
  return { path, type, fact };
}

export function conceptMapNamed(node: Node, build: Build): ConceptMap | undefined {
  const name = node.kind === 'scalar' ? String(node.value) : '';
  const map = build.conceptMaps.get(name);
  return (
    map ??
    build.problems.error(node.at, `There is no ConceptMap "${name}".${didYouMean(name, build.conceptMaps.keys())}`)
  );
}

/** `file:line`, as issues and elements name their rule. */
export function rule(at: Position): string {
  return `${at.path}:${at.line}`;
}

export function isTrue(node: Node | undefined): boolean {
  return node?.kind === 'scalar' && node.value === true;
}

export function isPlainText(node: Node | undefined): node is Node & { kind: 'scalar'; value: string } {
  return node?.kind === 'scalar' && typeof node.value === 'string';
}

/** The text of an entry; '' where there is none. */
export function textAt(node: MapNode, name: string): string {
  const value = node.entries.get(name)?.value;
  return isPlainText(value) ? value.value : '';
}
