// Subscriptions that Casebridge keeps on a server: one for each type that is wanted, never two, renewed, asked for again, and switched off.

import { expect, test } from '@jest/globals';
import type { HookConfig } from '../../../src/config.ts';
import type { JsonObject } from '../../../src/json.ts';
import { heardFromOwn, reviewSubscriptions, subscriptionsLeft } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aCase, aClient } from '../../builders.ts';
import { aConnection } from '../../support/rig.ts';
import { pollDue } from '../../support/roster.ts';
import { useWorld } from '../../support/world.ts';

const key = 'key-of-the-general-hospital';
const address = `https://casebridge.example.org/hooks/general/${key}`;
const endpoint = `${address}/Task`;
const hook: HookConfig = { key, bearer: 'of-the-hook', subscribe: { types: ['Task'], address } };
const world = useWorld({ hook, pollEveryMs: 3_600_000 });

const there = () => world.server.all('Subscription');
const look = async () => {
  await sql`update poll set next_at = now() where resource_type = 'Subscription'`.execute(world.store.db);
  await pollDue(world);
};
const written = async () => (await world.server.writes()).filter(({ url }) => String(url).includes('/Subscription'));
const change = async (changed: JsonObject) => {
  const [only] = await there();
  await world.server.fhir('PUT', `Subscription/${only?.id}`, { ...only, ...changed });
};
const aForeignOne = (changed: JsonObject = {}): JsonObject => ({
  resourceType: 'Subscription',
  status: 'active',
  reason: 'theirs',
  criteria: 'Task?',
  channel: { type: 'rest-hook', endpoint },
  ...changed,
});
const ids = async (status: string) =>
  (await there()).filter((one) => one.status === status).map(({ id }) => String(id));
const lines = async () => (await world.report()).polls?.subscriptions;

test('one is made, with an end, and a second look writes nothing', async () => {
  await look();
  expect(await there()).toMatchObject([
    {
      status: 'active',
      criteria: 'Task?',
      end: expect.any(String),
      channel: { type: 'rest-hook', endpoint, header: ['Authorization: Bearer of-the-hook'] },
    },
  ]);
  // Nobody's chart is in what the server sends.
  expect((await there())[0]?.channel).not.toHaveProperty('payload');
  expect(await written()).toHaveLength(1);
  await look();
  expect(await written()).toHaveLength(1);
  expect(await lines()).toMatchObject([{ resourceType: 'Task', status: expect.any(String), reason: null }]);
});

test('one whose connection is taken out of the configuration is named until it has ended', async () => {
  await look();
  const [{ id } = {}] = await there();
  expect(await subscriptionsLeft(world.store, ['general'])).toEqual([]);
  expect(await subscriptionsLeft(world.store, [])).toMatchObject([
    {
      code: 'subscription-left',
      text: expect.stringContaining(`Subscription ${id} to Task is still on the server of general`),
    },
  ]);
  await sql`update subscription set ends_at = now()`.execute(world.store.db);
  expect(await subscriptionsLeft(world.store, [])).toEqual([]);
});

test('where single patients are asked about, the resource comes with it: it says whose chart it is in', async () => {
  const polls = { types: ['Goal'] as const, performers: [], referralCodes: [], documentTypes: [], lookBackMs: 0 };
  await world.connect(
    aConnection(world.server.base, { polls, hook: { key, subscribe: { types: ['Goal'], address } } }),
  );
  await look();
  const goals = (await there()).filter(({ criteria }) => criteria === 'Goal?');
  expect(goals).toMatchObject([{ channel: { payload: 'application/fhir+json' } }]);
});

test('a lost answer makes no second one: it is found by its endpoint', async () => {
  await world.server.strikeOnce('POST', 'Subscription', { drop: 'after-commit' });
  await look();
  await look();
  expect(await there()).toHaveLength(1);
  expect(await ids('active')).toHaveLength(1);
});

test('none is made again while it may still be under way, and the server cannot be searched for it yet', async () => {
  await world.server.settings({ searchLagMs: 3_600_000 });
  await world.server.strikeOnce('POST', 'Subscription', { drop: 'after-commit' });
  await look();
  await look();
  expect(await there()).toHaveLength(1);
});

test('those that notify our endpoint already are ours: the oldest is taken, the others are switched off', async () => {
  await world.server.seed(
    aForeignOne({ id: 'a' }),
    aForeignOne({ id: 'b' }),
    aForeignOne({ id: 'other', channel: { type: 'rest-hook', endpoint: 'https://elsewhere.example.org/hook' } }),
  );
  await look();
  expect((await ids('active')).sort()).toEqual(['a', 'other']);
  expect(await ids('off')).toEqual(['b']);
});

