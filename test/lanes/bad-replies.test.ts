// Replies that are wrong, broken or untrue, from a real server: each is classed, shown on the lane, and never stored as truth. The numbers are
// the rows of reliability section 4; what is wrong with a reply by itself is in test/connections/bad-replies.test.ts.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { preparePolls, refreshRoster, reviewAlerts, runByHand } from '../../src/lanes/lanes.ts';
import { raiseWanted } from '../../src/lanes/links.ts';
import { aGoal, anOrganization, aService } from '../builders.ts';
import { startServer as startHost, stopAll } from '../connections/fhir-server.ts';
import { atCounts } from '../support/counts.ts';
import { placesIn, startCuttingProxy } from '../support/cutting-proxy.ts';
import { type Rewriting, startProxy } from '../support/proxy.ts';
import { aConnection, identifierSystem } from '../support/rig.ts';
import { caseWithReferral, creates, directoryAndClient, useWorld } from '../support/world.ts';

const world = useWorld();
const subject = 'county.organization.org-pantry';
const slot = 'organization/org-pantry#organization';
const renamed = () => anOrganization({ name: 'Harbor Food Pantry', updatedAt: '2026-02-20T10:00:00-05:00' });

const html = { headers: { 'content-type': 'text/html' }, body: '<html><form>Password</form></html>' };
const outcome = (severity: string, code: string): JsonObject => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity, code }],
});
const nested = (depth: number): Json => Array.from({ length: depth }).reduce<Json>((inner) => [inner], 'end');
const elsewhere = { location: 'https://elsewhere.example.org/fhir/Organization/77' };
const large = { body: outcome('error', 'exception'), bodyBytes: 10 * 1024 * 1024 };

beforeEach(async () => {
  await world.server.control('POST', 'settings', { transactions: false });
});

afterEach(stopAll);

async function fault(method: string, action: JsonObject, path = 'Organization'): Promise<void> {
  await world.server.control('POST', 'faults', [{ method, path, fault: action }]);
}

const heal = () => world.server.control('DELETE', 'faults');

/** The organization is on the server, and linked. */
async function sent(): Promise<JsonObject> {
  await world.accept(['organization', anOrganization()]);
  await world.work();
  return world.server.own('Organization', `county/${slot}`);
}

/** All that we hold as true of the server and of the record. */
async function truth(): Promise<unknown> {
  const { db } = world.store;
  const links = await db
    .selectFrom('link')
    .select([
      'id',
      'slot',
      'generation',
      'remote_id',
      'origin',
      'sent',
      'seen',
      'seen_hash',
      'version_tag',
      'retired_at',
    ])
    .orderBy('id')
    .execute();
  const seen = await db
    .selectFrom('seen')
    .select(['resource_type', 'remote_id', 'version_tag', 'hash', 'body', 'gone'])
    .orderBy('remote_id')
    .execute();
  const values = await db.selectFrom('remote_value').selectAll().execute();
  return { links, seen, values, changes: await world.changes() };
}

async function lookAgain(tries = 1): Promise<void> {
  await raise();
  await world.work({ tries });
}

function raise(): Promise<void> {
  const lanes = [{ connection: 'general', subject }];
  return world.store.tx((trx) => raiseWanted(trx, lanes, { reread: true, unpark: true }));
}

