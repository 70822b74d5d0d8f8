// ConceptMaps as data (mappings/concept-maps/*.yaml): the codes of a record field, their codings in FHIR, and the way back.
// Many codes to one coding need a preferred way back, so that no answer depends on the order of lines.

import { didYouMean } from '../nearest.ts';
import type { MapEntry, MapNode, Node, Position, Problems } from './positions.ts';
import { type Coding, codingOf, localSystem, type Systems, urlOf } from './systems.ts';

/** What one code of the record becomes. */
export interface Target {
  readonly codings: readonly Coding[];
  /** The code also goes as a coding of our local list. */
  readonly local: boolean;
  /** The code goes as it is, in the map's system. */
  readonly same: boolean;
  /** In words, where the map says them. */
  readonly display?: string;
}

export interface ConceptMap {
  readonly name: string;
  readonly at: Position;
  /** Absent: the target has no system, as for elements of type `code`. */
  readonly system?: string;
  /** `none` codes have no entry here, but are in `codes`. */
  readonly targets: ReadonlyMap<string, Target>;
  readonly codes: ReadonlySet<string>;
  /** What codes outside the list become; undefined: an issue. */
  readonly unmapped?: Target;
  /** `unmapped: none`: codes outside the list are left out, and that is as it should be. */
  readonly dropsUnmapped: boolean;
  /** `system|code` (or `|code`) -> code of the record. */
  readonly back: ReadonlyMap<string, string>;
  /** Every system that a target is in, or that the way back understands. */
  readonly systems: ReadonlySet<string>;
}

const keys = ['conceptMap', 'source', 'target', 'codes', 'unmapped', 'back'];

/** The target of a code; undefined for `none` and for codes that the map does not know. */
export function targetOf(map: ConceptMap, code: string): Target | undefined {
  return map.targets.get(code) ?? (map.codes.has(code) ? undefined : map.unmapped);
}

/** The codings of a target; the local one comes last and carries the record's own code. */
export function codingsOf(map: ConceptMap, target: Target, code: string, identifierSystem: string): Coding[] {
  const local = { system: localSystem(identifierSystem, map.name), code, display: wordsOf(map, code) };
  const same = { ...(map.system !== undefined && { system: map.system }), code };
  return [...target.codings, ...(target.same ? [same] : []), ...(target.local ? [local] : [])];
}

/** The text beside a coding: the map's own words; a local code's name, which nobody else could look up; else none. */
export function textOf(map: ConceptMap, code: string): string | undefined {
  const target = targetOf(map, code);
  return target?.display ?? (target?.local ? inWords(code) : undefined);
}

/** A code in words, for texts that people read. */
export function wordsOf(map: ConceptMap, code: string): string {
  return map.targets.get(code)?.display ?? inWords(code);
}

/** True for a system of this map, our local list included (whoever's identifier system it hangs below). */
export function isSystemOf(map: ConceptMap, system: string | undefined): boolean {
  return map.systems.has(system ?? '') || isLocal(map, system);
}

export function isLocal(map: ConceptMap, system: string | undefined): boolean {
  // A standard's own list may have the name of ours.
  return system?.endsWith(`/CodeSystem/${map.name}`) === true && !map.systems.has(system);
}

/** The record's code for a coding; undefined where the map knows no way back. */
export function codeFor(map: ConceptMap, coding: { system?: string; code: string }): string | undefined {
  if (isLocal(map, coding.system)) {
    return coding.code;
  }
  const known = map.back.get(`${coding.system ?? ''}|${coding.code}`);
  return known ?? (map.unmapped?.same && coding.system === map.system ? coding.code : undefined);
}

