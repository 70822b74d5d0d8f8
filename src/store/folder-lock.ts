// One process at a time on an embedded data folder: PGlite itself has no lock, and two processes on one folder lose committed data.
// The lock is a file lock of the operating system, taken through SQLite. It ends with its process, however that ends, so no lock
// is ever stale; it is not fooled by a process id used again, by two containers on one volume, or by a copied folder. The file `holder`
// beside it only tells a person who that is.

import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CasebridgeError } from '../errors.ts';

export interface FolderLock {
  release(): void;
}

/**
 * Takes the folder for this process until `release`, or until the process ends.
 * @throws CasebridgeError `store-locked` naming the holder, when another opener has it (this process may be that opener).
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const lock = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new CasebridgeError('store-locked', { folder, holder: await holderOf(folder) });
  }
  const since = new Date().toISOString();
  await writeFile(join(folder, 'holder'), `process ${process.pid} on ${hostname()}, since ${since}\n`);
  return { release: () => lock.close() };
}

const sqliteBusy = 5;

function isBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === sqliteBusy;
}

/** Who wrote `holder` last; it is written just after the lock is taken, so it can be missing for a moment. */
async function holderOf(folder: string): Promise<string> {
  const holder = await readFile(join(folder, 'holder'), 'utf8').catch(() => '');
  return holder.trim() || 'another process that has just started';
}
