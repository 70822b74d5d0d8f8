import { describe, expect, test } from '@jest/globals';
import type { Parsed } from '../server.ts';
import { ada, aNote, aTask, bruno, matches, mrnSystem, numbers, useEpic } from './server.ts';

const epic = useEpic();

const search = async (query: string) => (await epic.fhir('GET', `Patient?${query}`)).body;

/** As the site's staff would have entered somebody. */
function aPerson(id: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    resourceType: 'Patient',
    id,
    name: [{ family: 'Ödegård', given: ['Noémie', 'Rae'] }],
    gender: 'female',
    birthDate: '1984-02-29',
    ...change,
  };
}

describe('E18 a search for patients', () => {
  test('E18 finds a padded identifier by its trimmed value, with its system, its type or neither', async () => {
    await epic.seed(
      aPerson('p', { identifier: [{ system: mrnSystem, type: { text: 'INTERNAL' }, value: '    Z77' }] }),
    );
    for (const value of [`${mrnSystem}|Z77`, 'INTERNAL|Z77', 'Z77', `${mrnSystem}|  Z77 `]) {
      expect(matches(await search(`identifier=${encodeURIComponent(value)}`))).toEqual(['p']);
    }
    for (const value of [`${mrnSystem}|z77`, 'urn:oid:9|Z77', 'Z7']) {
      expect(matches(await search(`identifier=${encodeURIComponent(value)}`))).toEqual([]);
    }
    expect(matches(await search(`identifier=${mrnSystem}|${ada.mrn}`))).toEqual([ada.id]);
    await epic.settings({ off: ['E18'] });
    expect(matches(await search(`identifier=${mrnSystem}|Z77`))).toEqual([]);
  });

  test('E18 with more than 100 hits tells 4127 and gives none', async () => {
    const twins = (count: number) => Array.from({ length: count }, (_, index) => aPerson(`twin-${index}`));
    const query = 'family=Odegard&birthdate=1984-02-29';
    await epic.seed(...twins(100));
    expect(matches(await search(query))).toHaveLength(100);
    await epic.seed(...twins(101));
    const { total, ...body } = await search(query);
    expect([total, matches(body), numbers(body)]).toEqual([0, [], ['4127']]);
    expect(body.entry[0].resource.issue[0].severity).toBe('fatal');
    expect(matches(await search(`${query}&given=Noemie&_id=twin-1`))).toEqual(['twin-1']);
    await epic.settings({ off: ['E18'] });
    expect(matches(await search(query))).toHaveLength(101);
  });

  test('E18 takes a phone however it is written, and the legal sex', async () => {
    await epic.seed(aPerson('p', { telecom: [{ system: 'phone', value: '+1 (518) 555-0118' }] }));
    expect(matches(await search('family=odegard&telecom=518-555-0118'))).toEqual(['p']);
    expect(matches(await search('family=odegard&telecom=518-555-0119'))).toEqual([]);
    expect(matches(await search('family=odegard&birthdate=1984-02-29&legal-sex=male'))).toEqual([]);
  });
});

