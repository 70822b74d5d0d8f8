// The demo's two programs as processes of their own, started by the command line that everybody uses, stopped with SIGTERM.

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isObject, type Json } from '../json.ts';
import { DemoProblem } from './problem.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const startSeconds = 120;
const stopSeconds = 15;

export interface Program {
  /** Where it listens. */
  readonly url: string;
  /** Asks it to stop and waits until it has. @throws DemoProblem when it had to be killed */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly name: string;
  /** Of the command line. */
  readonly arguments: readonly string[];
  /** File of environment variables that it gets besides ours. */
  readonly envFile?: string;
  /** Where its log goes, as `<name>.log`. */
  readonly folder: string;
  /** Told when it ends by itself. */
  readonly onEnd: (problem: DemoProblem) => void;
  readonly signal: AbortSignal;
}

/** Starts a program and waits until it says where it listens: a line of JSON with `url` on its standard output. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { name, envFile, folder, signal } = options;
  const environment = envFile === undefined ? [] : [`--env-file=${envFile}`];
  const child = spawn(process.execPath, [...environment, main, ...options.arguments], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(join(folder, `${name}.log`));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  let isStopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      options.onEnd(new DemoProblem(`The ${name} could not be started: ${error.message}.`));
      resolve();
    });
    child.once('close', (code, by) => {
      log.end();
      if (!isStopping) options.onEnd(new DemoProblem(`The ${name} ended by itself (${by ?? `exit code ${code}`}).`));
      resolve();
    });
  });
  const stop = async () => {
    isStopping = true;
    await stopChild(child, ended, name);
  };
  try {
    return { url: await listening(child, name, signal), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listening({ stdout }: ChildProcess, name: string, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  if (stdout === null) throw new Error('standard output is not piped');
  const lines = createInterface({ input: stdout });
  lines.on('line', (line) => {
    const url = urlIn(line);
    if (url !== undefined) resolve(url);
  });
  const limit = AbortSignal.timeout(startSeconds * 1000);
  limit.addEventListener('abort', () => {
    reject(new DemoProblem(`Waited ${startSeconds} seconds for the ${name} to say where it listens, in vain.`));
  });
  const stopped = () => reject(signal.reason);
  signal.addEventListener('abort', stopped);
  return promise.finally(() => signal.removeEventListener('abort', stopped));
}

function urlIn(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: Json = JSON.parse(line);
    return isObject(value) && typeof value.url === 'string' ? value.url : undefined;
  } catch (error) {
    // Not every line of a program is JSON.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>, name: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const late = sleep(stopSeconds * 1000, 'late', { ref: false });
  if ((await Promise.race([ended, late])) !== 'late') return;
  child.kill('SIGKILL');
  await ended;
  throw new DemoProblem(`The ${name} did not stop within ${stopSeconds} seconds of SIGTERM and was killed.`);
}
