import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openStore } from '../../src/store/store.ts';
import { inherited, shortLived } from '../commands/program.ts';
import { freshFolder } from '../support/embedded.ts';

const folders: string[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

describe('one process at a time on an embedded folder', () => {
  test('a second process is refused by name, and the first one loses nothing', async () => {
    const folder = await someFolder();
    const first = holdFolder(folder);
    expect(await first.line()).toBe('open');
    const second = holdFolder(folder);
    expect(await second.line()).toBe('store-locked');
    await expect(openStore({ folder })).rejects.toThrow(
      new RegExp(`is in use by process ${first.pid} on .+, since 20`),
    );
    first.write('after');
    expect(await first.line()).toBe('after');
  });

  test('this process cannot open it twice either', async () => {
    const folder = await someFolder();
    const store = await openStore({ folder });
    await expect(openStore({ folder })).rejects.toMatchObject({ code: 'store-locked' });
    await store.close();
    await (await openStore({ folder })).close();
  });

  test('of many that start at the same time exactly one gets it', async () => {
    const folder = await someFolder();
    const answers = await Promise.all(Array.from({ length: 3 }, () => holdFolder(folder).line()));
    expect(answers.sort()).toEqual(['open', ...Array(2).fill('store-locked')]);
  });

  test('a killed holder needs nobody to clean up, and what it acknowledged is there', async () => {
    const folder = await someFolder();
    const holder = holdFolder(folder);
    expect(await holder.line()).toBe('open');
    for (const name of ['a', 'b', 'c']) {
      holder.write(name);
      expect(await holder.line()).toBe(name);
    }
    await holder.kill();
    const store = await openStore({ folder });
    const rows = await store.db.selectFrom('identity').select('name').orderBy('name').execute();
    await store.close();
    expect(rows.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('a copy of a folder in use opens beside it', async () => {
    const folder = await someFolder();
    const store = await openStore({ folder });
    const copy = `${folder}-copy`;
    folders.push(copy);
    await cp(folder, copy, { recursive: true });
    const other = await openStore({ folder: copy });
    await other.close();
    await store.close();
  });
});

describe('the folder', () => {
  test('is made with its parents, and a folder that a first start left half made is put aside, not deleted', async () => {
    const base = await mkdtemp(join(tmpdir(), 'casebridge-store-'));
    folders.push(base);
    const folder = join(base, 'not', 'yet', 'there');
    await mkdir(join(folder, 'database'), { recursive: true });
    await writeFile(join(folder, 'database', 'half'), 'made');
    await (await openStore({ folder })).close();
    const aside = (await readdir(folder)).filter((name) => name.startsWith('database-incomplete-'));
    expect(aside).toHaveLength(1);
    expect(await readdir(join(folder, aside[0] ?? ''))).toEqual(['half']);
  });

  test('in use before is opened as it is', async () => {
    const folder = await someFolder();
    await (await openStore({ folder })).close();
    expect((await readdir(folder)).sort()).toEqual(['database', 'holder', 'lock']);
  });

  test('with damaged files is told in words', async () => {
    const folder = await someFolder();
    await writeFile(join(folder, 'database', 'global', 'pg_control'), 'damaged');
    await expect(openStore({ folder })).rejects.toMatchObject({
      code: 'store-unusable',
      message: expect.stringContaining('they may be damaged: restore the folder from a backup'),
    });
  });

  test('that cannot be made is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'casebridge-store-'));
    folders.push(folder);
    await writeFile(join(folder, 'file'), '');
    await expect(openStore({ folder: join(folder, 'file', 'data') })).rejects.toMatchObject({
      code: 'store-unusable',
      parameters: { where: join(folder, 'file', 'data') },
    });
  });
});

async function someFolder(): Promise<string> {
  const folder = await freshFolder();
  folders.push(folder);
  return folder;
}

interface Holder {
  pid: number | undefined;
  line(): Promise<string | undefined>;
  write(text: string): void;
  kill(): Promise<void>;
}

function holdFolder(folder: string): Holder {
  const script = join(import.meta.dirname, 'hold-folder.ts');
  const child = spawn(process.execPath, [...shortLived, script, folder], {
    env: inherited,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid,
    line: async () => (await lines.next()).value,
    write: (text) => child.stdin.write(`${text}\n`),
    kill: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}
