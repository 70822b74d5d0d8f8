// The ConceptMaps as a project that maps by hand would keep them: plain tables from a record's code to finished codings, made once.
// The codes come from the same files as Casebridge's; nothing of its engine is used.

import { parse } from 'yaml';
import { readMappingFiles } from '../../src/mapping/mapping.ts';

export interface TableCoding {
  readonly system?: string;
  readonly code: string;
  readonly display?: string;
}

export interface Concept {
  readonly coding: readonly TableCoding[];
  readonly text?: string;
}

/** One ConceptMap, forward only. */
export interface Table {
  /** By the record's code; undefined for a code that goes nowhere on purpose. */
  readonly concepts: ReadonlyMap<string, Concept | undefined>;
  /** What a code outside the list becomes; absent: nothing. */
  readonly other?: (code: string) => Concept;
  /** A code outside the list has to be told. */
  readonly tellsOthers: boolean;
  /** A code as people read it. */
  readonly words: (code: string) => string;
}

export interface Tables {
  readonly names: readonly string[];
  /** Throws for a name that no file has: a mistake in the bench. */
  table(name: string): Table;
}

type Target = string | number | { readonly code: string | number; readonly display?: string };

interface MapFile {
  readonly conceptMap: string;
  readonly target?: string;
  readonly codes: Readonly<Record<string, Target | readonly Target[]>>;
  readonly unmapped?: Target | readonly Target[];
}

export async function readTables(folder: string, identifierSystem: string): Promise<Tables> {
  const files = await readMappingFiles(folder);
  const urls: Readonly<Record<string, unknown>> = parse(files.find(({ path }) => path === 'systems.yaml')?.text ?? '');
  const url = (alias: string): string => String(urls[alias] ?? missing(alias));
  const maps: MapFile[] = files.filter(({ path }) => path.startsWith('concept-maps/')).map(({ text }) => parse(text));
  const tables = new Map(maps.map((map) => [map.conceptMap, tableOf(map, url, identifierSystem)]));
  return { names: [...tables.keys()], table: (name) => tables.get(name) ?? missing(name) };
}

function tableOf(map: MapFile, url: (alias: string) => string, identifierSystem: string): Table {
  const system = map.target === undefined ? undefined : url(map.target);
  const words = (code: string): string => displayOf(map.codes[code]) ?? code.replaceAll('-', ' ');
  const conceptOf = (code: string, target: Target | readonly Target[]): Concept | undefined => {
    const names = listOf(target).map((one) => String(typeof one === 'object' ? one.code : one));
    const coding = names.flatMap((name, index): TableCoding[] => {
      if (name === 'none' || name === 'local') return [];
      if (name === 'same') return [{ system, code }];
      const [alias, inSystem] = name.includes('#') ? name.split('#') : [];
      return [
        {
          system: alias === undefined ? system : url(alias),
          code: inSystem ?? name,
          display: displayOf(listOf(target)[index]),
        },
      ];
    });
    const isLocal = names.includes('local');
    if (isLocal)
      coding.push({ system: `${identifierSystem}/CodeSystem/${map.conceptMap}`, code, display: words(code) });
    return coding.length === 0 ? undefined : { coding, text: displayOf(target) ?? (isLocal ? words(code) : undefined) };
  };
  const { unmapped } = map;
  const other =
    unmapped === undefined || unmapped === 'none'
      ? undefined
      : (code: string): Concept => conceptOf(code, unmapped) ?? missing(code);
  return {
    concepts: new Map(Object.entries(map.codes).map(([code, target]) => [code, conceptOf(code, target)])),
    ...(other && { other }),
    tellsOthers:
      unmapped === undefined || (other !== undefined && unmapped !== 'same' && Object.keys(map.codes).length > 0),
    words,
  };
}

function displayOf(target: Target | readonly Target[] | undefined): string | undefined {
  for (const one of target === undefined ? [] : listOf(target)) {
    if (typeof one === 'object' && one.display !== undefined) return one.display;
  }
  return undefined;
}

function listOf(target: Target | readonly Target[]): readonly Target[] {
  return Array.isArray(target) ? target : [target as Target];
}

function missing(name: string): never {
  throw new Error(`bench: the mapping files have no ${name}`);
}
