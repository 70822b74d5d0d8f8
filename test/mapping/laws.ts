// The laws of a two-way mapping, over arbitrary records of a type. A failure prints the seed and the smallest record that shows it.

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkBase } from '../../src/fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { CompiledSlot, Desired, Facts, MappingSet } from '../../src/mapping/mapping.ts';
import { parseRecord, type RecordSchemas, type RecordType } from '../../src/records/records.ts';
import { receivedAt } from '../builders.ts';
import { type ArbitraryOptions, arbitraryRecord } from '../records/arbitrary.ts';
import { linkedSource, linkTo, targetOf } from './linked-source.ts';

/** Words that differ, and incidents that are shared: others are never sent. */
const tellingValues = { statement: fc.constantFrom('Eat well.', 'Walk\nmore.'), shareWithChart: fc.constant(true) };

/** A record that contradicts itself is parked, not mended: a period or a range that ends before it starts. */
const backwards = ['per-1', 'rng-2'];

/** The tests of one type's mapping, on records that the set's schemas allow. */
export function testLaws(
  set: MappingSet,
  type: RecordType,
  numRuns: number,
  values: NonNullable<ArbitraryOptions['values']> = {},
): void {
  const runs = { numRuns, seed: 20_260_302 };
  const mapping = set.mapping(type);
  if (!mapping) throw new Error(`There is no mapping for ${type}.`);
  const project = (record: JsonObject): Desired[] => mapping.project(record, linkedSource);
  const slotOf = ({ slot }: Desired): CompiledSlot => mapping.slot(slot);
  const records = arbitraryRecord(type, { values: { ...tellingValues, ...values }, schemas: set.schemas });
  /** Two records of one id and day, such as two versions, and a slot that both fill: which codes hold is the day's to say. */
  const pairs = fc.tuple(records, records).map(([ours, other]) => {
    const theirs = { ...other, id: ours.id, updatedAt: ours.updatedAt };
    return { ours, theirs, slots: pairsOf(project(ours), project(theirs)) };
  });

  test('makes the same of the same record and leaves it alone', () => {
    fc.assert(
      fc.property(records, (record) => {
        const first = project(deepFreeze(structuredClone(record)));
        expect(project(structuredClone(record))).toEqual(first);
      }),
      runs,
    );
  });

  test('makes resources that R4 allows, without nulls or empty parts, unless the record says a period or range backwards', () => {
    fc.assert(
      fc.property(records, (record) => {
        for (const { resource, invalid } of project(record)) {
          expect(emptyParts(resource)).toEqual([]);
          const issues = invalid.map(({ at: _at, pointers: _pointers, ...issue }) => issue);
          expect(issues).toEqual(checkBase(resource).filter(({ severity }) => severity === 'error'));
          expect(invalid.filter(({ rule }) => !backwards.includes(rule))).toEqual([]);
        }
      }),
      runs,
    );
  });

  test('tells of a resource the facts that it put in', () => {
    fc.assert(
      fc.property(records, (record) => {
        for (const desired of project(record)) {
          expect(slotOf(desired).facts(desired.resource)).toEqual(desired.facts);
        }
      }),
      runs,
    );
  });

  test('takes nothing back from what it made itself, whether links are known or not', () => {
    fc.assert(
      fc.property(records, (record) => {
        for (const desired of project(record)) {
          const slot = slotOf(desired);
          const keys = slot.elements.map(({ key }) => key);
          for (const linked of [undefined, linkTo]) {
            const { patch, issues } = slot.absorb(keys, desired.resource, record, { resolve: targetOf, linked });
            expect({ slot: desired.slot, patch, issues }).toEqual({ slot: desired.slot, patch: {}, issues: [] });
          }
        }
      }),
      runs,
    );
  });

  test('says what it took back, or why it could not', () => {
    fc.assert(
      fc.property(pairs, ({ ours, slots }) => {
        // The record that something is taken back into stays as it is.
        deepFreeze(ours);
        for (const { mine, other } of slots) {
          const isInError = JSON.stringify(other.resource).includes('"entered-in-error"');
          for (const { key } of writable(slotOf(mine)).filter(({ key }) => !dependsOnOthers[type]?.includes(key))) {
            // What was entered in error there is not told in full.
            if (isInError && other.facts[key] === undefined) continue;
            const { patch, issues } = slotOf(mine).absorb([key], other.resource, ours, {
              resolve: targetOf,
              linked: linkTo,
            });
            const patched = mergePatch(ours, patch);
            expect(refusedFor(type, patched, set.schemas)).toEqual([]);
            const after = project(patched).find(({ slot }) => slot === mine.slot);
            if (issues.length === 0) {
              expect({ key, patch, fact: after?.facts[key] }).toEqual({ key, patch, fact: other.facts[key] });
            }
          }
        }
      }),
      runs,
    );
  });

  test('copies what it is told to and nothing else', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), ({ slots }, choice) => {
        for (const { mine, other } of slots) {
          const slot = slotOf(mine);
          const keys = slot.elements.map(({ key }) => key);
          const server = withStrangers(other.resource);
          expect(slot.copy(keys, server, server)).toEqual(server);
          const all = slot.copy(keys, mine.resource, server);
          expect(slot.facts(all)).toEqual(withKept(mine.facts, slot.facts(server)));
          expect(strangersIn(all)).toEqual(strangersIn(server));
          const key = keys[choice % keys.length] ?? '';
          const one = slot.copy([key], mine.resource, server);
          const { [key]: copied, ...untouched } = slot.facts(one);
          const { [key]: _, ...before } = slot.facts(server);
          const wanted = withKept(mine.facts, slot.facts(server))[key];
          expect({ key, copied, untouched }).toEqual({ key, copied: wanted, untouched: before });
        }
      }),
      runs,
    );
  });
}

