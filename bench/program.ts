// The programs under measurement, as processes of their own that can be looked at from outside.

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isObject, type Json, type JsonObject } from '../src/json.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const startMs = 60_000;

export interface BenchProgram {
  readonly pid: number;
  /** What it said when it was ready: `{url}`, or `{working: true}`. */
  readonly said: JsonObject;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
}

export interface BenchProgramOptions {
  readonly name: string;
  /** Of the command line; `--json` is added. */
  readonly arguments: readonly string[];
  /** Where its log goes, as `<name>.log`. */
  readonly folder: string;
  /** Environment variables beside ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node.js. */
  readonly node?: readonly string[];
}

/** Starts a program and waits for its first line of JSON on standard output. A program that ends by itself ends the bench. */
export async function startBenchProgram(options: BenchProgramOptions): Promise<BenchProgram> {
  const { name, folder, node = [], env } = options;
  const child = spawn(process.execPath, [...node, main, ...options.arguments, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`The ${name} could not be started.`);
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  const log = createWriteStream(join(folder, `${name}.log`));
  child.stderr.pipe(log);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ready = Promise.withResolvers<JsonObject>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const value: Json = line.startsWith('{') ? JSON.parse(line) : null;
    if (isObject(value)) ready.resolve(value);
  });
  const tooLate = () => ready.reject(new Error(`The ${name} was not ready within ${startMs} ms.`));
  const late = setTimeout(tooLate, startMs);
  let isStopping = false;
  void ended.then(() => {
    process.off('exit', killed);
    if (isStopping) return;
    const problem = new Error(`The ${name} ended by itself; its log is in ${folder}.`);
    ready.reject(problem);
    process.nextTick(() => {
      throw problem;
    });
  });
  const said = await ready.promise.finally(() => clearTimeout(late));
  return {
    pid,
    said,
    async stop() {
      isStopping = true;
      child.kill('SIGTERM');
      await ended;
    },
  };
}
