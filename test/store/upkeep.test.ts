import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keepUp, openStore, type Store, sql } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { describeOnPostgres } from '../support/servers.ts';

const rows = 5_000;

describe('the embedded database', () => {
  const at = keepsUp(freshEmbedded);

  test('uses the room of old rows again', async () => {
    const before = await at.bytes();
    for (let edition = 1; edition <= 6; edition += 1) {
      await sql`update epoch set n = ${edition}`.execute(at.store().db);
      await keepUp(at.store());
    }
    expect(await at.bytes()).toBeLessThan(before * 4);
  });
});

describeOnPostgres('a PostgreSQL server', ({ freshDatabase }) => {
  keepsUp(async () => openStore({ url: await freshDatabase(), folder: 'unused' }));
});

function keepsUp(open: () => Promise<Store>) {
  let opened: Store;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.close());

  test('knows a table that has grown, and is asked once for each time it grows by half', async () => {
    await fill(1, rows);
    expect(await keepUp(opened)).toEqual(['epoch']);
    expect(await known()).toBe(rows);
    await fill(rows + 1, rows * 1.25);
    expect(await keepUp(opened)).toEqual([]);
    await fill(rows * 1.25 + 1, rows * 2);
    expect(await keepUp(opened)).toEqual(['epoch']);
    expect(await known()).toBe(rows * 2);
  });

  const fill = (from: number, to: number) =>
    sql`insert into epoch (key, n) select 'key-' || g, 0 from generate_series(${from}::integer, ${to}::integer) g`.execute(
      opened.db,
    );

  const known = async () => {
    const found = await sql<{
      rows: number;
    }>`select reltuples as rows from pg_class where oid = 'epoch'::regclass`.execute(opened.db);
    return found.rows[0]?.rows;
  };

  return {
    store: () => opened,
    async bytes() {
      const found = await sql<{ bytes: number }>`select pg_relation_size('epoch') as bytes`.execute(opened.db);
      return Number(found.rows[0]?.bytes);
    },
  };
}
