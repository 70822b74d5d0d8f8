// Polls miss nothing and infer nothing from absence; the cursor moves only with what was stored (lanes.md 20).

import { describe, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import { isObject } from '../../../src/json.ts';
import { setPaused } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aReferral } from '../../builders.ts';
import { caseload, type Item } from '../../support/caseload.ts';
import { eventually } from '../../support/rig.ts';
import { pollEverybody } from '../../support/roster.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const lane = 'county.case.case-rosa';

async function sendReferrals(count = 1): Promise<void> {
  const more = Array.from({ length: count - 1 }, (_, at): Item => ['referral', aReferral({ id: `referral-${at}` })]);
  await world.send(...caseload(), ...more);
}

async function partnerAccepts(id = 'referral-pantry'): Promise<void> {
  const task = await world.server.own('Task', `county/referral/${id}#fulfilment`);
  await partnerEdits(world.server, `Task/${task.id}`, (held) => ({ ...held, status: 'accepted' }));
}

async function cursor(): Promise<string | null> {
  const row = await world.store.db
    .selectFrom('poll')
    .select('cursor')
    .where('resource_type', '=', 'Task')
    .executeTakeFirstOrThrow();
  return row.cursor;
}

const acceptances = async () =>
  (await world.changes()).filter(({ body }) => isObject(body) && body.status === 'accepted').length;

async function pollAndWork(): Promise<void> {
  await world.poll();
  await world.work();
}

