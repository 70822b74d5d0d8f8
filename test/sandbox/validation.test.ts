import { expect, test } from '@jest/globals';
import { aPatient, aTask, type Parsed, useSandbox } from './server.ts';

const server = useSandbox();

const base = { resourceType: 'Task', status: 'requested', intent: 'order' };

test.each<[string, Record<string, unknown>, string]>([
  ['an unknown element', { ...base, colour: 'red' }, 'Task.colour'],
  ['an unknown element further down', { ...base, note: [{ text: 'x', colour: 'red' }] }, 'Task.note[0].colour'],
  ['a missing required element', { resourceType: 'Task', status: 'requested' }, 'Task.intent'],
  [
    'a missing required element further down',
    { ...base, note: [{ time: '2026-01-01T00:00:00Z' }] },
    'Task.note[0].text',
  ],
  [
    'text for a number',
    {
      resourceType: 'Goal',
      lifecycleStatus: 'active',
      description: { text: 'x' },
      subject: { display: 'x' },
      target: [{ measure: { text: 'm' }, detailInteger: 'two' }],
    },
    'Goal.target[0].detail',
  ],
  ['one value for a list', { ...base, note: { text: 'x' } }, 'Task.note'],
  ['a list for one value', { ...base, description: ['x'] }, 'Task.description'],
  ['an empty text', { ...base, description: '' }, 'Task.description'],
  ['null', { ...base, description: null }, 'Task.description'],
  ['a date that does not exist', { ...base, authoredOn: '2026-02-30' }, 'Task.authoredOn'],
  ['a dateTime without zone', { ...base, authoredOn: '2026-02-03 10:00' }, 'Task.authoredOn'],
  ['a status outside the required codes', { ...base, status: 'done' }, 'Task.status'],
  [
    'a required code further down',
    { resourceType: 'Patient', telecom: [{ system: 'telephone', value: '1' }] },
    'Patient.telecom[0].system',
  ],
  ['a reference to nothing', { ...base, for: { reference: 'Patient/nobody' } }, 'Task.for.reference'],
  [
    'a urn:uuid reference outside a transaction',
    { ...base, for: { reference: 'urn:uuid:6f0d2c1e-0000-4000-8000-000000000001' } },
    'Task.for.reference',
  ],
])('%s is refused with its place and stored nowhere', async (_name, resource, expression) => {
  const answer = await server.fhir('POST', String(resource.resourceType), { body: resource });
  expect(answer.status).toBe(422);
  expect(answer.body.resourceType).toBe('OperationOutcome');
  expect(answer.body.issue.map((issue: Parsed) => issue.expression?.[0].replace('[x]', ''))).toContain(expression);
  expect(answer.body.issue[0]).toMatchObject({ severity: 'error', details: { text: expect.stringMatching(/./) } });
  expect((await server.control('GET', 'resources')).body).toEqual({});
});

test('another resourceType than that of the URL is refused', async () => {
  const answer = await server.fhir('POST', 'Task', { body: aPatient() });
  expect(answer.status).toBe(422);
  expect((await server.fhir('POST', 'Task', { body: [] })).status).toBe(400);
});

test('a reference to a deleted resource is refused', async () => {
  const patient = await server.created(aPatient());
  await server.fhir('DELETE', `Patient/${patient}`);
  expect((await server.fhir('POST', 'Task', { body: aTask(patient) })).status).toBe(422);
});

test('absolute references to this server must lead somewhere, those to other servers need not', async () => {
  const patient = await server.created(aPatient());
  const post = (reference: string) => server.fhir('POST', 'Task', { body: { ...base, for: { reference } } });
  expect((await post(`${server.base}/Patient/${patient}`)).status).toBe(201);
  expect((await post(`${server.base}/Patient/nobody`)).status).toBe(422);
  expect((await post('https://other.example.org/fhir/Patient/1')).status).toBe(201);
});

test('contained resources, extensions and logical references are fine', async () => {
  const answer = await server.fhir('POST', 'Task', {
    body: {
      ...base,
      contained: [{ resourceType: 'Practitioner', id: 'pr', name: [{ text: 'Dr. Low' }] }],
      requester: { reference: '#pr' },
      owner: { identifier: { system: 'npi', value: '1' } },
      extension: [{ url: 'https://example.org/x', valueString: 'y' }],
      _description: { extension: [{ url: 'https://example.org/x', valueBoolean: true }] },
    },
  });
  expect(answer.status).toBe(201);
});

test('an update is checked like a create', async () => {
  const id = await server.created(aPatient());
  const answer = await server.fhir('PUT', `Patient/${id}`, { body: aPatient({ id, gender: 'f' }) });
  expect(answer.status).toBe(422);
  expect((await server.fhir('GET', `Patient/${id}`)).body.meta.versionId).toBe('1');
});
