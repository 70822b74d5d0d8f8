// ConceptMaps as data (mappings/concept-maps/*.yaml): the codes of a record field, their codings in FHIR, and the way back.
// Many codes to one coding need a preferred way back, so that no answer depends on the order of lines. Entries may have periods: which one holds is
// decided by the day of the record's `updatedAt`, never by the clock, so that the same record always says the same.

import type { JsonObject } from '../json.ts';
import { didYouMean } from '../nearest.ts';
import { areKnown, conceptMapWords, ofRightKinds } from './notation.ts';
import { checkSequence, isDated, isWithin, type Period, periodKeys, readPeriod, turningDays } from './periods.ts';
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
  /** Of what it says: lineage names it. */
  readonly version: string;
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
  /** What the map says on which days, the oldest first; the map itself says what the last of them does. Absent: the same on all days. */
  readonly editions?: readonly Edition[];
}

/** A map as it is between two days on which some entry changes. */
export interface Edition {
  /** The first day; '' for the oldest, which has none. */
  readonly from: string;
  readonly map: ConceptMap;
}

/** The map as it is on the day of the record that holds the code. */
export function mapOn(map: ConceptMap, record: JsonObject): ConceptMap {
  return map.editions === undefined ? map : (onDayOf(record, map.editions)?.map ?? map);
}

/** The one that holds on the day of the record's `updatedAt`, as its source writes it; for a record without one the last. */
export function onDayOf<Dated extends Pick<Edition, 'from'>>(
  { updatedAt }: JsonObject,
  editions: readonly Dated[],
): Dated | undefined {
  const day = typeof updatedAt === 'string' ? updatedAt.slice(0, 'yyyy-mm-dd'.length) : undefined;
  return day === undefined ? editions.at(-1) : editions.findLast(({ from }) => from <= day);
}

/** All targets of all days, each with its code. */
export function everyTarget(map: ConceptMap): [code: string, target: Target][] {
  const codes = new Map<Target, string>();
  for (const edition of map.editions ?? [{ map }]) {
    for (const [code, target] of edition.map.targets) {
      codes.set(target, code);
    }
  }
  return [...codes].map(([target, code]) => [code, target]);
}

/** The target of a code; undefined for `none` and for codes that the map does not know. */
export function targetOf(map: ConceptMap, code: string): Target | undefined {
  return map.targets.get(code) ?? (map.codes.has(code) ? undefined : map.unmapped);
}

/** The codings of a target; the local one comes last and carries the record's own code. */
export function codingsOf(map: ConceptMap, target: Target, code: string, identifierSystem: string): Coding[] {
  const local = { system: localSystem(identifierSystem, map.name), code, display: codeWords(map, code) };
  const same = { ...(map.system !== undefined && { system: map.system }), code };
  return [...target.codings, ...(target.same ? [same] : []), ...(target.local ? [local] : [])];
}

/** The text beside a coding: the map's own words; a local code's name, which nobody else could look up; else none. */
export function textOf(map: ConceptMap, code: string): string | undefined {
  const target = targetOf(map, code);
  return target?.display ?? (target?.local ? inWords(code) : undefined);
}

/** A code in words, for texts that people read. */
export function codeWords(map: ConceptMap, code: string): string {
  return map.targets.get(code)?.display ?? inWords(code);
}

/** True for a system of this map, our local list included (whoever's identifier system it hangs below). */
export function isSystemOf(map: ConceptMap, system: string | undefined): boolean {
  return map.systems.has(system ?? '') || isLocal(map, system);
}

export function isLocal(map: ConceptMap, system: string | undefined): boolean {
  if (system?.endsWith(map.name) !== true) return false;
  // A standard's own list may have the name of ours.
  return system.endsWith(`/CodeSystem/${map.name}`) && !map.systems.has(system);
}

/** The record's code for a coding; undefined where the map knows no way back. */
export function codeFor(map: ConceptMap, coding: { system?: string; code: string }): string | undefined {
  if (isLocal(map, coding.system)) {
    return coding.code;
  }
  const known = map.back.get(`${coding.system ?? ''}|${coding.code}`);
  return known ?? (map.unmapped?.same && coding.system === map.system ? coding.code : undefined);
}

