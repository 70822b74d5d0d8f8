// What points at something that is not there yet waits, visibly, and nothing else waits with it (lanes.md 6).

import { describe, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import { isObject } from '../../../src/json.ts';
import { parkLane, retryLane, reviewAlerts } from '../../../src/lanes/lanes.ts';
import { json, sql } from '../../../src/store/store.ts';
import { aCase, aClient, aGoal, anOrganization, aReferral, aWorker } from '../../builders.ts';
import { caseload, caseWithReferral, directoryAndClient, type Item, slotsOfCaseload } from '../../support/caseload.ts';
import { ownCounts } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const everySlotOnce = Object.fromEntries(slotsOfCaseload.map((slot) => [slot, 1]));
const lane = 'county.case.case-rosa';

/** All but one record. */
function without(type: string, id: string): Item[] {
  return caseload().filter((item) => item[0] !== type || item[1].id !== id);
}

async function states(...names: string[]): Promise<string[]> {
  const links = await Promise.all(names.map((name) => world.link(name)));
  return links.map(({ state, reason }) => (reason === undefined ? state : `${state}: ${reason}`));
}

describe('what waits on a lane that does not go on', () => {
  const pantry = { connection: 'general', subject: 'county.organization.org-pantry' };
  const task = 'referral/referral-pantry#fulfilment';
  const told = async () => {
    const row = await world.store.db.selectFrom('link').selectAll().where('id', '=', 'referral-pantry').execute();
    return row.find(({ slot }) => slot === 'fulfilment')?.reason;
  };
  const runs = async (subject: string) =>
    (await world.store.db.selectFrom('lane').select('wanted').where('subject', '=', subject).executeTakeFirstOrThrow())
      .wanted;

  test('because an operator has parked it says who; it goes on by itself when that lane does', async () => {
    await world.accept(['organization', anOrganization()]);
    await parkLane(world.store, pantry, { by: 'Ida' });
    await world.accept(...caseload());
    await world.work();
    expect(await states(task)).toEqual(['waiting: lane-parked-by-operator']);
    expect(await told()).toMatchObject({
      text: expect.stringMatching(/^Waits for organization\/org-pantry#organization: Ida has parked this lane\./),
    });
    const wanted = await runs(lane);
    await world.work();
    expect(await runs(lane)).toBe(wanted);

    await retryLane(world.store, pantry);
    await world.work();
    expect(await states(task)).toEqual(['current']);
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
  });

  test('because the server refuses it names what it waits for before it says so', async () => {
    const refusal = { status: 422, body: { resourceType: 'OperationOutcome', issue: [{ code: 'invalid' }] } };
    await world.server.control('POST', 'faults', [{ method: 'POST', path: 'Organization', fault: refusal }]);
    await world.accept(['organization', anOrganization()]);
    await world.work();
    await world.server.control('DELETE', 'faults');
    await world.accept(...caseload());
    await world.work();
    expect(await states(task)).toEqual(['waiting: server-refused']);
    expect(await told()).toMatchObject({
      text: expect.stringMatching(
        /^Waits for organization\/org-pantry#organization: The server refuses the request \(422/,
      ),
    });
  });

  test('because it has brought down its process too often says so', async () => {
    await world.accept(['organization', anOrganization()]);
    await world.store.db
      .updateTable('lane')
      .set({ done: sql`wanted`, parked: json(reason('lane-crashed', { starts: 3 })) })
      .where('subject', '=', pantry.subject)
      .execute();
    await world.accept(...caseload().filter(([, { id }]) => id !== 'org-pantry'));
    await world.work();
    expect(await states(task)).toEqual(['waiting: lane-crashed']);
    expect(await told()).toMatchObject({
      text: expect.stringContaining('Waits for organization/org-pantry#organization: '),
    });
  });
});

describe('a record that arrives before what it points at', () => {
  test.each([
    ['organization', 'org-pantry'],
    ['organization', 'org-riverside'],
    ['worker', 'worker-okafor'],
    ['service', 'service-groceries'],
    ['client', 'client-rosa'],
    ['case', 'case-rosa'],
    ['need', 'need-food'],
    ['goal', 'goal-meals'],
  ])('%s %s last: everything ends as one resource per slot, by itself', async (type, id) => {
    await world.send(...without(type, id));
    await world.send(...caseload().filter((item) => item[0] === type && item[1].id === id));
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, waiting: false, reason: undefined });
    expect(await world.store.db.selectFrom('waiting').selectAll().execute()).toEqual([]);
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
  });

  test('34: each record in reverse order, worked off in between: a child waits for its parent', async () => {
    for (const item of caseload().toReversed()) await world.send(item);
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
  });
});

