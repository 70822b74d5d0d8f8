// A PostgreSQL server as the store: one pool for our tables, another for BullMQ's when the queue has no Redis.

import type { Kysely, PostgresPool } from 'kysely';
import { sql } from 'kysely';
import pg from 'pg';
import { CasebridgeError } from '../errors.ts';
import { DatabaseError } from './database-error.ts';
import { examinePostgres, poolSize } from './examine.ts';
import { schema } from './migrate.ts';
import type { Backing } from './store.ts';
import type { Database } from './tables.ts';
import { TransactionScope } from './transaction-scope.ts';

const oldestVersion = 15;

/**
 * Opens the pools of a server.
 * @param askEveryMs how often the server is asked whether it still works on a statement that it has not answered
 * @throws CasebridgeError `store-unusable` when it cannot be reached or refuses us, `store-too-old` below PostgreSQL 15.
 */
export async function openPostgres(url: string, askEveryMs = 10_000): Promise<Backing> {
  const pool = openPool(url, schema);
  await checkServer(pool, url).catch(async (error) => {
    await pool.end();
    throw error;
  });
  return {
    kind: 'postgres',
    scope: new TransactionScope(),
    pool: withPreparedStatements(pool, (pid) => isWorking(url, pid), askEveryMs),
    // BullMQ's statements are short, whatever lies in the queue.
    queuePool: () => openPool(url, 'bullmq', 3 * askEveryMs),
    durability: readDurability,
    findings: examinePostgres,
    ready: async () => {},
    close: async () => {},
  };
}

function openPool(url: string, searchPath: string, statementMs?: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withSearchPath(url, searchPath),
    types: { getTypeParser },
    max: poolSize,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 10_000,
    query_timeout: statementMs,
    // A frozen process must not hold rows of others for ever.
    idle_in_transaction_session_timeout: 60_000,
  });
  // A connection that breaks is replaced at its next use, which fails if the server is still away. Without these listeners the
  // event would end the process, whether the connection is idle or in use.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** More texts than our code has; what goes beyond (lists written out in a text) is planned each time. */
const mostPrepared = 500;

/** What the driver says of a connection that broke or never came about; it gives none of these a code. */
const lost =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;

/** @throws DatabaseError 08006 (connection_failure) where the driver lost the connection, else the error itself */
function throwLost(error: unknown): never {
  if (error instanceof Error && !('code' in error) && lost.test(error.message))
    throw new DatabaseError('08006', error.message, {});
  throw error;
}

/** @throws DatabaseError 08001 (no connection came about) where the server lets nobody in, on a full disk or with a changed password; else as `throwLost` */
function throwUnconnected(error: unknown): never {
  if (error instanceof pg.DatabaseError) throw new DatabaseError('08001', `${error.message} (${error.code})`, {});
  return throwLost(error);
}

/** "cached plan must not change result type": another version of us has changed a table. A fresh connection plans anew. */
const planOutdated = '0A000';

/**
 * Whether the server works on what the connection of this process id of its has asked, told on another connection. Where it does not say so, as where
 * it lets nobody else in, it may.
 */
async function isWorking(url: string, pid: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 4_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(
      `select 1 from pg_stat_activity where pid = $1 and coalesce(state, '') not like 'idle%'`,
      [pid],
    );
    return rows.length > 0;
  } catch (error) {
    return error instanceof pg.DatabaseError;
  } finally {
    void client.end();
  }
}

/**
 * The answer to a statement. A connection can fall silent without an end, as where its host is lost or a firewall has forgotten it; a statement can also
 * take long. So the server is asked, and the connection ended when it twice in a row does not work on the statement: an answer may be on its way.
 */
async function unlessSilent<T>(
  answer: Promise<T>,
  isWorked: () => Promise<boolean>,
  end: () => void,
  everyMs: number,
): Promise<T> {
  let idle = 0;
  const timer = setInterval(async () => {
    idle = (await isWorked()) ? 0 : idle + 1;
    if (idle === 2) end();
  }, everyMs);
  return answer.finally(() => clearInterval(timer));
}

/** Names statements by their text, so that the server parses and plans each once per connection and not at every use. */
function withPreparedStatements(
  pool: pg.Pool,
  isWorking: (pid: number) => Promise<boolean>,
  askEveryMs: number,
): PostgresPool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= mostPrepared) return known;
    const name = `casebridge-${names.size + 1}`;
    names.set(text, name);
    return name;
  };
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch(throwUnconnected);
      // The driver's types leave it out.
      const pid = Number(Reflect.get(client, 'processID'));
      const answered = <T>(answer: Promise<T>) =>
        unlessSilent(
          answer,
          () => isWorking(pid),
          () => void client.end(),
          askEveryMs,
        );
      let isOutdated = false;
      const noteOutdated = (error: unknown): never => {
        isOutdated ||= error instanceof pg.DatabaseError && error.code === planOutdated;
        return throwLost(error);
      };
      function query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<pg.QueryResult<R>>;
      function query(): never;
      function query(text?: string, values: readonly unknown[] = []): unknown {
        if (text === undefined) throw new Error('Cursors are not offered: read in pages.');
        if (values.length === 0) return answered(client.query(text)).catch(throwLost);
        return answered(client.query({ name: nameOf(text), text, values: [...values] })).catch(noteOutdated);
      }
      return { query, release: (destroy) => client.release(destroy || isOutdated) };
    },
  };
}

/** The url with the search path among its `options`: options of the url would replace those given beside it. */
function withSearchPath(url: string, searchPath: string): string {
  const parsed = parseUrl(url);
  // Every statement of ours looks things up by key, in memory or on disks without heads: one plan serves all values, and planning or compiling
  // one costs more than most of them.
  const plans = '-c plan_cache_mode=force_generic_plan -c random_page_cost=1.1 -c jit=off';
  const options = [parsed.searchParams.get('options'), `-c search_path=${searchPath}`, plans];
  parsed.searchParams.set('options', options.filter(Boolean).join(' '));
  return parsed.href;
}

function parseUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed) return parsed;
  // The text itself is not shown: it may hold a password.
  const problem = 'it is not a URL such as postgres://user:password@host:5432/database';
  throw new CasebridgeError('store-unusable', { where: 'store.url', problem });
}

/** As PGlite does it: bigint and count() are numbers, and BigInt only where a number would not be exact. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') => {
  if (oid === pg.types.builtins.INT8 && format !== 'binary') return parseBigint;
  return pg.types.getTypeParser(oid, format);
};

function parseBigint(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

async function checkServer(pool: pg.Pool, url: string): Promise<void> {
  const version = await pool
    .query<{ number: number; text: string }>(
      `select current_setting('server_version_num')::integer as number, current_setting('server_version') as text`,
    )
    .catch((error: Error) => {
      const { host, pathname } = parseUrl(url);
      throw new CasebridgeError(
        'store-unusable',
        { where: `${host}${pathname}`, problem: error.message },
        { cause: error },
      );
    });
  const { number = 0, text = '' } = version.rows[0] ?? {};
  if (number < oldestVersion * 10_000)
    throw new CasebridgeError('store-too-old', { found: text, oldest: oldestVersion });
}

/** The three settings on which "committed means on disk" rests. */
async function readDurability(db: Kysely<Database>): Promise<string> {
  const settings = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name
  `.execute(db);
  const off = settings.rows.filter(({ setting }) => setting === 'off').map(({ name }) => name);
  if (off.length === 0) return 'PostgreSQL: what was answered "accepted" is on the disk of the database server.';
  return `PostgreSQL: what was answered "accepted" can be lost when the database server fails, because these are off: ${off.join(', ')}.`;
}
