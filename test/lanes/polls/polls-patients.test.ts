// Who is asked about, how often, and what is kept of the answers (lanes.md 20, 21; closed-loop B1, B4; ehr-behaviour 4).

import { describe, expect, test } from '@jest/globals';
import { polledTypes } from '../../../src/config.ts';
import type { JsonObject } from '../../../src/json.ts';
import { refreshRoster, uploadRoster, wakePolls } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aCase, aClient } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { mrn, rosa } from '../../support/patients.ts';
import { pollDue, pollEverybody } from '../../support/roster.ts';
import { useWorld, type World } from '../../support/world.ts';

const types = polledTypes.filter((type) => type !== 'Communication');
const polls = {
  types,
  performers: ['Organization/us'],
  referralCodes: [],
  documentTypes: [],
  lookBackMs: 90 * 86_400_000,
};
const linked = rosa('rosa', { identifier: [mrn] });
const stranger: JsonObject = {
  resourceType: 'Patient',
  id: 'stranger',
  name: [{ family: 'Ostberg' }],
  birthDate: '1990-01-01',
};

const aGoalThere = (id: string, patient: string, more: JsonObject = {}): JsonObject => ({
  resourceType: 'Goal',
  id,
  lifecycleStatus: 'active',
  description: { text: 'Eats every day' },
  subject: { reference: `Patient/${patient}` },
  ...more,
});

const aTaskThere = (id: string, patient: string, more: JsonObject = {}): JsonObject => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  intent: 'order',
  code: { coding: [{ code: 'community-resource' }] },
  for: { reference: `Patient/${patient}` },
  ...more,
});

const anOrderThere = (id: string, patient: string, more: JsonObject = {}): JsonObject => ({
  resourceType: 'ServiceRequest',
  id,
  status: 'active',
  intent: 'order',
  code: { coding: [{ system: 'http://snomed.info/sct', code: '467771000124109' }] },
  subject: { reference: `Patient/${patient}` },
  ...more,
});

/** What waits to be taken up, as `Type/id`. */
async function news(world: World): Promise<string[]> {
  const rows = await world.store.db
    .selectFrom('seen')
    .select(['resource_type', 'remote_id'])
    .where('news_since', 'is not', null)
    .execute();
  return rows.map((row) => `${row.resource_type}/${row.remote_id}`).sort();
}

async function pollRows(world: World, type: string) {
  return world.store.db.selectFrom('poll').selectAll().where('resource_type', '=', type).orderBy('about').execute();
}

async function askedFor(world: World, type: string, after = 0): Promise<string[]> {
  return (await world.server.journal(after))
    .map(({ url }) => decodeURIComponent(String(url)))
    .filter((url) => url.includes(`/${type}?`))
    .map((url) => url.slice(url.indexOf('?') + 1));
}

