import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Answered,
  aDocument,
  anEncounter,
  aPatient,
  base64,
  idsOf,
  nextOf,
  type Parsed,
  textOf,
  useOracle,
} from './server.ts';

const server = useOracle();

beforeEach(() => server.seed(aPatient(), anEncounter()));

const search = (query: string) => server.fhir('GET', query);
const aPlan = (change: Parsed = {}) => ({
  resourceType: 'CarePlan',
  id: 'c1',
  status: 'active',
  intent: 'plan',
  category: [{ coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/careplan-category', code: 'assess-plan' }] }],
  subject: { reference: 'Patient/p1' },
  ...change,
});
const anObservation = (change: Parsed = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  category: [{ coding: [{ code: 'vital-signs' }] }],
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2026-03-02T10:00:00Z',
  ...change,
});
const documents = (count: number) =>
  Array.from({ length: count }, (_, index) => aDocument({ id: `d${index}`, subject: { reference: 'Patient/p1' } }));

/** All pages of a search. */
async function pagesOf(query: string): Promise<Answered[]> {
  const pages: Answered[] = [];
  for (let url: string | undefined = query; url !== undefined; ) {
    const page: Answered = await search(url);
    pages.push(page);
    url = nextOf(page);
  }
  return pages;
}

describe('a search is refused with 400', () => {
  test.each([
    ['without any parameter', 'Patient', 'at least one of _id, identifier, name'],
    ['with an unknown parameter, naming those that there are', 'Patient?nickname=Rae', 'Supported are _id, identifier'],
    ['with an unknown parameter beside a known one', 'Patient?family=a&language=en', 'language'],
    [
      'with a parameter of R4 that this server lacks',
      'Condition?patient=p1&recorded-date=ge2026-01-01',
      'recorded-date',
    ],
    ['with a modifier', 'Patient?family:exact=a', 'family:exact'],
    ['with _include', 'DocumentReference?patient=p1&_include=DocumentReference:subject', '_include'],
    ['with _sort', 'DocumentReference?patient=p1&_sort=-date', '_sort'],
    ['with _summary', 'Patient?family=a&_summary=count', '_summary'],
    ['with _id and another parameter', 'Observation?_id=1&patient=p1', '_id'],
    ['with a parameter twice', 'Patient?family=a&family=b', 'family'],
    ['with an empty value', 'Patient?family=', 'family'],
    ['with the name of what every object has', 'Patient?constructor=1', 'constructor'],
    ['with a _count that is no number', 'Patient?family=a&_count=many', '_count'],
    ['of care plans without a category', 'CarePlan?patient=p1', 'category'],
    ['of care plans of another category', 'CarePlan?patient=p1&category=38717003', 'assess-plan'],
    ['of observations without a patient', 'Observation?category=vital-signs', 'at least one of _id, patient'],
    ['of conditions with _count', 'Condition?patient=p1&_count=5', '_count'],
    ['of orders by a code of another system', 'ServiceRequest?patient=p1&code=http://loinc.org|1', 'code set 200'],
    ['of appointments without a date', 'Appointment?patient=p1', 'date'],
    [
      'of appointments by patient and place',
      'Appointment?patient=p1&location=l1&date=ge2026-03-01T00:00:00Z',
      'location',
    ],
    ['of messages without all four parameters', 'Communication?category=notification', 'recipient'],
    ['of encounters by status alone', 'Encounter?status=in-progress', 'at least one of'],
    ['of encounters by identifier with a status', 'Encounter?identifier=1&status=in-progress', 'status'],
    ['of practitioners by one letter', 'Practitioner?name=a', 'two characters'],
    ['of practitioners by a bare identifier', 'Practitioner?identifier=1', 'system'],
    ['of practitioners by given name alone', 'Practitioner?given=Ada', 'family'],
  ])('C7 %s', async (_name, query, text) => {
    const answer = await search(query);
    expect(answer.status).toBe(400);
    expect(answer.body.issue[0]).toMatchObject({ severity: 'error', code: 'invalid' });
    expect(textOf(answer)).toContain(text);
  });

  test('C7 but every parameter that the CapabilityStatement names is taken where its grammar is kept', async () => {
    const statement = (await search('metadata')).body;
    const failures = [];
    for (const { type, searchParam = [] } of statement.rest[0].resource) {
      for (const { name } of searchParam.filter(({ name: known }: Parsed) => known !== '_id')) {
        const answer = await search(`${type}?${legalQuery(type, name)}`);
        if (answer.status !== 200) failures.push([type, name, answer.text]);
      }
      if (searchParam.length > 0) expect([type, (await search(`${type}?_id=1`)).status]).toEqual([type, 200]);
    }
    expect(failures).toEqual([]);
  });

  test('C7 and nothing is refused where parameters are not checked: what is unknown is ignored', async () => {
    await server.set({ checkParameters: false });
    expect(idsOf(await search('Patient?nickname=Rae'))).toEqual(['p1']);
  });
});

/** A query with one parameter and what must come with it. */
function legalQuery(type: string, name: string): string {
  const time = '2026-03-02T00:00:00Z';
  const whole: Record<string, string> = {
    'CarePlan.date': `patient=p1&category=assess-plan&date=ge${time}&date=le${time}`,
    'DocumentReference.period': `patient=p1&period=ge${time}&period=lt2026-03-03T00:00:00Z`,
    'Practitioner.identifier': 'identifier=urn:x|1',
    'Practitioner.given': 'given=Ada&family=Okoro',
    'Practitioner._count': 'family=Okoro&_count=1',
    'Patient.gender': 'gender=female&family=a',
    'Patient._count': 'family=a&_count=1',
    'Organization._count': 'name=a&_count=1',
    'Observation.category': 'patient=p1&category=vital-signs',
    'ServiceRequest.code': 'patient=p1&code=https://fhir.cerner.com/x/codeSet/200|1',
    'Consent.actor': 'actor=Practitioner/1',
    'Coverage.-encounter': '-encounter=e1',
    'CareTeam.encounter': 'encounter=e1',
    'Encounter.identifier': 'identifier=1',
    'Encounter.account': 'account=1',
    'Provenance.target': 'target=Patient/p1',
  };
  if (type === 'Communication') {
    return `category=notification&recipient=Practitioner/1&received=ge${time}&-email-status=new`;
  }
  if (type === 'CarePlan') return whole[`CarePlan.${name}`] ?? 'patient=p1&category=assess-plan';
  if (type === 'Appointment') {
    const who = ['patient', 'practitioner', 'location'].includes(name) ? name : 'patient';
    const extra = { status: '&status=booked', _count: '&_count=1' }[name] ?? '';
    return `${who}=p1&${name.startsWith('-date') ? name : 'date'}=ge${time}${extra}`;
  }
  const date = ['date', '_lastUpdated', 'target-date'].includes(name) ? `ge${time}` : undefined;
  if (whole[`${type}.${name}`] !== undefined) return whole[`${type}.${name}`] ?? '';
  if (['Patient', 'Organization', 'Practitioner'].includes(type)) {
    return `${name}=${{ birthdate: '1984-02-29', active: 'true' }[name] ?? 'aa'}`;
  }
  if (name === 'patient' || name === 'subject') return `${name}=p1`;
  return `patient=p1&${name}=${date ?? { _count: '1' }[name] ?? 'e1'}`;
}

describe('a date is refused with 400', () => {
  const plan = 'CarePlan?patient=p1&category=assess-plan';
  test.each([
    ['of care plans with one side only', `${plan}&date=ge2026-01-01`],
    ['of care plans without prefixes', `${plan}&date=2026-01-01`],
    ['of care plans with unequal precision', `${plan}&date=ge2026-01-01&date=le2026-02-01T00:00:00Z`],
    ['of care plans with lt', `${plan}&date=ge2026-01-01&date=lt2026-02-01`],
    ['of encounters without a time', 'Encounter?patient=p1&date=ge2026-01-01'],
    ['of encounters without a prefix', 'Encounter?patient=p1&date=2026-01-01T00:00:00Z'],
    [
      'of encounters with an open range',
      'Encounter?patient=p1&date=ge2026-01-01T00:00:00Z&date=gt2026-01-02T00:00:00Z',
    ],
    [
      'of encounters together with _lastUpdated',
      'Encounter?patient=p1&date=ge2026-01-01T00:00:00Z&_lastUpdated=ge2026-01-01',
    ],
    [
      'of appointments with ge and le',
      'Appointment?patient=p1&date=ge2026-01-01T00:00:00Z&date=le2026-01-02T00:00:00Z',
    ],
    ['of appointments without a time', 'Appointment?patient=p1&date=ge2026-01-01'],
    ['of documents with one period', 'DocumentReference?patient=p1&period=ge2026-01-01'],
    ['of documents with a period of ge and le', 'DocumentReference?patient=p1&period=ge2026-01-01&period=le2026-01-02'],
    [
      'of documents with a time on one side',
      'DocumentReference?patient=p1&period=ge2026-01-01&period=lt2026-01-02T00:00:00Z',
    ],
    ['of documents with two dates without time', 'DocumentReference?patient=p1&date=ge2026-01-01&date=le2026-01-02'],
    [
      'of documents together with _lastUpdated',
      'DocumentReference?patient=p1&date=ge2026-01-01&_lastUpdated=ge2026-01-01',
    ],
    ['of documents that ends before it begins', 'DocumentReference?patient=p1&period=ge2026-01-02&period=lt2026-01-01'],
    ['of orders without a time', 'ServiceRequest?patient=p1&_lastUpdated=ge2026-01-01'],
    ['of orders with gt', 'ServiceRequest?patient=p1&_lastUpdated=gt2026-01-01T00:00:00Z'],
    [
      'of observations together with _lastUpdated',
      'Observation?patient=p1&date=ge2026-01-01&_lastUpdated=ge2026-01-01',
    ],
    ['of observations three times', 'Observation?patient=p1&date=ge2026-01-01&date=le2026-02-01&date=le2026-03-01'],
    ['of goals with two lower ends', 'Goal?patient=p1&target-date=ge2026-01-01&target-date=gt2026-01-02'],
    [
      'of messages with le alone',
      'Communication?category=a&recipient=p&-email-status=new&received=le2026-01-01T00:00:00Z',
    ],
    ['of birth as a range', 'Patient?birthdate=ge1984-01-01&birthdate=le1985-01-01'],
    ['that is none', 'Goal?patient=p1&target-date=soon'],
  ])('C8 %s', async (_name, query) => {
    const answer = await search(query);
    expect([answer.status, answer.body?.issue?.[0].code]).toEqual([400, 'invalid']);
  });

  test('C8 but not where dates are not checked', async () => {
    await server.set({ checkDates: false });
    expect((await search(`${plan}&date=ge2026-01-01`)).status).toBe(200);
  });

  test('C8 and a legal one finds what it means', async () => {
    await server.seed(
      aDocument({ id: 'd1' }),
      anObservation({ id: 'o1' }),
      {
        resourceType: 'Appointment',
        id: 'a1',
        status: 'booked',
        start: '2026-03-05T09:00:00Z',
        participant: participants,
      },
      { resourceType: 'Appointment', id: 'a2', status: 'proposed', requestedPeriod, participant: participants },
      {
        resourceType: 'Appointment',
        id: 'a3',
        status: 'booked',
        start: '2026-03-04T09:00:00Z',
        participant: participants,
      },
    );
    const found = async (query: string) => idsOf(await search(query));
    const docs = 'DocumentReference?patient=p1';
    expect(await found(`${docs}&period=ge2026-03-02T10:00:00Z&period=lt2026-03-02T10:00:01Z`)).toEqual(['d1']);
    expect(await found(`${docs}&period=ge2026-03-01&period=lt2026-03-02`)).toEqual([]);
    expect(await found('Observation?patient=p1&date=ge2026-03-02&date=lt2026-03-03')).toEqual(['o1']);
    const days = (name: string) => `${name}=ge2026-03-01T00:00:00Z&${name}=lt2026-03-06T00:00:00Z`;
    expect(await found(`Appointment?patient=p1&${days('date')}`)).toEqual(['a3', 'a1']);
    expect(await found(`Appointment?patient=p1&${days('-date-or-req-period')}`)).toEqual(['a2', 'a3', 'a1']);
    await server.control('POST', 'clock', { now: '2026-06-01T00:00:00Z' });
    await server.seed(aDocument({ id: 'd2' }));
    expect(await found(`${docs}&_lastUpdated=ge2026-06-01T00:00:00Z&_lastUpdated=lt2026-06-02T00:00:00Z`)).toEqual([
      'd2',
    ]);
  });
});

const participants = [{ actor: { reference: 'Patient/p1' }, status: 'accepted' }];
const requestedPeriod = [{ start: '2026-03-03T00:00:00Z', end: '2026-03-04T00:00:00Z' }];

test('C9 a care plan has no activities and says what it is in its narrative alone', async () => {
  const activity = [{ detail: { status: 'in-progress', description: 'Meals' } }];
  await server.seed(aPlan({ description: 'Food & rides', activity }));
  for (const path of ['CarePlan/c1', 'CarePlan?patient=p1&category=assess-plan']) {
    const { body } = await search(path);
    const plan = body.entry?.[0].resource ?? body;
    expect([plan.activity, plan.description]).toEqual([undefined, undefined]);
    expect(plan.text).toEqual({
      status: 'generated',
      div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Food &amp; rides</p></div>',
    });
  }
  await server.set({ narrativeCarePlans: false });
  expect((await search('CarePlan/c1')).body).toMatchObject({ description: 'Food & rides', activity });
});

describe('pages', () => {
  test('C10 have no total and an opaque next link; one is empty, one repeats an id, and the last has no next', async () => {
    await server.seed(...documents(25));
    const pages = await pagesOf('DocumentReference?patient=p1');
    expect(pages.map((page) => idsOf(page).length)).toEqual([10, 0, 10, 6]);
    expect(pages.map(({ body }) => body.total)).toEqual([undefined, undefined, undefined, undefined]);
    expect(pages.map(nextOf)[0]).toMatch(/[?&]-pageContext=[\w-]+&-pageDirection=NEXT$/);
    const ids = pages.flatMap(idsOf);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual(['d9']);
    expect(new Set(ids).size).toBe(25);
  });

  test.each([1, 2, 3, 24, 25, 26])('C10 of %i lose nothing', async (count) => {
    await server.seed(...documents(25));
    const pages = await pagesOf(`DocumentReference?patient=p1&_count=${count}`);
    expect(new Set(pages.flatMap(idsOf)).size).toBe(25);
  });

  test('C10 can be plain', async () => {
    await server.seed(...documents(25));
    await server.set({ paging: { empty: false, repeat: false, total: true } });
    const pages = await pagesOf('DocumentReference?patient=p1&_count=20');
    expect(pages.map((page) => [idsOf(page).length, page.body.total])).toEqual([
      [20, 25],
      [5, 25],
    ]);
  });

  test('C10 are not made by id, whatever _count says, and hold 100 documents at most', async () => {
    await server.seed(...documents(120));
    expect(idsOf(await search('DocumentReference?_id=d1,d2,d3&_count=1'))).toEqual(['d1', 'd2', 'd3']);
    expect(idsOf(await search('DocumentReference?patient=p1&_count=500'))).toHaveLength(100);
  });

  test.each(['x', '', base64('{"offset":-1,"query":[]}'), base64('{"offset":0,"query":[[1]]}'), base64('[]')])(
    'C10 are not to be had with the context "%s"',
    async (context) => {
      const answer = await search(`DocumentReference?patient=p1&-pageContext=${encodeURIComponent(context)}`);
      expect(answer.status).toBe(400);
    },
  );

  test('C10 show nothing where nothing is found: no entries at all', async () => {
    const { body } = await search('DocumentReference?patient=p1');
    expect([body.type, 'entry' in body, 'total' in body]).toEqual(['searchset', false, false]);
  });
});

test('C11 what is left out is said by a warning entry', async () => {
  await server.seed(anObservation({ id: 'o1' }), anObservation({ id: 'o2' }));
  await server.set({ suppressed: ['Observation/o2'] });
  const answer = await search('Observation?patient=p1');
  expect(idsOf(answer)).toEqual(['o1']);
  expect(answer.body.entry.at(-1)).toMatchObject({
    resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'suppressed' }] },
    search: { mode: 'outcome' },
  });
  await server.set({ suppressed: [] });
  expect((await search('Observation?patient=p1')).body.entry).toHaveLength(2);
});

