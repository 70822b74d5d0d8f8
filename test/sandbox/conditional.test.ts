import { expect, test } from '@jest/globals';
import { aPatient, useSandbox } from './server.ts';

const server = useSandbox();
const ours = `identifier=${encodeURIComponent('https://agency.example.org/ids|county/client/c1#patient')}`;

test('a conditional create makes one resource, however often it is sent', async () => {
  const send = () => server.fhir('POST', 'Patient', { body: aPatient(), headers: { 'if-none-exist': ours } });
  const answers = await Promise.all(Array.from({ length: 10 }, send));

  expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(9).fill(200), 201]);
  expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1);
  expect((await server.control('GET', 'resources')).body).toEqual({ Patient: 1 });
});

test('a conditional create that matches several is refused', async () => {
  await server.created(aPatient());
  await server.created(aPatient());
  const answer = await server.fhir('POST', 'Patient', { body: aPatient(), headers: { 'if-none-exist': ours } });
  expect(answer.status).toBe(412);
  expect(answer.body.issue[0].code).toBe('multiple-matches');
});

test('identifiers are compared with their case and their system', async () => {
  await server.created(aPatient());
  for (const other of [
    'https://agency.example.org/ids|COUNTY/client/c1#patient',
    'https://other.example.org|county/client/c1#patient',
  ]) {
    const headers = { 'if-none-exist': `identifier=${encodeURIComponent(other)}` };
    expect((await server.fhir('POST', 'Patient', { body: aPatient(), headers })).status).toBe(201);
  }
});

test.each(['', 'bogus=1', 'identifier='])('a condition "%s" is refused', async (condition) => {
  const answer = await server.fhir('POST', 'Patient', { body: aPatient(), headers: { 'if-none-exist': condition } });
  expect(answer.status).toBe(400);
  expect((await server.control('GET', 'resources')).body).toEqual({});
});

test('a conditional update creates, then updates, the one that matches', async () => {
  const first = await server.fhir('PUT', `Patient?${ours}`, { body: aPatient() });
  expect(first.status).toBe(201);
  const second = await server.fhir('PUT', `Patient?${ours}`, { body: aPatient({ gender: 'male' }) });
  expect(second.status).toBe(200);
  expect(second.body).toMatchObject({ id: first.body.id, gender: 'male', meta: { versionId: '2' } });
});

test('a conditional update is refused where the id disagrees or several match', async () => {
  await server.created(aPatient());
  expect((await server.fhir('PUT', `Patient?${ours}`, { body: aPatient({ id: 'other' }) })).status).toBe(400);
  await server.created(aPatient());
  expect((await server.fhir('PUT', `Patient?${ours}`, { body: aPatient() })).status).toBe(412);
  expect((await server.fhir('PUT', 'Patient', { body: aPatient() })).status).toBe(400);
});