describe('epic', () => {
  const world = useWorld({
    vendor: 'epic',
    task: 'answer',
    identifierSystems: { mrn: mrn.system },
    createPatients: false,
    polls,
    pollEveryMs: 3_600_000,
  });

  async function linkRosa(): Promise<void> {
    await world.server.seed(linked, stranger);
    await world.send(['client', aClient()], ['case', aCase()]);
    expect(await world.link('client/client-rosa#patient')).toMatchObject({ remoteId: 'rosa' });
  }

  test('a linked patient is asked about type by type; what is new of theirs is kept once, and nothing of others', async () => {
    await linkRosa();
    await world.server.seed(aGoalThere('meals', 'rosa'), aGoalThere('theirs', 'stranger'));
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Goal/meals']);
    const [row] = await world.store.db.selectFrom('seen').selectAll().where('resource_type', '=', 'Goal').execute();
    expect(row).toMatchObject({ patient: 'rosa', origin: 'poll' });
    expect(await world.lane('county.client.client-rosa')).toMatchObject({ hasWork: true });
    const asked = await Promise.all(types.map((type) => askedFor(world, type)));
    for (const queries of asked) expect(queries.some((query) => /(patient|_id)=rosa/.test(query))).toBe(true);

    // As taken up; the same answer again is no news.
    await world.store.db.updateTable('seen').set({ news_since: null }).execute();
    await pollEverybody(world);
    expect(await news(world)).toEqual([]);
    await world.server.seed(aGoalThere('meals', 'rosa', { lifecycleStatus: 'completed' }));
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Goal/meals']);
  });

  test('E30: at the daily cap no document is asked for until the next day, and all else is', async () => {
    await linkRosa();
    await pollEverybody(world);
    const { length: before } = await askedFor(world, 'DocumentReference');
    await world.server.faults({
      method: 'GET',
      path: 'DocumentReference',
      fault: {
        status: 403,
        body: {
          resourceType: 'OperationOutcome',
          issue: [{ severity: 'fatal', code: 'throttled', details: { coding: [{ code: '4135' }] } }],
        },
      },
    });
    await pollEverybody(world);
    expect(await askedFor(world, 'DocumentReference')).toHaveLength(before + 1);

    await world.server.mend();
    await world.server.seed(aGoalThere('meals', 'rosa'));
    await pollEverybody(world);
    expect(await askedFor(world, 'DocumentReference')).toHaveLength(before + 1);
    expect(await news(world)).toEqual(['Goal/meals']);

    await sql`update connection set documents_held_until = now()`.execute(world.store.db);
    await pollEverybody(world);
    expect(await askedFor(world, 'DocumentReference')).toHaveLength(before + 2);
  });

  test('visits are read from the look-back on, not the whole history', async () => {
    await linkRosa();
    await pollEverybody(world);
    const [query = ''] = await askedFor(world, 'Encounter');
    expect(query).toMatch(/^patient=rosa&date=ge20\d\d-/);
  });

  test('E33: a site that wants a patient for Tasks is asked patient by patient, and again the day after', async () => {
    await linkRosa();
    await world.server.seed(aTaskThere('t1', 'rosa'), aTaskThere('t2', 'stranger'));
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Task/t1']);
    const [all] = await pollRows(world, 'Task');
    expect(all).toMatchObject({ about: '', reason: { code: 'poll-patient-needed' }, lease_until: null });
    expect((all?.next_at.getTime() ?? 0) - Date.now()).toBeGreaterThan(23 * 3_600_000);
    expect(await world.alerts()).toEqual([]);
  });

  test('where it does not, a Task for the community is kept whoever it is about, and more is asked about its patient', async () => {
    await world.server.settings({ taskSearchNeedsPatient: false });
    const order = anOrderThere('order', 'stranger');
    await world.server.seed(
      stranger,
      aTaskThere('t2', 'stranger', { focus: { reference: 'ServiceRequest/order' } }),
      order,
    );
    await world.server.seed(aGoalThere('theirs', 'stranger'));
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Task/t2']);
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Goal/theirs', 'Patient/stranger', 'ServiceRequest/order', 'Task/t2']);
  });

  test('an order that nobody asks us to fill is not kept', async () => {
    await linkRosa();
    await world.server.seed(anOrderThere('x-ray', 'rosa'));
    await pollEverybody(world);
    expect(await news(world)).toEqual([]);
  });

  test('E20: a merged patient: the link follows the survivor, who is asked about from then on', async () => {
    await linkRosa();
    await world.server.seed({ ...linked, id: 'rosa-2' }, aGoalThere('meals', 'rosa-2'));
    await world.server.settings({ merged: { rosa: 'rosa-2' } });
    await pollEverybody(world);
    await world.work();
    expect(await world.link('client/client-rosa#patient')).toMatchObject({ remoteId: 'rosa-2' });
    await pollEverybody(world);
    expect((await pollRows(world, 'Goal')).map(({ about }) => about)).toEqual(['rosa-2']);
    expect(await news(world)).toContain('Goal/meals');
  });

  test('a merge that the hospital takes back is noticed: whom was merged away is asked about as a Patient alone', async () => {
    await linkRosa();
    await world.server.seed({ ...linked, id: 'rosa-2' });
    await world.server.settings({ merged: { rosa: 'rosa-2' } });
    await pollEverybody(world);
    await world.work();
    await pollEverybody(world);
    expect((await pollRows(world, 'Patient')).map(({ about }) => about)).toEqual(['rosa', 'rosa-2']);
    await world.work();
    expect((await world.openDecisions()).map(({ kind }) => kind)).toEqual(['patient-merged']);
    await world.server.settings({ merged: {} });
    await pollEverybody(world);
    await world.work();
    expect((await world.openDecisions()).find(({ kind }) => kind === 'patient-match')).toMatchObject({
      code: 'patient-unmerged',
      choices: ['link:rosa', 'link:rosa-2', 'leave'],
    });
  });

  test('what is not granted is not asked for, and says so', async () => {
    await linkRosa();
    const capabilities = sql`capabilities || '{"granted": ["system/Goal.rs"]}'::jsonb`;
    await world.capabilities('general');
    await sql`update connection set capabilities = ${capabilities}`.execute(world.store.db);
    await pollEverybody(world);
    expect(await askedFor(world, 'Condition')).toEqual([]);
    expect(await pollRows(world, 'Condition')).toMatchObject([{ reason: { code: 'route-scopes-missing' } }]);
    expect((await askedFor(world, 'Goal')).length).toBe(1);
  });
});

