// One connection serves everybody who asks the embedded store: a transaction has it alone, and whoever asks for another one inside is told so at once
// (lanes.md 29).

import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { PglitePool, Session } from '../../src/store/pglite-pool.ts';
import { TransactionScope } from '../../src/store/transaction-scope.ts';

let database: PGlite;
let pool: PglitePool;
const scope = new TransactionScope();

beforeAll(async () => {
  database = await PGlite.create();
  pool = new PglitePool(new Session(database, scope), 'one');
  await pool.query(
    'create schema one; create schema two; create table one.t (n integer); create table two.t (n integer);',
  );
});
afterEach(() => pool.query('delete from one.t; delete from two.t'));
afterAll(() => database.close());

describe('the pool over one PGlite', () => {
  test('gives a transaction its turn alone: others wait until it ends', async () => {
    const client = await pool.connect();
    await client.query('begin');
    await client.query('insert into t values (1)');
    let answered = false;
    const beside = pool.query<{ n: number }>('select n from t').then((result) => {
      answered = true;
      return result.rows;
    });
    await turnOfTheLoop();
    expect(answered).toBe(false);
    await client.query('rollback');
    client.release();
    expect(await beside).toEqual([]);
  });

  test('serves in the order of asking', async () => {
    const order: number[] = [];
    const statements = [1, 2, 3, 4].map((n) => pool.query('select $1::integer', [n]).then(() => order.push(n)));
    await Promise.all(statements);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test('rolls back what a released client left open, and goes on', async () => {
    const client = await pool.connect();
    await client.query('begin');
    await client.query('insert into t values (1)');
    client.release();
    expect((await pool.query('select n from t')).rows).toEqual([]);
  });

  test.each(['commit', 'COMMIT', 'end', 'rollback'])(
    '%s ends the turn, rolling back to a savepoint does not',
    async (end) => {
      const client = await pool.connect();
      await client.query('start transaction isolation level repeatable read');
      await client.query('savepoint s');
      await client.query('rollback to s');
      const beside = pool.query<{ alone: boolean }>('select true as alone');
      await client.query('insert into t values (1)');
      await client.query(end);
      expect((await beside).rows).toEqual([{ alone: true }]);
      client.release();
    },
  );

  test('a refused statement outside a transaction does not keep the turn', async () => {
    await expect(pool.query('select 1 / 0')).rejects.toThrow('division by zero');
    expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  });

  test('each search path sees its own tables', async () => {
    const other = pool.withSearchPath('two');
    await Promise.all([pool.query('insert into t values (1)'), other.query('insert into t values (2)')]);
    expect((await pool.query('select n from t')).rows).toEqual([{ n: 1 }]);
    expect((await other.query('select n from t')).rows).toEqual([{ n: 2 }]);
  });

  test.each(['LISTEN c', 'listen "c";', '-- Subscribe to the channel.\nLISTEN c;\n'])(
    '%j hears notifications',
    async (text) => {
      const client = await pool.connect();
      const heard = new Promise((resolve) => client.once('notification', resolve));
      await client.query(text);
      await pool.query(`select pg_notify('c', 'lanes')`);
      expect(await heard).toEqual({ channel: 'c', payload: 'lanes' });
      client.release();
    },
  );

  test('a released client hears nothing more', async () => {
    const client = await pool.connect();
    const heard: unknown[] = [];
    client.on('notification', (notification) => heard.push(notification));
    await client.query('listen c');
    client.release();
    await pool.query(`select pg_notify('c', 'lanes')`);
    expect(heard).toEqual([]);
  });

  test('inside a transaction of the store it throws instead of waiting for ever', async () => {
    await expect(scope.run(() => pool.query('select 1'))).rejects.toThrow(
      'Inside a transaction use only its own handle',
    );
    await expect(scope.run(() => pool.connect())).rejects.toThrow('Inside a transaction');
  });
});
