// Whether the tests of the mappings see a fault: the load, the golden files, and the law that a record takes nothing back from what it made itself.

import { compileMappings, type Mapping, type MappingFile, type MappingSet } from '../../../src/mapping/mapping.ts';
import { context, fixtures, resolve } from '../fixtures.ts';
import {
  backward,
  conceptMaps,
  conceptMapsFile,
  elements,
  elementsFile,
  forward,
  goldenFile,
  readGolden,
} from '../golden.ts';

const golden = new Map(
  fixtures.flatMap((fixture) =>
    (['fhir', 'back'] as const).map(
      (way) => [goldenFile(fixture, way), canonical(readGolden(goldenFile(fixture, way)))] as const,
    ),
  ),
);
const conceptMapsGolden = canonical(readGolden(conceptMapsFile));
const elementsGolden = canonical(readGolden(elementsFile));

/** By what a set of mapping files is found wrong; undefined: nothing sees it. */
export function killedBy(files: readonly MappingFile[]): string | undefined {
  const compiled = compileMappings(files);
  if ('problems' in compiled) return 'the load';
  if (canonical(conceptMaps(files)) !== conceptMapsGolden) return 'the table of ConceptMaps';
  try {
    return seenIn(compiled.set);
  } catch {
    return 'a mapping that throws';
  }
}

function seenIn(set: MappingSet): string | undefined {
  if (canonical(elements(set)) !== elementsGolden) return 'the table of elements';
  for (const fixture of fixtures) {
    const mapping = set.mapping(fixture.type);
    if (mapping === undefined) return 'a mapping that is missing';
    if (canonical(forward(mapping, fixture)) !== golden.get(goldenFile(fixture, 'fhir'))) return 'a golden file';
    if (canonical(backward(mapping, fixture)) !== golden.get(goldenFile(fixture, 'back')))
      return 'a golden file of the way back';
    if (takesBack(mapping, fixture.record)) return 'the law of the way back';
  }
  return undefined;
}

function takesBack(mapping: Mapping, record: (typeof fixtures)[number]['record']): boolean {
  return mapping.project(record, context).some(({ slot: name, resource }) => {
    const slot = mapping.slot(name);
    const { patch } = slot.absorb(
      slot.elements.map(({ key }) => key),
      resource,
      record,
      resolve,
    );
    return Object.keys(patch).length > 0;
  });
}

/** Keys in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
