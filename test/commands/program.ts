// The program as a user starts it: a process of its own, with nothing in its environment but what the test gives, in a folder of its own.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { runCommandLine } from '../../src/commands/commands.ts';
import { atEndOfFile } from '../support/globals.ts';

const root = join(import.meta.dirname, '..', '..');
const main = join(root, 'src', 'main.ts');
// Many short lives of the same program: what Node compiled for one of them serves the next.
export const inherited = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'casebridge-tests'),
};

// Node would spend more on making the database's code fast than these processes ever gain by it.
export const shortLived = ['--liftoff-only'];

export interface ProgramOptions {
  /** The working directory. @default that of the tests */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Nobody reads its standard output. */
  readonly closeOutput?: boolean;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  /** From the first line that it wrote with --json. */
  readonly url: string;
  /** Resolves once this stands in its log. */
  logged(text: string): Promise<void>;
  /** Sends the signal and goes on. */
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** A fresh folder, removed at the end of the test file, with these files in it. */
export async function aFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-commands-'));
  atEndOfFile(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  return folder;
}

/** Runs one command to its end. */
export function casebridge(words: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return spawned(words, options).ended;
}

/**
 * The same without a process of its own, whose start costs more than most commands. While it runs, this process stands in the folder and has the
 * environment that are given.
 *
 * @param options `isTTY`: a person looks at standard error
 */
export async function commandLine(
  words: readonly string[],
  { cwd = process.cwd(), env = {}, isTTY = false }: Pick<ProgramOptions, 'cwd' | 'env'> & { isTTY?: boolean } = {},
): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const before = { cwd: process.cwd(), env: process.env };
  process.chdir(cwd);
  process.env = { PATH: before.env.PATH, ...env };
  try {
    const streams = { out: collected(out), err: Object.assign(collected(err), { isTTY }) };
    const code = await runCommandLine(words, streams);
    return { code, out: out.join(''), err: err.join('') };
  } finally {
    process.env = before.env;
    process.chdir(before.cwd);
  }
}

/** A stream that keeps what is written to it. */
export function collected(texts: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      texts.push(String(chunk));
      done();
    },
  });
}

/** What a command with --json says at its end: the last line of standard output. */
export function lastLine({ out }: Ended): unknown {
  return JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');
}

/** Starts `serve` or `sandbox` and waits until it listens. */
export async function listening(words: readonly string[], options: ProgramOptions = {}): Promise<Running> {
  const { child, ended } = spawned([...words, '--json'], options);
  const { promise: url, resolve, reject } = Promise.withResolvers<string>();
  createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line).url));
  ended.then(({ code, err }) => reject(new Error(`it ended with ${code} before it listened: ${err}`)));
  return {
    url: await url,
    logged(text) {
      const { promise: seen, resolve: see } = Promise.withResolvers<void>();
      createInterface(child.stderr).on('line', (line) => line.includes(text) && see());
      return seen;
    },
    signal(signal) {
      child.kill(signal);
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** Starts a command that tells as it goes. `said` waits until a text stands in what it wrote, on either stream, after the last one asked for. */
export function telling(words: readonly string[], options: ProgramOptions = {}) {
  const { child, ended } = spawned(words, options);
  let told = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      told += chunk;
      for (const listener of listeners) listener();
    });
  }
  return {
    said(text: string): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => {
        const at = told.indexOf(text);
        if (at < 0) return;
        told = told.slice(at + text.length);
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
      return promise;
    },
    stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
      child.kill(signal);
      return ended;
    },
  };
}

function spawned(words: readonly string[], { cwd, env, closeOutput }: ProgramOptions) {
  const child = spawn(process.execPath, [...shortLived, main, ...words], { cwd, env: { ...inherited, ...env } });
  atEndOfFile(() => child.kill('SIGKILL'));
  if (closeOutput) child.stdout.destroy();
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, out, err });
    });
  });
  return { child, ended };
}
