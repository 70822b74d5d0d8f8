import { expect, test } from '@jest/globals';
import { aPatient, aTask, useSandbox } from './server.ts';

const server = useSandbox();

test('a created resource has an id, a version, a place and the time of the server', async () => {
  await server.control('POST', 'clock', { now: '2026-03-02T09:00:00Z' });
  const answer = await server.fhir('POST', 'Patient', { body: aPatient() });

  expect(answer.status).toBe(201);
  expect(answer.headers.get('etag')).toBe('W/"1"');
  expect(answer.headers.get('location')).toBe(`${server.base}/Patient/${answer.body.id}/_history/1`);
  expect(answer.headers.get('last-modified')).toMatch(/^Mon, 02 Mar 2026 09:00:0\d GMT$/);
  expect(answer.body.meta.versionId).toBe('1');
  expect(answer.body.meta.lastUpdated).toMatch(/^2026-03-02T09:00:0/);

  const read = await server.fhir('GET', `Patient/${answer.body.id}`);
  expect(read.body).toEqual(answer.body);
  expect(read.headers.get('etag')).toBe('W/"1"');
});

test('an id and a version in the body of a create are not taken over', async () => {
  const answer = await server.fhir('POST', 'Patient', {
    body: aPatient({
      id: 'mine',
      meta: { versionId: '7', lastUpdated: '1999-01-01T00:00:00Z', tag: [{ code: 'kept' }] },
    }),
  });
  expect(answer.body.id).not.toBe('mine');
  expect(answer.body.meta).toMatchObject({ versionId: '1', tag: [{ code: 'kept' }] });
  expect(answer.body.meta.lastUpdated).not.toMatch(/^1999/);
});

test.each([
  ['return=minimal', undefined],
  ['return=representation', 'Patient'],
  ['return=OperationOutcome', 'OperationOutcome'],
])('with Prefer: %s a create answers %s', async (prefer, resourceType) => {
  const answer = await server.fhir('POST', 'Patient', { body: aPatient(), headers: { prefer } });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('location')).toContain('/Patient/');
  expect(answer.body?.resourceType).toBe(resourceType);
});

test('an update makes a new version and replaces what it does not mention', async () => {
  const id = await server.created(aPatient());
  const answer = await server.fhir('PUT', `Patient/${id}`, { body: { resourceType: 'Patient', id, gender: 'other' } });

  expect(answer.status).toBe(200);
  expect(answer.headers.get('etag')).toBe('W/"2"');
  expect(answer.headers.get('location')).toBe(`${server.base}/Patient/${id}/_history/2`);
  expect(answer.body).toEqual({
    resourceType: 'Patient',
    id,
    gender: 'other',
    meta: expect.objectContaining({ versionId: '2' }),
  });
});

test('an update that says what is already there makes no new version', async () => {
  const id = await server.created(aPatient());
  const before = (await server.fhir('GET', `Patient/${id}`)).body;
  const { birthDate, name, ...others } = aPatient({ id });
  const answer = await server.fhir('PUT', `Patient/${id}`, { body: { name, birthDate, ...others } });

  expect(answer.status).toBe(200);
  expect(answer.headers.get('etag')).toBe('W/"1"');
  expect(answer.body).toEqual(before);
  expect((await server.journal()).at(-1)).toMatchObject({ method: 'PUT', committed: true, writes: [] });
});

test('an update to an unknown id creates it there', async () => {
  const answer = await server.fhir('PUT', 'Patient/given-id', { body: aPatient({ id: 'given-id' }) });
  expect(answer.status).toBe(201);
  expect((await server.fhir('GET', 'Patient/given-id')).status).toBe(200);
});

test.each([
  ['another id', { id: 'other' }],
  ['no id', {}],
])('an update with %s in the body is refused', async (_name, change) => {
  const id = await server.created(aPatient());
  const answer = await server.fhir('PUT', `Patient/${id}`, { body: aPatient(change) });
  expect(answer.status).toBe(400);
  expect(answer.body.issue[0].expression).toEqual(['Patient.id']);
});

test('If-Match lets through the current version only', async () => {
  const id = await server.created(aPatient());
  const put = (tag: string, gender: string) =>
    server.fhir('PUT', `Patient/${id}`, { body: aPatient({ id, gender }), headers: { 'if-match': tag } });

  expect((await put('W/"1"', 'male')).status).toBe(200);
  for (const stale of ['W/"1"', 'W/"9"', '"x"', '2']) {
    const answer = await put(stale, 'unknown');
    expect(answer.status).toBe(412);
    expect(answer.body.resourceType).toBe('OperationOutcome');
  }
  expect((await server.fhir('GET', `Patient/${id}`)).body).toMatchObject({ gender: 'male', meta: { versionId: '2' } });
  const absent = await server.fhir('PUT', 'Patient/none', {
    body: aPatient({ id: 'none' }),
    headers: { 'if-match': 'W/"1"' },
  });
  expect(absent.status).toBe(412);
});

