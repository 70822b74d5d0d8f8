// The same Procedure sent several times at once, where transactions really run beside each other.

import { expect, test } from '@jest/globals';
import { openStore } from '../../src/store/store.ts';
import { pantry, permittedCaseload, withPartners } from '../support/partners.ts';
import { accept, idle, startTestGateway } from '../support/rig.ts';
import { describeOnPostgres } from '../support/servers.ts';

const app = { kind: 'client', id: 'pantry-app' } as const;

describeOnPostgres('on PostgreSQL', (server) => {
  test('a Procedure that is sent ten times at once is there once', async () => {
    const store = await openStore({ url: await server.freshDatabase(), folder: '/nowhere' });
    const gateway = await startTestGateway(store, withPartners([], [pantry]));
    try {
      await accept(gateway, ...permittedCaseload());
      await idle(gateway);
      const { home } = gateway.api;
      const [referral] = await home.referrals('pantry');
      const procedure = {
        resourceType: 'Procedure',
        identifier: [{ system: 'urn:oid:1.2.3.4', value: 'visit-1' }],
        status: 'completed',
        basedOn: [{ reference: `ServiceRequest/${referral?.request.id}` }],
        subject: { reference: `Patient/${referral?.patient?.id}` },
        code: { text: 'Groceries' },
        performedDateTime: '2026-02-06',
      };
      const made = await Promise.all(Array.from({ length: 10 }, () => home.createProcedure('pantry', procedure, app)));
      expect(made.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(await home.visible('pantry', { type: 'Procedure' })).toHaveLength(1);
    } finally {
      await gateway.stop();
    }
  });
});