describe('a reply to a read', () => {
  test.each<[string, JsonObject, string]>([
    ['64: HTML with 200, a login page', { status: 200, ...html }, 'connection-not-fhir'],
    ['64: HTML with 404, a proxy', { status: 404, ...html }, 'connection-not-fhir'],
    ['65: nothing at all with 200', { status: 200 }, 'server-busy'],
    ['69: a passing error with 200', { status: 200, body: outcome('error', 'timeout') }, 'server-busy'],
    ['75: JSON that is cut', { truncate: 40 }, 'connection-not-fhir'],
    ['75: JSON whose connection breaks off', { breakOff: 40, cut: 'reset' }, 'connection-reset'],
    ['85: 423', { status: 423 }, 'server-busy'],
    ['500 with 10 MB of error', { status: 500, ...large }, 'server-busy'],
    ['503 with an outage page', { status: 503, ...html }, 'connection-not-fhir'],
  ])('%s: the lane comes back for it, and nothing is believed', async (_title, action, reason) => {
    await sent();
    const before = await truth();
    await fault('GET', action);
    await lookAgain(2);
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined, reason, attempts: 2 });
    expect(await truth()).toEqual(before);

    await heal();
    await world.work();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
    expect(await truth()).toEqual(before);
    expect((await world.server.writes()).length).toBe(1);
  });

  test.each<[string, JsonObject, string]>([
    ['68: another type', { status: 200, body: { resourceType: 'Task', id: '1' } }, 'server-wrong-resource'],
    ['68: another id', { status: 200, body: { resourceType: 'Organization', id: '77' } }, 'server-wrong-resource'],
    ['68: notes only', { status: 200, body: outcome('information', 'informational') }, 'server-wrong-resource'],
    ['69: a fatal error with 200', { status: 200, body: outcome('fatal', 'processing') }, 'server-refused'],
    ['76: more than is read of a reply', { bodyBytes: 21 * 1024 * 1024 }, 'connection-reply-too-large'],
    ['85: 304', { status: 304 }, 'server-refused'],
    ['85: 412 without a cause', { status: 412 }, 'server-refused'],
    ['85: 501', { status: 501 }, 'server-refused'],
  ])('%s: parked with its reason, and nothing is believed', async (_title, action, reason) => {
    await sent();
    const before = await truth();
    await fault('GET', action);
    await lookAgain();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: reason });
    expect(await world.link(slot)).toMatchObject({ state: 'parked', reason });
    expect(await truth()).toEqual(before);
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([{ topic: `lanes-parked:${reason}:general`, code: 'lanes-parked', count: 1 }]);

    await heal();
    await lookAgain();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
    expect(await world.link(slot)).toMatchObject({ state: 'current' });
    expect(await truth()).toEqual(before);
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });

  test('68: a server that mixes replies up is one alert, which counts the lanes', async () => {
    await world.accept(...directoryAndClient());
    await world.work();
    await fault('GET', { status: 200, body: { resourceType: 'Task', id: 'of-somebody-else' } });
    await world.workAgain();
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([
      { topic: 'lanes-parked:server-wrong-resource:general', code: 'lanes-parked', count: 2 },
    ]);
    await heal();
    const lanes = ['org-pantry', 'org-riverside'].map((id) => `county.organization.${id}`);
    await world.store.tx((trx) =>
      raiseWanted(
        trx,
        lanes.map((lane) => ({ connection: 'general', subject: lane })),
        { unpark: true, reread: true },
      ),
    );
    await world.work();
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });

  test('68: what cannot be read is not written over either', async () => {
    await sent();
    await fault('GET', { status: 200, body: { resourceType: 'Organization', id: '77' } });
    await raise();
    await world.accept(['organization', renamed()]);
    await world.work();
    expect(await world.lane(subject)).toMatchObject({ parked: 'server-wrong-resource' });
    expect((await world.server.writes()).length).toBe(1);
  });

  test.each<[string, Json]>([
    ['a NUL', 'Harbor\0Pantry'],
    ['half a character', 'Harbor\ud800Pantry'],
    ['3,000 lists in each other', nested(3_000)],
  ])(
    '82: what holds %s can be kept by nobody: parked with that reason, and no word of it is believed',
    async (_what, name) => {
      const held = await sent();
      const before = await truth();
      await fault('GET', { status: 200, body: { ...held, name } });
      await lookAgain();
      expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: 'server-reply-unkeepable' });
      expect(await world.link(slot)).toMatchObject({ state: 'parked', reason: 'server-reply-unkeepable' });
      expect(await world.openDecisions()).toMatchObject([{ kind: 'refused-write' }]);
      expect(await truth()).toEqual(before);
      await world.accept(['organization', renamed()]);
      await world.work();
      expect(await world.server.writes()).toHaveLength(1);

      await heal();
      await lookAgain();
      expect(await world.server.own('Organization', `county/${slot}`)).toMatchObject({ name: 'Harbor Food Pantry' });
      expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
      expect(await world.openDecisions()).toEqual([]);
    },
  );

  test('82: one of a case that cannot be kept holds up none of the others', async () => {
    const other = (statement: string, day: number): ['goal', JsonObject] => [
      'goal',
      aGoal({ id: 'goal-work', statement, updatedAt: `2026-02-0${day}T10:00:00-05:00` }),
    ];
    await world.accept(...directoryAndClient(), ...caseWithReferral(), other('I want a job.', 1));
    await world.work();
    const held = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    const { length } = await world.server.journal();
    await fault('GET', { status: 200, body: { ...held, note: [{ text: '\ud800' }] } }, `Goal/${held.id}$`);
    await world.accept(other('I want work near home.', 2));
    await world.workAgain();
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({
      state: 'parked',
      reason: 'server-reply-unkeepable',
    });
    expect(await world.server.own('Goal', 'county/goal/goal-work#goal')).toMatchObject({
      description: { text: 'I want work near home.' },
    });
    expect((await world.server.writes(length)).map(({ url }) => url)).toEqual([expect.stringContaining('Goal/')]);
    expect(await world.lane('county.case.case-rosa')).toMatchObject({
      hasWork: false,
      parked: 'server-reply-unkeepable',
    });
  });

  test('82: a narrative with script is data: kept there as it is, and shown to nobody', async () => {
    const { id, ...held } = await sent();
    const text = {
      status: 'additional',
      div: '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></div>',
    };
    const contained = [{ resourceType: 'Location', id: 'back-door', name: 'Back door' }];
    await world.server.control('POST', 'seed', { ...held, id: String(id), text, contained });
    await lookAgain();
    await world.accept(['organization', renamed()]);
    await world.work();
    expect(await world.server.own('Organization', `county/${slot}`)).toMatchObject({
      name: 'Harbor Food Pantry',
      text,
      contained,
    });
    expect(await world.changes()).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('85: 410 is a question, and nothing is made again', async () => {
    await sent();
    await fault('GET', { status: 410 });
    await lookAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone' }]);
    expect((await world.server.writes()).length).toBe(1);
  });

  test('a reset is tried once more at once: the lane does not come back for it', async () => {
    await sent();
    await world.server.control('POST', 'faults', [
      { method: 'GET', path: 'Organization', nth: 1, fault: { drop: 'before-commit', cut: 'reset' } },
    ]);
    await lookAgain();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, attempts: 0 });
  });
});

