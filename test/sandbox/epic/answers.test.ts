import { expect, test } from '@jest/globals';
import { ada, aNote, aTask, matches, mrnSystem, numbers, useEpic } from './server.ts';

const epic = useEpic();

test.each([
  ['no Accept', ''],
  ['any type', '*/*'],
  ['a type that is neither', 'text/csv'],
])('E9 %s is answered in XML', async (_name, accept) => {
  const answer = await epic.fhir('GET', `Patient/${ada.id}`, { headers: { accept } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/fhir+xml; charset=utf-8');
  expect(answer.body).toContain(`<Patient xmlns="http://hl7.org/fhir"><id value="${ada.id}"/>`);
  expect(answer.body).toContain(`<value value="     ${ada.mrn}"/>`);
  expect((await epic.fhir('GET', 'metadata', { headers: { accept } })).body).toContain('<CapabilityStatement');
  expect((await epic.fhir('GET', 'Patient/none', { headers: { accept } })).body).toContain('<OperationOutcome');

  await epic.settings({ off: ['E9'] });
  expect((await epic.fhir('GET', `Patient/${ada.id}`, { headers: { accept } })).body.id).toBe(ada.id);
});

test('E9 JSON is answered where it is named, in Accept or in _format', async () => {
  for (const accept of ['application/fhir+json', 'application/json, text/plain, */*']) {
    const { body } = await epic.fhir('GET', `Patient/${ada.id}`, { headers: { accept } });
    expect(body.id).toBe(ada.id);
  }
  const { body } = await epic.fhir('GET', `Patient/${ada.id}?_format=json`, { headers: { accept: '*/*' } });
  expect(body.id).toBe(ada.id);
});

test('E9 the XML holds extensions, attributes and text as R4 has them', async () => {
  await epic.seed({
    resourceType: 'Goal',
    id: 'g',
    extension: [{ url: 'https://example.org/x', valueString: 'a "b" & <c>' }],
    _lifecycleStatus: { extension: [{ url: 'https://example.org/y', valueBoolean: true }] },
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Text</div>' },
    note: [{ id: 'n1', text: 'one' }],
    contained: [{ resourceType: 'Basic', id: 'b' }],
  });
  const { body } = await epic.fhir('GET', 'Goal/g', { headers: { accept: 'application/fhir+xml' } });
  expect(body).toBe(
    '<?xml version="1.0" encoding="utf-8"?><Goal xmlns="http://hl7.org/fhir"><id value="g"/>' +
      '<extension url="https://example.org/x"><valueString value="a &#34;b&#34; &#38; &#60;c&#62;"/></extension>' +
      '<lifecycleStatus><extension url="https://example.org/y"><valueBoolean value="true"/></extension></lifecycleStatus>' +
      '<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">Text</div></text>' +
      '<note id="n1"><text value="one"/></note>' +
      '<contained><Basic xmlns="http://hl7.org/fhir"><id value="b"/></Basic></contained></Goal>',
  );
});

test.each([
  ['an unknown type', 'GET', 'FakeType?_count=1'],
  ['a type that it does not serve', 'GET', 'Subscription'],
  ['a transaction', 'POST', ''],
  ['PATCH', 'PATCH', `Patient/${ada.id}`],
  ['DELETE', 'DELETE', `Patient/${ada.id}`],
  ['the create of a CarePlan', 'POST', 'CarePlan'],
  ['the create of a Goal', 'POST', 'Goal'],
  ['the create of a Task', 'POST', 'Task'],
  ['the update of a Patient', 'PUT', `Patient/${ada.id}`],
  ['an update without an id', 'PUT', 'Task?identifier=1'],
  ['a history', 'GET', `Patient/${ada.id}/_history`],
  ['another operation', 'POST', 'Patient/$merge'],
  ['$match on another type', 'POST', 'Goal/$match'],
])('E10 %s answers 404 with a page of HTML', async (_name, method, path) => {
  const body = method === 'GET' || method === 'DELETE' ? {} : { body: { resourceType: 'Basic' } };
  const answer = await epic.fhir(method, path, body);
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('text/html');
  expect(answer.body).toMatch(/^<!DOCTYPE html>/);
});

test('E10 switched off, the FHIR server says it', async () => {
  await epic.settings({ off: ['E10'] });
  const answer = await epic.fhir('GET', 'FakeType');
  expect([answer.status, answer.body.resourceType]).toEqual([404, 'OperationOutcome']);
});

test.each(['Patient', 'DocumentReference', 'Binary', 'Task'])(
  'E11 an unknown id of %s answers 404 with 59008',
  async (type) => {
    const answer = await epic.fhir('GET', `${type}/none`);
    expect(answer.status).toBe(404);
    expect(numbers(answer.body)).toEqual(['59008']);
    expect(answer.body.issue[0]).toMatchObject({ severity: 'fatal', code: 'not-found', expression: ['id'] });
    expect((await epic.fhir('PUT', 'Task/none', { body: aTask({ id: 'none' }) })).status).toBe(404);

    await epic.settings({ off: ['E11'] });
    const plain = await epic.fhir('GET', `${type}/none`);
    expect(plain.body.issue[0]).toEqual({
      severity: 'error',
      code: 'not-found',
      details: { text: 'There is no such resource.' },
    });
  },
);

test('E17 resources have neither version nor time, and _lastUpdated is ignored', async () => {
  const tag = [{ system: 'https://example.org', code: 'kept' }];
  await epic.seed({ resourceType: 'Goal', id: 'g', meta: { tag }, subject: { reference: `Patient/${ada.id}` } });
  const { body, headers } = await epic.fhir('GET', `Patient/${ada.id}`);
  expect(body.meta).toBeUndefined();
  expect([headers.get('etag'), headers.get('last-modified')]).toEqual([null, null]);
  expect((await epic.fhir('GET', 'Goal/g')).body.meta).toEqual({ tag });
  const later = `Goal?patient=${ada.id}&_lastUpdated=gt2100-01-01`;
  expect(matches((await epic.fhir('GET', later)).body)).toEqual(['g']);

  await epic.settings({ off: ['E17'] });
  expect((await epic.fhir('GET', 'Goal/g')).body.meta.lastUpdated).toMatch(/Z$/);
  expect(matches((await epic.fhir('GET', later)).body)).toEqual([]);
});

test('E17 a document can be searched by _lastupdated, in lower case', async () => {
  await epic.control('POST', 'clock', { now: '2026-03-02T10:00:00Z' });
  const id = await epic.created(aNote());
  const since = async (instant: string) =>
    matches((await epic.fhir('GET', `DocumentReference?patient=${ada.id}&_lastupdated=ge${instant}`)).body);
  expect(await since('2026-03-02T10:00:00Z')).toEqual([id]);
  expect(await since('2026-03-02T11:00:00Z')).toEqual([]);
});

test('E28 ids have 64 characters with dots and dashes, and case counts', async () => {
  const id = await epic.created(aNote());
  expect(id).toMatch(/^(?=.*\.)(?=.*-)[A-Za-z0-9.-]{64}$/);
  expect((await epic.fhir('GET', `DocumentReference/${id}`)).status).toBe(200);
  const swapped = id.replace(/[a-z]/i, (letter) =>
    /[a-z]/.test(letter) ? letter.toUpperCase() : letter.toLowerCase(),
  );
  expect((await epic.fhir('GET', `DocumentReference/${swapped}`)).status).toBe(404);
  expect(await epic.created(aNote())).not.toBe(id);

  await epic.settings({ off: ['E28'] });
  expect(await epic.created(aNote())).toMatch(/^\d+$/);
});

test('E29 by a fault an outage answers 502 in HTML without Retry-After', async () => {
  const html = '<html><body><h1>502 - Bad gateway</h1></body></html>';
  const fault = { status: 502, headers: { 'content-type': 'text/html' }, body: html };
  await epic.control('POST', 'faults', [{ method: 'GET', path: 'Patient', times: 2, fault }]);
  for (const _time of [1, 2]) {
    const answer = await epic.fhir('GET', `Patient/${ada.id}`);
    expect([answer.status, answer.body, answer.headers.get('retry-after')]).toEqual([502, html, null]);
  }
  expect((await epic.fhir('GET', `Patient/${ada.id}`)).status).toBe(200);
});

test('E30 beyond the daily number of document calls the answer is 403 with 4135, until midnight UTC', async () => {
  await epic.control('POST', 'clock', { now: '2026-03-02T23:00:00Z' });
  await epic.settings({ documentCap: 3 });
  const id = await epic.created(aNote());
  await epic.fhir('GET', `DocumentReference?patient=${ada.id}`);
  const { body } = await epic.fhir('GET', `DocumentReference/${id}`);
  const capped = [
    await epic.fhir('GET', body.content[0].attachment.url),
    await epic.fhir('POST', 'DocumentReference', { body: aNote() }),
  ];
  for (const answer of capped) {
    expect([answer.status, numbers(answer.body)]).toEqual([403, ['4135']]);
    expect(answer.body.issue[0].severity).toBe('fatal');
  }
  expect((await epic.fhir('GET', `Patient/${ada.id}`)).status).toBe(200);
  expect((await epic.control('GET', 'resources')).body.DocumentReference).toBe(1);
  await epic.control('POST', 'clock', { advance: '61m' });
  expect((await epic.fhir('GET', body.content[0].attachment.url)).status).toBe(200);
});

test('E31 the system of the issue numbers has the instance in it', async () => {
  const system = async () => (await epic.fhir('GET', 'Goal/none')).body.issue[0].details.coding[0].system;
  expect(await system()).toBe('urn:oid:1.2.840.114350.1.13.0.1.7.2.657369');
  await epic.settings({ instance: '338.3' });
  expect(await system()).toBe('urn:oid:1.2.840.114350.1.13.338.3.7.2.657369');
});

test('the patients of the seed have their number in the system that was asked for', async () => {
  const { body } = await epic.fhir('GET', `Patient/${ada.id}`);
  expect(body.identifier[0]).toMatchObject({ system: mrnSystem, value: ada.mrn });
});
