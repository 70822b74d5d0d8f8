// The table of ehr-behaviour 6.3: what the lane core does with whatever comes back. One row per case, in the order of that table.

import { describe, expect, test } from '@jest/globals';
import type {
  Fault,
  FaultKind,
  FhirReply,
  ReplyClass,
  RequestFacts,
  RequestKind,
} from '../../src/connections/connections.ts';
import { classify, vendors } from '../../src/connections/connections.ts';
import { makeFault } from '../../src/connections/faults.ts';
import type { JsonObject } from '../../src/json.ts';
import { outcome } from './fhir-server.ts';

const methods = { read: 'GET', search: 'GET', create: 'POST', update: 'PUT', transaction: 'POST' };

function asked(kind: RequestKind, more: Partial<RequestFacts> = {}): RequestFacts {
  return { method: methods[kind], kind, ...more };
}

function reply(status: number, more: Partial<FhirReply> = {}): FhirReply {
  return { status, headers: {}, ...more };
}

function fault(kind: FaultKind, sent: boolean, status?: number): Fault {
  return { fault: kind, sent, text: 'A sentence.', status };
}

describe('faults', () => {
  test.each<[FaultKind, boolean, RequestKind, ReplyClass]>([
    ['reset', true, 'read', 'retry-now-once'],
    ['reset', false, 'search', 'retry-now-once'],
    ['reset', true, 'create', 'unknown-outcome'],
    ['reset', true, 'update', 'unknown-outcome'],
    ['reset', true, 'transaction', 'unknown-outcome'],
    ['reset', false, 'create', 'retry-backoff'],
    ['timeout', true, 'read', 'retry-backoff'],
    ['timeout', true, 'create', 'unknown-outcome'],
    ['timeout', false, 'create', 'retry-backoff'],
    ['refused', false, 'create', 'retry-backoff'],
    ['refused', false, 'read', 'retry-backoff'],
    ['dns', false, 'update', 'retry-backoff'],
    ['tls', false, 'read', 'config'],
    ['tls', false, 'create', 'config'],
    ['redirect', true, 'read', 'config'],
    ['redirect', true, 'create', 'config'],
    ['too-large', true, 'search', 'permanent'],
    ['too-large', false, 'create', 'permanent'],
    ['too-large', true, 'update', 'unknown-outcome'],
    ['aborted', true, 'read', 'retry-backoff'],
    ['aborted', false, 'create', 'retry-backoff'],
    ['aborted', true, 'create', 'unknown-outcome'],
  ])('%s, sent: %s, on a %s: %s', (kind, sent, request, expected) => {
    expect(classify(vendors.standard, asked(request), fault(kind, sent))).toMatchObject({ class: expected });
  });

  test.each<[FaultKind, boolean, RequestKind, true | undefined]>([
    ['tls', true, 'create', true],
    ['tls', true, 'transaction', true],
    ['tls', false, 'create', undefined],
    ['tls', true, 'search', undefined],
    ['redirect', true, 'create', true],
    ['redirect', true, 'update', true],
    ['redirect', true, 'read', undefined],
  ])('%s, sent: %s, on a %s stops the connection, and may have been done: %s', (kind, sent, request, mayBeDone) => {
    const found = classify(vendors.standard, asked(request), fault(kind, sent));
    expect(found.class).toBe('config');
    expect(found.mayBeDone).toBe(mayBeDone);
  });

  test.each<[number, RequestKind, ReplyClass]>([
    [200, 'read', 'retry-backoff'],
    [200, 'create', 'unknown-outcome'],
    [200, 'transaction', 'unknown-outcome'],
    [201, 'create', 'unknown-outcome'],
    [502, 'search', 'retry-backoff'],
    [503, 'update', 'unknown-outcome'],
    [404, 'read', 'retry-backoff'],
    [404, 'update', 'retry-backoff'],
    [410, 'read', 'retry-backoff'],
    [401, 'read', 'config'],
    [403, 'create', 'denied'],
    [413, 'create', 'permanent'],
    [429, 'create', 'retry-backoff'],
  ])('a page that is no FHIR with status %s on a %s: %s', (status, request, expected) => {
    expect(classify(vendors.standard, asked(request), fault('not-json', true, status))).toMatchObject({
      class: expected,
    });
  });

  test.each<[Fault, ReplyClass]>([
    [makeFault('auth', false, 'connection-client-unknown', { host: 'x', clocks: '' }), 'config'],
    [makeFault('auth', false, 'connection-client-not-allowed', { host: 'x' }), 'config'],
    [makeFault('auth', false, 'connection-scopes-refused', { host: 'x' }), 'config'],
    [makeFault('auth', false, 'connection-key-unusable', {}), 'config'],
    [makeFault('auth', false, 'connection-token-unavailable', { host: 'x', status: 503 }), 'retry-backoff'],
  ])('a token that was not given ($reason.code)', (given, expected) => {
    expect(classify(vendors.standard, asked('create'), given)).toEqual({ class: expected, reason: given.reason });
  });
});

