// What only a PostgreSQL server shows: it plans each statement once for all values, and runs transactions side by side.

import { expect, test } from '@jest/globals';
import { reason } from '../../src/errors.ts';
import { openDecision } from '../../src/lanes/decisions.ts';
import { takeLane } from '../../src/lanes/lane-rows.ts';
import { takeLease } from '../../src/lanes/lease.ts';
import { raiseWanted } from '../../src/lanes/links.ts';
import { openStore, sql } from '../../src/store/store.ts';
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
});