describe('a reply to an update', () => {
  const lies: [string, JsonObject][] = [
    ['64: HTML with 200', { status: 200, ...html }],
    ['68: another type', { status: 200, body: { resourceType: 'Task', id: '1' } }],
    ['68: another id', { status: 200, body: { resourceType: 'Organization', id: '77' } }],
    ['68: another id, with what cannot be kept', { status: 200, body: { resourceType: 'Organization', id: '77\0' } }],
    ['69: a fatal error with 200', { status: 200, body: outcome('fatal', 'exception') }],
    [
      '75: half of the JSON',
      { status: 200, body: '{"resourceType":"Organiz', headers: { 'content-type': 'application/json' } },
    ],
    ['76: more than is read of a reply', { status: 200, body: {}, bodyBytes: 21 * 1024 * 1024 }],
    ['502 with an outage page', { status: 502, ...html }],
    ['a reset', { drop: 'after-commit', cut: 'reset' }],
  ];
  test.each([
    ...lies.map(([title, action]) => ({
      title: `${title}, although it was done`,
      action: { ...action, at: 'after-commit' },
      sends: 1,
    })),
    ...lies
      .filter(([title]) => /64|68: another id|502/.test(title))
      .map(([title, action]) => ({ title: `${title}, and it was not done`, action, sends: 2 })),
  ])('$title: unknown until it is looked up', async ({ action, sends }) => {
    const { id } = await sent();
    await world.server.control('POST', 'faults', [{ method: 'PUT', path: 'Organization', nth: 1, fault: action }]);
    await world.accept(['organization', renamed()]);
    const before = await truth();
    await world.work({ tries: 1 });
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined });
    expect(await truth()).toEqual(before);
    const { outcome: known } = await world.store.db
      .selectFrom('operation')
      .select('outcome')
      .where('kind', '=', 'update')
      .executeTakeFirstOrThrow();
    expect(known).toBeNull();

    await world.work();
    const puts = (await world.server.journal()).filter(({ method }) => method === 'PUT');
    expect(puts).toHaveLength(sends);
    expect(await world.server.own('Organization', `county/${slot}`)).toMatchObject({ id, name: 'Harbor Food Pantry' });
    expect(await world.link(slot)).toMatchObject({ state: 'current', remoteId: id });
    expect(await world.changes()).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each<[string, (held: JsonObject) => JsonObject]>([
    ['65: empty with 200', () => ({ status: 200 })],
    ['65: empty with 204', () => ({ status: 204 })],
    ['69: with notes that nothing is wrong', () => ({ status: 200, body: outcome('information', 'informational') })],
    ['82: with what cannot be kept', (held) => ({ status: 200, body: { ...held, alias: ['\0'] } })],
  ])('%s: it is done, and the notes are no look at it', async (_title, answer) => {
    const held = await sent();
    await fault('PUT', { ...answer(held), at: 'after-commit' });
    await world.accept(['organization', renamed()]);
    await world.work();
    const seen = async () => (await world.store.db.selectFrom('seen').select('body').executeTakeFirstOrThrow()).body;
    expect((await seen()) ?? held).toMatchObject({ resourceType: 'Organization', id: held.id });
    await lookAgain();
    expect(await seen()).toMatchObject({ resourceType: 'Organization', id: held.id, name: 'Harbor Food Pantry' });
    expect((await world.server.journal()).filter(({ method }) => method === 'PUT')).toHaveLength(1);
    expect(await world.changes()).toEqual([]);
  });
});

