// What only a PostgreSQL server shows: it plans each statement once for all values, and runs transactions side by side.

import { expect, test } from '@jest/globals';
import { reason } from '../../src/errors.ts';
import { openDecision } from '../../src/lanes/decisions.ts';
import { takeLane } from '../../src/lanes/lane-rows.ts';
import { type Lease, LeaseLost, takeLease } from '../../src/lanes/lease.ts';
import { type LinkTarget, type NewLink, raiseWanted } from '../../src/lanes/links.ts';
import { storeWriting } from '../../src/lanes/written-rows.ts';
import { acceptRecords } from '../../src/records/records.ts';
import { openStore, type Store, sql } from '../../src/store/store.ts';
import { aGoal } from '../builders.ts';
import { eventually } from '../support/rig.ts';
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
        await eventually(async () => {
          const { rows } = await sql<{ n: number }>`
            select count(*)::integer as n from pg_stat_activity where wait_event_type = 'Lock'`.execute(trx);
          return rows[0]?.n === 1;
        }, 'the statement that waits for the lane');
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
    const waits = (db: Store['db']) =>
      eventually(async () => {
        const { rows } = await sql<{ n: number }>`
          select count(*)::integer as n from pg_stat_activity where wait_event_type = 'Lock'`.execute(db);
        return rows[0]?.n === 1;
      }, 'the statement that waits for the lane');
    try {
      const first = await begin('kept');
      const { moving } = await store.tx(async (trx) => {
        await keep(trx, first, 'kept');
        const begun = move(other, 'kept');
        await waits(trx);
        return { moving: begun };
      });
      await moving;
      const second = await begin('lost');
      const { keeping } = await other.tx(async (trx) => {
        await acceptRecords(trx, 'county', goal('lost', 'c2', '2026-02-04T09:30:00Z'), recipients);
        const begun = keep(store.db, second, 'lost').catch((error: unknown) => error);
        await waits(trx);
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
});
