import { expect, test } from '@jest/globals';
import { type Answered, aPatient, type Parsed, useSandbox } from './server.ts';

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

test('beyond its request rate the server answers 429 with Retry-After, and no window of its journal holds more', async () => {
  await server.control('POST', 'settings', { requestsPerSecond: 20, rateWindowMs: 250, latencyMs: 5 });
  const startedAt = performance.now();
  let refusal: Answered | undefined;
  while (performance.now() - startedAt < 800) {
    const answers = await Promise.all(Array.from({ length: 4 }, () => server.fhir('GET', 'Patient')));
    refusal ??= answers.find(({ status }) => status === 429);
  }
  expect(refusal?.headers.get('retry-after')).toBe('1');
  expect(refusal?.body.issue[0].code).toBe('throttled');

  const taken = (await server.journal()).filter(({ status }) => status === 200).map(({ arrivedAt }) => arrivedAt);
  const fullest = Math.max(...taken.map((from) => taken.filter((at) => at >= from && at < from + 250).length));
  expect(fullest).toBe(5);
  // More than one window takes: how much more is a matter of the machine.
  expect(taken.length).toBeGreaterThan(5);
});

test('a window of a minute lets the minute be used as the client likes', async () => {
  await server.control('POST', 'settings', { requestsPerSecond: 1, rateWindowMs: 60_000 });
  const answers = await Promise.all(Array.from({ length: 62 }, () => server.fhir('GET', 'Patient')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(2);
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(30);
  await server.control('POST', 'settings', { requestsPerSecond: null });
  expect((await server.fhir('GET', 'Patient')).status).toBe(200);
});

test('a type that is changed by PATCH only declares no update and takes no PUT, in a transaction neither', async () => {
  await server.control('POST', 'settings', { patchOnlyTypes: ['Patient'] });
  const id = await server.created(aPatient());
  const { body: statement } = await server.fhir('GET', 'metadata');
  const codes = (type: string) =>
    statement.rest[0].resource
      .find((resource: Parsed) => resource.type === type)
      .interaction.map(({ code }: Parsed) => code);
  expect(codes('Patient')).toContain('patch');
  expect(codes('Patient')).not.toContain('update');
  expect(codes('Task')).toContain('update');

  const put = await server.fhir('PUT', `Patient/${id}`, { body: aPatient({ id, gender: 'male' }) });
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'PATCH']);
  const request = { method: 'PUT', url: `Patient/${id}` };
  const entry = [{ resource: aPatient({ id, gender: 'male' }), request }];
  const bundle = await server.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
  expect(bundle.status).toBe(405);
  const patch = [
    { op: 'test', path: '/gender', value: 'female' },
    { op: 'replace', path: '/gender', value: 'male' },
  ];
  const headers = { 'content-type': 'application/json-patch+json' };
  expect((await server.fhir('PATCH', `Patient/${id}`, { body: patch, headers })).body.gender).toBe('male');
});

test('with a gap in conditional creates two at the same time both create, one after the other does not', async () => {
  await server.control('POST', 'settings', { conditionalCreateGapMs: 50 });
  const send = () => server.fhir('POST', 'Patient', { body: aPatient(), headers: ours });
  const together = await Promise.all([send(), send()]);
  expect(together.map(({ status }) => status)).toEqual([201, 201]);
  expect(new Set(together.map(({ headers }) => headers.get('location'))).size).toBe(2);

  await server.control('POST', 'reset');
  await server.control('POST', 'settings', { conditionalCreateGapMs: 50 });
  expect([(await send()).status, (await send()).status]).toEqual([201, 200]);
  expect((await server.fhir('POST', 'Patient', { body: aPatient(), headers: { 'if-none-exist': 'x=1' } })).status).toBe(
    400,
  );
});

test('where conditional creates are not declared, If-None-Exist is ignored', async () => {
  await server.control('POST', 'settings', { conditionalCreate: false });
  const send = () => server.fhir('POST', 'Patient', { body: aPatient(), headers: ours });
  expect([(await send()).status, (await send()).status]).toEqual([201, 201]);
});

test('without transactions the base takes no Bundle, and without versions there is no ETag and no check of one', async () => {
  const id = await server.created(aPatient());
  const bundle = { body: { resourceType: 'Bundle', type: 'transaction', entry: [] } };
  const put = () =>
    server.fhir('PUT', `Patient/${id}`, { body: aPatient({ id, gender: 'male' }), headers: { 'if-match': 'W/"9"' } });
  expect([(await server.fhir('POST', '', bundle)).status, (await put()).status]).toEqual([200, 412]);
  await server.control('POST', 'settings', { transactions: false, versions: false });
  expect([(await server.fhir('POST', '', bundle)).status, (await put()).status]).toEqual([405, 200]);
  expect((await server.fhir('GET', `Patient/${id}`)).headers.get('etag')).toBeNull();
});

test.each(['owner=Organization/1', '_lastUpdated=ge2026-01-01'])(
  'a hidden search of Task by %s is refused',
  async (query) => {
    expect((await server.fhir('GET', `Task?${query}`)).status).toBe(200);
    await server.control('POST', 'settings', { hiddenSearchParameters: ['Task.owner', 'Task._lastUpdated'] });
    expect((await server.fhir('GET', `Task?${query}`)).status).toBe(400);
  },
);

test('with a latency each answer takes its time', async () => {
  const taken = async () => {
    const start = performance.now();
    await server.fhir('GET', 'Patient?gender=female');
    return performance.now() - start;
  };
  await server.control('POST', 'settings', { latencyMs: 300 });
  expect(await taken()).toBeGreaterThan(290);
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
  [{ rateWindowMs: 0 }, '/rateWindowMs'],
  [{ patchOnlyTypes: 'Patient' }, '/patchOnlyTypes'],
  [{ hiddenSearchParameters: ['owner'] }, '/hiddenSearchParameters/0'],
])('%j is refused by name', async (body, named) => {
  const answer = await server.control('POST', 'settings', body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toContain(named);
});
