import { describe, expect, test } from '@jest/globals';
import { ada, aNote, aTask, base64, bruno, mrnSystem, numbers, useEpic } from './server.ts';

const epic = useEpic();

function aProblem(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    resourceType: 'Condition',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'encounter-diagnosis' }] },
    ],
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'Z59.01' }], text: 'Sheltered homelessness' },
    subject: { reference: `Patient/${ada.id}` },
    onsetDateTime: '2026-01-15T22:30:00.250-05:00',
    ...change,
  };
}

function aPulse(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    resourceType: 'Observation',
    status: 'final',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
    ],
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: `Patient/${ada.id}` },
    encounter: { reference: `Encounter/visit-${ada.id}` },
    effectiveDateTime: '2026-03-02T10:00:00-05:00',
    performer: [{ reference: `Patient/${ada.id}` }],
    valueQuantity: { value: 72, unit: '/min' },
    ...change,
  };
}

test('E22 a create answers 201 without a body, with a relative Location and no ETag', async () => {
  const answer = await epic.fhir('POST', 'DocumentReference', {
    body: aNote(),
    headers: { prefer: 'return=representation' },
  });
  expect([answer.status, answer.body]).toEqual([201, undefined]);
  expect(answer.headers.get('content-length')).toBe('0');
  expect(answer.headers.get('location')).toMatch(/^DocumentReference\/[A-Za-z0-9.-]{64}$/);
  expect([answer.headers.get('etag'), answer.headers.get('last-modified')]).toEqual([null, null]);
  expect((await epic.fhir('GET', answer.headers.get('location') ?? '')).status).toBe(200);

  await epic.settings({ off: ['E22'] });
  const plain = await epic.fhir('POST', 'DocumentReference', { body: aNote() });
  expect(plain.headers.get('location')).toBe(`${epic.base}/DocumentReference/${plain.body.id}`);
});

