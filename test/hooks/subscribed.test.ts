// The whole way over real HTTP: Casebridge makes the Subscription, the server notifies, and what has changed is read at once and not an interval
// later.

import { expect, test } from '@jest/globals';
import express from 'express';
import { buildApp, listen } from '../../src/http/http.ts';
import { sql } from '../../src/store/store.ts';
import { eventually, onSite, partnerMoves, type Site, statusesOffered } from '../support/rig.ts';

const key = 'key-of-the-general-hospital';

test('a change at the server is in our store long before the poll is due', async () => {
  const front = express();
  const listener = await listen(front, { port: 0, host: '127.0.0.1' });
  const address = `${listener.url}/hooks/general/${key}`;
  const hook = { key, bearer: 'of-the-hook', subscribe: { types: ['Task' as const], address } };
  const options = {
    connection: { hook, pollEveryMs: 86_400_000 },
    config: { server: { port: 0, host: '127.0.0.1', publicUrl: listener.url } },
    opened: ({ gateway }: Site) => front.use(buildApp(gateway.api)),
  };
  try {
    await onSite(options, async (site) => {
      const { server, store } = site;
      await eventually(
        async () => (await server.all('Subscription'))[0]?.status === 'active',
        'the Subscription on the server',
      );
      // What we have written ourselves woke the poll too; it is woken once a minute at most.
      await sql`update poll set woken_at = null, next_at = now() + interval '1 day' where resource_type = 'Task'`.execute(
        store.db,
      );
      await partnerMoves(site, 'accepted');
      await eventually(
        async () => (await statusesOffered(site)).includes('accepted'),
        'the change that the notification brought',
      );
      expect(await server.all('Subscription')).toMatchObject([
        { status: 'active', channel: { endpoint: `${address}/Task` } },
      ]);
      const [heard] = await store.db.selectFrom('subscription').selectAll().execute();
      expect(Date.now() - Number(heard?.last_heard_at)).toBeLessThan(60_000);
    });
  } finally {
    await listener.close();
  }
});