test('what cannot be read to the end makes none', async () => {
  await world.server.strikeOnce('GET', 'Subscription', { status: 500 });
  await look();
  expect(await there()).toEqual([]);
  expect(await lines()).toMatchObject([{ status: null, reason: { code: expect.any(String) } }]);
});

test.each(['error', 'off'])('one that the server has set to %s is asked for again', async (status) => {
  await look();
  const [before] = await there();
  await change({ status, error: 'The endpoint refused a notification.' });
  await look();
  expect(await there()).toMatchObject([{ id: before?.id, status: 'active' }]);
});

test('one that the server has forgotten is made anew', async () => {
  await look();
  const [before] = await there();
  await world.server.fhir('DELETE', `Subscription/${before?.id}`);
  await look();
  const after = await there();
  expect(after).toMatchObject([{ status: 'active' }]);
  expect(after[0]?.id).not.toBe(before?.id);
  const kept = await world.store.db.selectFrom('subscription').select('id').execute();
  expect(kept).toEqual([{ id: `Subscription/${after[0]?.id}` }]);
});

test('one that ends soon is renewed', async () => {
  await look();
  const soon = new Date(Date.now() + 2 * 86_400_000).toISOString();
  await change({ end: soon });
  await look();
  const [after] = await there();
  expect(Date.parse(String(after?.end)) - Date.parse(soon)).toBeGreaterThan(4 * 86_400_000);
});

test('a new key is a new endpoint of the same one', async () => {
  await look();
  const moved = `${address}-new`;
  await world.connect(
    aConnection(world.server.base, { hook: { ...hook, subscribe: { types: ['Task'], address: moved } } }),
  );
  await look();
  expect(await there()).toMatchObject([{ status: 'active', channel: { endpoint: `${moved}/Task` } }]);
});

test('one that nobody wants any more is switched off, and nothing of it is left', async () => {
  await look();
  await world.connect(aConnection(world.server.base, { hook: { key } }));
  await look();
  expect(await there()).toMatchObject([{ status: 'off' }]);
  for (const table of ['own_subscription', 'subscription'] as const)
    expect(await world.store.db.selectFrom(table).selectAll().execute()).toEqual([]);
  expect(
    await world.store.db.selectFrom('poll').selectAll().where('resource_type', '=', 'Subscription').execute(),
  ).toEqual([]);
});

test('in shadow none is made', async () => {
  await world.connect(aConnection(world.server.base, { hook, mode: 'shadow' }));
  await look();
  expect(await there()).toEqual([]);
  expect(await lines()).toMatchObject([{ status: null, reason: { code: 'subscription-not-made' } }]);
});

test('where the server does not declare what it takes to keep one, none is made, and it is said why', async () => {
  await world.server.settings({ patchOnlyTypes: ['Subscription'] });
  await look();
  expect(await there()).toEqual([]);
  expect(await lines()).toMatchObject([
    { reason: { text: expect.stringContaining('declare update of Subscription') } },
  ]);
});

test('a change that no notification told of is an alert; polling goes on, and the next notification ends it', async () => {
  await world.send(['client', aClient()], ['case', aCase()]);
  await look();
  const { remoteId } = await world.link('client/client-rosa#patient');
  // It was heard from last when all was well, an hour ago.
  await sql`update subscription set last_heard_at = now() - interval '1 hour'`.execute(world.store.db);
  await sql`update own_subscription set since = now() - interval '2 hours'`.execute(world.store.db);
  await world.server.seed({
    resourceType: 'Task',
    id: 't1',
    status: 'requested',
    intent: 'order',
    for: { reference: `Patient/${remoteId}` },
    authoredOn: '2026-03-02T10:00:00Z',
  });
  await world.poll();
  const review = () => reviewSubscriptions(world.store, []);
  await review();
  expect(await world.alerts()).toEqual([]);
  await sql`update own_subscription set missed_at = missed_at - interval '2 minutes'`.execute(world.store.db);
  await review();
  await review();
  expect(await world.alerts()).toEqual([
    { topic: 'subscription-missed:general:Task', code: 'subscription-missed', count: 1 },
  ]);
  expect(await lines()).toMatchObject([{ missedAt: expect.any(String) }]);
  await heardFromOwn(world.store, 'general', 'Task');
  await review();
  expect(await world.alerts()).toEqual([]);
  expect(await lines()).toMatchObject([{ missedAt: null }]);
});
