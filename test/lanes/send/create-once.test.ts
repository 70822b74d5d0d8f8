// Each resource is created exactly once, whatever happens to a reply (lanes.md 9, 10). Counted in the server's own store.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Json, JsonObject } from '../../../src/json.ts';
import { drain, finishDrains, setPaused } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aCarePlan, aGoal, anOrganization } from '../../builders.ts';
import { caseload, caseWithReferral, directoryAndClient, type Item, slotsOfCaseload } from '../../support/caseload.ts';
import { aConnection, ownCounts } from '../../support/rig.ts';
import { creates, deletedThere, partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const everySlotOnce = Object.fromEntries(slotsOfCaseload.map((slot) => [slot, 1]));

/** What can happen to one reply. */
const accidents: [string, JsonObject][] = [
  ['lost after the server committed', { drop: 'after-commit' }],
  ['lost before the server did anything', { drop: 'before-commit' }],
  ['503 before the server did anything', { status: 503 }],
  ['500 after the server committed', { status: 500, at: 'after-commit' }],
  [
    'an HTML page after the server committed',
    { status: 200, body: '<html>ok</html>', headers: { 'content-type': 'text/html' }, at: 'after-commit' },
  ],
  ['429 with a time to come back', { status: 429, headers: { 'retry-after': '1' } }],
  ['201 without body and Location', { status: 201, at: 'after-commit' }],
  ['cut in the middle of its body', { truncate: 40 }],
];

/** A server that has named a time is not asked before it. */
async function workThrough({ status }: JsonObject): Promise<void> {
  await world.work();
  if (status !== 429) return;
  await sleep(1_100);
  await world.work();
}

describe('each resource is created exactly once when a reply is', () => {
  test.each(accidents)('%s: a single create', async (_accident, fault) => {
    await world.server.strikeOnce('POST', 'Organization', fault);
    await world.accept(['organization', anOrganization()]);
    await workThrough(fault);
    expect(await ownCounts(world.server)).toEqual({ 'county/organization/org-pantry#organization': 1 });
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await struck()).toBe(1);
  });

  test.each(accidents)('%s: a transaction', async (_accident, fault) => {
    await world.send(...directoryAndClient());
    await world.server.strikeOnce('POST', '$', fault);
    await world.accept(...caseWithReferral());
    await workThrough(fault);
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
    expect(await struck()).toBe(1);
    expect(await world.lane('county.case.case-rosa')).toMatchObject({
      hasWork: false,
      waiting: false,
      parked: undefined,
    });
  });

  test.each(accidents)('%s: a patient', async (_accident, fault) => {
    await world.server.strikeOnce('POST', 'Patient', fault);
    await world.accept(...directoryAndClient());
    await workThrough(fault);
    expect(await world.server.all('Patient')).toHaveLength(1);
    expect(await creates(world.server, 'Patient')).toBe(1);
    expect(await struck()).toBe(1);
  });
});

describe('each resource is created exactly once on a server that', () => {
  test.each([
    ['has no transactions', { transactions: false }],
    ['has no conditional creates', { conditionalCreate: false }],
    ['has neither', { transactions: false, conditionalCreate: false }],
    ['has no versions', { versions: false }],
  ])('%s, and loses some replies', async (_title, settings) => {
    await world.server.settings(settings);
    await world.server.faults(
      { method: 'POST', nth: 2, fault: { drop: 'after-commit' } },
      { method: 'POST', nth: 7, fault: { drop: 'after-commit' } },
      { method: 'POST', nth: 9, fault: { drop: 'before-commit' } },
    );
    await world.send(...caseload());
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
  });
});