test('C12 social history is all on the first page, whatever _count says', async () => {
  const social = [{ coding: [{ code: 'social-history' }] }];
  await server.seed(
    ...['v1', 'v2', 'v3'].map((id) => anObservation({ id })),
    ...['s1', 's2', 's3', 's4', 's5'].map((id) => anObservation({ id, category: social })),
  );
  await server.set({ paging: { empty: false, repeat: false, total: false } });
  const ids = async () => (await pagesOf('Observation?patient=p1&_count=2')).map(idsOf);
  expect(await ids()).toEqual([['s1', 's2', 's3', 's4', 's5', 'v1', 'v2'], ['v3']]);
  await server.set({ socialHistoryFirst: false });
  expect((await ids()).map(({ length }) => length)).toEqual([2, 2, 2, 2]);
});

test('C13 a patient search with more than 1,000 hits is refused with 422', async () => {
  await server.seed(...Array.from({ length: 1000 }, (_, index) => aPatient({ id: `m${index}`, gender: 'male' })));
  const refused = await search('Patient?family=Ødegård');
  expect([refused.status, refused.body.issue[0].severity]).toEqual([422, 'error']);
  expect((await search('Patient?family=Ødegård&gender=male')).status).toBe(200);
  await server.set({ patientSearchLimit: 2000 });
  expect((await search('Patient?family=Ødegård')).status).toBe(200);
});

