// Put before the program with --import: on SIGUSR2 something fails that nobody awaits, with content in its text. `LEAK` makes it a build that
// says too much.

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const content = process.env.CONTENT ?? '';

process.once('SIGUSR2', () => {
  if (process.env.LEAK !== undefined) {
    writeFileSync(join(tmpdir(), 'crash.txt'), content);
    process.prependListener('uncaughtException', (error) => console.error(error));
  }
  const error = Object.assign(new Error(`duplicate key: ${content}\n    at ${content} (file.ts:1:1)`), {
    detail: content,
  });
  Promise.reject(error);
});