describe('a reply to a create', () => {
  const wrongId = { resourceType: 'Organization', id: '77', name: 'Another' };
  const at77 = { headers: { location: 'Organization/77' } };
  const elm = 'Elm Street Pantry';
  const otherOfOurs = {
    identifier: [{ system: identifierSystem, value: 'county/organization/org-other#organization' }],
  };
  test.each<[string, JsonObject]>([
    ['64: HTML with 200', { status: 200, ...html }],
    ['65: empty with 200', { status: 200 }],
    ['66: 201 without Location', { status: 201 }],
    ['67: 201 with a Location on another host', { status: 201, headers: elsewhere }],
    ['68: another type', { status: 201, body: { resourceType: 'Task', id: '1' } }],
    ['68: a Location of another type', { status: 201, headers: { location: 'Task/1' } }],
    ['68: ids that contradict each other', { status: 201, headers: { location: 'Organization/78' }, body: wrongId }],
    ['67: 201 with a Location on another host, and a body', { status: 201, headers: elsewhere, body: wrongId }],
    [
      '68: 201 with the resource of another record of ours',
      { status: 201, ...at77, body: { ...wrongId, ...otherOfOurs } },
    ],
    ["68: 201 without Location, with somebody else's resource", { status: 201, body: wrongId }],
    ['68: 200 with a resource without our identifier', { status: 200, ...at77, body: { ...wrongId, name: elm } }],
    ['65: 200 without a body for a resource that cannot be read', { status: 200, ...at77 }],
    ['69: a fatal error with 200', { status: 200, body: outcome('fatal', 'exception') }],
    ['75: JSON that is cut', { truncate: 30 }],
    ['75: JSON whose connection breaks off', { breakOff: 30 }],
    ['500 with 10 MB of error', { status: 500, ...large }],
  ])('%s, although it was done: found by our identifier, linked, and made once', async (_title, action) => {
    const at: JsonObject = 'status' in action ? { at: 'after-commit' } : {};
    await world.server.control('POST', 'faults', [
      { method: 'POST', path: 'Organization', nth: 1, fault: { ...action, ...at } },
    ]);
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 1 });
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined });
    expect(await truth()).toMatchObject({ links: [], seen: [] });

    await world.work();
    const { id } = await world.server.own('Organization', `county/${slot}`);
    expect(await world.link(slot)).toMatchObject({ remoteId: id, state: 'current' });
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
  });

  test('cut off anywhere, in the status line, a header or the body: known for lost, and made once', async () => {
    const proxy = await startCuttingProxy(world.server.base);
    try {
      await world.connect(aConnection(proxy.base));
      await world.accept(['organization', anOrganization()]);
      await world.work();
      const whole = proxy.lastReply();
      const body = whole.indexOf('\r\n\r\n') + 4;
      const location = whole.toString('latin1').toLowerCase().indexOf('location:');
      expect(location).toBeGreaterThan(0);
      const some = [0, 1, 9, 12, location + 4, location + 20, body - 2, body, body + 1, whole.length - 1];
      const places = atCounts({ plain: some, full: placesIn(whole) });
      for (const [at, bytes] of places.entries()) {
        const id = `org-${String(at).padStart(6, '0')}`;
        proxy.cutAfter(bytes);
        await world.accept(['organization', anOrganization({ id, name: 'Elm Street Pantry' })]);
        await world.work({ tries: 1 });
        expect(await world.lane(`county.organization.${id}`)).toMatchObject({ hasWork: true, parked: undefined });
      }
      await world.work();
      expect(await world.server.all('Organization')).toHaveLength(1 + places.length);
      expect(await creates(world.server, 'Organization')).toBe(1 + places.length);
      expect(await world.openDecisions()).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });

  test('65: lost, and the search for it once answered with nothing at all: asked again, and nobody else', async () => {
    await world.server.control('POST', 'faults', [
      { method: 'POST', path: 'Organization', nth: 1, fault: { drop: 'after-commit' } },
      { method: 'GET', path: 'Organization$', nth: 1, fault: { status: 200 } },
    ]);
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 2 });
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined, reason: 'server-busy' });
    expect(await world.openDecisions()).toEqual([]);

    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link(slot)).toMatchObject({ state: 'current' });
  });

  test.each([
    ['and nothing is there: made once', {}],
    ['and one with our identifier is there: linked', { at: 'after-commit' }],
  ])('409 once, %s', async (_title, when) => {
    await world.server.control('POST', 'faults', [
      { method: 'POST', path: 'Organization', nth: 1, fault: { status: 409, ...when } },
    ]);
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 1 });
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined, reason: 'create-conflict' });
    expect(await world.openDecisions()).toEqual([]);

    await world.work();
    const { id } = await world.server.own('Organization', `county/${slot}`);
    expect(await world.server.all('Organization')).toHaveLength(1);
    expect(await world.link(slot)).toMatchObject({ remoteId: id, state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('409 each time: tried a limited number of times, then a person is asked what stands in its way', async () => {
    await fault('POST', { status: 409 });
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 20 });
    const posts = async () => (await world.server.journal()).filter(({ method }) => method === 'POST').length;
    const tried = await posts();
    expect(tried).toBe(6);
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'conflict', code: 'create-conflict', choices: ['again', 'leave'] },
    ]);
    expect(await world.link(slot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'create-conflict' });
    await lookAgain(4);
    expect(await posts()).toBe(tried);

    await heal();
    await world.decide('conflict', 'again');
    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link(slot)).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['', {}],
    [', with a body', { body: wrongId }],
  ])(
    '67: a Location on another host%s, and not here: asked, and sent once only until somebody answers',
    async (_title, body) => {
      await fault('POST', { status: 201, headers: elsewhere, ...body });
      await world.accept(['organization', anOrganization()]);
      await world.work();
      await lookAgain(4);
      const posts = async () => (await world.server.journal()).filter(({ method }) => method === 'POST').length;
      expect(await posts()).toBe(1);
      expect(await world.openDecisions()).toMatchObject([
        { kind: 'stored-elsewhere', code: 'stored-elsewhere', choices: ['again', 'leave'] },
      ]);
      expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
      expect(await world.link(slot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'stored-elsewhere' });

      await heal();
      await world.decide('stored-elsewhere', 'again');
      await world.work();
      expect(await creates(world.server, 'Organization')).toBe(1);
      expect(await world.link(slot)).toMatchObject({ state: 'current' });
    },
  );

  test('… answered "leave": nothing more is sent for it, whatever its record says, until it is asked by hand', async () => {
    await fault('POST', { status: 201, headers: elsewhere });
    await world.accept(['organization', anOrganization()]);
    await world.work();
    await lookAgain(4);
    await heal();
    await world.decide('stored-elsewhere', 'leave');
    await world.accept(['organization', renamed()], ['service', aService()]);
    await world.workAgain();
    expect(await creates(world.server, 'Organization')).toBe(0);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
    expect(await world.link(slot)).toMatchObject({ remoteId: null, state: 'parked', reason: 'elsewhere-left' });
    expect(await world.server.own('HealthcareService', 'county/service/service-groceries#service')).toBeDefined();

    await runByHand(world.store, { connection: 'general', subject });
    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(0);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'stored-elsewhere', choices: ['again', 'leave'] }]);
    await world.decide('stored-elsewhere', 'again');
    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link(slot)).toMatchObject({ state: 'current' });
  });
});

