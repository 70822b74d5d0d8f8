// What a server declares: read once, whatever its shape; absent counts as not offered.

import { afterEach, expect, test } from '@jest/globals';
import { isCapabilities, parseCapabilities, readCapabilities } from '../../src/connections/connections.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import { connectTo, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

const now = new Date('2026-03-02T10:00:00Z');

function codes(...names: string[]): Json {
  return names.map((code) => ({ code }));
}

function statement(server: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return {
    resourceType: 'CapabilityStatement',
    date: '2026-03-01',
    fhirVersion: '4.0.1',
    software: { name: 'HAPI FHIR Server', version: '7' },
    rest: [{ mode: 'client' }, { mode: 'server', ...server }],
    ...more,
  };
}

const task: JsonObject = {
  type: 'Task',
  interaction: codes('read', 'search-type', 'update'),
  versioning: 'versioned-update',
  conditionalCreate: true,
  searchParam: [{ name: 'status' }, { name: 'patient' }],
};

test('types with their interactions, parameters and conditional creates; abilities of the whole server', () => {
  const parsed = parseCapabilities(
    statement(
      {
        interaction: codes('transaction', 'batch'),
        searchParam: [{ name: '_lastUpdated' }],
        resource: [task, { type: 'Goal' }],
      },
      { patchFormat: ['application/fhir+json', 'application/json-patch+json'] },
    ),
    now,
  );
  expect(parsed).toEqual({
    readAt: '2026-03-02T10:00:00.000Z',
    fhirVersion: '4.0.1',
    software: 'HAPI FHIR Server',
    interactions: { Task: ['read', 'search-type', 'update'], Goal: [] },
    searchParams: { Task: ['_lastUpdated', 'patient', 'status'], Goal: ['_lastUpdated'] },
    conditionalCreate: { Task: true, Goal: false },
    transaction: true,
    versioned: { Task: true, Goal: false },
    patch: true,
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test('a type that is declared in two places has the sum of both', () => {
  const parsed = parseCapabilities(
    statement({ resource: [task, { type: 'Task', interaction: codes('create', 'read') }] }),
    now,
  );
  expect(parsed?.interactions.Task).toEqual(['create', 'read', 'search-type', 'update']);
  expect(parsed?.conditionalCreate.Task).toBe(true);
});

test.each<[string, JsonObject]>([
  ['nothing', { resourceType: 'CapabilityStatement' }],
  ['only a client', statement({}, { rest: [{ mode: 'client', resource: [task], interaction: codes('transaction') }] })],
  [
    'nonsense',
    statement(
      { resource: [null, 7, { type: 5 }, []], interaction: 'all', searchParam: {} },
      { software: 'x', patchFormat: 'x' },
    ),
  ],
])('a statement with %s offers nothing', (_name, given) => {
  expect(parseCapabilities(given, now)).toMatchObject({
    interactions: {},
    transaction: false,
    versioned: {},
    patch: false,
  });
});

test('another resource is no statement', () => {
  expect(parseCapabilities({ resourceType: 'OperationOutcome' }, now)).toBeUndefined();
});

test('the hash changes with what matters, and only with that', () => {
  const hashOf = (server: JsonObject, more: JsonObject = {}) => parseCapabilities(statement(server, more), now)?.hash;
  const usual = hashOf({ resource: [task] });
  const reordered = { ...task, interaction: codes('update', 'search-type', 'read'), documentation: 'new words' };
  expect(hashOf({ resource: [reordered] }, { date: '2026-03-02', software: { name: 'HAPI', version: '8' } })).toBe(
    usual,
  );
  const changed: JsonObject[] = [
    { resource: [{ ...task, interaction: codes('read') }] },
    { resource: [{ ...task, conditionalCreate: false }] },
    { resource: [{ ...task, searchParam: [] }] },
    { resource: [task, { type: 'Goal' }] },
    { resource: [task], interaction: codes('transaction') },
  ];
  const patch = hashOf({ resource: [task] }, { patchFormat: ['application/json-patch+json'] });
  expect(new Set([usual, patch, ...changed.map((server) => hashOf(server))]).size).toBe(changed.length + 2);
});

test('is read from /metadata; what is not there is handed back as it came', async () => {
  const server = await startServer(({ url }) =>
    url === '/r4/metadata' ? { body: statement({ resource: [task] }) } : { status: 404 },
  );
  const read = await readCapabilities(connectTo(server).client, now);
  expect(isCapabilities(read) && read.interactions).toHaveProperty('Task');

  const other = await startServer(() => ({ status: 503 }));
  const failed = await readCapabilities(connectTo(other).client, now);
  expect(isCapabilities(failed)).toBe(false);
  expect(failed).toMatchObject({ status: 503 });
});

test('a connection says in words why it cannot tell', async () => {
  const page = await startServer(() => ({ headers: { 'content-type': 'text/html' }, body: '<html>' }));
  await expect(connectTo(page).capabilities()).rejects.toMatchObject({
    code: 'connection-capabilities-unreadable',
    message: expect.stringMatching(
      /^What 127\.0\.0\.1:\d+ can do is not known: .* answered 200 with text\/html instead of FHIR JSON\./,
    ),
  });
  const missing = await startServer(() => ({ status: 404 }));
  await expect(connectTo(missing).capabilities()).rejects.toMatchObject({
    message: expect.stringMatching(/\/metadata answers 404\. No FHIR server may be there: check baseUrl\.$/),
  });
});
