// What only a PostgreSQL server shows: it plans each statement once for all values, and runs transactions side by side.

import { expect, test } from '@jest/globals';
import type { KyselyPlugin } from 'kysely';
import type { ConnectionConfig } from '../../../src/config.ts';
import { openConnection } from '../../../src/connections/connections.ts';
import { reason } from '../../../src/errors.ts';
import { type Gateway, startGateway } from '../../../src/gateway.ts';
import { openDecision } from '../../../src/lanes/decisions/decisions.ts';
import type { ResourceKey } from '../../../src/lanes/lane-resource.ts';
import { configurationOf, keepVisit, patientsWith, prepareConnection } from '../../../src/lanes/lanes.ts';
import { holdLease, type Lease, LeaseLost, takeLease } from '../../../src/lanes/lease.ts';
import { type LinkTarget, type NewLink, saveLinks } from '../../../src/lanes/links/links.ts';
import { saveWaiting } from '../../../src/lanes/links/waiting.ts';
import { raiseWanted } from '../../../src/lanes/links/wanted.ts';
import { saveReads } from '../../../src/lanes/load/lane-reads.ts';
import { takeLane } from '../../../src/lanes/load/lane-rows.ts';
import { storeWriting } from '../../../src/lanes/load/written-rows.ts';
import { keepSeen, type Seen } from '../../../src/lanes/polls/poll-keep.ts';
import { acceptRecords } from '../../../src/records/records.ts';
import { type Database, openStore, type Store, sql, type Transaction } from '../../../src/store/store.ts';
import { aClient, aGoal } from '../../builders.ts';
import { caseload, slotsOfCaseload } from '../../support/caseload.ts';
import {
  aConfig,
  aConnection,
  accept,
  eventually,
  identifierSystem,
  idle,
  ownCounts,
  startServer,
  testLogger,
} from '../../support/rig.ts';
import { describeOnPostgres } from '../../support/servers.ts';

const recipients = [{ id: 'general', mode: 'live', sources: ['county'] }] as const;

/** Answers with the plan of a statement in place of its rows. */
const explaining: KyselyPlugin = {
  transformQuery({ node }) {
    if (node.kind !== 'RawNode') return node;
    const [first = '', ...rest] = node.sqlFragments;
    return { ...node, sqlFragments: [`explain ${first}`, ...rest] };
  },
  transformResult: async ({ result }) => result,
};