test('C14 a combined patient is read as inactive with a link to the survivor, and is not found', async () => {
  await server.seed(
    aPatient({ id: 'p2' }),
    aDocument({ id: 'd1' }),
    aDocument({ id: 'd2', subject: { reference: 'Patient/p2' } }),
  );
  await server.set({ combined: { p1: 'p2' } });
  const read = await search('Patient/p1');
  expect(read.status).toBe(200);
  expect(read.body).toMatchObject({
    active: false,
    link: [{ other: { reference: 'Patient/p2' }, type: 'replaced-by' }],
  });
  expect(idsOf(await search('Patient?family=Ødegård'))).toEqual(['p2']);
  expect(idsOf(await search('Patient?_id=p1'))).toEqual([]);

  // What was about the one is now about the other.
  expect(idsOf(await search('DocumentReference?patient=p2'))).toEqual(['d1', 'd2']);
  expect(idsOf(await search('DocumentReference?patient=p1'))).toEqual([]);
  expect((await search('DocumentReference/d1')).body.subject.reference).toBe('Patient/p2');

  await server.set({ combined: {} });
  expect((await search('Patient/p1')).body).toMatchObject({ active: true });
  expect((await search('DocumentReference/d1')).body.subject.reference).toBe('Patient/p1');
});

test('C23 a record that lacks what it must have breaks each search that finds it, and no other', async () => {
  await server.seed(
    anObservation({ id: 'o1' }),
    anObservation({ id: 'o2', effectiveDateTime: '2026-04-02T10:00:00Z' }),
  );
  await server.set({ poisoned: ['Observation/o2'] });
  for (const query of ['Observation?patient=p1', 'Observation?_id=o1,o2', 'Observation/o2']) {
    const answer = await search(query);
    expect(answer.status).toBe(500);
    expect(answer.body.issue[0]).toMatchObject({ severity: 'fatal', code: 'required' });
  }
  expect(idsOf(await search('Observation?_id=o1'))).toEqual(['o1']);
  expect(idsOf(await search('Observation?patient=p1&date=ge2026-03-01&date=lt2026-04-01'))).toEqual(['o1']);
  await server.set({ poisoned: [] });
  expect(idsOf(await search('Observation?patient=p1'))).toEqual(['o1', 'o2']);
});

