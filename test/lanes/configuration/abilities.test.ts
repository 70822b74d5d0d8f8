// What a server declares and grants is kept for an hour; when either changes, plans are void and an operator hears of it once.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Connection, generateKey, openConnection, publicKeySet } from '../../../src/connections/connections.ts';
import { cachedCapabilities, prepareConnection, reviewAlerts } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { directoryAndClient } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const hour = 60 * 60_000;

let now: number;
let connection: Connection;
let read: ReturnType<typeof cachedCapabilities>;

beforeEach(async () => {
  now = Date.now();
  const key = await generateKey();
  register = async (scopes) => {
    const client = { clientId: 'casebridge', jwks: await publicKeySet([key]), scopes };
    await world.server.control('POST', 'clients', [client]);
  };
  const auth = {
    type: 'smart-backend',
    clientId: 'casebridge',
    key,
    scopes: ['system/Goal.crus', 'system/Task.crus'],
  } as const;
  const config = aConnection(world.server.base, { auth });
  await prepareConnection(world.store, config);
  connection = openConnection(config, { now: () => now });
  read = cachedCapabilities(world.store, connection, () => now);
  await world.server.settings({ auth: 'token' });
  await register(['system/Goal.crus', 'system/Task.crus']);
  await read();
});
afterEach(() => connection.close());

let register: (scopes: string[]) => Promise<void>;

async function epoch(): Promise<number> {
  const row = await world.store.db
    .selectFrom('connection')
    .select('epoch')
    .where('id', '=', 'general')
    .executeTakeFirst();
  return Number(row?.epoch);
}

async function statementsRead(): Promise<number> {
  return (await world.server.journal()).filter(({ url }) => String(url).endsWith('/metadata')).length;
}

describe('what a connection can do', () => {
  test('is asked for again after an hour, not before', async () => {
    const before = await statementsRead();
    now += hour - 1;
    await read();
    expect(await statementsRead()).toBe(before);
    now += 1;
    await read();
    expect(await statementsRead()).toBeGreaterThan(before);
    expect(await world.alerts()).toEqual([]);
  });

  test('opens one alert and voids plans when the token grants something else', async () => {
    const before = await epoch();
    await register(['system/Goal.crus']);
    now += 2 * hour;
    await read();
    expect(await world.alerts()).toMatchObject([{ topic: 'capabilities-changed:general', count: 1 }]);
    expect(await epoch()).toBe(before + 1);
    now += 2 * hour;
    await read();
    expect(await world.alerts()).toMatchObject([{ topic: 'capabilities-changed:general', count: 1 }]);
  });

  test('opens one alert when the server declares something else', async () => {
    await world.server.settings({ auth: 'token', transactions: false });
    now += 2 * hour;
    await read();
    expect(await world.alerts()).toMatchObject([{ topic: 'capabilities-changed:general', count: 1 }]);
  });

  test('is told of for a day after the last change, with what changed; a later change is an alert of its own', async () => {
    const toldLast = async () => {
      const rows = await world.store.db.selectFrom('alert').selectAll().orderBy('id').execute();
      return rows.map(({ reason, count, resolved_at: at }) => ({ text: reason.text, count, open: at === null }));
    };
    const dayLater = async (days: number) => {
      await sql`update connection set capabilities = capabilities || jsonb_build_object('changedAt',
        (capabilities ->> 'changedAt')::timestamptz - ${days} * interval '1 day')`.execute(world.store.db);
      await sql`update alert set opened_at = opened_at - ${days} * interval '1 day'`.execute(world.store.db);
      await reviewAlerts(world.deps);
    };
    const grants = async (...scopes: string[]) => {
      await register(scopes);
      now += 2 * hour;
      await read();
    };
    await grants('system/Goal.crus');
    const taken = { text: expect.stringContaining('The server of general grants something else'), count: 1 };
    await dayLater(0.9);
    expect(await toldLast()).toMatchObject([{ ...taken, open: true }]);

    // A look that finds nothing new is no change; a change in between begins the day anew.
    await read();
    await world.server.control('POST', 'settings', { auth: 'token', transactions: false });
    now += 2 * hour;
    await read();
    const both = { text: expect.stringContaining('The server of general offers something else'), count: 2 };
    await dayLater(0.9);
    expect(await toldLast()).toMatchObject([{ ...both, open: true }]);
    await dayLater(0.2);
    expect(await toldLast()).toMatchObject([{ ...both, open: false }]);

    await grants('system/Task.crus');
    expect(await toldLast()).toMatchObject([{ open: false }, { ...taken, open: true }]);
  });
});

test('each operation keeps its route and the reason for it', async () => {
  await world.server.settings({ auth: 'none' });
  await world.connect(aConnection(world.server.base));
  await world.send(...directoryAndClient());
  const operations = await world.store.db.selectFrom('operation').select(['route', 'route_reason']).execute();
  expect(operations.length).toBeGreaterThan(0);
  for (const operation of operations) {
    expect(operation).toMatchObject({ route: 'native', route_reason: { code: 'route-native' } });
  }
});

test('C6 each operation keeps the id by which the support of the server finds its request', async () => {
  const headers = { 'x-request-id': 'desk-7', 'opc-request-id': 'not for this vendor' };
  await world.server.faults({
    method: 'POST',
    fault: { status: 422, headers, body: { resourceType: 'OperationOutcome', issue: [] } },
  });
  await world.server.settings({ auth: 'none' });
  await world.connect(aConnection(world.server.base));
  await world.send(...directoryAndClient());
  const operations = await world.store.db.selectFrom('operation').select(['outcome', 'request_id']).execute();
  expect(operations).toContainEqual({ outcome: 'refused', request_id: 'x-request-id=desk-7' });
});
