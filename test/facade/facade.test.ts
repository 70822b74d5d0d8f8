import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { type PartnerConfig, partnerScopes } from '../../src/config.ts';
import type { Gateway } from '../../src/gateway.ts';
import { buildApp, type Listening, listen } from '../../src/http/http.ts';
import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../../src/json.ts';
import { patched } from '../../src/mapping/mapping.ts';
import type { RecordType } from '../../src/records/records.ts';
import type { Store } from '../../src/store/store.ts';
import { aCase, aClient, aConsent, aGoal, aNeed, anOrganization, aReferral, aService } from '../builders.ts';
import { caseload } from '../support/caseload.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { type FhirAnswer, PartnerClient, partnerKey, publicUrl } from '../support/partner-client.ts';
import { pantry, withPartners } from '../support/partners.ts';
import {
  aConnection,
  accept,
  eventually,
  idle,
  startServer,
  startTestGateway,
  type TestServer,
} from '../support/rig.ts';

let server: TestServer;
let store: Store;
let gateway: Gateway;
let listening: Listening;
let client: PartnerClient;
let shelter: PartnerClient;
let partners: readonly PartnerConfig[];
/** Where the gateway listens now. */
let url: string;

async function start(): Promise<void> {
  // It holds Tasks of its own; those of partners are copies there.
  const hospital = aConnection(server.base, { id: 'hospital', task: 'home' });
  const config = withPartners([hospital], partners, { server: { port: 0, host: '127.0.0.1', publicUrl } });
  // One store for all starts of this file.
  gateway = await startTestGateway({ ...store, close: async () => {} }, config);
  listening = await listen(buildApp(gateway.api), config.server);
  url = listening.url;
}

async function stop(): Promise<void> {
  await listening.close(100);
  await gateway.stop();
}

beforeAll(async () => {
  server = await startServer();
  store = await freshEmbedded();
  const [es, rs] = [await partnerKey('ES384'), await partnerKey('RS384')];
  const registered = (id: string, published: object): PartnerConfig['client'] => ({
    id,
    keys: { keys: [published] },
    scopes: partnerScopes,
  });
  partners = [
    { ...pantry, client: registered('pantry-app', es.published) },
    {
      id: 'shelter',
      organization: { source: 'county', id: 'org-shelter' },
      client: registered('shelter-app', rs.published),
    },
  ];
  await start();
  client = await new PartnerClient(listening.url, 'pantry-app', es.key).signIn();
  shelter = await new PartnerClient(listening.url, 'shelter-app', rs.key).signIn();
}, 60_000);

afterAll(async () => {
  await stop();
  await store.close();
  await server.stop();
});

/** A case of its own, with a referral to the pantry that the client permits. */
function caseOf(
  id: string,
  more: { consent?: Parameters<typeof aConsent>[0]; names?: string; organizationId?: string } = {},
) {
  const ids = { clientId: `client-${id}`, caseId: `case-${id}` };
  const items: (readonly [RecordType, JsonObject])[] = [
    [
      'client',
      aClient({
        id: ids.clientId,
        identifiers: [],
        birthDate: '1971-01-01',
        names: [{ use: 'legal', family: id, given: ['Lee'] }],
      }),
    ],
    ['case', aCase({ id: ids.caseId, clientId: ids.clientId })],
    ['need', aNeed({ ...ids, id: `need-${id}` })],
    ['need', aNeed({ ...ids, id: `need-${id}-other`, description: 'Not part of the referral.' })],
    ['goal', aGoal({ ...ids, id: `goal-${id}`, needIds: [`need-${id}`] })],
    ['consent', aConsent({ id: `consent-${id}`, clientId: ids.clientId, ...more.consent })],
    [
      'referral',
      aReferral({
        ...ids,
        id: `referral-${id}`,
        needIds: [`need-${id}`],
        goalIds: [`goal-${id}`],
        consentId: more.names ?? `consent-${id}`,
        ...(more.organizationId !== undefined && { organizationId: more.organizationId, serviceId: undefined }),
      }),
    ],
  ];
  return items;
}

async function taskOf(id: string, by = client): Promise<JsonObject> {
  const value = `https://agency.example.org/casebridge|county/referral/referral-${id}#fulfilment`;
  const [task] = await by.search(`Task?identifier=${encodeURIComponent(value)}`);
  if (task === undefined) throw new Error(`no Task of ${id}`);
  return task;
}

function issueOf({ body }: FhirAnswer): { code: unknown; text: unknown } {
  const [issue] = objectsAt(body, 'issue');
  return { code: issue?.code, text: isObject(issue?.details) ? issue.details.text : undefined };
}

async function changesOf(id: string): Promise<JsonObject[]> {
  const rows = await store.db.selectFrom('change').select('body').where('id', '=', id).orderBy('cursor').execute();
  return rows.flatMap(({ body }) => (body === null ? [] : [body]));
}

/** The source takes over what was offered of its referral. */
async function takeOver(
  id: string,
  patch: { readonly [field: string]: Json | undefined },
  updatedAt: string,
): Promise<void> {
  const row = await store.db
    .selectFrom('record')
    .select('content')
    .where('type', '=', 'referral')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await accept(gateway, ['referral', { ...row.content, ...patch, updatedAt }]);
}

