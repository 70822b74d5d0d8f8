// The embedded default: PGlite in a folder, held by one process. A folder holds `lock`, `holder` and `database`.

import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { CasebridgeError } from '../errors.ts';
import { lockFolder } from './folder-lock.ts';
import { schema } from './migrate.ts';
import { PglitePool, Session } from './pglite-pool.ts';
import type { Backing } from './store.ts';
import { TransactionScope } from './transaction-scope.ts';

const readyMarker = 'casebridge-ready';

/**
 * Takes the folder (made if it is not there) and opens the database in it.
 * @throws CasebridgeError `store-locked` when another process has it, `store-unusable` when it cannot be made or opened.
 */
export async function openEmbedded(folder: string): Promise<Backing> {
  const directory = join(folder, 'database');
  try {
    await mkdir(folder, { recursive: true });
    const lock = await lockFolder(folder);
    try {
      await moveHalfMadeAside(directory);
      const backing = embeddedBacking(await unlessIdle(PGlite.create(directory), mostIdleSeconds));
      return {
        ...backing,
        ready: () => writeFile(join(directory, readyMarker), ''),
        close: () => backing.close().finally(lock.release),
      };
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof CasebridgeError) throw error;
    throw new CasebridgeError('store-unusable', { where: folder, problem: problemOf(error) }, { cause: error });
  }
}

/** On a disk that fills up while it opens its files, PGlite may wait for ever for what does not come. */
const mostIdleSeconds = 30;

/**
 * PGlite works without letting go of the thread, so a second that passes beside it is one in which it has done nothing.
 * @throws Error after so many such seconds
 */
export async function unlessIdle<T>(opening: Promise<T>, seconds: number): Promise<T> {
  let ticks: NodeJS.Timeout | undefined;
  const stuck = new Promise<never>((_, fail) => {
    let idle = 0;
    ticks = setInterval(() => {
      idle += 1;
      if (idle >= seconds) fail(new Error(`it did not open within ${seconds} s; the disk may be full`));
    }, 1_000);
  });
  return Promise.race([opening, stuck]).finally(() => clearInterval(ticks));
}

/** PGlite's file system throws what is no Error, with WASI's number: 51 is ENOSPC. Where PostgreSQL gives up on the files, all of it is aborted. */
function problemOf(error: unknown): string {
  if (error instanceof Error)
    return error.message.startsWith('Aborted(')
      ? 'it gave up while it opened its files; where the disk has room they may be damaged: restore the folder from a backup'
      : error.message;
  const number = typeof error === 'object' && error !== null && 'errno' in error ? error.errno : undefined;
  return number === 51 ? 'no room is left on the disk' : `its file system fails with error ${number ?? 'unknown'}`;
}

/** A store's backing on a PGlite that is open already. */
export function embeddedBacking(database: PGlite): Backing {
  const scope = new TransactionScope();
  const session = new Session(database, scope);
  const pool = new PglitePool(session, schema);
  return {
    kind: 'embedded',
    scope,
    pool,
    queuePool: () => pool.withSearchPath('bullmq'),
    durability: async () =>
      'Embedded database: what was answered "accepted" survives the end of the process at any time, but not a power cut, because the database does not wait for the disk.',
    findings: async () => [],
    ready: async () => {},
    async close() {
      const giveTurn = await session.takeTurn();
      await database.close().finally(giveTurn);
    },
  };
}

/**
 * A first start that was killed may leave a folder that never held a record: the marker, written after the first migration, is
 * missing. It is kept under another name, for a person to look at.
 */
async function moveHalfMadeAside(directory: string): Promise<void> {
  const files = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (files.length === 0 || files.includes(readyMarker)) return;
  await rename(directory, `${directory}-incomplete-${new Date().toISOString().replaceAll(':', '-')}`);
}