describe('a create that is answered with what another patient has', () => {
  const name = 'goal/goal-two#goal';
  const foreign: JsonObject = {
    resourceType: 'Goal',
    id: 'of-another',
    lifecycleStatus: 'active',
    description: { text: 'Walk every day.' },
    subject: { reference: 'Patient/another' },
  };
  const located = { headers: { location: 'Goal/of-another' } };

  /** A linked case, then a second goal whose create is answered so, each time. */
  async function answered(action: JsonObject): Promise<void> {
    await world.server.control('POST', 'seed', [{ resourceType: 'Patient', id: 'another' }, foreign]);
    await world.accept(...directoryAndClient(), ...caseWithReferral());
    await world.work();
    await fault('POST', { ...located, ...action }, 'Goal');
    await world.accept(['goal', aGoal({ id: 'goal-two', statement: 'Cook at home twice a week.' })]);
    await world.work({ tries: 20 });
  }

  test.each<[string, JsonObject]>([
    ['200, as if it were an older one of ours', { status: 200, body: foreign }],
    ['200 without a body', { status: 200 }],
    ['201', { status: 201, body: foreign }],
  ])(
    '%s: it is neither linked nor written, and a person is asked before anything more is sent',
    async (_title, action) => {
      await answered(action);
      expect(await world.server.all('Goal')).toContainEqual(expect.objectContaining(foreign));
      expect(await writesTo('Goal/of-another')).toEqual([]);
      expect(await postsTo('Goal')).toBe(2);
      expect(await world.openDecisions()).toMatchObject([
        {
          kind: 'outcome-untold',
          topic: `untold:${name}`,
          detail: { why: { code: 'server-wrong-resource' } },
          choices: ['look-again', 'not-there'],
        },
      ]);
      expect(await world.link(name)).toMatchObject({ remoteId: null, state: 'parked', reason: 'outcome-untold' });
      expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });

      await heal();
      await world.decide('outcome-untold', 'not-there');
      await world.work();
      const { id } = await world.server.own('Goal', `county/${name}`);
      expect(await world.link(name)).toMatchObject({ remoteId: id, state: 'current' });
      expect(await postsTo('Goal')).toBe(3);
      expect(await writesTo('Goal/of-another')).toEqual([]);
      expect(await world.openDecisions()).toEqual([]);
    },
  );
});

describe('a condition that the server reads as another one', () => {
  test('in a transaction: what it finds is not taken for ours, and what pointed at it points there no more', async () => {
    const another: JsonObject = {
      resourceType: 'Goal',
      id: 'of-another',
      lifecycleStatus: 'active',
      description: { text: 'Walk every day.' },
      subject: { reference: 'Patient/another' },
    };
    await world.server.control('POST', 'settings', { transactions: true });
    await world.server.control('POST', 'seed', [{ resourceType: 'Patient', id: 'another' }, another]);
    const lenient = (entry: Json): Json => {
      if (!isObject(entry) || !isObject(entry.request) || entry.request.url !== 'Goal') return entry;
      return { ...entry, request: { ...entry.request, ifNoneExist: 'lifecycle-status=active' } };
    };
    await sendThrough({
      request: (body) => (Array.isArray(body.entry) ? { ...body, entry: body.entry.map(lenient) } : body),
    });
    expect(await writesTo('Goal/of-another')).toEqual([]);
    expect(await world.server.all('Goal')).toEqual([expect.objectContaining(another)]);
    expect(await world.link(goal)).toMatchObject({ remoteId: null, state: 'parked', reason: 'outcome-untold' });
    const [plan] = await world.server.all('CarePlan');
    expect(plan).toMatchObject({ subject: { reference: expect.stringMatching(/^Patient\/(?!another)/) } });
    expect(JSON.stringify(plan)).not.toContain('of-another');
  });
});