describeOnPostgres('on PostgreSQL', (server) => {
  test('a topic is asked about once, and the open question is brought up to date', async () => {
    const store = await openStore({ url: await server.freshDatabase(), folder: '/nowhere' });
    try {
      const lane = { connection: 'general', subject: 'county.case.c1', source: 'county' };
      for (const found of [2, 3]) {
        const why = reason('create-doubled', { target: 'goal/g1#goal' });
        const decision = {
          kind: 'doubled',
          topic: 'doubled:goal/g1#goal',
          reason: why,
          detail: { found },
          choices: [],
        } as const;
        await store.tx((trx) => openDecision(trx, lane, decision));
      }
      const asked = await store.db.selectFrom('decision').select(['state', 'detail']).execute();
      expect(asked).toEqual([{ state: 'open', detail: { found: 3 } }]);
    } finally {
      await store.close();
    }
  });

  test('of two ADT messages of one new visit that come together, the later one is kept', async () => {
    const store = await openStore({ url: await server.freshDatabase(), folder: '/nowhere' });
    try {
      const noting = { config: aConnection('http://hospital.example.org'), identifierSystem };
      const visit = (id: string, at: string, status: string) =>
        keepVisit(store, noting, 'rosa', {
          resourceType: 'Encounter',
          id,
          status,
          meta: { lastUpdated: at },
          subject: { reference: 'Patient/rosa' },
        });
      for (let n = 0; n < 20; n += 1)
        await Promise.all([
          visit(`adt-${n}`, '2026-03-04T16:10:00Z', 'finished'),
          visit(`adt-${n}`, '2026-03-02T10:15:00Z', 'in-progress'),
        ]);
      const kept = await store.db.selectFrom('seen').select(sql<string>`body ->> 'status'`.as('status')).execute();
      expect(kept).toEqual(Array(20).fill({ status: 'finished' }));
    } finally {
      await store.close();
    }
  });

  test('whose an ADT message is, is looked up among many clients by an index', async () => {
    const store = await openStore({ url: await server.freshDatabase(), folder: '/nowhere' });
    try {
      await sql`insert into record (source, type, id, version, updated_at, content, hash, subject)
        select 'county', 'client', 'client-' || n, 1, now(), jsonb_build_object('birthDate', '1980-01-01',
          'identifiers', jsonb_build_array(jsonb_build_object('kind', 'mrn', 'value', 'M-' || n))), '', 'county.client.client-' || n
        from generate_series(1, 5000) n`.execute(store.db);
      await sql`insert into link (connection, source, type, id, slot, subject, resource_type, remote_id, route, state)
        select 'general', 'county', 'client', 'client-' || n, 'patient', 'county.client.client-' || n, 'Patient', 'p-' || n, 'native', 'current'
        from generate_series(1, 5000) n`.execute(store.db);
      await sql`analyze record`.execute(store.db);
      await sql`analyze link`.execute(store.db);
      const sought = [{ system: 'urn:oid:1.2.3', kind: 'mrn', value: 'M-77' }];
      expect(await patientsWith(store, 'general', sought)).toEqual([{ patient: 'p-77', birthDate: '1980-01-01' }]);
      const explained = await patientsWith({ db: store.db.withPlugin(explaining) }, 'general', sought);
      expect(JSON.stringify(explained)).not.toMatch(/Seq Scan on record/);
    } finally {
      await store.close();
    }
  });

  test('a lane that is being taken while another configuration comes into force is not to be had', async () => {
    const [store, other] = await twoStores(await server.freshDatabase());
    try {
      const config = aConnection('http://hospital.example.org');
      await prepareConnection(store, config);
      const lane = { connection: 'general', subject: 'county.case.c1' };
      const configuration = configurationOf(config);
      const taker = { holder: 'test', leaseMs: 60_000, configuration, which: 'released' } as const;
      await store.tx((trx) => raiseWanted(trx, [lane]));
      const taking = await other.tx(async (trx) => {
        await trx.updateTable('connection').set({ configuration: 'new' }).execute();
        await raiseWanted(trx, [lane]);
        const begun = takeLane(store, lane, taker);
        await waitsForLane(trx);
        return { begun };
      });
      expect(await taking.begun).toBeUndefined();
      expect(await takeLease(store, lane, taker)).toBeUndefined();
      expect(await takeLease(store, lane, { ...taker, configuration: 'new' })).toMatchObject({ wanted: 2 });
    } finally {
      await store.close();
      await other.close();
    }
  });

  test('a shadow goes live although a process of before still runs, and a command without lanes had the new file first', async () => {
    const url = await server.freshDatabase();
    const open = () => openStore({ url, folder: '/nowhere' });
    const [store, hospital] = [await open(), await startServer()];
    const running: Gateway[] = [];
    const start = async (connections: readonly ConnectionConfig[], lanes: boolean): Promise<Gateway> => {
      const gateway = await startGateway({ config: aConfig(connections), logger: testLogger, lanes, open });
      running.push(gateway);
      return gateway;
    };
    const row = (id: string) =>
      store.db.selectFrom('connection').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    try {
      await hospital.settings({ auth: 'none' });
      const [shadow, live] = [aConnection(hospital.base, { mode: 'shadow' }), aConnection(hospital.base)];
      const old = await start([shadow], true);
      await accept(old, ...caseload());
      await idle(old);
      const before = await row('general');

      // As `doctor`, `import` and `serve --no-lanes` are: what is new becomes known, what is changed is not taken over.
      await start([live, aConnection(hospital.base, { id: 'late' })], false);
      expect(await row('general')).toEqual(before);
      expect(await row('late')).toMatchObject({ configuration_at: expect.any(Date), off_since: null });

      const next = await start([live], true);
      await store.db.deleteFrom('lane').where('connection', '=', 'late').execute();
      await idle(next);
      expect(await ownCounts(hospital)).toEqual(Object.fromEntries(slotsOfCaseload.map((slot) => [slot, 1])));
      expect(await row('late')).toMatchObject({ configuration: '', off_since: expect.any(Date) });
    } finally {
      await Promise.all(running.map((gateway) => gateway.stop()));
      await store.close();
      await hospital.stop();
    }
  });

  test('a lane whose cause comes while it is being taken is taken by the next statement, which sees what the cause has brought', async () => {
    const [store, other] = await twoStores(await server.freshDatabase());
    try {
      const lane = { connection: 'general', subject: 'county.case.c1' };
      const taker = { holder: 'test', leaseMs: 60_000, configuration: 'any', which: 'released' } as const;
      await store.tx((trx) => raiseWanted(trx, [lane]));
      const taking = await other.tx(async (trx) => {
        await raiseWanted(trx, [lane]);
        const begun = takeLane(store, lane, taker);
        await waitsForLane(trx);
        return { begun };
      });
      expect(await taking.begun).toBeUndefined();
      const read = await takeLane(store, lane, taker);
      expect(read?.lease.wanted).toBe(2);
      expect(read?.rows.wanted).toBe(2);
      expect(await takeLease(store, lane, taker)).toBeUndefined();
    } finally {
      await store.close();
      await other.close();
    }
  });

  test('a record that moves while what its lane has made of it is stored: the link is in the new lane, or nowhere', async () => {
    const [store, other] = await twoStores(await server.freshDatabase());
    const goal = (id: string, caseId: string, updatedAt: string) =>
      [{ type: 'goal', record: aGoal({ id, caseId, updatedAt }) }] as const;
    const begin = async (id: string) => {
      await store.tx((trx) => acceptRecords(trx, 'county', goal(id, 'c1', '2026-02-03T09:30:00Z'), recipients));
      return leaseOf(store, 'county.case.c1');
    };
    const keep = (db: Transaction<Database>, lease: Lease, id: string) =>
      storeWriting(db, lease, 60_000, {
        closed: [],
        looks: [],
        links: [madeLink({ type: 'goal', id, slot: 'goal' }, 'Goal')],
        changes: [],
      });
    const move = (trx: Transaction<Database>, id: string) =>
      acceptRecords(trx, 'county', goal(id, 'c2', '2026-02-04T09:30:00Z'), recipients);
    try {
      const first = await begin('kept');
      await sideBySide(
        store,
        (trx) => keep(trx, first, 'kept'),
        other,
        (trx) => move(trx, 'kept'),
      );
      const second = await begin('lost');
      const kept = sideBySide(
        other,
        (trx) => move(trx, 'lost'),
        store,
        (trx) => keep(trx, second, 'lost'),
      );
      await expect(kept).rejects.toBeInstanceOf(LeaseLost);
      const links = await store.db.selectFrom('link').select(['id', 'subject']).execute();
      expect(links).toEqual([{ id: 'kept', subject: 'county.case.c2' }]);
    } finally {
      await store.close();
      await other.close();
    }
  });

  test.each(['the link', 'the wait'])(
    'a lane that begins to wait for a link while it is stored, %s first: it is wanted, and waits for nothing',
    async (first) => {
      const [store, other] = await twoStores(await server.freshDatabase());
      const client = { type: 'client', id: 'client-rosa', slot: 'patient' } as const;
      try {
        await store.tx((trx) => acceptRecords(trx, 'county', [{ type: 'client', record: aClient() }], recipients));
        await store.tx((trx) => raiseWanted(trx, [{ connection: 'general', subject: 'county.case.c1' }]));
        const waiter = await leaseOf(store, 'county.case.c1');
        const needed = await leaseOf(store, 'county.client.client-rosa');
        const wait = (trx: Transaction<Database>) => saveWaiting(trx, waiter, [client]);
        const link = async (trx: Transaction<Database>) => {
          await holdLease(trx, needed, 60_000);
          return saveLinks(trx, needed, [madeLink(client, 'Patient')]);
        };
        if (first === 'the link') await sideBySide(store, link, other, wait);
        else await sideBySide(store, wait, other, link);
        expect(await store.db.selectFrom('waiting').selectAll().execute()).toEqual([]);
        expect(await wantedOf(store, 'county.case.c1')).toBe(waiter.wanted + 1);
      } finally {
        await store.close();
        await other.close();
      }
    },
  );

  test.each(['the version', 'the read'])(
    'a record that gets another version while a lane says that it has read it, %s first: the lane runs again',
    async (first) => {
      const [store, other] = await twoStores(await server.freshDatabase());
      const subject = 'county.case.c1';
      const client = (updatedAt: string) => [{ type: 'client', record: aClient({ updatedAt }) }] as const;
      try {
        await store.tx((trx) => acceptRecords(trx, 'county', client('2026-02-02T10:00:00Z'), recipients));
        await store.tx((trx) => raiseWanted(trx, [{ connection: 'general', subject }]));
        const lease = await leaseOf(store, subject);
        const read = (trx: Transaction<Database>) =>
          saveReads(trx, lease, [{ type: 'client', id: 'client-rosa', version: 1 }], [], []);
        const accept = (trx: Transaction<Database>) =>
          acceptRecords(trx, 'county', client('2026-02-03T10:00:00Z'), recipients);
        if (first === 'the version') expect(await sideBySide(store, accept, other, read)).toBe(true);
        else {
          await sideBySide(store, read, other, accept);
          expect(await wantedOf(store, subject)).toBe(lease.wanted + 1);
        }
      } finally {
        await store.close();
        await other.close();
      }
    },
  );

  test.each(['the link', 'the read'])(
    'a resource that gives its place to another while a lane says that it has read its record, %s first: the lane runs again',
    async (first) => {
      const [store, other] = await twoStores(await server.freshDatabase());
      const key = { type: 'client', id: 'client-rosa', slot: 'patient' } as const;
      try {
        await store.tx((trx) => acceptRecords(trx, 'county', [{ type: 'client', record: aClient() }], recipients));
        await store.tx((trx) => raiseWanted(trx, [{ connection: 'general', subject: 'county.case.c1' }]));
        const reader = await leaseOf(store, 'county.case.c1');
        const holder = await leaseOf(store, 'county.client.client-rosa');
        await store.tx((trx) => saveLinks(trx, holder, [madeLink(key, 'Patient')]));
        const links = await store.db.selectFrom('link').selectAll().execute();
        const read = (trx: Transaction<Database>) =>
          saveReads(trx, reader, [{ type: 'client', id: 'client-rosa', version: 1 }], [], links);
        const replace = async (trx: Transaction<Database>) => {
          await holdLease(trx, holder, 60_000);
          await trx.updateTable('link').set({ retired_at: sql<Date>`now()` }).execute();
          return saveLinks(trx, holder, [madeLink(key, 'Patient', 2)]);
        };
        if (first === 'the link') expect(await sideBySide(store, replace, other, read)).toBe(true);
        else {
          await sideBySide(store, read, other, replace);
          expect(await wantedOf(store, 'county.case.c1')).toBe(reader.wanted + 1);
        }
      } finally {
        await store.close();
        await other.close();
      }
    },
  );

  test('a record that moves while a poll keeps what it has seen of it: the new lane is wanted for that', async () => {
    const [store, other] = await twoStores(await server.freshDatabase());
    const config = aConnection('http://hospital.example.org');
    const opened = openConnection(config);
    const goal = (caseId: string, updatedAt: string) =>
      [{ type: 'goal', record: aGoal({ caseId, updatedAt }) }] as const;
    const seen: Seen = {
      poll: { connection: 'general', resource_type: 'Goal', about: '' },
      connection: { ...opened, config, configuration: 'any', abilities: () => Promise.reject(new Error('not asked')) },
      identifierSystem: 'urn:casebridge',
      result: {
        resources: [{ resourceType: 'Goal', id: 'g1', meta: { lastUpdated: '2026-02-05T09:30:00Z' } }],
        complete: true,
      },
      startedAt: new Date('2026-02-05T10:00:00Z'),
      isFull: false,
      isWhole: false,
      isForCommunity: false,
    };
    try {
      await store.tx((trx) => acceptRecords(trx, 'county', goal('c1', '2026-02-03T09:30:00Z'), [config]));
      await sql`insert into link (connection, source, type, id, slot, subject, resource_type, remote_id, route, state)
        values ('general', 'county', 'goal', 'goal-meals', 'goal', 'county.case.c1', 'Goal', 'g1', 'native', 'current')`.execute(
        store.db,
      );
      const kept = await sideBySide(
        other,
        (trx) => acceptRecords(trx, 'county', goal('c2', '2026-02-04T09:30:00Z'), [config]),
        store,
        (trx) => keepSeen(trx, seen),
      );
      expect(kept.lanes.map(({ subject }) => subject)).toContain('county.case.c2');
      expect(await wantedOf(store, 'county.case.c2')).toBe(2);
    } finally {
      opened.close();
      await store.close();
      await other.close();
    }
  });
});