describe('a referral to a partner with a system', () => {
  beforeAll(async () => {
    await accept(
      gateway,
      ...caseload(),
      ['consent', aConsent()],
      ['organization', anOrganization({ id: 'org-shelter', name: 'Harbor Shelter' })],
    );
    await accept(gateway, ...caseOf('moved'), ...caseOf('deep', { consent: { recordTypes: ['client', 'referral'] } }));
    await idle(gateway);
  });

  test('is accepted there, offered to its source, and mirrored at the hospital once the source has taken it over', async () => {
    const task = await taskOf('pantry');
    expect(task.status).toBe('requested');
    const before = Date.now();
    const answer = await client.change(`Task/${task.id}`, (one) => ({ ...one, status: 'accepted' }));
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });

    await eventually(async () => (await changesOf('referral-pantry')).length > 0, 'the change');
    const [change] = await changesOf('referral-pantry');
    expect(change).toMatchObject({ status: 'accepted' });
    await takeOver('referral-pantry', change ?? {}, '2026-02-05T10:00:00-05:00');
    const mirrored = async () => server.own('Task', 'county/referral/referral-pantry#fulfilment');
    await eventually(async () => (await mirrored()).status === 'accepted', 'the mirrored Task');
    console.info(`from the partner's write to the hospital's Task: ${Date.now() - before} ms`);
    expect((await mirrored()).meta).toMatchObject({
      tag: expect.arrayContaining([expect.objectContaining({ code: 'copy' })]),
    });

    await idle(gateway);
    expect(await store.db.selectFrom('decision').selectAll().where('state', '=', 'open').execute()).toEqual([]);
  });

  test('shows what it speaks of, and nothing else of the case', async () => {
    const [request] = await client.search(`ServiceRequest?_id=${refOf((await taskOf('moved')).focus)}`);
    const patient = refOf(request?.subject);
    const own = async (type: string) => client.search(`${type}?patient=${patient}`);
    expect(await own('Condition')).toHaveLength(1);
    expect(await own('Goal')).toHaveLength(1);
    expect(await own('Consent')).toHaveLength(1);
    expect(await client.search(`Patient?_id=${patient}`)).toHaveLength(1);
    const held = await store.db
      .selectFrom('home_resource')
      .select('own_value')
      .where('partner', '=', 'pantry')
      .execute();
    const values = held.map(({ own_value }) => own_value);
    expect(values).not.toContain('county/need/need-moved-other#condition');
    expect(values.filter((value) => value?.includes('case/'))).toEqual([]);
    expect(await store.db.selectFrom('lane').select('subject').where('connection', '=', 'shelter').execute()).toEqual(
      [],
    );
  });

  test('shows nothing of the referral that it carries out a part of', async () => {
    const whole = aReferral({
      id: 'referral-whole',
      clientId: 'client-moved',
      caseId: 'case-moved',
      direction: 'incoming',
      requestedText: 'Everything at home',
      requesterOrganizationId: 'org-shelter',
      needIds: ['need-moved-other'],
      goalIds: [],
      origin: { connection: 'hospital', resourceType: 'Task', id: 'hospital-task' },
    });
    await accept(gateway, ['referral', whole]);
    await takeOver('referral-moved', { partOfId: 'referral-whole' }, '2026-02-05T09:00:00-05:00');
    await idle(gateway);
    const asked = await taskOf('moved');
    const [request] = await client.search(`ServiceRequest?_id=${refOf(asked.focus)}`);
    expect(request).toMatchObject({ intent: 'filler-order' });
    expect(request).not.toHaveProperty('basedOn');
    expect(asked).not.toHaveProperty('partOf');
    const patient = refOf(request?.subject);
    const all = await Promise.all(
      ['Task', 'ServiceRequest', 'Condition', 'Goal'].map((type) => client.search(`${type}?patient=${patient}`)),
    );
    expect(JSON.stringify(all)).not.toMatch(/referral-whole|hospital-task|Everything at home|Not part of the referral/);
    expect(all.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
  });

  test('shows of that only what the client has named', async () => {
    const [request] = await client.search(`ServiceRequest?_id=${refOf((await taskOf('deep')).focus)}`);
    const patient = refOf(request?.subject);
    expect(await client.search(`Patient?_id=${patient}`)).toHaveLength(1);
    expect(await client.search(`Condition?patient=${patient}`)).toEqual([]);
    expect(await client.search(`Goal?patient=${patient}`)).toEqual([]);
  });

  test('is completed with what was done', async () => {
    const { id, focus, for: subject } = await taskOf('moved');
    for (const status of ['accepted', 'in-progress'])
      expect((await client.change(`Task/${id}`, (one) => ({ ...one, status }))).status).toBe(200);
    const made = await client.fhir('POST', 'Procedure', {
      resourceType: 'Procedure',
      status: 'completed',
      basedOn: [isObject(focus) ? focus : {}],
      subject: isObject(subject) ? subject : {},
      code: { coding: [{ system: 'http://snomed.info/sct', code: '464161000124109' }], text: 'Groceries' },
      performedDateTime: '2026-02-06',
      note: [{ text: '<img src=x onerror=alert(1)>' }],
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><script>1</script></div>' },
    });
    expect(made.status).toBe(201);
    expect(made.body.text).toBeUndefined();
    const location = made.headers.get('location') ?? '';
    expect(location).toBe(`${publicUrl}/fhir/R4/Procedure/${made.body.id}/_history/1`);
    expect((await client.fhir('GET', `Procedure/${made.body.id}`)).body).toEqual(made.body);

    const done = await client.change(`Task/${id}`, (one) => ({
      ...one,
      status: 'completed',
      output: [
        {
          type: {
            coding: [
              {
                system: 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes',
                code: 'resulting-activity',
              },
            ],
          },
          valueReference: { reference: `${publicUrl}/fhir/R4/Procedure/${made.body.id}` },
        },
      ],
      note: [{ text: '<script>alert(1)</script> thanks', authorReference: { reference: 'Practitioner/somebody' } }],
    }));
    expect(done.status).toBe(200);
    expect(objectsAt(done.body, 'output')[0]).toMatchObject({
      valueReference: { reference: `Procedure/${made.body.id}` },
    });
    expect(objectsAt(done.body, 'note')[0]).toMatchObject({ authorReference: (await taskOf('moved')).owner });
    await idle(gateway);
    const last = (await changesOf('referral-moved')).at(-1);
    expect(last).toMatchObject({
      status: 'completed',
      outcome: { code: 'service-received', confirmedBy: 'partner' },
      comments: [{ text: '<script>alert(1)</script> thanks', byOrganizationId: 'org-pantry' }],
    });
  });

  test.each([
    ['untaken', false],
    ['taken', true],
  ])('is told of once more where words or results come after the status: %s', async (name, isTakenOver) => {
    await accept(gateway, ...caseOf(name));
    await idle(gateway);
    const { id, focus, for: subject } = await taskOf(name);
    const change = async (more: JsonObject) => {
      const asked = ({ statusReason: _before, ...one }: JsonObject) => ({ ...one, ...more });
      expect((await client.change(`Task/${id}`, asked)).status).toBe(200);
      await idle(gateway);
      const changes = await changesOf(`referral-${name}`);
      if (isTakenOver) {
        const of = store.db.selectFrom('record').select('content').where('id', '=', `referral-${name}`);
        const { content } = await of.executeTakeFirstOrThrow();
        const updatedAt = new Date(Date.parse('2026-03-01T10:00:00Z') + changes.length * 1000).toISOString();
        await accept(gateway, ['referral', { ...patched(content, changes.at(-1) ?? {}), updatedAt }]);
        await idle(gateway);
      }
      return changes;
    };
    await change({ status: 'accepted' });
    await change({ status: 'on-hold', statusReason: { text: 'Staff ill until Monday' } });
    const held = await change({ statusReason: { text: 'Closed until April' } });
    expect(objectsAt(held.at(-1), 'history').slice(-2)).toMatchObject([
      { status: 'on-hold', reason: 'Staff ill until Monday' },
      { status: 'on-hold', reason: 'Closed until April' },
    ]);
    await change({ status: 'in-progress' });
    const ended = await change({ status: 'completed' });
    expect(ended.at(-1)).toMatchObject({ outcome: { code: 'other', text: 'outcome unknown' } });
    const made = await client.fhir('POST', 'Procedure', {
      resourceType: 'Procedure',
      status: 'completed',
      basedOn: [isObject(focus) ? focus : {}],
      subject: isObject(subject) ? subject : {},
      code: { text: 'Groceries' },
      performedDateTime: '2026-02-06',
    });
    const type = { coding: [{ code: 'resulting-activity' }] };
    const told = await change({ output: [{ type, valueReference: { reference: `Procedure/${made.body.id}` } }] });
    expect(told).toHaveLength(ended.length + 1);
    expect(told.at(-1)).toMatchObject({ outcome: { code: 'service-received', text: null, confirmedBy: 'partner' } });
    const steps = objectsAt(Object.assign({}, ...told), 'history').map(({ status }) => status);
    expect(steps).toEqual(['draft', 'sent', 'accepted', 'on-hold', 'on-hold', 'in-progress', 'completed']);
    expect(await change({ businessStatus: { text: 'Filed' } })).toHaveLength(told.length);
    expect(
      await store.db.selectFrom('decision').select('topic').where('record_id', '=', `referral-${name}`).execute(),
    ).toEqual([]);
  });

  test('that has ended tells no more of the client: that is there only as long as a Task needs it', async () => {
    await accept(gateway, ...caseOf('spared'));
    await idle(gateway);
    const { id, focus, for: subject } = await taskOf('spared');
    const [order] = await client.search(`ServiceRequest?_id=${refOf(focus)}`);
    const spokenOf = [
      ['Patient', subject],
      ['Condition', objectsAt(order, 'reasonReference')[0]],
      ['Consent', objectsAt(order, 'supportingInfo')[0]],
    ] as const;
    const statuses = async () => {
      const asked = spokenOf.map(([type, reference]) => client.fhir('GET', `${type}/${refOf(reference)}`));
      return (await Promise.all(asked)).map(({ status }) => status);
    };
    expect(await statuses()).toEqual([200, 200, 200]);
    expect(await client.search(`Goal?patient=${refOf(subject)}`)).toHaveLength(1);
    const statusReason = { text: 'No room' };
    await client.change(`Task/${id}`, (one) => ({ ...one, status: 'rejected', statusReason }));
    await idle(gateway);
    expect(await statuses()).toEqual([404, 404, 404]);
    expect(await client.search(`Patient?_id=${refOf(subject)}`)).toEqual([]);
    expect(await client.search(`Goal?patient=${refOf(subject)}`)).toEqual([]);
    expect((await client.fhir('GET', `Task/${id}`)).body).toMatchObject({ status: 'rejected' });
    expect((await client.fhir('GET', `ServiceRequest/${refOf(focus)}`)).status).toBe(200);

    // A new referral of the same client opens it again.
    const again = aReferral({
      id: 'referral-spared-again',
      clientId: 'client-spared',
      caseId: 'case-spared',
      needIds: [],
      goalIds: [],
      consentId: 'consent-spared',
    });
    await accept(gateway, ['referral', again]);
    await idle(gateway);
    expect(await statuses()).toEqual([200, 404, 200]);
  });

  test("is somebody else's Task for any other partner", async () => {
    const { id } = await taskOf('pantry');
    const read = await shelter.fhir('GET', `Task/${id}`);
    expect([read.status, issueOf(read).code]).toEqual([404, 'not-found']);
    expect(await shelter.search(`Task?_id=${id}`)).toEqual([]);
    expect(await shelter.search('Patient')).toEqual([]);
    const write = await shelter.fhir(
      'PUT',
      `Task/${id}`,
      { resourceType: 'Task', id: String(id) },
      { 'if-match': 'W/"1"' },
    );
    expect(write.status).toBe(404);
    expect((await shelter.fhir('GET', 'Task/no-such-task')).body).toEqual(read.body);
  });

  test('every access is kept: who, what, when, and what was refused', async () => {
    const { id } = await taskOf('pantry');
    await client.fhir('GET', `Task/${id}`);
    await shelter.fhir('GET', `Task/${id}`);
    const rows = await store.db
      .selectFrom('audit')
      .selectAll()
      .where('resource_id', '=', String(id))
      .orderBy('id')
      .execute();
    const seen = rows.map(({ actor, action, outcome }) => `${actor} ${action} ${outcome}`);
    expect(seen).toEqual(
      expect.arrayContaining(['client:pantry-app update done', 'client:shelter-app read resource-not-theirs']),
    );
    expect(seen.slice(-2)).toEqual(['client:pantry-app read done', 'client:shelter-app read resource-not-theirs']);
  });

  test.each([
    ['an id of a NUL', 'GET', 'Task/%00', 404, 'read Task resource-not-theirs'],
    ['an id of a NUL to write to', 'PUT', 'Task/%00', 404, 'update Task resource-not-theirs'],
    ["somebody's name for an id", 'GET', 'Patient/Rosa%20Delgado', 404, 'read Patient resource-not-theirs'],
    ['an id that is too long', 'GET', `Patient/${'a'.repeat(65)}`, 404, 'read Patient resource-not-theirs'],
    ['a search for a NUL', 'GET', 'Patient?_id=%00', 200, 'search Patient done'],
    ['a search for an id with a NUL', 'GET', 'Task?_id=a%00', 200, 'search Task done'],
    ['a search for a status of a NUL', 'GET', 'Task?status=%00', 400, 'search Task search-value-invalid'],
    ['a page at a NUL', 'GET', `Task?_page=${btoa('1 \0')}`, 400, 'search Task search-value-invalid'],
    ['a type that is not offered', 'GET', 'Observation', 404, 'search Observation partner-type-unknown'],
    ["somebody's name for a type", 'GET', 'Rosa', 404, 'search unknown partner-type-unknown'],
    ['what is not offered', 'DELETE', 'Task/x1', 405, 'delete Task x1 interaction-unknown'],
    ['what is not offered, with more behind it', 'GET', 'Task/x1/%00', 405, 'read Task x1 interaction-unknown'],
  ])('%s is answered, and kept without what is no id', async (_what, method, path, status, row) => {
    await store.db.deleteFrom('audit').execute();
    const body = method === 'PUT' ? { resourceType: 'Task', id: 'x1' } : undefined;
    const answer = await client.fhir(method, path, body, { 'if-match': 'W/"1"' });
    const kept = await store.db.selectFrom('audit').selectAll().execute();
    const told = kept.map(({ actor, action, resource_type, resource_id, outcome }) =>
      [actor, action, resource_type, resource_id, outcome].filter((one) => one !== null).join(' '),
    );
    expect([answer.status, told]).toEqual([status, [`client:pantry-app ${row}`]]);
  });
});

