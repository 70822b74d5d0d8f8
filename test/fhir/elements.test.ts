// Looking up elements of R4 by path, as mapping files write them.

import { expect, test } from '@jest/globals';
import { childNames, elementFact } from '../../src/fhir/fhir.ts';

const unlimited = 1e9;

const rows: [type: string, path: string, fact: object | undefined][] = [
  ['Patient', 'birthDate', { min: 0, max: 1, types: ['date'] }],
  ['Patient', 'id', { min: 0, max: 1, types: ['id'] }],
  ['Patient', 'name.given', { min: 0, max: unlimited, types: ['string'] }],
  ['ServiceRequest', 'occurrencePeriod', { min: 0, max: 1, types: ['Period'] }],
  ['ServiceRequest', 'occurrencePeriod.start', { min: 0, max: 1, types: ['dateTime'] }],
  ['ServiceRequest', 'occurrence[x]', { min: 0, max: 1, types: ['dateTime', 'Period', 'Timing'] }],
  ['ServiceRequest', 'occurrence', undefined],
  ['Goal', 'target', { min: 0, max: unlimited, types: ['BackboneElement'] }],
  ['Goal', 'target.dueDate', { min: 0, max: 1, types: ['date'] }],
  ['CarePlan', 'activity.detail.status', { min: 1, max: 1, types: ['code'] }],
  ['Patient', 'extension.valueString', { min: 0, max: 1, types: ['string'] }],
  ['Task', 'output.valueReference', { min: 1, max: 1, types: ['Reference'] }],
  ['Task', 'restriction.period.end', { min: 0, max: 1, types: ['dateTime'] }],
  ['QuestionnaireResponse', 'item.answer.item.item.linkId', { min: 1, max: 1, types: ['string'] }],
  ['Task', 'statuss', undefined],
  ['Task', 'status.code', undefined],
  ['Task', '', undefined],
  ['Specimen', 'status', undefined],
  ['constructor', 'name', undefined],
];

test.each(rows)('%s %s', (type, path, fact) => {
  const found = elementFact(type, path);
  if (fact === undefined) {
    expect(found).toBeUndefined();
  } else {
    expect(found).toMatchObject({ path: `${type}.${path}`, ...fact });
  }
});

test('a required binding tells its codes: bare for a code, with their system for a concept', () => {
  expect(elementFact('Task', 'status')?.binding).toMatchObject({
    strength: 'required',
    codes: expect.arrayContaining(['draft', 'completed']),
  });
  expect(elementFact('Condition', 'clinicalStatus')?.binding?.codes).toContain(
    'http://terminology.hl7.org/CodeSystem/condition-clinical|active',
  );
});

test('a weaker binding, or one that nobody could expand, tells no codes', () => {
  expect(elementFact('Condition', 'code')?.binding).toEqual({
    strength: 'example',
    valueSet: 'http://hl7.org/fhir/ValueSet/condition-code',
  });
  expect(elementFact('DocumentReference', 'content.attachment.contentType')?.binding).toEqual({
    strength: 'required',
    valueSet: 'http://hl7.org/fhir/ValueSet/mimetypes',
  });
});

test('a reference tells its targets; one that may point anywhere tells none', () => {
  expect(elementFact('Condition', 'subject')?.targets).toEqual(['Group', 'Patient']);
  expect(elementFact('Task', 'focus')?.targets).toBeUndefined();
});

test('child names are those of the JSON form, choices by their concrete names', () => {
  expect(childNames('Goal', 'target')).toEqual(
    expect.arrayContaining(['id', 'extension', 'measure', 'detailString', 'dueDate', 'dueDuration']),
  );
  expect(childNames('Goal', '')).toEqual(expect.arrayContaining(['id', 'meta', 'startDate', 'startCodeableConcept']));
  expect(childNames('Goal', '')).not.toContain('start[x]');
  expect(childNames('Patient', 'name')).toContain('family');
  expect(childNames('Patient', 'birthDate')).toEqual([]);
  expect(childNames('Patient', 'nothing')).toEqual([]);
});
