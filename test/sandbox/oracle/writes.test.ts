import { beforeEach, describe, expect, test } from '@jest/globals';
import { aDocument, anEncounter, aPatient, base64, type Parsed, textOf, useOracle } from './server.ts';

const server = useOracle();

beforeEach(() => server.seed(aPatient(), anEncounter()));

const aCondition = (change: Parsed = {}) => ({
  resourceType: 'Condition',
  id: 'x1',
  category: [{ coding: [{ code: 'problem-list-item' }] }],
  clinicalStatus: { coding: [{ code: 'active' }] },
  verificationStatus: { coding: [{ code: 'confirmed' }] },
  code: { coding: [{ system: 'http://snomed.info/sct', code: '733423003' }] },
  subject: { reference: 'Patient/p1' },
  note: [{ text: 'Pantry is empty by Thursday.' }],
  ...change,
});
const aCoverage = {
  resourceType: 'Coverage',
  id: 'v1',
  status: 'active',
  beneficiary: { reference: 'Patient/p1' },
  payor: [{ display: 'County plan' }],
};
const patchType = { 'content-type': 'application/json-patch+json' };
const patch = (path: string, body: Parsed, headers: Record<string, string> = {}) =>
  server.fhir('PATCH', path, { body, headers: { ...patchType, 'if-match': 'W/"0"', ...headers } });

test('C16 an update needs If-Match: 412 without, 409 with a stale tag, 200 and a new Etag with the current one', async () => {
  await server.seed(aCondition(), aCoverage);
  const put = (headers: Record<string, string>, status = 'resolved') =>
    server.fhir('PUT', 'Condition/x1', {
      body: aCondition({ clinicalStatus: { coding: [{ code: status }] } }),
      headers,
    });
  expect((await put({})).status).toBe(412);
  for (const stale of ['W/"9-1"', 'W/"1"', '1-1', '*']) {
    const refused = await put({ 'if-match': stale });
    expect([refused.status, refused.body.issue[0].code]).toEqual([409, 'conflict']);
  }
  const done = await put({ 'if-match': 'W/"1-1"' });
  expect([done.status, done.text, done.headers.get('etag')]).toEqual([200, '', 'W/"2-1"']);
  expect((await put({ 'if-match': 'W/"1-1"' }, 'active')).status).toBe(409);
  expect((await server.stored('Condition', 'x1')).clinicalStatus.coding[0].code).toBe('resolved');

  const edit = [{ op: 'replace', path: '/gender', value: 'other' }];
  expect((await server.fhir('PATCH', 'Patient/p1', { body: edit, headers: patchType })).status).toBe(412);
  expect((await patch('Patient/p1', edit, { 'if-match': 'W/"7"' })).status).toBe(409);
  expect((await patch('Patient/p1', edit)).headers.get('etag')).toBe('W/"1"');
  expect((await server.fhir('DELETE', 'Coverage/v1')).status).toBe(412);

  await server.set({ requireIfMatch: false });
  expect((await put({}, 'active')).status).toBe(200);
});

test('C16 what is not there is 404, and an update never creates', async () => {
  const headers = { 'if-match': 'W/"1-1"' };
  const answer = await server.fhir('PUT', 'Condition/none', { body: aCondition({ id: 'none' }), headers });
  expect(answer.status).toBe(404);
  expect((await server.control('GET', 'resources')).body.Condition).toBeUndefined();
});

test('C17 PUT removes what the body leaves out', async () => {
  await server.seed(aCondition());
  const headers = { 'if-match': 'W/"1-1"' };
  await server.fhir('PUT', 'Condition/x1', { body: aCondition({ note: undefined }), headers });
  expect((await server.stored('Condition', 'x1')).note).toBeUndefined();

  await server.set({ putReplaces: false });
  await server.seed(aCondition({ id: 'x2' }));
  await server.fhir('PUT', 'Condition/x2', { body: aCondition({ id: 'x2', note: undefined }), headers });
  expect((await server.stored('Condition', 'x2')).note).toHaveLength(1);
});