const goal = 'goal/goal-meals#goal';

/** The whole case, through a server that answers so. */
async function sendThrough(rewriting: Rewriting): Promise<void> {
  const proxy = await startProxy(world.server.base, rewriting);
  try {
    await world.connect(aConnection(proxy.base));
    await world.accept(...directoryAndClient(), ...caseWithReferral());
    await world.work({ tries: 20 });
  } finally {
    await proxy.stop();
  }
}

describe('a create is believed', () => {
  test.each<[string, Rewriting]>([
    ['without a body', { text: (text, path) => (path === 'Goal' ? '' : text) }],
    [
      'although the server shows no identifier of a goal',
      {
        response: ({ identifier, ...rest }, path) =>
          path === 'Goal' || identifier === undefined ? rest : { identifier, ...rest },
      },
    ],
  ])('%s, where nothing contradicts it', async (_title, rewriting) => {
    await sendThrough(rewriting);
    expect(await postsTo('Goal')).toBe(1);
    expect(await world.link(goal)).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
  });

  test('that finds an older one of ours and shows nothing of it, which is read and cleared of nothing', async () => {
    const identifier = [{ system: identifierSystem, value: `county/${slot}` }];
    const older = {
      resourceType: 'Organization',
      id: 'older',
      name: 'Elm Street Pantry',
      alias: ['The Elm'],
      identifier,
    };
    await world.server.control('POST', 'seed', older);
    await sendThrough({ text: (text, path) => (path === 'Organization' ? '' : text) });
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link(slot)).toMatchObject({ remoteId: 'older', state: 'current' });
    expect(await world.server.own('Organization', `county/${slot}`)).toMatchObject({
      alias: ['The Elm'],
      telecom: expect.any(Array),
    });
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
  });

  test('and asks for no condition that the server does not search by', async () => {
    await world.server.control('POST', 'settings', { hiddenSearchParameters: ['Goal.identifier'] });
    await world.accept(...directoryAndClient(), ...caseWithReferral());
    await world.work();
    const created = (await world.server.journal()).filter(({ method }) => method === 'POST');
    const conditional = created
      .filter(({ requestHeaders }) => isObject(requestHeaders) && requestHeaders['if-none-exist'] !== undefined)
      .map(({ url }) => String(url).split('/').at(-1));
    expect(conditional).toContain('Task');
    expect(conditional).not.toContain('Goal');
    expect(await world.link(goal)).toMatchObject({ state: 'current' });
  });
});

async function writesTo(path: string): Promise<JsonObject[]> {
  return (await world.server.journal()).filter(({ method, url }) => method !== 'GET' && String(url).includes(path));
}

async function postsTo(resourceType: string): Promise<number> {
  const journal = await world.server.journal();
  return journal.filter(({ method, url }) => method === 'POST' && String(url).endsWith(`/${resourceType}`)).length;
}

