// The programs of a run as processes of their own, started by the command line that everybody uses. They are killed, frozen, stopped and
// started again; what they say goes to a file each.

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type Json } from '../../src/json.ts';

const root = join(import.meta.dirname, '..', '..');
const main = join(root, 'src', 'main.ts');
// Many short lives of the same program: what Node compiled for one of them serves the next.
const compiled = join(root, 'node_modules', '.cache', 'casebridge-tests');

const children = new Set<ChildProcess>();

/** None of them outlives this process, however it ends but by SIGKILL. */
export function endWithUs(): void {
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
}

export interface ProgramOptions {
  readonly name: string;
  /** Of the command line, without --json. */
  readonly arguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its log goes, as `<name>.log`. */
  readonly folder: string;
}

interface Life {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<number | null>;
}

export interface Refusal {
  readonly code: number | null;
  /** The end of its log. */
  readonly said: string;
}

export interface Stopped {
  readonly code: number | null;
  readonly ms: number;
}

export class Program {
  readonly name: string;
  readonly #options: ProgramOptions;
  #life: Life | undefined;
  #isFrozen = false;
  /** How often it ended without being told to, once it had started. */
  ownEnds = 0;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Where it listens; undefined while it does not, and for one that listens nowhere. */
  get url(): string | undefined {
    return this.#life === undefined || this.#life.url === '' ? undefined : this.#life.url;
  }

  get isRunning(): boolean {
    return this.#life !== undefined && !this.#isFrozen;
  }

  get pid(): number | undefined {
    return this.#life?.child.pid;
  }

  /** Starts it, again and again while what it needs is away. @throws when it does not start within two minutes */
  async start(): Promise<void> {
    for (const deadline = Date.now() + 120_000; ; ) {
      const refused = await this.startOnce();
      if (refused === undefined) return;
      if (Date.now() > deadline) throw new Error(`${this.name} does not start: ${refused.said}`);
      await sleep(200);
    }
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks it politely to end. */
  async stop(): Promise<Stopped> {
    const asked = performance.now();
    const code = await this.#end('SIGTERM');
    return { code, ms: Math.round(performance.now() - asked) };
  }

  freeze(): void {
    this.#isFrozen = this.#life?.child.kill('SIGSTOP') === true;
  }

  thaw(): void {
    this.#life?.child.kill('SIGCONT');
    this.#isFrozen = false;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const life = this.#life;
    this.#life = undefined;
    this.#isFrozen = false;
    life?.child.kill(signal);
    return life === undefined ? null : life.ended;
  }

  /** @returns how it ended instead of starting; undefined when it runs */
  async startOnce(): Promise<Refusal | undefined> {
    const { name, arguments: words, env, folder } = this.#options;
    const child = spawn(process.execPath, [main, ...words, '--json'], {
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compiled, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(join(folder, `${name}.log`), { flags: 'a' });
    child.stderr.pipe(log);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2_000);
    });
    children.add(child);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    void ended.then(() => children.delete(child));
    const first = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    const line = await Promise.race([first, ended]);
    const url = typeof line === 'string' ? urlIn(line) : undefined;
    if (url === undefined) {
      return { code: await ended, said };
    }
    const life = { child, ended, url };
    this.#life = life;
    void ended.then(() => {
      if (this.#life !== life) return;
      this.#life = undefined;
      this.ownEnds += 1;
    });
    return undefined;
  }
}

/** Where it listens, '' for one that listens nowhere; undefined when the line tells why it does not start. */
function urlIn(line: string): string | undefined {
  const value: Json = JSON.parse(line);
  if (!isObject(value) || (value.url === undefined && value.working !== true)) return undefined;
  return typeof value.url === 'string' ? value.url : '';
}
