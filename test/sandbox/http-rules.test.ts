import { expect, test } from '@jest/globals';
import { aPatient, useSandbox } from './server.ts';

const server = useSandbox();

test.each([
  ['an unknown resource type', 'GET', 'Patientt', 404],
  ['an unknown id', 'GET', 'Patient/none', 404],
  ['the history of an unknown id', 'GET', 'Patient/none/_history', 404],
  ['an operation', 'POST', 'Patient/$match', 404],
  ['a path that leads nowhere', 'GET', 'Patient/1/2/3/4', 404],
  ['POST to an instance', 'POST', 'Patient/1', 405],
  ['DELETE of a type', 'DELETE', 'Patient', 405],
  ['GET of the base', 'GET', '', 405],
])('%s answers an OperationOutcome', async (_name, method, path, status) => {
  const answer = await server.fhir(method, path, method === 'POST' ? { body: aPatient() } : {});
  expect(answer.status).toBe(status);
  expect(answer.body.resourceType).toBe('OperationOutcome');
  expect(answer.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
});

test('a wrong method is told the right ones', async () => {
  expect((await server.fhir('DELETE', 'Patient')).headers.get('allow')).toBe('GET, POST, PUT');
});

test.each([
  'application/fhir+json',
  'application/json',
  '*/*',
  'text/html, application/*;q=0.8',
  'application/fhir+json; fhirVersion=4.0',
])('Accept: %s gets JSON', async (accept) => {
  expect((await server.fhir('GET', 'Patient', { headers: { accept } })).status).toBe(200);
});

test.each(['application/fhir+xml', 'text/html'])('Accept: %s cannot be served', async (accept) => {
  expect((await server.fhir('GET', 'Patient', { headers: { accept } })).status).toBe(406);
});

test('_format goes before Accept', async () => {
  expect((await server.fhir('GET', 'Patient?_format=json', { headers: { accept: 'text/html' } })).status).toBe(200);
  expect((await server.fhir('GET', 'Patient?_format=xml')).status).toBe(406);
});

test.each([
  ['POST', 'Patient', 'text/plain'],
  ['POST', 'Patient', 'application/fhir+xml'],
  ['POST', '', 'application/x-www-form-urlencoded'],
  ['PUT', 'Patient/1', 'application/json-patch+json'],
  ['PATCH', 'Patient/1', 'application/fhir+json'],
  ['POST', 'Patient/_search', 'application/fhir+json'],
])('%s %s with %s is refused', async (method, path, type) => {
  const answer = await server.fhir(method, path, { body: aPatient(), headers: { 'content-type': type } });
  expect(answer.status).toBe(415);
});

test.each(['{"resourceType":"Patient"', '', '<Patient/>'])('the body %s is refused as no JSON', async (body) => {
  const answer = await server.fhir('POST', 'Patient', { body });
  expect(answer.status).toBe(400);
  expect(answer.body.issue[0].code).toBe('structure');
});

test('a body beyond 10 MB is refused and journalled without it', async () => {
  const answer = await server.fhir('POST', 'Patient', { body: 'x'.repeat(10 * 1024 * 1024 + 1) });
  expect(answer.status).toBe(413);
  expect(answer.body.resourceType).toBe('OperationOutcome');
  const [entry] = await server.journal();
  expect(entry).toMatchObject({ status: 413, committed: false });
  expect(entry).not.toHaveProperty('requestBody');
});

test('outside the servers there is nothing', async () => {
  const origin = new URL(server.base).origin;
  for (const path of ['/', '/other/fhir', '/_control/other/journal', '/_control/standard/other', '/standard/other']) {
    expect((await server.fhir('GET', origin + path)).status).toBe(404);
  }
});
