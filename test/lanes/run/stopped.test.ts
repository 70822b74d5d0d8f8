// SIGTERM in the middle of the work: what runs is finished or given back, what was accepted stays, and the next process finds nothing to wait for.
// A plain run stops processes on PostgreSQL and Redis in test/chaos only; CASEBRIDGE_TEST_COUNTS=full does it here as well.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openWakeUps } from '../../../src/queue/queue.ts';
import { aClient, anOrganization } from '../../builders.ts';
import type { Running } from '../../commands/program.ts';
import { atCounts } from '../../support/counts.ts';
import { aSite, hasStruck, type Site, send, settled } from '../../support/processes.ts';
import { accept, eventually, onSite, ownCounts } from '../../support/rig.ts';
import { describeOnPostgres, describeOnRedis } from '../../support/servers.ts';

describe('stopped on an embedded folder', () => {
  stops(() => aSite());
});

if (atCounts({ plain: false, full: true })) {
  describeOnPostgres('stopped on PostgreSQL', ({ freshDatabase }) => {
    describeOnRedis('and Redis', ({ freshRedis }) => {
      stops(async () => aSite({ databaseUrl: await freshDatabase(), redisUrl: await freshRedis() }));
    });
  });
}

test('stopped while a poll hangs, it takes up nothing more, and what others wake meanwhile is theirs', () =>
  onSite({}, async ({ server, store, gateway }) => {
    const others = await openWakeUps({ store, onError: () => {} });
    await server.strikeOnce('GET', 'Task', { delayMs: 2_500 });
    await eventually(() => hasStruck(server), 'a poll that hangs');
    const stopping = gateway.stop();
    await accept(gateway, ['organization', anOrganization({ id: 'org-late', name: 'Late Pantry' })]);
    // Until it has told its queue.
    await sleep(500);
    await others.add([{ connection: 'general', subject: 'county.organization.org-late' }]);
    await stopping;
    expect(await ownCounts(server)).not.toHaveProperty(['county/organization/org-late#organization']);
  }));

function stops(open: () => Promise<Site>): void {
  let site: Site;
  let gateway: Running;
  beforeAll(async () => {
    site = await open();
    gateway = await site.serve();
  });
  afterAll(() => site?.stop());

  test('in the middle of a request: its reply is awaited and stored, and nobody is let in meanwhile', async () => {
    await serverTakes(2_000);
    await send(gateway.url, [['organization', anOrganization()]]);
    await eventually(() => hasStruck(site.server), 'the create');
    await send(gateway.url, [['client', aClient()]]);
    const stopping = track(gateway.stop('SIGTERM'));
    await eventually(() => isRefused(gateway.url), 'requests to be refused');
    expect(stopping.isOver()).toBe(false);
    expect(await stopping.end).toMatchObject({ code: 0 });
    expect(await leases()).toEqual([]);
    expect(await outcomes()).toEqual(['ok']);

    gateway = await site.serve();
    await settled(gateway.url);
    expect(await ownCounts(site.server)).toEqual({
      'county/organization/org-pantry#organization': 1,
      'county/client/client-rosa#patient': 1,
    });
    expect(await searchesForOrganization()).toBe(0);
  });

  test('in the middle of a request that does not end: it is given up, and looked up at the next start', async () => {
    await serverTakes(120_000);
    await send(gateway.url, [['organization', anOrganization({ id: 'org-shelter', name: 'Larch Shelter' })]]);
    await eventually(() => hasStruck(site.server), 'the create');
    expect(await gateway.stop('SIGTERM')).toMatchObject({ code: 0 });
    expect(await leases()).toEqual([]);
    expect(await outcomes()).toEqual(['ok', null]);

    gateway = await site.serve();
    await settled(gateway.url, 10_000);
    expect(await ownCounts(site.server)).toMatchObject({ 'county/organization/org-shelter#organization': 1 });
    expect(await searchesForOrganization()).toBeGreaterThan(0);
  });

  /** The server creates the next organization at once, and takes this long to say so. */
  const serverTakes = (delayMs: number) =>
    site.server.strikeOnce('POST', 'Organization', { delayMs, at: 'after-commit' });

  const leases = () =>
    site.look(({ db }) => db.selectFrom('lane').select('subject').where('lease_until', 'is not', null).execute());

  const outcomes = () =>
    site.look(async ({ db }) => {
      const rows = await db
        .selectFrom('operation')
        .select('outcome')
        .where('resource_type', '=', 'Organization')
        .orderBy('id')
        .execute();
      return rows.map(({ outcome }) => outcome);
    });

  const searchesForOrganization = async () =>
    (await site.server.journal()).filter(
      ({ method, url }) => method === 'GET' && String(url).includes('/Organization?identifier='),
    ).length;
}

function track<T>(end: Promise<T>): { end: Promise<T>; isOver: () => boolean } {
  let isOver = false;
  void end.then(() => {
    isOver = true;
  });
  return { end, isOver: () => isOver };
}

async function isRefused(url: string): Promise<boolean> {
  return fetch(`${url}/health/live`).then(
    () => false,
    () => true,
  );
}
