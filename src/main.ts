// The program: one command line, one exit code.

import { enableCompileCache } from 'node:module';

// Halves the start: what Node has compiled once it finds again, in the folder for temporary files.
enableCompileCache();
const { runCommandLine } = await import('./commands/commands.ts');
const { errorCode } = await import('./error-code.ts');

// Who reads our output may have seen enough (`| head`): that is no fault.
process.stdout.on('error', (error) => {
  if (errorCode(error) !== 'EPIPE') throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), { out: process.stdout, err: process.stderr });
