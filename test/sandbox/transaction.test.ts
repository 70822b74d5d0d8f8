import { expect, test } from '@jest/globals';
import { aPatient, aTask, type Parsed, useSandbox } from './server.ts';

const server = useSandbox();

interface Entry {
  fullUrl?: string;
  resource?: Record<string, unknown>;
  request: Record<string, string>;
}

const send = (entry: Entry[], headers: Record<string, string> = {}, type = 'transaction') =>
  server.fhir('POST', '', { body: { resourceType: 'Bundle', type, entry }, headers });

const person = 'urn:uuid:6f0d2c1e-0000-4000-8000-000000000001';
const order = 'urn:uuid:6f0d2c1e-0000-4000-8000-000000000002';

function referral(): Entry[] {
  return [
    {
      fullUrl: 'urn:uuid:6f0d2c1e-0000-4000-8000-000000000003',
      resource: { ...aTask(''), for: { reference: person }, focus: { reference: order } },
      request: { method: 'POST', url: 'Task' },
    },
    {
      fullUrl: order,
      resource: { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: { reference: person } },
      request: { method: 'POST', url: 'ServiceRequest' },
    },
    { fullUrl: person, resource: aPatient(), request: { method: 'POST', url: 'Patient' } },
  ];
}

test('urn:uuid references become the ids that the resources get, whatever the order of the entries', async () => {
  const answer = await send(referral(), { prefer: 'return=representation' });
  expect(answer.status).toBe(200);
  expect(answer.body.type).toBe('transaction-response');
  const [task, request, patient] = answer.body.entry;
  expect(task.resource.for.reference).toBe(`Patient/${patient.resource.id}`);
  expect(task.resource.focus.reference).toBe(`ServiceRequest/${request.resource.id}`);
  expect(task.response).toEqual({
    status: '201 Created',
    location: `Task/${task.resource.id}/_history/1`,
    etag: 'W/"1"',
    lastModified: task.resource.meta.lastUpdated,
  });
});

test('without a preference the answer has no resources', async () => {
  const answer = await send(referral());
  expect(answer.body.entry.map((entry: Parsed) => entry.resource)).toEqual([undefined, undefined, undefined]);
});

test('a failing entry undoes all others and gives its status and OperationOutcome', async () => {
  const kept = await server.created(aPatient({ gender: 'male' }));
  const answer = await send([
    ...referral(),
    { resource: aPatient({ id: kept, gender: 'female' }), request: { method: 'PUT', url: `Patient/${kept}` } },
    {
      resource: aPatient({ id: 'x', gender: 'other' }),
      request: { method: 'PUT', url: 'Patient/x', ifMatch: 'W/"3"' },
    },
  ]);

  expect(answer.status).toBe(412);
  expect(answer.body.resourceType).toBe('OperationOutcome');
  expect(answer.body.issue[0].details.text).toMatch(/^Entry 5: /);
  expect((await server.control('GET', 'resources')).body).toEqual({ Patient: 1 });
  const { body } = await server.fhir('GET', `Patient/${kept}`);
  expect(body).toMatchObject({ gender: 'male', meta: { versionId: '1' } });
  expect((await server.fhir('GET', 'Patient')).body.total).toBe(1);
  expect((await server.journal()).at(-3)).toMatchObject({ method: 'POST', status: 412, committed: false, writes: [] });
});

test('an invalid resource anywhere undoes the transaction', async () => {
  const bad = { resource: aPatient({ gender: 'f' }), request: { method: 'POST', url: 'Patient' } };
  const answer = await send([...referral(), bad]);
  expect(answer.status).toBe(422);
  expect((await server.control('GET', 'resources')).body).toEqual({});
});

test('a reference to a fullUrl that is not in the Bundle is refused', async () => {
  const answer = await send(referral().slice(0, 2));
  expect(answer.status).toBe(422);
  expect(answer.body.issue[0].expression).toEqual(['Task.for.reference']);
});

test('ifNoneExist takes what is there, and references lead to it', async () => {
  const existing = await server.created(aPatient());
  const criteria = `identifier=${encodeURIComponent('https://agency.example.org/ids|county/client/c1#patient')}`;
  const [task, request, patient] = referral();
  const entries = [
    task,
    request,
    {
      fullUrl: person,
      resource: patient?.resource,
      request: { method: 'POST', url: 'Patient', ifNoneExist: criteria },
    },
  ].filter((entry): entry is Entry => entry !== undefined);
  const answer = await send(entries);

  expect(answer.body.entry[2].response).toMatchObject({ status: '200 OK', location: `Patient/${existing}/_history/1` });
  expect((await server.control('GET', 'resources')).body).toEqual({ Patient: 1, ServiceRequest: 1, Task: 1 });
  const [stored] = (await server.control('GET', 'resources/Task')).body;
  expect(stored.for.reference).toBe(`Patient/${existing}`);
});

