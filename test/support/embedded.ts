// Embedded stores for tests, made in half a second from a snapshot of a migrated database instead of five from nothing.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { runMigrations } from 'bullmq';
import { embeddedBacking } from '../../src/store/embedded.ts';
import { migrations } from '../../src/store/migrate.ts';
import type { Store } from '../../src/store/store.ts';
import { storeOn } from '../../src/store/store.ts';

/** A new store in memory, with the tables of the queue as well. */
export async function freshEmbedded(): Promise<Store> {
  return storeOn(embeddedBacking(await PGlite.create({ loadDataDir: await snapshotOfStore() })));
}

/** A new folder that `openStore({ folder })` opens as one that was in use before. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-store-'));
  await cp(await keptFor('folder', await madeFrom(), makeFolder), folder, { recursive: true });
  return folder;
}

async function makeFolder(folder: string): Promise<void> {
  const database = await PGlite.create({ dataDir: join(folder, 'database'), loadDataDir: await snapshotOfStore() });
  await database.close();
  await writeFile(join(folder, 'database', 'casebridge-ready'), '');
}

/** The files of a migrated database. */
export async function snapshotOfStore(): Promise<Blob> {
  return keptSnapshot('checkpointed', await madeFrom(), makeSnapshot);
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
  // So that a start on the snapshot has nothing to recover.
  await database.exec('checkpoint');
  const dump = await database.dumpDataDir('none');
  await store.close();
  return new Uint8Array(await dump.arrayBuffer());
}

async function versionOf(name: string): Promise<string> {
  const path = join(import.meta.dirname, '..', '..', 'node_modules', name, 'package.json');
  return JSON.parse(await readFile(path, 'utf8')).version;
}