describe('what is asked of a Task', () => {
  let id: string;

  beforeAll(async () => {
    await accept(gateway, ...caseOf('asked'));
    await idle(gateway);
    id = String((await taskOf('asked')).id);
  });

  const state = async () => (await client.fhir('GET', `Task/${id}`)).body;

  test.each<[string, JsonObject, number, RegExp]>([
    [
      'that skips states',
      { status: 'completed' },
      422,
      /From requested the performer may go to: accepted, rejected, cancelled/,
    ],
    ["that is the requester's to do", { status: 'entered-in-error' }, 422, /may go to: accepted/],
    ['that refuses without a reason', { status: 'rejected' }, 422, /statusReason\.text/],
    ['of an element that is not theirs', { status: 'accepted', priority: 'stat' }, 403, /may not change priority/],
    ['that takes away who owns it', { owner: { reference: 'Organization/other' } }, 403, /may not change owner/],
    ['to no status at all', { status: 'done' }, 422, /may go to/],
    [
      'that names an output of nobody',
      { output: [{ type: { text: 'x' }, valueReference: { reference: 'Procedure/none' } }] },
      422,
      /no Procedure of this referral/,
    ],
    ['that is another one', { id: 'another' }, 400, /names one Task and the id of the body another/],
    ['that is no R4', { executionPeriod: { begin: '2026' } }, 422, /breaks a rule of FHIR R4/],
  ])('%s changes nothing', async (_what, change, status, words) => {
    const before = await state();
    const answer = await client.change(`Task/${id}`, (task) => ({ ...task, ...change }));
    expect(answer.status).toBe(status);
    expect(answer.body.resourceType).toBe('OperationOutcome');
    expect(issueOf(answer).text).toMatch(words);
    expect(await state()).toEqual(before);
  });

  test('takes no note away', async () => {
    await client.change(`Task/${id}`, (task) => ({ ...task, note: [{ text: 'We have called.' }] }));
    const answer = await client.change(`Task/${id}`, (task) => ({ ...task, note: [{ text: 'Never mind.' }] }));
    expect([answer.status, issueOf(answer).text]).toEqual([422, expect.stringMatching(/stay as they are/)]);
  });

  test('needs its id in the body', async () => {
    const answer = await client.change(`Task/${id}`, ({ id: _id, ...task }) => ({ ...task, status: 'accepted' }));
    expect([answer.status, issueOf(answer).code]).toEqual([400, 'invalid']);
    expect((await state()).status).toBe('requested');
  });

  test('needs the version that it is made to', async () => {
    const task = await state();
    expect((await client.fhir('PUT', `Task/${id}`, { ...task, status: 'accepted' })).status).toBe(428);
    const stale = await client.fhir('PUT', `Task/${id}`, { ...task, status: 'accepted' }, { 'if-match': 'W/"1"' });
    expect([stale.status, issueOf(stale).code]).toEqual([412, 'conflict']);
    expect(await state()).toEqual(task);
  });

  test('twice at the same time is done once', async () => {
    const { body, headers } = await client.fhir('GET', `Task/${id}`);
    const tag = { 'if-match': headers.get('etag') ?? '' };
    const answers = await Promise.all(
      ['accepted', 'cancelled'].map((status) =>
        client.fhir('PUT', `Task/${id}`, { ...body, status, statusReason: { text: 'Full' } }, tag),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    const won = answers.find(({ status }) => status === 200)?.body;
    expect(await state()).toEqual(won);
  });

  test('is bounded in size, and must be JSON', async () => {
    const tag = { 'if-match': 'W/"1"' };
    const huge = JSON.stringify({ resourceType: 'Task', note: [{ text: 'x'.repeat(300_000) }] });
    const large = await client.fhir('PUT', `Task/${id}`, huge, tag);
    expect([large.status, large.body.resourceType]).toEqual([413, 'OperationOutcome']);
    expect((await client.fhir('PUT', `Task/${id}`, '{"resourceType":', tag)).status).toBe(400);
    expect(
      (await client.fhir('PUT', `Task/${id}`, '<Task/>', { ...tag, 'content-type': 'application/fhir+xml' })).status,
    ).toBe(415);
    expect((await client.fhir('PUT', `Task/${id}`, { resourceType: 'Patient' }, tag)).status).toBe(422);
  });

  test.each<[string, JsonObject, number]>([
    ['of another order', { basedOn: [{ reference: 'ServiceRequest/none' }] }, 422],
    ['of no order', { basedOn: [] }, 422],
    ['with more than is theirs to say', { contained: [] }, 422],
  ])('and a Procedure %s is refused', async (_what, change, status) => {
    const { focus, for: subject } = await state();
    const procedure = {
      resourceType: 'Procedure',
      status: 'completed',
      basedOn: [isObject(focus) ? focus : {}],
      subject: isObject(subject) ? subject : {},
    };
    expect((await client.fhir('POST', 'Procedure', { ...procedure, ...change })).status).toBe(status);
    expect(
      (await client.fhir('POST', 'Procedure', { ...procedure, subject: { reference: 'Patient/other' } })).status,
    ).toBe(422);
  });
});

test('a restart in the middle loses nothing', async () => {
  await accept(gateway, ...caseOf('restart'));
  await idle(gateway);
  const task = await taskOf('restart');
  await stop();
  await start();
  const again = client.at(url);
  // The token is still good: it is kept, not remembered.
  const answer = await again.change(`Task/${task.id}`, (one) => ({ ...one, status: 'accepted' }));
  expect(answer.status).toBe(200);
  await stop();
  await start();
  client = again.at(url);
  shelter = shelter.at(url);
  await eventually(async () => (await changesOf('referral-restart')).length > 0, 'the change');
  expect(await changesOf('referral-restart')).toHaveLength(1);
  expect((await client.fhir('GET', `Task/${task.id}`)).body.status).toBe('accepted');
});

describe('what is told of a client', () => {
  const pantry = { organizationId: 'org-pantry' };
  const clientOf = (id: string, overrides: Parameters<typeof aClient>[0]) =>
    aClient({ id: `client-${id}`, birthDate: '1971-01-01', updatedAt: '2026-02-07T10:00:00-05:00', ...overrides });
  const named = (id: string) => ({ names: [{ use: 'legal' as const, family: id, given: ['Lee'] }] });

  test('is whom the Task is about, how to reach them and in what language, and no more', async () => {
    const told = clientOf('minimum', {
      ...named('minimum'),
      identifiers: [
        { kind: 'mrn', value: 'CANARY-MRN', system: 'urn:oid:1.2.3' },
        { kind: 'medicaid', value: 'CANARY-MEDICAID', system: 'urn:oid:9' },
      ],
      race: ['black', 'hispanic'],
      maritalStatus: 'divorced',
      deceasedOn: '2026-02-06',
      emails: ['canary@example.org'],
      contacts: [{ id: 'k1', name: 'CANARY sister', phone: '1', mayShare: true, relationship: 'sister' }],
    });
    await accept(gateway, ...caseOf('minimum'), ['client', told]);
    await idle(gateway);
    const { for: patient } = await taskOf('minimum');
    const { body } = await client.fhir('GET', `Patient/${refOf(patient)}`);
    expect(Object.keys(body).sort()).toEqual(
      ['birthDate', 'communication', 'gender', 'id', 'identifier', 'meta', 'name', 'resourceType', 'telecom'].sort(),
    );
    expect(body).toMatchObject({
      identifier: [{ value: 'county/client/client-minimum#patient' }],
      name: [{ family: 'minimum', given: ['Lee'] }],
      telecom: [{ system: 'phone', value: '(518) 555-0177' }],
    });
    expect([objectsAt(body, 'identifier').length, objectsAt(body, 'telecom').length]).toEqual([1, 1]);
    expect(JSON.stringify(body)).not.toMatch(/CANARY/i);
    expect(await client.search('Patient?identifier=CANARY-MRN')).toEqual([]);
  });

  test('is no telephone number where the consent that the referral names does not permit', async () => {
    const permits = aConsent({ id: 'consent-silent-too', clientId: 'client-silent' });
    await accept(gateway, ...caseOf('silent', { consent: { status: 'proposed' } }), ['consent', permits]);
    await idle(gateway);
    const { for: patient } = await taskOf('silent');
    const { status, body } = await client.fhir('GET', `Patient/${refOf(patient)}`);
    expect([status, body.telecom]).toEqual([200, undefined]);
  });

  test('is no telephone number where the referral names a consent of another client that does not permit', async () => {
    const permits = aConsent({ id: 'consent-other-too', clientId: 'client-other' });
    await accept(gateway, ...caseOf('other', { consent: { status: 'proposed' } }), ['consent', permits]);
    await idle(gateway);
    await accept(gateway, ...caseOf('mistaken', { names: 'consent-other' }));
    await idle(gateway);
    const { for: patient, focus } = await taskOf('mistaken');
    const [order] = await client.search(`ServiceRequest?_id=${refOf(focus)}`);
    const { body } = await client.fhir('GET', `Patient/${refOf(patient)}`);
    expect([objectsAt(order, 'supportingInfo').length, body.telecom]).toEqual([1, undefined]);
  });

  test('is no telephone number of whom nobody may contact, at once, before the lane has taken anything back', async () => {
    await accept(gateway, ...caseOf('unsafe'));
    await idle(gateway);
    const { for: patient } = await taskOf('unsafe');
    const phones = async () =>
      objectsAt((await client.fhir('GET', `Patient/${refOf(patient)}`)).body, 'telecom').length;
    expect(await phones()).toBe(1);
    await gateway.api.pause('pantry', 'test');
    const preferredContact = { safeToContact: false };
    await accept(gateway, ['client', clientOf('unsafe', { ...named('unsafe'), identifiers: [], preferredContact })]);
    expect(await phones()).toBe(0);
    await gateway.api.resume('pantry', 'test');
  });

  test('is by whose consent, and nobody else whom it names', async () => {
    const recipients = [{ name: 'CANARY Prism Clinic' }, pantry, { organizationId: 'org-shelter' }];
    await accept(gateway, ...caseOf('named', { consent: { recipients } }));
    await idle(gateway);
    const { owner, focus } = await taskOf('named');
    const [order] = await client.search(`ServiceRequest?_id=${refOf(focus)}`);
    const [consent] = objectsAt(order, 'supportingInfo');
    const { body } = await client.fhir('GET', String(consent?.reference));
    expect(objectsAt(objectAt(body, 'provision'), 'actor').map(({ reference }) => reference)).toEqual([owner]);
    expect(JSON.stringify(body)).not.toContain('CANARY');
  });

  test('is nothing of a labelled client or case, or through a labelled organization, at once, until a consent names the label', async () => {
    await accept(gateway, ...caseOf('labelled'));
    await idle(gateway);
    const { id } = await taskOf('labelled');
    const status = async () => (await client.fhir('GET', `Task/${id}`)).status;
    await gateway.api.pause('pantry', 'test');
    const updatedAt = '2026-02-08T10:00:00-05:00';
    const sensitivity: ['mental-health'] = ['mental-health'];
    const ids = { id: 'case-labelled', clientId: 'client-labelled' };
    expect(await status()).toBe(200);
    await accept(gateway, ['case', aCase({ ...ids, sensitivity, updatedAt })]);
    expect(await status()).toBe(404);
    await accept(gateway, ['case', aCase({ ...ids, updatedAt: '2026-02-09T10:00:00-05:00' })]);
    expect(await status()).toBe(200);
    await accept(gateway, ['client', clientOf('labelled', { ...named('labelled'), identifiers: [], sensitivity })]);
    expect(await status()).toBe(404);
    await accept(gateway, [
      'consent',
      aConsent({ id: 'consent-labelled', clientId: 'client-labelled', sensitivity, updatedAt }),
    ]);
    expect(await status()).toBe(200);
    const asker = anOrganization({ id: 'org-asker', sensitivity: ['domestic-violence'] });
    await accept(gateway, ['organization', asker]);
    await takeOver('referral-labelled', { requesterOrganizationId: 'org-asker' }, updatedAt);
    expect(await status()).toBe(404);
    await gateway.api.resume('pantry', 'test');
    await idle(gateway);
  });
});

describe('what leaves', () => {
  test('is all of it at once when the client withdraws the consent, before the lane has taken anything back', async () => {
    await accept(gateway, ...caseOf('revoked'));
    await idle(gateway);
    const { id, for: patient, focus } = await taskOf('revoked');
    await gateway.api.pause('pantry', 'test');
    await accept(gateway, [
      'consent',
      aConsent({
        id: 'consent-revoked',
        clientId: 'client-revoked',
        status: 'revoked',
        revokedAt: '2026-02-07T10:00:00-05:00',
        updatedAt: '2026-02-07T10:00:00-05:00',
      }),
    ]);
    for (const path of [`Task/${id}`, `ServiceRequest/${refOf(focus)}`, `Patient/${refOf(patient)}`])
      expect((await client.fhir('GET', path)).status).toBe(404);
    expect(await client.search(`Task?_id=${id}`)).toEqual([]);
    expect(await client.search(`Condition?patient=${refOf(patient)}`)).toEqual([]);

    await gateway.api.resume('pantry', 'test');
    await idle(gateway);
    const rows = await store.db
      .selectFrom('home_resource')
      .select(['resource_type', 'body'])
      .where('own_value', 'like', '%-revoked#%')
      .execute();
    const patientBody = rows.find(({ resource_type }) => resource_type === 'Patient')?.body;
    expect(patientBody).toMatchObject({ active: false });
    const conditionBody = rows.find(({ resource_type }) => resource_type === 'Condition')?.body;
    expect(conditionBody).toMatchObject({ verificationStatus: { coding: [{ code: 'entered-in-error' }] } });
    expect(conditionBody?.note).toBeUndefined();
    expect((await client.fhir('GET', `Task/${id}`)).status).toBe(404);
  });

  test('is a referral that is turned to a service of somebody else, before anything has run', async () => {
    await accept(gateway, ...caseOf('serviced'));
    await accept(gateway, ['service', aService({ id: 'service-bed', organizationId: 'org-shelter' })]);
    await idle(gateway);
    const task = await taskOf('serviced');
    await gateway.api.pause('pantry', 'test');
    const byService = { organizationId: undefined, serviceId: 'service-bed' };
    await takeOver('referral-serviced', byService, '2026-02-07T10:00:00-05:00');
    expect((await client.fhir('GET', `Task/${task.id}`)).status).toBe(404);
    expect((await client.fhir('GET', String(objectAt(task, 'for')?.reference))).status).toBe(404);
    const moved = { ...task, status: 'accepted' };
    const tag = { 'if-match': `W/"${textAt(objectAt(task, 'meta'), 'versionId')}"` };
    expect((await client.fhir('PUT', `Task/${task.id}`, moved, tag)).status).toBe(404);
    await gateway.api.resume('pantry', 'test');
    await idle(gateway);
  });

  test('is a referral that is turned to somebody else', async () => {
    await accept(gateway, ...caseOf('turned'));
    await idle(gateway);
    await takeOver('referral-turned', { organizationId: 'org-shelter' }, '2026-02-07T10:00:00-05:00');
    await idle(gateway);
    const left = await store.db
      .selectFrom('link')
      .select(['type', 'state', 'retired_at'])
      .where('connection', '=', 'pantry')
      .where('id', 'like', '%-turned')
      .where('remote_id', 'is not', null)
      .execute();
    expect(left.filter(({ retired_at }) => retired_at === null)).toEqual([]);
    expect(left.length).toBeGreaterThan(4);
    // The client has permitted the pantry, not the shelter.
    expect(await shelter.search('Task')).toEqual([]);
  });

  test('was never there without a consent', async () => {
    await accept(gateway, ...caseOf('unasked', { consent: { recipients: [{ organizationId: 'org-shelter' }] } }));
    await idle(gateway);
    await expect(taskOf('unasked')).rejects.toThrow('no Task');
    const held = await store.db
      .selectFrom('home_resource')
      .select('id')
      .where('own_value', 'like', '%unasked%')
      .execute();
    expect(held).toEqual([]);
  });
});

function refOf(value: unknown): string {
  const reference = typeof value === 'object' && value !== null && 'reference' in value ? String(value.reference) : '';
  return reference.slice(reference.indexOf('/') + 1);
}

describe('a referral that its source deletes or turns to another organization', () => {
  const remove = (id: string) =>
    accept(gateway, ['referral', { id: `referral-${id}`, updatedAt: '2026-05-01T10:00:00Z', deleted: true }]);

  const turn = async (id: string) => {
    const [, referral] = caseOf(id, { organizationId: 'org-elsewhere' }).find(([type]) => type === 'referral') ?? [];
    await accept(gateway, ['referral', { ...referral, updatedAt: '2026-05-01T10:00:00Z' }]);
  };

  test.each([
    ['erased', remove],
    ['passed-on', turn],
  ])('is entered in error for the partner who had it, and says nothing else any more: %s', async (id, end) => {
    await accept(gateway, ...caseOf(id));
    await idle(gateway);
    const task = await taskOf(id);
    const start = new Date().toISOString();
    await end(id);
    await idle(gateway);
    const { status, body } = await client.fhir('GET', `Task/${task.id}`);
    expect([status, body]).toEqual([
      200,
      {
        resourceType: 'Task',
        id: task.id,
        identifier: task.identifier,
        status: 'entered-in-error',
        intent: 'order',
        meta: { versionId: expect.any(String), lastUpdated: expect.any(String) },
      },
    ]);
    // Whoever asks for what is new comes upon it.
    expect(await client.search(`Task?_lastUpdated=ge${start}&status=entered-in-error`)).toEqual([body]);
    for (const gone of [`ServiceRequest/${refOf(task.focus)}`, `Patient/${refOf(task.for)}`])
      expect((await client.fhir('GET', gone)).status).toBe(404);
    const tag = { 'if-match': `W/"${Object(body.meta).versionId}"` };
    expect((await client.fhir('PUT', `Task/${task.id}`, { ...body, status: 'accepted' }, tag)).status).toBe(404);
    expect((await shelter.fhir('GET', `Task/${task.id}`)).status).toBe(404);
  });

  test('is nothing at all once the consent is withdrawn too', async () => {
    await accept(gateway, ...caseOf('erased-too'));
    await idle(gateway);
    const task = await taskOf('erased-too');
    await remove('erased-too');
    await accept(gateway, [
      'consent',
      aConsent({
        id: 'consent-erased-too',
        clientId: 'client-erased-too',
        status: 'revoked',
        revokedAt: '2026-05-01T10:00:00Z',
        updatedAt: '2026-05-01T10:00:00Z',
      }),
    ]);
    await idle(gateway);
    expect((await client.fhir('GET', `Task/${task.id}`)).status).toBe(404);
  });
});

describe('a Procedure that is sent again', () => {
  const system = 'urn:oid:1.2.3.4';
  const refer = async (id: string, value: string): Promise<JsonObject> => {
    const { focus, for: subject } = await taskOf(id);
    return {
      resourceType: 'Procedure',
      identifier: [{ system, value }],
      status: 'completed',
      basedOn: [isObject(focus) ? focus : {}],
      subject: isObject(subject) ? subject : {},
      code: { text: 'Groceries' },
      performedDateTime: '2026-02-06',
    };
  };
  const there = (value: string) => client.search(`Procedure?identifier=${encodeURIComponent(`${system}|${value}`)}`);

  test('with the same identifier is there once, at the same moment too', async () => {
    const procedure = await refer('moved', 'visit-1');
    const answers = await Promise.all([1, 2, 3].map(() => client.fhir('POST', 'Procedure', procedure)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await there('visit-1')).toHaveLength(1);
  });

  test('saying something else under the same identifier is refused, and changes nothing', async () => {
    const procedure = await refer('moved', 'visit-2');
    const { body } = await client.fhir('POST', 'Procedure', procedure);
    const other = await client.fhir('POST', 'Procedure', { ...procedure, performedDateTime: '2026-02-07' });
    expect([other.status, other.body.resourceType]).toEqual([409, 'OperationOutcome']);
    expect(await there('visit-2')).toEqual([body]);
  });

  test('If-None-Exist counts: what is there is the answer', async () => {
    const procedure = await refer('moved', 'visit-3');
    const unless = (value: string) => ({ 'if-none-exist': `identifier=${encodeURIComponent(`${system}|${value}`)}` });
    const { identifier: _none, ...without } = procedure;
    expect((await client.fhir('POST', 'Procedure', procedure, unless('visit-3'))).status).toBe(201);
    const again = await client.fhir('POST', 'Procedure', without, unless('visit-3'));
    expect([again.status, again.body.performedDateTime]).toEqual([200, '2026-02-06']);
    expect(await there('visit-3')).toHaveLength(1);
  });

  test.each<[string, string]>([
    ['another parameter', 'status=completed'],
    ['nothing', ''],
    ['a value without a system', 'identifier=visit-4'],
    ['two identifiers', 'identifier=urn:a%7Cx&identifier=urn:a%7Cy'],
  ])('on condition of %s is refused', async (_name, condition) => {
    const answer = await client.fhir('POST', 'Procedure', await refer('moved', 'visit-4'), {
      'if-none-exist': condition,
    });
    expect([answer.status, answer.body.resourceType]).toEqual([400, 'OperationOutcome']);
    expect(await there('visit-4')).toEqual([]);
  });
});

test.each(['_lastUpdated', '-_lastUpdated'])(
  'of more than is read at once, a search by %s shows each one once, in order, and how many there are when it is asked',
  async (sort) => {
    const [one] = await client.search('Procedure');
    const copies = 1_200;
    await sql`
      insert into home_resource (partner, resource_type, id, version, at, written_by, own_value, based_on, body)
      select partner, resource_type, 'copy-' || n, version, at + n / 300 * interval '1 ms', written_by, own_value, based_on,
        jsonb_set(body, '{id}', to_jsonb('copy-' || n))
      from home_resource, generate_series(1, ${copies}::integer) n where resource_type = 'Procedure' and id = ${String(one?.id)}
      on conflict do nothing`.execute(store.db);
    const before = await client.fhir('GET', 'Procedure?_count=0');
    const met: string[] = [];
    for (let path: string | undefined = `Procedure?_count=200&_sort=${sort}`; path !== undefined; ) {
      const { body }: { body: JsonObject } = await client.fhir('GET', path);
      expect(body.total).toBeUndefined();
      met.push(...objectsAt(body, 'entry').map((entry) => String(objectAt(entry, 'resource')?.id)));
      const next = objectsAt(body, 'link').find(({ relation }) => relation === 'next');
      path = textAt(next, 'url')?.split('/fhir/R4/')[1];
    }
    const stored = await store.db
      .selectFrom('home_resource')
      .select('id')
      .where('resource_type', '=', 'Procedure')
      .orderBy('at')
      .orderBy('id')
      .execute();
    const inOrder = stored.map(({ id }) => id);
    expect(inOrder.length).toBeGreaterThan(copies);
    expect(met).toEqual(sort === '_lastUpdated' ? inOrder : inOrder.toReversed());
    expect(before.body).toMatchObject({ total: inOrder.length });
    expect(objectsAt(before.body, 'entry')).toEqual([]);
  },
);

test('what partners ask for is counted by route and status class, and by no name or number of anybody', async () => {
  await client.fhir('GET', 'Task');
  await client.fhir('GET', 'Procedure/nobody');
  await client.fhir('GET', 'Nonsense/mrn-20417');
  const text = await gateway.api.metrics.registry.metrics();
  const counted = text.split('\n').filter((line) => line.startsWith('casebridge_partner_requests_total{'));
  const labels = counted.map((line) => line.replace(/ \d+$/, ''));
  expect(labels).toEqual(
    expect.arrayContaining([
      'casebridge_partner_requests_total{route="GET /fhir/R4/Task",outcome="2xx"}',
      'casebridge_partner_requests_total{route="GET /fhir/R4/Procedure",outcome="4xx"}',
      'casebridge_partner_requests_total{route="GET /fhir/R4/?",outcome="4xx"}',
    ]),
  );
  expect(text).not.toContain('20417');
});
