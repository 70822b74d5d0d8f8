// What the vendors' files say, as tables: how each search is written, what each coded issue and status means. Pure.

import { describe, expect, test } from '@jest/globals';
import type { VendorName } from '../../src/config.ts';
import {
  classify,
  isOffered,
  type ReplyClass,
  type RequestFacts,
  vendorRules,
  vendors,
} from '../../src/connections/connections.ts';
import { errorKinds } from '../../src/errors.ts';
import { changesQuery } from './changes-query.ts';
import { outcome } from './fhir-server.ts';

const since = new Date('2026-03-02T10:00:00.250Z');
const declared = ['_lastUpdated', '_lastupdated', 'date'];
const all = { patient: 'p1' };

describe('changes since a time, of one patient', () => {
  test.each<[VendorName, string, object | 'not offered']>([
    ['epic', 'CarePlan', { ...all, category: 'assess-plan' }],
    ['epic', 'Condition', { ...all, category: 'problem-list-item' }],
    ['epic', 'DocumentReference', { ...all, _lastupdated: 'ge2026-03-02T10:00:00Z' }],
    ['epic', 'Encounter', all],
    ['epic', 'Goal', all],
    ['epic', 'Observation', { ...all, category: 'sdoh' }],
    ['epic', 'Organization', 'not offered'],
    ['epic', 'Task', { ...all, code: 'community-resource' }],
    ['oracle', 'Appointment', { ...all, date: ['ge1900-01-01T00:00:00.000Z', 'lt2200-01-01T00:00:00.000Z'] }],
    ['oracle', 'CarePlan', { ...all, category: 'assess-plan' }],
    ['oracle', 'Communication', 'not offered'],
    ['oracle', 'Condition', { ...all, _lastUpdated: 'ge2026-03-02T10:00:00.250Z' }],
    ['oracle', 'DocumentReference', { ...all, _lastUpdated: 'ge2026-03-02T10:00:00.250Z' }],
    ['oracle', 'Encounter', { ...all, _lastUpdated: 'ge2026-03-02T10:00:00.250Z' }],
    ['oracle', 'Goal', all],
    ['oracle', 'Observation', { ...all, _lastUpdated: 'ge2026-03-02T10:00:00.250Z' }],
    ['oracle', 'ServiceRequest', { ...all, _lastUpdated: 'ge2026-03-02T10:00:00.250Z' }],
    ['oracle', 'Task', 'not offered'],
  ])('%s %s', (vendor, type, expected) => {
    const query = changesQuery(vendors[vendor], type, { since, declared, patientId: 'p1' });
    expect(isOffered(query) ? query : 'not offered').toEqual(expected);
  });

  test.each(['epic', 'oracle'] as const)('%s is not searched without a patient', (vendor) => {
    for (const type of ['CarePlan', 'Goal', 'ServiceRequest', 'DocumentReference']) {
      expect(isOffered(changesQuery(vendors[vendor], type, { since, declared }))).toBe(false);
    }
  });

  test.each(['epic', 'oracle'] as const)('%s is read whole where it does not declare the parameter', (vendor) => {
    expect(changesQuery(vendors[vendor], 'DocumentReference', { since, declared: [], patientId: 'p1' })).toEqual(all);
    expect(changesQuery(vendors[vendor], 'DocumentReference', { declared, patientId: 'p1' })).toEqual(all);
  });
});

describe('other searches', () => {
  const person = { family: 'O|Neil', birthDate: '1990-01-01' };
  const more = { given: 'Ada', sex: 'female', phone: '555-0100', postalCode: '12180' };
  const time = { from: new Date('2026-03-01T10:00:00.500Z'), to: since };

  test.each<[string, VendorName, object, object]>([
    ['a padded identifier', 'epic', vendors.epic.queries.identifier('urn:x', '  7 '), { identifier: 'urn:x|7' }],
    ['a padded identifier', 'oracle', vendors.oracle.queries.identifier('urn:x', '  7 '), { identifier: 'urn:x|7' }],
    [
      'a person',
      'epic',
      vendors.epic.queries.patient({ ...person, ...more }),
      {
        family: 'O\\|Neil',
        birthdate: '1990-01-01',
        given: 'Ada',
        gender: 'female',
        telecom: '555-0100',
        'address-postalcode': '12180',
      },
    ],
    [
      'a person',
      'oracle',
      vendors.oracle.queries.patient({ ...person, ...more }),
      { family: 'O\\|Neil', birthdate: '1990-01-01', given: 'Ada', phone: '555-0100', 'address-postalcode': '12180' },
    ],
    [
      'a person by two facts',
      'oracle',
      vendors.oracle.queries.patient(person),
      { family: 'O\\|Neil', birthdate: '1990-01-01' },
    ],
    [
      'documents about a time, both ends included',
      'epic',
      vendors.epic.queries.documents({ patientId: 'p1', type: '11506-3', ...time }),
      { ...all, type: 'http://loinc.org|11506-3', date: ['ge2026-03-01T10:00:00Z', 'le2026-03-02T10:00:01Z'] },
    ],
    [
      'documents about a time, both ends included',
      'oracle',
      vendors.oracle.queries.documents({ patientId: 'p1', type: '18776-5', ...time }),
      {
        ...all,
        type: 'http://loinc.org|18776-5',
        period: ['ge2026-03-01T10:00:00.500Z', 'lt2026-03-02T10:00:00.251Z'],
        _count: '100',
      },
    ],
  ])('%s at %s', (_name, _vendor, query, expected) => {
    expect(query).toEqual(expected);
  });
});