describe('oracle', () => {
  const listed = 'https://fhir.cerner.com/sandbox/codeSet/200|9876';
  const world = useWorld({
    vendor: 'oracle',
    task: 'off',
    createPatients: false,
    identifierSystems: { mrn: mrn.system },
    polls: { ...polls, referralCodes: [listed] },
    pollEveryMs: 3_600_000,
  });

  test('only what is asked of us, or listed, is a referral', async () => {
    await world.server.seed(
      stranger,
      anOrderThere('x-ray', 'stranger'),
      anOrderThere('to-us', 'stranger', { performer: [{ reference: 'Organization/us' }] }),
      anOrderThere('by-code', 'stranger', { code: { coding: [{ system: listed.split('|')[0] ?? '', code: '9876' }] } }),
      anOrderThere('to-others', 'stranger', { performer: [{ reference: 'Organization/them' }] }),
    );
    await uploadRoster(world.store, 'general', ['stranger']);
    await pollEverybody(world);
    expect((await news(world)).filter((name) => name.startsWith('ServiceRequest'))).toEqual([
      'ServiceRequest/by-code',
      'ServiceRequest/to-us',
    ]);
  });

  test('C8: after a full reading only what is new is asked for where the server can say it; the rest is read again', async () => {
    await world.server.seed(stranger, aGoalThere('g1', 'stranger'), {
      resourceType: 'Condition',
      id: 'c1',
      clinicalStatus: { coding: [{ code: 'active' }] },
      code: { text: 'Food insecurity' },
      subject: { reference: 'Patient/stranger' },
    });
    await uploadRoster(world.store, 'general', ['stranger']);
    await pollEverybody(world);
    const before = (await world.server.journal()).length;
    await pollEverybody(world);
    expect(await askedFor(world, 'Condition', before)).toEqual([
      expect.stringMatching(/^patient=stranger&_lastUpdated=ge/),
    ]);
    expect(await askedFor(world, 'Goal', before)).toEqual(['patient=stranger']);
  });

  test('C11: a suppressed entry makes the answer partial: what came is kept, the cursor stays, nothing is concluded', async () => {
    await world.server.seed(stranger, aGoalThere('g1', 'stranger'), aGoalThere('g2', 'stranger'));
    await uploadRoster(world.store, 'general', ['stranger']);
    await world.server.settings({ suppressed: ['Goal/g2'] });
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Goal/g1', 'Patient/stranger']);
    expect(await pollRows(world, 'Goal')).toMatchObject([
      { reason: { code: 'search-partial' }, cursor: null, full_at: null, last_ok_at: null },
    ]);
  });
});

