import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { LaneKey } from '../../src/queue/queue.ts';
import { openWakeUps } from '../../src/queue/queue.ts';
import { openStore } from '../../src/store/store.ts';
import { inherited, shortLived } from '../commands/program.ts';
import { freshFolder } from '../support/embedded.ts';

test('a lane that was running when its process was killed can be woken again', async () => {
  const folder = await freshFolder();
  const lane = { connection: 'general', subject: 'county.case.1' };
  const script = join(import.meta.dirname, 'hold-lane.ts');
  const child = spawn(process.execPath, [...shortLived, script, folder, lane.connection, lane.subject], {
    env: inherited,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');

  const store = await openStore({ folder });
  const wakeUps = await openWakeUps({ store, onError: () => {} });
  const run = new Promise<LaneKey>((resolve) => wakeUps.work(async (woken) => resolve(woken), { concurrency: 1 }));
  await wakeUps.add([lane]);
  // The dead process' job is found by its lock, which it no longer renews: 15 s at most.
  expect(await run).toEqual(lane);
  await wakeUps.close();
  await store.close();
  await rm(folder, { recursive: true });
});