test('a worker that waited for its organization goes on as what cases point at, before them', async () => {
  await world.send(...without('organization', 'org-riverside').filter(([type]) => type === 'worker'));
  await world.accept(...directoryAndClient().filter(([, { id }]) => id === 'org-riverside'), ...caseWithReferral());
  await world.run('county.organization.org-riverside');
  const due = await world.store.db
    .selectFrom('lane')
    .select('subject')
    .whereRef('done', '<', 'wanted')
    .orderBy('priority')
    .execute();
  expect(due.map(({ subject }) => subject)).toEqual(['county.worker.worker-okafor', lane]);
});

const hoursPass = (hours: number) =>
  world.store.db
    .updateTable('waiting')
    .set({ since: sql<Date>`since - ${hours} * interval '1 hour'` })
    .execute();

describe('a referral whose requesting organization its source has not sent', () => {
  const referral = (): Item => ['referral', aReferral({ requesterOrganizationId: 'org-later' })];
  const later = (): Item => ['organization', anOrganization({ id: 'org-later', name: 'Riverside North' })];
  const caseWith = (item: Item): Item[] => [
    ...directoryAndClient(),
    ...without('referral', 'referral-pantry').slice(5),
    item,
  ];

  test('waits with its reason, and the rest of the case goes on', async () => {
    await world.send(...caseWith(referral()));
    expect(await states('referral/referral-pantry#fulfilment')).toEqual(['waiting: waits-for-record']);
    expect(await states('referral/referral-pantry#request', 'goal/goal-meals#goal', 'carePlan/plan-rosa#plan')).toEqual(
      ['current', 'current', 'current'],
    );
    expect(await world.lane(lane)).toMatchObject({
      hasWork: false,
      waiting: true,
      parked: undefined,
      reason: 'waits-for-record',
    });
    expect(await world.server.all('Task')).toEqual([]);
  });

  test('is released by itself when the record arrives', async () => {
    await world.send(...caseWith(referral()));
    await world.send(later());
    const { id } = await world.server.own('Organization', 'county/organization/org-later#organization');
    expect(await world.server.own('Task', 'county/referral/referral-pantry#fulfilment')).toMatchObject({
      requester: { reference: `Organization/${id}` },
    });
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, waiting: false, reason: undefined });
  });

  test('is told of by one alert after 24 hours, however often the lane has run since, until the record arrives', async () => {
    await world.send(...caseWith(referral()));
    await hoursPass(25);
    await world.send(['goal', aGoal({ updatedAt: '2026-02-20T10:00:00-05:00' })]);
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([{ topic: 'records-awaited:general', code: 'records-awaited', count: 1 }]);
    await world.send(later());
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });

  test('no alert is opened for what only waits for the server', async () => {
    await world.server.faults({ method: 'POST', path: 'Organization', fault: { drop: 'before-commit' } });
    await world.send(...caseWith(referral()), later());
    await hoursPass(25);
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });

  test('is told apart from one whose organization is known but not on the server yet', async () => {
    await world.server.faults({ method: 'POST', path: 'Organization', fault: { drop: 'before-commit' } });
    await world.send(...caseWith(referral()), later());
    expect(await states('referral/referral-pantry#fulfilment')).toEqual(['waiting: waits-for-link']);
  });

  test('its Task never goes out as an open one: it waits for the organization that is asked', async () => {
    await world.send(...caseWith(['referral', aReferral({ organizationId: 'org-later', serviceId: undefined })]));
    expect(await world.server.all('Task')).toEqual([]);
    await world.send(later());
    const { id } = await world.server.own('Organization', 'county/organization/org-later#organization');
    expect(await world.server.own('Task', 'county/referral/referral-pantry#fulfilment')).toMatchObject({
      owner: { reference: `Organization/${id}` },
      meta: { versionId: '1' },
    });
  });

  test('writes nothing more while it waits, however often the lane is wanted', async () => {
    await world.send(...caseWith(referral()));
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
    expect(await world.lane(lane)).toMatchObject({ waiting: true });
  });
});

