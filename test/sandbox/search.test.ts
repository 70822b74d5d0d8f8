import { beforeEach, describe, expect, test } from '@jest/globals';
import { aPatient, aTask, type Parsed, useSandbox } from './server.ts';

const server = useSandbox();

/** The ids of the matches, in order. */
async function found(query: string): Promise<string[]> {
  const { status, body } = await server.fhir('GET', query);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return (body.entry ?? [])
    .filter((entry: Parsed) => entry.search.mode === 'match')
    .map((entry: Parsed) => entry.resource.id);
}

const q = encodeURIComponent;

describe('criteria', () => {
  beforeEach(async () => {
    await server.control('POST', 'seed', [
      aPatient({
        id: 'noemie',
        address: [{ line: ['12 Elm Street'], city: 'Albany', postalCode: '12207' }],
        telecom: [{ system: 'phone', value: '+1 518 555 0100' }],
      }),
      {
        resourceType: 'Patient',
        id: 'jonas',
        active: true,
        name: [{ family: 'Limburg', given: ['Jonas'] }],
        gender: 'male',
        birthDate: '1990-07',
        identifier: [{ value: 'bare,1' }],
      },
      { resourceType: 'Organization', id: 'pantry', name: 'River Food Pantry' },
      aTask('noemie', {
        id: 't1',
        owner: { reference: 'Organization/pantry' },
        identifier: [
          { system: 's', value: 'a' },
          { system: 's', value: 'b' },
        ],
        executionPeriod: { start: '2026-03-05' },
      }),
      aTask('jonas', {
        id: 't2',
        status: 'completed',
        authoredOn: '2026-03-03T23:30:00-05:00',
        code: { coding: [{ system: 'c', code: 'fulfill' }] },
        owner: { identifier: { system: 'npi', value: '1' } },
      }),
    ]);
  });

  test.each([
    ['Patient?_id=noemie', ['noemie']],
    ['Patient?_id=noemie,jonas,none', ['noemie', 'jonas']],
    [`Patient?identifier=${q('https://agency.example.org/ids|county/client/c1#patient')}`, ['noemie']],
    [`Patient?identifier=${q('county/client/c1#patient')}`, ['noemie']],
    [`Patient?identifier=${q('https://agency.example.org/ids|')}`, ['noemie']],
    [`Patient?identifier=${q('|bare\\,1')}`, ['jonas']],
    [`Patient?identifier=${q('|county/client/c1#patient')}`, []],
    ['Patient?name=noemie', ['noemie']],
    ['Patient?name=LIM', ['jonas']],
    ['Patient?name:contains=lim', ['noemie', 'jonas']],
    ['Patient?family:exact=Limburg', ['jonas']],
    ['Patient?family:exact=limburg', []],
    ['Patient?given=rae', ['noemie']],
    ['Patient?gender=female', ['noemie']],
    ['Patient?gender:not=female', ['jonas']],
    ['Patient?active=true', ['jonas']],
    ['Patient?active:missing=true', ['noemie']],
    ['Patient?address-city=alb', ['noemie']],
    [`Patient?phone=${q('+1 518 555 0100')}`, ['noemie']],
    ['Patient?birthdate=1984-02-29', ['noemie']],
    ['Patient?birthdate=1984', ['noemie']],
    ['Patient?birthdate=1990-07-01', []],
    ['Patient?birthdate=ap1990-07-01', ['jonas']],
    ['Patient?birthdate=ne1984-02-29', ['jonas']],
    ['Patient?birthdate=gt1984-02-29', ['jonas']],
    ['Patient?birthdate=ge1984-02-29', ['noemie', 'jonas']],
    ['Patient?birthdate=lt1990&birthdate=gt1980', ['noemie']],
    ['Task?patient=noemie', ['t1']],
    ['Task?patient=Patient/noemie', ['t1']],
    ['Task?subject=Patient/noemie', ['t1']],
    ['Task?subject:Patient=jonas', ['t2']],
    ['Task?owner=Organization/pantry', ['t1']],
    [`Task?owner:identifier=${q('npi|1')}`, ['t2']],
    ['Task?status=requested,completed', ['t1', 't2']],
    ['Task?status=requested&patient=jonas', []],
    [`Task?status=${q('http://hl7.org/fhir/task-status|completed')}`, ['t2']],
    ['Task?identifier=b', ['t1']],
    [`Task?code=${q('c|fulfill')}`, ['t2']],
    ['Task?authored-on=2026-03-04', ['t2']],
    ['Task?authored-on=lt2026-03-03', ['t1']],
    ['Task?period=sa2026-03-04', ['t1']],
    ['Task?period=gt2030-01-01', ['t1']],
    ['Task?patient.birthdate=1984-02-29', ['t1']],
    ['Task?subject:Patient.name=jonas', ['t2']],
    ['Task?owner:Organization.name=river', ['t1']],
  ])('%s finds %j', async (query, ids) => {
    expect(await found(query)).toEqual(ids);
  });

  test('a search by an absolute reference to this server finds the relative one', async () => {
    expect(await found(`Task?patient=${q(`${server.base}/Patient/noemie`)}`)).toEqual(['t1']);
  });

  test('POST _search takes the same parameters from its form', async () => {
    const answer = await server.fhir('POST', 'Task/_search', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'patient=noemie&status=requested',
    });
    expect(answer.body.entry.map((entry: Parsed) => entry.resource.id)).toEqual(['t1']);
  });

  test('an update moves a resource from one value of an index to another', async () => {
    expect(await found('Task?status=requested')).toEqual(['t1']);
    await server.fhir('PUT', 'Task/t1', { body: aTask('noemie', { id: 't1', status: 'accepted' }) });
    expect(await found('Task?status=requested')).toEqual([]);
    expect(await found('Task?status=accepted')).toEqual(['t1']);
    expect(await found('Task?owner=Organization/pantry')).toEqual([]);
  });

  test('_include and _revinclude add each resource once, marked as included', async () => {
    const modes = async (query: string) =>
      (await server.fhir('GET', query)).body.entry.map(
        (entry: Parsed) => `${entry.search.mode} ${entry.fullUrl.slice(server.base.length + 1)}`,
      );

    expect(await modes('Task?_id=t1&_include=Task:patient&_include=Task:subject&_include=Task:owner')).toEqual([
      'match Task/t1',
      'include Patient/noemie',
      'include Organization/pantry',
    ]);
    expect(await modes('Patient?_id=noemie&_revinclude=Task:patient&_include:iterate=Task:owner')).toEqual([
      'match Patient/noemie',
      'include Task/t1',
      'include Organization/pantry',
    ]);
    expect(await modes('Task?_id=t1&_include=Task:owner:Practitioner')).toEqual(['match Task/t1']);
  });

  test.each([
    ['Task?bogus=1', 'bogus'],
    ['Task?patient.bogus=1', 'patient.bogus'],
    ['Task?status:above=x', 'status:above'],
    ['Task?patient=', 'patient'],
    ['Task?authored-on=yesterday', 'authored-on'],
    ['Task?_sort=bogus', 'bogus'],
    ['Task?_count=-1', '_count'],
    ['Task?_include=Task:status', '_include'],
    ['Task?_summary=text', '_summary'],
  ])('%s is refused and %s is named', async (query, name) => {
    const answer = await server.fhir('GET', query);
    expect(answer.status).toBe(400);
    expect(answer.body.issue[0].details.text).toContain(name);
  });

  test('with Prefer: handling=lenient an unknown parameter is left out, and the self link shows it', async () => {
    const { status, body } = await server.fhir('GET', 'Task?bogus=1&patient=noemie', {
      headers: { prefer: 'handling=lenient' },
    });
    expect(status).toBe(200);
    expect(body.total).toBe(1);
    expect(body.link).toEqual([{ relation: 'self', url: `${server.base}/Task?patient=noemie` }]);
  });
});

