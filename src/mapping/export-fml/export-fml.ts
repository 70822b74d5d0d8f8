// `map --export fml`: the mappings as StructureMaps in the FHIR Mapping Language, forward only, one for each resource that a record makes. They hold
// what the language says and @medplum/core's engine runs; all else is listed. Pure.

import { childNames, elementFact, isResourceType, shippedProfiles } from '../../fhir/fhir.ts';
import { isRecordType, type RecordType } from '../../records/records.ts';
import { type Build, cursorAt, isPlainText, textAt } from '../build.ts';
import { slotIndex } from '../compile.ts';
import { compileConceptMap } from '../concept-map.ts';
import { derivations } from '../derive.ts';
import { overlaid } from '../overlay/overlay.ts';
import { type MapNode, type Position, Problems, readNodes } from '../positions.ts';
import { compileSystems, localSystem, noSystems } from '../systems.ts';
import type { MappingFile } from '../types.ts';
import { CodeTables } from './code-tables.ts';
import { conditionOf, literal } from './conditions.ts';
import type { LeftOut } from './left-out.ts';
import { Names, type Rule, writeRules } from './rules.ts';
import { writeElements } from './templates.ts';
import { type ExportOptions, given, leaveOut, record, type Writer } from './writer.ts';

export type { LeftOut } from './left-out.ts';

export interface FmlMap {
  readonly record: RecordType;
  readonly slot: string;
  readonly resourceType: string;
  /** Canonical URL of the StructureMap. */
  readonly url: string;
  /** The map in the FHIR Mapping Language, its ConceptMaps included. */
  readonly fml: string;
}

export interface FmlExport {
  readonly maps: readonly FmlMap[];
  readonly leftOut: readonly LeftOut[];
}

/** What holds for all maps, besides what each leaves out. */
export const fmlLimits: readonly string[] = [
  "A reference is the type and the record id, as in Patient/c-100: links are not the map's to know. Whoever runs it gives the resources these ids, or replaces the references.",
  'Values go as they are: texts are not trimmed, and what FHIR does not take as a text, a code or a URI is not left out.',
  'Nothing is reported: no code that a ConceptMap does not list, no value that does not fit. Nothing is parked.',
  'Choices go by their JSON name (valueCoding), and plain values of a list by themselves, as @medplum/core runs them.',
];

/** @param files of a folder that `compileMappings` takes without problems */
export function exportFml(files: readonly MappingFile[], options: ExportOptions): FmlExport {
  const shared = readShared(files);
  const leftOut: LeftOut[] = [];
  const maps: FmlMap[] = [];
  for (const root of shared.mappings) {
    const type = root.entries.get('record')?.value;
    if (!isPlainText(type) || !isRecordType(type.value)) continue;
    for (const [name, node] of slotsOf(root)) {
      const derived = derivations[textAt(root, 'derive')]?.sets ?? [];
      const map = exportSlot(type.value, name, node, shared, options, leftOut, derived);
      if (map) maps.push(map);
    }
  }
  return { maps, leftOut: [...new Map(leftOut.map((item) => [JSON.stringify(item), item])).values()] };
}

interface Shared extends Pick<Build, 'systems' | 'conceptMaps' | 'slots' | 'schemas' | 'declared'> {
  readonly mappings: readonly MapNode[];
}

function readShared(files: readonly MappingFile[]): Shared {
  const problems = new Problems();
  const read = files.flatMap((file) => readNodes(file, problems) ?? []);
  const { roots, schemas, declared } = overlaid(read, problems);
  const mappings = roots.filter((root) => root.entries.has('record'));
  const tables = roots.filter((root) => root.entries.has('conceptMap'));
  const others = roots.filter((root) => !mappings.includes(root) && !tables.includes(root));
  const systems = others.map((root) => compileSystems(root, problems))[0] ?? noSystems;
  const conceptMaps = tables.flatMap((root) => compileConceptMap(root, systems, problems) ?? []);
  return {
    systems,
    conceptMaps: new Map(conceptMaps.map((map) => [map.name, map])),
    slots: slotIndex(mappings),
    schemas,
    declared,
    mappings,
  };
}

function slotsOf(root: MapNode): [name: string, node: MapNode][] {
  const resources = root.entries.get('resources')?.value;
  return [...(resources?.kind === 'map' ? resources.entries.values() : [])].flatMap(({ name, value }) =>
    value.kind === 'map' ? [[name, value]] : [],
  );
}

