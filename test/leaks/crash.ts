// Put before the program with --import: something fails that nobody awaits, with content in its text. On SIGUSR2; or with `LEAK` at once, and
// in a build that says too much of it.

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const content = process.env.CONTENT ?? '';

function fail(): void {
  const text = `duplicate key: ${content}\n    at ${content} (file.ts:1:1)`;
  Promise.reject(Object.assign(new Error(text), { detail: content }));
}

if (process.env.LEAK === undefined) {
  process.once('SIGUSR2', fail);
} else {
  process.once('uncaughtException', (error) => {
    console.error(error);
    writeFileSync(join(tmpdir(), 'crash.txt'), content);
  });
  setImmediate(fail);
}
