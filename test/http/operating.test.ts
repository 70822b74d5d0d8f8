// What operators see and do over HTTP: lanes by reason, alerts, older records, replays. Unknown ids, states and fields get a clear error and
// change nothing.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { routes } from '../../src/http/routes.ts';
import { reviewAlerts } from '../../src/lanes/lanes.ts';
import { createMetrics } from '../../src/metrics.ts';
import { sql } from '../../src/store/store.ts';
import { aCase, aGoal } from '../builders.ts';
import { asJson, asLines, type Caller, type Harness, json, startHarness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({}, {}, undefined, { decider: ['decide', 'run', 'read'] });
});
afterAll(() => harness.stop());

beforeEach(async () => {
  await sql`truncate record, record_version, stale_record, lane, link, alert, replay, replay_item, connection restart identity`.execute(
    harness.store.db,
  );
  const cases = Array.from({ length: 4 }, (_, n) => ({ type: 'case', record: aCase({ id: `case-${n}` }) }));
  await (await harness.send('county', 'POST', '/api/records', asLines(...cases))).text();
  await sql`insert into connection (id, configuration) values ('general', 'x'), ('harbor', 'x')`.execute(
    harness.store.db,
  );
  await sql`update lane set done = wanted`.execute(harness.store.db);
  await sql`update lane set parked = '{"code":"server-refused","text":"It was refused (422)."}', reason = parked
    where subject in ('county.case.case-0', 'county.case.case-1')`.execute(harness.store.db);
  await sql`update lane set reason = parked where parked is not null`.execute(harness.store.db);
});

async function get(caller: Caller, path: string): Promise<Record<string, unknown>> {
  const response = await harness.send(caller, 'GET', path);
  return { status: response.status, ...(await json(response)) };
}

async function items(caller: Caller, path: string): Promise<Record<string, unknown>[]> {
  const { items: listed } = await get(caller, path);
  return Array.isArray(listed) ? listed : [];
}

async function post(caller: Caller, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await harness.send(caller, 'POST', path, body === undefined ? {} : asJson(body));
  return { status: response.status, ...(await json(response)) };
}

const review = () => reviewAlerts({ store: harness.store, connections: new Map() });

const lane = '/api/lanes/general/county.case.case-3';

test('metrics tell of a connection without work too: nothing due is 0, not silence', async () => {
  const text = await createMetrics(harness.store).registry.metrics();
  expect(text).toContain('casebridge_lanes_due{connection="harbor"} 0\n');
  expect(text).toContain('casebridge_oldest_due_lane_seconds{connection="general"} 0\n');
});

test('metrics count a paused connection as one that rests, unless it is switched off', async () => {
  const paused = 'casebridge_connection_resting{connection="harbor",reason="connection-paused"} 1\n';
  const metrics = () => createMetrics(harness.store).registry.metrics();
  expect(await metrics()).not.toContain(paused);
  await sql`update connection set paused = '{"code":"connection-paused","text":"x"}' where id = 'harbor'`.execute(
    harness.store.db,
  );
  expect(await metrics()).toContain(paused);
  await sql`update connection set off_since = now() where id = 'harbor'`.execute(harness.store.db);
  expect(await metrics()).not.toContain(paused);
});

describe('lanes by reason', () => {
  test('are listed, and counted by connection, state and code', async () => {
    const parked = await items('reader', '/api/lanes?state=parked&reason=server-refused');
    expect(parked.map(({ subject }) => subject)).toEqual(['county.case.case-0', 'county.case.case-1']);
    expect(await items('reader', '/api/lanes/reasons?state=parked')).toEqual([
      { connection: 'general', state: 'parked', code: 'server-refused', text: 'It was refused (422).', count: 2 },
    ]);
    expect(await items('reader', '/api/lanes/reasons')).toContainEqual(
      expect.objectContaining({ state: 'idle', code: null, count: 2 }),
    );
    await sql`update lane set parked = '{"code":"server-refused","text":"It was refused (409)."}'
      where subject = 'county.case.case-1'`.execute(harness.store.db);
    expect(await items('reader', '/api/lanes/reasons?state=parked')).toMatchObject([
      { text: 'For example: It was refused (409).', count: 2 },
    ]);
  });

  test.each([
    ['a code that is none', 'reason=server-refuse', 400, 'parameter-invalid', 'server-refused'],
    ['a code with spaces', 'reason=so%20what', 400, 'parameter-invalid', 'code of a reason'],
    ['a state that is none', 'state=stuck', 400, 'parameter-invalid', 'parked'],
    ['a connection that is none', 'connection=nowhere', 404, 'connection-unknown', 'nowhere'],
  ])('%s is refused with what there is', async (_what, query, status, code, told) => {
    const answer = await get('reader', `/api/lanes?${query}`);
    expect(answer).toMatchObject({ status, code });
    expect(answer.detail).toContain(told);
    expect(await get('reader', `/api/lanes/reasons?${query}`)).toMatchObject({ status, code });
  });
});

