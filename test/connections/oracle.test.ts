// The client's side of the quirks of an Oracle Health server, C1 to C31 of ehr-behaviour, against the simulated one.

import { describe, expect, test } from '@jest/globals';
import {
  changesByPatch,
  classify,
  type FhirReply,
  isOffered,
  isSearchResult,
  type RequestFacts,
  routeTable,
  vendors,
} from '../../src/connections/connections.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { jsonPatch } from '../../src/lanes/send/json-patch.ts';
import { changesQuery } from './changes-query.ts';
import { aConnection, connectTo } from './fhir-server.ts';
import { idsOf, useHospital } from './hospital.ts';

const tenant = '7f1c2a5e-4d0b-4f3a-9c56-2b8e6f0d1a34';
const oracle = useHospital('oracle', `/oracle/r4/${tenant}`);
const { queries } = vendors.oracle;

const patient: JsonObject = {
  resourceType: 'Patient',
  id: 'p1',
  active: true,
  identifier: [{ system: 'urn:oid:1.2.3', value: 'OR1' }],
  name: [{ use: 'official', family: 'Ostberg', given: ['Noor'] }],
  gender: 'female',
  birthDate: '1984-02-29',
};
const readPatient = { method: 'GET', path: 'Patient/p1' } as const;
const reading: RequestFacts = { method: 'GET', kind: 'read', target: { resourceType: 'Patient', id: 'p1' } };
const searching: RequestFacts = { method: 'GET', kind: 'search' };
const creating: RequestFacts = { method: 'POST', kind: 'create', target: { resourceType: 'DocumentReference' } };
const updating: RequestFacts = { method: 'PUT', kind: 'update', target: { resourceType: 'DocumentReference' } };
const scopes = ['system/Patient.rs', 'system/Observation.rs', 'system/DocumentReference.crus'];

function xhtml(body: string): string {
  const page = `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Plan</title></head><body>${body}</body></html>`;
  return Buffer.from(page).toString('base64');
}

function aDocument(change: JsonObject = {}): JsonObject {
  return {
    resourceType: 'DocumentReference',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '18776-5' }] },
    subject: { reference: 'Patient/p1' },
    content: [{ attachment: { contentType: 'application/xhtml+xml;charset=utf-8', data: xhtml('<p>Food.</p>') } }],
    context: { period: { end: '2026-03-02T10:00:00Z' } },
    ...change,
  };
}

function observations(count: number): JsonObject[] {
  return Array.from({ length: count }, (_unused, index) => ({
    resourceType: 'Observation',
    id: `weight-${index}`,
    status: 'final',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
    ],
    code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2026-03-02T10:00:00Z',
  }));
}

async function create(body = aDocument()) {
  const { client, vendor } = oracle.connect();
  const reply = await client.send({ method: 'POST', path: 'DocumentReference', body });
  if (reply.fault !== undefined) throw new Error(reply.text);
  return { client, vendor, reply, id: reply.location?.id ?? '' };
}