test('C28 what was entered in error has a handful of elements left, and its status a space at the end', async () => {
  await server.seed(anObservation({ id: 'o1', status: 'entered-in-error', valueString: 'secret' }));
  const read = async () => (await search('Observation/o1')).body;
  expect(Object.keys(await read()).toSorted()).toEqual(['id', 'meta', 'resourceType', 'status', 'subject']);
  expect((await read()).status).toBe('entered-in-error ');
  await server.set({ enteredInError: 'sparse' });
  expect((await read()).status).toBe('entered-in-error');
  await server.set({ enteredInError: 'whole' });
  expect(await read()).toMatchObject({ status: 'entered-in-error', valueString: 'secret' });
});

test('odd names and broken encodings are searched for like any other', async () => {
  await server.seed(
    aPatient({ id: 'constructor' }),
    aDocument({ id: 'd1', subject: { reference: 'Patient/constructor' } }),
  );
  await server.set({ combined: { p2: 'p1' }, alwaysTimesOut: ['GET Goal'] });
  expect(idsOf(await search('Patient?_id=constructor'))).toEqual(['constructor']);
  expect(idsOf(await search('DocumentReference?patient=constructor'))).toEqual(['d1']);
  expect((await search('DocumentReference/d1')).body.subject.reference).toBe('Patient/constructor');
  expect(idsOf(await search('Patient?family=%E0%A4%A'))).toEqual([]);
  expect((await search('constructor/1')).status).toBe(404);
});