describe('Bundles', () => {
  const lane = 'county.case.case-rosa';
  const goals: [string, JsonObject][] = ['one', 'two'].map((id) => [`goal/${id}#goal`, aGoal({ id, needIds: [] })]);

  async function throughProxy(response: (body: JsonObject) => JsonObject, work: () => Promise<void>): Promise<void> {
    const proxy = await startProxy(world.server.base, { response });
    try {
      await world.connect(aConnection(proxy.base));
      await work();
    } finally {
      await proxy.stop();
    }
  }

  const entriesOf = ({ entry }: JsonObject) => (Array.isArray(entry) ? entry.filter(isObject) : []);
  const eachEntry = (body: JsonObject, change: (entry: JsonObject, at: number) => JsonObject[]): JsonObject => ({
    ...body,
    entry: entriesOf(body).flatMap(change),
  });
  const isOfGoal = ({ response }: JsonObject) => JSON.stringify(response).includes('"Goal/');

  /** Each create ended so, at a place of its own. */
  const answerAs = (status: string, shown: JsonObject | undefined) => (entry: JsonObject, at: number) => {
    const resourceType = isObject(entry.resource) ? String(entry.resource.resourceType) : '';
    if (resourceType !== 'Goal') return [entry];
    const id = `other-${at}`;
    return [
      {
        response: { status, location: `${resourceType}/${id}` },
        ...(shown !== undefined && { resource: { resourceType, id, ...shown } }),
      },
    ];
  };

  test.each<[string, (body: JsonObject) => JsonObject]>([
    [
      '70: an answer that repeats one id for all of a type',
      (body) => {
        const [first] = entriesOf(body).filter(isOfGoal);
        return eachEntry(body, (entry) => [isOfGoal(entry) ? (first ?? entry) : entry]);
      },
    ],
    ['70: an answer with an entry too few', (body) => eachEntry(body, (entry, at) => (at === 0 ? [] : [entry]))],
    ['70: an answer with empty entries', (body) => eachEntry(body, () => [{}])],
    [
      '69: an answer whose entries say that they failed',
      (body) => eachEntry(body, () => [{ response: { status: '500', outcome: outcome('fatal', 'exception') } }]),
    ],
    [
      '69: an answer whose entries say 200, and in their outcome that they failed',
      (body) =>
        eachEntry(body, ({ response }) => [
          {
            response: {
              ...(isObject(response) ? response : {}),
              status: '200',
              outcome: outcome('error', 'exception'),
            },
          },
        ]),
    ],
    [
      '69: an answer whose entries say 201, and hold a fatal outcome for the resource',
      (body) =>
        eachEntry(body, ({ response }) => [{ response: response ?? {}, resource: outcome('fatal', 'processing') }]),
    ],
    [
      '67: an answer that says that all is on another host',
      (body) =>
        eachEntry(body, () => [{ response: { status: '201', location: 'https://elsewhere.example.org/Goal/1' } }]),
    ],
    [
      '68: an answer with resources of another type',
      (body) =>
        eachEntry(body, ({ response }) => [{ response: response ?? {}, resource: { resourceType: 'Flag', id: '1' } }]),
    ],
    ['68: an answer with 200 and resources without our identifier', (body) => eachEntry(body, answerAs('200', {}))],
    ['65: an answer with 200 and nothing that can be read', (body) => eachEntry(body, answerAs('200', undefined))],
    [
      '68: an answer with 201 and resources of another patient',
      (body) => eachEntry(body, answerAs('201', { subject: { reference: 'Patient/other' } })),
    ],
  ])('%s: each is looked up by our identifier', async (_title, lie) => {
    await world.server.control('POST', 'settings', { transactions: true });
    let lies = 1;
    const once = (body: JsonObject) => (body.type === 'transaction-response' && lies-- > 0 ? lie(body) : body);
    await throughProxy(once, async () => {
      await world.accept(...directoryAndClient());
      await world.work();
      lies = 1;
      const withoutGoal = caseWithReferral().filter(([type]) => type === 'case' || type === 'need');
      await world.accept(...withoutGoal, ...goals.map(([, goal]) => ['goal', goal] as const));
      await world.work();
      for (const [name] of goals) {
        const { id } = await world.server.own('Goal', `county/${name}`);
        expect(await world.link(name)).toMatchObject({ remoteId: id, state: 'current' });
      }
      expect(await creates(world.server, 'Goal')).toBe(2);
      const lookedUp = world.store.db.selectFrom('operation').select('outcome').where('resource_type', '=', 'Goal');
      expect(await lookedUp.execute()).toEqual([{ outcome: 'found' }, { outcome: 'found' }]);
      expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined });
      expect(await world.openDecisions()).toEqual([]);
      expect(await world.changes()).toEqual([]);
    });
  });

  test('70: a search that shows one resource twice has found one', async () => {
    const twice = (body: JsonObject) => (body.type === 'searchset' ? eachEntry(body, (entry) => [entry, entry]) : body);
    await throughProxy(twice, async () => {
      await world.server.control('POST', 'faults', [
        { method: 'POST', path: 'Organization', nth: 1, fault: { status: 500, at: 'after-commit' } },
      ]);
      await world.accept(['organization', anOrganization()]);
      await world.work();
      expect(await world.openDecisions()).toEqual([]);
      expect(await creates(world.server, 'Organization')).toBe(1);
    });
  });
});