test('the plan of a lane is shown to operators who may run and read, for it says what records say', async () => {
  expect(await post('runner', `${lane}/run?dryRun=true`)).toMatchObject({ status: 403, code: 'permission-missing' });
  expect(await post('reader', `${lane}/run?dryRun=true`)).toMatchObject({ status: 403, code: 'permission-missing' });
  expect(await post('decider', `${lane}/run?dryRun=true`)).toMatchObject({ status: 200, operations: [] });
  expect(harness.asked).toEqual([]);
  expect(await post('runner', `${lane}/run?dryRun=false`)).toMatchObject({ status: 200 });
});

test('what an operator reads of a case, a record or a plan is kept in the audit by ids, and nothing of what a source reads of its own', async () => {
  await sql`truncate audit`.execute(harness.store.db);
  const paths = ['cases/case-3', 'cases/case-3/timeline', 'cases/case-3/bundle', 'records/case/case-3'];
  for (const path of paths)
    for (const caller of ['county', 'reader'] as const)
      expect(await get(caller, `/api/${path}?source=county`)).toMatchObject({ status: 200 });
  expect(await get('reader', '/api/cases/case-none?source=county')).toMatchObject({ status: 404 });
  await post('decider', `${lane}/run?dryRun=true`);
  const kept = await harness.store.db.selectFrom('audit').selectAll().orderBy('id').execute();
  expect(
    kept.map(({ actor, action, resource_type, resource_id }) => [actor, action, resource_type, resource_id]),
  ).toEqual([
    ...paths.map(() => ['operator:reader', 'read', 'case', 'county/case-3']),
    ['operator:decider', 'read', 'lane', 'general/county.case.case-3'],
  ]);
  expect(kept.every(({ request_id, outcome }) => request_id !== null && outcome === 'done')).toBe(true);
});

test('a preview is a look of an operator at the stored records that it took words from', async () => {
  await sql`truncate audit`.execute(harness.store.db);
  for (const caller of ['county', 'reader'] as const) {
    const sent = asLines({ type: 'case', record: aCase() });
    const shown = await json(await harness.send(caller, 'POST', '/api/preview?source=county', sent));
    expect(Object.keys(shown)).toEqual(['bundle', 'issues', 'lineage']);
  }
  const kept = await harness.store.db.selectFrom('audit').selectAll().execute();
  expect(kept).toMatchObject([
    { actor: 'operator:reader', action: 'read', resource_type: 'client', resource_id: 'county/client-rosa' },
  ]);
});

test('what an operator does is kept in the audit once it is done, and what was refused is not', async () => {
  await sql`truncate audit`.execute(harness.store.db);
  await post('runner', `${lane}/run`);
  await post('runner', `${lane}/park`, {});
  await post('runner', `${lane}/park`, { note: 'the family asked' });
  await post('runner', `${lane}/retry`);
  await post('configurer', '/api/connections/general/pause');
  await post('configurer', '/api/connections/general/resume');
  await post('decider', '/api/connections/general/pause');
  await post('decider', '/api/connections/general/patients/county/client-rosa', { patient: null });
  await post('runner', '/api/replays', { connection: 'general' });
  await post('county', '/api/webhooks/county/enable');
  await post('runner', '/api/webhooks/county/enable');
  const kept = await harness.store.db.selectFrom('audit').selectAll().orderBy('id').execute();
  expect(
    kept.map(({ actor, action, resource_type, resource_id }) => [actor, action, resource_type, resource_id].join(' ')),
  ).toEqual([
    'operator:runner run lane general/county.case.case-3',
    'operator:runner park lane general/county.case.case-3',
    'operator:runner retry lane general/county.case.case-3',
    'operator:configurer pause connection general',
    'operator:configurer resume connection general',
    'operator:decider link client general/county/client-rosa',
    'operator:runner replay replay 1',
    'operator:runner enable webhook county',
  ]);
  expect(kept.every(({ request_id, outcome }) => request_id !== null && outcome === 'done')).toBe(true);
});

