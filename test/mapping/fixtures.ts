// The fixtures as one small source: their records know each other, and every one of them has a link. What points elsewhere has none.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import {
  compileMappings,
  type MappingSet,
  type ProjectContext,
  readMappingFiles,
  type SlotRef,
} from '../../src/mapping/mapping.ts';
import { type RecordType, recordTypes } from '../../src/records/records.ts';
import { withChanges } from './with-changes.ts';

export interface Fixture {
  readonly type: RecordType;
  readonly name: string;
  readonly record: JsonObject;
}

/** A fixture with something else in it. What it becomes is told by the difference, so that one case of one rule stays short. */
export interface Variant extends Fixture {
  readonly of: Fixture;
}

export const fixtureFolder = new URL('../../fixtures', import.meta.url).pathname;

export const shippedMappings = await readMappingFiles(new URL('../../mappings', import.meta.url).pathname);

export const mappings: MappingSet = compiled();

export const fixtures: readonly Fixture[] = recordTypes.flatMap((type) =>
  readdirSync(join(fixtureFolder, type))
    .filter((file) => file.endsWith('.record.json'))
    .sort()
    .map((file) => ({
      type,
      name: file.replace('.record.json', ''),
      record: readObject(join(fixtureFolder, type, file)),
    })),
);

/** `variants.json` of a type: name -> the fixture that it is `of`, and what is changed in its record. */
export const variants: readonly Variant[] = changesIn('variants').map(({ type, name, of, change }) => ({
  type,
  name,
  of,
  record: withChanges(of.record, change),
}));

/** A resource of a fixture as the other side has changed it. */
export interface Edit {
  readonly type: RecordType;
  readonly name: string;
  readonly of: Fixture;
  readonly slot: string;
  readonly change: JsonObject;
}

/** `edits.json` of a type: name -> the fixture that it is `of`, the slot, and what the other side changes in its resource. */
export const edits: readonly Edit[] = changesIn('edits', variants).map(({ slot, ...edit }) => ({
  ...edit,
  slot: String(slot),
}));

function changesIn(file: string, others: readonly Fixture[] = []) {
  return recordTypes.flatMap((type) => {
    const path = join(fixtureFolder, type, `${file}.json`);
    return Object.entries(existsSync(path) ? readObject(path) : {}).map(([name, entry]) => {
      const { of: base, slot, change } = isObject(entry) ? entry : {};
      const of = [...fixtures, ...others].find((fixture) => fixture.type === type && fixture.name === base);
      if (!of || !isObject(change)) throw new Error(`${path}: "${name}" changes no fixture.`);
      return { type, name, of, slot, change };
    });
  });
}

/** Variants with an id of their own are records beside the others. */
const source = [...fixtures, ...variants.filter(({ of, record }) => record.id !== of.record.id)];

const records = new Map(source.map(({ type, record }) => [`${type}/${String(record.id)}`, record]));

export const context: ProjectContext = {
  ...readContext(),
  record: (type, id) => records.get(`${type}/${id}`),
  reference,
};

/** `Patient/county.client.c-100.patient`: readable, and the way back is in it. */
export function reference({ type, id, slot }: SlotRef): string | undefined {
  const resourceType = mappings.mapping(type)?.slot(slot).resourceType;
  return records.has(`${type}/${id}`)
    ? `${resourceType}/${type}.${id.replaceAll('.', '-')}.${slot.replaceAll(/[[\]]/g, '-')}`
    : undefined;
}

const targets = new Map<string, SlotRef>(
  source
    .flatMap(({ type, record }) =>
      (mappings.mapping(type)?.slots ?? []).map(({ name }) => ({ type, id: String(record.id), slot: name })),
    )
    .map((target) => [reference(target) ?? '', target]),
);

export function resolve(text: string): SlotRef | undefined {
  return targets.get(text);
}

export function fixture(type: RecordType, name: string): JsonObject {
  const found = fixtures.find((candidate) => candidate.type === type && candidate.name === name);
  if (!found) {
    throw new Error(`There is no fixture ${type}/${name}.`);
  }
  return structuredClone(found.record);
}

export function mappingOf(type: RecordType) {
  const mapping = mappings.mapping(type);
  if (!mapping) {
    throw new Error(`There is no mapping for ${type}.`);
  }
  return mapping;
}

function compiled(): MappingSet {
  const result = compileMappings(shippedMappings);
  if ('problems' in result) {
    throw new Error(result.problems.map(({ path, line, message }) => `${path}:${line} ${message}`).join('\n'));
  }
  return result.set;
}

function readObject(path: string): JsonObject {
  const value: Json = JSON.parse(readFileSync(path, 'utf8'));
  if (!isObject(value)) {
    throw new Error(`${path} holds no object.`);
  }
  return value;
}

function readContext(): Pick<ProjectContext, 'source' | 'identifierSystem' | 'identifierSystems'> {
  const { source, identifierSystem, identifierSystems } = readObject(join(fixtureFolder, 'context.json'));
  const systems = isObject(identifierSystems) ? Object.entries(identifierSystems) : [];
  return {
    source: String(source),
    identifierSystem: String(identifierSystem),
    identifierSystems: Object.fromEntries(systems.map(([kind, system]) => [kind, String(system)])),
  };
}
