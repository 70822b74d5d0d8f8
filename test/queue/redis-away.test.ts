import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { LaneKey } from '../../src/queue/queue.ts';
import { openWakeUps } from '../../src/queue/queue.ts';
import type { Store } from '../../src/store/store.ts';
import { startRedis } from '../support/backends.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { describeOnRedis } from '../support/servers.ts';

const lane = { connection: 'general', subject: 'county.case.1' };

describeOnRedis('when Redis', ({ freshRedis }) => {
  test('goes away, waking a lane still resolves, and the error is reported', () =>
    withStore(async (store) => {
      const server = await startRedis();
      const errors: unknown[] = [];
      const wakeUps = await openWakeUps({
        store,
        redisUrl: await server.freshRedis(),
        onError: (error) => errors.push(error),
      });
      await server.stop();
      await wakeUps.add([lane]);
      expect(errors).not.toEqual([]);
      await wakeUps.close();
    }));

  test('is emptied, the worker goes on with what is woken after that', () =>
    withStore(async (store) => {
      const redisUrl = await freshRedis();
      const wakeUps = await openWakeUps({ store, redisUrl, onError: () => {} });
      const { promise: run, resolve } = Promise.withResolvers<LaneKey>();
      wakeUps.work(async (woken) => resolve(woken), { concurrency: 1 });
      const redis = new Redis(redisUrl);
      await redis.flushall();
      redis.disconnect();
      await wakeUps.add([lane]);
      expect(await run).toEqual(lane);
      await wakeUps.close();
    }));

  test('is not there at the start, that is said, without the password', () =>
    withStore(async (store) => {
      const opening = openWakeUps({ store, redisUrl: 'redis://:secret@127.0.0.1:1', onError: () => {} });
      await expect(opening).rejects.toMatchObject({ code: 'queue-unusable', parameters: { where: '127.0.0.1:1' } });
      await expect(opening).rejects.not.toThrow('secret');
    }));
});

test('a Redis url that is none is refused without showing it', () =>
  withStore(async (store) => {
    const opening = openWakeUps({ store, redisUrl: ':secret@redis', onError: () => {} });
    const error = await opening.catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: 'queue-unusable' });
    expect(JSON.stringify([String(error), error])).not.toContain('secret');
  }));

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const store = await freshEmbedded();
  await work(store).finally(() => store.close());
}