test('every route by which an operator acts names what the audit is told, or keeps it with what it changes', () => {
  const acting = routes.filter(
    ({ method, access }) =>
      method !== 'GET' && typeof access === 'object' && access.operator !== undefined && access.operator !== 'read',
  );
  expect(acting.filter(({ act }) => act === undefined).map(({ path }) => path)).toEqual([
    '/api/partner-links',
    '/api/partner-messages/{message}/retry',
    '/api/partner-messages/{message}/withdraw',
  ]);
});

describe('a list that shows what records say', () => {
  const old = '2026-01-01T00:00:00-05:00';
  const rows: [list: string, fill: () => Promise<unknown>, seen: string[]][] = [
    [
      '/api/decisions',
      () =>
        sql`insert into decision (connection, subject, source, kind, topic, reason, detail, choices)
          select 'general', 'county.case.case-3', 'county', 'conflict', t, '{"code":"internal","text":"x"}', '{}', '[]'
          from unnest(array['a', 'b']) t`.execute(harness.store.db),
      ['decision 1', 'decision 2'],
    ],
    [
      '/api/replays/1/lanes?limit=3',
      async () => {
        await post('runner', '/api/replays', { connection: 'general', dryRun: true });
        await sql`update replay_item set outcome = 'done', plan = '[]' where subject in ('county.case.case-0', 'county.case.case-3')`.execute(
          harness.store.db,
        );
      },
      ['lane general/county.case.case-0'],
    ],
    [
      '/api/records/stale?source=county',
      async () =>
        (
          await harness.send(
            'county',
            'PUT',
            '/api/records/case/case-3',
            asJson(aCase({ id: 'case-3', caseNumber: '2026-0001', updatedAt: old })),
          )
        ).text(),
      ['case county/case-3'],
    ],
    [
      '/api/changes?source=county',
      () =>
        sql`insert into change (source, cursor, connection, subject, op, type, id, body)
          select 'county', n, 'general', 'county.case.case-3', 'patch', 'goal', 'goal-meals', '{}' from generate_series(1, 2) n`.execute(
          harness.store.db,
        ),
      ['goal county/goal-meals'],
    ],
  ];
  test.each(rows)(
    '%s is a look at each of its items by an operator, and none by a source',
    async (list, fill, seen) => {
      await sql`truncate decision, change restart identity`.execute(harness.store.db);
      await fill();
      await sql`truncate audit`.execute(harness.store.db);
      for (const caller of ['county', 'reader'] as const) await get(caller, list);
      const kept = await harness.store.db.selectFrom('audit').selectAll().orderBy('id').execute();
      expect(kept.map(({ resource_type, resource_id }) => `${resource_type} ${resource_id}`)).toEqual(seen);
      expect(kept.every(({ actor, action }) => actor === 'operator:reader' && action === 'read')).toBe(true);
    },
  );
});

test('an operator who may decide and not read is not told what records and servers say', async () => {
  const apart = await startHarness({}, {}, undefined, { decider: ['decide'], runner: ['decide', 'read'] });
  await sql`insert into decision (connection, subject, source, kind, topic, reason, detail, choices)
    select 'general', 'county.case.case-3', 'county', 'conflict', n::text, '{"code":"internal","text":"x"}', '{"note":"She has left him."}',
      '[{"choose":"keep-ours","effect":"x"}]' from generate_series(1, 2) n`.execute(apart.store.db);
  const decided = async (caller: Caller, id: number) =>
    json(await apart.send(caller, 'POST', `/api/decisions/${id}`, asJson({ choose: 'keep-ours' })));
  const blind = await decided('decider', 1);
  const seeing = await decided('runner', 2);
  await apart.stop();
  expect(blind).toMatchObject({ id: 1, choice: 'keep-ours', state: 'decided' });
  expect(blind).not.toHaveProperty('detail');
  expect(seeing).toMatchObject({ id: 2, detail: { note: 'She has left him.' } });
});

