// The client's side of the quirks of an Epic server, E1 to E34 of ehr-behaviour, against the simulated one.

import { describe, expect, test } from '@jest/globals';
import { generateKey, publicKeySet } from '../../src/connections/auth/keys.ts';
import {
  classify,
  isOffered,
  isSearchResult,
  type RequestFacts,
  routeTable,
  vendors,
} from '../../src/connections/connections.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { hospitalSeed, inventedPeople } from '../../src/sandbox/sandbox.ts';
import { changesQuery } from './changes-query.ts';
import { idsOf, useHospital } from './hospital.ts';

const epic = useHospital('epic', '/epic/api/FHIR/R4');
const mrnSystem = 'urn:oid:1.2.3.4';
const [ada, bruno] = inventedPeople(2);
if (ada === undefined || bruno === undefined) throw new Error('Nobody was invented.');
const { queries } = vendors.epic;

async function seedPeople(): Promise<void> {
  const people = [ada, bruno].filter((one) => one !== undefined);
  const seed = hospitalSeed({ mrnSystem, people, since: '2026-03-01T08:00:00Z', padded: true });
  await epic.control('seed', seed);
}

const readAda = { method: 'GET', path: `Patient/${ada.id}` } as const;
const everything = ['system/*.crus'];

function aNote(change: JsonObject = {}): JsonObject {
  return {
    resourceType: 'DocumentReference',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] },
    subject: { reference: `Patient/${ada?.id}` },
    date: '2026-03-02T10:00:00-05:00',
    content: [
      { attachment: { contentType: 'text/plain', data: Buffer.from('Rides on Tuesdays.').toString('base64') } },
    ],
    context: { encounter: [{ reference: `Encounter/visit-${ada?.id}` }] },
    ...change,
  };
}

const createNote = (body = aNote()) => ({ method: 'POST', path: 'DocumentReference', body }) as const;
const creating: RequestFacts = { method: 'POST', kind: 'create', target: { resourceType: 'DocumentReference' } };
const reading: RequestFacts = { method: 'GET', kind: 'read', target: { resourceType: 'Patient', id: ada.id } };
const searching: RequestFacts = { method: 'GET', kind: 'search' };