export function compileConceptMap(whole: MapNode, systems: Systems, problems: Problems): ConceptMap | undefined {
  areKnown('A ConceptMap', whole.entries.values(), conceptMapWords, problems);
  const root = ofRightKinds(whole, conceptMapWords, problems);
  const name = plainOf(root.entries.get('conceptMap'));
  const codesNode = root.entries.get('codes')?.value;
  if (name === undefined || codesNode?.kind !== 'map') {
    return problems.error(root.at, 'A ConceptMap needs "conceptMap" (its name) and "codes" (a map).');
  }
  if (plainOf(root.entries.get('source')) === undefined) {
    problems.error(root.at, 'A ConceptMap needs "source": where its codes come from.');
  }
  const version = plainOf(root.entries.get('version'));
  if (version === undefined) {
    problems.error(root.at, 'A ConceptMap needs "version": another one whenever its codes change.');
  }
  const targetEntry = root.entries.get('target');
  const alias = plainOf(targetEntry);
  const system = targetEntry && alias !== undefined ? urlOf(alias, systems, targetEntry.at, problems) : undefined;
  const reading: Reading = { systems, system, problems };

  const entries = [...codesNode.entries.values()].map((entry) => readEntry(entry, reading));
  const unmapped = root.entries.get('unmapped');
  const unmappedTarget = unmapped && readTarget(unmapped.value, reading);
  if (unmapped) {
    checkUnmapped(unmapped.value, entries, problems);
  }
  const stated = readStated(codesNode, root.entries.get('back'), reading);
  const starts = ['', ...turningDays(entries.flatMap(({ periods }) => periods))];
  const inForce = starts.map((day) => entriesOn(day, entries));
  const backs = backOf(inForce, stated, codesNode, problems);
  const editions = inForce.map(({ targets, codes }, index): Edition => {
    const back = backs[index] ?? new Map<string, string>();
    const map: ConceptMap = {
      name,
      version: version ?? '',
      at: root.at,
      system,
      targets,
      codes,
      ...(unmappedTarget && { unmapped: unmappedTarget }),
      dropsUnmapped: unmapped !== undefined && unmappedTarget === undefined,
      back,
      systems: new Set([
        ...(unmappedTarget?.same ? [system ?? ''] : []),
        // What any target is in, and what is only understood on the way back.
        ...[...back.keys()].map((key) => key.slice(0, key.lastIndexOf('|'))),
      ]),
    };
    return { from: starts[index] ?? '', map };
  });
  const last = editions.at(-1)?.map;
  return last && editions.length > 1 ? { ...last, editions } : last;
}

/** An entry under `codes`: one target for ever, or one after the other. */
interface Entry {
  readonly code: string;
  readonly periods: readonly (Period & { readonly at: Position; readonly target: Target | undefined })[];
}

function readEntry({ name: code, value }: MapEntry, reading: Reading): Entry {
  const parts = value.kind === 'list' ? value.items : [value];
  if (!parts.some(isDated)) {
    return { code, periods: [{ at: value.at, target: readTarget(value, reading) }] };
  }
  const read = parts.map((part) => {
    const period = isDated(part) ? readPeriod(part, reading.problems) : {};
    return period && { ...period, at: part.at, target: readTarget(isDated(part) ? undated(part) : part, reading) };
  });
  const periods = read.filter((period) => period !== undefined);
  if (periods.length < read.length) {
    // What is told of its days is enough: nothing else is to be missed for it.
    return { code, periods: [{ at: value.at, target: undefined }] };
  }
  checkSequence(code, periods, reading.problems);
  return { code, periods };
}

const targetWords = ['local', 'same', 'none'];

/** A code for whatever the map lacks is one that the map makes of some code, or says its system: a slip of the pen is neither. */
function checkUnmapped(node: Node, entries: readonly Entry[], problems: Problems): void {
  const made = entries.flatMap(({ periods }) => periods.flatMap(({ target }) => target?.codings ?? []));
  const known = [...targetWords, ...made.map(({ code }) => code)];
  for (const part of node.kind === 'list' ? node.items : [node]) {
    const code = part.kind === 'map' ? part.entries.get('code')?.value : part;
    const said = code?.kind === 'scalar' ? String(code.value) : undefined;
    if (code && said !== undefined && !said.includes('#') && !known.includes(said)) {
      problems.error(
        code.at,
        `"unmapped" is ${targetWords.join(', ')}, alias#code, or a code that this map makes; "${said}" is none.${didYouMean(said, known)}`,
      );
    }
  }
}