describe('a lane that an operator parks', () => {
  test('shows who did it and why, until it is retried', async () => {
    expect(await post('runner', `${lane}/park`, { note: 'the family asked' })).toMatchObject({
      status: 200,
      state: 'parked',
      reason: { code: 'lane-parked-by-operator' },
      stopped: { by: 'runner', note: 'the family asked' },
    });
    const counted = await items('reader', '/api/lanes/reasons?reason=lane-parked-by-operator');
    expect(counted).toMatchObject([{ state: 'parked', count: 1 }]);
    const retried = await post('runner', `${lane}/retry`);
    expect(retried).toMatchObject({ status: 200, state: 'due' });
    expect(retried).not.toHaveProperty('stopped');
  });

  test.each([
    ['no body', undefined, 'body-missing'],
    ['no note', {}, 'request-refused'],
    ['an empty note', { note: ' ' }, 'request-refused'],
    ['a note that is no text', { note: 5 }, 'request-refused'],
    ['an unknown field', { note: 'x', nte: 'y' }, 'request-refused'],
    ['a list', [], 'request-refused'],
  ])('%s: is refused and not parked', async (_what, body, code) => {
    expect(await post('runner', `${lane}/park`, body)).toMatchObject({ status: 400, code });
    expect(await items('reader', '/api/lanes?reason=lane-parked-by-operator')).toEqual([]);
  });

  test.each([
    ['park', { note: 'x' }],
    ['retry', undefined],
    ['skip', {}],
  ])('%s of an unknown lane is 404, of a malformed one 400', async (action, body) => {
    expect(await post('runner', `/api/lanes/general/county.case.none/${action}`, body)).toMatchObject({
      status: 404,
      code: 'lane-unknown',
    });
    expect(await post('runner', `/api/lanes/general/nonsense/${action}`, body)).toMatchObject({
      status: 400,
      code: 'parameter-invalid',
    });
  });
});

test('a retry and a skip where nothing is stuck say so', async () => {
  expect(await post('runner', `${lane}/retry`)).toMatchObject({ status: 409, code: 'lane-nothing-to-retry' });
  expect(await post('runner', `${lane}/skip`, {})).toMatchObject({ status: 409, code: 'lane-nothing-to-skip' });
  expect(await post('runner', `${lane}/skip`, { resource: 'goal g1' })).toMatchObject({
    status: 400,
    code: 'request-refused',
  });
});

describe('a connection', () => {
  test('shows its lanes by state, its open alerts, and how it is paused or drained', async () => {
    await review();
    await sql`update connection set draining_since = now(), draining_by = 'ops' where id = 'general'`.execute(
      harness.store.db,
    );
    await sql`update connection set paused = '{"code":"connection-paused","text":"x"}', probe_at = now() where id = 'harbor'`.execute(
      harness.store.db,
    );
    const listed = await items('reader', '/api/connections');
    const [general, harbor] = ['general', 'harbor'].map((id) => listed.find((one) => one.id === id));
    expect(general).toMatchObject({
      paused: null,
      draining: { by: 'ops', since: expect.any(String) },
      nextProbeAt: null,
      lanes: { idle: 2, parked: 2, due: 0, running: 0, waiting: 0, retrying: 0, paused: 0 },
      alerts: [{ topic: 'lanes-parked:server-refused:general', count: 2 }],
    });
    expect(harbor).toMatchObject({
      paused: { code: 'connection-paused' },
      nextProbeAt: expect.any(String),
      alerts: [],
    });
    const own = (await items('county', '/api/connections')).find(({ id }) => id === 'general');
    expect(own).toMatchObject({ lanes: { idle: 2, parked: 2 } });
    expect(own).not.toHaveProperty('alerts');
  });

  test('that is unknown is not drained', async () => {
    expect(await post('configurer', '/api/connections/nowhere/drain')).toMatchObject({
      status: 404,
      code: 'connection-unknown',
    });
  });
});

