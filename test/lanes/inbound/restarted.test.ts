// A gateway that is stopped and started again in the middle of a referral of the hospital goes on where it was: every change once, and one of each resource
// at the hospital.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '../../../src/gateway.ts';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { openStore } from '../../../src/store/store.ts';
import { anOrganization } from '../../builders.ts';
import { acceptedOf } from '../../support/adopting.ts';
import { foodCondition, foodOrder, ines, task } from '../../support/begun.ts';
import { directoryAndClient } from '../../support/caseload.ts';
import { freshFolder } from '../../support/embedded.ts';
import {
  aConfig,
  aConnection,
  accept,
  eventually,
  startServer,
  startTestGateway,
  type TestServer,
} from '../../support/rig.ts';

let server: TestServer;
let folder: string;
let gateway: Gateway;

beforeAll(async () => {
  [server, folder] = await Promise.all([startServer('standard'), freshFolder()]);
  await server.settings({ auth: 'none' });
});
afterAll(async () => {
  await gateway?.stop();
  await server.stop();
});

async function start(): Promise<void> {
  const store = await openStore({ folder });
  gateway = await startTestGateway(store, aConfig([aConnection(server.base, { createPatients: false })]));
}

async function again(): Promise<void> {
  await gateway.stop();
  await start();
}

const offered = async () =>
  (await gateway.api.store.db.selectFrom('change').selectAll().orderBy('cursor').execute()).map(
    ({ op, type, id, body }) => ({
      op,
      type,
      id,
      body: isObject(body) ? body : {},
    }),
  );

const status = async () => (await server.all('Task'))[0]?.status;

test('begun, adopted, accepted and completed, with a restart after each', async () => {
  await start();
  const hospital = anOrganization({ id: 'org-hospital', name: 'General Hospital', kind: 'hospital' });
  await accept(gateway, ...directoryAndClient().slice(0, 4), ['organization', hospital]);
  await server.seed(ines, foodCondition, foodOrder, task);
  await eventually(async () => (await offered()).length >= 4, 'the proposals');
  await again();
  const records = acceptedOf(await offered());
  await accept(gateway, ...records);
  const linked = async () =>
    gateway.api.store.db
      .selectFrom('link')
      .select('id')
      .where('origin', '=', 'theirs')
      .where('resource_type', '=', 'Task')
      .execute();
  await eventually(async () => (await linked()).length === 1, 'the link to the Task');
  await again();
  const [, referral] = records.find(([type]) => type === 'referral') ?? [];
  const moved = (to: string, day: number, more: JsonObject = {}): JsonObject => {
    const at = `2026-03-0${day}T09:00:00-05:00`;
    const history = Array.isArray(referral?.history) ? referral.history : [];
    return {
      ...referral,
      status: to,
      history: [...history, { id: `h${day}`, status: to, at }],
      updatedAt: at,
      ...more,
    };
  };
  await accept(gateway, ['referral', moved('accepted', 2)]);
  await again();
  await eventually(async () => (await status()) === 'accepted', 'accepted at the hospital');
  await again();
  await accept(gateway, [
    'referral',
    moved('completed', 3, { outcome: { code: 'service-received', at: '2026-03-03T09:00:00-05:00' } }),
  ]);
  await eventually(async () => (await status()) === 'completed', 'completed at the hospital');
  await again();

  expect((await offered()).map(({ op, type }) => `${op} ${type}`)).toEqual([
    'propose client',
    'propose case',
    'propose need',
    'propose referral',
  ]);
  for (const [type, id] of [
    ['Patient', 'ines'],
    ['Task', 'task-1'],
    ['ServiceRequest', 'order-1'],
    ['Condition', 'food-need'],
  ] as const)
    expect((await server.all(type)).map((one) => one.id)).toEqual([id]);
  expect((await server.all('Procedure')).length).toBe(1);
  const decisions = await gateway.api.store.db
    .selectFrom('decision')
    .select('kind')
    .where('state', '=', 'open')
    .execute();
  expect(decisions).toEqual([]);
}, 120_000);
