// A long answer in many pages, with all that goes wrong between them, gives exactly what the server holds (lanes.md 20; ehr-behaviour 6).

import { beforeAll, describe, expect, test } from '@jest/globals';
import type { JWK } from 'jose';
import type { VendorName } from '../../../src/config.ts';
import {
  type ConnectionParts,
  type FhirClient,
  generateKey,
  publicKeySet,
} from '../../../src/connections/connections.ts';
import { listInbound } from '../../../src/http/queries/inbound.ts';
import type { JsonObject } from '../../../src/json.ts';
import { uploadRoster } from '../../../src/lanes/lanes.ts';
import { type Proxy as StandIn, startProxy } from '../../support/proxy.ts';
import { aConnection } from '../../support/rig.ts';
import { pollEverybody } from '../../support/roster.ts';
import { useWorld, type World } from '../../support/world.ts';

let key: JWK;
beforeAll(async () => {
  key = await generateKey();
});

const minuteMs = 60_000;
const patient = { resourceType: 'Patient', id: 'p1', name: [{ family: 'Ostberg' }], birthDate: '1984-02-29' };
const idOf = (kind: string, number: number) => `${kind}-${String(number).padStart(4, '0')}`;

/** A connection that signs in, polls one type, and shows each page to a test before it is asked for. */
async function connect(
  world: World,
  vendor: VendorName,
  type: 'Goal' | 'DocumentReference',
  base: string,
  beforePage: (page: number) => Promise<void> = async () => {},
  limits: ConnectionParts['limits'] = {},
): Promise<void> {
  await world.server.settings({ auth: 'token' });
  const scopes = [`system/${type}.rs`, 'system/Patient.rs'];
  await world.server.control('POST', 'clients', [{ clientId: 'casebridge', jwks: await publicKeySet([key]), scopes }]);
  const polls = { types: [type], performers: [], referralCodes: [], documentTypes: [], lookBackMs: 90 * 86_400_000 };
  const auth = { type: 'smart-backend', clientId: 'casebridge', key, scopes } as const;
  await world.connect(aConnection(base, { vendor, auth, polls }), { limits });
  let page = 0;
  watch(world, ({ searchAll, ...client }) => ({
    ...client,
    searchAll: (resourceType, query, limits = {}) =>
      // Small pages, so that a few hundred resources are many.
      searchAll(resourceType, vendor === 'epic' ? { ...query, _count: '10' } : query, {
        ...limits,
        beforePage: async () => {
          page += 1;
          await limits.beforePage?.();
          await beforePage(page);
        },
      }),
  }));
  await uploadRoster(world.store, 'general', ['p1']);
}

function watch(world: World, change: (client: FhirClient) => FhirClient): void {
  const connections = new Map(world.deps.connections);
  const lane = connections.get('general');
  if (lane === undefined) throw new Error('no connection');
  Object.assign(world.deps.connections.get('general') ?? {}, { client: change(lane.client) });
}

async function seen(world: World, type: string): Promise<string[]> {
  const rows = await world.store.db.selectFrom('seen').select('remote_id').where('resource_type', '=', type).execute();
  return rows.map(({ remote_id }) => remote_id).sort();
}

const setAside = async (world: World) =>
  (await world.store.db.selectFrom('poll_unreadable').select('key').execute()).map((row) => row.key);

const pollRow = (world: World) =>
  world.store.db.selectFrom('poll').selectAll().where('about', '=', 'p1').executeTakeFirstOrThrow();

const pagesAsked = async (world: World, type: string) =>
  (await world.server.journal()).filter(
    ({ url, status }) => new URL(String(url), 'http://x').pathname.endsWith(`/${type}`) && status === 200,
  ).length;

