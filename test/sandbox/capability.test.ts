// Everything that /metadata declares is tried, so that it cannot say more than the server does.

import { expect, test } from '@jest/globals';
import { aPatient, type Parsed, useSandbox } from './server.ts';

const server = useSandbox();

const statement = async () => (await server.fhir('GET', 'metadata')).body;
const typeOf = (capability: Parsed, type: string) =>
  capability.rest[0].resource.find((resource: Parsed) => resource.type === type);

test('the CapabilityStatement names this server, R4 and its formats', async () => {
  expect(await statement()).toMatchObject({
    resourceType: 'CapabilityStatement',
    kind: 'instance',
    fhirVersion: '4.0.1',
    implementation: { url: server.base },
    patchFormat: ['application/json-patch+json'],
    rest: [{ mode: 'server', interaction: [{ code: 'transaction' }, { code: 'batch' }] }],
  });
});

test('it is itself valid', async () => {
  expect((await server.fhir('POST', 'CapabilityStatement', { body: await statement() })).status).toBe(201);
});

test('it declares for each type what the server does', async () => {
  const patient = typeOf(await statement(), 'Patient');
  expect(patient).toMatchObject({
    versioning: 'versioned',
    conditionalCreate: true,
    conditionalUpdate: true,
    updateCreate: true,
  });
  expect(patient.interaction.map(({ code }: Parsed) => code).toSorted()).toEqual([
    'create',
    'delete',
    'history-instance',
    'patch',
    'read',
    'search-type',
    'update',
    'vread',
  ]);
});

test('every declared search parameter of every type can be searched by', async () => {
  const values: Record<string, string> = {
    date: '2026-01-01',
    reference: 'Patient/1',
    string: 'x',
    token: 'x',
    uri: 'https://example.org',
  };
  const queries: string[] = [];
  for (const { type, searchParam = [] } of (await statement()).rest[0].resource) {
    for (const { name, type: kind } of searchParam)
      queries.push(`${type}?${name}=${encodeURIComponent(values[kind] ?? '')}`);
  }
  expect(queries.length).toBeGreaterThan(1000);
  const entry = queries.map((url) => ({ request: { method: 'GET', url } }));
  const { body } = await server.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry } });
  expect(queries.filter((_query, index) => body.entry[index].response.status !== '200 OK')).toEqual([]);
});

test('parameters of kinds that are not served are neither declared nor accepted', async () => {
  const names = typeOf(await statement(), 'Observation').searchParam.map(({ name }: Parsed) => name);
  expect(names).toContain('code');
  expect(names).not.toContain('value-quantity');
  expect((await server.fhir('GET', 'Observation?value-quantity=5')).status).toBe(400);
});

test('what is switched off is not declared and not done', async () => {
  await server.control('POST', 'settings', {
    transactions: false,
    conditionalCreate: false,
    versions: false,
    hiddenSearchParameters: ['Task.owner', 'Task._lastUpdated'],
  });
  const capability = await statement();
  const task = typeOf(capability, 'Task');
  expect(capability.rest[0].interaction).toBeUndefined();
  expect(task).toMatchObject({ versioning: 'no-version', conditionalCreate: false });
  expect(task.interaction.map(({ code }: Parsed) => code)).not.toContain('vread');
  const names = task.searchParam.map(({ name }: Parsed) => name);
  expect(names).not.toContain('owner');
  expect(names).not.toContain('_lastUpdated');

  expect(
    (await server.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry: [] } })).status,
  ).toBe(405);
  expect((await server.fhir('GET', 'Task?owner=Organization/1')).status).toBe(400);
  const headers = { 'if-none-exist': 'identifier=x' };
  const first = await server.fhir('POST', 'Patient', { body: aPatient(), headers });
  expect(first.headers.get('etag')).toBeNull();
  expect(first.body.meta.versionId).toBeUndefined();
  expect((await server.fhir('POST', 'Patient', { body: aPatient(), headers })).status).toBe(201);
  const put = await server.fhir('PUT', `Patient/${first.body.id}`, {
    body: aPatient({ id: first.body.id, gender: 'male' }),
    headers: { 'if-match': 'W/"9"' },
  });
  expect(put.status).toBe(200);
  expect((await server.fhir('GET', `Patient/${first.body.id}/_history`)).status).toBe(404);
});
