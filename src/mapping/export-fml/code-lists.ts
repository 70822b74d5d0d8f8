// Lists of codes whose ConceptMap leaves some of them out or sends them to different systems: which codes become rules of their own.

import type { Field } from '../../records/records.ts';
import { conceptMapNamed, isPlainText } from '../build.ts';
import { type ConceptMap, targetOf } from '../concept-map.ts';
import type { Node } from '../positions.ts';
import { Unsupported } from './left-out.ts';
import type { Around } from './presence.ts';

export interface CodeList {
  /** The codes that become something; with `distinct`, those that become the same are together. */
  groups(distinct: boolean): string[][];
}

/** Undefined where every item can be treated alike: it is no list of plain codes, or one rule does for all. */
export function codesOfList(item: Node, { build }: Around, field: Field): CodeList | undefined {
  if (field.kind === 'object') return undefined;
  const map = mapOnItem(item, (node) => conceptMapNamed(node, build));
  if (!map || (map.codes.size === 0 && map.unmapped)) return undefined;
  if (map.unmapped && !field.enum) throw new Unsupported('a list of codes, some of which no ConceptMap lists', item.at);
  const codes = (field.enum ?? [...map.codes]).filter((code) => targetOf(map, code) !== undefined);
  return {
    groups: (distinct) =>
      distinct
        ? [...Map.groupBy(codes, (code) => JSON.stringify(targetOf(map, code)?.codings)).values()]
        : codes.map((code) => [code]),
  };
}

/** The ConceptMap of the first rule on the item itself: `{from: ., code: map}`. */
function mapOnItem(node: Node, find: (node: Node) => ConceptMap | undefined): ConceptMap | undefined {
  if (node.kind !== 'map') return undefined;
  const from = node.entries.get('from')?.value;
  const code = node.entries.get('code')?.value;
  if (code && isPlainText(from) && from.value === '.') return find(code);
  for (const { value } of node.entries.values()) {
    const map = mapOnItem(value, find);
    if (map) return map;
  }
  return undefined;
}