describe('a poll', () => {
  test('wants the lane of what changed, and does nothing itself', async () => {
    await sendReferrals();
    await partnerAccepts();
    await world.poll();
    expect(await world.lane(lane)).toMatchObject({ hasWork: true });
    expect(await world.changes()).toEqual([]);
    await world.work();
    expect(await acceptances()).toBe(1);
  });

  test('that sees the same again tells it once', async () => {
    await sendReferrals();
    await partnerAccepts();
    for (let times = 0; times < 3; times += 1) await pollAndWork();
    expect(await world.changes()).toHaveLength(1);
  });

  test.each([
    ['fails', { status: 500 }],
    ['is refused as too frequent', { status: 429, headers: { 'retry-after': '1' } }],
    ['is cut', { truncate: 200 }],
    ['loses its answer', { drop: 'after-commit' }],
    ['is answered by a page of HTML', { status: 200, body: '<html></html>', headers: { 'content-type': 'text/html' } }],
  ])('that %s moves no cursor; the next one misses nothing', async (_title, fault) => {
    await sendReferrals();
    await pollAndWork();
    const before = await cursor();
    await partnerAccepts();
    await world.server.faults({ method: 'GET', path: 'Task', fault });
    await pollAndWork();
    expect(await cursor()).toBe(before);
    expect(await acceptances()).toBe(0);
    await world.server.mend();
    // A server that asked for a pause gets it first.
    const isHeard = async () => {
      await pollAndWork();
      return (await acceptances()) === 1;
    };
    await eventually(isHeard, 'the next poll');
    // It stays behind the second in which the server answered.
    const hasMoved = async () => {
      await pollAndWork();
      return (await cursor()) !== before;
    };
    await eventually(hasMoved, 'the cursor to move');
  });

  test("asks again for five minutes before its cursor, in the server's own time", async () => {
    await world.server.control('POST', 'clock', { now: '2026-02-10T12:00:00Z' });
    await sendReferrals();
    await pollAndWork();
    await pollAndWork();
    expect(await cursor()).toMatch(/^2026-02-10T12:0/);
    const asked = (await world.server.journal())
      .map(({ url }) => String(url))
      .findLast((url) => url.includes('/Task?'));
    expect(decodeURIComponent(asked ?? '')).toMatch(/_lastUpdated=ge2026-02-10T11:5/);
  });

  test('sees a change that became visible late, within the overlap', async () => {
    await sendReferrals(2);
    await world.server.settings({ searchLagMs: 0 });
    await pollAndWork();
    await world.server.control('POST', 'clock', { advance: '2m' });
    await partnerAccepts('referral-0');
    await pollAndWork();
    // Written by another node whose clock runs behind: its time lies before the cursor.
    await world.server.control('POST', 'clock', { real: true });
    await partnerAccepts('referral-pantry');
    await pollAndWork();
    expect(await acceptances()).toBe(2);
  });

  test('reads all pages', async () => {
    await sendReferrals(5);
    for (const id of ['referral-pantry', 'referral-0', 'referral-1', 'referral-2', 'referral-3'])
      await partnerAccepts(id);
    const paged = world.deps.connections.get('general');
    if (paged === undefined) throw new Error('no connection');
    // Two a page: the vendor's page size is what a server may cut further.
    const { searchAll } = paged.client;
    const client = {
      ...paged.client,
      searchAll: (type: string, query: Parameters<typeof searchAll>[1]) => searchAll(type, { ...query, _count: '2' }),
    };
    await world.poll({ connections: new Map([['general', { ...paged, client }]]) });
    await world.work();
    expect(await acceptances()).toBe(5);
    const pages = (await world.server.journal()).filter(({ url }) => String(url).includes('/Task?'));
    expect(pages.length).toBeGreaterThanOrEqual(3);
  });

  test('that fails on its second page keeps the cursor and tells everything later', async () => {
    await sendReferrals(5);
    for (const id of ['referral-pantry', 'referral-3']) await partnerAccepts(id);
    const paged = world.deps.connections.get('general');
    if (paged === undefined) throw new Error('no connection');
    const { searchAll } = paged.client;
    const client = {
      ...paged.client,
      searchAll: (type: string, query: Parameters<typeof searchAll>[1]) => searchAll(type, { ...query, _count: '2' }),
    };
    const connections = new Map([['general', { ...paged, client }]]);
    const before = await cursor();
    await world.server.faults({ method: 'GET', path: 'Task', nth: 2, fault: { status: 503 } });
    await world.poll({ connections });
    expect(await cursor()).toBe(before);
    await world.poll({ connections });
    await world.work();
    expect(await acceptances()).toBe(2);
  });

  test('holds its lease no longer than a run would, and renews it page by page', async () => {
    await sendReferrals();
    await partnerAccepts();
    const watched = world.deps.connections.get('general');
    if (watched === undefined) throw new Error('no connection');
    const leftMs = async () => {
      const { rows } = await sql<{ left: number }>`
        select extract(epoch from lease_until - now())::float8 * 1000 as left from poll where resource_type = 'Task'`.execute(
        world.store.db,
      );
      return rows[0]?.left ?? 0;
    };
    const seen: number[] = [];
    const { searchAll } = watched.client;
    const client = {
      ...watched.client,
      searchAll: async (...[type, query, limits]: Parameters<typeof searchAll>) => {
        if (type !== 'Task') return searchAll(type, query, limits);
        seen.push(await leftMs());
        await sql`update poll set lease_until = now() + interval '1 second'`.execute(world.store.db);
        await limits?.beforePage?.();
        seen.push(await leftMs());
        return searchAll(type, query, limits);
      },
    };
    await world.poll({ connections: new Map([['general', { ...watched, client }]]) });
    const [claimed = 0, renewed = 0] = seen;
    expect(claimed).toBeLessThanOrEqual(world.deps.leaseMs);
    expect(renewed).toBeGreaterThan(1_000);
    await world.work();
    expect(await acceptances()).toBe(1);
  });

  test('infers nothing from absence: an empty answer changes nothing', async () => {
    await sendReferrals();
    await pollAndWork();
    await world.server.faults({
      method: 'GET',
      path: 'Task',
      fault: { status: 200, body: { resourceType: 'Bundle', type: 'searchset', total: 0 } },
    });
    await pollAndWork();
    await world.server.mend();
    expect(await world.changes()).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link('referral/referral-pantry#fulfilment')).toMatchObject({ state: 'current' });
  });

  test('of all patients tells for a week of what could not be read, which it cannot see mended', async () => {
    const entry = [{ resource: { resourceType: 'Task', status: 'requested' } }];
    const body = { resourceType: 'Bundle', type: 'searchset', total: 1, entry };
    const fault = { status: 200, body };
    await world.server.faults({ method: 'GET', path: 'Task$', fault, times: 1 });
    await pollEverybody(world);
    await pollEverybody(world);
    const told = async () => (await world.alerts()).map(({ topic }) => topic);
    expect(await told()).toEqual(['poll-unreadable:general:Task']);
    // As long as no poll goes well, nothing is known.
    await sql`update poll_unreadable set last_at = now() - interval '8 days'`.execute(world.store.db);
    await sql`update poll set last_ok_at = now() - interval '8 days'`.execute(world.store.db);
    await pollEverybody(world);
    expect(await told()).toEqual(['poll-unreadable:general:Task']);
    await pollEverybody(world);
    expect(await told()).toEqual([]);
    expect((await world.report()).polls?.unreadable).toEqual([]);
  });

  test('of a connection where nothing was sent asks from the look-back on, and keeps nothing about people who are nobody of ours', async () => {
    await world.server.seed(
      { resourceType: 'Patient', id: 'stranger' },
      {
        resourceType: 'Task',
        id: 'theirs',
        status: 'in-progress',
        intent: 'order',
        for: { reference: 'Patient/stranger' },
        owner: { display: 'Somebody else' },
      },
    );
    await world.poll();
    const asked = (await world.server.journal()).map(({ url }) => decodeURIComponent(String(url)));
    expect(asked.find((url) => url.includes('/Task?'))).toMatch(/_lastUpdated=ge/);
    expect(await world.store.db.selectFrom('seen').selectAll().execute()).toEqual([]);
  });

  test('of a server that does not tell what it offers says so, and is made again', async () => {
    await world.server.faults({ path: 'metadata', fault: { status: 503 } });
    await world.poll();
    const row = await world.store.db
      .selectFrom('poll')
      .select(['reason', 'lease_until'])
      .where('resource_type', '=', 'Task')
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ reason: { code: 'connection-capabilities-unreadable' }, lease_until: null });
  });

  test('is not made while the connection is paused', async () => {
    await sendReferrals();
    await setPaused(world.store, 'general', reason('connection-paused', { why: '' }));
    const before = (await world.server.journal()).length;
    await world.poll();
    expect(await world.server.journal(before)).toEqual([]);
  });
});
