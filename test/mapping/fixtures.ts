// The fixtures as one small source: their records know each other, and every one of them has a link. What points elsewhere has none.

import { readdirSync, readFileSync } from 'node:fs';
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

export interface Fixture {
  readonly type: RecordType;
  readonly name: string;
  readonly record: JsonObject;
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

const records = new Map(fixtures.map(({ type, record }) => [`${type}/${String(record.id)}`, record]));

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

export function resolve(text: string): SlotRef | undefined {
  for (const { type, record } of fixtures) {
    for (const { name } of mappings.mapping(type)?.slots ?? []) {
      const target = { type, id: String(record.id), slot: name };
      if (reference(target) === text) {
        return target;
      }
    }
  }
  return undefined;
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
