// A connection at work on the simulated `standard` server: signing in, writing, searching, and what each disturbance is taken for.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AuthConfig } from '../../src/config.ts';
import {
  classify,
  generateKey,
  isOffered,
  isSearchResult,
  pollQuery,
  publicKeySet,
  routeTable,
  type SigningAlgorithm,
  signingAlgorithms,
} from '../../src/connections/connections.ts';
import type { JsonObject } from '../../src/json.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { connectTo, stopAll } from './fhir-server.ts';

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 });
});
beforeEach(() => control('reset', {}));
afterEach(stopAll);
afterAll(() => sandbox.stop());

async function control(name: string, body: object): Promise<void> {
  const response = await fetch(`${sandbox.url}/_control/standard/${name}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`${name}: ${response.status}`);
  }
}

function connect(auth: AuthConfig = { type: 'none' }) {
  return connectTo({ url: `${sandbox.url}/standard/fhir/R4` }, { auth });
}

async function signedIn(algorithm: SigningAlgorithm, allowed = ['system/*.crus'], scopes = allowed) {
  const key = await generateKey(algorithm);
  await control('settings', { auth: 'token' });
  await control('clients', [{ clientId: 'casebridge', jwks: await publicKeySet([key]), scopes: allowed }]);
  return connect({ type: 'smart-backend', clientId: 'casebridge', key, scopes });
}

function anOrganization(name: string): JsonObject {
  return { resourceType: 'Organization', identifier: [{ system: 'urn:agency', value: name }], name };
}

const create = { method: 'POST', kind: 'create', target: { resourceType: 'Organization' } } as const;

describe('signing in', () => {
  test.each(signingAlgorithms)('with a key for %s', async (algorithm) => {
    const connection = await signedIn(algorithm);
    expect(await connection.diagnose()).toEqual({
      reachable: true,
      auth: { ok: true },
      scopes: ['system/*.crus'],
      findings: [],
    });
  });

  test('a token that the server has forgotten is replaced without anybody noticing', async () => {
    const { client } = await signedIn('ES384');
    expect(await client.send({ method: 'GET', path: 'Organization' })).toMatchObject({ status: 200 });
    await control('tokens/expire', {});
    expect(await client.send({ method: 'GET', path: 'Organization' })).toMatchObject({ status: 200 });
  });

  test('a key that is not registered there', async () => {
    const connection = await signedIn('ES384');
    await control('clients', [{ clientId: 'casebridge', jwks: await publicKeySet([await generateKey()]), scopes: [] }]);
    expect(await connection.diagnose()).toMatchObject({
      auth: { ok: false, reason: { code: 'connection-client-unknown' } },
    });
  });

  test('fewer scopes than asked for are named and decide the routes', async () => {
    const allowed = ['system/Organization.crus', 'system/Patient.rs'];
    const connection = await signedIn('ES384', allowed, [...allowed, 'system/Goal.crus']);
    const { scopes, findings } = await connection.diagnose();
    expect(findings.map(({ code }) => code)).toEqual(['connection-scopes-missing']);
    const slots = [
      { recordType: 'organization', resourceType: 'Organization' },
      { recordType: 'client', resourceType: 'Patient' },
      { recordType: 'goal', resourceType: 'Goal' },
    ] as const;
    const { vendor, config } = connection;
    const capabilities = await connection.capabilities();
    const rows = routeTable({ capabilities, scopes, vendor, overrides: config.routes, task: config.task, slots });
    expect(rows.map(({ route }) => route)).toEqual(['native', 'read', 'manual']);
  });
});

test('what it declares is enough for everything to go natively', async () => {
  const capabilities = await connect().capabilities();
  expect(capabilities).toMatchObject({
    fhirVersion: '4.0.1',
    transaction: true,
    versioned: { Goal: true },
    patch: true,
  });
  expect(capabilities.conditionalCreate.ServiceRequest).toBe(true);
  expect(capabilities.searchParams.Task).toContain('_lastUpdated');
});

describe('writing', () => {
  test('a create answers with id and version, a second one with the same identifier finds it', async () => {
    const { client, vendor } = connect();
    const body = anOrganization('pantry');
    const request = {
      method: 'POST',
      path: 'Organization',
      body,
      ifNoneExist: 'identifier=urn:agency|pantry',
    } as const;
    const made = await client.send(request);
    expect(made).toMatchObject({ status: 201, versionTag: expect.stringMatching(/^W\//), body: { name: 'pantry' } });
    expect(classify(vendor, create, made)).toEqual({ class: 'ok' });
    const again = await client.send(request);
    expect(again).toMatchObject({ status: 200 });
    expect(classify(vendor, create, again)).toEqual({ class: 'ok' });
    const found = await client.searchAll('Organization', vendor.queries.identifier('urn:agency', 'pantry'));
    expect(isSearchResult(found) && found.resources).toHaveLength(1);
  });

  test('an update over a newer version is a conflict', async () => {
    const { client, vendor } = connect();
    const made = await client.send({ method: 'POST', path: 'Organization', body: anOrganization('pantry') });
    if (made.fault !== undefined || made.body === undefined) {
      throw new Error('not made');
    }
    const update = {
      method: 'PUT',
      path: `Organization/${made.body.id}`,
      body: made.body,
      ifMatch: made.versionTag,
    } as const;
    const changed = await client.send({ ...update, body: { ...made.body, name: 'food pantry' } });
    expect(changed).toMatchObject({ status: 200 });
    const stale = await client.send(update);
    expect(classify(vendor, { method: 'PUT', kind: 'update' }, stale)).toMatchObject({ class: 'conflict' });
  });

  test.each<[string, object, object, string]>([
    ['the reply is lost after the commit', { drop: 'after-commit' }, { fault: 'reset', sent: true }, 'unknown-outcome'],
    ['the request is lost before it', { drop: 'before-commit' }, { fault: 'reset', sent: true }, 'unknown-outcome'],
    ['the reply is cut', { truncate: 20 }, { fault: 'not-json', sent: true }, 'unknown-outcome'],
    ['the server fails', { status: 500 }, { status: 500 }, 'unknown-outcome'],
    [
      'the server is busy',
      { status: 429, headers: { 'retry-after': '3' } },
      { status: 429, retryAfterMs: 3000 },
      'retry-backoff',
    ],
    [
      'a page comes back',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      { fault: 'not-json' },
      'unknown-outcome',
    ],
  ])('when %s', async (_name, fault, expected, replyClass) => {
    await control('faults', [{ method: 'POST', path: 'Organization', nth: 1, fault }]);
    const { client, vendor } = connect();
    const reply = await client.send({ method: 'POST', path: 'Organization', body: anOrganization('pantry') });
    expect(reply).toMatchObject(expected);
    expect(classify(vendor, create, reply).class).toBe(replyClass);
  });
});

test('74: a pause that it asks for in a way that is not taken as it is said is told of once', async () => {
  const noted: string[] = [];
  const { client } = connectTo(
    { url: `${sandbox.url}/standard/fhir/R4` },
    { auth: { type: 'none' } },
    { onOddWait: (how) => noted.push(how) },
  );
  await control('faults', [
    { method: 'GET', path: 'Organization', fault: { status: 503, headers: { 'retry-after': 'soon' } } },
  ]);
  for (let times = 0; times < 2; times += 1) await client.send({ method: 'GET', path: 'Organization/o1' });
  expect(noted).toEqual(['unreadable']);
});

test('a search over many pages gives each resource once, also when the token ends between pages', async () => {
  const { client } = await signedIn('ES384');
  const names = Array.from({ length: 7 }, (_, index) => `pantry-${index}`);
  for (const name of names) {
    await client.send({ method: 'POST', path: 'Organization', body: anOrganization(name) });
  }
  await control('faults', [{ method: 'GET', path: 'Organization', nth: 3, fault: { status: 401 } }]);
  const found = await client.searchAll('Organization', { _count: '2' });
  expect(found).toMatchObject({ complete: true });
  expect(isSearchResult(found) && found.resources.map(({ name }) => name).sort()).toEqual(names);
});

test('a poll sees what changed after the cursor', async () => {
  const order = (id: string) => ({
    resourceType: 'ServiceRequest',
    id,
    status: 'active',
    intent: 'order',
    subject: { display: 'Somebody' },
  });
  const { client, vendor } = connect();
  for (const [id, now] of [
    ['old', '2026-03-02T10:00:00Z'],
    ['new', '2026-03-02T12:00:00Z'],
  ] as const) {
    await control('clock', { now });
    await control('seed', [order(id)]);
  }
  const query = pollQuery(vendor, 'ServiceRequest', { since: new Date('2026-03-02T12:04:00Z') });
  if (!isOffered(query)) {
    throw new Error(query.notOffered);
  }
  const found = await client.searchAll('ServiceRequest', query.query);
  expect(isSearchResult(found) && found.resources.map(({ id }) => id)).toEqual(['new']);
});