describe('a patch', () => {
  const phone = { system: 'phone', value: '555-0101', use: 'home' };
  const idOf = async (list: string, index = 0) => (await server.fhir('GET', 'Patient/p1')).body[list][index].id;

  test('C18 of another content type is refused with 415', async () => {
    const body = [{ op: 'replace', path: '/gender', value: 'other' }];
    for (const type of ['application/fhir+json', 'application/json', 'application/xml-patch+xml']) {
      expect((await patch('Patient/p1', body, { 'content-type': type })).status).toBe(415);
    }
  });

  test.each<[string, Parsed[]]>([
    ['of a path that is not listed', [{ op: 'replace', path: '/active', value: false }]],
    ['of a list as a whole', [{ op: 'replace', path: '/name', value: [] }]],
    ['that removes from a list without a test', [{ op: 'remove', path: '/identifier/0' }]],
    ['that changes a list element without a test', [{ op: 'replace', path: '/name/0/family', value: 'Lim' }]],
    [
      'that tests one element and changes another',
      [
        { op: 'test', path: '/name/0/id', value: 'CI-name-p1-0' },
        { op: 'replace', path: '/identifier/0/value', value: '1' },
      ],
    ],
    [
      'that tests after the change',
      [
        { op: 'replace', path: '/name/0/family', value: 'Lim' },
        { op: 'test', path: '/name/0/id', value: 'CI-name-p1-0' },
      ],
    ],
    [
      'whose test fails',
      [
        { op: 'test', path: '/name/0/id', value: 'other' },
        { op: 'replace', path: '/name/0/family', value: 'Lim' },
      ],
    ],
    ['that copies', [{ op: 'copy', from: '/gender', path: '/birthDate' }]],
  ])('C18 %s is refused with 422', async (_name, body) => {
    const before = await server.stored('Patient', 'p1');
    expect((await patch('Patient/p1', body)).status).toBe(422);
    expect(await server.stored('Patient', 'p1')).toEqual(before);
  });

  test('C18 that tests the id that a read gives may change the element, and adding needs no test', async () => {
    const body = [
      { op: 'test', path: '/name/0/id', value: await idOf('name') },
      { op: 'replace', path: '/name/0/family', value: 'Lim' },
      { op: 'replace', path: '/gender', value: 'other' },
    ];
    const done = await patch('Patient/p1', body);
    expect([done.status, done.text]).toEqual([200, '']);
    await server.seed(aPatient({ telecom: [phone] }));
    const more = await patch('Patient/p1', [{ op: 'add', path: '/telecom/-', value: phone }], { 'if-match': 'W/"2"' });
    expect(more.status).toBe(200);
    expect((await server.stored('Patient', 'p1')).telecom).toHaveLength(2);
  });

  test('C18 is free where patches are not checked', async () => {
    await server.set({ checkPatches: false });
    expect((await patch('Patient/p1', [{ op: 'replace', path: '/active', value: false }])).status).toBe(200);
  });

  test('C18 that is none is refused', async () => {
    expect((await patch('Patient/p1', { op: 'remove' })).status).toBe(400);
    expect((await patch('Patient/p1', '[{"op"')).status).toBe(400);
  });
});

test('C22 a locked record is 423, a failed dependency 424, until the lock is gone', async () => {
  await server.seed({
    resourceType: 'Appointment',
    id: 'a1',
    status: 'booked',
    participant: [{ actor: { reference: 'Patient/p1' }, status: 'accepted' }],
  });
  const cancel = () => patch('Appointment/a1', [{ op: 'replace', path: '/status', value: 'cancelled' }]);
  for (const status of [423, 424]) {
    await server.set({ locks: { 'Appointment/a1': status } });
    const answer = await cancel();
    expect([answer.status, answer.body.resourceType]).toEqual([status, 'OperationOutcome']);
  }
  await server.set({ locks: {} });
  expect((await cancel()).status).toBe(200);
  await server.set({ locks: { DocumentReference: 423 } });
  expect((await server.fhir('POST', 'DocumentReference', { body: aDocument() })).status).toBe(423);
});