test('twenty conditional creates, sent twice, make twenty resources', async () => {
  const entries = Array.from({ length: 20 }, (_, n) => ({
    fullUrl: `urn:uuid:6f0d2c1e-0000-4000-8000-0000000001${String(n).padStart(2, '0')}`,
    resource: aPatient({ identifier: [{ system: 's', value: `v${n}` }] }),
    request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=s|v${n}` },
  }));
  const first = await send(entries);
  const second = await send(entries);
  expect(first.body.entry.every((entry: Parsed) => entry.response.status === '201 Created')).toBe(true);
  expect(second.body.entry.every((entry: Parsed) => entry.response.status === '200 OK')).toBe(true);
  expect((await server.control('GET', 'resources')).body).toEqual({ Patient: 20 });
});

test('ifMatch guards each entry', async () => {
  const id = await server.created(aPatient());
  const put = (ifMatch: string) =>
    send([{ resource: aPatient({ id, gender: 'other' }), request: { method: 'PUT', url: `Patient/${id}`, ifMatch } }]);
  expect((await put('W/"2"')).status).toBe(412);
  const good = await put('W/"1"');
  expect(good.body.entry[0].response).toMatchObject({ status: '200 OK', etag: 'W/"2"' });
});

test('a transaction may update by criteria, patch, delete and read', async () => {
  const id = await server.created(aPatient());
  const gone = await server.created(aPatient({ identifier: [{ value: 'gone' }] }));
  const patch = Buffer.from(JSON.stringify([{ op: 'replace', path: '/gender', value: 'male' }])).toString('base64');
  const answer = await send([
    { request: { method: 'GET', url: `Patient/${id}` } },
    {
      resource: { resourceType: 'Binary', contentType: 'application/json-patch+json', data: patch },
      request: { method: 'PATCH', url: `Patient/${id}` },
    },
    {
      fullUrl: order,
      resource: { resourceType: 'Organization', name: 'Pantry', identifier: [{ system: 's', value: 'o' }] },
      request: { method: 'PUT', url: 'Organization?identifier=s|o' },
    },
    { request: { method: 'DELETE', url: `Patient/${gone}` } },
  ]);
  expect(answer.body.entry.map((entry: Parsed) => entry.response.status)).toEqual([
    '200 OK',
    '200 OK',
    '201 Created',
    '204 No Content',
  ]);
  expect(answer.body.entry[0].resource).toMatchObject({ gender: 'male', meta: { versionId: '2' } });
});

test('a conditional reference becomes the only match', async () => {
  const id = await server.created(aPatient({ identifier: [{ system: 's', value: 'v' }] }));
  const task = { ...aTask(''), for: { reference: 'Patient?identifier=s|v' } };
  expect((await send([{ resource: task, request: { method: 'POST', url: 'Task' } }])).status).toBe(200);
  const [stored] = (await server.control('GET', 'resources/Task')).body;
  expect(stored.for.reference).toBe(`Patient/${id}`);

  const unknown = { ...aTask(''), for: { reference: 'Patient?identifier=s|w' } };
  expect((await send([{ resource: unknown, request: { method: 'POST', url: 'Task' } }])).status).toBe(412);
});

test('two entries about the same resource are refused', async () => {
  const id = await server.created(aPatient());
  const put = { resource: aPatient({ id, gender: 'other' }), request: { method: 'PUT', url: `Patient/${id}` } };
  expect((await send([put, put])).status).toBe(400);
  const make = { resource: aPatient(), request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=s|new' } };
  expect((await send([make, make])).status).toBe(400);
  expect((await server.control('GET', 'resources')).body).toEqual({ Patient: 1 });
});

test.each([
  ['another type of Bundle', 'collection', []],
  ['an entry without request', 'transaction', [{ resource: aPatient() }]],
  ['an entry without url', 'transaction', [{ resource: aPatient(), request: { method: 'POST' } }]],
  ['an unknown method', 'transaction', [{ request: { method: 'HEAD', url: 'Patient' } }]],
])('%s is refused', async (_name, type, entry) => {
  const answer = await server.fhir('POST', '', { body: { resourceType: 'Bundle', type, entry } });
  expect(answer.status).toBe(400);
  expect(answer.body.resourceType).toBe('OperationOutcome');
});

test('entries of a batch stand alone', async () => {
  const make = (value: string) => ({
    resource: aPatient({ identifier: [{ system: 's', value }] }),
    request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=s|${value}` },
  });
  const bad = { resource: aPatient({ gender: 'f' }), request: { method: 'POST', url: 'Patient' } };
  const answer = await send([make('a'), bad, make('a'), make('b')], {}, 'batch');

  expect(answer.status).toBe(200);
  expect(answer.body.type).toBe('batch-response');
  expect(answer.body.entry.map((entry: Parsed) => entry.response.status)).toEqual([
    '201 Created',
    '422',
    '200 OK',
    '201 Created',
  ]);
  expect(answer.body.entry[1].response.outcome.issue[0].expression).toEqual(['Patient.gender']);
  expect((await server.control('GET', 'resources')).body).toEqual({ Patient: 2 });
});

test('transactions at the same time do not mix', async () => {
  const patient = await server.created(aPatient());
  const bump = (n: number) =>
    send([
      {
        resource: aPatient({ id: patient, language: `x-${n}` }),
        request: { method: 'PUT', url: `Patient/${patient}`, ifMatch: 'W/"1"' },
      },
      { resource: aTask(patient, { description: `by ${n}` }), request: { method: 'POST', url: 'Task' } },
    ]);
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => bump(n)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect((await server.control('GET', 'resources')).body).toEqual({ Patient: 1, Task: 1 });
});
