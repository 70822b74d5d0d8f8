// References in what a server holds: one of its own is ours by its id, however it is written; one to another server is nobody of ours, even where
// the ids are the same.

import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { aNeed, aReferral } from '../../builders.ts';
import { caseload, caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const goal = 'county/goal/goal-meals#goal';

/** The goal there addresses what `reference` makes of the id that a new need of ours has there. */
async function pointTo(reference: (path: string) => string): Promise<void> {
  await world.send(...caseload(), ['need', aNeed({ id: 'need-other' })]);
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

test("what the record has from another record's mouth is told when it is changed there, once", async () => {
  const { organizationId: _byItsService, ...referral } = aReferral();
  const others = caseWithReferral().filter(([type]) => type !== 'referral');
  await world.send(...directoryAndClient(), ...others, ['referral', referral]);
  const { id, performer } = await world.server.own('ServiceRequest', 'county/referral/referral-pantry#request');
  const pantry = await world.server.own('Organization', 'county/organization/org-pantry#organization');
  const agency = await world.server.own('Organization', 'county/organization/org-riverside#organization');
  expect(performer).toContainEqual({ reference: `Organization/${pantry.id}` });
  const toAgency = (text: string) => text.replace(`Organization/${pantry.id}`, `Organization/${agency.id}`);
  await partnerEdits(world.server, `ServiceRequest/${id}`, (order) => ({
    ...order,
    performer: JSON.parse(toAgency(JSON.stringify(performer))),
  }));
  for (let look = 0; look < 2; look += 1) {
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      { code: 'not-carried', detail: { elements: ['performer[organization]'] } },
    ]);
  }
  expect((await world.changes()).filter(({ type }) => type === 'referral')).toEqual([]);
});
