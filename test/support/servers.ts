// Tests on real PostgreSQL and Redis servers, one of each for a `describe`.

import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { hasPostgres, hasRedis, type PostgresServer, type RedisServer, startPostgres, startRedis } from './backends.ts';

/** A `describe` with a PostgreSQL of its own; skipped, or failed where servers are required, when the machine has none. */
export function describeOnPostgres(
  title: string,
  suite: (server: Pick<PostgresServer, 'freshDatabase'>) => void,
): void {
  describeOn('PostgreSQL', hasPostgres(), title, () => {
    let server: PostgresServer | undefined;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server?.stop());
    suite({ freshDatabase: () => started(server).freshDatabase() });
  });
}

/** A `describe` with a Redis of its own; skipped, or failed where servers are required, when the machine has none. */
export function describeOnRedis(title: string, suite: (server: Pick<RedisServer, 'freshRedis'>) => void): void {
  describeOn('Redis', hasRedis(), title, () => {
    let server: RedisServer | undefined;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server?.stop());
    suite({ freshRedis: () => started(server).freshRedis() });
  });
}

/** A `describe` for what needs something of this machine: skipped, or failed where servers are required, when it is not `found`. */
export function describeOn(name: string, found: boolean, title: string, suite: () => void): void {
  const missing = `no ${name} on this machine`;
  if (found) {
    describe(title, suite);
  } else if (process.env.CASEBRIDGE_TEST_REQUIRE_SERVERS === '1') {
    test(title, () => {
      throw new Error(`There is ${missing}, and CASEBRIDGE_TEST_REQUIRE_SERVERS=1 demands it.`);
    });
  } else {
    describe.skip(`${title} (skipped: ${missing})`, suite);
  }
}

function started<Server>(server: Server | undefined): Server {
  if (!server) throw new Error('The server runs only inside tests and hooks.');
  return server;
}