describe('an optional reference', () => {
  const second = () =>
    aReferral({ id: 'referral-second', replacesId: 'referral-first', updatedAt: '2026-02-10T10:00:00-05:00' });
  const first = (caseId: string) => aReferral({ id: 'referral-first', caseId, updatedAt: '2026-02-09T10:00:00-05:00' });
  const replaces = async () =>
    (await world.server.own('ServiceRequest', 'county/referral/referral-second#request')).replaces;

  test('to a record that nobody has sent is left out, and the resource goes out', async () => {
    await world.accept(
      ...directoryAndClient(),
      ['case', aCase()],
      ['need', without('x', '').find(([type]) => type === 'need')?.[1] ?? {}],
    );
    await world.send(...caseWithReferral(), ['referral', second()]);
    expect(await states('referral/referral-second#request')).toEqual(['current']);
    expect(await replaces()).toBeUndefined();
    expect(await world.lane(lane)).toMatchObject({ waiting: false, reason: undefined });
  });

  test.each([
    ['the same case', 'case-rosa'],
    ['another case', 'case-other'],
  ])('is added by itself when its record arrives in %s', async (_title, caseId) => {
    await world.send(...caseload(), ['case', aCase({ id: 'case-other' })], ['referral', second()]);
    await world.send(['referral', first(caseId)]);
    const { id } = await world.server.own('ServiceRequest', 'county/referral/referral-first#request');
    expect(await replaces()).toMatchObject([{ reference: `ServiceRequest/${id}` }]);
  });

  test('that goes in a circle is cut once and mended by an update', async () => {
    const one = aReferral({ id: 'referral-one', replacesId: 'referral-two' });
    const two = aReferral({ id: 'referral-two', replacesId: 'referral-one' });
    await world.send(...caseload(), ['referral', one], ['referral', two]);
    for (const name of ['one', 'two']) {
      const { replaces: other } = await world.server.own('ServiceRequest', `county/referral/referral-${name}#request`);
      expect(Array.isArray(other) && isObject(other[0]) ? other[0].reference : undefined).toMatch(/^ServiceRequest\//);
    }
  });
});

describe('what a record looked up elsewhere', () => {
  test('a new version of the other record brings the lane back', async () => {
    await world.send(...caseload());
    const preferredContact = { channel: 'phone', safeToContact: false } as const;
    await world.send(['client', aClient({ preferredContact, updatedAt: '2026-02-08T10:00:00-05:00' })]);
    const request = await world.server.own('ServiceRequest', 'county/referral/referral-pantry#request');
    expect(JSON.stringify(request.orderDetail)).toContain('contacting-subject-prohibited');
  });

  test('a worker with a supervisor who is sent later goes out at once', async () => {
    const agency = anOrganization({ id: 'org-riverside', name: 'Riverside Family Services', kind: 'case-management' });
    await world.send(['organization', agency], ['worker', aWorker({ supervisorId: 'worker-later' })]);
    expect(await states('worker/worker-okafor#practitioner', 'worker/worker-okafor#role')).toEqual([
      'current',
      'current',
    ]);
  });
});
