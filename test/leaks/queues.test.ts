// The queue on servers of its own: whatever is written to Redis, and to BullMQ's tables in PostgreSQL, names lanes and nothing else.

import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { openWakeUps } from '../../src/queue/queue.ts';
import { openStore } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { eventually } from '../support/rig.ts';
import { describeOnPostgres, describeOnRedis } from '../support/servers.ts';
import { Canaries } from './canaries.ts';
import { searched, watchQueue } from './channels.ts';
import { plantedRecords } from './records.ts';
import { type Site, startSite } from './site.ts';

/** All records once, to the end. */
async function sendAll(site: Site, canaries: Canaries): Promise<void> {
  const records = plantedRecords(canaries, '2026-03-10T09:15:00-05:00');
  expect(await site.sendRecords(records)).toBe(records.length);
  await site.settle();
  expect(canaries.search(JSON.stringify(await site.servers.standard.all('Goal'))).length).toBeGreaterThan(0);
}

const leak = (word: string) => [{ connection: 'gone', subject: JSON.stringify({ name: word }) }];

describeOnRedis('on Redis', ({ freshRedis }) => {
  test('no command and no key holds content; a job that does is found', async () => {
    const url = await freshRedis();
    const canaries = new Canaries();
    const word = canaries.word('a planted leak');
    const reading = new Redis(url);
    const watching = await reading.monitor();
    const commands: string[] = [];
    watching.on('monitor', (_time: string, words: string[]) => commands.push(words.join(' ')));
    const store = await freshEmbedded();
    const site = await startSite({ store, queue: { url } });
    try {
      await sendAll(site, canaries);
      const texts: [string, string][] = [['commands', commands.join('\n')], ...(await dump(reading))];
      const { bytes, hits } = searched(canaries, texts);
      expect(hits).toEqual([]);
      expect(bytes).toBeGreaterThan(10_000);
      expect(commands.join('\n')).toContain('county.case.case-100');

      const queue = await openWakeUps({ store, redisUrl: url, onError: () => {} });
      await queue.add(leak(word));
      await queue.close();
      const found = async () => searched(canaries, [['commands', commands.join('\n')]]).hits.length > 0;
      await eventually(found, 'the planted leak');
    } finally {
      await site.stop();
      watching.disconnect();
      reading.disconnect();
    }
  });
});

/** Every key with its value, in Redis' own form. */
async function dump(redis: Redis): Promise<[string, string][]> {
  const keys = await redis.keys('*');
  return Promise.all(
    keys.map(
      async (key): Promise<[string, string]> => [key, `${key} ${(await redis.dumpBuffer(key))?.toString('latin1')}`],
    ),
  );
}

describeOnPostgres('on PostgreSQL', ({ freshDatabase }) => {
  test('no row of the queue holds content; one that does is found', async () => {
    const store = await openStore({ url: await freshDatabase(), folder: '' });
    const canaries = new Canaries();
    const word = canaries.word('a planted leak');
    // Opened once, so that its tables are there to be watched.
    await (await openWakeUps({ store, onError: () => {} })).close();
    const rows = await watchQueue(store);
    const site = await startSite({ store });
    try {
      await sendAll(site, canaries);
      const { bytes, hits } = searched(canaries, await rows());
      expect(hits).toEqual([]);
      expect(bytes).toBeGreaterThan(10_000);

      const queue = await openWakeUps({ store, onError: () => {} });
      await queue.add(leak(word));
      await queue.close();
      expect(searched(canaries, await rows()).hits.length).toBeGreaterThan(0);
    } finally {
      await site.stop();
    }
  });
});
