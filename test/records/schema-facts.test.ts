// What the mapping checks learn about the fields of a record.

import { expect, test } from '@jest/globals';
import { fieldNames, type RecordType, recordSchemas, recordTypes, schemaAt } from '../../src/records/records.ts';

test.each([
  ['client', 'names', { kind: 'object', list: true, required: true }],
  ['client', 'names.given', { kind: 'line', list: true, required: false }],
  [
    'client',
    'names.use',
    { kind: 'code', list: true, required: true, enum: ['legal', 'preferred', 'maiden', 'alias'] },
  ],
  ['client', 'birthDate', { kind: 'partial-date', list: false, required: false }],
  ['client', 'mergedInto', { kind: 'id', list: false, required: false, ref: 'client' }],
  ['client', 'missing', { kind: 'map', list: false, required: false }],
  ['client', 'updatedAt', { kind: 'instant', list: false, required: true }],
  ['client', 'createdBy', { kind: 'id', list: false, required: false, ref: 'worker' }],
  ['referral', 'organizationId', { kind: 'id', list: false, required: false, ref: 'organization' }],
  ['referral', 'needIds', { kind: 'id', list: true, required: false, ref: 'need' }],
  ['referral', 'coverageId', { kind: 'id', list: false, required: false, ref: 'coverage' }],
  ['carePlan', 'interventionIds', { kind: 'id', list: true, required: false, ref: 'intervention' }],
  ['assessment', 'items.code', { kind: 'item-code', list: true, required: true }],
  ['carePlan', 'safetyPlanId', expect.objectContaining({ kind: 'id', list: false })],
  ['referral', 'requestedService', { kind: 'code', list: false, required: false }],
  ['referral', 'sentAt', { kind: 'instant', list: false, required: false }],
  ['service', 'locations.address.lines', { kind: 'line', list: true, required: false }],
  ['service', 'cost.amount', { kind: 'money', list: false, required: false }],
  ['goal', 'targets.value', { kind: 'number', list: true, required: false }],
  ['need', 'priority', { kind: 'integer', list: false, required: false, min: 1, max: 9 }],
  ['worker', 'active', { kind: 'boolean', list: false, required: false }],
  ['consent', 'recordTypes', expect.objectContaining({ kind: 'code', list: true, required: true })],
  ['need', 'domain', expect.objectContaining({ kind: 'code', enum: expect.arrayContaining(['food', 'other']) })],
] as const)('%s %s', (type, path, fact) => {
  expect(schemaAt(type, path.split('.'))).toEqual(fact);
});

test.each([
  ['client', 'name'],
  ['client', 'names.fist'],
  ['client', 'birthDate.year'],
  ['client', 'missing./birthDate'],
  ['client', 'constructor'],
  ['need', 'constructor.name'],
] as const)('%s has no %s', (type, path) => {
  expect(schemaAt(type, path.split('.'))).toBeUndefined();
});

test('the names at a path, the envelope included', () => {
  expect(fieldNames('client', ['preferredContact'])).toEqual(['channel', 'bestTime', 'safeToContact']);
  expect(fieldNames('client', ['names'])).toEqual(['use', 'given', 'family', 'prefix', 'suffix']);
  expect(fieldNames('need', [])).toEqual(expect.arrayContaining(['id', 'updatedAt', 'deleted', 'domain', 'clientId']));
  expect(fieldNames('need', ['domain'])).toEqual([]);
  expect(fieldNames('need', ['nothing', 'at', 'all'])).toEqual([]);
});

test.each(recordTypes)('%s: every field has a kind', (type) => {
  const walk = (path: string[]): void => {
    for (const name of fieldNames(type, path)) {
      expect([...path, name, schemaAt(type, [...path, name])?.kind]).not.toContain(undefined);
      walk([...path, name]);
    }
  };
  walk([]);
  expect(recordSchemas[type].$schema).toBe('https://json-schema.org/draft/2020-12/schema');
});

test('types point only at types before them in the order of arrival, at their own, or at workers', () => {
  const targets = (type: RecordType, path: string[]): RecordType[] =>
    fieldNames(type, path).flatMap((name) => {
      const ref = schemaAt(type, [...path, name])?.ref;
      return [...(ref ? [ref] : []), ...targets(type, [...path, name])];
    });
  const upwards = recordTypes.flatMap((type) =>
    targets(type, [])
      .filter((target) => target !== 'worker' && recordTypes.indexOf(target) > recordTypes.indexOf(type))
      .map((target) => `${type} -> ${target}`),
  );
  expect(upwards).toEqual([]);
});
