import { expect, test } from '@jest/globals';
import { reason } from '../../src/errors.ts';
import { openDecision } from '../../src/lanes/decisions.ts';
import { openStore } from '../../src/store/store.ts';
import { describeOnPostgres } from '../support/servers.ts';

describeOnPostgres('a question that is asked again and again', ({ freshDatabase }) => {
  test('stays one open decision, also once PostgreSQL plans its statement for all values', async () => {
    const store = await openStore({ url: await freshDatabase(), folder: 'unused' });
    const lane = { connection: 'general', subject: 'county.case.1', source: 'county' };
    const why = reason('remote-gone');
    const question = { kind: 'remote-gone', topic: 'gone:1', reason: why, detail: {}, choices: [] } as const;
    try {
      // A prepared statement gets that plan at its sixth use on a connection.
      for (let time = 1; time <= 8; time += 1) await store.tx((trx) => openDecision(trx, lane, question));
      expect(await store.db.selectFrom('decision').select(['topic', 'state']).execute()).toEqual([
        { topic: 'gone:1', state: 'open' },
      ]);
    } finally {
      await store.close();
    }
  });
});
