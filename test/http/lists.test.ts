import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { json as jsonParameter, sql } from '../../src/store/store.ts';
import { aCase, aReferral } from '../builders.ts';
import { asJson, asLines, type Harness, json, startHarness } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
  const cases = Array.from({ length: 7 }, (_, n) => ({ type: 'case', record: aCase({ id: `case-${n}` }) }));
  await (await harness.send('county', 'POST', '/api/records', asLines(...cases))).text();
  await sql`insert into change_counter values ('county', 5)`.execute(harness.store.db);
  await sql`insert into change (source, cursor, connection, subject, op, type, id, body)
    select 'county', n, 'general', 'county.case.case-1', case n when 4 then 'propose' when 5 then 'withdraw' else 'patch' end, 'case', 'case-1',
      case when n < 5 then '{"status":"closed"}'::jsonb end
    from generate_series(1, 5) n`.execute(harness.store.db);
});
afterAll(() => harness.stop());

async function get(path: string) {
  return json(await harness.send('county', 'GET', path));
}

async function pages(path: string, limit: number) {
  const seen: unknown[] = [];
  let after: unknown = null;
  do {
    const page = await get(`${path}?limit=${limit}${after ? `&after=${after}` : ''}`);
    seen.push(...(Array.isArray(page.items) ? page.items : []));
    after = page.next;
  } while (after);
  return seen;
}

describe('paging', () => {
  test.each(['/api/cases', '/api/lanes'])('%s in pages of any size shows every item once', async (path) => {
    const whole = await get(path);
    expect(whole).toMatchObject({ next: null });
    expect(whole.items).toHaveLength(7);
    for (const limit of [1, 3, 7]) expect(await pages(path, limit)).toEqual(whole.items);
  });

  test('the reasons of lanes come in pages as well, the most frequent first', async () => {
    const parked = jsonParameter({ code: 'patient-restricted', text: 'Restricted.' });
    await sql`update lane set parked = ${parked} where subject in ('county.case.case-5', 'county.case.case-6')`.execute(
      harness.store.db,
    );
    const whole = await get('/api/lanes/reasons');
    expect(whole).toMatchObject({ items: [{ count: 5 }, { state: 'parked', code: 'patient-restricted', count: 2 }] });
    expect(await pages('/api/lanes/reasons', 1)).toEqual(whole.items);
    await sql`update lane set parked = null`.execute(harness.store.db);
  });

  test('every list that the description names takes limit and after', async () => {
    const { paths } = await get('/openapi.json');
    const lists: string[] = [];
    for (const [path, operations] of Object.entries(Object(paths))) {
      if (!path.startsWith('/api/') || path.includes('{')) continue;
      const names = Object(operations).get?.parameters?.map(({ name }: { name: string }) => name) ?? [];
      const query = names.includes('source') ? '?source=county' : '';
      const response = await harness.send('reader', 'GET', `${path}${query}`);
      const { items } = response.status === 200 ? await json(response) : {};
      if (!Array.isArray(items)) continue;
      lists.push(path);
      expect([path, ...names]).toEqual(expect.arrayContaining([path, 'limit', 'after']));
    }
    expect(lists).toEqual(
      expect.arrayContaining(['/api/lanes/reasons', '/api/webhooks', '/api/changes', '/api/replays']),
    );
  });

  test.each([
    ['limit=0', 'parameter-invalid'],
    ['limit=1001', 'parameter-invalid'],
    ['limit=ten', 'parameter-invalid'],
    ['state=busy', 'parameter-invalid'],
  ])('?%s is refused', async (query, code) => {
    const response = await harness.send('county', 'GET', `/api/lanes?${query}`);
    expect([response.status, (await json(response)).code]).toEqual([400, code]);
  });
});