describe('statuses', () => {
  const everywhere = ['read', 'search', 'create', 'update', 'transaction'] as const;
  const reads = ['read', 'search'] as const;
  const writes = ['create', 'update', 'transaction'] as const;
  const linked = ['read', 'update'] as const;
  const rows: [number, readonly RequestKind[], ReplyClass][] = [
    [401, everywhere, 'config'],
    [429, everywhere, 'retry-backoff'],
    [423, everywhere, 'retry-backoff'],
    [500, reads, 'retry-backoff'],
    [502, reads, 'retry-backoff'],
    [503, reads, 'retry-backoff'],
    [504, reads, 'retry-backoff'],
    [408, reads, 'retry-backoff'],
    [500, writes, 'unknown-outcome'],
    [502, writes, 'unknown-outcome'],
    [503, writes, 'unknown-outcome'],
    [504, writes, 'unknown-outcome'],
    [408, writes, 'unknown-outcome'],
    [409, writes, 'conflict'],
    [412, writes, 'conflict'],
    [400, everywhere, 'permanent'],
    [404, ['search', 'create', 'transaction'], 'permanent'],
    [405, everywhere, 'permanent'],
    [406, everywhere, 'permanent'],
    [413, everywhere, 'permanent'],
    [415, everywhere, 'permanent'],
    [422, everywhere, 'permanent'],
    [424, everywhere, 'permanent'],
    [501, everywhere, 'permanent'],
    [304, everywhere, 'permanent'],
    [404, linked, 'gone'],
    [410, linked, 'gone'],
    [403, everywhere, 'denied'],
  ];
  test.each(rows.flatMap(([status, kinds, expected]) => kinds.map((kind) => ({ status, kind, expected }))))(
    '$status on a $kind: $expected',
    ({ status, kind, expected }) => {
      const found = classify(vendors.standard, asked(kind), reply(status));
      expect(found.class).toBe(expected);
      expect(found.reason?.text).not.toMatch(/[{}]/);
    },
  );

  test('412 although the tag was read just before: it is about something else', () => {
    expect(classify(vendors.standard, asked('update', { tagIsFresh: true }), reply(412)).class).toBe('permanent');
  });

  test.each([
    ['404', vendors.standard, reply(404)],
    ['410', vendors.oracle, reply(410)],
    ['59008 of Epic', vendors.epic, reply(404, { body: outcome('fatal', 'processing', '59008') })],
  ])('%s to an update although a look shows the resource: the update is refused', (_title, vendor, answer) => {
    expect(classify(vendor, asked('update'), answer).class).toBe('gone');
    expect(classify(vendor, asked('update', { isThere: true }), answer)).toMatchObject({
      class: 'permanent',
      reason: { code: 'server-refused' },
    });
  });

  test('412 on a create: several carry the identifier', () => {
    expect(classify(vendors.standard, asked('create'), reply(412))).toMatchObject({
      class: 'conflict',
      reason: { code: 'server-several-matches' },
    });
  });

  test('500 on a read with an issue that no repetition mends', () => {
    const stored = reply(500, { body: outcome('fatal', 'required') });
    expect(classify(vendors.standard, asked('search'), stored).class).toBe('permanent');
    expect(classify(vendors.standard, asked('create'), stored).class).toBe('unknown-outcome');
  });
});