describe('E23 nothing is idempotent', () => {
  test('E23 If-None-Exist is ignored: the same note twice is two notes', async () => {
    const headers = { 'if-none-exist': `patient=${ada.id}` };
    const first = await epic.fhir('POST', 'DocumentReference', { body: aNote(), headers });
    const second = await epic.fhir('POST', 'DocumentReference', { body: aNote(), headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect((await epic.control('GET', 'resources')).body.DocumentReference).toBe(2);
    await epic.settings({ off: ['E23'] });
    const other = { 'if-none-exist': `patient=${bruno.id}` };
    const statuses = [];
    for (const _time of [1, 2]) {
      statuses.push((await epic.fhir('POST', 'DocumentReference', { body: aNote(bruno), headers: other })).status);
    }
    expect(statuses).toEqual([201, 200]);
  });

  test('E23 a note whose answer was lost is there, and a retry makes another', async () => {
    await epic.control('POST', 'faults', [{ method: 'POST', nth: 1, fault: { drop: 'after-commit' } }]);
    await expect(epic.fhir('POST', 'DocumentReference', { body: aNote() })).rejects.toThrow();
    expect((await epic.control('GET', 'resources')).body.DocumentReference).toBe(1);
    await epic.created(aNote());
    expect((await epic.control('GET', 'resources')).body.DocumentReference).toBe(2);
    const { body } = await epic.control('GET', 'journal');
    expect(body.map(({ status, committed }: { status: number; committed: boolean }) => [status, committed])).toEqual([
      [0, true],
      [201, true],
    ]);
  });

  test('E23 a problem that is on the list already is 59141', async () => {
    await epic.created(aProblem());
    const again = await epic.fhir('POST', 'Condition', { body: aProblem({ onsetDateTime: '2026-02-01' }) });
    expect([again.status, numbers(again.body)]).toEqual([400, ['59141']]);
    await epic.created(aProblem({ subject: { reference: `Patient/${bruno.id}` } }));
    await epic.settings({ off: ['E23'] });
    await epic.created(aProblem());
    expect((await epic.control('GET', 'resources')).body.Condition).toBe(3);
  });
});

describe('E24 the Task of a community referral', () => {
  const move = (status: string, change: Record<string, unknown> = {}) =>
    epic.fhir('PUT', 'Task/referral-1', { body: aTask({ status, ...change }), headers: { 'if-match': 'W/"99"' } });

  test.each([
    ['requested', ['accepted', 'rejected']],
    ['accepted', ['in-progress']],
    ['in-progress', ['completed', 'failed', 'cancelled']],
    ['rejected', []],
    ['completed', []],
    ['failed', []],
    ['cancelled', []],
    ['on-hold', []],
  ])('E24 goes from %s to %j and nowhere else', async (from, legal) => {
    const statuses = [
      'requested',
      'accepted',
      'rejected',
      'in-progress',
      'on-hold',
      'completed',
      'failed',
      'cancelled',
    ];
    for (const to of statuses) {
      await epic.seed(aTask({ status: from }));
      const { status, body } = await move(to);
      const isLegal = to === from || legal.includes(to);
      expect([to, status]).toEqual([to, isLegal ? 200 : 400]);
      if (!isLegal) expect(numbers(body)).toEqual(['59159']);
      expect((await epic.stored('Task', 'referral-1')).status).toBe(isLegal ? to : from);
    }
  });

  test('E24 is answered without a body or an ETag, whatever If-Match says, and keeps what comes with a status', async () => {
    await epic.seed(aTask());
    const note = [{ text: 'Waiting list', time: '2026-03-02T10:00:00-05:00' }];
    const answer = await move('requested', { note });
    expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([200, undefined, null]);
    const { body } = await epic.fhir('GET', 'Task/referral-1');
    expect(body.note).toEqual([{ text: 'Waiting list', time: '2026-03-02T15:00:00Z' }]);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['of another kind', { code: { text: 'checklist' } }, {}, '59159'],
    ['of another patient', {}, { for: { reference: `Patient/${bruno.id}` } }, '59159'],
    ['under another id', {}, { id: 'other' }, '59105'],
    ['that is no Task', {}, { resourceType: 'Goal' }, '59105'],
    ['without an intent', {}, { intent: undefined }, '59105'],
  ])('E24 refuses an update %s', async (_name, held, sent, number) => {
    await epic.seed(aTask(held));
    const { status, body } = await move('accepted', sent);
    expect([status, numbers(body)]).toEqual([400, [number]]);
  });

  test('E24 switched off, every status goes', async () => {
    await epic.settings({ off: ['E24'] });
    await epic.seed(aTask());
    expect((await move('completed')).status).toBe(200);
  });
});

describe('E25 what is kept differs from what was sent', () => {
  test('E25 a Condition becomes a problem, without the text of its code, in UTC', async () => {
    const { body } = await epic.fhir('GET', `Condition/${await epic.created(aProblem())}`);
    expect(body.category[0].coding[0].code).toBe('problem-list-item');
    expect(body.code).toEqual({ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'Z59.01' }] });
    expect(body.onsetDateTime).toBe('2026-01-16T03:30:00Z');
  });

  test('E25 an Observation gains codings, loses its performer, and tells its time in UTC', async () => {
    const { body } = await epic.fhir('GET', `Observation/${await epic.created(aPulse())}`);
    expect(body.code.coding.map(({ code }: { code: string }) => code)).toEqual(['8867-4', '5']);
    expect(body.performer).toEqual([{ display: 'User Interconnect' }]);
    expect(body.effectiveDateTime).toBe('2026-03-02T15:00:00Z');
  });

  test('E25 a note gains a category; its text is given out by a Binary', async () => {
    const { body } = await epic.fhir('GET', `DocumentReference/${await epic.created(aNote())}`);
    expect(body.category[0].coding[0].code).toBe('clinical-note');
    expect(body.date).toBe('2026-03-02T15:00:00Z');
    expect(body.content[0].attachment).toEqual({ contentType: 'text/plain', url: expect.stringMatching(/^Binary\//) });
  });

  test('E25 a Patient loses phone and social security number and gains numbers of the site', async () => {
    await epic.settings({ mrnSystem });
    const id = await epic.created({
      resourceType: 'Patient',
      identifier: [
        { system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-00-0001' },
        { system: 'https://agency.example.org/ids', value: 'c1' },
      ],
      name: [{ family: 'Vale', given: ['Ines'] }],
      gender: 'female',
      birthDate: '1990-05-05',
      address: [{ line: ['9 Oak Street'], city: 'Troy' }],
      telecom: [{ system: 'phone', value: '518-555-0120' }],
    });
    const { body } = await epic.fhir('GET', `Patient/${id}`);
    expect(body.telecom).toBeUndefined();
    expect(body.identifier.map(({ system, value }: Record<string, string>) => [system, value])).toEqual([
      ['https://agency.example.org/ids', 'c1'],
      [mrnSystem, '200003'],
      [mrnSystem, '     200003'],
    ]);
  });

  test('E25 switched off, it is kept as sent', async () => {
    await epic.settings({ off: ['E25'] });
    const { body } = await epic.fhir('GET', `Condition/${await epic.created(aProblem())}`);
    expect(body).toMatchObject(aProblem());
  });
});

describe('E26 a note is refused', () => {
  const attachment = (change: Record<string, unknown>) => ({
    content: [{ attachment: { contentType: 'text/plain', data: base64('x'), ...change } }],
  });
  test.each<[string, Record<string, unknown>, string]>([
    ['without a docStatus', { docStatus: undefined }, '59108'],
    ['with a docStatus of amended', { docStatus: 'amended' }, '59108'],
    ['that is not current', { status: 'superseded' }, '59111'],
    ['of a type outside the list', { type: { coding: [{ system: 'http://loinc.org', code: '18776-5' }] } }, '59111'],
    ['of a type without a system', { type: { coding: [{ code: '11506-3' }] } }, '59111'],
    ['without a patient', { subject: undefined, context: undefined }, '59108'],
    ['in HTML', attachment({ contentType: 'text/html' }), '59159'],
    ['without data', attachment({ data: undefined, url: 'https://example.org/note' }), '59108'],
    ['with data that is no base64', attachment({ data: '%%%%' }), '59108'],
    ['without content', { content: [] }, '59111'],
    ['with two attachments', { content: [...attachment({}).content, ...attachment({}).content] }, '59111'],
    ['with an unknown encounter', { context: { encounter: [{ reference: 'Encounter/none' }] } }, '59144'],
    [
      'with the encounter of another',
      { context: { encounter: [{ reference: `Encounter/visit-${bruno.id}` }] } },
      '59159',
    ],
  ])('E26 %s', async (_name, change, number) => {
    const { status, body } = await epic.fhir('POST', 'DocumentReference', { body: aNote(ada, change) });
    expect(status).toBe(400);
    expect(numbers(body)).toContain(number);
    expect(body.issue.every(({ severity }: { severity: string }) => severity === 'fatal')).toBe(true);
    expect((await epic.control('GET', 'resources')).body.DocumentReference).toBeUndefined();
  });

  test('E26 with every fault named at once', async () => {
    const body = aNote(ada, {
      docStatus: undefined,
      type: { text: 'Plan' },
      ...attachment({ contentType: 'text/html' }),
    });
    const answer = await epic.fhir('POST', 'DocumentReference', { body });
    expect(numbers(answer.body)).toEqual(['59108', '59111', '59159']);
  });

  test('E26 a charset is fine; the list of types is the site\u2019s; switched off, all is filed', async () => {
    await epic.created(aNote(ada, attachment({ contentType: 'text/plain; charset=utf-8' })));
    await epic.settings({ noteTypes: ['34117-2'] });
    expect((await epic.fhir('POST', 'DocumentReference', { body: aNote() })).status).toBe(400);
    await epic.settings({ off: ['E26'] });
    await epic.created(aNote(ada, { docStatus: undefined, context: undefined }));
  });
});

test('E32 a clinical note cannot be updated, other documents can', async () => {
  const id = await epic.created(aNote());
  const put = async (target: string, change: Record<string, unknown>) =>
    epic.fhir('PUT', `DocumentReference/${target}`, { body: aNote(ada, { id: target, ...change }) });
  const refused = await put(id, { docStatus: 'amended' });
  expect([refused.status, numbers(refused.body)]).toEqual([400, ['59159']]);
  expect((await epic.stored('DocumentReference', id)).docStatus).toBe('final');

  const type = { coding: [{ system: 'http://loinc.org', code: '64290-0' }] };
  await epic.seed(aNote(ada, { id: 'card', type }));
  expect((await put('card', { type, description: 'Insurance card' })).status).toBe(200);
  await epic.settings({ off: ['E32'] });
  expect((await put(id, { docStatus: 'amended' })).status).toBe(200);
});

test('E34 a note needs an encounter, unless the site is set otherwise', async () => {
  const refused = await epic.fhir('POST', 'DocumentReference', { body: aNote(ada, { context: undefined }) });
  expect([refused.status, numbers(refused.body)]).toEqual([400, ['59108']]);
  expect(refused.body.issue[0].expression).toEqual(['context.encounter']);
  await epic.settings({ encounterRequired: false });
  await epic.created(aNote(ada, { context: undefined }));
});

describe('other creates', () => {
  const about = { reference: `Patient/${ada.id}` };

  test('a message belongs to a referral', async () => {
    await epic.seed(aTask());
    const message = {
      resourceType: 'Communication',
      status: 'completed',
      subject: about,
      payload: [{ contentString: 'The ride is booked.' }],
    };
    const alone = await epic.fhir('POST', 'Communication', { body: message });
    expect([alone.status, numbers(alone.body)]).toEqual([400, ['59159']]);
    await epic.created({ ...message, partOf: [{ reference: 'Task/referral-1' }] });
    const lost = await epic.fhir('POST', 'Communication', {
      body: { ...message, basedOn: [{ reference: 'Task/none' }] },
    });
    expect([lost.status, numbers(lost.body)]).toEqual([400, ['59144']]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'a ServiceRequest',
      { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: about },
      '59159',
    ],
    ['a Procedure', { resourceType: 'Procedure', status: 'completed', subject: about }, '59159'],
    [
      'a QuestionnaireResponse',
      { resourceType: 'QuestionnaireResponse', status: 'completed', subject: about },
      '59159',
    ],
    ['an assessment', aPulse({ code: { coding: [{ system: 'http://loinc.org', code: '93025-5' }] } }), '59188'],
    [
      'a Patient without an address',
      { resourceType: 'Patient', name: [{ family: 'x' }], gender: 'male', birthDate: '1990-01-01' },
      '59108',
    ],
    ['a Condition without a code', aProblem({ code: { text: 'x' } }), '59108'],
    ['a Condition that R4 does not allow', aProblem({ onsetDateTime: 'soon' }), '59105'],
    ['a Condition under another type', aProblem({ resourceType: 'Goal' }), '59105'],
  ])('declared as it is, %s is not taken', async (_name, body, number) => {
    const type = body.resourceType === 'Goal' ? 'Condition' : String(body.resourceType);
    const answer = await epic.fhir('POST', type, { body });
    expect([answer.status, numbers(answer.body)]).toEqual([400, [number]]);
  });

  test('a body that is no JSON is 59105', async () => {
    const answer = await epic.fhir('POST', 'Condition', { body: '{' });
    expect([answer.status, numbers(answer.body)]).toEqual([400, ['59105']]);
  });
});