describe('tokens', () => {
  test('E1 a token is asked for by a form in the body', async () => {
    const { client } = await epic.signedIn(everything);
    await seedPeople();
    expect(await client.send(readAda)).toMatchObject({ status: 200 });
    expect(await epic.asked('token')).toMatchObject([
      { method: 'POST', status: 200, requestHeaders: { 'content-type': 'application/x-www-form-urlencoded' } },
    ]);
  });

  test('E2 each assertion has an id of its own and is taken by a server whose clock is a little off', async () => {
    await seedPeople();
    for (const clockSkewSeconds of [-25, 0, 25]) {
      await epic.set({ clockSkewSeconds });
      const { client } = await epic.signedIn(everything);
      expect(await client.send(readAda)).toMatchObject({ status: 200 });
    }
    expect((await epic.asked('token')).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test.each([-15, 15])(
    'E2 a clock of ours that is %d minutes off costs one more request, by their time',
    async (minutes) => {
      await seedPeople();
      const { client } = await epic.signedIn(everything, {}, { now: () => Date.now() + minutes * 60_000 });
      expect(await client.send(readAda)).toMatchObject({ status: 200 });
      expect((await epic.asked('token')).map(({ status }) => status)).toEqual([400, 200]);
    },
  );

  test('E2 a key that is not the registered one is a fault of configuration, asked about once', async () => {
    const { client } = await epic.signedIn(everything, { key: await generateKey() });
    expect(await client.send(readAda)).toMatchObject({ fault: 'auth', reason: { code: 'connection-client-unknown' } });
    expect(await epic.asked('token')).toHaveLength(1);
  });

  test('E3 a key that was published before it signs is taken on the first day that it does', async () => {
    await seedPeople();
    const next = await generateKey();
    await epic.set({ auth: 'token' });
    // What /.well-known/jwks.json serves with `key: old, otherKeys: [next]`.
    await epic.register(everything, { jwks: await publicKeySet([epic.key, next]) });
    const auth = { type: 'smart-backend', clientId: 'casebridge', scopes: everything } as const;
    for (const [key, otherKeys] of [
      [epic.key, [next]],
      [next, [epic.key]],
    ] as const) {
      const { client } = epic.connect({ auth: { ...auth, key, otherKeys } });
      expect(await client.send(readAda)).toMatchObject({ status: 200 });
    }
  });

  test('E4 a client without a user there pauses the connection, and is asked about once', async () => {
    await epic.set({ unmappedUser: true });
    const connection = await epic.signedIn(everything);
    const reply = await connection.client.send(readAda);
    expect(reply).toMatchObject({ reason: { code: 'connection-client-not-allowed' } });
    expect(classify(connection.vendor, reading, reply).class).toBe('config');
    expect(await epic.asked('token')).toHaveLength(1);
    expect(await epic.asked()).not.toContainEqual(expect.objectContaining({ url: expect.stringContaining('Patient') }));
  });

  test('E5 a bare 400 is asked once more with a new assertion', async () => {
    await seedPeople();
    await epic.control('faults', [
      { method: 'POST', path: '/epic/oauth2/token', nth: 1, fault: { status: 400, body: '' } },
    ]);
    const { client } = await epic.signedIn(everything);
    expect(await client.send(readAda)).toMatchObject({ status: 200 });
    expect((await epic.asked('token')).map(({ status }) => status)).toEqual([400, 200]);
  });

  test('E6 one token serves many requests; its exploded scopes are understood, whatever was asked for', async () => {
    await seedPeople();
    const connection = await epic.signedIn(['system/Condition.crus', 'system/CarePlan.crus', 'system/Task.rsu'], {
      scopes: [],
    });
    await Promise.all([1, 2, 3].map(() => connection.client.send(readAda)));
    expect(await epic.asked('token')).toHaveLength(1);
    const scopes = await connection.scopes();
    expect('granted' in scopes ? scopes.granted : []).toContain('system/CarePlan.s');
    expect(await connection.diagnose()).toMatchObject({ auth: { ok: true }, findings: [] });
  });

  test('E6 what was asked for and is granted by category only is missing, and says so', async () => {
    const { diagnose } = await epic.signedIn(['system/Condition.crs', 'system/Goal.rs']);
    const { findings } = await diagnose();
    expect(findings).toMatchObject([
      { code: 'connection-scopes-missing', text: expect.stringContaining('did not grant system/Condition.crs.') },
    ]);
  });

  test('E7 a refused token is replaced once and the request repeated', async () => {
    await seedPeople();
    const { client } = await epic.signedIn(everything);
    await client.send(readAda);
    await epic.control('tokens/expire', {});
    expect(await client.send(readAda)).toMatchObject({ status: 200 });
    expect((await epic.asked()).filter(({ url }) => url.includes('Patient')).map(({ status }) => status)).toEqual([
      200, 401, 200,
    ]);
  });

  test('E8 an API that was not granted is denied, and asked for once', async () => {
    await seedPeople();
    const { client, vendor } = await epic.signedIn(['system/Goal.rs']);
    const reply = await client.send(readAda);
    expect(classify(vendor, reading, reply)).toMatchObject({ class: 'denied', reason: { code: 'server-denied' } });
    expect((await epic.asked()).filter(({ url }) => url.includes('Patient'))).toHaveLength(1);
  });
});

describe('requests', () => {
  test('E9 FHIR JSON is asked for, and the client names itself', async () => {
    await seedPeople();
    const { client } = await epic.signedIn(everything);
    expect(await client.send(readAda)).toMatchObject({ status: 200, body: { resourceType: 'Patient' } });
    expect((await epic.asked()).at(-1)?.requestHeaders).toMatchObject({
      accept: 'application/fhir+json',
      'epic-client-id': 'casebridge',
    });
  });

  test('E9 XML is refused with a plain reason', async () => {
    const xml = { 'content-type': 'application/fhir+xml' };
    await epic.control('faults', [{ path: 'Patient', fault: { status: 200, headers: xml, body: '<Patient/>' } }]);
    const { client, vendor } = epic.connect();
    const reply = await client.send(readAda);
    expect(reply).toMatchObject({ fault: 'not-json', reason: { code: 'connection-not-fhir' } });
    expect(classify(vendor, reading, reply).class).toBe('retry-backoff');
  });

  test('E10 what is not declared gets another route and is never sent', async () => {
    const { capabilities, vendor } = epic.connect();
    const rows = routeTable({
      capabilities: await capabilities(),
      vendor,
      overrides: {},
      task: 'answer',
      slots: [
        { recordType: 'carePlan', resourceType: 'CarePlan' },
        { recordType: 'referral', resourceType: 'ServiceRequest' },
        { recordType: 'referral', resourceType: 'Task' },
      ],
    });
    expect(rows.map(({ route }) => route)).toEqual(['document', 'document', 'answer']);
  });

  test('E10 a page instead of FHIR: nothing is read into it; a create that gets one is not offered', async () => {
    const { client, vendor } = epic.connect();
    const asked = await client.send({ method: 'GET', path: 'Nonsense' });
    expect(asked).toMatchObject({ fault: 'not-json', status: 404 });
    expect(classify(vendor, searching, asked).class).toBe('retry-backoff');
    const plan = { resourceType: 'CarePlan', status: 'active' };
    const created = await client.send({ method: 'POST', path: 'CarePlan', body: plan });
    expect(classify(vendor, { ...creating, target: { resourceType: 'CarePlan' } }, created)).toMatchObject({
      class: 'permanent',
      reason: { code: 'server-not-offered' },
    });
  });

  test('E11 an unknown id is gone', async () => {
    const { client, vendor } = epic.connect();
    expect(classify(vendor, reading, await client.send({ method: 'GET', path: 'Patient/unknown' })).class).toBe('gone');
  });

  test.each(
    Object.keys(vendors.epic.interactions).concat(
      'Appointment',
      'Communication',
      'Coverage',
      'DocumentReference',
      'Encounter',
      'Flag',
      'Procedure',
    ),
  )('E12 the search for changes of %s uses declared parameters only', async (resourceType) => {
    const connection = epic.connect();
    const { searchParams } = await connection.capabilities();
    const query = changesQuery(vendors.epic, resourceType, {
      since: new Date('2026-03-02T10:00:00Z'),
      declared: searchParams[resourceType] ?? [],
      patientId: 'p1',
    });
    const names = isOffered(query) ? Object.keys(query) : [];
    expect(names.filter((name) => !searchParams[resourceType]?.includes(name))).toEqual([]);
  });

  test('E12 so do the searches for people, visits and documents', async () => {
    const { searchParams } = await epic.connect().capabilities();
    const person = { family: 'A', birthDate: '1990-01-01', given: 'B', sex: 'female', phone: '1', postalCode: '2' };
    const time = { from: new Date(0), to: new Date(1) };
    const asked = [
      ['Patient', queries.patient(person)],
      ['Patient', queries.identifier('a', 'b')],
      ['Encounter', queries.encounters('p1')],
      ['DocumentReference', queries.documents({ patientId: 'p1', type: '11506-3', ...time })],
    ] as const;
    for (const [type, query] of asked) {
      expect(Object.keys(query).filter((name) => !searchParams[type]?.includes(name))).toEqual([]);
    }
  });

  test.each([
    'CarePlan',
    'Condition',
    'Goal',
    'Observation',
    'Task',
    'DocumentReference',
    'Encounter',
    'ServiceRequest',
    'Communication',
    'CareTeam',
    'Coverage',
    'Appointment',
    'QuestionnaireResponse',
  ])('E13 a search for %s names what the server requires', async (type) => {
    await seedPeople();
    const query = changesQuery(vendors.epic, type, { declared: [], patientId: ada.id });
    const result = await epic.connect().client.searchAll(type, isOffered(query) ? query : {});
    expect(result).toMatchObject({ complete: true });
  });

  test('E13 the worst issue counts, wherever it stands', async () => {
    const { client, vendor } = epic.connect();
    const reply = await client.searchAll('CarePlan', { patient: ada.id });
    expect(isSearchResult(reply)).toBe(false);
    expect(isSearchResult(reply) ? undefined : classify(vendor, searching, reply)).toMatchObject({
      class: 'permanent',
    });
    const { findings } = await epic.connect().diagnose();
    expect(findings).toEqual([]);
  });

  test('E33 Tasks of a patient are asked for, and those of anybody who is referred to the community', () => {
    expect(changesQuery(vendors.epic, 'Task', { declared: [] })).toEqual({
      code: 'community-resource',
      status: 'requested',
    });
    expect(changesQuery(vendors.epic, 'Task', { declared: [], patientId: 'p1' })).toEqual({
      patient: 'p1',
      code: 'community-resource',
    });
  });
});

describe('searches', () => {
  function conditions(count: number): JsonObject[] {
    return Array.from({ length: count }, (_unused, index) => ({
      resourceType: 'Condition',
      id: `problem-${index}`,
      subject: { reference: `Patient/${ada?.id}` },
      category: [
        {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }],
        },
      ],
      code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: `Z59.${index}` }] },
    }));
  }

  test('E14 no result is an empty and complete set, its outcome no resource', async () => {
    await seedPeople();
    expect(await epic.connect().client.searchAll('Goal', { patient: ada.id })).toMatchObject({
      resources: [],
      complete: true,
    });
  });

  test('E15 what a grant leaves out makes the result a partial view', async () => {
    await seedPeople();
    await epic.seed(...conditions(2));
    const category = 'http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item';
    const scopes = [`system/Condition.r?category=${category}`, `system/Condition.s?category=${category}`];
    const { client } = await epic.signedIn(scopes);
    const result = await client.searchAll('Condition', { patient: ada.id });
    expect(idsOf(result)).toHaveLength(2);
    expect(result).toMatchObject({ complete: false, reason: { code: 'search-partial' } });
  });

  test('E16 pages are followed to their end, a short one in the middle and totals that mean the page notwithstanding', async () => {
    await seedPeople();
    await epic.seed(...conditions(7));
    const result = await epic.connect().client.searchAll('Condition', { patient: ada.id, _count: '2' });
    expect(idsOf(result)).toHaveLength(7);
    expect(result).toMatchObject({ complete: true });
  });

  test('E16 a session that ran out begins again at the first page; nothing is missing or doubled', async () => {
    await seedPeople();
    await epic.seed(...conditions(7));
    await epic.control('faults', [
      {
        method: 'GET',
        path: 'Condition',
        nth: 3,
        fault: { status: 400, body: sessionOver },
      },
    ]);
    const result = await epic.connect().client.searchAll('Condition', { patient: ada.id, _count: '2' });
    expect(new Set(idsOf(result)).size).toBe(7);
    expect(idsOf(result)).toHaveLength(7);
    expect(result).toMatchObject({ complete: true });
    const firsts = (await epic.asked()).filter(({ url }) => url.includes('patient='));
    expect(firsts).toHaveLength(2);
  });

  test('E16 sessions that always run out end in a fault that passes', async () => {
    await seedPeople();
    await epic.seed(...conditions(7));
    const { client, vendor } = epic.connect();
    await epic.set({ pageSeconds: 1 });
    await epic.control('faults', [
      { path: 'Condition', nth: 2, times: 100, fault: { status: 400, body: sessionOver } },
    ]);
    const reply = await client.searchAll('Condition', { patient: ada.id, _count: '2' });
    const found = isSearchResult(reply) ? undefined : classify(vendor, searching, reply);
    expect(found).toMatchObject({ class: 'retry-backoff', reason: { code: 'search-session-over' } });
    expect((await epic.asked()).length).toBeLessThan(12);
  });

  const sessionOver = {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'fatal', code: 'processing', details: { coding: [{ system: 'urn:oid:1.2', code: '4113' }] } }],
  };

  test('E17 nothing is asked by time, documents excepted', () => {
    const since = new Date('2026-03-02T10:00:00.123Z');
    expect(
      changesQuery(vendors.epic, 'Goal', { since, declared: ['_lastUpdated', 'patient'], patientId: 'p1' }),
    ).toEqual({ patient: 'p1' });
    expect(
      changesQuery(vendors.epic, 'DocumentReference', { since, declared: ['_lastupdated'], patientId: 'p1' }),
    ).toEqual({
      patient: 'p1',
      _lastupdated: 'ge2026-03-02T10:00:00Z',
    });
  });

  test('E18 an identifier is sent without the blanks that it may carry, and finds a padded one', async () => {
    await seedPeople();
    const query = queries.identifier(mrnSystem, `   ${ada.mrn} `);
    expect(query).toEqual({ identifier: `${mrnSystem}|${ada.mrn}` });
    expect(idsOf(await epic.connect().client.searchAll('Patient', query))).toEqual([ada.id]);
  });

  test('E18 more than a hundred patients: incomplete, and asks for more criteria', async () => {
    const twins = Array.from({ length: 101 }, (_unused, index) => ({
      resourceType: 'Patient',
      id: `twin-${index}`,
      name: [{ family: 'Okonkwo-Lund', given: ['Twin'] }],
      gender: 'female',
      birthDate: '1990-01-01',
    }));
    await epic.seed(...twins);
    const { client, vendor } = epic.connect();
    const query = queries.patient({ family: 'Okonkwo-Lund', birthDate: '1990-01-01' });
    const result = await client.searchAll('Patient', query);
    const reason = isSearchResult(result) ? result.reason : classify(vendor, searching, result).reason;
    expect(reason).toMatchObject({ code: 'search-too-many' });
  });

  test('E20 a patient who was merged is read where the server points', async () => {
    await seedPeople();
    await epic.set({ merged: { 'old-id': ada.id } });
    const reply = await epic.connect().client.send({ method: 'GET', path: 'Patient/old-id' });
    expect(reply).toMatchObject({ status: 200, redirected: true, body: { id: ada.id } });
  });

  test('E21 a restricted patient is denied, and the reason says nothing of them', async () => {
    await seedPeople();
    await epic.set({ restricted: [ada.id] });
    const { client, vendor } = epic.connect();
    const found = classify(vendor, reading, await client.send(readAda));
    expect(found.class).toBe('denied');
    expect(found.reason?.text).not.toContain(ada.family);
  });
});

