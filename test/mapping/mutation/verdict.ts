// Whether the tests of the mappings see a fault: the load, the golden files, and the law that a record takes nothing back from what it made itself.

import { shippedProfiles } from '../../../src/fhir/fhir.ts';
import { isObject, type Json } from '../../../src/json.ts';
import { slotIndex } from '../../../src/mapping/compile.ts';
import { compileMapping } from '../../../src/mapping/compile-mapping.ts';
import { type ConceptMap, compileConceptMap } from '../../../src/mapping/concept-map.ts';
import { compileMappings, type Mapping, type MappingFile } from '../../../src/mapping/mapping.ts';
import { type MapNode, Problems, readNodes } from '../../../src/mapping/positions.ts';
import { compileSystems, noSystems } from '../../../src/mapping/systems.ts';
import { isRecordType, type RecordType, shippedSchemas } from '../../../src/records/records.ts';
import { context, edits, type Fixture, fixtures, resolve, variants } from '../fixtures.ts';
import {
  backward,
  conceptMaps,
  conceptMapsFile,
  edited,
  editsFile,
  elements,
  elementsFile,
  forward,
  goldenFile,
  readGolden,
  references,
  referencesFile,
  variantsFile,
  varied,
} from '../golden.ts';

const golden = new Map(
  fixtures.flatMap((fixture) =>
    (['fhir', 'back'] as const).map(
      (way) => [goldenFile(fixture, way), canonical(readGolden(goldenFile(fixture, way)))] as const,
    ),
  ),
);
const variantsGolden = goldenCases(variants, variantsFile);
const editsGolden = goldenCases(edits, editsFile);
const conceptMapsGolden = canonical(readGolden(conceptMapsFile));
const elementsGolden = readGolden(elementsFile);
const referencesGolden = readGolden(referencesFile);

/** By what a set of mapping files is found wrong; undefined: nothing sees it. */
export function killedBy(files: readonly MappingFile[]): string | undefined {
  const compiled = compileMappings(files);
  if ('problems' in compiled) return 'the load';
  if (canonical(conceptMaps(files)) !== conceptMapsGolden) return 'the table of ConceptMaps';
  const { set } = compiled;
  return set.mappings.map(seenIn).find((by) => by !== undefined);
}

/**
 * The same for one file changed among files that pass, looking only at what that file makes by itself. Costs a hundredth; what it does not see,
 * `killedBy` may.
 */
export function quickVerdict(files: readonly MappingFile[]): (changed: MappingFile) => string | undefined {
  const roots = new Map(files.flatMap((file) => nodesOf(file).map((root) => [file.path, root] as const)));
  const isMapping = (root: MapNode): boolean => root.entries.has('record');
  const systemsFile = files.filter(({ path }) => {
    const entries = roots.get(path)?.entries;
    return entries && !entries.has('record') && !entries.has('conceptMap');
  });
  const problems = new Problems();
  const [systemsRoot] = systemsFile.flatMap(({ path }) => roots.get(path) ?? []);
  const systems = systemsRoot ? compileSystems(systemsRoot, problems) : noSystems;
  const maps = new Map<string, ConceptMap>(
    [...roots.values()]
      .filter(({ entries }) => entries.has('conceptMap'))
      .flatMap((root) => compileConceptMap(root, systems, problems) ?? [])
      .map((map) => [map.name, map]),
  );
  const tableOf = (file: MappingFile): string => canonical(conceptMaps([...systemsFile, file]));
  const tables = new Map(files.map((file) => [file.path, tableOf(file)]));

  return (changed) => {
    const [root] = nodesOf(changed);
    if (root === undefined) return 'the load';
    if (!isMapping(root)) return tableOf(changed) === tables.get(changed.path) ? undefined : 'the table of ConceptMaps';
    const recordType = recordTypeOf(root);
    if (recordType === undefined) return 'the load';
    const shared = {
      problems: new Problems(),
      profiles: shippedProfiles,
      systems,
      conceptMaps: maps,
      slots: slotIndex([...roots].map(([path, old]) => (path === changed.path ? root : old)).filter(isMapping)),
      schemas: shippedSchemas,
      declared: new Map(),
      recordType,
      uses: new Set<string>(),
    };
    const { mapping } = compileMapping(root, shared);
    if (shared.problems.errors.length > 0) return 'the load';
    return seenIn(mapping);
  };
}

