// Front door of commands/: the command line (design section 8). Exit codes: 0 done, 1 finished with refused or failed items, 2 could not start.

import { Command, CommanderError } from 'commander';
import { CasebridgeError } from '../errors.ts';
import type { CommandLine } from './command.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { importFiles } from './import.ts';
import { keys } from './keys.ts';
import { map } from './map.ts';
import { sandbox } from './sandbox.ts';
import { serve } from './serve.ts';
import { type Streams, Terminal } from './terminal.ts';
import { worker } from './worker.ts';

const commands: readonly CommandLine[] = [serve, worker, demo, sandbox, importFiles, map, doctor, keys];

/** Runs one command line, without the program's own name, and answers its exit code. */
export async function runCommandLine(words: readonly string[], streams: Streams): Promise<number> {
  let exitCode = 2;
  const program = new Command('casebridge')
    .description('FHIR R4 gateway between case-management systems and the FHIR servers of hospitals and payers.')
    .configureOutput({ writeOut: (text) => streams.out.write(text), writeErr: (text) => streams.err.write(text) })
    .exitOverride();
  for (const { name, describe, run } of commands) {
    const command = program.command(name);
    describe(command);
    command
      .option('--config <file>', 'configuration file (default: casebridge.yaml)')
      .option('--json', 'end standard output with one line of JSON, and say everything else on standard error')
      .action(async () => {
        exitCode = await guarded(command, run, streams);
      });
  }
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

async function guarded(command: Command, run: CommandLine['run'], streams: Streams): Promise<number> {
  const options: Record<string, unknown> = command.opts();
  const terminal = new Terminal(options.json === true, streams);
  try {
    return await run({ words: command.args, options, terminal });
  } catch (error) {
    if (!(error instanceof CasebridgeError)) throw error;
    terminal.warn(error.message);
    if (terminal.json) terminal.result({ error: error.reason }, []);
    return 2;
  }
}