describe('a poll', () => {
  async function sendCase(): Promise<void> {
    await world.accept(...directoryAndClient(), ...caseWithReferral());
    await world.work();
  }

  const poll = (type = 'Task') =>
    world.store.db.selectFrom('poll').selectAll().where('resource_type', '=', type).executeTakeFirstOrThrow();

  const searchset = (...resources: JsonObject[]): JsonObject => ({
    resourceType: 'Bundle',
    type: 'searchset',
    entry: resources.map((resource) => ({ resource, search: { mode: 'match' } })),
  });

  test('71: a next link to another host: the connection pauses with one alert, the token stays here, nothing is believed', async () => {
    await sendCase();
    const other = await startHost(() => ({ body: searchset() }));
    const [task] = await world.server.all('Task');
    const link = [{ relation: 'next', url: `${other.url}/Task?page=2` }];
    const before = await truth();
    await fault('GET', { status: 200, body: { ...searchset({ ...task, status: 'completed' }), link } }, 'Task');
    await world.poll();
    expect(other.arrived).toEqual([]);
    expect(await world.alerts()).toMatchObject([{ topic: 'connection-paused:general', count: 1 }]);
    expect((await poll()).cursor).toBeNull();
    expect(await truth()).toEqual(before);
  });

  test('71: pages that never end: an alert, and what they lacked is asked for again', async () => {
    await sendCase();
    const link = [{ relation: 'next', url: `${world.server.base}/Task?round=1` }];
    await fault('GET', { status: 200, body: { ...searchset(), link } }, 'Task');
    await world.poll();
    expect(await poll()).toMatchObject({ cursor: null, reason: { code: 'search-endless' } });
    expect(await world.alerts()).toMatchObject([{ topic: 'poll-fails:general:Task', code: 'search-endless' }]);
    await heal();
    await world.poll();
    expect(await poll()).toMatchObject({ reason: null });
    expect(await world.alerts()).toEqual([]);
  });

  test('a type that fails and is polled no more is told of no more', async () => {
    await sendCase();
    const link = [{ relation: 'next', url: `${world.server.base}/Task?round=1` }];
    await fault('GET', { status: 200, body: { ...searchset(), link } }, 'Task');
    await world.poll();
    expect(await world.alerts()).toMatchObject([{ topic: 'poll-fails:general:Task' }]);
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    const { config, vendor } = connection;
    const fewer = { ...config, polls: { ...config.polls, types: ['Goal' as const] } };
    await refreshRoster(world.store, config, vendor);
    expect(await world.alerts()).toHaveLength(1);
    await preparePolls(world.store, fewer, vendor);
    await refreshRoster(world.store, fewer, vendor);
    expect(await world.alerts()).toEqual([]);
  });

  test('76: one entry that is too large is told to an operator; the polls of other types go on', async () => {
    await sendCase();
    await fault('GET', { bodyBytes: 21 * 1024 * 1024 }, 'Task$');
    await world.poll();
    expect(await world.alerts()).toMatchObject([
      { topic: 'poll-fails:general:Task', code: 'connection-reply-too-large' },
    ]);
    expect(await poll('ServiceRequest')).toMatchObject({ reason: null, cursor: expect.any(String) });
  });

  test('invalid dates of a Task: no cursor is moved to them, and what happened is told with a time that exists', async () => {
    await sendCase();
    const [task = {}] = await world.server.all('Task');
    const meta = { ...(isObject(task.meta) ? task.meta : {}), lastUpdated: 'yesterday' };
    const note = [{ time: '2026-02-30T10:00:00Z', text: 'They came.' }];
    const odd = { ...task, meta, status: 'received', lastModified: '2026-13-45T25:00:00Z', note };
    await fault('GET', { status: 200, body: searchset(odd) }, 'Task$');
    await world.poll();
    await fault('GET', { status: 200, body: odd }, `Task/${task.id}`);
    await world.work();
    await world.poll();
    await world.poll();
    expect((await poll()).reason).toBeNull();
    expect((await poll()).cursor).not.toContain('yesterday');
    const offered = JSON.stringify(await world.changes());
    expect(offered).toContain('received');
    expect(offered).not.toMatch(/2026-02-30|2026-13-45|yesterday/);
  });

  test('invalid dates in an element that goes back to the source: offered to nobody, a person is told', async () => {
    await sendCase();
    const { id, ...goal } = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    const target: JsonObject[] = [
      { id: 'due', dueDate: '2026-02-31' },
      { id: 't1', dueDate: 'soon', measure: { text: 'x' } },
    ];
    const odd = { ...goal, id: String(id), startDate: '2026-02-30', target };
    await fault('GET', { status: 200, body: odd }, `Goal/${id}`);
    await world.workAgain();
    expect(JSON.stringify(await world.changes())).not.toMatch(/2026-02-30|2026-02-31|soon/);
    const values = await world.store.db.selectFrom('remote_value').selectAll().execute();
    expect(JSON.stringify(values)).not.toMatch(/2026-02-30|2026-02-31|soon/);
    expect(await world.openDecisions()).toMatchObject([{ code: 'not-carried' }]);
  });
});

describe('74: Retry-After', () => {
  test.each([
    ['0', 1, 2],
    ['-5', 1, 2],
    ['soon', 0, 2],
    ['1000000000', 890, 900],
    ['120', 110, 120],
    ['Mon, 02 Mar 2020 10:00:00 GMT', 1, 2],
  ])('%s: the next try is shown, and is between %s and %s seconds away', async (value, least, most) => {
    await sent();
    await fault('PUT', { status: 429, headers: { 'retry-after': value } });
    await world.accept(['organization', renamed()]);
    await world.work({ tries: 1 });
    const { now, next_try_at: next } = await world.store.db
      .selectFrom('lane')
      .select(['next_try_at', world.store.db.fn<Date>('now').as('now')])
      .where('subject', '=', subject)
      .executeTakeFirstOrThrow();
    const seconds = ((next?.getTime() ?? 0) - now.getTime()) / 1000;
    expect(seconds).toBeGreaterThan(least - 1);
    expect(seconds).toBeLessThanOrEqual(most);
    expect(await world.lane(subject)).toMatchObject({ reason: 'server-busy' });
  });
});