describe('tokens', () => {
  test('C1 a system account signs in with its secret by HTTP Basic', async () => {
    await oracle.seed(patient);
    await oracle.set({ auth: 'token' });
    await oracle.control('clients', [{ clientId: 'account', secret: 'a:secret/with+marks', scopes }]);
    const connection = oracle.connect({
      auth: { type: 'smart-basic', clientId: 'account', secret: 'a:secret/with+marks', scopes },
    });
    expect(await connection.client.send(readPatient)).toMatchObject({ status: 200 });
    expect(await connection.diagnose()).toMatchObject({ auth: { ok: true }, scopes, findings: [] });
    const wrong = oracle.connect({ auth: { type: 'smart-basic', clientId: 'account', secret: 'wrong', scopes } });
    const reply = await wrong.client.send(readPatient);
    expect(classify(wrong.vendor, reading, reply)).toMatchObject({
      class: 'config',
      reason: { code: 'connection-client-unknown' },
    });
  });

  test('C1 so does a key', async () => {
    await oracle.seed(patient);
    const { client } = await oracle.signedIn(scopes);
    expect(await client.send(readPatient)).toMatchObject({ status: 200 });
  });

  test('C1 scopes that are dropped in silence are found by comparing', async () => {
    const connection = await oracle.signedIn(['system/Patient.rs'], { scopes: [...scopes, 'system/Goal.rs'] });
    const { auth, scopes: granted, findings } = await connection.diagnose();
    expect(auth).toEqual({ ok: true });
    expect(granted).toEqual(['system/Patient.rs']);
    expect(findings).toMatchObject([
      {
        code: 'connection-scopes-missing',
        text: expect.stringContaining('system/Observation.rs system/DocumentReference.crus system/Goal.rs'),
      },
    ]);
  });

  test.each([
    ['v1', 'system/Patient.read system/Observation.read system/DocumentReference.write system/DocumentReference.read'],
    ['v2', 'system/Patient.rs system/Observation.rs system/DocumentReference.crus'],
  ] as const)('C1 scopes are sent in the spelling %s that the tenant takes', async (scopeSpelling, sent) => {
    await oracle.seed(patient);
    await oracle.set({ scopeSpelling });
    const connection = await oracle.signedIn(sent.split(' '), { scopes, scopeVersion: scopeSpelling });
    expect(await connection.client.send(readPatient)).toMatchObject({ status: 200 });
    const [request] = await oracle.asked('token');
    expect(new Set(new URLSearchParams(String(request?.requestBody)).get('scope')?.split(' '))).toEqual(
      new Set(sent.split(' ')),
    );
    expect((await connection.diagnose()).findings).toEqual([]);
  });

  test('C1 when no scope is left the connection is set up wrongly', async () => {
    const { client, vendor } = await oracle.signedIn(['system/Goal.rs'], { scopes: ['system/Patient.rs'] });
    const reply = await client.send(readPatient);
    expect(classify(vendor, reading, reply)).toMatchObject({
      class: 'config',
      reason: { code: 'connection-scopes-refused' },
    });
  });

  test('C2 a token that ends between two pages is replaced, and the same page asked for again', async () => {
    await oracle.seed(patient, ...observations(7));
    const { client } = await oracle.signedIn(scopes);
    await client.send(readPatient);
    // The second page finds the token dead.
    await oracle.control('faults', [
      { method: 'GET', path: 'Observation', nth: 2, fault: { status: 401, headers: { 'www-authenticate': 'Bearer' } } },
    ]);
    const result = await client.searchAll('Observation', { patient: 'p1', _count: '2' });
    expect(idsOf(result)).toHaveLength(7);
    expect(result).toMatchObject({ complete: true });
    const pages = (await oracle.asked()).filter(({ url }) => url.includes('Observation'));
    const refused = pages.findIndex(({ status }) => status === 401);
    expect(pages[refused + 1]?.url).toBe(pages[refused]?.url);
    expect(pages[refused]?.url).toContain('-pageContext');
    expect(await oracle.asked('token')).toHaveLength(2);
  });

  test('C3 a wrong tenant is a fault of configuration, in doctor too', async () => {
    const url = oracle.url.replace(tenant, '00000000-0000-0000-0000-000000000000');
    const connection = connectTo({ url }, { vendor: 'oracle' });
    const reply = await connection.client.send(readPatient);
    const expected = { class: 'config', reason: { code: 'connection-tenant-unknown' } };
    expect(classify(connection.vendor, reading, reply)).toMatchObject(expected);
    expect(await connection.diagnose()).toMatchObject({
      reachable: true,
      auth: { ok: false, reason: { code: 'connection-tenant-unknown' } },
    });
  });

  test.each(['outcome', 'gateway'])('C4 a missing scope is denied, said as %s', async (forbiddenShape) => {
    await oracle.set({ forbiddenShape });
    const { client, vendor } = await oracle.signedIn(['system/Patient.rs']);
    const result = await client.searchAll('Observation', { patient: 'p1' });
    expect(isSearchResult(result)).toBe(false);
    expect(isSearchResult(result) ? undefined : classify(vendor, searching, result)).toMatchObject({ class: 'denied' });
  });
});

