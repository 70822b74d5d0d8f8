// References in what a server holds: one of its own is ours by its id, however it is written; one to another server is nobody of ours, even where
// the ids are the same.

import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import { aNeed } from '../builders.ts';
import { caseWithReferral, directoryAndClient, partnerEdits, useWorld } from '../support/world.ts';

const world = useWorld();
const goal = 'county/goal/goal-meals#goal';

/** The goal there addresses what `reference` makes of the id that a new need of ours has there. */
async function pointTo(reference: (path: string) => string): Promise<void> {
  await world.accept(...directoryAndClient(), ...caseWithReferral(), ['need', aNeed({ id: 'need-other' })]);
  await world.work();
  const need = await world.server.own('Condition', 'county/need/need-other#condition');
  const { id } = await world.server.own('Goal', goal);
  await partnerEdits(
    world.server,
    `Goal/${id}`,
    (resource): JsonObject => ({
      ...resource,
      addresses: [{ reference: reference(`Condition/${need.id}`) }],
    }),
  );
  await world.workAgain();
}

const goalChanges = async () => (await world.changes()).filter(({ type }) => type === 'goal');

test('a relative one is followed to our record', async () => {
  await pointTo((path) => path);
  expect(await goalChanges()).toMatchObject([{ body: { needIds: ['need-food', 'need-other'] } }]);
});

test('an absolute one on this server too, with or without a version', async () => {
  await pointTo((path) => `${world.server.base}/${path}/_history/1`);
  expect(await goalChanges()).toMatchObject([{ body: { needIds: ['need-food', 'need-other'] } }]);
});

test('an absolute one on another server is none of our links: it is told, and changes nothing', async () => {
  await pointTo((path) => `https://elsewhere.example.org/fhir/${path}`);
  expect(await goalChanges()).toEqual([]);
  expect(await world.openDecisions()).toMatchObject([
    { code: 'not-carried', detail: { issues: [{ code: 'unresolved-reference' }] } },
  ]);
});

test("one to a contained resource is the server's own affair", async () => {
  await pointTo(() => '#need-other');
  expect(await goalChanges()).toEqual([]);
});
