// The program: one command line, one exit code.

import { runCommandLine } from './commands/commands.ts';

process.exitCode = await runCommandLine(process.argv.slice(2), { out: process.stdout, err: process.stderr });
