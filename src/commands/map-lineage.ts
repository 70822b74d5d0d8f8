// `map --lineage`: for each element of the resources where it comes from, and what of the records is sent nowhere and why.

import type { Projected } from '../lanes/lanes.ts';
import type { Origin } from '../mapping/mapping.ts';
import { aligned } from './terminal.ts';

/** As tables for people. */
export function lineageLines(projected: readonly Projected[]): string[] {
  return projected.flatMap(({ type, id, resources, unsent }) => [
    ...resources.flatMap(({ desired, lineage }) => [
      `${type} ${id}, ${desired.slot}: ${desired.resourceType}`,
      ...indented(lineage.map(originRow)),
    ]),
    ...(unsent.length === 0 ? [] : [`${type} ${id}: said in no resource`]),
    ...indented(unsent.map(({ pointer, why, rule }) => [pointer, why, rule ?? ''])),
  ]);
}

function originRow({ element, pointers, raw, record, converter, rule }: Origin): string[] {
  const whose = record === undefined ? '' : `${record.type}/${record.id}`;
  const from = pointers.map((pointer) => `${whose}${pointer}`).join(', ');
  return [element, from === '' ? '(always)' : from, raw === undefined ? '' : JSON.stringify(raw), converter, rule];
}

function indented(rows: readonly (readonly string[])[]): string[] {
  return aligned(rows).map((line) => `  ${line}`);
}
