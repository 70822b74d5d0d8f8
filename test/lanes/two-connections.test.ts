// The same case on two servers: each has its own links, states and faults.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ConnectionConfig, homeConnection } from '../../src/config.ts';
import { CasebridgeError } from '../../src/errors.ts';
import { keepPlace } from '../../src/lanes/configuration/renamed.ts';
import { checkNames } from '../../src/lanes/lanes.ts';
import { aGoal, aReferral } from '../builders.ts';
import { own } from '../support/adopting.ts';
import {
  feed,
  foodCondition,
  foodOrder,
  hospitalHas,
  ines,
  seen,
  sourceAdopts,
  sourceIsThere,
  task,
} from '../support/begun.ts';
import { caseload, directoryAndClient, slotsOfCaseload } from '../support/caseload.ts';
import { aConfig, aConnection, ownCounts, startServer, startTestGateway, type TestServer } from '../support/rig.ts';
import { partnerEdits, useWorld } from '../support/world.ts';

const world = useWorld();
const everySlotOnce = Object.fromEntries(slotsOfCaseload.map((slot) => [slot, 1]));
const lane = 'county.case.case-rosa';
const changedGoal = () => aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' });
let hub: TestServer;

beforeAll(async () => {
  hub = await startServer();
});

afterAll(() => hub?.stop());

beforeEach(async () => {
  await hub.control('POST', 'reset');
  // Ids that differ from those of the first server.
  await hub.seed({ resourceType: 'Patient', id: 'someone', birthDate: '1950-01-01' });
  await world.connect(aConnection(hub.base, { id: 'hub' }));
});

async function sendCase(): Promise<void> {
  await world.send(...caseload());
}

test('a part of what one server asks of us goes out on the other without a word of that server', async () => {
  await world.connect(aConnection(world.server.base, { inboundTo: 'county' }));
  await sourceIsThere(world);
  await world.accept(...directoryAndClient().slice(0, 4));
  await hospitalHas(world, ines, foodCondition, foodOrder, task);
  await seen(world);
  await sourceAdopts(world);
  const whole = (await feed(world)).find(({ type }) => type === 'referral');
  const [clientId, caseId] = [whole?.body.clientId, whole?.body.caseId].map((id) => own(String(id)));
  const part = { id: 'part-1', clientId, caseId, needIds: [], goalIds: [], partOfId: own(whole?.id ?? '') };
  await world.send(['referral', aReferral(part)]);
  const slot = (name: string) => `county/referral/part-1#${name}`;
  expect(await world.server.own('ServiceRequest', slot('request'))).toMatchObject({
    basedOn: [{ reference: 'ServiceRequest/order-1' }],
  });
  const [order, asked] = [await hub.own('ServiceRequest', slot('request')), await hub.own('Task', slot('fulfilment'))];
  expect(order).toMatchObject({ status: 'active', intent: 'filler-order' });
  expect(asked).toMatchObject({ status: 'requested' });
  for (const held of [order, asked]) {
    expect(held).not.toHaveProperty('basedOn');
    expect(held).not.toHaveProperty('partOf');
    expect(JSON.stringify(held)).not.toMatch(new RegExp(`order-1|task-1|${world.server.base}|${part.partOfId}`));
  }
  expect(await hub.all('Task')).toHaveLength(1);
  expect(await world.link('referral/part-1#fulfilment', 'hub')).toMatchObject({ state: 'current' });
});