/** What these say may come from another record or from the connection, so a change of them cannot be told while absorbing. */
const dependsOnOthers: Partial<Record<RecordType, readonly string[]>> = {
  organization: ['identifier[identifiers]'],
  client: ['identifier[identifiers]'],
  referral: ['code', 'requester', 'performer[organization]'],
};

/** Our facts, and identifiers of a kind and system that the record says nothing about, which are somebody else's. */
function withKept(ours: Facts, servers: Facts): Facts {
  const key = 'identifier[identifiers]';
  const placeOf = (name: string): string => JSON.stringify(JSON.parse(name).slice(0, 2));
  const wanted = isObject(ours[key]) ? ours[key] : {};
  const places = Object.keys(wanted).map(placeOf);
  const kept = Object.entries(isObject(servers[key]) ? servers[key] : {}).filter(
    ([name]) => !places.includes(placeOf(name.replace(/-\d+$/, ''))),
  );
  const all = { ...Object.fromEntries(kept), ...wanted };
  return { ...ours, ...(Object.keys(all).length > 0 && { [key]: all }) };
}

function writable({ elements }: CompiledSlot): CompiledSlot['elements'] {
  return elements.filter(({ derived, moves, goesWith }) => !derived && moves === undefined && goesWith === undefined);
}

/** What a source would refuse in a record, but for fields that one of its other fields asks for: a patch has no say in those. */
function refusedFor(type: RecordType, record: JsonObject, schemas: RecordSchemas): string[] {
  const parsed = parseRecord(type, record, { now: receivedAt, schemas });
  return parsed.ok
    ? []
    : parsed.errors.flatMap(({ rule, pointer }) => (rule === 'required' ? [] : [`${rule} ${pointer}`]));
}

function pairsOf(ours: readonly Desired[], theirs: readonly Desired[]): { mine: Desired; other: Desired }[] {
  return ours.flatMap((mine) => {
    const other = theirs.find(({ slot }) => slot === mine.slot);
    return other ? [{ mine, other }] : [];
  });
}

/** A server's own: an element and list items that no mapping knows. */
function withStrangers(resource: JsonObject): JsonObject {
  const { identifier, extension, meta } = resource;
  return {
    ...resource,
    meta: { ...(isObject(meta) ? meta : {}), versionId: '7', lastUpdated: '2026-03-01T00:00:00Z' },
    implicitRules: 'https://hospital.example.org/rules',
    extension: [strangeExtension, ...(Array.isArray(extension) ? extension : [])],
    ...(Array.isArray(identifier) && { identifier: [strangeIdentifier, ...identifier] }),
  };
}

const strangeExtension = { url: 'https://hospital.example.org/extension', valueString: 'theirs' };
const strangeIdentifier = { value: 'without a system' };

function strangersIn({ meta, implicitRules, extension, identifier }: JsonObject): Json[] {
  const { versionId = null, lastUpdated = null } = isObject(meta) ? meta : {};
  const first = (list: Json | undefined): Json => (Array.isArray(list) ? (list[0] ?? null) : null);
  return [versionId, lastUpdated, implicitRules ?? null, first(extension), first(identifier)];
}

function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    const old = result[name];
    if (value === null) {
      delete result[name];
    } else {
      result[name] = isObject(value) ? mergePatch(isObject(old) ? old : {}, value) : value;
    }
  }
  return result;
}

/** Pointers to nulls, empty texts, lists and objects. */
function emptyParts(value: Json, pointer = ''): string[] {
  if (value === null || value === '') {
    return [pointer];
  }
  if (typeof value !== 'object') {
    return [];
  }
  const parts = Object.entries(value);
  return parts.length === 0 ? [pointer] : parts.flatMap(([name, part]) => emptyParts(part, `${pointer}/${name}`));
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