describe('a search that found nothing', () => {
  test('is believed only the second time, after the settle time', async () => {
    await world.connect(aConnection(world.server.base, { id: 'slow', settleMs: 90_000 }));
    await world.server.strikeOnce('POST', 'Organization', { drop: 'before-commit' });
    await world.accept(['organization', anOrganization()]);
    // The other connection, which is consistent, writes nothing in this test.
    await world.store.db.deleteFrom('lane').where('connection', '=', 'general').execute();
    await world.work({ tries: 4 });
    expect(await posts()).toHaveLength(1);
    await settleTimePasses();
    await world.work();
    const methods = await searchesAndPosts();
    expect(methods).toEqual(['POST', ...methods.slice(1, -1).map(() => 'GET'), 'POST']);
    expect(methods.length).toBeGreaterThanOrEqual(4);
    expect(await creates(world.server, 'Organization')).toBe(1);
  });

  test('is not believed while the server hides new resources from searches for less than the settle time', async () => {
    await world.connect(aConnection(world.server.base, { id: 'slow', settleMs: 90_000 }));
    await world.server.settings({ searchLagMs: 300, conditionalCreate: false });
    await world.server.strikeOnce('POST', 'Organization', { drop: 'after-commit' });
    await world.accept(['organization', anOrganization()]);
    await world.store.db.deleteFrom('lane').where('connection', '=', 'general').execute();
    await world.work({ tries: 3 });
    // What the server hides it shows by now.
    await sleep(300);
    await settleTimePasses();
    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link('organization/org-pantry#organization', 'slow')).toMatchObject({ state: 'current' });
  });

  test('is not believed when the search failed or was cut short', async () => {
    await world.server.faults(
      { method: 'POST', path: 'Organization', nth: 1, fault: { drop: 'after-commit' } },
      { method: 'GET', path: 'Organization', nth: 1, fault: { status: 500 } },
      { method: 'GET', path: 'Organization', nth: 2, fault: { truncate: 100 } },
    );
    await world.send(['organization', anOrganization()]);
    expect(await creates(world.server, 'Organization')).toBe(1);
  });
});