describe('one case on two connections', () => {
  test('is on both, each once, and a second pass writes nothing on either', async () => {
    await sendCase();
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
    expect(await ownCounts(hub)).toEqual(everySlotOnce);
    const before = [(await world.server.journal()).length, (await hub.journal()).length];
    await world.workAgain();
    expect([await world.server.writes(before[0]), await hub.writes(before[1])]).toEqual([[], []]);
  });

  test('goes on at one server while the other is down (G5), and catches up there later', async () => {
    await hub.faults({ fault: { status: 503 } });
    await sendCase();
    expect(await ownCounts(world.server)).toEqual(everySlotOnce);
    expect(await world.lane('county.organization.org-pantry', 'hub')).toMatchObject({ hasWork: true });
    await hub.mend();
    await world.work();
    expect(await ownCounts(hub)).toEqual(everySlotOnce);
  });

  test('parked at one is not parked at the other', async () => {
    await hub.faults(
      { method: 'POST', path: 'Goal', fault: { status: 422 } },
      { method: 'POST', path: '$', fault: { status: 422 } },
    );
    await sendCase();
    expect(await world.lane(lane, 'hub')).toMatchObject({ parked: 'server-refused' });
    expect(await world.lane(lane)).toMatchObject({ parked: undefined });
  });

  test('an edit at one is offered with its connection, and is not carried to the other by us', async () => {
    await sendCase();
    const { id } = await hub.own('Goal', 'county/goal/goal-meals#goal');
    await partnerEdits(hub, `Goal/${id}`, (goal) => ({ ...goal, lifecycleStatus: 'on-hold' }));
    await world.workAgain();
    await world.send(['goal', changedGoal()]);
    expect(await hub.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      lifecycleStatus: 'on-hold',
      description: { text: 'Food every day.' },
    });
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      lifecycleStatus: 'active',
      description: { text: 'Food every day.' },
    });
    const rows = await world.store.db.selectFrom('change').select(['connection', 'id']).execute();
    expect(rows).toEqual([{ connection: 'hub', id: 'goal-meals' }]);
  });

  test("once the source has taken the edit over, it goes to the other as the source's word", async () => {
    await sendCase();
    const { id } = await hub.own('Goal', 'county/goal/goal-meals#goal');
    await partnerEdits(hub, `Goal/${id}`, (goal) => ({ ...goal, lifecycleStatus: 'on-hold' }));
    await world.workAgain();
    const before = (await hub.journal()).length;
    await world.send(['goal', aGoal({ status: 'on-hold', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({ lifecycleStatus: 'on-hold' });
    expect(await hub.writes(before)).toEqual([]);
  });
});

describe('a connection under another name (lanes.md 23)', () => {
  const named = (id: string, more: Partial<ConnectionConfig> = {}) => aConnection(hub.base, { id, ...more });
  const general = () => aConnection(world.server.base);
  const code = (...configured: ConnectionConfig[]) =>
    checkNames(world.store, configured).then(
      () => 'starts',
      (error: unknown) => (error instanceof CasebridgeError ? error.code : error),
    );

  test('is refused where resources stand there under the first name, and nothing is sent a second time', async () => {
    await sendCase();
    const before = (await hub.journal()).length;
    const store = { ...world.store, close: async () => {} };
    await expect(startTestGateway(store, aConfig([general(), named('centre')]))).rejects.toThrow(
      'unrelatedTo: [hub] in it',
    );
    expect(await hub.writes(before)).toEqual([]);
    const known = await world.store.db.selectFrom('connection').select('id').orderBy('id').execute();
    expect(known.map(({ id }) => id)).toEqual(['general', 'hub']);
  });

  test('is not, where it is no other name of it', async () => {
    expect(await code(general(), named('centre'))).toBe('starts');
    await sendCase();
    expect(await code(general(), named('centre'))).toBe('connection-renamed');
    expect(await code(general(), named('hub'))).toBe('starts');
    expect(await code(general(), named('hub'), named('centre'))).toBe('starts');
    expect(await code(general(), named('centre', { unrelatedTo: ['hub'] }))).toBe('starts');
    expect(await code(general(), named('centre', { sources: ['city'] }))).toBe('starts');
    expect(await code(general(), named('centre', { baseUrl: `${hub.base}/other` }))).toBe('starts');
    expect(await code(general(), named('centre', { mode: 'off' }))).toBe('starts');
  });

  test('is refused for a partner by its organization', async () => {
    const home = (id: string, organization = 'org-pantry') =>
      homeConnection({ id, organization: { source: 'county', id: organization } });
    await sendCase();
    await world.store.tx((trx) => keepPlace(trx, { ...home('pantry'), id: 'hub' }));
    expect(await code(general(), home('larder'))).toBe('partner-renamed');
    expect(await code(general(), home('shelter', 'org-shelter'))).toBe('starts');
  });
});
