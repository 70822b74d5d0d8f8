// When a poll is made next is a row: a Redis that was emptied, or is gone, ends no polling (lanes.md 3, G8).

import { test } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually, onSite, partnerMoves, statusesOffered } from '../support/rig.ts';
import { describeOnRedis } from '../support/servers.ts';

describeOnRedis('a Redis that is emptied again and again', ({ freshRedis }) => {
  test('what the partner does is heard all the same', async () => {
    const url = await freshRedis();
    const redis = new Redis(url);
    try {
      await onSite({ config: { queue: { url } } }, async (site) => {
        for (const [at, status] of ['accepted', 'in-progress', 'on-hold', 'in-progress'].entries()) {
          await redis.flushall();
          await partnerMoves(site, status);
          await redis.flushall();
          await eventually(async () => (await statusesOffered(site)).length === at + 1, `the change to ${status}`);
        }
      });
    } finally {
      redis.disconnect();
    }
  });
});
