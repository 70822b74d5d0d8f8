import { expect, test } from '@jest/globals';
import { openStore, sql } from '../../src/store/store.ts';
import { describeOnPostgres } from '../support/servers.ts';

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