describe('writes', () => {
  test('E22 the new id comes from a relative Location, and the resource is read back', async () => {
    await seedPeople();
    const { client, vendor } = epic.connect();
    const reply = await client.send(createNote());
    expect(reply).toMatchObject({ status: 201, location: { resourceType: 'DocumentReference' } });
    expect(reply).not.toHaveProperty('versionTag', expect.any(String));
    expect(classify(vendor, creating, reply).class).toBe('ok');
    const id = reply.fault === undefined ? reply.location?.id : undefined;
    expect(await client.send({ method: 'GET', path: `DocumentReference/${id}` })).toMatchObject({ body: { id } });
  });

  test('E23 a create carries no If-None-Exist; a duplicate means that it is there', async () => {
    expect(isOffered(vendors.epic.create.conditional)).toBe(false);
    await seedPeople();
    const { client, vendor } = epic.connect();
    const body: JsonObject = {
      resourceType: 'Condition',
      subject: { reference: `Patient/${ada.id}` },
      category: [
        {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }],
        },
      ],
      code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'Z59.41' }] },
    };
    const asked: RequestFacts = { method: 'POST', kind: 'create', target: { resourceType: 'Condition' } };
    expect(classify(vendor, asked, await client.send({ method: 'POST', path: 'Condition', body })).class).toBe('ok');
    expect(classify(vendor, asked, await client.send({ method: 'POST', path: 'Condition', body }))).toMatchObject({
      class: 'unknown-outcome',
      reason: { code: 'server-duplicate' },
    });
  });

  test('E25 what the server stores in its own form is listed, so that it counts as no change of theirs', async () => {
    await seedPeople();
    const { client, vendor } = epic.connect();
    const sent: JsonObject = {
      resourceType: 'Condition',
      subject: { reference: `Patient/${ada.id}` },
      category: [
        {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'encounter-diagnosis' }],
        },
      ],
      code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'Z59.41' }], text: 'Food insecurity' },
      recordedDate: '2026-03-02',
    };
    const reply = await client.send({ method: 'POST', path: 'Condition', body: sent });
    const id = reply.fault === undefined ? reply.location?.id : undefined;
    const read = await client.send({ method: 'GET', path: `Condition/${id}` });
    const stored = read.fault === undefined && isObject(read.body ?? null) ? read.body : undefined;
    const rewritten = Object.keys(sent).filter(
      (element) => JSON.stringify(stored?.[element]) !== JSON.stringify(sent[element]),
    );
    expect(rewritten.length).toBeGreaterThan(0);
    expect(vendor.rewrites.Condition).toEqual(expect.arrayContaining(rewritten));
  });

  test.each<[string, JsonObject]>([
    ['without an encounter', { context: {} }],
    ['of a type outside the list', { type: { coding: [{ system: 'http://loinc.org', code: '18776-5' }] } }],
    ['without docStatus', { docStatus: 'amended' }],
  ])('E26 a note %s is refused for good', async (_name, change) => {
    await seedPeople();
    const { client, vendor } = epic.connect();
    expect(classify(vendor, creating, await client.send(createNote(aNote(change)))).class).toBe('permanent');
  });

  test('E26 E34 a note by the rules of the vendor file is taken', async () => {
    await seedPeople();
    const rules = vendors.epic.documents;
    if (!isOffered(rules)) throw new Error('Epic takes notes.');
    const body = aNote({
      type: { coding: [{ system: 'http://loinc.org', ...rules.type }] },
      content: [{ attachment: { contentType: rules.contentType, data: 'QQ==' } }],
    });
    expect(await epic.connect().client.send(createNote(body))).toMatchObject({ status: 201 });
    expect(rules.encounter).toBe('required');
    expect(rules.laterEdition).toBe('new-note');
  });

  test('E24 a Task is answered without a tag; a move that is not legal is refused for good', async () => {
    expect(isOffered(vendors.epic.update.ifMatch)).toBe(false);
    await seedPeople();
    const task: JsonObject = {
      resourceType: 'Task',
      id: 'referral-1',
      status: 'requested',
      intent: 'order',
      code: { coding: [{ system: 'urn:oid:1.2.840.114350.1.13.0.1.7.2.5', code: 'community-resource' }] },
      for: { reference: `Patient/${ada.id}` },
    };
    await epic.seed(task);
    const { client, vendor } = epic.connect();
    const facts: RequestFacts = { method: 'PUT', kind: 'update', target: { resourceType: 'Task', id: 'referral-1' } };
    const move = async (status: string) =>
      classify(vendor, facts, await client.send({ method: 'PUT', path: 'Task/referral-1', body: { ...task, status } }));
    expect((await move('completed')).class).toBe('permanent');
    expect((await move('accepted')).class).toBe('ok');
    expect((await epic.asked()).every(({ requestHeaders }) => requestHeaders['if-match'] === undefined)).toBe(true);
  });

  test('E32 an update of a note is refused for good: a later edition is a new note', async () => {
    await seedPeople();
    const { client, vendor } = epic.connect();
    const reply = await client.send(createNote());
    const id = reply.fault === undefined ? reply.location?.id : undefined;
    const body = { ...aNote(), id: String(id) };
    const facts: RequestFacts = { method: 'PUT', kind: 'update', target: { resourceType: 'DocumentReference' } };
    const updated = await client.send({ method: 'PUT', path: `DocumentReference/${id}`, body });
    expect(classify(vendor, facts, updated).class).toBe('permanent');
    expect(vendor.documents).toMatchObject({ laterEdition: 'new-note', retraction: 'note' });
  });

  test('E27 a search is a GET with its query in the URL', async () => {
    await seedPeople();
    await epic.connect().client.searchAll('Goal', { patient: ada.id });
    expect((await epic.asked()).at(-1)).toMatchObject({
      method: 'GET',
      url: expect.stringContaining(`patient=${ada.id}`),
    });
  });

  test('E28 ids are taken as they are, 64 characters with dots and dashes in either case', async () => {
    await seedPeople();
    const { client } = epic.connect();
    const reply = await client.send(createNote());
    const id = (reply.fault === undefined && reply.location?.id) || '';
    expect(id.length).toBeGreaterThan(20);
    expect(await client.send({ method: 'GET', path: `DocumentReference/${id}` })).toMatchObject({ status: 200 });
    const other = id === id.toLowerCase() ? id.toUpperCase() : id.toLowerCase();
    const missed = await client.send({ method: 'GET', path: `DocumentReference/${other}` });
    expect(missed).toMatchObject({ status: 404 });
  });

  test.each([502, 503])('E29 an outage page (%d): a read backs off, a write has an unknown outcome', async (status) => {
    const html = { 'content-type': 'text/html' };
    await epic.control('faults', [{ fault: { status, headers: html, body: '<html>Down</html>' } }]);
    const { client, vendor } = epic.connect();
    expect(classify(vendor, reading, await client.send(readAda)).class).toBe('retry-backoff');
    expect(classify(vendor, creating, await client.send(createNote())).class).toBe('unknown-outcome');
  });

  test("E30 the daily cap waits until the server's next day", async () => {
    await seedPeople();
    await epic.set({ documentCap: 1 });
    await epic.control('clock', { now: '2026-03-02T22:00:00Z' });
    const { client, vendor } = epic.connect();
    expect(classify(vendor, creating, await client.send(createNote())).class).toBe('ok');
    const over = classify(vendor, creating, await client.send(createNote()));
    expect(over).toMatchObject({ class: 'retry-backoff', reason: { code: 'server-daily-cap' } });
    expect(over.retryAfterMs).toBeGreaterThan(0);
    expect(over.retryAfterMs).toBeLessThanOrEqual(24 * 3_600_000);
  });

  test.each(['0.1', '338.3'])('E31 codes count at every site, whatever their system (%s)', async (instance) => {
    await seedPeople();
    await epic.set({ instance, restricted: [ada.id] });
    const { client, vendor } = epic.connect();
    const reply = await client.send(readAda);
    expect(JSON.stringify(reply)).toContain(`1.2.840.114350.1.13.${instance}.`);
    expect(classify(vendor, reading, reply).class).toBe('denied');
  });
});
