// What only a PostgreSQL server shows: it plans each statement once for all values, and runs transactions side by side.

import { expect, test } from '@jest/globals';
import { openConnection } from '../../src/connections/connections.ts';
import { reason } from '../../src/errors.ts';
import { openDecision } from '../../src/lanes/decisions.ts';
import { takeLane } from '../../src/lanes/lane-rows.ts';
import { type Lease, LeaseLost, takeLease } from '../../src/lanes/lease.ts';
import { type LinkTarget, type NewLink, raiseWanted } from '../../src/lanes/links.ts';
import { keepSeen, type Seen } from '../../src/lanes/poll-keep.ts';
import { storeWriting } from '../../src/lanes/written-rows.ts';
import { acceptRecords } from '../../src/records/records.ts';
import { openStore, type Store, sql } from '../../src/store/store.ts';
import { aGoal } from '../builders.ts';
import { aConnection, eventually } from '../support/rig.ts';
import { describeOnPostgres } from '../support/servers.ts';

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

  test('a lane whose cause comes while it is being taken is taken by the next statement, which sees what the cause has brought', async () => {
    const url = await server.freshDatabase();
    const [store, other] = [await openStore({ url, folder: '/nowhere' }), await openStore({ url, folder: '/nowhere' })];
    try {
      const lane = { connection: 'general', subject: 'county.case.c1' };
      const taker = { holder: 'test', leaseMs: 60_000, which: 'released' } as const;
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
    const url = await server.freshDatabase();
    const [store, other] = [await openStore({ url, folder: '/nowhere' }), await openStore({ url, folder: '/nowhere' })];
    const recipients = [{ id: 'general', mode: 'live', sources: ['county'] }] as const;
    const goal = (id: string, caseId: string, updatedAt: string) =>
      [{ type: 'goal', record: aGoal({ id, caseId, updatedAt }) }] as const;
    const lane = { connection: 'general', subject: 'county.case.c1' };
    const taker = { holder: 'test', leaseMs: 60_000, which: 'any' } as const;
    const made = (id: string): readonly [LinkTarget, NewLink] => [
      {
        key: { type: 'goal', id, slot: 'goal' },
        resourceType: 'Goal',
        nextGeneration: 1,
        recordVersion: 1,
        route: { route: 'native', reason: undefined },
      },
      {
        remoteId: `of-${id}`,
        origin: 'created',
        versionTag: undefined,
        sent: undefined,
        seen: undefined,
        seenHash: undefined,
      },
    ];
    const begin = async (id: string) => {
      await store.tx((trx) => acceptRecords(trx, 'county', goal(id, 'c1', '2026-02-03T09:30:00Z'), recipients));
      const lease = await takeLease(store, lane, taker);
      if (lease === undefined) throw new Error('The lane was not to be had.');
      return lease;
    };
    const keep = (db: Store['db'], lease: Lease, id: string) =>
      storeWriting(db, lease, 60_000, { closed: [], looks: [], links: [made(id)], changes: [] });
    const move = (on: Store, id: string) =>
      on.tx((trx) => acceptRecords(trx, 'county', goal(id, 'c2', '2026-02-04T09:30:00Z'), recipients));
    try {
      const first = await begin('kept');
      const { moving } = await store.tx(async (trx) => {
        await keep(trx, first, 'kept');
        const begun = move(other, 'kept');
        await waitsForLane(trx);
        return { moving: begun };
      });
      await moving;
      const second = await begin('lost');
      const { keeping } = await other.tx(async (trx) => {
        await acceptRecords(trx, 'county', goal('lost', 'c2', '2026-02-04T09:30:00Z'), recipients);
        const begun = keep(store.db, second, 'lost').catch((error: unknown) => error);
        await waitsForLane(trx);
        return { keeping: begun };
      });
      expect(await keeping).toBeInstanceOf(LeaseLost);
      const links = await store.db.selectFrom('link').select(['id', 'subject']).execute();
      expect(links).toEqual([{ id: 'kept', subject: 'county.case.c2' }]);
    } finally {
      await store.close();
      await other.close();
    }
  });

  test('a record that moves while a poll keeps what it has seen of it: the new lane is wanted for that', async () => {
    const url = await server.freshDatabase();
    const [store, other] = [await openStore({ url, folder: '/nowhere' }), await openStore({ url, folder: '/nowhere' })];
    const config = aConnection('http://hospital.example.org');
    const opened = openConnection(config);
    const goal = (caseId: string, updatedAt: string) =>
      [{ type: 'goal', record: aGoal({ caseId, updatedAt }) }] as const;
    const seen: Seen = {
      poll: { connection: 'general', resource_type: 'Goal', about: '' },
      connection: { ...opened, config, abilities: () => Promise.reject(new Error('not asked')) },
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
      const { keeping } = await other.tx(async (trx) => {
        await acceptRecords(trx, 'county', goal('c2', '2026-02-04T09:30:00Z'), [config]);
        const begun = store.tx((polling) => keepSeen(polling, seen));
        await waitsForLane(trx);
        return { keeping: begun };
      });
      expect((await keeping).lanes.map(({ subject }) => subject)).toContain('county.case.c2');
      const lane = await store.db
        .selectFrom('lane')
        .select('wanted')
        .where('subject', '=', 'county.case.c2')
        .executeTakeFirst();
      expect(lane).toEqual({ wanted: 2 });
    } finally {
      opened.close();
      await store.close();
      await other.close();
    }
  });
});

/** Until one statement of somebody else stands at a lock. */
function waitsForLane(db: Store['db']): Promise<void> {
  return eventually(async () => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::integer as n from pg_stat_activity where wait_event_type = 'Lock'`.execute(db);
    return rows[0]?.n === 1;
  }, 'the statement that waits for the lane');
}