test('C24 the same request times out at the gateway for ever, another does not', async () => {
  await server.set({ alwaysTimesOut: ['GET Observation?patient=p1'] });
  for (let times = 0; times < 3; times += 1) {
    expect((await server.fhir('GET', 'Observation?patient=p1')).status).toBe(504);
  }
  expect((await server.fhir('GET', 'Observation?patient=p2')).status).toBe(200);
  await server.set({ alwaysTimesOut: [] });
  expect((await server.fhir('GET', 'Observation?patient=p1')).status).toBe(200);
});

describe('there is', () => {
  test.each([
    ['GET', 'Task/1'],
    ['GET', 'Task?patient=p1'],
    ['POST', 'Task'],
    ['GET', 'Nonsense/1'],
  ])('C25 no Task: %s %s is 404 with an OperationOutcome', async (method, path) => {
    const body = method === 'POST' ? { body: { resourceType: 'Task' } } : {};
    const answer = await server.fhir(method, path, body);
    expect([answer.status, answer.body]).toEqual([
      404,
      {
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'error', code: 'not-found', details: { text: 'Not Found' } }],
      },
    ]);
  });

  test.each(['CarePlan', 'Goal', 'ServiceRequest'])('C25 no writing of %s: POST is 403', async (resourceType) => {
    const answer = await server.fhir('POST', resourceType, { body: { resourceType } });
    expect([answer.status, answer.body.issue[0].code]).toEqual([403, 'forbidden']);
    expect((await server.fhir('PUT', `${resourceType}/1`, { body: { resourceType } })).status).toBe(403);
  });

  test('C25 what the settings bring in, and what they take away is gone', async () => {
    await server.set({ interactions: { Task: 'rscu', CarePlan: 'rsc', Condition: '' } });
    const task = { resourceType: 'Task', status: 'requested', intent: 'order', for: { reference: 'Patient/p1' } };
    const id = await server.created(task);
    expect((await server.fhir('GET', 'Task?patient=p1')).body.entry[0].resource.id).toBe(id);
    const plan = { resourceType: 'CarePlan', status: 'active', intent: 'plan', subject: { reference: 'Patient/p1' } };
    expect((await server.fhir('POST', 'CarePlan', { body: plan })).status).toBe(201);
    expect((await server.fhir('GET', 'Condition?patient=p1')).status).toBe(404);
  });
});

describe('answers', () => {
  const fixed = [{ url: 'https://fhir-ehr.cerner.com/r4/StructureDefinition/modifiable', valueBoolean: false }];
  const answers = (item: Parsed[]) => ({
    resourceType: 'QuestionnaireResponse',
    id: 'q1',
    questionnaire: `${server.base}/Questionnaire/q1`,
    status: 'in-progress',
    subject: { reference: 'Patient/p1' },
    item,
  });
  const stored = [
    { id: '111', linkId: '93', item: [{ linkId: '93-1', answer: [{ valueString: 'never' }] }] },
    { id: '112', linkId: '94', extension: fixed },
  ];
  const put = (item: Parsed[]) => server.fhir('PUT', 'QuestionnaireResponse/q1', { body: answers(item) });
  beforeEach(() => server.seed(answers(stored)));

  test('C26 come back with the ids of their items, and need no If-Match', async () => {
    const item = [
      { id: '111', linkId: '93', item: [{ linkId: '93-1', answer: [{ valueString: 'daily' }] }] },
      { linkId: '94' },
    ];
    const done = await put(item);
    expect([done.status, done.text, done.headers.get('etag')]).toEqual([200, '', null]);
    expect((await server.stored('QuestionnaireResponse', 'q1')).item[0].item[0].answer[0].valueString).toBe('daily');
  });

  test.each<[string, Parsed[]]>([
    ['without the id of an item', [{ linkId: '93' }, { linkId: '94' }]],
    ['with another id', [{ id: '999', linkId: '93' }, { linkId: '94' }]],
    ['without the item', [{ linkId: '94' }]],
    [
      'with the id of an item that may not be changed',
      [
        { id: '111', linkId: '93' },
        { id: '112', linkId: '94' },
      ],
    ],
  ])('C26 %s are refused with 422', async (_name, item) => {
    expect((await put(item)).status).toBe(422);
    expect((await server.stored('QuestionnaireResponse', 'q1')).item).toEqual(stored);
  });

  test('C26 are free where ids are not checked, and cannot be created', async () => {
    await server.set({ checkItemIds: false });
    expect((await put([{ linkId: '93' }])).status).toBe(200);
    expect((await server.fhir('POST', 'QuestionnaireResponse', { body: answers(stored) })).status).toBe(403);
  });
});

