// Every store keeps the same contract (lanes.md 26), racing pairs on a server among it: the embedded one has one connection and shows no race.

import { describe } from '@jest/globals';
import { openStore } from '../../src/store/store.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { describeOnPostgres } from '../support/servers.ts';
import { storeContract } from './store.contract.ts';

describe('a store on the embedded database', () => {
  storeContract({ open: freshEmbedded, transactionsOverlap: false });
});

describeOnPostgres('a store on a PostgreSQL server', ({ freshDatabase }) => {
  const open = async () => openStore({ url: await freshDatabase(), folder: 'unused' });
  storeContract({ open, transactionsOverlap: true });
});
