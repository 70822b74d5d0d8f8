// The store: one PostgreSQL schema, on the embedded PGlite or on a server, behind one handle.
// Times that more than one process compares are the database's (lanes.md 5).

import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresPool, Transaction } from 'kysely';
import { Kysely, PostgresDialect, sql } from 'kysely';
import type pg from 'pg';
import type { Reason } from '../errors.ts';
import { DatabaseError, withoutContent } from './database-error.ts';
import { openEmbedded } from './embedded.ts';
import type { StoreUse } from './examine.ts';
import { migrate } from './migrate.ts';
import type { PglitePool } from './pglite-pool.ts';
import { openPostgres } from './postgres.ts';
import type { Database } from './tables.ts';
import type { TransactionScope } from './transaction-scope.ts';

export type { Transaction } from 'kysely';
export { sql } from 'kysely';
export { DatabaseError } from './database-error.ts';
export { oneText } from './one-text.ts';
export type {
  ChangedElement,
  Database,
  JsonText,
  LaneBasis,
  Recipient,
  RecordsFor,
  ReplayScope,
  SetAside,
  Signed,
} from './tables.ts';
export { json } from './tables.ts';
export { keepUp } from './upkeep.ts';

export interface Store {
  readonly kind: 'embedded' | 'postgres';
  /** For single statements. Inside `tx` its use throws: there is the transaction's own handle. */
  readonly db: Kysely<Database>;
  /**
   * Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. It is run again, up to five times
   * in all, when the database ends it for the sake of another one (40001, 40P01), so `work` does nothing but talk to the store.
   */
  tx<T>(work: (trx: Transaction<Database>) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Runs one statement, which is a transaction by itself, and runs it again as `tx` does. It costs a third of the round trips of `tx`. */
  once<T>(statement: (db: Kysely<Database>) => Promise<T>): Promise<T>;
  /** The database's time. */
  now(): Promise<Date>;
  /** A pool for BullMQ's PostgreSQL backend, with its own schema as search path. Whoever asks for it ends it. */
  queuePool(): PglitePool | pg.Pool;
  /** Throws inside a transaction of this store. */
  forbidInTransaction(): void;
  /** What "accepted" is worth here, in one sentence. */
  readonly durability: string;
  /** Settings of the database server that endanger records or our processes, with what to do. */
  findings(use: StoreUse): Promise<readonly Reason[]>;
  /** Waits for what runs, then closes the database and gives the folder free. */
  close(): Promise<void>;
}

export interface TransactionOptions {
  readonly isolation?: 'repeatable read';
}

export interface StoreOptions {
  /** `postgres://…`; absent: embedded in `folder`. */
  readonly url?: string;
  readonly folder: string;
}

/** What the two kinds of store bring: a pool, and what differs around it. */
export interface Backing {
  readonly kind: Store['kind'];
  readonly scope: TransactionScope;
  readonly pool: PostgresPool;
  queuePool(): PglitePool | pg.Pool;
  durability(db: Kysely<Database>): Promise<string>;
  findings(db: Kysely<Database>, use: StoreUse): Promise<readonly Reason[]>;
  /** Called once the schema is there. */
  ready(): Promise<void>;
  /** Called after the pool was ended. */
  close(): Promise<void>;
}

/**
 * Opens the store and brings its schema up to date.
 * @throws CasebridgeError `store-locked`, `store-unusable`, `store-too-old`, `store-newer`: nothing was changed.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return storeOn(options.url ? await openPostgres(options.url) : await openEmbedded(options.folder));
}

/** The store on an opened backing, which it closes again when the schema cannot be brought up to date. */
export async function storeOn(backing: Backing): Promise<Store> {
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: guarded(backing) }) });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= db.destroy().finally(() => backing.close());
    return closing;
  };
  try {
    await migrate(db);
    await backing.ready();
    return {
      kind: backing.kind,
      db,
      tx: (work, options) => repeated(() => transaction(db, backing.scope, work, options)),
      once: (statement) => repeated(() => statement(db)),
      now: () => timeOf(db),
      queuePool: () => backing.queuePool(),
      forbidInTransaction: () => backing.scope.forbid(),
      durability: await backing.durability(db),
      findings: (use) => backing.findings(db, use),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The pool as our own queries meet it: closed inside a transaction, and with errors that quote no record. */
function guarded({ pool, scope }: Backing): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      scope.forbid();
      return withoutContent(await pool.connect());
    },
  };
}

function transaction<T>(
  db: Kysely<Database>,
  scope: TransactionScope,
  work: (trx: Transaction<Database>) => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  const builder = options?.isolation ? db.transaction().setIsolationLevel(options.isolation) : db.transaction();
  return builder.execute((trx) => scope.run(() => work(trx)));
}

const tries = 5;
const serializationFailure = '40001';
const deadlock = '40P01';

async function repeated<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt === tries || !isTransient(error)) throw error;
      // A random share of a growing pause, so that two that met once do not meet again.
      await sleep(Math.random() * 20 * 2 ** attempt);
    }
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === serializationFailure || error.code === deadlock);
}

/** The database's time. */
export async function timeOf(db: Kysely<Database>): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const now = rows[0]?.now;
  if (!now) throw new Error('The database did not tell its time.');
  return now;
}