describe('epic: 48 pages, an expired session, an expired token, a short page, an entry that is no JSON', () => {
  const world = useWorld({ vendor: 'epic' });
  const goals = Array.from(
    { length: 479 },
    (_, number): JsonObject => ({
      resourceType: 'Goal',
      id: idOf('goal', number),
      lifecycleStatus: 'active',
      description: { text: `Goal ${number}` },
      subject: { reference: 'Patient/p1' },
    }),
  );

  test('all but that one are seen, it is set aside by its id, and is seen when it can be read', async () => {
    await world.server.seed(patient, ...goals);
    const bad = idOf('goal', 77);
    let isBroken = true;
    const proxy: StandIn = await startProxy(world.server.base, {
      text: (text, path) => {
        if (!path.startsWith('Goal')) return text;
        const own = text.replaceAll(world.server.base, proxy.base);
        return isBroken ? own.replace(`"id":"${bad}"`, `"id":${bad}`) : own;
      },
    });
    try {
      await connect(world, 'epic', 'Goal', proxy.base, async (page) => {
        if (page === 25) await world.server.control('POST', 'clock', { advance: '61s' });
        if (page === 60) await world.server.control('POST', 'tokens/expire');
      });
      await pollEverybody(world);
      const others = goals.map(({ id }) => String(id)).filter((id) => id !== bad);
      expect(await seen(world, 'Goal')).toEqual(others);
      expect(await setAside(world)).toEqual([bad]);
      expect((await listInbound(world.store, { state: 'unreadable', limit: 10 })).items).toMatchObject([
        { connection: 'general', resourceType: 'Goal', id: bad, reason: { code: 'search-entry-unreadable' } },
      ]);
      expect(await world.alerts()).toMatchObject([{ topic: 'poll-unreadable:general:Goal' }]);
      expect(await pollRow(world)).toMatchObject({ reason: null, last_ok_at: expect.any(Date) });
      const journal = await world.server.journal();
      expect(journal.filter(({ status, url }) => status === 400 && String(url).includes('sessionID'))).toHaveLength(1);
      expect(journal.filter(({ status }) => status === 401)).toHaveLength(1);
      expect(await pagesAsked(world, 'Goal')).toBeGreaterThan(48);

      isBroken = false;
      await pollEverybody(world);
      expect(await seen(world, 'Goal')).toEqual(goals.map(({ id }) => id));
      expect(await setAside(world)).toEqual([]);
      expect(await world.alerts()).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });

  test('an entry that is larger than a page may be is set aside by its id', async () => {
    await world.server.seed(patient, ...goals.slice(0, 30));
    const large = 'x'.repeat(300_000);
    const proxy: StandIn = await startProxy(world.server.base, {
      text: (text, path) =>
        path.startsWith('Goal')
          ? text.replaceAll(world.server.base, proxy.base).replace('"Goal 7"', JSON.stringify(large))
          : text,
    });
    try {
      await connect(world, 'epic', 'Goal', proxy.base, undefined, { replyBytes: 200_000 });
      await pollEverybody(world);
      expect(await setAside(world)).toEqual([idOf('goal', 7)]);
      expect(await seen(world, 'Goal')).toHaveLength(29);
      expect(await pollRow(world)).toMatchObject({ reason: null, last_ok_at: expect.any(Date) });
    } finally {
      await proxy.stop();
    }
  });
});

describe('oracle: 48 pages, an empty page, repeated ids, an expired token, a record that breaks each answer with it', () => {
  const world = useWorld({ vendor: 'oracle' });
  const documents = Array.from(
    { length: 481 },
    (_, number): JsonObject => ({
      resourceType: 'DocumentReference',
      id: idOf('note', number),
      status: 'current',
      docStatus: 'final',
      type: { coding: [{ system: 'http://loinc.org', code: '34133-9' }] },
      subject: { reference: 'Patient/p1' },
      content: [{ attachment: { contentType: 'application/pdf', url: `Binary/${number}` } }],
    }),
  );

  test('C23: all but that one are seen, its moment is set aside, and it is seen when it can be shown', async () => {
    // The bad one was stored between the others: time is all by which it can be told from them.
    const began = Date.now() - 3 * 86_400_000;
    for (const [minutes, some] of [
      [0, [patient, ...documents.slice(0, 240)]],
      [1, documents.slice(240, 241)],
      [2, documents.slice(241)],
    ] as const) {
      await world.server.control('POST', 'clock', { now: new Date(began + minutes * minuteMs).toISOString() });
      await world.server.seed(...some);
    }
    await world.server.control('POST', 'clock', { real: true });
    const bad = idOf('note', 240);
    await world.server.settings({ poisoned: [`DocumentReference/${bad}`] });
    await connect(world, 'oracle', 'DocumentReference', world.server.base, async (page) => {
      if (page === 40) await world.server.control('POST', 'tokens/expire');
    });
    await pollEverybody(world);
    expect(await seen(world, 'DocumentReference')).toEqual(
      documents.map(({ id }) => String(id)).filter((id) => id !== bad),
    );
    expect(await setAside(world)).toEqual([expect.stringMatching(/^at 20/)]);
    expect(await pollRow(world)).toMatchObject({ reason: null, last_ok_at: expect.any(Date) });
    expect(await pagesAsked(world, 'DocumentReference')).toBeGreaterThanOrEqual(48);
    expect((await world.server.journal()).filter(({ status }) => status === 401)).toHaveLength(1);

    await world.server.settings({ poisoned: [] });
    await world.store.db.updateTable('poll').set({ full_at: null }).execute();
    await pollEverybody(world);
    expect(await seen(world, 'DocumentReference')).toEqual(documents.map(({ id }) => id));
    expect(await setAside(world)).toEqual([]);
  });

  test('C23: also around a bad one what was stored just before the newest seen is asked for again', async () => {
    const storedAt = async (minutesAgo: number, ...some: JsonObject[]) => {
      await world.server.control('POST', 'clock', { now: new Date(Date.now() - minutesAgo * minuteMs).toISOString() });
      await world.server.seed(...some);
    };
    const [first = {}, late = {}, bad = {}] = documents;
    await storedAt(60, patient, first);
    await connect(world, 'oracle', 'DocumentReference', world.server.base);
    await pollEverybody(world);
    expect(await seen(world, 'DocumentReference')).toEqual([first.id]);

    await storedAt(62, late);
    await storedAt(30, bad);
    await world.server.control('POST', 'clock', { real: true });
    await world.server.settings({ poisoned: [`DocumentReference/${bad.id}`] });
    await pollEverybody(world);
    expect(await seen(world, 'DocumentReference')).toEqual([first.id, late.id]);
    expect(await setAside(world)).toEqual([expect.stringMatching(/^at 20/)]);
  });

  describe('C23 where no search tells when something was stored', () => {
    const goal = (id: string, due?: string): JsonObject => ({
      resourceType: 'Goal',
      id,
      lifecycleStatus: 'active',
      description: { text: id },
      subject: { reference: 'Patient/p1' },
      ...(due !== undefined && { target: [{ dueDate: due }] }),
    });
    const poison = (...ids: string[]) => world.server.settings({ poisoned: ids.map((id) => `Goal/${id}`) });
    const listed = async () => (await world.report()).polls?.unreadable.map(({ key }) => key);

    test('what is planned for other days and what was seen before goes on, and the one is set aside by its id', async () => {
      await world.server.seed(patient, goal('a', '2026-05-01'), goal('b'), goal('c', '2026-06-01'));
      await connect(world, 'oracle', 'Goal', world.server.base);
      await pollEverybody(world);
      expect(await seen(world, 'Goal')).toEqual(['a', 'b', 'c']);

      await poison('c');
      await world.server.seed({ ...goal('b'), lifecycleStatus: 'completed' }, goal('d', '2026-06-02'));
      await pollEverybody(world);
      expect(await seen(world, 'Goal')).toEqual(['a', 'b', 'c', 'd']);
      const kept = await world.store.db.selectFrom('seen').select('body').where('remote_id', '=', 'b').execute();
      expect(kept).toMatchObject([{ body: { lifecycleStatus: 'completed' } }]);
      expect((await listed())?.sort()).toEqual(['c', 'on 2026-06-01']);
      expect(await world.alerts()).toMatchObject([{ topic: 'poll-unreadable:general:Goal' }]);
      expect(await pollRow(world)).toMatchObject({ reason: null, last_ok_at: expect.any(Date) });
      // Nothing is taken for deleted, because the answer is not whole.
      expect(await world.openDecisions()).toEqual([]);

      await poison();
      await pollEverybody(world);
      expect(await listed()).toEqual([]);
      expect(await world.alerts()).toEqual([]);
    });

    test('one that was never seen and is planned for no day is told of all the same', async () => {
      await world.server.seed(patient, goal('a', '2026-05-01'), goal('z'));
      await poison('z');
      await connect(world, 'oracle', 'Goal', world.server.base);
      await pollEverybody(world);
      expect(await seen(world, 'Goal')).toEqual(['a']);
      expect(await listed()).toEqual(['not seen before']);
    });

    test('one of a patient who is asked about no more is told of no more', async () => {
      await world.server.seed(patient, { ...patient, id: 'p2' }, goal('z'));
      await poison('z');
      await connect(world, 'oracle', 'Goal', world.server.base);
      await uploadRoster(world.store, 'general', ['p1', 'p2']);
      await pollEverybody(world);
      expect(await listed()).toEqual(['not seen before']);
      expect(await world.alerts()).toMatchObject([{ topic: 'poll-unreadable:general:Goal' }]);
      await uploadRoster(world.store, 'general', ['p2']);
      await pollEverybody(world);
      expect(await listed()).toEqual([]);
      expect(await world.alerts()).toEqual([]);
    });
  });
});
