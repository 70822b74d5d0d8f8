import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway.ts';
import type { JsonObject } from '../../src/json.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { pantry, permittedCaseload, withPartners } from '../support/partners.ts';
import { accept, idle, startTestGateway } from '../support/rig.ts';

const rosa = { kind: 'contact', id: 'c1', name: 'Ana Ruiz' } as const;
let gateway: Gateway;

beforeAll(async () => {
  gateway = await startTestGateway(await freshEmbedded(), withPartners([], [pantry]));
  await accept(gateway, ...permittedCaseload());
  await idle(gateway);
}, 60_000);

afterAll(() => gateway?.stop());

test('what is held for a partner is its referral and what that speaks of', async () => {
  const { db } = gateway.api.store;
  const held = await db
    .selectFrom('home_resource')
    .select(['resource_type', 'own_value'])
    .orderBy('own_value')
    .execute();
  console.log(held, await db.selectFrom('lane').select(['subject', 'waiting', 'parked', 'reason']).execute());
  const [referral] = await gateway.api.home.referrals('pantry');
  console.log(JSON.stringify(referral, null, 1));
  expect(referral?.task.status).toBe('requested');
});

test('moves', async () => {
  const [referral] = await gateway.api.home.referrals('pantry');
  const id = String(referral?.task.id);
  const t0 = Date.now();
  await gateway.api.home.move('pantry', id, { to: 'accepted', note: 'We can help' }, rosa, referral?.version ?? '');
  await idle(gateway);
  const changes = await gateway.api.store.db.selectFrom('change').selectAll().execute();
  console.log(
    Date.now() - t0,
    JSON.stringify(
      changes.map(({ body }) => body as JsonObject),
      null,
      1,
    ),
  );
  expect(changes.length).toBe(1);
});