test('a problem list comes along with the diagnoses of an encounter', async () => {
  const aCondition = (id: string, code: string, encounter?: string) => ({
    resourceType: 'Condition',
    id,
    category: [{ coding: [{ code }] }],
    subject: { reference: 'Patient/p1' },
    ...(encounter && { encounter: { reference: `Encounter/${encounter}` } }),
  });
  await server.seed(
    aCondition('x1', 'problem-list-item'),
    aCondition('x2', 'encounter-diagnosis', 'e1'),
    aCondition('x3', 'encounter-diagnosis', 'e2'),
  );
  expect(idsOf(await search('Condition?patient=p1&encounter=e1'))).toEqual(['x1', 'x2']);
});

test('a provenance comes along where it is asked for', async () => {
  await server.seed(aDocument({ id: 'd1' }), {
    resourceType: 'Provenance',
    id: 'v1',
    target: [{ reference: 'DocumentReference/d1' }],
    recorded: '2026-03-02T10:00:00Z',
    agent: [{ who: { display: 'Nurse' } }],
  });
  const { body } = await search('DocumentReference?patient=p1&_revinclude=Provenance:target');
  expect(body.entry.map(({ resource, search: { mode } }: Parsed) => [resource.id, mode])).toEqual([
    ['d1', 'match'],
    ['v1', 'include'],
  ]);
});

test('with a search lag a document is found later than it is read', async () => {
  await server.set({ searchLagMs: 60_000 });
  const id = await server.created(aDocument());
  expect((await search(`DocumentReference/${id}`)).status).toBe(200);
  expect(idsOf(await search('DocumentReference?patient=p1'))).toEqual([]);
  await server.control('POST', 'clock', { advance: '61s' });
  expect(idsOf(await search('DocumentReference?patient=p1'))).toEqual([id]);
});
