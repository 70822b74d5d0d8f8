// The whole way over real HTTP: Casebridge makes the Subscription, the server notifies, and what has changed is read at once and not an interval
// later.

import { expect, test } from '@jest/globals';
import express from 'express';
import { buildApp, listen } from '../../src/http/http.ts';
import { sql } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';
import {
  aConfig,
  aConnection,
  accept,
  caseload,
  eventually,
  idle,
  startServer,
  startTestGateway,
} from '../support/rig.ts';

const key = 'key-of-the-general-hospital';

test('a change at the server is in our store long before the poll is due', async () => {
  const front = express();
  const [server, store, listener] = await Promise.all([
    startServer(),
    freshEmbedded(),
    listen(front, { port: 0, host: '127.0.0.1' }),
  ]);
  await server.control('POST', 'settings', { auth: 'none' });
  const address = `${listener.url}/hooks/general/${key}`;
  const hook = { key, bearer: 'of-the-hook', subscribe: { types: ['Task' as const], address } };
  const gateway = await startTestGateway(
    store,
    aConfig([aConnection(server.base, { hook, pollEveryMs: 86_400_000 })], {
      server: { port: 0, host: '127.0.0.1', publicUrl: listener.url },
    }),
  );
  front.use(buildApp(gateway.api));
  try {
    await accept(gateway, ...caseload());
    await idle(gateway);
    await eventually(
      async () => (await server.all('Subscription'))[0]?.status === 'active',
      'the Subscription on the server',
    );
    // What we have written ourselves woke the poll too; it is woken once a minute at most.
    await sql`update poll set woken_at = null, next_at = now() + interval '1 day' where resource_type = 'Task'`.execute(
      store.db,
    );
    const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
    await server.fhir('PUT', `Task/${task.id}`, { ...task, status: 'accepted' });
    await eventually(async () => {
      const changes = await store.db.selectFrom('change').select('body').execute();
      return changes.some(({ body }) => body?.status === 'accepted');
    }, 'the change that the notification brought');
    expect(await server.all('Subscription')).toMatchObject([
      { status: 'active', channel: { endpoint: `${address}/Task` } },
    ]);
    const [heard] = await store.db.selectFrom('subscription').selectAll().execute();
    expect(Date.now() - Number(heard?.last_heard_at)).toBeLessThan(60_000);
  } finally {
    await gateway.stop();
    await listener.close();
    await server.stop();
  }
});
