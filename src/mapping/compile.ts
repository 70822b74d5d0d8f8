// All files of a mapping folder compiled into one set: systems, ConceptMaps, then one mapping per record type. Everything that is wrong
// is reported in one go; a set with problems is never used.

import { createHash } from 'node:crypto';
import { type Profiles, profilesWith, readGuideFacts, shippedProfiles } from '../fhir/fhir.ts';
import { didYouMean } from '../nearest.ts';
import { isRecordType, type RecordType, recordTypes } from '../records/records.ts';
import { isPlainText, type SlotEntry } from './build.ts';
import { compileMapping } from './compile-mapping.ts';
import { type ConceptMap, compileConceptMap } from './concept-map.ts';
import { overlaid } from './overlay/overlay.ts';
import { type MapNode, type Position, Problems, readNodes } from './positions.ts';
import { compileSystems, noSystems, type Systems } from './systems.ts';
import type { Mapping, MappingFile, MappingProblem, MappingSet } from './types.ts';

/** Compiles and checks mapping files. Pure: the same files give the same set, problems and warnings. */
export function compileMappings(files: readonly MappingFile[]): { set: MappingSet } | { problems: MappingProblem[] } {
  const problems = new Problems();
  const profiles = compileGuides(files.filter(isGuide), problems);
  const read = files.filter((file) => !isGuide(file)).flatMap((file) => readNodes(file, problems) ?? []);
  // What a file that cannot be read would have said is missing everywhere: the rest can only be checked without such files. So with an overlay.
  if (problems.errors.length > 0) {
    return { problems: sorted(problems.errors) };
  }
  const { roots, schemas, declared } = overlaid(read, problems);
  if (problems.errors.length > 0) {
    return { problems: sorted(problems.errors) };
  }
  const systems = oneOf(
    roots.filter((root) => kindOf(root) === 'systems'),
    problems,
  );
  const conceptMaps = compileConceptMaps(roots, systems, problems);
  const mappings = roots.filter((root) => kindOf(root) === 'mapping');
  const slots = slotIndex(mappings);
  const shared = { problems, profiles, systems, conceptMaps, slots, schemas, declared };
  const compiled = new Map<RecordType, ReturnType<typeof compileMapping>>();
  for (const root of mappings) {
    const type = recordTypeOf(root, problems);
    const other = mappings.find((one) => one !== root && type !== undefined && compiled.has(type) && isFor(one, type));
    if (type && other) {
      problems.error(root.at, `There are two mappings for ${type}; the other one is ${other.at.path}.`);
    } else if (type) {
      compiled.set(type, compileMapping(root, { ...shared, recordType: type, uses: new Set() }));
    }
  }
  checkCycles(
    [...compiled.values()].flatMap(({ needs }) => needs),
    problems,
  );
  if (problems.errors.length > 0) {
    return { problems: sorted(problems.errors) };
  }
  const all = [...compiled].map(([, { mapping }]) => mapping);
  const byType = new Map<RecordType, Mapping>(all.map((mapping) => [mapping.recordType, mapping]));
  const set: MappingSet = {
    version: mappingVersion(files),
    mappings: all,
    mapping: (type) => byType.get(type),
    schemas,
    warnings: sorted(problems.warnings),
  };
  return { set };
}

/** Facts of guides travel with the mapping files: whoever runs a version checks against the guides that it was made for. */
function isGuide({ path }: MappingFile): boolean {
  return path.endsWith('.json');
}

function compileGuides(files: readonly MappingFile[], problems: Problems): Profiles {
  const start = ({ path }: MappingFile): Position => ({ path, line: 1, column: 1 });
  const guides = files.flatMap((file) => {
    const read = readGuideFacts(file.text);
    if ('facts' in read) return [{ file, facts: read.facts }];
    problems.error(start(file), read.problem);
    return [];
  });
  const made = profilesWith(guides.map(({ facts }) => facts));
  if ('profiles' in made) return made.profiles;
  const [first] = guides;
  const owner = guides.find(({ facts }) => facts === made.guide) ?? first;
  if (owner) problems.error(start(owner.file), made.problem);
  return shippedProfiles;
}

type FileKind = 'systems' | 'conceptMap' | 'mapping';

