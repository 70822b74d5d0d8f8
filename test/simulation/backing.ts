// The store's backing on a simulated database: what `connect` gives may be delayed, broken or never come.

import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Backing, Store } from '../../src/store/store.ts';
import { TransactionScope } from '../../src/store/transaction-scope.ts';
import type { DatabaseClient } from './database.ts';

export function backingOn(kind: Store['kind'], connect: () => Promise<DatabaseClient>): Backing {
  const pool: PostgresPool = { options: {}, connect: async () => asPoolClient(await connect()), end: async () => {} };
  return {
    kind,
    scope: new TransactionScope(),
    pool,
    queuePool: () => {
      throw new Error('The simulation has a queue of its own.');
    },
    durability: async () => 'None: simulated.',
    findings: async () => [],
    ready: async () => {},
    close: async () => {},
  };
}

function asPoolClient(client: DatabaseClient): PostgresPoolClient {
  function query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  function query(): never;
  function query(text?: string, values?: readonly unknown[]): unknown {
    if (text === undefined) throw new Error('Cursors are not offered: read in pages.');
    return client.query(text, values);
  }
  return { query, release: () => client.release() };
}
