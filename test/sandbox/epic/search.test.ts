import { beforeAll, describe, expect, test } from '@jest/globals';
import { ada, aNote, aTask, authorized, bruno, type Key, matches, newKey, numbers, useEpic } from './server.ts';

const epic = useEpic();
const subject = { reference: `Patient/${ada.id}` };
let key: Key;

beforeAll(async () => {
  key = await newKey('RS384', 'rsa');
});

function aGoal(id: string): Record<string, unknown> {
  return { resourceType: 'Goal', id, lifecycleStatus: 'active', description: { text: id }, subject };
}

const problem = { system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' };
const diagnosis = { ...problem, code: 'encounter-diagnosis' };

function aCondition(id: string, category: Record<string, string>): Record<string, unknown> {
  return { resourceType: 'Condition', id, subject, category: [{ coding: [category] }], code: { text: id } };
}

test('E12 an unknown parameter is ignored, and said only where an outcome is given anyway', async () => {
  await epic.seed(aGoal('g1'), aGoal('g2'));
  const { body } = await epic.fhir('GET', `Goal?patient=${ada.id}&lifecycle_status=completed&colour=red`);
  expect([matches(body), numbers(body)]).toEqual([['g1', 'g2'], []]);
  const none = await epic.fhir('GET', `Goal?patient=${bruno.id}&colour=red`);
  expect(numbers(none.body)).toEqual(['4101', '59100']);
  expect(none.body.entry[0].resource.issue[1].severity).toBe('information');

  await epic.settings({ off: ['E12'] });
  expect((await epic.fhir('GET', `Goal?patient=${ada.id}&colour=red`)).status).toBe(400);
});

describe('E13 a search without its required parameters is refused', () => {
  test.each([
    ['CarePlan without a category', `CarePlan?patient=${ada.id}`, '59108'],
    ['CarePlan without a patient', 'CarePlan?category=assess-plan', '59108'],
    ['Observation without category or code', `Observation?patient=${ada.id}`, '59108'],
    ['Patient without demographics', 'Patient?gender=female', '59159'],
    ['Patient with a name only', 'Patient?family=Abernethy', '59159'],
    ['Patient with an unknown parameter only', 'Patient?colour=red', '59159'],
    ['Goal without a patient', 'Goal?lifecycle-status=active', '59108'],
    ['Encounter of everybody', 'Encounter', '59108'],
    ['Organization by its name', 'Organization?name=x', '59108'],
  ])('E13 %s: 400, an information first, the fatal issue second', async (_name, path, number) => {
    const { status, body } = await epic.fhir('GET', path);
    expect(status).toBe(400);
    expect(numbers(body)).toEqual(['59100', number]);
    expect(body.issue.map((issue: { severity: string }) => issue.severity)).toEqual(['information', 'fatal']);
  });

  test('E13 with them, or with _id alone, it is answered; switched off, always', async () => {
    await epic.seed({ resourceType: 'Organization', id: 'o', name: 'Larch Valley Hospital' });
    const paths = [
      `CarePlan?subject=Patient/${ada.id}&category=assess-plan`,
      `Observation?patient=${ada.id}&code=http://loinc.org|1234-5`,
      `Patient?family=${ada.family}&birthdate=${ada.birthDate}`,
      'Organization?_id=o',
    ];
    for (const path of paths) expect((await epic.fhir('GET', path)).status).toBe(200);
    await epic.settings({ off: ['E13'] });
    expect(matches((await epic.fhir('GET', 'Patient?gender=female')).body)).toEqual([ada.id]);
  });
});

test.each([
  ['an unknown patient', 'Goal?patient=nobody', '59102'],
  ['two patients', `Goal?patient=${ada.id}&subject=${bruno.id}`, '4112'],
  ['a date that is none', `Goal?patient=${ada.id}&start-date=soon`, '59102'],
])('a search for %s is refused', async (_name, path, number) => {
  const { status, body } = await epic.fhir('GET', path);
  expect([status, numbers(body)]).toEqual([400, [number]]);
});

test('E14 no result is a total of 0 and an entry that is no match', async () => {
  const { status, body } = await epic.fhir('GET', `Goal?patient=${ada.id}`);
  expect([status, body.total, matches(body), numbers(body)]).toEqual([200, 0, [], ['4101']]);
  expect(body.entry[0]).toMatchObject({
    fullUrl: expect.stringMatching(/^urn:uuid:/),
    search: { mode: 'outcome' },
    resource: { issue: [{ severity: 'warning' }] },
  });
  await epic.settings({ off: ['E14'] });
  expect((await epic.fhir('GET', `Goal?patient=${ada.id}`)).body.entry).toBeUndefined();
});

test('E15 what a partial grant leaves out is missing beside a warning, and cannot be read', async () => {
  await epic.seed(aCondition('listed', problem), aCondition('diagnosed', diagnosis));
  const only = `category=${problem.system}|${problem.code}`;
  const headers = await authorized(epic, key, [`system/Condition.rs?${only}`]);
  const { status, body } = await epic.fhir('GET', `Condition?patient=${ada.id}`, { headers });
  expect([status, body.total, matches(body), numbers(body)]).toEqual([200, 1, ['listed'], ['59204', '59204']]);
  expect(body.entry.at(-1).resource.issue[0]).toMatchObject({ severity: 'warning', code: 'suppressed' });
  const other = await epic.fhir('GET', `Condition?patient=${ada.id}&category=encounter-diagnosis`, { headers });
  expect([matches(other.body), numbers(other.body)]).toEqual([[], ['59204', '4101']]);
  const granted = await epic.fhir('GET', `Condition?patient=${ada.id}&${only}`, { headers });
  expect([matches(granted.body), numbers(granted.body)]).toEqual([['listed'], []]);
  expect((await epic.fhir('GET', 'Condition/diagnosed', { headers })).status).toBe(403);
  expect((await epic.fhir('GET', 'Condition/listed', { headers })).status).toBe(200);

  await epic.settings({ off: ['E15'] });
  expect(numbers((await epic.fhir('GET', `Condition?patient=${ada.id}`, { headers })).body)).toEqual([]);
});

test('E15 a whole grant gives everything without a warning', async () => {
  await epic.seed(aCondition('listed', problem), aCondition('diagnosed', diagnosis));
  const headers = await authorized(epic, key, ['system/Condition.rs']);
  const { body } = await epic.fhir('GET', `Condition?patient=${ada.id}`, { headers });
  expect([matches(body), numbers(body)]).toEqual([['listed', 'diagnosed'], []]);
});

describe('E16 paging', () => {
  const next = (body: { link: { relation: string; url: string }[] }) =>
    body.link.find(({ relation }) => relation === 'next')?.url;
  const ids = Array.from({ length: 7 }, (_, index) => `g${index + 1}`);
  const search = `Goal?patient=${ada.id}&_count=3`;

  test('E16 goes by a session; the total is that of the page; one page is short and not the last', async () => {
    await epic.seed(...ids.map(aGoal));
    const first = (await epic.fhir('GET', search)).body;
    expect([first.total, matches(first)]).toEqual([3, ['g1', 'g2', 'g3']]);
    expect(next(first)).toMatch(new RegExp(`^${epic.base}/Goal\\?sessionID=17-[0-9A-F]{32}$`));
    const second = (await epic.fhir('GET', next(first) ?? '')).body;
    expect([second.total, matches(second)]).toEqual([2, ['g4', 'g5']]);
    const third = (await epic.fhir('GET', next(second) ?? '')).body;
    expect([third.total, matches(third), next(third)]).toEqual([2, ['g6', 'g7'], undefined]);
    const counted = (await epic.fhir('GET', `${search}&_summary=count`)).body;
    expect([counted.total, counted.entry]).toEqual([7, undefined]);
    expect((await epic.fhir('GET', `Goal?patient=${ada.id}`)).body.total).toBe(7);
  });

  test('E16 a page has at most 1,000 entries', async () => {
    await epic.seed(...Array.from({ length: 1001 }, (_, index) => aGoal(`g${index}`)));
    for (const query of [`patient=${ada.id}`, `patient=${ada.id}&_count=5000`]) {
      const { body } = await epic.fhir('GET', `Goal?${query}`);
      expect(matches(body)).toHaveLength(1000);
      expect(matches((await epic.fhir('GET', next(body) ?? '')).body)).toEqual(['g1000']);
    }
  });

  test('E16 a session is good once and for a minute; then 400 with 4113', async () => {
    await epic.seed(...ids.map(aGoal));
    const expired = async (url: string) => {
      const { status, body } = await epic.fhir('GET', url);
      expect([status, numbers(body)]).toEqual([400, ['4113']]);
    };
    const first = next((await epic.fhir('GET', search)).body) ?? '';
    expect((await epic.fhir('GET', first)).status).toBe(200);
    await expired(first);
    const second = next((await epic.fhir('GET', search)).body) ?? '';
    await epic.control('POST', 'clock', { advance: '61s' });
    await expired(second);
    await expired(`${epic.base}/Goal?sessionID=17-0`);
  });

  test('E16 switched off, pages are full, links last and the total is that of the search', async () => {
    await epic.settings({ off: ['E16'] });
    await epic.seed(...ids.map(aGoal));
    const first = (await epic.fhir('GET', search)).body;
    await epic.control('POST', 'clock', { advance: '2h' });
    for (const _time of [1, 2]) {
      const second = (await epic.fhir('GET', next(first) ?? '')).body;
      expect([second.total, matches(second)]).toEqual([7, ['g4', 'g5', 'g6']]);
    }
  });
});

test('E27 _search reads the body only', async () => {
  await epic.seed(aGoal('g1'));
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const inBody = await epic.fhir('POST', 'Goal/_search?patient=nobody', {
    headers: form,
    body: `patient=${ada.id}`,
  });
  expect(matches(inBody.body)).toEqual(['g1']);
  const inUrl = await epic.fhir('POST', `Goal/_search?patient=${ada.id}`, { headers: form, body: 'x=y' });
  expect([inUrl.status, numbers(inUrl.body)]).toEqual([400, ['59100', '59108']]);

  await epic.settings({ off: ['E27'] });
  const both = await epic.fhir('POST', `Goal/_search?patient=${ada.id}`, { headers: form, body: 'x=y' });
  expect(matches(both.body)).toEqual(['g1']);
});

test('E33 a search for Tasks needs a patient, unless the site is set otherwise', async () => {
  const other = { id: 'referral-2', for: { reference: `Patient/${bruno.id}` } };
  await epic.seed(aTask(), aTask(other), aTask({ id: 'checklist', code: { text: 'checklist' } }));
  const all = 'Task?code=community-resource&status=requested';
  const { status, body } = await epic.fhir('GET', all);
  expect([status, numbers(body)]).toEqual([400, ['59100', '59108']]);
  expect(matches((await epic.fhir('GET', `${all}&patient=${ada.id}`)).body)).toEqual(['referral-1']);
  await epic.settings({ taskSearchNeedsPatient: false });
  expect(matches((await epic.fhir('GET', all)).body)).toEqual(['referral-1', 'referral-2']);
});

test('a lost note is found by patient, type, date, period, status, docStatus and encounter, and its text read', async () => {
  const period = { start: '2026-03-02T15:00:00Z', end: '2026-03-02T15:00:00Z' };
  const encounter = [{ reference: `Encounter/visit-${ada.id}` }];
  const id = await epic.created(aNote(ada, { context: { encounter, period } }));
  await epic.created(aNote(bruno));
  const found = async (query: string) =>
    matches((await epic.fhir('GET', `DocumentReference?patient=${ada.id}&${query}`)).body);
  for (const query of [
    'type=http://loinc.org|11506-3',
    'date=ge2026-03-02&date=lt2026-03-03',
    'period=ge2026-03-02T14:59:00Z',
    'status=current&docstatus=final',
    `encounter=visit-${ada.id}`,
    `encounter=Encounter/visit-${ada.id}&category=clinical-note`,
  ]) {
    expect([query, await found(query)]).toEqual([query, [id]]);
  }
  for (const query of ['type=34117-2', 'date=gt2026-03-03', 'docstatus=preliminary', `encounter=visit-${bruno.id}`]) {
    expect([query, await found(query)]).toEqual([query, []]);
  }
  const { body } = await epic.fhir('GET', `DocumentReference/${id}`);
  const { url, data, contentType } = body.content[0].attachment;
  expect([data, contentType]).toEqual([undefined, 'text/plain']);
  expect(url).toMatch(/^Binary\/[A-Za-z0-9.-]{64}$/);
  const binary = await epic.fhir('GET', url);
  expect(binary.body).toMatchObject({ resourceType: 'Binary', contentType: 'text/plain' });
  expect(Buffer.from(binary.body.data, 'base64').toString()).toBe('Rides on Tuesdays.');
  const raw = await epic.fhir('GET', url, { headers: { accept: 'text/plain' } });
  expect([raw.headers.get('content-type'), raw.body]).toEqual(['text/plain', 'Rides on Tuesdays.']);
});

test('_include adds what is referred to; what cannot be included is ignored', async () => {
  await epic.seed(aGoal('g1'));
  const { body } = await epic.fhir('GET', `Goal?patient=${ada.id}&_include=Goal:patient&_include=Goal:colour`);
  expect([body.total, matches(body)]).toEqual([1, ['g1']]);
  expect(body.entry[1]).toMatchObject({ resource: { id: ada.id }, search: { mode: 'include' } });
});