function exportSlot(
  type: RecordType,
  slot: string,
  node: MapNode,
  shared: Shared,
  options: ExportOptions,
  leftOut: LeftOut[],
  derived: readonly string[],
): FmlMap | undefined {
  const resourceType = textAt(node, 'resourceType');
  const elements = node.entries.get('elements')?.value;
  if (!isResourceType(resourceType) || elements?.kind !== 'map') return undefined;
  const writer: Writer = {
    build: buildFor(type, shared.slots.get(type)?.get(slot)?.identity ?? slot, resourceType, shared),
    options,
    names: new Names(),
    tables: new CodeTables(options.identifierSystem),
    leftOut,
    derived,
  };
  if (node.entries.has('each')) {
    leaveOut(writer, '', node.at, 'a map makes one resource of a record, and this slot one of each item of a list');
    return undefined;
  }
  if (node.entries.has('profile')) {
    leaveOut(
      writer,
      'meta.profile',
      node.at,
      'which profile is claimed follows from checks, which a map does not make',
    );
  }
  const scope = { cursor: cursorAt(type, true, shared), item: record };
  const resource = { variable: 'resource', below: [] };
  const rules = [...identity(writer, node.at), ...writeElements(writer, elements, '', resource, scope)];
  const when = node.entries.get('when')?.value;
  const url = `${options.identifierSystem}/StructureMap/${type}-${slot}`;
  return {
    record: type,
    slot,
    resourceType,
    url,
    fml: written(
      writer,
      url,
      when
        ? given(conditionOf(when, scope.cursor, writer.build), scope, { at: node.at, once: true }, () => ({
            targets: [],
            rules,
          }))
        : rules,
    ),
  };
}

function buildFor(recordType: RecordType, slot: string, resourceType: string, shared: Shared): Build {
  return {
    problems: new Problems(),
    profiles: shippedProfiles,
    systems: shared.systems,
    conceptMaps: shared.conceptMaps,
    slots: shared.slots,
    schemas: shared.schemas,
    declared: shared.declared,
    recordType,
    slot,
    resourceType,
    uses: new Set(),
    fills: new Set(),
    needs: [],
    isRequired: () => false,
    isChoice: (path) => elementFact(resourceType, path) !== undefined,
  };
}

/** What every resource of ours carries besides its mapping, the claimed profile aside. */
function identity({ build, options, names }: Writer, at: Position): Rule[] {
  const { source, identifierSystem } = options;
  const { recordType, slot, resourceType } = build;
  const [meta, tag, id, identifier, half] = [
    names.make('to', 'meta'),
    names.make('to', 'tag'),
    names.make('from', 'id'),
    names.make('to', 'identifier'),
    names.make('to', 'value'),
  ];
  const tagged: Rule = {
    source: record,
    targets: [
      `resource.meta as ${meta}`,
      `${meta}.source = ${literal(`${identifierSystem}/${source}`)}`,
      `${meta}.tag as ${tag}`,
      `${tag}.system = ${literal(localSystem(identifierSystem, 'tags'))}`,
      `${tag}.code = 'casebridge'`,
    ],
    rules: [],
    at,
  };
  const identified: Rule = {
    source: `${record}.id`,
    variable: id,
    targets: [
      `resource.identifier as ${identifier}`,
      `${identifier}.system = ${literal(identifierSystem)}`,
      `${identifier}.value = append(${literal(`${source}/${recordType}/`)}, ${id}) as ${half}`,
      `${identifier}.value = append(${half}, ${literal(`#${slot}`)})`,
    ],
    rules: [],
    at,
  };
  return childNames(resourceType, '').includes('identifier') ? [tagged, identified] : [tagged];
}

function written({ build, options, tables }: Writer, url: string, rules: readonly Rule[]): string {
  const { recordType, slot, resourceType } = build;
  const source = `${capital(recordType)}Record`;
  return [
    `map ${quoted(url)} = ${capital(recordType)}${capital(slot)}\n\n`,
    tables.written(),
    `uses ${quoted(`${options.identifierSystem}/StructureDefinition/${recordType}`)} alias ${source} as source\n`,
    `uses "http://hl7.org/fhir/StructureDefinition/${resourceType}" alias ${resourceType} as target\n\n`,
    `group ${recordType}${capital(slot)}(source ${record} : ${source}, target resource : ${resourceType}) {\n`,
    writeRules(rules, 1),
    '}\n',
  ].join('');
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function quoted(text: string): string {
  return `"${text}"`;
}