test('versions can be read one by one and as a history, newest first', async () => {
  const id = await server.created(aPatient());
  await server.fhir('PUT', `Patient/${id}`, { body: aPatient({ id, gender: 'male' }) });
  await server.fhir('DELETE', `Patient/${id}`);

  expect((await server.fhir('GET', `Patient/${id}/_history/1`)).body.gender).toBe('female');
  expect((await server.fhir('GET', `Patient/${id}/_history/2`)).headers.get('etag')).toBe('W/"2"');
  expect((await server.fhir('GET', `Patient/${id}/_history/3`)).status).toBe(410);
  expect((await server.fhir('GET', `Patient/${id}/_history/4`)).status).toBe(404);

  const history = (await server.fhir('GET', `Patient/${id}/_history`)).body;
  expect(history).toMatchObject({ type: 'history', total: 3 });
  expect(
    history.entry.map((entry: { request: object; response: { etag: string } }) => [entry.request, entry.response.etag]),
  ).toEqual([
    [{ method: 'DELETE', url: `Patient/${id}` }, 'W/"3"'],
    [{ method: 'PUT', url: `Patient/${id}` }, 'W/"2"'],
    [{ method: 'POST', url: 'Patient' }, 'W/"1"'],
  ]);
});

test('a deleted resource is gone, is not found by searches, and comes back by an update', async () => {
  const id = await server.created(aPatient());
  expect((await server.fhir('DELETE', `Patient/${id}`)).status).toBe(204);
  expect((await server.fhir('DELETE', `Patient/${id}`)).status).toBe(204);

  const read = await server.fhir('GET', `Patient/${id}`);
  expect(read.status).toBe(410);
  expect(read.body.issue[0].code).toBe('deleted');
  expect((await server.fhir('GET', 'Patient')).body.total).toBe(0);

  const back = await server.fhir('PUT', `Patient/${id}`, { body: aPatient({ id }) });
  expect(back.status).toBe(201);
  expect(back.headers.get('etag')).toBe('W/"3"');
});

test('a resource that others refer to is not deleted', async () => {
  const patient = await server.created(aPatient());
  const task = await server.created(aTask(patient));
  const answer = await server.fhir('DELETE', `Patient/${patient}`);
  expect(answer.status).toBe(409);
  expect(answer.body.issue[0].details.text).toContain(`Task/${task}`);
  expect((await server.fhir('GET', `Patient/${patient}`)).status).toBe(200);
});

const jsonPatch = { 'content-type': 'application/json-patch+json' };

test('a JSON Patch changes what it names and makes a new version', async () => {
  const id = await server.created(aPatient());
  const answer = await server.fhir('PATCH', `Patient/${id}`, {
    headers: { ...jsonPatch, 'if-match': 'W/"1"' },
    body: [
      { op: 'test', path: '/gender', value: 'female' },
      { op: 'replace', path: '/gender', value: 'other' },
      { op: 'add', path: '/name/0/given/-', value: 'Ilse' },
      { op: 'remove', path: '/birthDate' },
    ],
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('etag')).toBe('W/"2"');
  expect(answer.body.gender).toBe('other');
  expect(answer.body.name[0].given).toEqual(['Noémie', 'Rae', 'Ilse']);
  expect(answer.body.birthDate).toBeUndefined();
  expect((await server.fhir('GET', `Patient/${id}/_history/1`)).body.name[0].given).toEqual(['Noémie', 'Rae']);
});

test.each([
  ['a stale If-Match', 412, { 'if-match': 'W/"9"' }, [{ op: 'remove', path: '/gender' }]],
  [
    'a test that fails',
    422,
    {},
    [
      { op: 'test', path: '/gender', value: 'male' },
      { op: 'remove', path: '/gender' },
    ],
  ],
  ['a path that is not there', 422, {}, [{ op: 'replace', path: '/maritalStatus/text', value: 'x' }]],
  ['another id', 422, {}, [{ op: 'replace', path: '/id', value: 'other' }]],
  ['an invalid result', 422, {}, [{ op: 'replace', path: '/gender', value: 'f' }]],
  ['an unknown operation', 400, {}, [{ op: 'increase', path: '/gender' }]],
  ['no list', 400, {}, { op: 'remove', path: '/gender' }],
])('a patch with %s is refused with %i and changes nothing', async (_name, status, headers, body) => {
  const id = await server.created(aPatient());
  const answer = await server.fhir('PATCH', `Patient/${id}`, { headers: { ...jsonPatch, ...headers }, body });
  expect(answer.status).toBe(status);
  expect((await server.fhir('GET', `Patient/${id}`)).body).toMatchObject({
    gender: 'female',
    meta: { versionId: '1' },
  });
});
