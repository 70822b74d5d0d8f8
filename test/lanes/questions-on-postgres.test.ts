// Questions on a PostgreSQL server, which plans each statement once for all values.

import { expect, test } from '@jest/globals';
import { reason } from '../../src/errors.ts';
import { openDecision } from '../../src/lanes/decisions.ts';
import { openStore } from '../../src/store/store.ts';
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
});
