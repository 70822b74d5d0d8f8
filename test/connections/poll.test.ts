// What is asked to learn what changed on a server, and to find a resource again.

import { expect, test } from '@jest/globals';
import type { VendorName } from '../../src/config.ts';
import { isOffered, pollQuery, vendors } from '../../src/connections/connections.ts';
import { changesQuery } from './changes-query.ts';

const { standard } = vendors;
const since = new Date('2026-03-02T10:00:00Z');

test('what changed since the cursor, five minutes overlapping, newest first', () => {
  expect(pollQuery(standard, 'Task', { since })).toMatchObject({
    query: { _lastUpdated: 'ge2026-03-02T09:55:00.000Z', _sort: '-_lastUpdated', _count: '200' },
    isFull: false,
  });
  expect(pollQuery(standard, 'Task', { since, overlapMs: 0 })).toMatchObject({
    query: { _lastUpdated: 'ge2026-03-02T10:00:00.000Z' },
  });
});

test('everything when there is no cursor yet', () => {
  expect(pollQuery(standard, 'ServiceRequest', {})).toMatchObject({
    query: { _sort: '-_lastUpdated', _count: '200' },
    isFull: true,
  });
});

test('everything where the server does not declare _lastUpdated', () => {
  expect(pollQuery(standard, 'Task', { since, searchParams: ['_lastUpdated', 'status'] })).toMatchObject({
    query: { _lastUpdated: expect.any(String) },
  });
  expect(changesQuery(standard, 'Task', { since, declared: ['status'] })).toEqual({ _count: '200' });
});

test('of all patients only what a referral begins with', () => {
  expect(isOffered(changesQuery(standard, 'Condition', { since, declared: ['_lastUpdated'] }))).toBe(false);
  expect(changesQuery(standard, 'Condition', { since, declared: [], patientId: 'p1' })).toEqual({
    patient: 'p1',
    _count: '200',
  });
});

test('what happens once is not read further back than the look-back, and says so', () => {
  const lookBackTo = new Date('2026-01-01T00:00:00Z');
  const asked = (vendor: VendorName, type: string, searchParams: string[]) =>
    pollQuery(vendors[vendor], type, { patientId: 'p1', lookBackTo, searchParams });
  expect(asked('epic', 'Encounter', ['date'])).toMatchObject({
    query: { patient: 'p1', date: 'ge2026-01-01T00:00:00Z' },
    isFull: true,
    isDated: true,
  });
  expect(asked('oracle', 'Encounter', ['_lastUpdated'])).toMatchObject({
    query: { patient: 'p1', _lastUpdated: 'ge2026-01-01T00:00:00.000Z' },
    isDated: true,
  });
  expect(asked('oracle', 'Appointment', ['date'])).toMatchObject({
    query: { date: ['ge2026-01-01T00:00:00.000Z', 'lt2200-01-01T00:00:00.000Z'] },
    isDated: true,
  });
  expect(asked('epic', 'Goal', ['date'])).toMatchObject({ query: { patient: 'p1' }, isFull: true, isDated: false });
});

test('values cannot break out of a query', () => {
  expect(standard.queries.identifier('urn:a', 'county/case/c1#plan')).toEqual({
    identifier: 'urn:a|county/case/c1#plan',
  });
  expect(standard.queries.identifier('urn:a', 'x|y,z$1\\')).toEqual({ identifier: 'urn:a|x\\|y\\,z\\$1\\\\' });
  expect(standard.queries.patient({ family: "O'Brien, Jr", birthDate: '1980-02-29' })).toMatchObject({
    family: "O'Brien\\, Jr",
    birthdate: '1980-02-29',
  });
});

test('an ability that a vendor lacks says why', () => {
  expect(isOffered(standard.create.conditional)).toBe(true);
  expect(isOffered({ notOffered: 'declared false on all types' })).toBe(false);
});