describe('a search that can never tell what became of a lost create', () => {
  const caseLane = 'county.case.case-rosa';
  const goalTwo = 'goal/goal-two#goal';

  /** A linked case, and then a new goal whose create gets no reply, and a new title of the plan beside it. */
  async function loseCreate(drop: string, fault: Json): Promise<void> {
    await world.server.settings({ transactions: false, conditionalCreate: false });
    await world.send(...caseload());
    await world.server.faults(
      { method: 'POST', path: 'Goal', nth: 1, fault: { drop } },
      { method: 'GET', path: 'Goal$', fault },
    );
    await world.send(
      ['goal', aGoal({ id: 'goal-two', statement: 'Cook at home twice a week.' })],
      newTitle('Plan of June', 1),
    );
  }

  const newTitle = (title: string, day: number): Item => [
    'carePlan',
    aCarePlan({ title, updatedAt: `2026-03-0${day}T10:00:00-05:00` }),
  ];
  const planTitle = async () => (await world.server.own('CarePlan', 'county/carePlan/plan-rosa#plan')).title;
  const question = { kind: 'outcome-untold', code: 'outcome-untold', choices: ['look-again', 'not-there'] };
  const goalPosts = async () => (await posts()).filter(({ url }) => String(url).endsWith('/Goal')).length;

  test('becomes a question about that resource alone, at once where it is refused; the rest of the case goes on', async () => {
    await loseCreate('after-commit', { status: 403 });
    expect(await world.openDecisions()).toMatchObject([
      {
        ...question,
        topic: `untold:${goalTwo}`,
        detail: { resourceType: 'Goal', identifier: 'county/goal/goal-two#goal' },
      },
    ]);
    expect(await world.link(goalTwo)).toMatchObject({ remoteId: null, state: 'parked', reason: 'outcome-untold' });
    expect(await planTitle()).toBe('Plan of June');
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: false, parked: undefined });
    await world.send(newTitle('Plan of July', 2));
    expect(await planTitle()).toBe('Plan of July');
    expect(await goalPosts()).toBe(2);
    expect(await world.openDecisions()).toHaveLength(1);
  });

  test('is asked once more by a person, and links what it finds', async () => {
    await loseCreate('after-commit', { status: 403 });
    await world.decide('outcome-untold', 'look-again');
    await world.work();
    expect(await world.openDecisions()).toMatchObject([question]);
    await world.server.mend();
    await world.decide('outcome-untold', 'look-again');
    await world.work();
    expect(await world.link(goalTwo)).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
    expect(await goalPosts()).toBe(2);
  });

  test('gives way to the word of a person who has looked: only then is it created once more', async () => {
    await loseCreate('before-commit', { status: 403 });
    await world.workAgain();
    expect(await goalPosts()).toBe(2);
    await world.decide('outcome-untold', 'not-there');
    const [minutes = 0] = await lateChecksIn();
    expect(Math.ceil(minutes)).toBe(15);
    await world.work();
    expect(await goalPosts()).toBe(3);
    expect(await world.server.own('Goal', 'county/goal/goal-two#goal')).toBeDefined();
    expect(await world.link(goalTwo)).toMatchObject({ state: 'current' });
  });

  test('is waited for where the server may yet answer, and asked about after an hour; the question closes when it answers', async () => {
    await loseCreate('after-commit', { status: 503 });
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: true });
    const hourAgo = sql<Date>`now() - interval '1 hour'`;
    await world.store.db.updateTable('operation').set({ intended_at: hourAgo }).where('outcome', 'is', null).execute();
    await world.work({ tries: 1 });
    expect(await world.openDecisions()).toMatchObject([question]);
    expect(await planTitle()).toBe('Plan of June');
    await world.server.mend();
    await world.send(newTitle('Plan of July', 2));
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(goalTwo)).toMatchObject({ state: 'current' });
    expect(await goalPosts()).toBe(2);
  });

  test('keeps no connection from being drained', async () => {
    await loseCreate('after-commit', { status: 403 });
    await drain(world.store, 'general', 'Ida');
    expect(await finishDrains(world.store)).toEqual(['general']);
  });

  test('keeps none from being drained either while its lane tries again for another reason: a person is asked', async () => {
    await loseCreate('after-commit', { status: 403 });
    await world.server.faults(
      { method: 'GET', path: 'Goal$', fault: { status: 403 } },
      { method: 'GET', path: 'CarePlan/', fault: { status: 504 } },
    );
    await world.accept(newTitle('Plan of July', 2));
    await world.work({ tries: 1 });
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, reason: 'server-busy' });
    expect(await world.openDecisions()).toMatchObject([question]);
    await drain(world.store, 'general', 'Ida');
    expect(await finishDrains(world.store)).toEqual(['general']);
  });

  test('holds nothing back at the late check: it is tried later, or a person is asked where it is refused', async () => {
    await loseCreate('before-commit', { status: 403 });
    await world.decide('outcome-untold', 'not-there');
    await world.work();
    await lateCheckIsDue();
    await world.send(newTitle('Plan of July', 2));
    expect(await planTitle()).toBe('Plan of July');
    expect(await world.openDecisions()).toMatchObject([{ ...question, choices: ['look-again', 'done'] }]);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: false, nextLookAt: null });
    await world.server.mend();
    await world.decide('outcome-untold', 'look-again');
    await world.work();
    expect(await world.openDecisions()).toEqual([]);
    expect(await goalPosts()).toBe(3);
  });

  test('is looked for no more at the late check once a person says that it is there no more than once', async () => {
    await loseCreate('before-commit', { status: 403 });
    await world.decide('outcome-untold', 'not-there');
    await world.work();
    await lateCheckIsDue();
    await world.workAgain();
    await world.decide('outcome-untold', 'done');
    const { length } = await world.server.journal();
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect((await world.server.journal(length)).filter(({ url }) => String(url).includes('identifier='))).toEqual([]);
    expect([await goalPosts(), (await world.link(goalTwo)).state]).toEqual([3, 'current']);
  });

  test('is no reason to write over a resource whose last write cannot be read', async () => {
    await world.server.settings({ transactions: false });
    await world.send(...caseload());
    const { remoteId } = await world.link('goal/goal-meals#goal');
    await world.server.faults(
      { method: 'PUT', path: 'Goal', nth: 1, fault: { drop: 'before-commit' } },
      { method: 'GET', path: `Goal/${remoteId}`, nth: 2, times: 9, fault: { status: 403 } },
    );
    await world.send(
      ['goal', aGoal({ statement: 'Eat well.', updatedAt: '2026-03-01T10:00:00-05:00' })],
      newTitle('Plan of June', 1),
    );
    expect(await world.openDecisions()).toMatchObject([{ kind: 'outcome-untold', choices: ['look-again'] }]);
    expect(await planTitle()).toBe('Plan of June');
    await world.server.mend();
    await world.decide('outcome-untold', 'look-again');
    await world.work();
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'Eat well.' },
    });
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.changes()).toEqual([]);
  });
});