describe('what a coded issue of Epic means for a create, a read and a search', () => {
  const kinds: readonly RequestFacts[] = [
    { method: 'POST', kind: 'create' },
    { method: 'GET', kind: 'read' },
    { method: 'GET', kind: 'search' },
  ];

  test.each<[string, number, ReplyClass, ReplyClass, ReplyClass]>([
    ['59008', 404, 'permanent', 'gone', 'gone'],
    ['4103', 400, 'permanent', 'gone', 'gone'],
    ['4107', 400, 'permanent', 'gone', 'gone'],
    ['4113', 400, 'retry-backoff', 'retry-backoff', 'retry-backoff'],
    ['4118', 403, 'denied', 'denied', 'denied'],
    ['4127', 400, 'permanent', 'permanent', 'permanent'],
    ['4130', 403, 'denied', 'denied', 'denied'],
    ['4131', 400, 'denied', 'denied', 'denied'],
    ['4135', 403, 'retry-backoff', 'retry-backoff', 'retry-backoff'],
    ['59108', 400, 'permanent', 'permanent', 'permanent'],
    ['59141', 400, 'unknown-outcome', 'unknown-outcome', 'unknown-outcome'],
    ['59159', 400, 'permanent', 'permanent', 'permanent'],
    ['59177', 400, 'retry-backoff', 'retry-backoff', 'retry-backoff'],
    ['59188', 400, 'permanent', 'permanent', 'permanent'],
    ['99999', 400, 'permanent', 'permanent', 'permanent'],
    ['99999', 503, 'unknown-outcome', 'retry-backoff', 'retry-backoff'],
  ])('%s with %d', (code, status, ...expected) => {
    const reply = { status, headers: {}, body: outcome('fatal', 'processing', code) };
    expect(kinds.map((facts) => classify(vendors.epic, facts, reply).class)).toEqual(expected);
  });

  test('the daily cap waits for midnight by the clock of the server, or half a day', () => {
    const wait = (headers: Record<string, string>) => {
      const reply = { status: 403, headers, body: outcome('fatal', 'throttled', '4135') };
      return classify(vendors.epic, { method: 'POST', kind: 'create' }, reply).retryAfterMs;
    };
    expect(wait({ date: 'Mon, 02 Mar 2026 22:00:00 GMT' })).toBe(2 * 3_600_000);
    expect(wait({})).toBe(12 * 3_600_000);
  });
});

describe('each vendor', () => {
  test.each(['epic', 'oracle', 'standard'] as const)(
    '%s gives a reason, with where it is known from, for all it lacks',
    (name) => {
      const missing = vendorRules(vendors[name]).filter(({ offered }) => !offered);
      expect(missing.filter(({ detail }) => detail.length < 10)).toEqual([]);
      const sourced = /\(.*([CE]\d|[CE]-|C:|MAP|section|pitfall).*\)/;
      const unsourced = name === 'standard' ? [] : missing.filter(({ detail }) => !sourced.test(detail));
      expect(unsourced).toEqual([]);
    },
  );

  test.each(['epic', 'oracle', 'standard'] as const)('%s names only classes and codes that there are', (name) => {
    const { issues, statuses, pages } = vendors[name];
    const reasons = [issues, statuses, pages].flatMap((rules) => Object.values(rules).map(({ reason }) => reason));
    expect(reasons.filter((code) => code !== undefined && !(code in errorKinds))).toEqual([]);
  });
});