function kindOf(root: MapNode): FileKind {
  if (root.entries.has('record')) {
    return 'mapping';
  }
  return root.entries.has('conceptMap') ? 'conceptMap' : 'systems';
}

function oneOf(roots: readonly MapNode[], problems: Problems): Systems {
  const [first, second] = roots;
  if (second) {
    problems.error(
      second.at,
      `Neither a mapping ("record") nor a ConceptMap ("conceptMap"), and ${first?.at.path} already names the systems.`,
    );
  }
  return first ? compileSystems(first, problems) : noSystems;
}

function compileConceptMaps(roots: readonly MapNode[], systems: Systems, problems: Problems): Map<string, ConceptMap> {
  const maps = new Map<string, ConceptMap>();
  for (const root of roots.filter((node) => kindOf(node) === 'conceptMap')) {
    const map = compileConceptMap(root, systems, problems);
    const other = map && maps.get(map.name);
    if (map && other) {
      problems.error(root.at, `There are two ConceptMaps "${map.name}"; the other one is ${other.at.path}.`);
    } else if (map) {
      maps.set(map.name, map);
    }
  }
  return maps;
}

function recordTypeOf(root: MapNode, problems: Problems): RecordType | undefined {
  const node = root.entries.get('record')?.value;
  const name = isPlainText(node) ? node.value : '';
  return isRecordType(name)
    ? name
    : problems.error(node?.at ?? root.at, `There is no record type "${name}".${didYouMean(name, recordTypes)}`);
}

function isFor(root: MapNode, type: RecordType): boolean {
  const node = root.entries.get('record')?.value;
  return isPlainText(node) && node.value === type;
}

/** Which slots there are, read before any rule is compiled, because rules point across files. */
export function slotIndex(roots: readonly MapNode[]): Map<string, Map<string, SlotEntry>> {
  const index = new Map<string, Map<string, SlotEntry>>();
  for (const root of roots) {
    const record = root.entries.get('record')?.value;
    const resources = root.entries.get('resources')?.value;
    const slots = new Map<string, SlotEntry>();
    for (const { name, value } of resources?.kind === 'map' ? resources.entries.values() : []) {
      const type = value.kind === 'map' ? value.entries.get('resourceType')?.value : undefined;
      const each = value.kind === 'map' ? value.entries.get('each')?.value : undefined;
      const by = value.kind === 'map' ? value.entries.get('by')?.value : undefined;
      const was = value.kind === 'map' ? value.entries.get('was')?.value : undefined;
      slots.set(name, {
        identity: isPlainText(was) ? was.value : name,
        resourceType: isPlainText(type) ? type.value : '',
        ...(isPlainText(each) && { each: each.value }),
        ...(isPlainText(by) && { by: by.value }),
      });
    }
    if (isPlainText(record)) {
      index.set(record.value, slots);
    }
  }
  return index;
}

/** Slots that wait for each other for ever must not load. */
function checkCycles(needs: readonly { from: string; target: string; at: Position }[], problems: Problems): void {
  const told = new Set<string>();
  const walk = (slot: string, path: readonly string[]): void => {
    for (const { target, at } of needs.filter(({ from }) => from === slot)) {
      const start = path.indexOf(target);
      if (start >= 0) {
        const cycle = [...path.slice(start), target];
        const name = [...cycle].sort().join();
        if (!told.has(name)) {
          told.add(name);
          problems.error(at, `These slots require each other, so none could ever be made: ${cycle.join(' -> ')}.`);
        }
      } else {
        walk(target, [...path, target]);
      }
    }
  };
  for (const from of new Set(needs.map((need) => need.from))) {
    walk(from, [from]);
  }
}

/** The version that these files are: a hash of their paths and texts. */
export function mappingVersion(files: readonly MappingFile[]): string {
  const hash = createHash('sha256');
  for (const { path, text } of [...files].sort((left, right) => (left.path < right.path ? -1 : 1))) {
    hash.update(`${path}\n${Buffer.byteLength(text)}\n${text}`);
  }
  return hash.digest('hex');
}

function comparePaths(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

function sorted(problems: readonly MappingProblem[]): MappingProblem[] {
  return [...problems].sort(
    (left, right) => comparePaths(left.path, right.path) || left.line - right.line || left.column - right.column,
  );
}
