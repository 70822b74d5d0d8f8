// Which lane subject a record belongs to, and back.

import { expect, test } from '@jest/globals';
import { isRecordType, parseSubject, recordTypes, subjectOf } from '../../src/records/records.ts';
import { aCase, aConsent, aCoverage, aNeed, anImprovementIdea, builders } from '../builders.ts';

test.each([
  ['organization', 'county.organization.org-pantry'],
  ['worker', 'county.worker.worker-okafor'],
  ['service', 'county.service.service-groceries'],
  ['client', 'county.client.client-rosa'],
  ['case', 'county.case.case-rosa'],
  ['consent', 'county.client.client-rosa'],
  ['coverage', 'county.client.client-rosa'],
  ['assessment', 'county.case.case-rosa'],
  ['hospitalStay', 'county.case.case-rosa'],
  ['incident', 'county.case.case-rosa'],
  ['need', 'county.case.case-rosa'],
  ['goal', 'county.case.case-rosa'],
  ['safetyPlan', 'county.case.case-rosa'],
  ['referral', 'county.case.case-rosa'],
  ['intervention', 'county.case.case-rosa'],
  ['carePlan', 'county.case.case-rosa'],
  ['appointment', 'county.case.case-rosa'],
  ['note', 'county.case.case-rosa'],
  ['improvementIdea', ''],
] as const)('%s belongs to %s', (type, subject) => {
  expect(subjectOf('county', type, builders[type]())).toBe(subject);
});

test('a consent or coverage of one case belongs to that case', () => {
  expect(subjectOf('county', 'coverage', aCoverage({ caseId: 'case-rosa' }))).toBe('county.case.case-rosa');
  expect(subjectOf('county', 'consent', aConsent({ caseId: 'case-rosa' }))).toBe('county.case.case-rosa');
});

test('an improvement idea about one case belongs to it, and without one to no lane', () => {
  expect(subjectOf('county', 'improvementIdea', anImprovementIdea({ caseId: 'case-rosa' }))).toBe(
    'county.case.case-rosa',
  );
});

test('a deletion mark without case has no subject of its own', () => {
  const mark = { id: 'need-food', updatedAt: '2026-02-05T10:00:00Z', deleted: true };
  expect(() => subjectOf('county', 'need', mark)).toThrow(expect.objectContaining({ code: 'record-without-subject' }));
  expect(() => subjectOf('county', 'need', { ...mark, clientId: 'client-rosa' })).toThrow(
    'names neither a case nor a client',
  );
  expect(subjectOf('county', 'case', mark)).toBe('county.case.need-food');
});

test.each([
  ['county.case.c1', { source: 'county', kind: 'case', id: 'c1' }],
  ['north-2.client.a.b.c', { source: 'north-2', kind: 'client', id: 'a.b.c' }],
  ['county.worker.case.c1', { source: 'county', kind: 'worker', id: 'case.c1' }],
  ['county.service...x', { source: 'county', kind: 'service', id: '..x' }],
])('%s is read back', (subject, parts) => {
  expect(parseSubject(subject)).toEqual(parts);
});

test('what subjectOf makes is read back', () => {
  expect(parseSubject(subjectOf('county', 'need', aNeed({ caseId: 'case.2026.7' })))).toEqual({
    source: 'county',
    kind: 'case',
    id: 'case.2026.7',
  });
  expect(parseSubject(subjectOf('county', 'case', aCase()))).toEqual({
    source: 'county',
    kind: 'case',
    id: 'case-rosa',
  });
});

test.each([
  '',
  'county',
  'county.case',
  'county.case.',
  'county.need.n1',
  'County.case.c1',
  '1.case.c',
  'county.case.a b',
  'county.case.a/b',
  'county.case..',
  `county.case.${'x'.repeat(65)}`,
  'county.case.c1\n',
])('%j is no subject', (subject) => {
  expect(() => parseSubject(subject)).toThrow(expect.objectContaining({ code: 'subject-invalid' }));
});

test('record types are told by their exact name', () => {
  for (const type of recordTypes) expect(isRecordType(type)).toBe(true);
  for (const other of ['', 'Client', 'careplan', 'assessments', 'constructor', '__proto__'])
    expect(isRecordType(other)).toBe(false);
});