describe('E19 $match', () => {
  async function match(person: Record<string, unknown>, onlyCertainMatches?: boolean): Promise<Parsed> {
    const parameter = [
      { name: 'resource', resource: { resourceType: 'Patient', ...person } },
      ...(onlyCertainMatches === undefined ? [] : [{ name: 'onlyCertainMatches', valueBoolean: onlyCertainMatches }]),
    ];
    return (await epic.fhir('POST', 'Patient/$match', { body: { resourceType: 'Parameters', parameter } })).body;
  }
  const grades = (body: Parsed): [string, string][] =>
    (body.entry ?? [])
      .filter(({ search: { mode } }: Parsed) => mode === 'match')
      .map(({ resource, search: { extension } }: Parsed) => [resource.id, extension[0].valueCode]);
  const name = [{ family: 'odegard', given: ['Noemie'] }];
  const birthDate = '1984-02-29';
  const phone = { telecom: [{ system: 'phone', value: '518-555-0118' }] };
  const mrn = (value: string) => ({ identifier: [{ system: mrnSystem, value }] });

  test.each<[string, Record<string, unknown>, string | undefined]>([
    ['number, family name and birth date', { ...mrn('Z9'), name: [{ family: 'Ödegård' }], birthDate }, 'certain'],
    ['name, birth date, sex and phone', { name, birthDate, gender: 'female', ...phone }, 'certain'],
    [
      'name, birth date, sex and address',
      { name, birthDate, gender: 'female', address: [{ line: ['5 Elm  Court'], postalCode: '12180' }] },
      'certain',
    ],
    ['name, birth date and phone', { name, birthDate, ...phone }, 'probable'],
    ['name and birth date', { name, birthDate }, 'probable'],
    ['name, birth date and another sex', { name, birthDate, gender: 'male', ...phone }, 'probable'],
    ['a number with another birth date', { ...mrn('Z9'), name, birthDate: '1990-01-01' }, 'possible'],
    ['a family name and the birth date', { name: [{ family: 'Ödegård', given: ['Nora'] }], birthDate }, 'possible'],
    ['a name and the phone', { name, birthDate: '1984-02-28', ...phone }, 'possible'],
    ['a name with another birth date', { name, birthDate: '1984-02-28' }, undefined],
    [
      'the social security number only',
      {
        name: [{ family: 'Other' }],
        birthDate,
        identifier: [{ system: 'http://hl7.org/fhir/sid/us-ssn', value: '1' }],
      },
      undefined,
    ],
  ])('E19 by %s is graded', async (_name, person, grade) => {
    const ssn = { system: 'http://hl7.org/fhir/sid/us-ssn', value: '1' };
    await epic.seed(
      aPerson('p', {
        identifier: [{ system: mrnSystem, value: '   Z9' }, ssn],
        telecom: [{ system: 'phone', value: '+1 518 555 0118' }],
        address: [{ line: ['5 Elm Court'], city: 'Troy', postalCode: '12180' }],
      }),
    );
    expect(grades(await match(person))).toEqual(grade === undefined ? [] : [['p', grade]]);
  });

  test('E19 two with the same name and birth date are two candidates; onlyCertainMatches gives none', async () => {
    await epic.seed(aPerson('p'), aPerson('q'));
    const both = await match({ name, birthDate });
    expect([both.type, both.total]).toEqual(['searchset', 2]);
    expect(grades(both)).toEqual([
      ['p', 'probable'],
      ['q', 'probable'],
    ]);
    expect(both.entry[0]).toMatchObject({
      fullUrl: `${epic.base}/Patient/p`,
      search: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/match-grade' }], score: 0.63 },
    });
    const none = await match({ name, birthDate }, true);
    expect([none.total, grades(none), numbers(none)]).toEqual([0, [], ['4101']]);
  });

  test('E19 onlyCertainMatches gives the certain one alone, and none where two would be certain', async () => {
    await epic.seed(aPerson('p', phone), aPerson('q'));
    const asked = { name, birthDate, gender: 'female', ...phone };
    expect(grades(await match(asked))).toEqual([
      ['p', 'certain'],
      ['q', 'probable'],
    ]);
    expect(grades(await match(asked, true))).toEqual([['p', 'certain']]);
    await epic.seed(aPerson('twin', phone));
    expect(grades(await match(asked, true))).toEqual([]);
    expect(grades(await match(asked)).map(([, grade]) => grade)).toEqual(['probable', 'probable', 'probable']);
  });

  test.each([
    ['no Parameters', { resourceType: 'Patient' }],
    ['no resource', { resourceType: 'Parameters' }],
    [
      'too little',
      { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: { resourceType: 'Patient', name } }] },
    ],
  ])('E19 a request with %s is refused', async (_name, body) => {
    const answer = await epic.fhir('POST', 'Patient/$match', { body });
    expect([answer.status, numbers(answer.body)]).toEqual([400, ['59108']]);
  });

  test('E19 switched off, there is no such operation', async () => {
    await epic.settings({ off: ['E19'] });
    expect((await epic.fhir('POST', 'Patient/$match', { body: { resourceType: 'Parameters' } })).status).toBe(404);
  });
});

test('E20 a merged patient is redirected to the survivor with 4107, and is in no search', async () => {
  await epic.seed({ resourceType: 'Goal', id: 'g', subject: { reference: `Patient/${bruno.id}` } });
  await epic.settings({ merged: { [ada.id]: bruno.id } });
  const read = await epic.fhir('GET', `Patient/${ada.id}`);
  expect([read.status, numbers(read.body)]).toEqual([301, ['4107']]);
  expect(read.headers.get('location')).toBe(`${epic.base}/Patient/${bruno.id}`);
  expect((await epic.fhir('GET', read.headers.get('location') ?? '')).body.id).toBe(bruno.id);

  const goals = await epic.fhir('GET', `Goal?patient=${ada.id}&_count=5`);
  expect([goals.status, numbers(goals.body)]).toEqual([301, ['4107']]);
  expect(matches((await epic.fhir('GET', goals.headers.get('location') ?? '')).body)).toEqual(['g']);
  expect(matches(await search(`identifier=${ada.mrn}`))).toEqual([]);
  const note = await epic.fhir('POST', 'DocumentReference', { body: aNote(ada) });
  expect([note.status, numbers(note.body)]).toEqual([400, ['4107']]);
  await epic.settings({ merged: {} });
  expect((await epic.fhir('GET', `Patient/${ada.id}`)).status).toBe(200);
});

test('E21 what is about a restricted patient answers 403 with 4131', async () => {
  const id = await epic.created(aNote(ada));
  const { body: document } = await epic.fhir('GET', `DocumentReference/${id}`);
  await epic.seed(aTask());
  await epic.settings({ restricted: [ada.id] });
  const answers = [
    await epic.fhir('GET', `Patient/${ada.id}`),
    await epic.fhir('GET', `Encounter/visit-${ada.id}`),
    await epic.fhir('GET', `Goal?patient=${ada.id}`),
    await epic.fhir('GET', document.content[0].attachment.url),
    await epic.fhir('POST', 'DocumentReference', { body: aNote(ada) }),
    await epic.fhir('PUT', 'Task/referral-1', { body: aTask({ status: 'accepted' }) }),
  ];
  for (const { status, body } of answers) expect([status, numbers(body)]).toEqual([403, ['4131']]);
  expect((await epic.stored('Task', 'referral-1')).status).toBe('requested');
  const hidden = await search(`identifier=${ada.mrn}`);
  expect([matches(hidden), numbers(hidden)]).toEqual([[], ['4134', '4101']]);
  expect((await epic.fhir('GET', `Patient/${bruno.id}`)).status).toBe(200);
  await epic.settings({ restricted: [] });
  expect((await epic.fhir('GET', `Patient/${ada.id}`)).status).toBe(200);
});
