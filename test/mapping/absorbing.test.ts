// FHIR from anywhere, taken back: as the vendors write it, and with random changes. Nothing throws, nothing is taken over that the element does not
// say, and each element that is not understood is told once.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { explainAbsorb, patched } from '../../src/mapping/mapping.ts';
import { type RecordType, recordTypes } from '../../src/records/records.ts';
import { arbitraryRecord } from '../records/arbitrary.ts';
import { audit } from './absorbing/audit.ts';
import { mutated } from './absorbing/mutations.ts';
import { fixture, mappingOf } from './fixtures.ts';
import { linkedSource, linkTo, targetOf } from './linked-source.ts';

const absent = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' };
const localCoding = {
  system: 'urn:oid:1.2.840.114350.1.13.0.1.7.4.698084.310',
  code: '5',
  display: 'Theirs',
  userSelected: true,
};

function projected(type: RecordType, slot: string, record: JsonObject): JsonObject {
  const made = mappingOf(type)
    .project(record, linkedSource)
    .find((desired) => desired.slot === slot);
  if (made === undefined) throw new Error(`a ${type} makes no ${slot}`);
  return made.resource;
}

/** What comes of the full sample as a server holds it, with these changes. */
function taken(type: RecordType, slotName: string, change: (resource: JsonObject) => JsonObject) {
  const record = fixture(type, 'full');
  const resource = change(projected(type, slotName, record));
  const slot = mappingOf(type).slot(slotName);
  const keys = slot.elements.map(({ key }) => key);
  const { patch, notUnderstood } = explainAbsorb(slot, keys, resource, record, { resolve: targetOf, linked: linkTo });
  const { faults } = audit({ type, slot: slotName, record, resource, resolve: targetOf });
  expect(faults).toEqual([]);
  return { patch, notUnderstood: notUnderstood.map(({ element, why }) => `${why} ${element}`) };
}

function edited(resource: JsonObject, name: string, change: (value: JsonObject) => JsonObject): JsonObject {
  const value = resource[name];
  const one = (item: Json): Json => (isObject(item) ? change(item) : item);
  return { ...resource, [name]: Array.isArray(value) ? value.map(one) : one(value ?? {}) };
}

const without = (resource: JsonObject, ...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(resource).filter(([name]) => !names.includes(name)));

const nothing: JsonObject = {};

