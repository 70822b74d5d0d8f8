import { expect, test } from '@jest/globals';
import { aPatient, useSandbox } from './server.ts';

const server = useSandbox();

const ours = { 'if-none-exist': `identifier=${encodeURIComponent('county/client/c1#patient')}` };
const total = async () => (await server.fhir('GET', 'Patient?gender=female')).body.total;

test('with a search lag a write can be read at once but is found later, by If-None-Exist too', async () => {
  await server.control('POST', 'settings', { searchLagMs: 60_000 });
  const id = await server.created(aPatient());
  expect((await server.fhir('GET', `Patient/${id}`)).status).toBe(200);
  expect(await total()).toBe(0);
  expect((await server.fhir('POST', 'Patient', { body: aPatient(), headers: ours })).status).toBe(201);

  await server.control('POST', 'clock', { advance: '61s' });
  expect(await total()).toBe(2);
  expect((await server.fhir('POST', 'Patient', { body: aPatient(), headers: ours })).status).toBe(412);
});

test('with a search cache the same search gives the same list for a while', async () => {
  await server.control('POST', 'settings', { searchCacheMs: 60_000 });
  expect(await total()).toBe(0);
  await server.created(aPatient());
  expect(await total()).toBe(0);
  expect((await server.fhir('GET', 'Patient?birthdate=1984-02-29')).body.total).toBe(1);
  await server.control('POST', 'clock', { advance: '61s' });
  expect(await total()).toBe(1);
});

test('beyond its request rate the server answers 429 with Retry-After', async () => {
  await server.control('POST', 'settings', { requestsPerSecond: 3 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.fhir('GET', 'Patient')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(10);
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  expect(refused[0]?.body.issue[0].code).toBe('throttled');
});

test('a change keeps the other settings; reset brings back all', async () => {
  const before = (await server.control('GET', 'settings')).body;
  await server.control('POST', 'settings', { versions: false });
  const { body } = await server.control('POST', 'settings', { tokenSeconds: 10 });
  expect(body).toEqual({ ...before, versions: false, tokenSeconds: 10 });
  await server.control('POST', 'reset');
  expect((await server.control('GET', 'settings')).body).toEqual(before);
});

test.each([
  [{ colour: 'red' }, 'colour'],
  [{ auth: 'yes' }, '/auth'],
  [{ searchLagMs: -1 }, '/searchLagMs'],
  [{ hiddenSearchParameters: ['owner'] }, '/hiddenSearchParameters/0'],
])('%j is refused by name', async (body, named) => {
  const answer = await server.control('POST', 'settings', body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toContain(named);
});
