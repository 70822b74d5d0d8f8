// Embedded stores for tests, made in half a second from a snapshot of a migrated database instead of five from nothing.

import { createHash } from 'node:crypto';
import { cpSync, existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { runMigrations } from 'bullmq';
import { embeddedBacking } from '../../src/store/embedded.ts';
import { migrations } from '../../src/store/migrate.ts';
import type { Store } from '../../src/store/store.ts';
import { sql, storeOn } from '../../src/store/store.ts';

/** A new store in memory, with the tables of the queue as well. */
export async function freshEmbedded(): Promise<Store> {
  return storeOn(embeddedBacking(await openDatabase()));
}

async function openDatabase(): Promise<PGlite> {
  return PGlite.create({ loadDataDir: await snapshotOfStore() });
}

let kept: Promise<PGlite> | undefined;

/**
 * The database of this test worker, made once: its files take a second each time. Each test file opens it empty, and leaves its schema alone.
 * Closing the store leaves it open for the next file, or, where Jest runs all files in its own process, closes it as well.
 */
export async function sharedEmbedded(): Promise<Store> {
  if (process.send === undefined) return freshEmbedded();
  kept ??= keepDatabase();
  const database = await kept;
  await database.exec('discard all');
  const store = await storeOn({ ...embeddedBacking(database), close: async () => {} });
  const tables = await tablesOf(store);
  await sql.raw(`truncate ${tables.map(({ name }) => name).join(', ')} restart identity`).execute(store.db);
  return store;
}

/** The first item of the message by which Jest lets a worker end (`CHILD_MESSAGE_END` of jest-worker). */
const workerEnds = 2;

/** An open PGlite has a timer, and a worker that has one does not end by itself. */
async function keepDatabase(): Promise<PGlite> {
  const database = await openDatabase();
  const close = (message: unknown): void => {
    if (!Array.isArray(message) || message[0] !== workerEnds) return;
    process.off('message', close);
    void database.close();
  };
  process.on('message', close);
  return database;
}

/** The tables of records and lanes, and whether rows of theirs are counted. */
export async function tablesOf({ db }: Store): Promise<readonly { readonly name: string; readonly counts: boolean }[]> {
  const { rows } = await sql<{ name: string; counts: boolean }>`
    select table_name as name, bool_or(is_identity = 'YES') as counts from information_schema.columns
    where table_schema = current_schema() and table_name <> 'migration'
    group by 1 order by 1`.execute(db);
  return rows;
}

/**
 * A folder that `openStore({ folder })` opens as one that was in use before.
 * @param folder where it is made @default a new one for temporary files
 */
export async function freshFolder(folder?: string): Promise<string> {
  const made = folder ?? (await mkdtemp(join(tmpdir(), 'casebridge-store-')));
  // Its hundreds of files take seven times as long one by one.
  cpSync(await keptFor('small-folder', await madeFrom(), makeFolder), made, { recursive: true });
  return made;
}

async function makeFolder(folder: string): Promise<void> {
  const database = await PGlite.create({ dataDir: join(folder, 'database'), loadDataDir: await snapshotOfStore() });
  await database.close();
  await writeFile(join(folder, 'database', 'casebridge-ready'), '');
}

/** The files of a migrated database. */
export async function snapshotOfStore(): Promise<Blob> {
  return keptSnapshot('small', await madeFrom(), makeSnapshot);
}

/** The files of a database that is made once for our migrations, this PGlite and what else it is made from. */
export async function keptSnapshot(
  name: string,
  from: readonly string[],
  make: () => Promise<Uint8Array>,
): Promise<Blob> {
  const folder = await keptFor(name, from, async (made) => writeFile(join(made, 'snapshot.tar'), await make()));
  return new Blob([await readFile(join(folder, 'snapshot.tar'))]);
}

/** A folder of this content, made once for our migrations, this PGlite and what else it is made from. */
async function keptFor(
  name: string,
  from: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([migrations, await versionOf('@electric-sql/pglite'), ...from]))
    .digest('hex')
    .slice(0, 16);
  const path = join(tmpdir(), `casebridge-${name}-${key}`);
  if (!existsSync(path)) {
    // Several processes may do this at the same time: each fills a folder of its own, and the first rename wins.
    const own = await mkdtemp(`${path}.`);
    await make(own);
    await rename(own, path).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(path)) throw error;
      return rm(own, { recursive: true });
    });
  }
  return path;
}

async function madeFrom(): Promise<string[]> {
  return [await versionOf('bullmq')];
}

async function makeSnapshot(): Promise<Uint8Array> {
  const database = await PGlite.create();
  const store = await storeOn(embeddedBacking(database));
  const client = await store.queuePool().connect();
  await runMigrations(client).finally(() => client.release());
  await makeSmall(database);
  // So that a start on the snapshot has nothing to recover.
  await database.exec('checkpoint');
  const dump = await database.dumpDataDir('none');
  await store.close();
  return new Uint8Array(await dump.arrayBuffer());
}

/**
 * A database of tests is small and short-lived: each start would clear 128 MiB for rows that it never has, and copy two databases that nobody opens.
 */
async function makeSmall(database: PGlite): Promise<void> {
  await database.exec(`alter system set shared_buffers = '16MB'`);
  await database.exec('update pg_database set datistemplate = false');
  for (const name of ['template0', 'template1']) await database.exec(`drop database ${name}`);
}

async function versionOf(name: string): Promise<string> {
  const path = join(import.meta.dirname, '..', '..', 'node_modules', name, 'package.json');
  return JSON.parse(await readFile(path, 'utf8')).version;
}