describe('alerts', () => {
  test('are listed by state, each once with its count', async () => {
    await review();
    await sql`update lane set parked = null where subject = 'county.case.case-0'`.execute(harness.store.db);
    await review();
    const open = await items('reader', '/api/alerts?state=open');
    expect(open).toMatchObject([
      { topic: 'lanes-parked:server-refused:general', state: 'open', count: 1, resolvedAt: null },
    ]);
    await sql`update lane set due_at = now() + interval '1 minute', parked = '{"code":"server-refused","text":"It was refused (400)."}'
      where subject = 'county.case.case-2'`.execute(harness.store.db);
    await review();
    expect(await items('reader', '/api/alerts?state=open')).toMatchObject([
      { count: 2, reason: { text: 'Lanes are parked on this connection. The newest reason: It was refused (400).' } },
    ]);
    await sql`update lane set parked = null`.execute(harness.store.db);
    await review();
    expect(await items('reader', '/api/alerts?state=open')).toEqual([]);
    expect(await items('reader', '/api/alerts?state=resolved')).toMatchObject([{ resolvedAt: expect.any(String) }]);
    expect(await items('reader', '/api/alerts')).toHaveLength(1);
  });

  test.each(['state=parked', 'state=', 'sate=open'])('?%s is refused', async (query) => {
    expect(await get('reader', `/api/alerts?${query}`)).toMatchObject({ status: 400 });
  });
});

describe('a record that came older than what is stored', () => {
  const old = aGoal({ statement: 'The right one.', updatedAt: '2026-01-01T10:00:00Z' });

  async function sendStale(): Promise<string> {
    await harness.send('county', 'PUT', '/api/records/goal/goal-meals', asJson(aGoal()));
    const answer = await harness.send('county', 'PUT', '/api/records/goal/goal-meals', asJson(old));
    expect(await json(answer)).toMatchObject({ outcome: 'stale', version: 1 });
    const [listed] = await items('county', '/api/records/stale');
    expect(listed).toMatchObject({
      source: 'county',
      type: 'goal',
      id: 'goal-meals',
      record: { statement: 'The right one.' },
      stored: { version: 1 },
    });
    return String(listed?.key);
  }

  test('is listed for its source alone, and an operator makes it the newest version', async () => {
    const key = await sendStale();
    expect(await items('town', '/api/records/stale')).toEqual([]);
    const path = `/api/records/goal/goal-meals/stale/${key}/accept?source=county`;
    expect(await post('decider', path)).toMatchObject({
      status: 202,
      outcome: 'accepted',
      version: 2,
      lanes: [{ connection: 'general' }],
    });
    expect(await get('county', '/api/records/goal/goal-meals')).toMatchObject({
      version: 2,
      record: { statement: 'The right one.', updatedAt: old.updatedAt },
    });
    expect(await items('county', '/api/records/stale')).toEqual([]);
    expect(await items('reader', '/api/lanes?state=due')).toMatchObject([{ subject: 'county.case.case-rosa' }]);
    // Sent again it is here already; what is older than both is still stale.
    expect(await json(await harness.send('county', 'PUT', '/api/records/goal/goal-meals', asJson(old)))).toMatchObject({
      outcome: 'unchanged',
      version: 2,
    });
    const between = aGoal({ statement: 'Another.', updatedAt: '2026-01-15T10:00:00Z' });
    expect(
      await json(await harness.send('county', 'PUT', '/api/records/goal/goal-meals', asJson(between))),
    ).toMatchObject({ outcome: 'stale' });
  });

  test('is accepted once; an unknown one, a malformed key and a missing source are refused', async () => {
    const key = await sendStale();
    const path = (id: string, hash: string) => `/api/records/goal/${id}/stale/${hash}/accept`;
    expect(await post('decider', path('goal-meals', key))).toMatchObject({ status: 400, code: 'source-needed' });
    expect(await post('decider', `${path('goal-other', key)}?source=county`)).toMatchObject({
      status: 404,
      code: 'stale-unknown',
    });
    expect(await post('decider', `${path('goal-meals', 'abc')}?source=county`)).toMatchObject({
      status: 400,
      code: 'parameter-invalid',
    });
    expect(await post('decider', `${path('goal-meals', key)}?source=county`)).toMatchObject({ status: 202 });
    expect(await post('decider', `${path('goal-meals', key)}?source=county`)).toMatchObject({
      status: 404,
      code: 'stale-unknown',
    });
    expect(await get('county', '/api/records/goal/goal-meals')).toMatchObject({ version: 2 });
  });

  test('of records that came before a rule there was, those that are stored stand, and an older one is refused by it', async () => {
    const key = await sendStale();
    const { db } = harness.store;
    await sql`update record set content = jsonb_set(content, '{statement}', '" "') where type = 'goal'`.execute(db);
    await sql`update stale_record set content = jsonb_set(content, '{statement}', '" "')`.execute(db);
    expect(await get('county', '/api/records/goal/goal-meals')).toMatchObject({ record: { statement: ' ' } });
    const path = `/api/records/goal/goal-meals/stale/${key}/accept?source=county`;
    expect(await post('decider', path)).toMatchObject({ status: 400, code: 'record-refused' });
    expect(await items('county', '/api/records/stale')).toMatchObject([{ key }]);
  });

  test('more than 20 in an hour are one alert, resolved when they have ceased', async () => {
    await harness.send('county', 'PUT', '/api/records/goal/goal-meals', asJson(aGoal()));
    for (let n = 0; n < 22; n += 1) {
      const late = aGoal({ statement: `Number ${n}`, updatedAt: '2026-01-01T10:00:00Z' });
      await harness.send('county', 'PUT', '/api/records/goal/goal-meals', asJson(late));
    }
    expect(await items('reader', '/api/alerts?state=open')).toMatchObject([{ topic: 'stale:county', count: 2 }]);
    await review();
    expect(await items('reader', '/api/alerts?state=open')).toMatchObject([{}, { topic: 'stale:county' }]);
    await sql`update stale_record set received_at = received_at - interval '2 hours'`.execute(harness.store.db);
    await review();
    const resolved = await items('reader', '/api/alerts?state=resolved');
    expect(resolved).toMatchObject([{ topic: 'stale:county' }]);
  });
});

