// What a partner does with a referral that Casebridge holds for it stands in the timeline of the case, with who did it.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway.ts';
import { listTimeline } from '../../src/http/queries/timeline.ts';
import { objectAt } from '../../src/json.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { pantry, permittedCaseload, withPartners } from '../support/partners.ts';
import { accept, idle, startTestGateway } from '../support/rig.ts';

const ana = { kind: 'contact', id: 'c1', name: 'Ana Ruiz' } as const;
let gateway: Gateway;

beforeAll(async () => {
  gateway = await startTestGateway(await freshEmbedded(), withPartners([], [pantry]));
  await accept(gateway, ...permittedCaseload());
  await idle(gateway);
}, 60_000);
afterAll(() => gateway?.stop());

test('its moves, what it writes, and what is offered to the source because of it', async () => {
  const { home, store } = gateway.api;
  const [referral] = await home.referrals('pantry');
  const id = String(referral?.task.id);
  const version = `W/"${objectAt(referral?.task, 'meta')?.versionId}"`;
  await home.move('pantry', id, { to: 'accepted', note: 'We can help' }, ana, version);
  const at = '2026-02-05T10:00:00-05:00';
  await home.logFirstContact('pantry', id, { at, mode: 'phone', outcome: 'reached' }, ana);
  await idle(gateway);
  await store.db
    .insertInto('partner_message')
    .values([
      { partner: 'pantry', task_id: id, event: 'note:x', state: 'failed' },
      { partner: 'pantry', task_id: id, event: 'cancel-asked', state: 'needless' },
    ])
    .execute();
  const { items } = await listTimeline(store, {
    source: 'county',
    subjects: ['county.case.case-rosa'],
    sideOf: () => 'partner',
    connection: 'pantry',
    limit: 100,
  });
  expect(items.find(({ what }) => what === 'message')?.text).toBe(
    `A message to pantry about Task/${id} for referral referral-pantry: note. It was given up.`,
  );
  const told = items.filter(({ kind }) => kind === 'partner' || kind === 'change');
  const own = { kind: 'partner', name: 'pantry' };
  expect(new Set(told.map(({ side, by, text }) => [side, by, text.replace(/[0-9a-f-]{32,36}/, 'id')]))).toEqual(
    new Set([
      [own, 'contact:c1', 'Moved Task/id from requested to accepted for referral referral-pantry.'],
      [own, null, expect.stringMatching(/^Changed referral referral-pantry: status to accepted; .*history\./)],
      [own, 'contact:c1', 'Wrote Communication/id for referral referral-pantry.'],
      [own, null, 'Changed referral referral-pantry: firstContact. The source has not taken it over.'],
    ]),
  );
});