describe('a create of which the server never tells', () => {
  const pantry = 'organization/org-pantry#organization';
  const untold = { kind: 'outcome-untold', code: 'outcome-untold', choices: ['look-again', 'not-there'] };
  const goalPosts = async () => (await posts()).filter(({ url }) => String(url).endsWith('/Goal')).length;
  const anHourPasses = () =>
    sql`update operation set intended_at = intended_at - interval '1 hour'`.execute(world.store.db);

  test('C24 504 each time: waited for as an outage, then a person is asked, and the rest of the case goes on', async () => {
    await world.server.settings({ transactions: false });
    await world.server.faults({ method: 'POST', path: 'Goal', fault: { status: 504 } });
    await world.accept(...caseload());
    await world.work({ tries: 14 });
    expect(await goalPosts()).toBe(7);
    expect(await world.openDecisions()).toEqual([]);
    await anHourPasses();
    await world.work();
    expect(await goalPosts()).toBe(7);
    expect(await world.openDecisions()).toMatchObject([
      {
        ...untold,
        topic: 'untold:goal/goal-meals#goal',
        detail: { identifier: 'county/goal/goal-meals#goal', why: { code: 'outcome-unknown' } },
      },
    ]);
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });
    for (const type of ['ServiceRequest', 'Task', 'CarePlan']) expect(await creates(world.server, type)).toBe(1);
    await world.workAgain();
    expect(await goalPosts()).toBe(7);

    await world.server.mend();
    await world.decide('outcome-untold', 'not-there');
    await world.work();
    const { id } = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    expect(await creates(world.server, 'Goal')).toBe(1);
    expect(JSON.stringify(await world.server.all('CarePlan'))).toContain(`Goal/${id}`);
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each([
    ['500 each time: until an hour is over', { status: 500 }, 7],
    ['201 without Location: once, as the server says that it is done', { status: 201 }, 1],
  ])('which no search shows, and that is answered %s', async (_title, fault, times) => {
    await world.server.settings({ conditionalCreate: false, searchLagMs: 3_600_000 });
    await world.server.faults({ method: 'POST', path: 'Organization', fault: { ...fault, at: 'after-commit' } });
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 14 });
    await anHourPasses();
    await world.work();
    expect(await world.server.all('Organization')).toHaveLength(times);
    expect(await world.openDecisions()).toMatchObject([untold]);
    expect(await world.link(pantry)).toMatchObject({ remoteId: null, state: 'parked', reason: 'outcome-untold' });

    await world.server.control('POST', 'clock', { advance: '2h' });
    await world.decide('outcome-untold', 'look-again');
    await world.work();
    expect(await world.link(pantry)).toMatchObject({ remoteId: expect.any(String), state: 'current' });
    const doubled = times === 1 ? [] : [{ kind: 'doubled', detail: { ids: { length: times } } }];
    expect(await world.openDecisions()).toMatchObject(doubled);
    expect(await world.server.all('Organization')).toHaveLength(times);
  });
});

async function lateCheckIsDue(): Promise<void> {
  await world.store.db
    .updateTable('operation')
    .set({ late_check_at: new Date(0) })
    .where('late_check_at', 'is not', null)
    .execute();
}

/** In how many minutes of the store's clock each late check is due. */
async function lateChecksIn(): Promise<number[]> {
  const { rows } = await sql<{ minutes: number }>`
    select extract(epoch from late_check_at - now())::float8 / 60 as minutes from operation where late_check_at is not null`.execute(
    world.store.db,
  );
  return rows.map(({ minutes }) => minutes);
}

