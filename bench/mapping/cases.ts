// What is mapped: cases as JSON text, each with the records of one case, and what a mapper may know besides: its other records and links.

import type { JsonObject } from '../../src/json.ts';
import { compileMappings, type MappingSet, type ProjectContext, readMappingFiles } from '../../src/mapping/mapping.ts';
import type { RecordType } from '../../src/records/records.ts';
import { cases, directory, type Line } from '../caseload.ts';

export const mappingFolder = new URL('../../mappings', import.meta.url).pathname;

export const identifierSystem = 'https://agency.example.org/casebridge';

/** Records per case in the caseload. */
const recordsPerCase = 8;

export async function compiledMappings(): Promise<MappingSet> {
  const compiled = compileMappings(await readMappingFiles(mappingFolder));
  if ('set' in compiled) return compiled.set;
  throw new Error(compiled.problems.map(({ path, line, message }) => `${path}:${line} ${message}`).join('\n'));
}

/** One text for each of so many cases: a JSON array of {type, record}. */
export function caseTexts(count: number): string[] {
  const lines = cases(count);
  return Array.from({ length: count }, (_, n) =>
    JSON.stringify(lines.slice(n * recordsPerCase, (n + 1) * recordsPerCase)),
  );
}

/**
 * What a mapper may know besides the record: the links of all cases, as a server's ids, the directory, and the records of the one case that
 * was opened last.
 */
export class Source {
  readonly directory = directory;
  readonly texts: readonly string[];
  readonly #directory = byType(directory);
  readonly #links = new Map<RecordType, Map<string, Map<string, string>>>();
  #records = new Map<RecordType, Map<string, JsonObject>>();
  readonly context: ProjectContext;

  /** @param texts cases whose resources all have links */
  constructor(mappings: MappingSet, texts: readonly string[]) {
    this.texts = texts;
    let made = 0;
    for (const { type, record } of [...directory, ...texts.flatMap((text) => readLines(text))]) {
      const links = new Map<string, string>();
      for (const { name, resourceType } of mappings.mapping(type)?.slots ?? []) {
        made += 1;
        links.set(name, `${resourceType}/${made}`);
      }
      below(this.#links, type).set(String(record.id), links);
    }
    this.context = {
      source: 'county',
      identifierSystem,
      identifierSystems: { mrn: 'urn:oid:1.2.3', medicaid: 'urn:oid:1.2.4' },
      record: (type, id) => this.#records.get(type)?.get(id) ?? this.#directory.get(type)?.get(id),
      reference: ({ type, id, slot }) => this.#links.get(type)?.get(id)?.get(slot),
    };
  }

  /** The lines of one case. */
  opened(text: string): Line[] {
    const lines = readLines(text);
    this.#records = byType(lines);
    return lines;
  }
}

export function readLines(text: string): Line[] {
  return JSON.parse(text);
}

function byType(lines: readonly Line[]): Map<RecordType, Map<string, JsonObject>> {
  const records = new Map<RecordType, Map<string, JsonObject>>();
  for (const { type, record } of lines) below(records, type).set(String(record.id), record);
  return records;
}

function below<Value>(maps: Map<RecordType, Map<string, Value>>, type: RecordType): Map<string, Value> {
  const map = maps.get(type) ?? new Map<string, Value>();
  maps.set(type, map);
  return map;
}
