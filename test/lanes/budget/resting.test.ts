// A connection that rests: its server asks for a pause, does not answer, or the day's requests are used. Read from the server's journal.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ConnectionConfig } from '../../../src/config.ts';
import type { Gateway } from '../../../src/gateway.ts';
import { restingConnections } from '../../../src/lanes/lanes.ts';
import { type Store, sql } from '../../../src/store/store.ts';
import { anOrganization, aReferral } from '../../builders.ts';
import { caseload, type Item } from '../../support/caseload.ts';
import { freshEmbedded } from '../../support/embedded.ts';
import {
  aConfig,
  aConnection,
  accept,
  eventually,
  idle,
  startServer,
  startTestGateway,
  type TestServer,
} from '../../support/rig.ts';

let server: TestServer;
let store: Store;
let gateway: Gateway | undefined;

beforeAll(async () => {
  server = await startServer();
}, 60_000);
beforeEach(async () => {
  await server.control('POST', 'reset');
  await server.settings({ auth: 'none' });
  store = await freshEmbedded();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});
afterAll(() => server?.stop());

const start = async (...configs: Partial<ConnectionConfig>[]) => {
  const connections = configs.map((config) => aConnection(server.base, { pollEveryMs: 3_600_000, ...config }));
  gateway = await startTestGateway(store, aConfig(connections));
  return gateway;
};

function organizations(count: number, prefix = 'org'): Item[] {
  return Array.from(
    { length: count },
    (_, at): Item => ['organization', anOrganization({ id: `${prefix}-${at}`, name: `Pantry ${at}` })],
  );
}

async function resting(connection = 'general') {
  return (await restingConnections(store.db)).get(connection);
}

/** About the connection; those about clocks of old records are another matter. */
async function alerts() {
  const rows = await store.db
    .selectFrom('alert')
    .selectAll()
    .where('connection', '=', 'general')
    .orderBy('id')
    .execute();
  return rows.map(({ topic, resolved_at: resolvedAt }) => ({ topic, isOpen: resolvedAt === null }));
}

async function arrivals(): Promise<{ at: number; status: number; method: string; url: string }[]> {
  return (await server.journal()).map(({ at, status, method, url }) => ({
    at: Date.parse(String(at)),
    status: Number(status),
    method: String(method),
    url: String(url),
  }));
}

describe('a server that asks for a pause (G12)', () => {
  const inTwoSeconds = () => new Date(Math.ceil((Date.now() + 2_000) / 1000) * 1000).toUTCString();

  test.each([
    ['in seconds', 429, () => '2'],
    ['as a date', 429, inTwoSeconds],
    ['with 503', 503, () => '2'],
  ])('%s gets no request before its end, and then everything', async (_name, status, retryAfter) => {
    const made = await start({ rateLimit: { requestsPerSecond: 100, concurrency: 2 } });
    await accept(made, ...organizations(1, 'first'));
    await idle(made);
    const headers = { 'retry-after': retryAfter() };
    await server.faults({ method: 'POST', path: 'Organization', nth: 1, fault: { status, headers } });
    await accept(made, ...organizations(6));
    await eventually(async () => (await resting())?.reason.code === 'connection-stopped', 'the pause');
    await idle(made);
    const all = await arrivals();
    const stopped = all.findIndex((one) => one.status === status);
    const stoppedAt = all[stopped]?.at ?? 0;
    const before = all.slice(stopped + 1).filter(({ at }) => at < stoppedAt + 1_900);
    // But for what was under way beside it, and what was begun before its answer was heard.
    expect(before.filter(({ at }) => at > stoppedAt + 250)).toEqual([]);
    expect(await server.all('Organization')).toHaveLength(7);
    expect(await resting()).toBeUndefined();
    expect(await alerts()).toEqual([]);
  });
});