/** `{ code: [a, local], until }` is several codings for a time. */
function undated(part: MapNode): Node {
  const rest = new Map([...part.entries].filter(([key]) => !periodKeys.includes(key)));
  const code = rest.get('code')?.value;
  return code?.kind === 'list' && rest.size === 1 ? code : { ...part, entries: rest };
}

type InForce = Pick<ConceptMap, 'targets' | 'codes'>;

/** What holds on a day, or before all days (''). A code of another time is none of the map's then. */
function entriesOn(day: string, entries: readonly Entry[]): InForce {
  const held = entries.flatMap(({ code, periods }) => {
    const period = periods.find((one) => isWithin(one, day));
    return period ? [{ code, target: period.target }] : [];
  });
  return {
    targets: new Map(held.flatMap(({ code, target }) => (target ? [[code, target] as const] : []))),
    codes: new Set(held.map(({ code }) => code)),
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
    checkTargetKeys(part, reading.problems);
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

const targetKeys = ['code', 'display'];

function checkTargetKeys(part: Node, problems: Problems): void {
  for (const { name, at } of part.kind === 'map' ? part.entries.values() : []) {
    if (periodKeys.includes(name)) {
      problems.error(at, `"${name}" stands at an entry of "codes", beside its code.`);
    } else if (!targetKeys.includes(name)) {
      const nearest = didYouMean(name, [...targetKeys, ...periodKeys]);
      problems.error(at, `A target has no key "${name}".${nearest}`);
    }
  }
}

/** What `back` says: `system|code` -> code of the record. */
function readStated(codes: MapNode, backEntry: MapEntry | undefined, reading: Reading): Map<string, string> {
  const stated = new Map<string, string>();
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
      stated.set(keyOf(coding), code);
    }
  }
  return stated;
}

/**
 * The way back of each edition: what becomes a coding in this one goes before what does in others, which is understood all the same, since resources
 * of that time stay on servers. Where several codes do, `back` must say which one is meant.
 */
function backOf(
  editions: readonly InForce[],
  stated: ReadonlyMap<string, string>,
  codes: MapNode,
  problems: Problems,
): Map<string, string>[] {
  const ever = makersIn(editions);
  const told = new Set<string>();
  const settle = (back: Map<string, string>, key: string, [first, ...others]: readonly string[]): void => {
    if (first === undefined || back.has(key)) return;
    back.set(key, first);
    for (const code of others) {
      const coded = key.slice(key.lastIndexOf('|') + 1);
      const message = `"${code}" and "${first}" both become ${coded}: say under "back" which one it means on the way back.`;
      if (!told.has(message)) problems.error(codes.entries.get(code)?.at ?? codes.at, message);
      told.add(message);
    }
  };
  return editions.map((edition) => {
    const now = makersIn([edition]);
    const isOfAnotherTime = (key: string, code: string): boolean =>
      now.has(key) && now.get(key)?.includes(code) === false && ever.get(key)?.includes(code) === true;
    const back = new Map([...stated].filter(([key, code]) => !isOfAnotherTime(key, code)));
    for (const [key, makers] of now) settle(back, key, makers);
    for (const [key, makers] of ever) settle(back, key, [...new Set(makers)]);
    return back;
  });
}

/** Coding -> the codes that become it. */
function makersIn(editions: readonly InForce[]): Map<string, string[]> {
  const makers = new Map<string, string[]>();
  for (const { targets } of editions) {
    for (const [code, { codings }] of targets) {
      for (const coding of codings) {
        const key = keyOf(coding);
        makers.set(key, [...(makers.get(key) ?? []), code]);
      }
    }
  }
  return makers;
}

function keyOf({ system, code }: Coding): string {
  return `${system ?? ''}|${code}`;
}

function plainOf(entry: MapEntry | undefined): string | undefined {
  const value = entry?.value;
  return value?.kind === 'scalar' && value.value !== null ? String(value.value) : undefined;
}

/** A code made of words; numbers and codes of others stay as they are. */
function inWords(code: string): string {
  return /^[a-z]/.test(code) ? code.replaceAll('-', ' ') : code;
}
