import { describe } from '@jest/globals';
import { openStore } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { describeOnPostgres, describeOnRedis } from '../support/servers.ts';
import { queueContract } from './queue.contract.ts';

describe('wake-ups on the embedded store', () => {
  queueContract({ open: freshEmbedded });
});

describeOnPostgres('wake-ups on a PostgreSQL server', ({ freshDatabase }) => {
  queueContract({ open: async () => openStore({ url: await freshDatabase(), folder: 'unused' }) });
});

describeOnRedis('wake-ups on Redis', ({ freshRedis }) => {
  queueContract({ open: freshEmbedded, freshRedis });
});