describe('a server that fails', () => {
  test('is left alone: one alert, one request that asks, and all goes on by itself when it is well', async () => {
    const made = await start({ rateLimit: { requestsPerSecond: 1000, concurrency: 3 } });
    await accept(made, ...organizations(1, 'first'));
    await idle(made);
    await server.faults({ fault: { status: 500, body: 'down' } });
    await accept(made, ...organizations(10));
    await eventually(async () => (await resting())?.reason.code === 'connection-failing', 'the breaker');
    expect(await resting()).toMatchObject({ entirely: true });
    const failedBy = (await arrivals()).length;
    // Two rounds of asking: after 2.5 to 5 s, and after 5 to 10 s more.
    await eventually(async () => (await arrivals()).length > failedBy, 'a request that asks', 10_000);
    const asked = (await arrivals()).slice(failedBy);
    expect(asked.map(({ method, url }) => `${method} ${new URL(url, server.url).pathname.split('/').at(-1)}`)).toEqual([
      'GET metadata',
    ]);
    await server.mend();
    await idle(made, 30_000);
    expect(await server.all('Organization')).toHaveLength(11);
    expect(await resting()).toBeUndefined();
    expect(await alerts()).toEqual([{ topic: 'connection-failing:general', isOpen: false }]);
  }, 60_000);

  test('does not hold up another connection (G5), and its lanes get no slot meanwhile', async () => {
    const hole = await startServer();
    try {
      const made = await start({ id: 'general' }, { id: 'hole', baseUrl: hole.base });
      await hole.settings({ auth: 'none' });
      await hole.faults({ fault: { drop: 'before-commit' } });
      await accept(made, ...organizations(20));
      const open = async (connection: string) =>
        (
          await store.db
            .selectFrom('lane')
            .select('subject')
            .where('connection', '=', connection)
            .whereRef('done', '<', 'wanted')
            .execute()
        ).length;
      await eventually(async () => (await open('general')) === 0, 'the lanes of the other one', 20_000);
      await eventually(async () => (await resting('hole')) !== undefined, 'the breaker');
      expect(await open('hole')).toBe(20);
      const leased = async () =>
        (
          await sql<{ n: number }>`select count(*)::integer as n from lane
            where connection = 'hole' and lease_until > now()`.execute(store.db)
        ).rows[0]?.n;
      await eventually(async () => (await leased()) === 0, 'the lanes that were running');
      // The feeder has passed by twice since, and gave them no slot.
      await sleep(2_200);
      expect(await leased()).toBe(0);
      expect(await resting('general')).toBeUndefined();
    } finally {
      await hole.stop();
    }
  }, 60_000);
});

describe('a limit for the day', () => {
  const used = (count: number) =>
    sql`update budget set version = version + 1, state = jsonb_set(state, '{day,used}', to_jsonb(${count}::integer)),
      urgent_until = case when ${count}::integer >= 950 then now() + interval '1 hour' end
      where connection = 'general'`.execute(store.db);

  test('keeps its last twentieth for what is urgent', async () => {
    const made = await start({ rateLimit: { requestsPerSecond: 1000, concurrency: 4, requestsPerDay: 1000 } });
    await accept(made, ...caseload());
    await idle(made);
    await used(960);
    const before = (await arrivals()).length;
    await store.db.updateTable('lane').set({ priority: 90 }).execute();
    await sql`update lane set wanted = wanted + 1, reread = true, due_at = now()`.execute(store.db);
    await accept(made, [
      'referral',
      aReferral({ requestedText: 'Two boxes a week.', updatedAt: '2026-03-02T09:00:00-05:00' }),
    ]);
    await eventually(
      async () => JSON.stringify(await server.all('ServiceRequest')).includes('Two boxes a week.'),
      'the referral',
    );
    expect((await resting())?.reason.code).toBe('connection-day-used');
    expect(await resting()).toMatchObject({ entirely: false });
    const open = async (above: number) =>
      (
        await store.db
          .selectFrom('lane')
          .select('subject')
          .whereRef('done', '<', 'wanted')
          .where('priority', '>', above)
          .execute()
      ).length;
    await eventually(async () => (await open(0)) === (await open(10)), 'the urgent lanes');
    expect(await open(10)).toBeGreaterThan(0);
    expect((await arrivals()).length - before).toBeLessThan(50);
    expect(await alerts()).toEqual([{ topic: 'connection-day-used:general', isOpen: true }]);
  }, 60_000);
});
