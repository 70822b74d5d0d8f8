import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { aPatient, aTask, type Parsed, useSandbox } from './server.ts';

const server = useSandbox();

const seed = (body: string, type = 'application/fhir+json') =>
  server.fhir('POST', `${new URL(server.base).origin}/_control/standard/seed`, {
    body,
    headers: { 'content-type': type },
  });

test('docs/sandbox.md: its faults are taken, its calls are there, and it names every setting of standard', async () => {
  const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'sandbox.md'), 'utf8');
  const [, faults = ''] = /```json\n(.*?)```/s.exec(page) ?? [];
  expect((await server.control('POST', 'faults', JSON.parse(faults))).status).toBe(200);
  const calls = [...page.matchAll(/`GET ([a-z]+)[`/?]/g)].map(([, name = '']) => name);
  expect(calls).toEqual(expect.arrayContaining(['resources', 'journal', 'faults', 'clock', 'settings', 'clients']));
  for (const name of calls) expect([name, (await server.control('GET', name)).status]).toEqual([name, 200]);
  const { body } = await server.control('GET', 'settings');
  expect(Object.keys(body).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

describe('seed', () => {
  test('takes a collection Bundle, keeps ids and resolves urn:uuid references', async () => {
    const fullUrl = 'urn:uuid:6f0d2c1e-0000-4000-8000-000000000001';
    const answer = await server.control('POST', 'seed', {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        { resource: aTask('p', { id: 't', focus: { reference: fullUrl } }) },
        { fullUrl: 'https://elsewhere.example.org/Patient/p', resource: aPatient({ id: 'p' }) },
        {
          fullUrl,
          resource: {
            resourceType: 'ServiceRequest',
            status: 'active',
            intent: 'order',
            subject: { reference: 'Patient/p' },
          },
        },
      ],
    });
    expect(answer.body).toEqual({ seeded: 3, byType: { Task: 1, Patient: 1, ServiceRequest: 1 } });
    const { body } = await server.fhir('GET', 'Task/t');
    expect(body.focus.reference).toBe('ServiceRequest/6f0d2c1e-0000-4000-8000-000000000001');
    expect((await server.fhir('GET', body.focus.reference)).status).toBe(200);
  });

  test('takes a transaction Bundle as data: the id of a PUT is in its url', async () => {
    await server.control('POST', 'seed', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: aPatient(), request: { method: 'PUT', url: 'Patient/from-url' } }],
    });
    expect((await server.fhir('GET', 'Patient/from-url')).status).toBe(200);
  });

  test('takes NDJSON with empty lines, one resource, or a list', async () => {
    const lines = [aPatient({ id: 'a' }), aPatient({ id: 'b' })].map((resource) => JSON.stringify(resource));
    expect((await seed(`${lines.join('\r\n')}\n\n`, 'application/fhir+ndjson')).body.seeded).toBe(2);
    expect((await seed(JSON.stringify(aPatient({ id: 'c' })))).body.seeded).toBe(1);
    expect((await seed(JSON.stringify([aPatient({ id: 'd' })]))).body.seeded).toBe(1);
    expect(
      (await server.fhir('GET', 'Patient?_sort=_id')).body.entry.map((entry: Parsed) => entry.resource.id),
    ).toEqual(['a', 'b', 'c', 'd']);
  });

  test('takes a byte order mark before them', async () => {
    expect((await seed(`\ufeff${JSON.stringify(aPatient({ id: 'a' }))}`)).body.seeded).toBe(1);
    const lines = `\ufeff${JSON.stringify(aPatient({ id: 'b' }))}\n${JSON.stringify(aPatient({ id: 'c' }))}`;
    expect((await seed(lines, 'application/fhir+ndjson')).body.seeded).toBe(2);
  });

  // An empty list is no FHIR: a Bundle of nothing is one without entries.
  test('takes a Bundle of nothing', async () => {
    const answer = await seed(JSON.stringify({ resourceType: 'Bundle', type: 'collection' }));
    expect([answer.status, answer.body]).toEqual([200, { seeded: 0, byType: {} }]);
    expect((await server.control('GET', 'resources')).body).toEqual({});
  });

  test('replaces the same ids, and searches see the new content', async () => {
    await server.control('POST', 'seed', [aPatient({ id: 'a' })]);
    expect((await server.fhir('GET', 'Patient?gender=female')).body.total).toBe(1);
    await server.control('POST', 'seed', [aPatient({ id: 'a', gender: 'male' })]);
    expect((await server.fhir('GET', 'Patient?gender=female')).body.total).toBe(0);
    expect((await server.control('GET', 'resources')).body).toEqual({ Patient: 1 });
  });

  test('does not check: servers hold what they hold', async () => {
    const odd = { resourceType: 'Task', id: 'odd', status: 'done', for: { reference: 'Patient/nobody' } };
    expect((await server.control('POST', 'seed', [odd])).status).toBe(200);
    expect((await server.fhir('GET', 'Task/odd')).body).toMatchObject(odd);
  });

  test('dates what it stores by the clock and is not journalled', async () => {
    await server.control('POST', 'clock', { now: '2020-05-05T00:00:00Z' });
    await server.control('POST', 'seed', [aPatient({ id: 'a', meta: { lastUpdated: '1999-01-01T00:00:00Z' } })]);
    expect((await server.fhir('GET', 'Patient/a')).body.meta.lastUpdated).toMatch(/^2020-05-05T00:00/);
    expect(await server.journal()).toHaveLength(1);
  });

  test.each([
    ['a broken line', `${JSON.stringify(aPatient())}\n{"resourceType":`, 'Line 2'],
    ['no JSON', 'hello', 'Line 1'],
    ['an unknown type', JSON.stringify([aPatient(), { resourceType: 'Pet' }]), 'Resource 2'],
    ['entries that are no list', JSON.stringify({ resourceType: 'Bundle', entry: {} }), 'entry'],
    ['an entry without resource', JSON.stringify({ resourceType: 'Bundle', entry: [{}] }), 'Resource 1'],
    ['an id that R4 does not allow', JSON.stringify(aPatient({ id: 'a b' })), 'Resource 1'],
  ])('%s is refused, and nothing of it is stored', async (_name, body, named) => {
    const answer = await seed(body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain(named);
    expect((await server.control('GET', 'resources')).body).toEqual({});
  });
});