describe('the change feed', () => {
  test('has patch, record or neither by its op, and always a next', async () => {
    const { items, next } = await get('/api/changes');
    const shown = Array.isArray(items)
      ? items.map(({ op, patch, record, type, id }) => ({ op, patch, record, type, id }))
      : [];
    const closed = { status: 'closed' };
    expect(shown.slice(2)).toEqual([
      { op: 'patch', patch: closed, type: 'case', id: 'case-1' },
      { op: 'propose', record: closed, type: 'case', id: 'case-1' },
      { op: 'withdraw', type: 'case', id: 'case-1' },
    ]);
    expect(await get(`/api/changes?after=${next}`)).toEqual({ items: [], next });
  });

  test('goes on from the cursor of any item', async () => {
    const { items } = await get('/api/changes');
    expect(await get('/api/changes?after=')).toMatchObject({ items });
    const [, second] = Array.isArray(items) ? items : [];
    const rest = await get(`/api/changes?after=${second.cursor}`);
    expect(rest.items).toHaveLength(3);
  });

  test('says where a change comes from only with lineage=true', async () => {
    const lineage = { mapping: '1.0.0', resources: [] };
    await sql`update change set lineage = ${jsonParameter(lineage)} where source = 'county' and cursor = 3`.execute(
      harness.store.db,
    );
    const third = async (query: string) => {
      const { items } = await get(`/api/changes${query}`);
      return Array.isArray(items) ? items[2] : undefined;
    };
    expect(await third('?lineage=true')).toEqual({ ...(await third('')), lineage });
    expect(await third('?lineage=false')).not.toHaveProperty('lineage');
  });

  test('an empty feed has a next too', async () => {
    const feed = await json(await harness.send('town', 'GET', '/api/changes'));
    expect(feed).toEqual({ items: [], next: expect.any(String) });
  });
});

describe('what began on the other side', () => {
  beforeAll(async () => {
    await sql`insert into inbound (connection, source, resource_type, remote_id, type, id, subject, state) values
      ('general', 'county', 'Task', 't1', 'referral', 'general.t1', 'county.case.case-1', 'proposed'),
      ('harbor', 'town', 'Condition', 'c1', 'need', 'harbor.c1', 'town.case.case-1', 'kept')`.execute(harness.store.db);
    const why = jsonParameter({ code: 'search-entry-unreadable', text: 'why' });
    await sql`insert into poll_unreadable (connection, resource_type, about, key, reason, first_at, last_at) values
      ('general', 'Goal', 'p1', 'at 2026-03-01T10:00:00Z', ${why}, '2026-03-02T10:00:00Z', '2026-03-03T10:00:00Z'),
      ('general', 'Goal', 'p2', 'at 2026-03-01T10:00:00Z', ${why}, '2026-03-02T10:00:00Z', '2026-03-03T10:00:00Z'),
      ('harbor', 'Task', '', 't9', ${why}, '2026-03-02T10:00:00Z', '2026-03-03T10:00:00Z')`.execute(harness.store.db);
  });
  const list = async (caller: 'reader' | 'county', query: string) => {
    const { items, next } = await json(await harness.send(caller, 'GET', `/api/inbound?${query}`));
    return { items: Array.isArray(items) ? items : [], next };
  };

  test('is shown to an operator with what polls could not read: its place, why, and since when', async () => {
    const { items } = await list('reader', 'state=unreadable');
    expect(items.slice(0, 1)).toEqual([
      {
        connection: 'general',
        source: null,
        resourceType: 'Goal',
        id: 'at 2026-03-01T10:00:00Z',
        type: null,
        proposedId: null,
        state: 'unreadable',
        reason: { code: 'search-entry-unreadable', text: 'why' },
        recordId: null,
        firstSeenAt: '2026-03-02T10:00:00.000Z',
        at: '2026-03-03T10:00:00.000Z',
        patient: 'p1',
      },
    ]);
    expect((await list('reader', 'state=unreadable&connection=harbor')).items).toMatchObject([{ id: 't9' }]);
  });

  test('is shown to a source as far as it is its own: of the unreadable nobody knows whose it is', async () => {
    expect((await list('county', '')).items).toMatchObject([{ id: 't1', source: 'county', proposedId: 'general.t1' }]);
    expect((await list('reader', 'source=town')).items).toMatchObject([{ id: 'c1', proposedId: null }]);
  });

  test('comes in pages of any size, each item once', async () => {
    const whole = await list('reader', '');
    expect(whole.items).toHaveLength(5);
    for (const limit of [1, 2, 3]) {
      const seen: unknown[] = [];
      let after: unknown = null;
      do {
        const one = await list('reader', `limit=${limit}${after ? `&after=${after}` : ''}`);
        seen.push(...one.items);
        after = one.next;
      } while (after);
      expect(seen).toEqual(whole.items);
    }
  });
});

