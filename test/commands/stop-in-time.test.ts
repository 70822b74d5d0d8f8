// A process that cannot end politely ends all the same: whoever restarts it must not wait for a database that is gone.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const module = join(import.meta.dirname, '..', '..', 'src', 'commands', 'process.ts');

function stopping(work: string): Promise<{ code: number; output: string }> {
  const script = `
    import { stopInTime } from ${JSON.stringify(module)};
    const logger = { error: (fields, text) => console.log(fields.code, text) };
    await stopInTime(() => ${work}, logger, 300);
    console.log('stopped');`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout }),
    );
  });
}

test('a stop that hangs is given up with code 1 and its reason', async () => {
  const { code, output } = await stopping('new Promise((resolve) => setTimeout(resolve, 60_000))');
  expect(code).toBe(1);
  expect(output).toMatch(/^stop-unfinished Not all could be ended within 0\.3 seconds/);
});

test('a stop that ends leaves nothing behind', async () => {
  expect(await stopping('Promise.resolve()')).toEqual({ code: 0, output: 'stopped\n' });
});