describe('requests', () => {
  test.each(['application/fhir+json', 'application/json+fhir'])('C5 answers as %s are read', async (mediaType) => {
    await oracle.seed(patient);
    await oracle.set({ mediaType });
    expect(await oracle.connect().client.send(readPatient)).toMatchObject({ status: 200, body: { id: 'p1' } });
  });

  test('C6 the ids for the support desk are among the headers of each reply', async () => {
    await oracle.seed(patient);
    await oracle.set({ opcRequestId: 'always' });
    const reply = await oracle.connect().client.send(readPatient);
    expect(reply).toMatchObject({
      headers: { 'x-request-id': expect.any(String), 'opc-request-id': expect.any(String) },
      requestId: expect.stringMatching(/^x-request-id=\S+ opc-request-id=\S+$/),
    });
  });

  const polled = [
    'Appointment',
    'CarePlan',
    'CareTeam',
    'Condition',
    'Consent',
    'Coverage',
    'DocumentReference',
    'Encounter',
    'Goal',
    'Observation',
    'Procedure',
    'QuestionnaireResponse',
    'ServiceRequest',
  ];

  test.each(
    polled.flatMap(
      (type) =>
        [
          [type, undefined],
          [type, new Date('2026-03-02T10:00:00.250Z')],
        ] as const,
    ),
  )('C7 C8 a search for %s since %p keeps to the grammar of its type', async (type, since) => {
    await oracle.seed(patient);
    const connection = oracle.connect();
    const { searchParams } = await connection.capabilities();
    const query = changesQuery(vendors.oracle, type, { since, declared: searchParams[type] ?? [], patientId: 'p1' });
    expect(isOffered(query)).toBe(true);
    const result = await connection.client.searchAll(type, isOffered(query) ? query : {});
    expect(result).toMatchObject({ resources: [], complete: true });
  });

  test('C7 C8 so do the searches for people, visits, documents, and the probe', async () => {
    await oracle.seed(patient);
    const { client } = oracle.connect();
    const person = { family: 'Ostberg', birthDate: '1984-02-29' };
    const more = { given: 'Noor', sex: 'female', phone: '555-0100', postalCode: '12180' };
    const time = { from: new Date('2026-03-01T10:00:00Z'), to: new Date('2026-03-02T10:00:00Z') };
    const searches = [
      ['Patient', queries.patient(person)],
      ['Patient', queries.patient({ ...person, ...more })],
      ['Patient', queries.identifier('urn:oid:1.2.3', ' OR1')],
      ['Encounter', queries.encounters('p1')],
      ['DocumentReference', queries.documents({ patientId: 'p1', type: '18776-5', ...time })],
      [queries.probe.path, queries.probe.query],
    ] as const;
    const found = await Promise.all(searches.map(([type, query]) => client.searchAll(type, query)));
    expect(found.map((result) => isSearchResult(result) && result.complete)).toEqual(Array(6).fill(true));
    expect(found.slice(0, 3).map(idsOf)).toEqual([['p1'], [], ['p1']]);
  });

  test('C7 what cannot be searched for one patient is not offered', () => {
    expect(isOffered(changesQuery(vendors.oracle, 'Task', { declared: [], patientId: 'p1' }))).toBe(false);
    expect(isOffered(changesQuery(vendors.oracle, 'Communication', { declared: [], patientId: 'p1' }))).toBe(false);
    expect(isOffered(changesQuery(vendors.oracle, 'Goal', { declared: [] }))).toBe(false);
  });

  test('C9 C25 plans, goals, requests and needs are told in a document, a Task in none', async () => {
    const { capabilities, vendor } = oracle.connect();
    const rows = routeTable({
      capabilities: await capabilities(),
      vendor,
      overrides: {},
      task: 'off',
      slots: [
        { recordType: 'carePlan', resourceType: 'CarePlan' },
        { recordType: 'goal', resourceType: 'Goal' },
        { recordType: 'need', resourceType: 'Condition' },
        { recordType: 'referral', resourceType: 'ServiceRequest' },
        { recordType: 'referral', resourceType: 'Task' },
        { recordType: 'client', resourceType: 'Patient' },
      ],
    });
    expect(rows.map(({ route }) => route)).toEqual(['document', 'document', 'document', 'document', 'off', 'read']);
  });

  test('C10 pages without totals, one empty, one id twice: all are read, each id once', async () => {
    await oracle.seed(patient, ...observations(9));
    const result = await oracle.connect().client.searchAll('Observation', { patient: 'p1', _count: '2' });
    expect(idsOf(result).toSorted()).toEqual(
      observations(9)
        .map(({ id }) => String(id))
        .toSorted(),
    );
    expect(result).toMatchObject({ complete: true });
  });

  test('C11 a suppressed part makes the view partial; its outcome is no match', async () => {
    await oracle.seed(patient, ...observations(3));
    await oracle.set({ suppressed: ['Observation/weight-1'] });
    const result = await oracle.connect().client.searchAll('Observation', { patient: 'p1' });
    expect(idsOf(result)).toHaveLength(2);
    expect(result).toMatchObject({ complete: false, reason: { code: 'search-partial' } });
  });

  test('C13 too many patients: more criteria are needed', async () => {
    await oracle.set({ patientSearchLimit: 1 });
    await oracle.seed(patient, { ...patient, id: 'p2' });
    const { client, vendor } = oracle.connect();
    const result = await client.searchAll('Patient', queries.patient({ family: 'Ostberg', birthDate: '1984-02-29' }));
    expect(isSearchResult(result) ? undefined : classify(vendor, searching, result)).toMatchObject({
      class: 'permanent',
      reason: { code: 'search-too-many' },
    });
  });
});