test('resources shows the whole store of a type, in pages where asked', async () => {
  await server.control(
    'POST',
    'seed',
    ['a', 'b', 'c'].map((id) => aPatient({ id })),
  );
  const ids = async (query: string) =>
    (await server.control('GET', `resources/Patient${query}`)).body.map(({ id }: Parsed) => id);
  expect(await ids('')).toEqual(['a', 'b', 'c']);
  expect(await ids('?limit=2')).toEqual(['a', 'b']);
  expect(await ids('?after=b&limit=2')).toEqual(['c']);
  expect((await server.control('GET', 'resources/Task')).body).toEqual([]);
});

describe('clock', () => {
  test('is set, moved and given back, and dates what is written', async () => {
    expect((await server.control('GET', 'clock')).body.offsetMs).toBe(0);
    await server.control('POST', 'clock', { now: '2026-03-08T01:30:00-05:00' });
    const before = (await server.fhir('POST', 'Patient', { body: aPatient() })).body;
    expect(before.meta.lastUpdated).toMatch(/^2026-03-08T06:30:0/);
    await server.control('POST', 'clock', { advance: '4h' });
    const after = await server.fhir('PUT', `Patient/${before.id}`, {
      body: aPatient({ id: before.id, gender: 'male' }),
    });
    expect(after.body.meta.lastUpdated).toMatch(/^2026-03-08T10:30:0/);
    expect(after.headers.get('last-modified')).toMatch(/^Sun, 08 Mar 2026 10:30:0/);
    expect((await server.control('POST', 'clock', { real: true })).body.offsetMs).toBe(0);
  });

  test('takes a byte order mark', async () => {
    const { origin } = new URL(server.base);
    const body = '\ufeff{"now":"2026-03-08T01:30:00-05:00"}';
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${origin}/_control/standard/clock`, { method: 'POST', body, headers });
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { now: expect.stringMatching(/^2026-03-08T06:30/) },
    ]);
  });

  test.each([
    {},
    { now: 'soon' },
    { advance: '4 hours' },
    { advance: '1h', now: '2026-01-01T00:00:00Z' },
    { real: false },
  ])('%j is refused', async (body) => {
    expect((await server.control('POST', 'clock', body)).status).toBe(400);
    expect((await server.control('GET', 'clock')).body.offsetMs).toBe(0);
  });
});

describe('journal', () => {
  test('has every request in order, with what it sent, what it got and what it wrote', async () => {
    await server.control('POST', 'clock', { now: '2026-03-02T09:00:00Z' });
    const patient = await server.created(aPatient());
    await server.fhir('PUT', `Patient/${patient}`, {
      body: aPatient({ id: patient, gender: 'male' }),
      headers: { 'if-match': 'W/"1"' },
    });
    await server.fhir('GET', 'Patient?gender=male');
    await server.fhir('DELETE', `Patient/${patient}`);
    await server.fhir('POST', 'Patient', { body: '{' });

    const entries = await server.journal();
    expect(entries.map(({ n, method, status, committed }) => [n, method, status, committed])).toEqual([
      [1, 'POST', 201, true],
      [2, 'PUT', 200, true],
      [3, 'GET', 200, false],
      [4, 'DELETE', 204, true],
      [5, 'POST', 400, false],
    ]);
    expect(entries.map(({ writes }) => writes)).toEqual([
      [{ resourceType: 'Patient', id: patient, version: '1', kind: 'create' }],
      [{ resourceType: 'Patient', id: patient, version: '2', kind: 'update' }],
      [],
      [{ resourceType: 'Patient', id: patient, version: '3', kind: 'delete' }],
      [],
    ]);
    expect(entries[1]).toMatchObject({
      at: expect.stringMatching(/^2026-03-02T09:00:0/),
      url: `/standard/fhir/R4/Patient/${patient}`,
      requestHeaders: { 'if-match': 'W/"1"', 'content-type': 'application/fhir+json' },
      requestBody: aPatient({ id: patient, gender: 'male' }),
      responseHeaders: { etag: 'W/"2"' },
    });
    expect(entries[2].url).toBe('/standard/fhir/R4/Patient?gender=male');
    expect(entries[4].requestBody).toBe('{');
  });

  test('lists all that a transaction wrote, and nothing for one that fails or says nothing new', async () => {
    const entry = [1, 2].map((n) => ({
      resource: aPatient({ identifier: [{ system: 's', value: `${n}` }] }),
      request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=s|${n}` },
    }));
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    await server.fhir('POST', '', { body });
    await server.fhir('POST', '', { body });
    await server.fhir('POST', '', {
      body: { ...body, entry: [...entry.slice(0, 1), { request: { method: 'GET', url: 'Patient/none' } }] },
    });
    const entries = await server.journal();
    expect(entries.map(({ committed, writes }) => [committed, writes.length])).toEqual([
      [true, 2],
      [true, 0],
      [false, 0],
    ]);
  });

  test('is read from any point and in any portion', async () => {
    for (let request = 0; request < 5; request += 1) await server.fhir('GET', 'Task');
    const numbers = async (query: string) =>
      (await server.control('GET', `journal?${query}`)).body.map(({ n }: Parsed) => n);
    expect(await numbers('after=3')).toEqual([4, 5]);
    expect(await numbers('after=1&limit=2')).toEqual([2, 3]);
    expect(await numbers('after=9')).toEqual([]);
    expect((await server.control('GET', 'journal?after=x')).status).toBe(400);
  });
});

test('reset brings everything back to the start', async () => {
  await server.created(aPatient());
  await server.control('POST', 'clock', { advance: '4h' });
  await server.control('POST', 'settings', { auth: 'token' });
  await server.control('POST', 'clients', [{ clientId: 'c', secret: 's', scopes: ['system/*.*'] }]);
  await server.control('POST', 'faults', [{ fault: { status: 500 } }]);
  await server.control('POST', 'reset');

  expect((await server.control('GET', 'resources')).body).toEqual({});
  expect(await server.journal()).toEqual([]);
  expect((await server.control('GET', 'clock')).body.offsetMs).toBe(0);
  expect((await server.control('GET', 'clients')).body).toEqual([]);
  expect((await server.control('GET', 'faults')).body).toEqual([]);
  expect((await server.fhir('GET', 'Patient')).body.total).toBe(0);
});