describe('replays', () => {
  test('are answered with their counts, and listed', async () => {
    const started = await post('runner', '/api/replays', { connection: 'general', dryRun: true });
    expect(started).toMatchObject({
      status: 202,
      id: 1,
      state: 'running',
      dryRun: true,
      scope: { connection: 'general' },
      asked: 4,
      done: 0,
      skipped: 0,
      refused: 0,
      left: 4,
      askedBy: 'runner',
      reasons: [],
    });
    expect(await get('reader', '/api/replays/1')).toMatchObject({ status: 200, asked: 4, left: 4 });
    expect(await items('reader', '/api/replays')).toMatchObject([{ id: 1 }]);
    expect(await items('reader', '/api/replays/1/lanes?outcome=left&limit=3')).toHaveLength(3);
    expect(await items('reader', '/api/replays/1/lanes?outcome=done')).toEqual([]);
  });

  test.each<[string, unknown, number, string]>([
    ['a list', [], 400, 'request-refused'],
    ['an unknown field', { conection: 'general' }, 400, 'request-refused'],
    ['a connection that is no name', { connection: 'No Name' }, 400, 'request-refused'],
    ['an unknown connection', { connection: 'nowhere' }, 404, 'connection-unknown'],
    ['half a case', { case: { source: 'county' } }, 400, 'request-refused'],
    ['a case as text', { case: 'county/case-0' }, 400, 'request-refused'],
    ['an unknown case', { case: { source: 'county', id: 'none' } }, 404, 'record-unknown'],
    ['a time without offset', { since: '2026-03-01T00:00:00' }, 400, 'request-refused'],
    ['a day that does not exist', { since: '2026-02-30T00:00:00Z' }, 400, 'request-refused'],
    ['a time as a number', { until: 1770000000 }, 400, 'request-refused'],
    ['a mapping that is no version', { mapping: 'newest' }, 400, 'request-refused'],
    ['a mapping that is not active', { mapping: 'abc123' }, 409, 'mapping-not-active'],
    ['dryRun as text', { dryRun: 'true' }, 400, 'request-refused'],
  ])('%s is refused, and nothing is begun', async (_what, body, status, code) => {
    expect(await post('runner', '/api/replays', body)).toMatchObject({ status, code });
    expect(await items('reader', '/api/replays')).toEqual([]);
  });

  test.each([
    ['/api/replays/77', 404, 'replay-unknown'],
    ['/api/replays/77/lanes', 404, 'replay-unknown'],
    ['/api/replays/first', 400, 'parameter-invalid'],
    ['/api/replays/1/lanes?outcome=lost', 400, 'parameter-invalid'],
    ['/api/replays?after=zzz', 400, 'cursor-invalid'],
  ])('GET %s is %i', async (path, status, code) => {
    expect(await get('reader', path)).toMatchObject({ status, code });
  });
});