describe('standard', () => {
  const world = useWorld({ polls, pollEveryMs: 3_600_000 });
  const lane = 'county.case.case-rosa';

  async function sendReferral(): Promise<string> {
    await world.send(...caseload());
    const { remoteId } = await world.link('client/client-rosa#patient');
    return remoteId ?? '';
  }

  test('a patient with an open referral comes first, then open cases, then others', async () => {
    const patient = await sendReferral();
    await pollEverybody(world);
    const tierOf = async () =>
      new Set(
        (await world.store.db.selectFrom('poll').select('tier').where('about', '=', patient).execute()).map(
          ({ tier }) => tier,
        ),
      );
    expect(await tierOf()).toEqual(new Set([1]));
    await sql`update record set content = content || '{"status": "completed"}' where type = 'referral'`.execute(
      world.store.db,
    );
    await pollEverybody(world);
    expect(await tierOf()).toEqual(new Set([2]));
    await sql`update record set content = content || '{"status": "closed"}' where type = 'case'`.execute(
      world.store.db,
    );
    await pollEverybody(world);
    expect(await tierOf()).toEqual(new Set([3]));
  });

  test('G10: what a whole answer lacks is looked at by its id: gone it is a decision, there it is nothing', async () => {
    const patient = await sendReferral();
    await pollEverybody(world);
    await world.work();
    const task = await world.server.own('Task', 'county/referral/referral-pantry#fulfilment');
    for (const { id } of await world.server.all('Provenance')) await world.server.fhir('DELETE', `Provenance/${id}`);
    expect((await world.server.fhir('DELETE', `Task/${task.id}`)).status).toBe(204);
    // Another one is only left out of the answer.
    const left = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    const body = { resourceType: 'Bundle', type: 'searchset', total: 0 };
    await world.server.faults({ method: 'GET', path: 'Goal$', fault: { status: 200, body } });
    await world.store.db.updateTable('poll').set({ full_at: null }).execute();
    await pollEverybody(world);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.lane(lane)).toMatchObject({ hasWork: true });
    await world.work();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone', detail: { id: task.id } }]);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({
      remoteId: left.id,
      state: 'current',
      retired: false,
    });
    expect((await world.server.all('Task')).length).toBe(0);
    const absent = await world.store.db
      .selectFrom('seen')
      .select('remote_id')
      .where('absent_since', 'is not', null)
      .execute();
    expect(absent.map(({ remote_id }) => remote_id)).toContain(left.id);
    expect(patient).not.toBe('');
  });

  const outcome = (code: string) => ({
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'warning', code, details: { coding: [{ code }] } }],
  });
  const empty = { resourceType: 'Bundle', type: 'searchset', total: 0 };

  test.each<[string, JsonObject]>([
    ['a 403', { status: 403 }],
    ['a 404', { status: 404 }],
    ['an error', { status: 500 }],
    ['a cut answer', { truncate: 300 }],
    ['a page of HTML', { status: 200, body: '<html></html>', headers: { 'content-type': 'text/html' } }],
    [
      'nothing, with a warning that parts are suppressed',
      { status: 200, body: { ...empty, entry: [{ resource: outcome('suppressed'), search: { mode: 'outcome' } }] } },
    ],
    ['nothing at all', { status: 200, body: empty }],
    [
      'a page that names a next one that is not there',
      { status: 200, body: { ...empty, link: [{ relation: 'next', url: 'Goal/nowhere' }] } },
    ],
  ])('G10: %s for every search removes nothing', async (_name, fault) => {
    await sendReferral();
    await pollEverybody(world);
    await world.work();
    const links = () =>
      world.store.db
        .selectFrom('link')
        .select(['type', 'id', 'slot', 'remote_id', 'state', 'retired_at'])
        .orderBy('slot')
        .execute();
    const before = await links();
    const records = await world.store.db.selectFrom('record').select(['id', 'version']).orderBy('id').execute();
    const paths = ['Task$', 'ServiceRequest$', 'Goal$', 'Condition$', 'CarePlan$', 'Patient$'];
    await world.server.faults(...paths.map((path) => ({ method: 'GET', path, fault })));
    await world.store.db.updateTable('poll').set({ full_at: null }).execute();
    await pollEverybody(world);
    await world.work({ tries: 2 });
    await world.server.mend();
    await world.work();
    expect(await links()).toEqual(before);
    expect(await world.store.db.selectFrom('record').select(['id', 'version']).orderBy('id').execute()).toEqual(
      records,
    );
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
    expect(await world.store.db.selectFrom('seen').select('remote_id').where('gone', '=', true).execute()).toEqual([]);
  });

  test('a Group of the server says who else is asked about; who leaves it is not asked about any more', async () => {
    const group = (...ids: string[]) => ({
      resourceType: 'Group',
      id: 'panel',
      type: 'person',
      actual: true,
      member: [
        ...ids.map((id) => ({ entity: { reference: `Patient/${id}` } })),
        { entity: { reference: 'Patient/left' }, inactive: true },
      ],
    });
    const config = world.deps.connections.get('general')?.config;
    if (config === undefined) throw new Error('no connection');
    await world.server.seed(
      linked,
      stranger,
      { ...stranger, id: 'left' },
      group('rosa', 'stranger'),
      aGoalThere('g1', 'stranger'),
    );
    await world.connect({ ...config, polls: { ...polls, roster: { resourceType: 'Group', id: 'panel' } } });
    await pollEverybody(world);
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Goal/g1', 'Patient/rosa', 'Patient/stranger']);
    await world.server.seed(group('rosa'));
    await pollEverybody(world);
    await pollEverybody(world);
    expect(new Set((await pollRows(world, 'Goal')).map(({ about }) => about))).toEqual(new Set(['rosa']));
    expect((await world.store.db.selectFrom('seen').select('gone').where('remote_id', '=', 'g1').execute())[0]).toEqual(
      { gone: false },
    );
  });

  test.each<[string, string, JsonObject, JsonObject]>([
    ['a Group without members', 'Group', { member: [{ entity: { reference: 'Patient/rosa' } }] }, {}],
    [
      'a Group that everybody has left',
      'Group',
      { member: [{ entity: { reference: 'Patient/rosa' } }] },
      { member: [{ entity: { reference: 'Patient/rosa' }, inactive: true }] },
    ],
    ['a List without entries', 'List', { entry: [{ item: { reference: 'Patient/rosa' } }] }, {}],
  ])(
    '%s takes nobody off: those named before are asked about on, and it is told once',
    async (_title, type, full, empty) => {
      const config = world.deps.connections.get('general')?.config;
      if (config === undefined) throw new Error('no connection');
      const resourceType = type === 'Group' ? 'Group' : 'List';
      const fixed: JsonObject =
        type === 'Group' ? { type: 'person', actual: true } : { status: 'current', mode: 'working' };
      const named = { resourceType, id: 'panel', ...fixed };
      await world.connect({ ...config, polls: { ...polls, roster: { resourceType, id: 'panel' } } });
      const asked = async () => (await pollRows(world, 'Goal')).map(({ about, cursor }) => ({ about, cursor }));
      await world.server.seed(linked, { ...named, ...full }, aGoalThere('g1', 'rosa'));
      await pollEverybody(world);
      await pollEverybody(world);
      const before = await asked();
      expect(before).toEqual([{ about: 'rosa', cursor: expect.any(String) }]);

      await world.server.seed({ ...named, ...empty });
      await pollEverybody(world);
      await pollEverybody(world);
      expect((await asked()).map(({ about }) => about)).toEqual(['rosa']);
      expect(await world.alerts()).toMatchObject([{ topic: `poll-fails:general:${type}`, code: 'roster-empty' }]);

      await world.server.seed({ ...named, ...full });
      await pollEverybody(world);
      expect(await world.alerts()).toEqual([]);

      // Only the configuration ends it.
      await world.connect(config);
      await pollEverybody(world);
      expect(await asked()).toEqual([]);
    },
  );

  test.each<[string, JsonObject[], number]>([
    ['does not exist', [], 404],
    ['we may not read', [{ method: 'GET', path: 'Group/panel', fault: { status: 403 } }], 403],
  ])('a Group that %s is an alert and a finding of `doctor`, until it is read', async (_title, faults, status) => {
    const config = world.deps.connections.get('general')?.config;
    if (config === undefined) throw new Error('no connection');
    await world.connect({ ...config, polls: { ...polls, roster: { resourceType: 'Group', id: 'panel' } } });
    await world.server.faults(...faults);
    await pollEverybody(world);
    expect(await world.alerts()).toMatchObject([{ topic: 'poll-fails:general:Group', code: 'roster-unreadable' }]);
    expect((await world.report()).findings).toEqual([
      { code: 'roster-unreadable', text: expect.stringMatching(`^Group/panel, .*${status}`) },
    ]);

    await world.server.mend();
    await world.server.seed(linked, { resourceType: 'Group', id: 'panel', type: 'person', actual: true, member: [] });
    await pollEverybody(world);
    expect(await world.alerts()).toEqual([]);
    expect((await world.report()).findings).toEqual([]);
  });

  test('a Task that names us is kept and its patient asked about; one of others is neither', async () => {
    await world.server.seed(
      stranger,
      linked,
      aTaskThere('to-us', 'stranger', { owner: { reference: 'Organization/us' } }),
      aTaskThere('to-others', 'rosa', { owner: { reference: 'Organization/them' } }),
      aTaskThere('to-anybody', 'rosa'),
    );
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Task/to-anybody', 'Task/to-us']);
    await pollEverybody(world);
    expect(await news(world)).toEqual(['Patient/stranger', 'Task/to-anybody', 'Task/to-us']);
    expect((await pollRows(world, 'Goal')).map(({ about }) => about)).toEqual(['stranger']);
  });

  test('what we made and have not linked yet is no news', async () => {
    await world.accept(...caseload());
    await world.server.faults(
      { method: 'POST', path: 'Goal', fault: { drop: 'after-commit' } },
      { method: 'GET', path: 'Goal', fault: { status: 503 } },
    );
    await world.work({ tries: 2 });
    await world.server.mend();
    await pollEverybody(world);
    expect(await news(world)).toEqual([]);
  });

  test('to bring them up to date touches none that is as it was: another process may be at it', async () => {
    await uploadRoster(world.store, 'general', ['p1', 'p2']);
    await pollEverybody(world);
    const rows = async () =>
      (
        await sql`select about, resource_type, ctid::text, xmin::text, xmax::text from poll order by 1, 2`.execute(
          world.store.db,
        )
      ).rows;
    const before = await rows();
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    await refreshRoster(world.store, connection.config, connection.vendor);
    expect(await rows()).toEqual(before);
  });

  test('first readings of many patients are spread over the time that their number takes', async () => {
    const ids = Array.from({ length: 600 }, (_, number) => `p${number}`);
    await uploadRoster(world.store, 'general', ids);
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    const slow = { ...connection.config, rateLimit: { requestsPerSecond: 30, concurrency: 4 } };
    await refreshRoster(world.store, slow, connection.vendor);
    const { rows } = await sql<{ seconds: number; n: number }>`
      select extract(epoch from max(next_at) - min(next_at))::float8 as seconds, count(*)::integer as n from poll where tier > 0`.execute(
      world.store.db,
    );
    expect(rows[0]?.n).toBe(6000);
    // Ten a second.
    expect(rows[0]?.seconds).toBeGreaterThan(500);
    expect(rows[0]?.seconds).toBeLessThan(601);
  });

  test('a wake-up brings the polls of its patient and type forward, once a minute however often it comes', async () => {
    const patient = await sendReferral();
    await pollEverybody(world);
    await world.work();
    const before = (await world.server.journal()).length;
    expect(await wakePolls(world.store, 'general', [{ resourceType: 'Task', patient }])).toBe(2);
    expect(await pollDue(world)).toBe(2);
    for (let times = 0; times < 5; times += 1)
      await wakePolls(world.store, 'general', [{ resourceType: 'Task', patient }]);
    expect(await pollDue(world)).toBe(0);
    expect((await askedFor(world, 'Task', before)).length).toBe(2);
    const waits = (await pollRows(world, 'Task')).map(({ next_at }) =>
      Math.round((next_at.getTime() - Date.now()) / 1000),
    );
    for (const seconds of waits) expect(seconds).toBeLessThanOrEqual(60);
  });

  test('one that comes while the poll runs is not lost', async () => {
    await sendReferral();
    await pollEverybody(world);
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    const { searchAll } = connection.client;
    const client = {
      ...connection.client,
      searchAll: async (...[type, ...rest]: Parameters<typeof searchAll>) => {
        const found = await searchAll(type, ...rest);
        if (type === 'Task') await wakePolls(world.store, 'general', [{ resourceType: 'Task' }]);
        return found;
      },
    };
    await world.poll({ connections: new Map([['general', { ...connection, client }]]) });
    const [all] = await pollRows(world, 'Task');
    expect(all?.next_at.getTime()).toBeLessThanOrEqual(Date.now());
  });

  test('the report tells what asking takes, by hand-counted figures', async () => {
    await sendReferral();
    await pollEverybody(world);
    const { polls: report } = await world.report();
    // Two types of all patients and eight of one, once an hour; those two of one patient, once a day.
    expect(report).toMatchObject({
      requestsPerDay: 2 * 24 + 8 * 24 + 2,
      mostPerDay: Math.floor((1000 / 3) * 86_400),
      tiers: [
        { name: 'all patients', polls: 2, everySeconds: 3600, late: 0 },
        { name: 'open referral', patients: 1, polls: 10, everySeconds: 3600, late: 0 },
      ],
    });
    // How long it really is between two polls of the same is measured from the second on.
    const real = async () => (await world.report()).polls?.tiers.map(({ realSeconds }) => realSeconds) ?? [];
    expect(await real()).toEqual([null, null]);
    await sql`update poll set last_ok_at = last_ok_at - interval '2 hours'`.execute(world.store.db);
    await pollEverybody(world);
    for (const seconds of await real()) expect(Math.floor((seconds ?? 0) / 60)).toBe(120);
  });
});