describe('lane states', () => {
  const set = (values: ReturnType<typeof sql>) =>
    sql`update lane set wanted = 1, done = 0, lease_until = null, parked = null, next_try_at = null, waiting = false`
      .execute(harness.store.db)
      .then(() => sql`update lane set ${values} where subject = 'county.case.case-1'`.execute(harness.store.db));
  const reason = sql`'{"code":"internal","text":"why"}'::jsonb`;
  const rows: [string, ReturnType<typeof sql>, string | null][] = [
    ['due', sql`wanted = 2`, null],
    ['running', sql`lease_until = now() + interval '1 minute'`, null],
    ['due', sql`lease_until = now() - interval '1 minute'`, null],
    ['retrying', sql`next_try_at = now() + interval '1 minute', reason = ${reason}`, 'why'],
    ['waiting', sql`done = 1, waiting = true`, 'why'],
    ['due', sql`waiting = true, reason = null`, null],
    ['parked', sql`done = 1, parked = ${reason}`, 'why'],
    ['idle', sql`done = 1, next_look_at = now() + interval '1 hour'`, null],
  ];
  test.each(rows)('%s', async (state, values, text) => {
    await set(values);
    const { items } = await get(`/api/lanes?state=${state}`);
    const lanes = Array.isArray(items) ? items : [];
    const lane = lanes.find(({ subject }) => subject === 'county.case.case-1');
    expect([lane?.state, lane?.reason?.text ?? null]).toEqual([state, text]);
  });

  test('paused when the connection is, unless it runs or needs mending', async () => {
    await harness.store.db
      .insertInto('connection')
      .values({
        id: 'general',
        configuration: '',
        paused: jsonParameter({ code: 'internal' as const, text: 'by ops' }),
      })
      .execute();
    await set(sql`parked = ${reason}`);
    const { items } = await get('/api/lanes');
    const states = Array.isArray(items) ? items.map(({ state, reason }) => [state, reason.text]) : [];
    expect(states).toEqual([
      ...Array(1).fill(['paused', 'by ops']),
      ['parked', 'why'],
      ...Array(5).fill(['paused', 'by ops']),
    ]);
    expect((await get('/api/connections')).items).toMatchObject([{ paused: { text: 'by ops' } }]);
    await sql`delete from connection`.execute(harness.store.db);
  });
});

describe('one record', () => {
  test('is shown with remote values, resources and links', async () => {
    await harness.send('county', 'PUT', '/api/records/referral/referral-pantry', asJson(aReferral()));
    await sql`insert into remote_value (connection, source, type, id, pointer, value, seen_at)
      values ('general', 'county', 'referral', 'referral-pantry', '/status', '"accepted"', '2026-02-05T10:00:00Z')`.execute(
      harness.store.db,
    );
    await sql`insert into link (connection, source, type, id, slot, generation, subject, resource_type, remote_id, route, state)
      values ('general', 'county', 'referral', 'referral-pantry', 'request', 1, 's', 'ServiceRequest', '1', 'native', 'leaving'),
             ('general', 'county', 'referral', 'referral-pantry', 'request', 2, 's', 'ServiceRequest', '2', 'native', 'current')`.execute(
      harness.store.db,
    );
    expect(await get('/api/records/referral/referral-pantry')).toEqual({
      record: aReferral(),
      version: 1,
      remote: [{ connection: 'general', pointer: '/status', value: 'accepted', seenAt: '2026-02-05T10:00:00.000Z' }],
      resources: [{ resourceType: 'Basic', id: 'referral-referral-pantry' }],
      links: [
        {
          connection: 'general',
          slot: 'request',
          resourceType: 'ServiceRequest',
          id: '2',
          route: 'native',
          state: 'current',
          reason: null,
        },
      ],
    });
  });

  test('that a connection has not planned yet is due there', async () => {
    await harness.send(
      'county',
      'PUT',
      '/api/records/referral/new',
      asJson(aReferral({ id: 'new', caseId: 'case-2' })),
    );
    expect((await get('/api/records/referral/new')).links).toMatchObject([
      { connection: 'general', slot: null, state: 'due', reason: { code: 'version-due' } },
    ]);
  });

  test('that was never sent is 404', async () => {
    const response = await harness.send('county', 'GET', '/api/records/goal/none');
    expect([response.status, (await json(response)).code]).toEqual([404, 'record-unknown']);
  });
});

