// What is asked to learn what changed on a server, and to find a resource again.

import { expect, test } from '@jest/globals';
import { isOffered, parseCapabilities, pollQuery, vendors } from '../../src/connections/connections.ts';

const { standard } = vendors;
const since = new Date('2026-03-02T10:00:00Z');

function capabilities(...searchParams: string[]) {
  const resource = [{ type: 'Task', searchParam: searchParams.map((name) => ({ name })) }];
  return parseCapabilities({ resourceType: 'CapabilityStatement', rest: [{ mode: 'server', resource }] }, since);
}

test('what changed since the cursor, five minutes overlapping, newest first', () => {
  expect(pollQuery(standard, 'Task', { since })).toEqual({
    _lastUpdated: 'ge2026-03-02T09:55:00.000Z',
    _sort: '-_lastUpdated',
    _count: '200',
  });
  expect(pollQuery(standard, 'Task', { since, overlapMs: 0 })).toMatchObject({
    _lastUpdated: 'ge2026-03-02T10:00:00.000Z',
  });
});

test('everything when there is no cursor yet', () => {
  expect(pollQuery(standard, 'ServiceRequest', {})).toEqual({ _sort: '-_lastUpdated', _count: '200' });
});

test('everything where the server does not declare _lastUpdated', () => {
  const declared = capabilities('_lastUpdated', 'status');
  expect(pollQuery(standard, 'Task', { since, capabilities: declared })).toHaveProperty('_lastUpdated');
  expect(pollQuery(standard, 'Task', { since, capabilities: capabilities('status') })).toEqual({ _count: '200' });
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
