import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { openWakeUps } from '../../src/queue/queue.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { openStore, sql, storeOn } from '../../src/store/store.ts';
import { onDatabase } from '../support/backends.ts';
import { eventually } from '../support/rig.ts';
import { describeOnPostgres } from '../support/servers.ts';
import { startSilentProxy } from '../support/silent-proxy.ts';

describeOnPostgres('when the server ends all connections', ({ freshDatabase }) => {
  test('the transaction that is going on fails, is not there, and the store goes on by itself', async () => {
    const url = await freshDatabase();
    const [store, other] = await Promise.all([
      openStore({ url, folder: 'unused' }),
      openStore({ url, folder: 'unused' }),
    ]);
    const { promise: cut, resolve: areCut } = Promise.withResolvers<void>();
    const { promise: wrote, resolve: hasWritten } = Promise.withResolvers<void>();
    const transaction = store.tx(async (trx) => {
      await trx.insertInto('identity').values({ name: 'a', value: '1' }).execute();
      hasWritten();
      await cut;
      await trx.insertInto('identity').values({ name: 'b', value: '1' }).execute();
    });
    await wrote;
    await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(other.db);
    areCut();
    // Connection failure, by which whoever asked is told to try again.
    await expect(transaction).rejects.toMatchObject({ code: '08006' });
    expect(await store.db.selectFrom('identity').selectAll().execute()).toEqual([]);
    await Promise.all([store.close(), other.close()]);
  });
});

describeOnPostgres('when the server lets nobody in', ({ freshDatabase }) => {
  test('that is a connection failure, whatever it says, and over once it lets somebody in again', async () => {
    const url = await freshDatabase();
    const name = new URL(url).pathname.slice(1);
    const store = await openStore({ url, folder: 'unused' });
    const elsewhere = new URL(url);
    elsewhere.pathname = '/postgres';
    const lets = (allowed: boolean) =>
      onDatabase(elsewhere.href, async (client) => {
        await client.query(`alter database ${name} allow_connections ${allowed}`);
        await client.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [name]);
      });
    await lets(false);
    await expect(store.now()).rejects.toMatchObject({ code: '08001' });
    await lets(true);
    expect(await store.now()).toBeInstanceOf(Date);
    await store.close();
  });
});

describeOnPostgres('when connections to the server fall silent', ({ freshDatabase }) => {
  test('what waits for an answer fails, also in the middle of a transaction, and what comes then works', async () => {
    const proxy = await startSilentProxy(await freshDatabase());
    const store = await storeOn(await openPostgres(proxy.url, 200));
    const silentOnes = [store.now(), store.now()];
    const { promise: cut, resolve: areCut } = Promise.withResolvers<void>();
    const { promise: wrote, resolve: hasWritten } = Promise.withResolvers<void>();
    const transaction = store.tx(async (trx) => {
      await trx.insertInto('identity').values({ name: 'a', value: '1' }).execute();
      hasWritten();
      await cut;
      await trx.insertInto('identity').values({ name: 'b', value: '1' }).execute();
    });
    await Promise.all([...silentOnes, wrote]);
    proxy.silence();
    areCut();
    await expect(transaction).rejects.toMatchObject({ code: '08006' });
    await expect(store.now()).rejects.toMatchObject({ code: '08006' });
    await Promise.allSettled([store.now(), store.now()]);
    expect(await store.db.selectFrom('identity').selectAll().execute()).toEqual([]);
    await store.close();
    await proxy.stop();
  });

  test('the queue that lies there goes on as well', async () => {
    const proxy = await startSilentProxy(await freshDatabase());
    const store = await storeOn(await openPostgres(proxy.url, 200));
    const wakeUps = await openWakeUps({ store, onError: () => {} });
    let runs = 0;
    const run = async () => {
      runs += 1;
    };
    wakeUps.work(run, { concurrency: 1 });
    const lane = { connection: 'general', subject: 'county.case.1' };
    await wakeUps.add([lane]);
    await eventually(async () => runs === 1, 'the run before');
    proxy.silence();
    // Again and again, as lanes with work are woken: what is told while a run of the same lane ends is part of that run.
    await eventually(async () => {
      await wakeUps.add([lane]);
      return runs > 1;
    }, 'a run after it');
    await wakeUps.close();
    await store.close();
    await proxy.stop();
  });

  test('a statement on which the server works is awaited, however long it takes, also while nobody else is let in', async () => {
    const url = await freshDatabase();
    const store = await storeOn(await openPostgres(url, 100));
    const long = sql<{ done: string }>`select pg_sleep(1.5)::text as done`.execute(store.db);
    await sleep(600);
    const database = new URL(url).pathname.slice(1);
    const elsewhere = Object.assign(new URL(url), { pathname: '/postgres' }).href;
    await onDatabase(elsewhere, (client) => client.query(`alter database ${database} allow_connections false`));
    expect((await long).rows).toEqual([{ done: '' }]);
    await store.close();
  });
});
