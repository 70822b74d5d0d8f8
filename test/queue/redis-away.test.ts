import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { LaneKey } from '../../src/queue/queue.ts';
import { openWakeUps } from '../../src/queue/queue.ts';
import type { Store } from '../../src/store/store.ts';
import { startRedis } from '../support/backends.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { eventually } from '../support/rig.ts';
import { describeOnRedis } from '../support/servers.ts';
import { startSilentProxy } from '../support/silent-proxy.ts';

const lane = { connection: 'general', subject: 'county.case.1' };

describeOnRedis('when Redis', ({ freshRedis }) => {
  test('goes away, what is woken runs without it, no more at a time than ever, and the error is reported', () =>
    withStore(async (store) => {
      const server = await startRedis();
      const errors: unknown[] = [];
      const wakeUps = await openWakeUps({
        store,
        redisUrl: await server.freshRedis(),
        onError: (error) => errors.push(error),
      });
      const begun: LaneKey[] = [];
      const ends: (() => void)[] = [];
      const run = (woken: LaneKey) => {
        begun.push(woken);
        return new Promise<void>((resolve) => ends.push(resolve));
      };
      wakeUps.work(run, { concurrency: 2 });
      await server.stop();
      const others = ['2', '3', '4'].map((id) => ({ ...lane, subject: `county.case.${id}` }));
      await wakeUps.add([lane, ...others]);
      expect(errors).not.toEqual([]);
      expect(begun).toEqual([lane, others[0]]);
      ends[0]?.();
      await eventually(async () => begun.length === 3, 'the third run');

      let isClosed = false;
      const closing = wakeUps.close().then(() => {
        isClosed = true;
      });
      ends[1]?.();
      await store.now();
      expect(isClosed).toBe(false);
      ends[2]?.();
      await closing;
      expect(begun).toEqual([lane, ...others.slice(0, 2)]);
    }));

  test('falls silent, what is woken runs all the same, and over new connections soon', () =>
    withStore(async (store) => {
      const proxy = await startSilentProxy(await freshRedis());
      const errors: unknown[] = [];
      const wakeUps = await openWakeUps({
        store,
        redisUrl: proxy.url,
        onError: (error) => errors.push(error),
        silentMs: 500,
      });
      const runs: LaneKey[] = [];
      wakeUps.work(async (woken) => void runs.push(woken), { concurrency: 1 });
      await wakeUps.add([lane]);
      await eventually(async () => runs.length === 1, 'the run before');
      proxy.silence();
      await wakeUps.add([lane]);
      await eventually(async () => runs.length === 2, 'the run after');
      let before = 0;
      await eventually(async () => {
        errors.length = 0;
        before = runs.length;
        await wakeUps.add([lane]);
        return errors.length === 0;
      }, 'a wake-up that Redis takes');
      await eventually(async () => runs.length > before, 'its run');
      await wakeUps.close();
      await proxy.stop();
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