describe('pages', () => {
  beforeEach(async () => {
    const task = (n: number) =>
      aTask('p', {
        id: `t${String(n).padStart(3, '0')}`,
        description: `number ${n % 7}`,
        priority: n % 2 === 0 ? 'urgent' : 'routine',
      });
    await server.control('POST', 'seed', [aPatient({ id: 'p' }), ...Array.from({ length: 45 }, (_, n) => task(n))]);
  });

  test('next links lead through every match once, to the end', async () => {
    const ids: string[] = [];
    let url: string | undefined = 'Task?patient=p&_count=20&_sort=-_id';
    let pages = 0;
    while (url !== undefined) {
      const { body }: Parsed = await server.fhir('GET', url);
      expect(body.total).toBe(45);
      ids.push(...body.entry.map((entry: Parsed) => entry.resource.id));
      url = body.link.find((link: Parsed) => link.relation === 'next')?.url;
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(ids).toEqual(Array.from({ length: 45 }, (_, n) => `t${String(44 - n).padStart(3, '0')}`));
  });

  test('without _count a page has 20 matches; _summary=count has none', async () => {
    expect((await server.fhir('GET', 'Task')).body.entry).toHaveLength(20);
    const { body } = await server.fhir('GET', 'Task?_summary=count');
    expect(body).toMatchObject({ total: 45 });
    expect(body.entry).toBeUndefined();
    expect(body.link).toHaveLength(1);
  });

  test('_offset begins later', async () => {
    expect(await found('Task?_offset=43')).toEqual(['t043', 't044']);
  });

  test('several sort rules are applied one after another', async () => {
    const ids = await found('Task?_sort=priority,-_id&_count=3');
    expect(ids).toEqual(['t043', 't041', 't039']);
  });
});

test('_lastUpdated selects by the time of the server, to the millisecond', async () => {
  const times: string[] = [];
  for (const now of ['2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z']) {
    await server.control('POST', 'clock', { now });
    times.push((await server.fhir('POST', 'Patient', { body: aPatient() })).body.meta.lastUpdated);
  }
  const [first = '', second = '', third = ''] = times;
  const count = async (query: string) => (await server.fhir('GET', `Patient?${query}`)).body.total;

  expect(await count(`_lastUpdated=ge${second}`)).toBe(2);
  expect(await count(`_lastUpdated=gt${second}`)).toBe(1);
  expect(await count(`_lastUpdated=le${second}`)).toBe(2);
  expect(await count(`_lastUpdated=lt${second}`)).toBe(1);
  expect(await count(`_lastUpdated=ge${first}&_lastUpdated=lt${third}`)).toBe(2);
  expect(await count('_lastUpdated=2026-03-02')).toBe(1);
  const newest = await server.fhir('GET', 'Patient?_sort=-_lastUpdated&_count=1');
  expect(newest.body.entry[0].resource.meta.lastUpdated).toBe(third);
});
