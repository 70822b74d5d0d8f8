// In what form a slot says things, as one text to compare: facts that were made by another form say nothing until they are made anew.

import { contentHash } from '../fhir/fhir.ts';
import type { Field } from '../records/records.ts';
import type { MappingBuild } from './compile-slot.ts';
import type { MapNode, Node } from './positions.ts';
import type { Element } from './slot.ts';

/** To be raised whenever this program reads other facts from a resource than before, or makes another resource of a record, by the same mapping. */
const version = 1;

/** What of a slot decides what its resources say. */
const deciding = ['resourceType', 'each', 'by', 'elements'];

/**
 * The same for as long as the slot's rules, and what they name, say the same: wherever they stand, and whatever else the mapping says.
 * @param derive as the mapping has it
 */
export function formOf(
  slot: MapNode,
  derive: Node | undefined,
  rules: readonly Pick<Element, 'reads'>[],
  { recordType, schemas, systems, conceptMaps }: MappingBuild,
): string {
  const parts = deciding.map((name) => slot.entries.get(name)?.value);
  const words = new Set([...parts, derive].flatMap((part) => (part ? wordsIn(part) : [])));
  const root = schemas.tree(recordType);
  const fields = [...new Set(rules.flatMap(({ reads }) => reads))].sort().map((path) => kindsOn(root, path));
  const named = {
    conceptMaps: [...conceptMaps.values()].filter(({ name }) => words.has(name)),
    systems: [...systems.urls].filter(([alias]) => words.has(alias)),
    identifiers: systems.identifiers,
  };
  return contentHash(withoutPlaces({ version, parts, derive, fields, named })).slice(0, 16);
}

/** All texts, and of `alias#code` the alias. */
function wordsIn(node: Node): string[] {
  if (node.kind === 'list') return node.items.flatMap(wordsIn);
  if (node.kind === 'map') return [...node.entries.values()].flatMap(({ value }) => wordsIn(value));
  const text = String(node.value);
  return [text, text.replace(/#.*$/, '')];
}

/** What kinds of field a rule goes through: whether there is one value or a list of them is not for the rule to say. */
function kindsOn(root: Field, path: string): string {
  let field: Field | undefined = root;
  const kinds = path.split('.').map((name) => {
    field = field?.fields?.get(name);
    return field && `${field.kind}${field.list ? '[]' : ''}`;
  });
  return `${path} ${kinds.join('.')}`;
}

function withoutPlaces(value: unknown): string {
  return JSON.stringify(value, (name, part: unknown) => {
    if (name === 'at') return undefined;
    return part instanceof Map || part instanceof Set ? [...part] : part;
  });
}