function nodesOf(file: MappingFile): MapNode[] {
  const root = readNodes(file, new Problems());
  return root ? [root] : [];
}

function recordTypeOf(root: MapNode) {
  const node = root.entries.get('record')?.value;
  const name = node?.kind === 'scalar' ? String(node.value) : '';
  return isRecordType(name) ? name : undefined;
}

function seenIn(mapping: Mapping): string | undefined {
  if (canonical(elements({ mappings: [mapping] })) !== ownPart(elementsGolden, mapping)) return 'the table of elements';
  try {
    for (const fixture of fixtures.filter(({ type }) => type === mapping.recordType)) {
      const seen = seenInFixture(mapping, fixture);
      if (seen !== undefined) return seen;
    }
    return seenInVariants(mapping) ?? seenInEdits(mapping) ?? seenInReferences(mapping);
  } catch {
    return 'a mapping that throws';
  }
}

/** Of a table over all mappings. */
function ownPart(table: Json, { recordType }: Mapping): string {
  const all = isObject(table) ? Object.entries(table) : [];
  return canonical(Object.fromEntries(all.filter(([name]) => name.startsWith(`${recordType} `))));
}

function seenInFixture(mapping: Mapping, fixture: Fixture): string | undefined {
  if (canonical(forward(mapping, fixture)) !== golden.get(goldenFile(fixture, 'fhir'))) return 'a golden file';
  if (canonical(backward(mapping, fixture)) !== golden.get(goldenFile(fixture, 'back')))
    return 'a golden file of the way back';
  return takesBack(mapping, fixture.record) ? 'the law of the way back' : undefined;
}

function goldenCases(
  cases: readonly { type: RecordType }[],
  fileOf: (type: RecordType) => string,
): Map<string, string> {
  return new Map(
    [...new Set(cases.map(({ type }) => type))].flatMap((type) => {
      const all = readGolden(fileOf(type));
      return Object.entries(isObject(all) ? all : {}).map(
        ([name, one]) => [`${type} ${name}`, canonical({ [name]: one })] as const,
      );
    }),
  );
}

/** One at a time, because the first that differs settles it. */
function seenInVariants(mapping: Mapping): string | undefined {
  for (const variant of variants.filter(({ type }) => type === mapping.recordType)) {
    const wanted = variantsGolden.get(`${variant.type} ${variant.name}`);
    if (canonical(varied(mapping, [variant])) !== wanted) return 'a golden variant';
    if (takesBack(mapping, variant.record)) return 'the law of the way back';
  }
  return undefined;
}

function seenInEdits(mapping: Mapping): string | undefined {
  const seen = edits
    .filter(({ type }) => type === mapping.recordType)
    .find((edit) => canonical(edited(mapping, [edit])) !== editsGolden.get(`${edit.type} ${edit.name}`));
  return seen && 'a golden edit';
}

function seenInReferences(mapping: Mapping): string | undefined {
  const own = [...fixtures, ...variants].filter(({ type }) => type === mapping.recordType);
  const isAsBefore = canonical(references(mapping, own)) === ownPart(referencesGolden, mapping);
  return isAsBefore ? undefined : 'the table of references';
}

function takesBack(mapping: Mapping, record: Fixture['record']): boolean {
  return mapping.project(record, context).some(({ slot: name, resource }) => {
    const slot = mapping.slot(name);
    const { patch } = slot.absorb(
      slot.elements.map(({ key }) => key),
      resource,
      record,
      { resolve },
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
