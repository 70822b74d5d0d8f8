// The program: one command line, one exit code.

import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Halves the start: what Node has compiled once it finds again. Where the folder cannot be written, nothing is kept.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
const { runCommandLine, tellCrash } = await import('./commands/commands.ts');
const { callersFolder } = await import('./config.ts');
const { errorCode } = await import('./error-code.ts');

// Node would print the text of the error, and with it perhaps a record.
process.on('uncaughtException', (error) => {
  tellCrash(error, { err: process.stderr });
  process.exit(1);
});

// Who reads our output may have seen enough (`| head`): that is no fault.
process.stdout.on('error', (error) => {
  if (errorCode(error) !== 'EPIPE') throw error;
});

const folder = callersFolder(process.cwd());
if (folder !== undefined) {
  try {
    process.chdir(folder);
  } catch {
    // It is closed to us (npm was started as somebody else there): then no file in it could be meant either.
  }
}

process.exitCode = await runCommandLine(process.argv.slice(2), { out: process.stdout, err: process.stderr });
