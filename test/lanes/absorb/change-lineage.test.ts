// A change that the other side made says where it comes from: which resource and element, what stands there, by which rule and converter of which
// mapping version, and what of the resource is not understood.

import { expect, test } from '@jest/globals';
import { listChanges } from '../../../src/http/queries/changes.ts';
import type { JsonObject } from '../../../src/json.ts';
import { caseload } from '../../support/caseload.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();

test('each changed field names its element, and what no rule reads is told once', async () => {
  await world.send(...caseload());
  const { id } = await world.server.own('Goal', 'county/goal/goal-meals#goal');
  await partnerEdits(
    world.server,
    `Goal/${id}`,
    (goal): JsonObject => ({
      ...goal,
      startDate: '2026-02-09',
      statusReason: 'Theirs alone',
    }),
  );
  await world.workAgain();
  const { items } = await listChanges(world.store, 'county', { limit: 10, lineage: true });
  const active = await world.store.db
    .selectFrom('mapping')
    .select('version')
    .where('active', '=', true)
    .executeTakeFirst();
  expect(items).toMatchObject([
    {
      op: 'patch',
      patch: { startsOn: '2026-02-09' },
      lineage: {
        mapping: active?.version,
        resources: [
          {
            resource: `Goal/${id}`,
            slot: 'goal',
            elements: [
              {
                element: 'startDate',
                raw: '2026-02-09',
                rule: expect.stringMatching(/^goal\.yaml:\d+$/),
                converter: 'copy',
                pointers: ['/startsOn'],
              },
            ],
            notUnderstood: [{ element: 'statusReason', why: 'no-rule' }],
          },
        ],
      },
    },
  ]);
  expect((await listChanges(world.store, 'county', { limit: 10 })).items).toEqual(
    items.map(({ lineage: _lineage, ...change }: JsonObject) => change),
  );
});

test('a move of a status names the state machine', async () => {
  await world.send(...caseload());
  const { id } = await world.server.own('Task', 'county/referral/referral-pantry#fulfilment');
  await partnerEdits(world.server, `Task/${id}`, (task): JsonObject => ({ ...task, status: 'accepted' }));
  await world.workAgain();
  const { items } = await listChanges(world.store, 'county', { limit: 10, lineage: true });
  expect(items).toMatchObject([
    {
      type: 'referral',
      lineage: { resources: [{ elements: [{ element: 'status', raw: 'accepted', converter: 'moves' }] }] },
    },
  ]);
});