test('C27 DELETE Coverage with If-Match is 204, and afterwards there is nothing', async () => {
  await server.seed(aCoverage);
  const remove = () => server.fhir('DELETE', 'Coverage/v1', { headers: { 'if-match': 'W/"0"' } });
  expect((await remove()).status).toBe(204);
  expect((await server.fhir('GET', 'Coverage/v1')).status).toBe(404);
  expect((await remove()).status).toBe(404);
  expect((await server.fhir('GET', 'Coverage?patient=p1')).body.entry).toBeUndefined();
  await server.set({ deletedStatus: 410 });
  expect((await server.fhir('GET', 'Coverage/v1')).status).toBe(410);
});

test('a new patient gets a record number by the organization that assigns it', async () => {
  await server.seed({ resourceType: 'Organization', id: 'o1', name: 'Records office' });
  await server.set({ mrnSystem: 'urn:oid:1.2.3' });
  const identifier = [{ assigner: { reference: 'Organization/o1' } }];
  const id = await server.created(aPatient({ id: undefined, identifier }));
  const [number] = (await server.fhir('GET', `Patient/${id}`)).body.identifier;
  expect(number).toMatchObject({ system: 'urn:oid:1.2.3', assigner: { reference: 'Organization/o1' } });
  expect(number.value).toMatch(/^OR\d{7}$/);
});

test('a batch does each entry on its own; a transaction is refused', async () => {
  const operations = JSON.stringify([{ op: 'replace', path: '/gender', value: 'other' }]);
  const edit = { resourceType: 'Binary', contentType: 'application/json-patch+json', data: base64(operations) };
  const bundle = (type: string) => ({
    resourceType: 'Bundle',
    type,
    entry: [
      { request: { method: 'POST', url: 'DocumentReference' }, resource: aDocument() },
      { request: { method: 'GET', url: 'Task/1' } },
      { request: { method: 'GET', url: 'Patient?family=Ødegård' } },
      { request: { method: 'POST', url: 'DocumentReference' }, resource: aDocument({ docStatus: undefined }) },
      { request: { method: 'PATCH', url: 'Patient/p1', ifMatch: 'W/"0"' }, resource: edit },
      { request: { method: 'POST', url: '' }, resource: { resourceType: 'Bundle', type: 'batch' } },
      { resource: aDocument() },
    ],
  });
  const { status, body } = await server.fhir('POST', '', { body: bundle('batch') });
  expect(status).toBe(200);
  expect(body.entry.map(({ response }: Parsed) => response.status)).toEqual([
    ...['201 Created', '404', '200 OK', '422', '200 OK', '404', '400'],
  ]);
  expect((await server.stored('Patient', 'p1')).gender).toBe('other');
  expect(body.entry[2].resource.entry[0].resource.id).toBe('p1');
  const refused = await server.fhir('POST', '', { body: bundle('transaction') });
  expect([refused.status, textOf(refused)]).toEqual([422, expect.stringContaining('batch')]);
});

test('paths and methods that the server does not have are refused', async () => {
  expect((await server.fhir('GET', 'Patient/p1/_history')).status).toBe(404);
  expect((await server.fhir('GET', 'DocumentReference/$docref')).status).toBe(404);
  expect((await server.fhir('PUT', 'Patient?family=a', { body: aPatient() })).status).toBe(405);
  expect((await server.fhir('DELETE', 'Patient/p1')).status).toBe(403);
  expect((await server.fhir('POST', 'Patient', { body: '{"resourceType"' })).status).toBe(400);
  expect((await server.fhir('POST', 'Patient', { body: aDocument() })).status).toBe(422);
});