export function compileConceptMap(root: MapNode, systems: Systems, problems: Problems): ConceptMap | undefined {
  for (const entry of root.entries.values()) {
    if (!keys.includes(entry.name)) {
      problems.error(entry.at, `A ConceptMap has no key "${entry.name}".${didYouMean(entry.name, keys)}`);
    }
  }
  const name = plainOf(root.entries.get('conceptMap'));
  const codesNode = root.entries.get('codes')?.value;
  if (name === undefined || codesNode?.kind !== 'map') {
    return problems.error(root.at, 'A ConceptMap needs "conceptMap" (its name) and "codes" (a map).');
  }
  if (plainOf(root.entries.get('source')) === undefined) {
    problems.error(root.at, 'A ConceptMap needs "source": where its codes come from.');
  }
  const targetEntry = root.entries.get('target');
  const alias = plainOf(targetEntry);
  const system = targetEntry && alias !== undefined ? urlOf(alias, systems, targetEntry.at, problems) : undefined;
  const reading: Reading = { systems, system, problems };

  const targets = new Map<string, Target>();
  for (const entry of codesNode.entries.values()) {
    const target = readTarget(entry.value, reading);
    if (target) {
      targets.set(entry.name, target);
    }
  }
  const unmapped = root.entries.get('unmapped');
  const unmappedTarget = unmapped && readTarget(unmapped.value, reading);
  const back = readBack(codesNode, root.entries.get('back'), targets, reading);
  return {
    name,
    at: root.at,
    system,
    targets,
    codes: new Set(codesNode.entries.keys()),
    ...(unmappedTarget && { unmapped: unmappedTarget }),
    dropsUnmapped: unmapped !== undefined && unmappedTarget === undefined,
    back,
    systems: new Set([
      ...[...targets.values(), ...(unmappedTarget?.same ? [{ codings: [{ system, code: '' }] }] : [])].flatMap(
        ({ codings }) => codings.map(({ system: url }) => url ?? ''),
      ),
      // What is only understood on the way back is in systems of its own.
      ...[...back.keys()].map((key) => key.slice(0, key.lastIndexOf('|'))),
    ]),
  };
}

interface Reading {
  readonly systems: Systems;
  readonly system: string | undefined;
  readonly problems: Problems;
}

function readTarget(node: Node, reading: Reading): Target | undefined {
  const parts = node.kind === 'list' ? node.items : [node];
  const codings: Coding[] = [];
  let local = false;
  let same = false;
  let display: string | undefined;
  for (const part of parts) {
    const text = part.kind === 'map' ? part.entries.get('code')?.value : part;
    if (text?.kind !== 'scalar' || text.value === null) {
      reading.problems.error(
        part.at,
        'A target is a code, "local", "same", "none", { code, display } or a list of these.',
      );
      continue;
    }
    if (typeof text.value === 'number' && !Number.isSafeInteger(text.value)) {
      reading.problems.error(text.at, 'This code is not exact as a number; put it in quotes.');
    }
    const shown = part.kind === 'map' ? plainOf(part.entries.get('display')) : undefined;
    display ??= shown;
    if (text.value === 'local') {
      local = true;
    } else if (text.value === 'same') {
      same = true;
    } else if (text.value !== 'none') {
      const coding = readCoding(String(text.value), text.at, reading);
      if (coding) {
        codings.push(shown === undefined ? coding : { ...coding, display: shown });
      }
    }
  }
  return local || same || codings.length > 0
    ? { codings, local, same, ...(display !== undefined && { display }) }
    : undefined;
}

function readCoding(text: string, at: Position, { systems, system, problems }: Reading): Coding | undefined {
  return text.includes('#') ? codingOf(text, systems, at, problems) : { system, code: text };
}

function readBack(
  codes: MapNode,
  backEntry: MapEntry | undefined,
  targets: ReadonlyMap<string, Target>,
  reading: Reading,
): Map<string, string> {
  const back = new Map<string, string>();
  const preferred = backEntry?.value.kind === 'map' ? [...backEntry.value.entries.values()] : [];
  for (const entry of preferred) {
    const coding = readCoding(entry.name, entry.at, reading);
    const code = plainOf(entry);
    if (code === undefined || !codes.entries.has(code)) {
      reading.problems.error(
        entry.at,
        `"back" must name a code of this map.${didYouMean(code ?? '', codes.entries.keys())}`,
      );
    } else if (coding) {
      back.set(`${coding.system ?? ''}|${coding.code}`, code);
    }
  }
  const stated = new Set(back.keys());
  for (const [code, target] of targets) {
    for (const coding of target.codings) {
      const key = `${coding.system ?? ''}|${coding.code}`;
      const other = back.get(key);
      if (other === undefined) {
        back.set(key, code);
      } else if (!stated.has(key)) {
        const at = codes.entries.get(code)?.at ?? codes.at;
        reading.problems.error(
          at,
          `"${code}" and "${other}" both become ${coding.code}: say under "back" which one it means on the way back.`,
        );
      }
    }
  }
  return back;
}

function plainOf(entry: MapEntry | undefined): string | undefined {
  const value = entry?.value;
  return value?.kind === 'scalar' && value.value !== null ? String(value.value) : undefined;
}

/** A code made of words; numbers and codes of others stay as they are. */
function inWords(code: string): string {
  return /^[a-z]/.test(code) ? code.replaceAll('-', ' ') : code;
}
