// The program: one command line, one exit code.

import { runCommandLine } from './commands/commands.ts';
import { errorCode } from './error-code.ts';

// Who reads our output may have seen enough (`| head`): that is no fault.
process.stdout.on('error', (error) => {
  if (errorCode(error) !== 'EPIPE') throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), { out: process.stdout, err: process.stderr });