describe('after a create whose reply was lost', () => {
  test('the server is asked once more after fifteen minutes, when the lane looks again by itself', async () => {
    await world.server.strikeOnce('POST', 'Organization', { drop: 'before-commit' });
    await world.send(['organization', anOrganization()]);
    const [minutes = 0, ...others] = await lateChecksIn();
    expect(others).toEqual([]);
    expect(minutes).toBeGreaterThan(14);
    expect(minutes).toBeLessThanOrEqual(15);
    const { rows } = await sql<{ isThen: boolean }>`
      select next_look_at = late_check_at as "isThen" from lane join operation using (connection, subject)
      where late_check_at is not null`.execute(world.store.db);
    expect(rows).toEqual([{ isThen: true }]);
  });

  test('a double that turns up late goes to a decision; the older one stays linked', async () => {
    await world.server.strikeOnce('POST', 'Organization', { drop: 'before-commit' });
    await world.send(['organization', anOrganization()]);
    const { remoteId } = await world.link('organization/org-pantry#organization');
    expect((await world.lane('county.organization.org-pantry')).nextLookAt).not.toBeNull();
    const [mine] = await world.server.all('Organization');
    const { id: _id, meta: _meta, ...late } = mine ?? {};
    const { status } = await world.server.fhir('POST', 'Organization', { ...late, resourceType: 'Organization' });
    expect(status).toBe(201);
    await lateCheckIsDue();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'doubled', code: 'create-doubled' }]);
    expect((await world.link('organization/org-pantry#organization')).remoteId).toBe(remoteId);
    expect((await world.lane('county.organization.org-pantry')).nextLookAt).toBeNull();
  });

  test('that stops the connection, it is looked for when the connection goes on', async () => {
    await world.server.settings({ conditionalCreate: false });
    const seeOther = { status: 303, headers: { location: 'https://login.example.org/' }, at: 'after-commit' };
    await world.server.strikeOnce('POST', 'Organization', seeOther);
    await world.send(['organization', anOrganization()]);
    expect(await world.alerts()).toMatchObject([{ topic: 'connection-paused:general' }]);
    await setPaused(world.store, 'general', undefined);
    await world.work();
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.link('organization/org-pantry#organization')).toMatchObject({ state: 'current' });
  });

  describe('and that turns up late', () => {
    const pantry = 'organization/org-pantry#organization';
    const held = () => world.server.own('Organization', `county/${pantry}`);

    /** The second create is refused; then the first one arrives after all. */
    async function arriveLate(): Promise<void> {
      await world.server.settings({ conditionalCreate: false });
      await world.server.faults(
        { method: 'POST', path: 'Organization', nth: 1, fault: { drop: 'before-commit' } },
        { method: 'POST', path: 'Organization', nth: 2, fault: { status: 422 } },
      );
      await world.send(['organization', anOrganization()]);
      const [first] = await posts();
      expect((await world.server.fhir('POST', 'Organization', bodyOf(first))).status).toBe(201);
      await lateCheckIsDue();
    }

    test('it is linked where nothing else is, and kept up to date from then on', async () => {
      await arriveLate();
      await world.workAgain();
      expect(await world.link(pantry)).toMatchObject({ remoteId: (await held()).id, state: 'current' });
      expect(await world.openDecisions()).toEqual([]);
      await world.send([
        'organization',
        anOrganization({ name: 'Elm Street Food Pantry', updatedAt: '2026-03-01T10:00:00-05:00' }),
      ]);
      expect(await held()).toMatchObject({ name: 'Elm Street Food Pantry' });
    });

    test('it is taken back where its record has gone meanwhile', async () => {
      await arriveLate();
      await world.accept([
        'organization',
        { ...anOrganization({ updatedAt: '2026-03-01T10:00:00-05:00' }), deleted: true },
      ]);
      await world.workAgain();
      expect(await held()).toMatchObject({ active: false });
    });

    /** Searches do not show for longer than the settle time what has just been made. */
    async function hideFirst(): Promise<{ older: string; newer: string }> {
      await world.server.settings({ conditionalCreate: false, searchLagMs: 60_000 });
      await world.server.strikeOnce('POST', 'Organization', { drop: 'after-commit' });
      await world.send(...caseload());
      await world.server.control('POST', 'clock', { advance: '2m' });
      const newer = String((await world.link(pantry)).remoteId);
      const twins = (await world.server.all('Organization')).filter(({ name }) => name === 'Elm Street Pantry');
      const older = String(twins.find(({ id }) => id !== newer)?.id);
      expect(twins).toHaveLength(2);
      await lateCheckIsDue();
      return { older, newer };
    }
    const pointing = async (id: string) =>
      [...(await world.server.all('Task')), ...(await world.server.all('ServiceRequest'))].filter((one) =>
        JSON.stringify(one).includes(`Organization/${id}`),
      ).length;

    test('the older of two that are alike is linked in place of the newer one, and what pointed there follows', async () => {
      const { older, newer } = await hideFirst();
      expect(await pointing(newer)).toBeGreaterThan(0);
      await world.workAgain();
      expect(await world.link(pantry)).toMatchObject({ remoteId: older, state: 'current' });
      expect(await world.openDecisions()).toMatchObject([{ kind: 'doubled', detail: { ids: [older, newer] } }]);
      expect(await pointing(newer)).toBe(0);
      expect(await pointing(older)).toBeGreaterThan(0);
    });

    test('the newer one stays linked where somebody has worked with it', async () => {
      const { older, newer } = await hideFirst();
      await partnerEdits(world.server, `Organization/${newer}`, (one) => ({ ...one, alias: ['The Elm'] }));
      await world.server.control('POST', 'clock', { advance: '2m' });
      await world.workAgain();
      expect(await world.link(pantry)).toMatchObject({ remoteId: newer });
      expect(await world.openDecisions()).toMatchObject([{ kind: 'doubled', detail: { ids: [newer, older] } }]);
    });
  });

  test('a create that answers with an older resource of ours takes it over and clears nothing on it', async () => {
    const organization = {
      resourceType: 'Organization',
      name: 'Elm Street Pantry',
      alias: ['The Elm'],
      identifier: [ours('county/organization/org-pantry#organization')],
    };
    await world.server.seed(organization);
    await world.send(['organization', anOrganization()]);
    const held = await world.server.own('Organization', 'county/organization/org-pantry#organization');
    expect(held.alias).toEqual(['The Elm']);
    expect(held.telecom).toBeDefined();
    expect(await creates(world.server, 'Organization')).toBe(0);
  });

  test('our identifier held twice by the server is never written a third time', async () => {
    const twin: JsonObject = {
      resourceType: 'Organization',
      name: 'Elm Street Pantry',
      identifier: [ours('county/organization/org-pantry#organization')],
    };
    await world.server.seed({ ...twin, id: 'one' }, { ...twin, id: 'two' });
    await world.send(['organization', anOrganization()]);
    expect(await creates(world.server, 'Organization')).toBe(0);
    expect(await world.link('organization/org-pantry#organization')).toMatchObject({ state: 'parked' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'doubled' }]);

    await deletedThere(world.server, 'Organization/two');
    await world.decide('doubled', 'done');
    await world.work();
    expect(await world.link('organization/org-pantry#organization')).toMatchObject({
      remoteId: 'one',
      state: 'current',
    });
    expect(await world.openDecisions()).toEqual([]);
    expect(await creates(world.server, 'Organization')).toBe(0);
  });
});

