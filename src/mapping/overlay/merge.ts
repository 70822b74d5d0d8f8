// What an overlay adds to a file of ours, put into it as if it stood there: new entries keep the place that they were written at, and nothing of
// ours is changed or replaced.

import { elementFact, isResourceType } from '../../fhir/fhir.ts';
import { didYouMean } from '../../nearest.ts';
import { isPlainText } from '../build.ts';
import type { MapEntry, MapNode, Node, Position, Problems } from '../positions.ts';
import { choiceOf, flattens, isRule } from '../template.ts';

export interface Merging {
  readonly problems: Problems;
  /** The URL behind a short name; what is no short name is one itself. */
  readonly url: (text: string) => string;
}

/** A place as problems name it. */
export function shown({ path, line, column }: Position): string {
  return `${path}:${line}:${column}`;
}

/** The entries of two maps; a name that both have is told, and ours stands. */
export function addEntries(
  ours: MapNode,
  theirs: MapNode,
  told: (entry: MapEntry, other: MapEntry) => string,
  problems: Problems,
): MapNode {
  const entries = new Map(ours.entries);
  for (const entry of theirs.entries.values()) {
    const other = ours.entries.get(entry.name);
    if (other) {
      problems.error(entry.at, told(entry, other));
    } else {
      entries.set(entry.name, entry);
    }
  }
  return { ...ours, entries };
}

/** Adds new slots, and new elements to slots that there are. */
export function addResources(ours: MapNode, theirs: MapNode, merging: Merging): MapNode {
  const entries = new Map(ours.entries);
  for (const entry of theirs.entries.values()) {
    const other = ours.entries.get(entry.name);
    entries.set(entry.name, other ? addToSlot(other, entry, merging) : entry);
    checkExtensions(entry.value, merging);
  }
  return { ...ours, entries };
}

function addToSlot(ours: MapEntry, theirs: MapEntry, merging: Merging): MapEntry {
  const { problems } = merging;
  const exists = `The slot "${ours.name}" is there already (${shown(ours.at)}): an overlay adds to its "elements" only.`;
  const added = theirs.value.kind === 'map' ? theirs.value.entries : new Map<string, MapEntry>();
  const strange = [...added.values()].find(({ name }) => name !== 'elements');
  const elements = added.get('elements')?.value;
  if (strange || elements?.kind !== 'map' || ours.value.kind !== 'map') {
    problems.error(strange?.at ?? theirs.at, exists);
    return ours;
  }
  const type = ours.value.entries.get('resourceType')?.value;
  const held = ours.value.entries.get('elements');
  if (!isPlainText(type) || !isResourceType(type.value) || held?.value.kind !== 'map') {
    return ours; // Compiling it says what it lacks.
  }
  const value = addElements(held.value, elements, '', { ...merging, resourceType: type.value });
  return {
    ...ours,
    value: { ...ours.value, entries: new Map([...ours.value.entries, ['elements', { ...held, value }]]) },
  };
}

interface InSlot extends Merging {
  readonly resourceType: string;
}

function addElements(ours: MapNode, theirs: MapNode, path: string, slot: InSlot): MapNode {
  const { problems, resourceType } = slot;
  const entries = new Map(ours.entries);
  for (const entry of theirs.entries.values()) {
    const below = path === '' ? entry.name : `${path}.${entry.name}`;
    const other = ours.entries.get(entry.name) ?? sameChoice(entry.name, ours, path, slot);
    if (below === 'meta.profile') {
      problems.error(entry.at, 'Which profiles a resource claims is not for an overlay to say.');
    } else if (!other) {
      entries.set(entry.name, entry);
    } else {
      const value = other.name === entry.name ? bothIn(other.value, entry.value, below, slot) : undefined;
      if (value) {
        entries.set(entry.name, { ...other, value });
      } else {
        const hint = other.value.kind === 'list' ? ', which takes more only as an extension' : '';
        problems.error(
          entry.at,
          `A rule writes ${resourceType}.${below} already (${shown(other.at)})${hint}: an overlay adds to our rules and changes none.`,
        );
      }
    }
  }
  return { ...ours, entries };
}

/** Ours with theirs in it, where there is a place for both. */
function bothIn(ours: Node, theirs: Node, path: string, slot: InSlot): Node | undefined {
  const isTemplate = (node: Node): node is MapNode =>
    node.kind === 'map' && !isRule(node, path, slot) && flattens(node);
  if (isTemplate(ours) && isTemplate(theirs) && (elementFact(slot.resourceType, path)?.max ?? 0) <= 1) {
    return addElements(ours, theirs, path, slot);
  }
  if (ours.kind !== 'list' || theirs.kind !== 'list' || !/(^|\.)extension$/.test(path)) {
    return undefined;
  }
  return { ...ours, items: [...ours.items, ...theirs.items.filter((item) => isNewExtension(item, ours.items, slot))] };
}

function isNewExtension(item: Node, held: readonly Node[], { url, problems }: Merging): boolean {
  const own = urlOf(item, url);
  const same = held.find((other) => own !== undefined && urlOf(other, url) === own);
  if (same) {
    problems.error(item.at, `The extension ${own} is there already (${shown(same.at)}).`);
  }
  return same === undefined;
}

/** Extensions of an overlay are told apart by what each is called, so that none is ever taken for another. */
function checkExtensions(node: Node, { url, problems }: Merging): void {
  if (node.kind !== 'map') {
    return;
  }
  for (const { name, value } of node.entries.values()) {
    const items = name === 'extension' && value.kind === 'list' ? value.items : [];
    for (const [index, item] of items.entries()) {
      if (urlOf(item, url) === undefined) {
        problems.error(
          item.at,
          'An extension needs its "url", as in url: { fixed: pets }, with a name of systems.yaml.',
        );
      }
      isNewExtension(item, items.slice(0, index), { url, problems });
      checkExtensions(item, { url, problems });
    }
    checkExtensions(value, { url, problems });
  }
}

/** The url that an extension always has. */
function urlOf(item: Node, url: Merging['url']): string | undefined {
  const each = item.kind === 'map' ? item.entries.get('item')?.value : undefined;
  const holder = each ?? item;
  const node = holder.kind === 'map' ? holder.entries.get('url')?.value : undefined;
  const fixed = node?.kind === 'map' ? node.entries.get('fixed')?.value : node;
  return isPlainText(fixed) ? url(fixed.value) : undefined;
}

/** Our entry for another type of the same choice, as onsetString beside onsetDateTime. */
function sameChoice(name: string, ours: MapNode, path: string, { resourceType }: InSlot): MapEntry | undefined {
  const isChoice = (of: string): boolean => elementFact(resourceType, of) !== undefined;
  const choice = choiceOf(name, path, { isChoice });
  return choice === undefined
    ? undefined
    : [...ours.entries.values()].find((entry) => choiceOf(entry.name, path, { isChoice }) === choice);
}

/** Reasons for fields that are not sent; an overlay gives them for its own fields. */
export function addUnused(ours: MapNode, theirs: MapNode, own: readonly string[], problems: Problems): MapNode {
  const entries = new Map(ours.entries);
  for (const entry of theirs.entries.values()) {
    if (own.includes(entry.name)) {
      entries.set(entry.name, entry);
    } else {
      problems.error(
        entry.at,
        `An overlay says of its own fields alone why they are not sent; "${entry.name}" is none.${didYouMean(entry.name, own)}`,
      );
    }
  }
  return { ...ours, entries };
}