describe('one case', () => {
  test('has its record, timeline, clocks, lanes and decisions', async () => {
    const found = await get('/api/cases/case-1');
    expect(found).toMatchObject({ source: 'county', id: 'case-1', version: 1, clocks: [], decisions: [] });
    expect(found.lanes).toMatchObject([{ connection: 'general', subject: 'county.case.case-1' }]);
    const timeline = Array.isArray(found.timeline) ? found.timeline : [];
    expect(timeline.map(({ kind }) => kind).sort()).toEqual([
      'change',
      'change',
      'change',
      'change',
      'change',
      'record',
    ]);
  });

  test('has its desired FHIR as a collection Bundle', async () => {
    await harness.send('county', 'PUT', '/api/records/referral/r1', asJson(aReferral({ id: 'r1', caseId: 'case-1' })));
    expect(await get('/api/cases/case-1/bundle')).toEqual({
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        { fullUrl: 'urn:x:case-1', resource: { resourceType: 'Basic', id: 'case-case-1' } },
        { fullUrl: 'urn:x:r1', resource: { resourceType: 'Basic', id: 'referral-r1' } },
      ],
    });
    const asked = await get('/api/cases/case-1/bundle?lineage=true');
    expect(asked).toMatchObject({ bundle: { type: 'collection', entry: [{}, {}] }, issues: [], lineage: [] });
  });
});

describe('decisions', () => {
  test('an answer with unknown or wrong fields is refused', async () => {
    for (const answer of [{}, { choose: 1 }, { choose: 'link', nte: 'x' }, { choose: 'link', note: 5 }, []]) {
      const response = await harness.send('decider', 'POST', '/api/decisions/1', asJson(answer));
      expect([response.status, (await json(response)).code]).toEqual([400, 'request-refused']);
    }
  });
});

describe('who a client is', () => {
  const path = '/api/connections/general/patients/county/client-rosa';

  test.each([
    [
      'a patient',
      { patient: 'abc.1-2', note: 'the other one' },
      'link general county client-rosa abc.1-2 the other one decider',
    ],
    ['nobody', { patient: null }, 'link general county client-rosa null  decider'],
  ])('%s: is passed on with the name of the operator', async (_who, body, asked) => {
    const response = await harness.send('decider', 'POST', path, asJson(body));
    expect(response.status).toBe(200);
    expect(await json(response)).toEqual({ was: null, now: body.patient, written: [] });
    expect(harness.asked.at(-1)).toBe(asked);
  });

  test('unknown or wrong fields are refused', async () => {
    const bad = [
      {},
      [],
      { patient: '' },
      { patient: 1 },
      { patient: '../x' },
      { patient: '..' },
      { patient: 'a b' },
      { patient: 'a/b' },
    ];
    for (const body of [...bad, { patient: 'a'.repeat(129) }, { patient: 'a', nte: 'x' }, { patient: 'a', note: 5 }]) {
      const response = await harness.send('decider', 'POST', path, asJson(body));
      expect([body, response.status, (await json(response)).code]).toEqual([body, 400, 'request-refused']);
    }
  });
});

describe('preview', () => {
  test('passes checked records on and stores nothing', async () => {
    const init = asLines({ type: 'referral', record: aReferral({ id: 'preview-only' }) });
    const response = await harness.send('county', 'POST', '/api/preview?connection=general', init);
    expect(await json(response)).toEqual({
      bundle: { resourceType: 'Bundle', type: 'collection' },
      issues: [],
      lineage: [],
    });
    expect(harness.asked.at(-1)).toBe('preview 1 general');
    expect((await harness.send('county', 'GET', '/api/records/referral/preview-only')).status).toBe(404);
  });

  test('says which lines are refused', async () => {
    const response = await harness.send('county', 'POST', '/api/preview', asLines({ type: 'referral', record: {} }));
    const problem = await json(response);
    expect([response.status, problem.code]).toEqual([400, 'records-refused']);
    expect(problem.errors).toContainEqual(expect.objectContaining({ line: 1, rule: 'required' }));
  });

  test('says of each error which record it is of, and counts the records', async () => {
    const body = JSON.stringify([
      { type: 'referral', record: aReferral() },
      { type: 'organization', record: { id: 'nameless' } },
    ]);
    const response = await harness.send('county', 'POST', '/api/preview', {
      body,
      headers: { 'content-type': 'application/json' },
    });
    const problem = await json(response);
    expect(problem.detail).toMatch(/^Records that are refused: 1/);
    expect(problem.errors).toContainEqual(
      expect.objectContaining({ element: 2, type: 'organization', id: 'nameless', pointer: '/name', rule: 'required' }),
    );
  });

  test('knows only connections that the source goes to', async () => {
    const init = asLines({ type: 'referral', record: aReferral() });
    expect((await harness.send('county', 'POST', '/api/preview?connection=harbor', init)).status).toBe(404);
  });
});
