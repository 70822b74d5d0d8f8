import { describe, expect, test } from '@jest/globals';
import type { Migration } from '../../src/store/migrate.ts';
import { migrate, migrations } from '../../src/store/migrate.ts';
import type { Store } from '../../src/store/store.ts';
import { openStore, sql } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { describeOnPostgres } from '../support/servers.ts';

const newest = migrations.at(-1)?.id ?? 0;
const addTable: Migration = { id: newest + 1, name: 'added', sql: 'create table added (id integer primary key);' };
const fillTable: Migration = {
  id: newest + 2,
  name: 'filled',
  sql: 'insert into added values (1); insert into added values (2);',
};
const dies: Migration = { ...fillTable, sql: 'insert into added values (1); select 1 / 0;' };

describe('migrations', () => {
  test('run once: a second run changes nothing', () =>
    withStore(async ({ db }) => {
      await migrate(db, [...migrations, addTable, fillTable]);
      await migrate(db, [...migrations, addTable, fillTable]);
      expect(await readAll(db)).toEqual({
        applied: [...migrations.map(({ id }) => id), addTable.id, fillTable.id],
        added: [1, 2],
      });
    }));

  test('that die in the middle leave whole steps, and the next start goes on', () =>
    withStore(async ({ db }) => {
      await expect(migrate(db, [...migrations, addTable, dies])).rejects.toMatchObject({ code: '22012' });
      expect((await readAll(db)).added).toEqual([]);
      await migrate(db, [...migrations, addTable, fillTable]);
      expect((await readAll(db)).added).toEqual([1, 2]);
    }));

  test('of a newer program are refused with what to do, and nothing is changed', () =>
    withStore(async ({ db }) => {
      await migrate(db, [...migrations, addTable]);
      await expect(migrate(db)).rejects.toMatchObject({
        code: 'store-newer',
        message: `The database belongs to a newer Casebridge (its schema is number ${newest + 1}, this program knows ${newest}). Start the newer program: there is no way back.`,
      });
      expect((await readAll(db)).applied).toContain(addTable.id);
    }));

  test('are numbered from 1 without a gap', () => {
    expect(migrations.map(({ id }) => id)).toEqual(migrations.map((_, index) => index + 1));
  });
});

describeOnPostgres('on a PostgreSQL server', ({ freshDatabase }) => {
  test('ten starts at the same time on an empty database all succeed, and migrate once', async () => {
    const url = await freshDatabase();
    const stores = await Promise.all(Array.from({ length: 10 }, () => openStore({ url, folder: 'unused' })));
    const { rows } = await sql<{ id: number }>`select id from migration order by id`.execute(stores[0]?.db ?? never());
    await Promise.all(stores.map((store) => store.close()));
    expect(rows.map(({ id }) => id)).toEqual(migrations.map(({ id }) => id));
  });

  test('a database newer than the program is refused at the start', async () => {
    const url = await freshDatabase();
    const store = await openStore({ url, folder: 'unused' });
    await migrate(store.db, [...migrations, addTable]);
    await store.close();
    await expect(openStore({ url, folder: 'unused' })).rejects.toMatchObject({ code: 'store-newer' });
  });

  test('a server that is not there is named, without the password', async () => {
    const opening = openStore({ url: 'postgres://casebridge:secret@127.0.0.1:1/records', folder: 'unused' });
    await expect(opening).rejects.toMatchObject({ code: 'store-unusable' });
    const error = await opening.catch((reason: Error) => reason);
    expect(String(error)).toContain('127.0.0.1:1/records');
    expect(String(error)).not.toContain('secret');
  });

  test('settings that weaken "accepted" are told', async () => {
    const store = await openStore({ url: await freshDatabase(), folder: 'unused' });
    const { durability } = store;
    await store.close();
    // The servers of these tests run with fsync off.
    expect(durability).toContain('can be lost when the database server fails, because these are off: fsync.');
  });
});

test('a url that is none is refused without showing it', async () => {
  const opening = openStore({ url: 'postgres//casebridge:secret@host', folder: 'unused' });
  const error = await opening.catch((reason: Error) => reason);
  expect(error).toMatchObject({ code: 'store-unusable' });
  expect(JSON.stringify([String(error), error])).not.toContain('secret');
});

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const store = await freshEmbedded();
  await work(store).finally(() => store.close());
}

async function readAll(db: Store['db']): Promise<{ applied: number[]; added: number[] }> {
  const applied = await sql<{ id: number }>`select id from migration order by id`.execute(db);
  const added = await sql<{ id: number }>`select id from added order by id`.execute(db);
  return { applied: applied.rows.map(({ id }) => id), added: added.rows.map(({ id }) => id) };
}

function never(): never {
  throw new Error('No store was opened.');
}
