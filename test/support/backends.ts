// Real PostgreSQL and Redis servers: found on this machine, started on a free port of 127.0.0.1 with their data in a fresh folder, and
// stopped with the process that started them, even when that dies.

import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';

export interface PostgresServer {
  /** Of the shell above the server. */
  readonly pid: number;
  /** The url of a new, empty database; or of a copy of one to which nobody is connected, given by its url. */
  freshDatabase(copyOf?: string): Promise<string>;
  /**
   * Ends it without a farewell, as `pg_ctl stop -m immediate` does, and starts it again on what it had committed.
   * @param awayMs how long it is away
   */
  crash(awayMs?: number): Promise<void>;
  /** It has ended by itself. */
  hasEnded(): boolean;
  stop(): Promise<void>;
}

export interface RedisServer {
  /** Of the shell above the server. */
  readonly pid: number;
  /** The url of an emptied Redis. */
  freshRedis(): Promise<string>;
  /** Kills it and starts it again: empty, unless it is durable. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export function hasPostgres(): boolean {
  return postgresFolder() !== undefined;
}

export function hasRedis(): boolean {
  return onPath('redis-server') !== undefined;
}

/**
 * @param options.durable commits are forced to disk, as in production; by default nothing of it is to survive the machine
 * @param options.under where its folder is made @default the folder of what is temporary
 */
export async function startPostgres({
  durable = false,
  under,
}: {
  readonly durable?: boolean;
  readonly under?: string | undefined;
} = {}): Promise<PostgresServer> {
  const binaries = postgresFolder();
  if (!binaries) throw new Error('There is no PostgreSQL on this machine.');
  const user = postgresUser();
  const folder = freshFolder('postgres', user, under);
  const data = join(folder, 'data');
  const options = ['-A', 'trust', '-U', 'casebridge', '-E', 'UTF8', '--no-sync'];
  const made = spawnSync(join(binaries, 'initdb'), ['-D', data, ...options], {
    ...user,
    encoding: 'utf8',
    cwd: folder,
  });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const port = await freePort();
  const url = (database: string) => `postgres://casebridge@127.0.0.1:${port}/${database}`;
  const fsync = ['-c', `fsync=${durable ? 'on' : 'off'}`];
  const listen = ['-p', String(port), '-k', folder, '-h', '127.0.0.1'];
  const command = [join(binaries, 'postgres'), '-D', data, ...listen, ...fsync];
  const server = await startServer(
    { name: 'PostgreSQL', command, folder, user, signals: { stop: 'INT', crash: 'QUIT' } },
    () => onDatabase(url('postgres'), (client) => client.query('select 1')),
  );
  let databases = 0;
  return {
    get pid() {
      return server.pid;
    },
    crash: server.crash,
    hasEnded: server.hasEnded,
    stop: server.stop,
    async freshDatabase(copyOf) {
      databases += 1;
      const name = `database_${databases}`;
      const template = copyOf === undefined ? '' : ` template ${new URL(copyOf).pathname.slice(1)}`;
      await onDatabase(url('postgres'), (client) => client.query(`create database ${name}${template}`));
      return url(name);
    },
  };
}

/** @param options.durable it keeps an append-only file, as in production */
export async function startRedis({ durable = false } = {}): Promise<RedisServer> {
  const binary = onPath('redis-server');
  if (!binary) throw new Error('There is no Redis on this machine.');
  const folder = freshFolder('redis');
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const settings = ['--save', "''", '--maxmemory-policy', 'noeviction', '--appendonly', durable ? 'yes' : 'no'];
  const command = [binary, '--port', String(port), '--bind', '127.0.0.1', ...settings];
  const server = await startServer({ name: 'Redis', command, folder, signals: { stop: 'INT', crash: 'KILL' } }, () =>
    onRedis(url, (redis) => redis.ping()),
  );
  return {
    get pid() {
      return server.pid;
    },
    crash: server.crash,
    stop: server.stop,
    async freshRedis() {
      await onRedis(url, (redis) => redis.flushall());
      return url;
    },
  };
}

interface ServerOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly folder: string;
  readonly user?: SystemUser;
  readonly signals: { readonly stop: string; readonly crash: string };
}

/** @param attempt succeeds once the server answers */
async function startServer(
  { name, command, folder, user, signals }: ServerOptions,
  attempt: () => Promise<unknown>,
): Promise<Pick<PostgresServer, 'pid' | 'crash' | 'hasEnded' | 'stop'>> {
  const start = async (): Promise<Run> => {
    const run = runWhileOpen(command, signals.stop, folder, user);
    await eventually(name, run, attempt);
    return run;
  };
  let run = await start();
  return {
    get pid() {
      return run.pid;
    },
    hasEnded: () => run.ended(),
    async crash(awayMs = 0) {
      await run.end(signals.crash);
      await sleep(awayMs);
      run = await start();
    },
    async stop() {
      await run.end(signals.stop);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Run {
  readonly pid: number;
  readonly output: () => string;
  readonly ended: () => boolean;
  /** Sends the signal and waits for the end. */
  end(signal: string): Promise<void>;
}

/** Runs a server for as long as a pipe to it stays open, so that it closes also when this process is killed. */
function runWhileOpen(command: readonly string[], atEnd: string, folder: string, user: SystemUser = {}): Run {
  const end = `{ read signal <&3; kill -\${signal:-${atEnd}} $server; }`;
  // A shell gives what runs beside it no input: hence 3.
  const script = `exec 3<&0; "$@" 3<&- & server=$!; ${end} & asked=$!; wait $server; kill $asked 2>/dev/null; exit 0`;
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...command], { ...user, cwd: folder, stdio: 'pipe' });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // A server that has ended by itself listens to no signal.
  child.stdin.on('error', () => {});
  if (child.pid === undefined) throw new Error(`${command[0]} could not be started.`);
  return {
    pid: child.pid,
    output: () => output,
    ended: () => child.exitCode !== null,
    async end(signal) {
      child.stdin.end(`${signal}\n`);
      await exit;
    },
  };
}

async function eventually(name: string, run: Run, attempt: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > deadline || run.ended())
        throw new Error(`${name} did not start: ${run.output()}`, { cause: error });
      await sleep(50);
    }
  }
}

/** One connection to a database, for as long as the work takes. */
export async function onDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  return work(client).finally(() => client.end());
}

/** One connection to a Redis, for as long as the work takes. */
export async function onRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  redis.on('error', () => {});
  await redis.connect();
  return work(redis).finally(() => redis.disconnect());
}

/** Debian keeps the server's programs out of the path, one folder for each version. */
function postgresFolder(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = versions.map((version) => join(debian, version, 'bin'));
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')));
  return found ?? (isRoot ? undefined : onPath('initdb')?.replace(/initdb$/, ''));
}

interface SystemUser {
  uid?: number;
  gid?: number;
}

const isRoot = process.getuid?.() === 0;

/** PostgreSQL refuses to run as root; Debian's package brings a user for it. */
function postgresUser(): SystemUser {
  if (!isRoot) return {};
  const id = (option: string) => Number(spawnSync('id', [option, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

function freshFolder(name: string, user: SystemUser = {}, under = tmpdir()): string {
  const folder = mkdtempSync(join(under, `casebridge-${name}-`));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

function onPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