describe('success', () => {
  const goal = { resourceType: 'Goal', id: 'g1' };
  const location = { resourceType: 'Goal', id: 'g1' };
  const target = { resourceType: 'Goal', id: 'g1' };
  const made = { resourceType: 'Goal' };
  const bundle = { resourceType: 'Bundle' };
  const wrongType = { resourceType: 'Task', id: 'g1' };
  const wrongId = { resourceType: 'Goal', id: 'g2' };

  test.each<[string, RequestFacts, FhirReply, ReplyClass, string | undefined]>([
    ['a read with its resource', asked('read', { target }), reply(200, { body: goal }), 'ok', undefined],
    [
      'a read with notes instead of the resource',
      asked('read', { target }),
      reply(200, { body: outcome('information', 'informational') }),
      'permanent',
      'server-wrong-resource',
    ],
    ['a read without a body', asked('read', { target }), reply(200), 'retry-backoff', 'server-busy'],
    [
      'a read with another type',
      asked('read', { target }),
      reply(200, { body: wrongType }),
      'permanent',
      'server-wrong-resource',
    ],
    [
      'a read with another id',
      asked('read', { target }),
      reply(200, { body: wrongId }),
      'permanent',
      'server-wrong-resource',
    ],
    ['a search with a Bundle', asked('search'), reply(200, { body: bundle }), 'ok', undefined],
    ['a search without a body', asked('search'), reply(200), 'retry-backoff', 'server-busy'],
    ['a search with something else', asked('search'), reply(200, { body: goal }), 'permanent', 'server-wrong-resource'],
    ['a create with its Location', asked('create', { target: made }), reply(201, { location }), 'ok', undefined],
    ['a create with its resource', asked('create', { target: made }), reply(201, { body: goal }), 'ok', undefined],
    ['a create that found an old one', asked('create', { target: made }), reply(200, { location }), 'ok', undefined],
    [
      'a create without Location and body',
      asked('create', { target: made }),
      reply(201),
      'unknown-outcome',
      'create-not-shown',
    ],
    [
      'a create with another type in it',
      asked('create', { target: made }),
      reply(201, { body: wrongType }),
      'unknown-outcome',
      'server-wrong-resource',
    ],
    [
      'a create whose Location names another type',
      asked('create', { target: made }),
      reply(201, { location: { resourceType: 'Task', id: 'g1' } }),
      'unknown-outcome',
      'server-wrong-resource',
    ],
    [
      'a create whose Location and resource have different ids',
      asked('create', { target: made }),
      reply(201, { location, body: wrongId }),
      'unknown-outcome',
      'server-wrong-resource',
    ],
    [
      'a create with its Location and an empty object',
      asked('create', { target: made }),
      reply(201, { location, body: {} }),
      'ok',
      undefined,
    ],
    [
      'a create with its Location and notes',
      asked('create', { target: made }),
      reply(201, { location, body: outcome('information', 'informational') }),
      'ok',
      undefined,
    ],
    [
      'a create said to be on another host',
      asked('create', { target: made }),
      reply(201, { locationElsewhere: true }),
      'unknown-outcome',
      'server-location-elsewhere',
    ],
    [
      'a create said to be on another host, with a body',
      asked('create', { target: made }),
      reply(201, { locationElsewhere: true, body: goal }),
      'unknown-outcome',
      'server-location-elsewhere',
    ],
    ['an update with its resource', asked('update', { target }), reply(200, { body: goal }), 'ok', undefined],
    ['an update without a body', asked('update', { target }), reply(204), 'ok', undefined],
    [
      'an update with another id',
      asked('update', { target }),
      reply(200, { body: wrongId }),
      'unknown-outcome',
      'server-wrong-resource',
    ],
    [
      'an update answered with notes',
      asked('update', { target }),
      reply(200, { body: outcome('information', 'informational') }),
      'ok',
      undefined,
    ],
    ['a transaction with its Bundle', asked('transaction'), reply(200, { body: bundle }), 'ok', undefined],
    ['a transaction without', asked('transaction'), reply(200), 'unknown-outcome', 'outcome-unknown'],
    [
      'an error under 200 on a read',
      asked('read'),
      reply(200, { body: outcome('error', 'forbidden') }),
      'denied',
      'server-denied',
    ],
    [
      'an odd error under 200 on a read',
      asked('read'),
      reply(200, { body: outcome('fatal', 'processing') }),
      'permanent',
      'server-refused',
    ],
    [
      'a passing error under 200 on a read',
      asked('search'),
      reply(200, { body: outcome('error', 'timeout') }),
      'retry-backoff',
      'server-busy',
    ],
    [
      'an error under 200 on a write',
      asked('create'),
      reply(200, { body: outcome('error', 'invalid') }),
      'unknown-outcome',
      'outcome-unknown',
    ],
  ])('%s', (_name, request, given, expected, code) => {
    const found = classify(vendors.standard, request, given);
    expect(found.class).toBe(expected);
    expect(found.reason?.code).toBe(code);
  });
});

test("a vendor's own code goes before the status, wherever it stands", () => {
  const vendor = {
    ...vendors.standard,
    issues: { 4131: { class: 'denied' }, 59177: { class: 'retry-backoff' } },
  } as const;
  const body: JsonObject = {
    resourceType: 'OperationOutcome',
    issue: [
      { severity: 'information', code: 'informational' },
      { severity: 'fatal', code: 'processing', details: { coding: [{ system: 'urn:oid:1.2.3', code: '4131' }] } },
    ],
  };
  expect(classify(vendor, asked('read'), reply(404, { body })).class).toBe('denied');
  expect(classify(vendor, asked('read'), reply(200, { body })).class).toBe('denied');
  expect(classify(vendors.standard, asked('read'), reply(404, { body })).class).toBe('gone');
  const noted = outcome('information', 'informational', '4131');
  expect(classify(vendor, asked('update'), reply(200, { body: noted })).class).toBe('ok');
});

test('what the server asks us to wait is handed on', () => {
  expect(classify(vendors.standard, asked('read'), reply(429, { retryAfterMs: 7000 })).retryAfterMs).toBe(7000);
  const page = { ...fault('not-json', true, 503), retryAfterMs: 9000 };
  expect(classify(vendors.standard, asked('read'), page).retryAfterMs).toBe(9000);
});

test("a reason says the issue's type and place, never its words", () => {
  const body = {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'error',
        code: 'business-rule',
        diagnostics: 'Jane Doe, born 1980',
        details: { text: 'Jane Doe' },
        expression: ['Patient.where(name="Jane Doe")', 'Task.output[0].type'],
      },
    ],
  };
  expect(classify(vendors.standard, asked('create'), reply(422, { body })).reason?.text).toBe(
    'The server refuses the request (422 business-rule at Task.output[0].type).',
  );
  const odd = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'Jane Doe' }] };
  expect(classify(vendors.standard, asked('create'), reply(422, { body: odd })).reason?.text).toBe(
    'The server refuses the request (422).',
  );
});