function bodyOf(entry: JsonObject | undefined): JsonObject {
  const body = entry?.requestBody;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('no body');
  return body;
}

function ours(value: string): JsonObject {
  return { system: 'https://agency.example.org/casebridge', value };
}

async function struck(): Promise<number> {
  const rules = await world.server.control('GET', 'faults');
  return Array.isArray(rules) ? rules.reduce<number>((sum, rule) => sum + firedOf(rule), 0) : 0;
}

function firedOf(rule: Json): number {
  return typeof rule === 'object' && rule !== null && !Array.isArray(rule) ? Number(rule.fired) : 0;
}

async function posts(): Promise<JsonObject[]> {
  return (await world.server.journal()).filter(({ method }) => method === 'POST');
}

async function searchesAndPosts(): Promise<unknown[]> {
  const entries = await world.server.journal();
  return entries
    .filter(({ url }) => String(url).startsWith('/standard/fhir/R4/Organization'))
    .map(({ method }) => method);
}

/** The settle time is the database's: it is moved, not slept through. */
async function settleTimePasses(): Promise<void> {
  const moved = await world.store.db
    .updateTable('operation')
    .set({ missed_at: sql<Date>`missed_at - interval '90 seconds'` })
    .where('missed_at', 'is not', null)
    .executeTakeFirstOrThrow();
  expect(moved.numUpdatedRows).toBe(1n);
}
