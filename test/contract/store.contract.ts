// What every store keeps to, embedded or on a server. Run by store.test.ts on both.

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { DatabaseError, json, sql } from '../../src/store/store.ts';

export interface StoreUnderTest {
  /** A store with an empty database. */
  open(): Promise<Store>;
  /** False for the embedded store: its one connection runs transactions one after another. */
  readonly transactionsOverlap: boolean;
}

export function storeContract({ open, transactionsOverlap }: StoreUnderTest): void {
  let opened: Store | undefined;

  beforeAll(async () => {
    opened = await open();
  });
  beforeEach(() => withStore(({ db }) => sql`truncate identity, epoch, lane`.execute(db)));
  afterAll(() => opened?.close());

  async function withStore(work: (store: Store) => Promise<unknown>): Promise<void> {
    if (!opened) throw new Error('The store did not open.');
    await work(opened);
  }

  const roundTrips: [name: string, expression: ReturnType<typeof sql<unknown>>, value: unknown][] = [
    ['bigint', sql`7::bigint`, 7],
    ['bigint that a number cannot hold', sql`9007199254740993::bigint`, 9007199254740993n],
    ['count', sql`(select count(*) from (values (1), (2)) as v)`, 2],
    ['integer', sql`3::integer`, 3],
    ['sum of bigint', sql`(select sum(n) from (values (1::bigint), (2)) as v (n))`, '3'],
    ['boolean', sql`true`, true],
    ['text', sql`${'Zoë ✓'}::text`, 'Zoë ✓'],
    ['null', sql`null::text`, null],
    ['timestamptz', sql`${new Date('2026-03-01T10:00:00.123Z')}::timestamptz`, new Date('2026-03-01T10:00:00.123Z')],
    ['text[]', sql`${['a', 'b,"c"', '']}::text[]`, ['a', 'b,"c"', '']],
    ['empty text[]', sql`${[]}::text[]`, []],
    ['jsonb object', json({ a: [1, 'x', null], b: { c: true } }), { a: [1, 'x', null], b: { c: true } }],
    ['jsonb list', json([{ a: 1 }, 'x']), [{ a: 1 }, 'x']],
    ['jsonb text', json('say "no"'), 'say "no"'],
    ['jsonb text that looks like JSON', json('{"a":1}'), '{"a":1}'],
    ['jsonb number', json(1.5), 1.5],
    ['jsonb null', json(null), null],
  ];

  test.each(roundTrips)('%s comes back as it went in', (_name, expression, value) =>
    withStore(async ({ db }) => {
      const { rows } = await sql<{ value: unknown }>`select ${expression} as value`.execute(db);
      expect(rows).toEqual([{ value }]);
    }),
  );

  test('a lane keeps its columns, with the defaults of the schema', () =>
    withStore(async ({ db, now }) => {
      const lane = { connection: 'general', subject: 'county.case.c1', source: 'county' };
      await db.insertInto('lane').values(lane).execute();
      const stored = await db.selectFrom('lane').selectAll().executeTakeFirstOrThrow();
      expect(stored).toMatchObject({ ...lane, wanted: 0, done: 0, priority: 50, waiting: false, parked: null });
      expect(stored.due_at).toBeInstanceOf(Date);
      expect(Math.abs(stored.due_at.getTime() - (await now()).getTime())).toBeLessThan(60_000);
    }));

  test('the number of changed rows is told', () =>
    withStore(async ({ db }) => {
      await db
        .insertInto('identity')
        .values([
          { name: 'a', value: '1' },
          { name: 'b', value: '1' },
        ])
        .execute();
      const changed = await db.updateTable('identity').set({ value: '2' }).executeTakeFirst();
      expect(changed.numUpdatedRows).toBe(2n);
      const none = await db.deleteFrom('identity').where('name', '=', 'c').executeTakeFirst();
      expect(none.numDeletedRows).toBe(0n);
    }));

  test('a transaction commits all or nothing', () =>
    withStore(async ({ db, tx }) => {
      await tx((trx) => trx.insertInto('identity').values({ name: 'kept', value: '1' }).execute());
      const failed = tx(async (trx) => {
        await trx.insertInto('identity').values({ name: 'dropped', value: '1' }).execute();
        throw new Error('changed its mind');
      });
      await expect(failed).rejects.toThrow('changed its mind');
      expect(await db.selectFrom('identity').select('name').execute()).toEqual([{ name: 'kept' }]);
    }));

  test('after a refused statement the transaction is rolled back and the store goes on', () =>
    withStore(async ({ db, tx }) => {
      const failed = tx(async (trx) => {
        await trx.insertInto('identity').values({ name: 'a', value: '1' }).execute();
        await trx.insertInto('identity').values({ name: 'a', value: '2' }).execute();
      });
      await expect(failed).rejects.toMatchObject({ code: '23505', table: 'identity', constraint: 'identity_pkey' });
      expect(await db.selectFrom('identity').selectAll().execute()).toEqual([]);
    }));

  test('an error of the database quotes no value', () =>
    withStore(async ({ db }) => {
      await db.insertInto('identity').values({ name: 'Maria Example', value: '1' }).execute();
      const again = db.insertInto('identity').values({ name: 'Maria Example', value: '1' }).execute();
      const misfit = sql`select ${'Maria Example'}::text::integer`.execute(db);
      for (const failure of await Promise.allSettled([again, misfit])) {
        if (failure.status === 'fulfilled') throw new Error('should have been refused');
        expect(failure.reason).toBeInstanceOf(DatabaseError);
        expect(JSON.stringify([failure.reason, failure.reason.message, failure.reason.stack])).not.toContain('Maria');
      }
    }));

  test('repeatable read sees one moment', () =>
    withStore(async ({ db, tx }) => {
      await db.insertInto('identity').values({ name: 'a', value: 'old' }).execute();
      const read = (trx: typeof db) => trx.selectFrom('identity').select('value').executeTakeFirstOrThrow();
      // The writer starts before the reader's transaction, so that it is not inside it; it writes when told.
      const { promise: readOnce, resolve: hasReadOnce } = Promise.withResolvers<void>();
      const writer = readOnce.then(() => db.updateTable('identity').set({ value: 'new' }).execute());
      const both = await tx(
        async (trx) => {
          const first = await read(trx);
          hasReadOnce();
          // On the embedded store the writer waits for the end of this transaction.
          if (transactionsOverlap) await writer;
          return [first, await read(trx)];
        },
        { isolation: 'repeatable read' },
      );
      await writer;
      expect(both).toEqual([{ value: 'old' }, { value: 'old' }]);
      expect(await read(db)).toEqual({ value: 'new' });
    }));

  test('many transactions on one row at the same time lose no update', () =>
    withStore(async ({ db, tx }) => {
      await db.insertInto('epoch').values({ key: 'k', n: 0 }).execute();
      const raise = () =>
        tx(async (trx) => {
          const { n } = await trx
            .selectFrom('epoch')
            .select('n')
            .where('key', '=', 'k')
            .forUpdate()
            .executeTakeFirstOrThrow();
          await trx
            .updateTable('epoch')
            .set({ n: n + 1 })
            .where('key', '=', 'k')
            .execute();
        });
      await Promise.all(Array.from({ length: 40 }, raise));
      expect(await db.selectFrom('epoch').select('n').executeTakeFirst()).toEqual({ n: 40 });
    }));

  test.each(['40001', '40P01'])('a transaction that the database ends with %s is run again', (code) =>
    withStore(async ({ tx }) => {
      let runs = 0;
      const answer = await tx(async (trx) => {
        runs += 1;
        if (runs < 3) await raiseError(code).execute(trx);
        return 'done';
      });
      expect({ answer, runs }).toEqual({ answer: 'done', runs: 3 });
    }),
  );

  test('a transaction that never gets through fails after five tries', () =>
    withStore(async ({ tx }) => {
      let runs = 0;
      const hopeless = tx(async (trx) => {
        runs += 1;
        await raiseError('40001').execute(trx);
      });
      await expect(hopeless).rejects.toMatchObject({ code: '40001' });
      expect(runs).toBe(5);
    }));

  test('an error of the work itself is not tried again', () =>
    withStore(async ({ tx }) => {
      let runs = 0;
      const failing = tx(async () => {
        runs += 1;
        throw new Error('mine');
      });
      await expect(failing).rejects.toThrow('mine');
      expect(runs).toBe(1);
    }));

  test('a query beside the handle of the transaction throws instead of waiting for ever', () =>
    withStore(async ({ db, tx, forbidInTransaction }) => {
      const select = () => db.selectFrom('identity').selectAll().execute();
      await expect(tx(select)).rejects.toThrow('Inside a transaction use only its own handle');
      await expect(tx(() => tx(async () => {}))).rejects.toThrow('Inside a transaction');
      await expect(tx(async () => forbidInTransaction())).rejects.toThrow('Inside a transaction');
      expect(await select()).toEqual([]);
    }));

  test('what a transaction leaves behind may query after its end', () =>
    withStore(async ({ db, tx }) => {
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      let later: Promise<unknown> = Promise.resolve();
      await tx(async () => {
        later = over.then(() => db.selectFrom('identity').selectAll().execute());
      });
      end();
      expect(await later).toEqual([]);
    }));

  test('queries on both handles at the same time stay apart', () =>
    withStore(async ({ db, tx }) => {
      const work = Array.from({ length: 30 }, (_, i) => [
        tx(async (trx) => {
          await trx
            .insertInto('identity')
            .values({ name: `t${i}`, value: 'x' })
            .execute();
          if (i % 3 === 0) throw new Error('rolled back');
        }).catch(() => {}),
        db
          .insertInto('identity')
          .values({ name: `d${i}`, value: 'x' })
          .execute(),
      ]);
      await Promise.all(work.flat());
      const { n } = await db
        .selectFrom('identity')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow();
      expect(n).toBe(30 + 20);
    }));

  test('it says what "accepted" is worth', () =>
    withStore(async ({ durability }) => {
      expect(durability).toContain('"accepted"');
    }));
}

function raiseError(code: string) {
  return sql.raw(`do $$ begin raise exception 'on purpose' using errcode = '${code}'; end $$`);
}