describe('writes', () => {
  test('C15 the id and the opaque tag of a new resource come from headers; the empty body is no fault', async () => {
    await oracle.seed(patient);
    const { reply, vendor, id } = await create();
    expect(reply).toMatchObject({
      status: 201,
      versionTag: 'W/"1-1"',
      location: { resourceType: 'DocumentReference' },
    });
    expect(reply.body).toBeUndefined();
    expect(id).not.toBe('');
    expect(classify(vendor, creating, reply).class).toBe('ok');
  });

  test('C16 an update carries the tag verbatim; a stale one is a conflict, a missing one our fault', async () => {
    await oracle.seed(patient);
    const { client, vendor, reply, id } = await create();
    expect(vendor.update.ifMatch).toEqual({ when: 'always' });
    const put = (ifMatch?: string) =>
      client.send({
        method: 'PUT',
        path: `DocumentReference/${id}`,
        body: { ...aDocument({ docStatus: 'amended' }), id },
        ...(ifMatch !== undefined && { ifMatch }),
      });
    const missing = await put();
    expect(missing).toMatchObject({ status: 412 });
    expect(classify(vendor, updating, missing).class).toBe('permanent');
    const good = await put(reply.versionTag);
    expect(good).toMatchObject({ status: 200 });
    expect(classify(vendor, updating, good).class).toBe('ok');
    const stale = await put(reply.versionTag);
    expect(stale).toMatchObject({ status: 409 });
    expect(classify(vendor, updating, stale).class).toBe('conflict');
  });

  test('C17 C26 what the server would take a PUT of goes another way, so that nothing of theirs is left out of one', async () => {
    const { capabilities, vendor } = oracle.connect();
    const declared = await capabilities();
    const putTypes = Object.keys(declared.interactions).filter((type) =>
      declared.interactions[type]?.includes('update'),
    );
    expect(putTypes).toEqual(expect.arrayContaining(['Condition', 'Observation', 'QuestionnaireResponse']));
    // Documents are put whole and are ours alone.
    const others = putTypes.filter((type) => type !== 'DocumentReference');
    const slots = others.map((resourceType) => ({ recordType: 'carePlan', resourceType }) as const);
    const rows = routeTable({ capabilities: declared, vendor, overrides: {}, task: 'off', slots });
    expect(new Set(rows.map(({ route }) => route))).toEqual(new Set(['document']));
  });

  test('C18 what is declared with patch and without update is changed by JSON Patch, list items by their ids', async () => {
    const phone = (value: string): JsonObject => ({ system: 'phone', value, use: 'home' });
    await oracle.seed({ ...patient, telecom: [phone('555-0101'), phone('555-0102'), phone('555-0103')] });
    const connection = oracle.connect();
    const capabilities = await connection.capabilities();
    expect(changesByPatch(capabilities, connection.vendor, 'Patient')).toBe(true);
    expect(changesByPatch(capabilities, connection.vendor, 'DocumentReference')).toBe(false);

    const { client, vendor } = connection;
    const held = await client.send(readPatient);
    if (held.fault !== undefined || held.body === undefined) throw new Error('The patient was not read.');
    const { telecom } = held.body;
    const [one, two] = Array.isArray(telecom) ? telecom.filter(isObject) : [];
    const wanted = { ...held.body, gender: 'other', telecom: [{ ...one, value: '555-0199' }, two ?? {}] };
    const body = jsonPatch(held.body, wanted, { isTagged: true });
    const patched = await client.send({ ...readPatient, method: 'PATCH', body, ifMatch: held.versionTag });
    expect(classify(vendor, { ...reading, method: 'PATCH', kind: 'update' }, patched).class).toBe('ok');
    expect(await client.send(readPatient)).toMatchObject({
      body: { gender: 'other', telecom: [{ value: '555-0199' }, { value: '555-0102' }] },
    });
  });

  test.each<[string, JsonObject]>([
    [
      'an element that is not supported',
      { relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/1' } }] },
    ],
    ['a modifier extension', { modifierExtension: [{ url: 'https://agency.example.org/m', valueBoolean: true }] }],
    ['implicit rules', { implicitRules: 'https://agency.example.org/rules' }],
  ])('C19 %s is refused for good', async (_name, change) => {
    await oracle.seed(patient);
    const { reply, vendor } = await create(aDocument(change));
    expect(reply.status).toBe(422);
    expect(classify(vendor, creating, reply)).toMatchObject({ class: 'permanent', reason: { code: 'server-refused' } });
  });

  test('C19 an opaque refusal says its status and its issue, never the text of the record', async () => {
    await oracle.seed(patient);
    const { docStatus: _left, ...body } = aDocument();
    const { reply, vendor } = await create(body);
    expect(classify(vendor, creating, reply).reason?.text).toBe('The server refuses the request (422 invalid).');
  });

  test('C20 a create carries no If-None-Exist', async () => {
    expect(isOffered(vendors.oracle.create.conditional)).toBe(false);
    await oracle.seed(patient);
    await create();
    expect((await oracle.asked()).at(-1)?.requestHeaders).not.toHaveProperty('if-none-exist');
  });

  test('C20 a document whose reply was lost is found by patient, type and time', async () => {
    await oracle.seed(patient);
    await oracle.control('faults', [{ method: 'POST', nth: 1, fault: { drop: 'after-commit' } }]);
    const { client, vendor } = oracle.connect();
    const lost = await client.send({ method: 'POST', path: 'DocumentReference', body: aDocument() });
    expect(classify(vendor, creating, lost).class).toBe('unknown-outcome');
    const at = new Date('2026-03-02T10:00:00Z');
    const window = { from: new Date(at.getTime() - 60_000), to: at };
    const query = queries.documents({ patientId: 'p1', type: '18776-5', ...window });
    expect(idsOf(await client.searchAll('DocumentReference', query))).toHaveLength(1);
  });

  test.each<['none' | 'seconds' | 'date', number | undefined]>([
    ['none', undefined],
    ['seconds', 7000],
    ['date', 7000],
  ])('C21 throttled with Retry-After as %s backs off', async (retryAfter, waits) => {
    await oracle.seed(patient);
    await oracle.control('clock', { now: '2026-03-02T10:00:00Z' });
    await oracle.set({ throttle: { requestsPerSecond: 1, retryAfter, retryAfterSeconds: 7 } });
    const { client, vendor } = oracle.connect();
    const replies = await Promise.all([client.send(readPatient), client.send(readPatient)]);
    const throttled = replies.find((reply) => reply.status === 429);
    const found = classify(vendor, reading, throttled ?? nothing);
    expect(found.class).toBe('retry-backoff');
    const { retryAfterMs } = found;
    expect(waits === undefined ? retryAfterMs : Math.round((retryAfterMs ?? 0) / 2000)).toBe(waits && 4);
  });
  const nothing: FhirReply = { status: 0, headers: {} };

  test.each([
    [423, 'retry-backoff'],
    [424, 'permanent'],
  ] as const)('C22 a lock that answers %d is %s', async (status, expected) => {
    await oracle.seed(patient);
    await oracle.set({ locks: { DocumentReference: status } });
    const { reply, vendor } = await create();
    expect(reply.status).toBe(status);
    expect(classify(vendor, creating, reply).class).toBe(expected);
  });

  test('C23 a record that breaks every search that finds it is lasting, not busy', async () => {
    await oracle.seed(patient, ...observations(3));
    await oracle.set({ poisoned: ['Observation/weight-1'] });
    const { client, vendor } = oracle.connect();
    const result = await client.searchAll('Observation', { patient: 'p1' });
    expect(isSearchResult(result) ? undefined : classify(vendor, searching, result)).toMatchObject({
      class: 'permanent',
    });
    expect(idsOf(await client.searchAll('Observation', { _id: 'weight-0' }))).toEqual(['weight-0']);
  });

  test('C24 a request that always times out at their gateway backs off; a write is looked up', async () => {
    await oracle.seed(patient);
    await oracle.set({ alwaysTimesOut: ['GET Patient/p1', 'POST DocumentReference'] });
    const { client, vendor } = oracle.connect();
    expect(classify(vendor, reading, await client.send(readPatient)).class).toBe('retry-backoff');
    const write = await client.send({ method: 'POST', path: 'DocumentReference', body: aDocument() });
    expect(classify(vendor, creating, write).class).toBe('unknown-outcome');
  });

  test('C25 a Task there is none: the type is not found', async () => {
    const { client, vendor } = oracle.connect();
    const task: RequestFacts = { method: 'POST', kind: 'create', target: { resourceType: 'Task' } };
    const asked = await client.send({ method: 'POST', path: 'Task', body: { resourceType: 'Task' } });
    expect(classify(vendor, task, asked).class).toBe('permanent');
    const plan = await client.send({ method: 'POST', path: 'CarePlan', body: { resourceType: 'CarePlan' } });
    expect(classify(vendor, { ...task, target: { resourceType: 'CarePlan' } }, plan).class).toBe('denied');
  });

  test('C27 a coverage that they deleted is gone, which is no reason to make it again', async () => {
    await oracle.seed(patient, {
      resourceType: 'Coverage',
      id: 'c1',
      status: 'active',
      beneficiary: { reference: 'Patient/p1' },
    });
    const facts: RequestFacts = { method: 'GET', kind: 'read', target: { resourceType: 'Coverage', id: 'c1' } };
    const { client, vendor } = oracle.connect();
    const before = await client.send({ method: 'GET', path: 'Coverage/c1' });
    expect(classify(vendor, facts, before).class).toBe('ok');
    const tag = (before.fault === undefined && before.versionTag) || '';
    const deleted = await fetch(`${oracle.url}/Coverage/c1`, {
      method: 'DELETE',
      headers: { accept: 'application/fhir+json', 'if-match': tag },
    });
    expect(deleted.status).toBe(204);
    expect(classify(vendor, facts, await client.send({ method: 'GET', path: 'Coverage/c1' })).class).toBe('gone');
  });

  test('C28 what was entered in error comes with few elements and is still read', async () => {
    await oracle.seed(patient);
    const { client, vendor, reply, id } = await create();
    const body = { ...aDocument({ status: 'entered-in-error', docStatus: 'amended' }), id };
    const path = `DocumentReference/${id}`;
    expect(await client.send({ method: 'PUT', path, body, ifMatch: reply.versionTag })).toMatchObject({ status: 200 });
    const read = await client.send({ method: 'GET', path });
    expect(
      classify(vendor, { method: 'GET', kind: 'read', target: { resourceType: 'DocumentReference', id } }, read).class,
    ).toBe('ok');
  });

  test('C29 a Binary is read as FHIR JSON', async () => {
    await oracle.seed(patient);
    const { client, id } = await create();
    const read = await client.send({ method: 'GET', path: `DocumentReference/${id}` });
    const url = /Binary\/[A-Za-z0-9.-]+/.exec(JSON.stringify(read))?.[0] ?? '';
    expect(url).not.toBe('');
    const binary = await client.send({ method: 'GET', path: url });
    expect(binary).toMatchObject({ status: 200, body: { resourceType: 'Binary', data: expect.any(String) } });
  });

  test('C30 a statement that differs by its date only is the same', async () => {
    const { capabilities } = oracle.connect();
    await oracle.set({ statementDate: '2026-03-01' });
    const { hash } = await capabilities();
    await oracle.set({ statementDate: '2026-03-02' });
    expect((await capabilities()).hash).toBe(hash);
    await oracle.set({ statement: { omit: ['Goal'], claim: {}, padding: 0 } });
    expect((await capabilities()).hash).not.toBe(hash);
  });

  test('C31 a later edition amends the document by the rules of the vendor file', async () => {
    await oracle.seed(patient);
    const rules = vendors.oracle.documents;
    if (!isOffered(rules)) throw new Error('Oracle takes documents.');
    expect(rules).toMatchObject({ laterEdition: 'amend', retraction: 'entered-in-error' });
    const type = { coding: [{ system: 'http://loinc.org', ...rules.type }] };
    const content = [{ attachment: { contentType: rules.contentType, data: xhtml('<p>Second.</p>') } }];
    const { client, vendor, reply, id } = await create(aDocument({ type, content }));
    const amend = (docStatus: string) =>
      client.send({
        method: 'PUT',
        path: `DocumentReference/${id}`,
        body: { ...aDocument({ type, content, docStatus }), id },
        ifMatch: reply.versionTag,
      });
    expect(classify(vendor, updating, await amend('final')).class).toBe('permanent');
    expect(classify(vendor, updating, await amend('amended')).class).toBe('ok');
  });
});

test('the vendor of a connection is the one that it names', () => {
  for (const vendor of ['epic', 'oracle', 'standard'] as const) {
    expect(connectTo({ url: aConnection('http://127.0.0.1:1/r4').baseUrl }, { vendor }).vendor.id).toBe(vendor);
    expect(Object.keys(vendors[vendor])).toEqual(Object.keys(vendors.standard));
  }
});
