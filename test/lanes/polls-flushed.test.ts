// When a poll is made next is a row: a Redis that was emptied, or is gone, ends no polling (lanes.md 3, G8).

import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
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
import { describeOnRedis } from '../support/servers.ts';

describeOnRedis('a Redis that is emptied again and again', ({ freshRedis }) => {
  test('what the partner does is heard all the same', async () => {
    const [server, store, url] = await Promise.all([startServer(), freshEmbedded(), freshRedis()]);
    await server.control('POST', 'settings', { auth: 'none' });
    const gateway = await startTestGateway(store, aConfig([aConnection(server.base)], { queue: { url } }));
    const redis = new Redis(url);
    try {
      await accept(gateway, ...caseload());
      await idle(gateway);
      const statuses = ['accepted', 'in-progress', 'on-hold', 'in-progress'];
      for (const [at, status] of statuses.entries()) {
        await redis.flushall();
        const task = await server.own('Task', 'county/referral/referral-pantry#fulfilment');
        expect((await server.fhir('PUT', `Task/${task.id}`, { ...task, status })).status).toBe(200);
        await redis.flushall();
        await eventually(async () => {
          const changes = await store.db.selectFrom('change').select('body').orderBy('cursor').execute();
          return changes.filter(({ body }) => body?.status !== undefined).length === at + 1;
        }, `the change to ${status}`);
      }
    } finally {
      redis.disconnect();
      await gateway.stop();
      await server.stop();
    }
  });
});
