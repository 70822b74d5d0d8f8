// Front door of commands/: the command line (design section 8). Exit codes: 0 done, 1 finished with refused or failed items, 2 could not start.

import { Command, CommanderError } from 'commander';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { framesOf, kindOfError } from '../fault.ts';
import type { CommandLine } from './command.ts';
import { type Streams, Terminal } from './terminal.ts';

/** Each is loaded with what it needs only where it is asked for, or where all are to be named. */
const commands: Readonly<Record<string, () => Promise<CommandLine>>> = {
  serve: async () => (await import('./serve.ts')).serve,
  worker: async () => (await import('./worker.ts')).worker,
  demo: async () => (await import('./demo.ts')).demo,
  sandbox: async () => (await import('./sandbox.ts')).sandbox,
  import: async () => (await import('./import.ts')).importFiles,
  replay: async () => (await import('./replay.ts')).replay,
  map: async () => (await import('./map.ts')).map,
  doctor: async () => (await import('./doctor.ts')).doctor,
  guide: async () => (await import('./guide.ts')).guide,
  keys: async () => (await import('./keys.ts')).keys,
};

/** Runs one command line, without the program's own name, and answers its exit code. */
export async function runCommandLine(words: readonly string[], streams: Streams): Promise<number> {
  let exitCode = 2;
  const program = new Command('casebridge')
    .description('FHIR R4 gateway between case-management systems and the FHIR servers of hospitals and payers.')
    .configureOutput({ writeOut: (text) => streams.out.write(text), writeErr: (text) => streams.err.write(text) })
    .exitOverride();
  for (const { name, describe, run, configuration = 'configuration file (default: casebridge.yaml)' } of await named(
    words,
  )) {
    const command = program.command(name);
    describe(command);
    command
      .option('--config <file>', configuration)
      .option('--json', 'end standard output with one line of JSON, and say everything else on standard error')
      .action(async () => {
        exitCode = await guarded(command, run, streams);
      });
  }
  try {
    await program.parseAsync(withoutHelpForNothing(words), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    if (words.includes('--json')) tellProblem(new Terminal(true, streams), misread(error));
    return 2;
  }
}

/** The command that is asked for; of `help` and of anything unknown all of them. */
async function named([first = '']: readonly string[]): Promise<CommandLine[]> {
  const asked = Object.hasOwn(commands, first) ? commands[first] : undefined;
  return asked === undefined ? Promise.all(Object.values(commands).map((load) => load())) : [await asked()];
}

/** Of an unknown command the name alone: asked for its help, commander would answer with the help of the whole program, and 0. */
function withoutHelpForNothing(words: readonly string[]): readonly string[] {
  const [name = '-'] = words[0] === 'help' ? words.slice(1) : words;
  return name.startsWith('-') || Object.hasOwn(commands, name) ? words : [name];
}

async function guarded(command: Command, run: CommandLine['run'], streams: Streams): Promise<number> {
  const options: Record<string, unknown> = command.opts();
  const terminal = new Terminal(options.json === true, streams);
  try {
    return await run({ words: command.args, options, terminal });
  } catch (error) {
    const problem = error instanceof CasebridgeError ? error : new CasebridgeError('command-failed', fault(error));
    terminal.warn(problem.message);
    if (problem !== error) for (const line of framesOf(error)) terminal.warn(`    ${line}`);
    tellProblem(terminal, problem);
    return 2;
  }
}

function tellProblem(terminal: Terminal, problem: CasebridgeError): void {
  if (terminal.json) terminal.result({ error: problem.reason }, []);
}

/** What was wrong with the command line; commander has said so on standard error already. */
function misread({ message }: CommanderError): CasebridgeError {
  const problem = message.replace(/^error: /, '').replace(/\.?$/, '.');
  return new CasebridgeError('command-line-invalid', { problem });
}

/** The kind of an error that no command expects; never its text, which may quote a record. */
function fault(error: unknown): { error: string } {
  return { error: [kindOfError(error), errorCode(error)].filter((part) => part !== undefined).join(' ') };
}

/** Tells of an error that nobody caught, as of one that no command expects. */
export function tellCrash(error: unknown, { err }: Pick<Streams, 'err'>): void {
  err.write(`${new CasebridgeError('command-failed', fault(error)).message}\n`);
  for (const line of framesOf(error)) err.write(`    ${line}\n`);
}
