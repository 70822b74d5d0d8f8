// The hospital refers and we perform, on a `standard` server: its Task and order become proposals, a record that answers them is tied to its own
// resources, and what we do goes back by its Task (closed-loop B1, B2, B7). Read from the hospital's store and journal.

import { describe, expect, test } from '@jest/globals';
import { anOrganization } from '../../builders.ts';
import {
  feed,
  foodCondition,
  foodOrder,
  hospitalHas,
  ines,
  only,
  ops,
  seen,
  sourceAdopts,
  task,
  written,
} from '../../support/begun.ts';
import { directoryAndClient, useWorld } from '../../support/world.ts';

const world = useWorld({ inboundTo: 'county' });

async function begins(): Promise<void> {
  await hospitalHas(world, ines, foodCondition, foodOrder, task);
  await seen(world);
}

async function sourceIsThere(): Promise<void> {
  const hospital = anOrganization({ id: 'org-hospital', name: 'General Hospital', kind: 'hospital' });
  await world.accept(...directoryAndClient().slice(0, 4), ['organization', hospital]);
  await world.work();
}

test('becomes proposals in the order in which they can be taken over, each of them once', async () => {
  await begins();
  expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
  await seen(world);
  await world.workAgain();
  expect((await feed(world)).length).toBe(4);
  expect(await world.openDecisions()).toEqual([]);
});

test('looks', async () => {
  await begins();
  console.log(JSON.stringify(await feed(world), undefined, 1));
});

describe('taken over', () => {
  test('is tied to the hospital own patient, order and Task; nothing is made a second time', async () => {
    await sourceIsThere();
    await begins();
    const before = (await world.server.journal()).length;
    await sourceAdopts(world);
    expect(await world.openDecisions()).toEqual([]);
    console.log(await written(world, before), await world.store.db.selectFrom('link').select(['type','id','slot','resource_type','remote_id','origin','state','reason']).execute(), await world.store.db.selectFrom('inbound').select(['type','state','record_id','remote_id','reason']).execute());
    expect((await only(world, 'Task')).status).toBe('requested');
  });
});