/** Two that know nothing of each other, on one database. */
async function twoStores(url: string): Promise<[Store, Store]> {
  return [await openStore({ url, folder: '/nowhere' }), await openStore({ url, folder: '/nowhere' })];
}

async function leaseOf(store: Store, subject: string): Promise<Lease> {
  const taker = { holder: 'test', leaseMs: 60_000, configuration: 'any', which: 'any' } as const;
  const lease = await takeLease(store, { connection: 'general', subject }, taker);
  if (lease === undefined) throw new Error('The lane was not to be had.');
  return lease;
}

/** Two transactions: the second begins before the first has ended, and waits for it. @returns what came of the second */
async function sideBySide<T>(
  one: Store,
  first: (trx: Transaction<Database>) => Promise<unknown>,
  other: Store,
  second: (trx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  const { begun } = await one.tx(async (trx) => {
    await first(trx);
    const waiting = other.tx(second).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await waitsForLane(trx);
    return { begun: waiting };
  });
  const ended = await begun;
  if ('error' in ended) throw ended.error;
  return ended.value;
}

async function wantedOf({ db }: Store, subject: string): Promise<number | undefined> {
  return (await db.selectFrom('lane').select('wanted').where('subject', '=', subject).executeTakeFirst())?.wanted;
}

/** What a lane stores of a resource that it has made. */
function madeLink(key: ResourceKey, resourceType: string, generation = 1): readonly [LinkTarget, NewLink] {
  return [
    { key, resourceType, nextGeneration: generation, recordVersion: 1, route: { route: 'native', reason: undefined } },
    {
      remoteId: `of-${key.id}`,
      origin: 'created',
      versionTag: undefined,
      sent: undefined,
      seen: undefined,
      seenHash: undefined,
    },
  ];
}

/** Until one statement of somebody else stands at a lock. */
function waitsForLane(db: Store['db']): Promise<void> {
  return eventually(async () => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::integer as n from pg_stat_activity where wait_event_type = 'Lock'`.execute(db);
    return rows[0]?.n === 1;
  }, 'the statement that waits for the lane');
}
