// A folder whose disk fills up while it is opened may never be open: whoever starts is told so instead of waiting for ever, and a supervisor can
// start it again.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { unlessIdle } from '../../src/store/embedded.ts';

test('an opening that stands still is given up, with what may be the matter', async () => {
  const never = new Promise<string>(() => {});
  await expect(unlessIdle(never, 1)).rejects.toThrow('it did not open within 1 s; the disk may be full');
});

test('one that works, and so holds the thread, is waited for however long it takes', async () => {
  const working = (async () => {
    await sleep(10);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
    await sleep(10);
    return 'open';
  })();
  await expect(unlessIdle(working, 2)).resolves.toBe('open');
});

test('one that fails says why', async () => {
  await expect(unlessIdle(Promise.reject(new Error('no folder')), 1)).rejects.toThrow('no folder');
});