describe('as vendors write it', () => {
  const goal = (change: (resource: JsonObject) => JsonObject) => taken('goal', 'goal', change);

  test('codings beside ours, in systems that we read or not, change nothing', () => {
    const extra = (concept: JsonObject): JsonObject => ({
      ...concept,
      coding: [localCoding, ...(Array.isArray(concept.coding) ? concept.coding : [])],
    });
    expect(goal((resource) => edited(resource, 'achievementStatus', extra))).toEqual({
      patch: nothing,
      notUnderstood: [],
    });
  });

  test('of several codings that we know the one that the record has stands', () => {
    const note = taken('note', 'note', (resource) => ({
      ...resource,
      type: {
        coding: [
          { system: 'http://loinc.org', code: '34117-2' },
          ...(isObject(resource.type) && Array.isArray(resource.type.coding) ? resource.type.coding : []),
        ],
      },
    }));
    expect(note.patch).toEqual({});
  });

  test('a local OID in place of a code is told, with what it is', () => {
    expect(goal((resource) => ({ ...resource, achievementStatus: { coding: [localCoding] } }))).toEqual({
      patch: nothing,
      notUnderstood: ['unmapped-code achievementStatus'],
    });
  });

  test('what is masked (data-absent-reason) was not removed', () => {
    const patient = taken('client', 'patient', (resource) => ({
      ...without(resource, 'birthDate', 'maritalStatus'),
      _birthDate: { extension: [absent] },
      maritalStatus: { extension: [absent] },
      name: [{ extension: [absent] }],
    }));
    expect(patient.patch).toEqual({});
    expect(patient.notUnderstood).toEqual(
      expect.arrayContaining(['left-out birthDate', 'left-out maritalStatus', 'left-out name']),
    );
  });

  test('a missing element is a removal; one that the record cannot be without is told', () => {
    const { patch, notUnderstood } = goal((resource) => without(resource, 'achievementStatus', 'description'));
    expect(patch).toEqual({ achievement: null });
    expect(notUnderstood).toEqual(['required-field description.text']);
  });

  test('a stub that was entered in error gives its status and removes nothing', () => {
    const stub = ({ resourceType, subject }: JsonObject): JsonObject => ({
      resourceType: resourceType ?? '',
      subject: subject ?? {},
      lifecycleStatus: 'entered-in-error ',
    });
    expect(goal(stub)).toEqual({ patch: { status: 'entered-in-error' }, notUnderstood: [] });
  });

  test('an extension of R5, a contained resource and elements that no rule reads are told by their paths', () => {
    const { patch, notUnderstood } = goal((resource) => ({
      ...resource,
      contained: [{ resourceType: 'Patient', id: 'p' }],
      extension: [{ url: 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Goal.continuous', valueBoolean: true }],
      statusReason: 'Theirs',
    }));
    expect(patch).toEqual({});
    expect(notUnderstood).toEqual(
      expect.arrayContaining(['no-rule contained', 'no-rule extension', 'no-rule statusReason']),
    );
    expect(new Set(notUnderstood).size).toBe(notUnderstood.length);
  });

  test.each([
    ['a relative reference', (path: string) => path],
    ['one with a version', (path: string) => `${path}/_history/7`],
  ])('%s to a resource of ours is followed', (_title, write) => {
    const other = write(linkTo({ type: 'client', id: 'another', slot: 'patient' }));
    expect(goal((resource) => ({ ...resource, subject: { reference: other } })).patch).toEqual({ clientId: 'another' });
  });

  test.each([
    ['to another server', { reference: 'https://elsewhere.example.org/fhir/Patient/1' }],
    ['to a contained resource', { reference: '#p' }],
    ['by an identifier', { identifier: { system: 'urn:oid:1.2.3', value: '7' } }],
    ['by a name alone', { display: 'Rosa' }],
  ])('a reference %s is told, and the record keeps its own', (_title, subject) => {
    expect(goal((resource) => ({ ...resource, subject }))).toEqual({
      patch: {},
      notUnderstood: ['unresolved-reference subject'],
    });
  });

  test('a day for a time, a number for a text and a day that no calendar has are told, and change nothing', () => {
    expect(goal((resource) => ({ ...resource, startDate: '2026-02-31', description: { text: 7 } }))).toEqual({
      patch: {},
      notUnderstood: ['does-not-fit description.text', 'does-not-fit startDate'],
    });
  });

  test.each(['modifierExtension', 'implicitRules'])(
    'nothing is taken from a resource whose %s may change what it means',
    (name) => {
      const { patch, notUnderstood } = goal((resource) => ({
        ...resource,
        startDate: '2026-03-03',
        [name]: [{ url: 'urn:x', valueBoolean: true }],
      }));
      expect(patch).toEqual({});
      expect(notUnderstood).toContain(`left-out ${name}`);
    },
  );

  test('an item that a server shows twice, id and all, is one', () => {
    const twice = (list: Json | undefined): Json => (Array.isArray(list) ? [...list, ...list] : []);
    expect(goal((resource) => ({ ...resource, target: twice(resource.target) })).patch).toEqual({});
  });

  test('an address of which we understand nothing begins no item', () => {
    const { patch, notUnderstood } = taken('client', 'patient', (resource) => ({
      ...resource,
      address: [...(Array.isArray(resource.address) ? resource.address : []), { text: '1 Main Street' }],
    }));
    expect(patch).toEqual({});
    expect(notUnderstood).toContain('left-out address');
  });

  test('a name that would leave the client without a legal one is told, for its source would refuse it', () => {
    const { patch, notUnderstood } = taken('client', 'patient', (resource) => ({
      ...resource,
      name: [{ use: 'old', family: 'Former', given: ['R'] }],
    }));
    expect(patch).toEqual({});
    expect(notUnderstood).toContain('does-not-fit name');
  });
});

test('a score that was worked out from the answers and is changed there is told, and changes nothing', () => {
  const { scores: _scores, ...record } = fixture('assessment', 'full');
  const [score] = mappingOf('assessment')
    .project(record, linkedSource)
    .filter(({ slot }) => slot.startsWith('score['));
  const slot = mappingOf('assessment').slot(score?.slot ?? '');
  const keys = slot.elements.map(({ key }) => key);
  const resource = { ...score?.resource, valueQuantity: { ...Object(score?.resource.valueQuantity), value: 99 } };
  const { patch, issues } = slot.absorb(keys, resource, record, { resolve: targetOf, linked: linkTo });
  expect({ patch, told: issues.map(({ element }) => element) }).toEqual({ patch: {}, told: ['valueQuantity.value'] });
});

test('what follows from the record is said by it once the rest is taken over, and not before', () => {
  const record = fixture('hospitalStay', 'plain');
  const admitted = projected('hospitalStay', 'stay', record);
  const resource = {
    ...admitted,
    status: 'finished',
    period: { ...Object(admitted.period), end: '2026-03-01T11:00:00-05:00' },
  };
  const slot = mappingOf('hospitalStay').slot('stay');
  const { patch } = slot.absorb(['period.end'], resource, record, { resolve: targetOf });
  expect(slot.says('status', resource, record)).toBe(false);
  expect(slot.says('status', resource, patched(record, patch))).toBe(true);
  expect(slot.says('status', { ...resource, status: 'cancelled' }, patched(record, patch))).toBe(false);
});

describe('a day that is told as a time is the day where the source is', () => {
  const clinicalStatus = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'resolved' }],
  };

  test.each([
    ['2026-03-02T03:00:00Z', 'America/New_York', '2026-03-01'],
    ['2026-03-02T03:00:00.000+00:00', 'America/New_York', '2026-03-01'],
    ['2026-03-02T05:00:00Z', 'America/New_York', '2026-03-02'],
    ['2026-03-01T18:30:00Z', 'Asia/Kolkata', '2026-03-02'],
    // A server that pads a day so means the day.
    ['2026-03-02T00:00:00Z', 'America/New_York', '2026-03-02'],
    ['2026-03-02T00:00:00.000+00:00', 'America/New_York', '2026-03-02'],
    ['2026-03-02T00:00:01Z', 'America/New_York', '2026-03-01'],
    ['2026-03-02T00:00:00.001Z', 'America/New_York', '2026-03-01'],
    // These say themselves what day it was.
    ['2026-03-01T23:30:00-06:00', 'America/New_York', '2026-03-01'],
    ['2026-03-02', 'America/New_York', '2026-03-02'],
    ['2026-03-02T03:00:00Z', undefined, '2026-03-02'],
  ])('%s in %s', (abatementDateTime, timeZone, resolvedOn) => {
    const record = fixture('need', 'plain');
    const resource = { ...projected('need', 'condition', record), clinicalStatus, abatementDateTime };
    const slot = mappingOf('need').slot('condition');
    const keys = ['clinicalStatus', 'abatementDateTime'];
    const taken = (from: JsonObject) => {
      const { patch, issues } = slot.absorb(keys, resource, from, { resolve: targetOf, timeZone });
      return { patch, issues };
    };
    expect(taken(record)).toEqual({ patch: { status: 'met', resolvedOn }, issues: [] });
    expect(taken({ ...record, status: 'met', resolvedOn: '2026-04-07' })).toEqual({
      patch: { resolvedOn },
      issues: [],
    });
    const adopted = { ...record, status: 'met', resolvedOn };
    expect(taken(adopted)).toEqual({ patch: {}, issues: [] });
    expect(slot.says('abatementDateTime', resource, adopted, timeZone)).toBe(true);
  });

  test.each([
    ['carePlan', 'plan', 'period.start', { period: { start: '2026-03-02T02:00:00Z' } }, { startsOn: '2026-03-01' }],
    [
      'client',
      'patient',
      'deceasedDateTime',
      { deceasedDateTime: '2026-03-02T03:00:00Z' },
      { deceasedOn: '2026-03-01' },
    ],
  ] as const)('also in %s %s %s', (type, slot, key, change, patch) => {
    const record = fixture(type, 'plain');
    const resource = { ...projected(type, slot, record), ...change };
    const taken = mappingOf(type)
      .slot(slot)
      .absorb([key], resource, record, { resolve: targetOf, timeZone: 'America/New_York' });
    expect([taken.patch, taken.issues]).toEqual([patch, []]);
  });
});

describe.each(recordTypes)('random changes of what a %s becomes', (type) => {
  test('throw nothing, invent nothing and tell each element once', () => {
    const cases = arbitraryRecord(type).chain((record) => {
      const made = mappingOf(type).project(record, linkedSource);
      const changes = made.map(({ slot, resource }) =>
        mutated(resource).map((change) => ({ type, slot, record, ...change })),
      );
      return fc.tuple(...changes);
    });
    fc.assert(
      fc.property(cases, (all) => {
        for (const { done, ...laid } of all) {
          expect({ done, faults: audit({ ...laid, resolve: targetOf }).faults }).toEqual({ done, faults: [] });
        }
      }),
      { numRuns: 40, seed: 20_260_302 },
    );
  });
});
