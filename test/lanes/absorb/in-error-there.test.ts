// What the other side entered in error, and strips to a few elements (ehr-behaviour C28): its status is offered to the source, what it lacks is no
// removal, and nothing is written to what is left of it.

import { expect, test } from '@jest/globals';
import { aCarePlan } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const slot = 'county/carePlan/plan-rosa#plan';

async function enterInErrorThere(status: string): Promise<string> {
  await world.send(...caseload());
  const { id } = await world.server.own('CarePlan', slot);
  await partnerEdits(world.server, `CarePlan/${id}`, ({ resourceType, identifier, intent, subject, meta }) => ({
    resourceType: resourceType ?? '',
    id: String(id),
    identifier: identifier ?? [],
    intent: intent ?? '',
    subject: subject ?? {},
    meta: meta ?? {},
    status,
  }));
  await world.workAgain();
  return String(id);
}

async function versionOf(id: string): Promise<unknown> {
  const { body } = await world.server.fhir('GET', `CarePlan/${id}`);
  return Object(body.meta).versionId;
}

test('only its status is offered as a change, and nobody is asked about what it lacks', async () => {
  await enterInErrorThere('entered-in-error');
  expect(await world.changes()).toMatchObject([{ op: 'patch', body: { status: 'entered-in-error' } }]);
  expect((await world.changes()).map(({ body }) => Object.keys(Object(body)))).toEqual([['status']]);
  expect(await world.openDecisions()).toEqual([]);
});

test('a newer record is not written to it; the lane says why', async () => {
  const id = await enterInErrorThere('entered-in-error');
  const before = await versionOf(id);
  await world.accept(['carePlan', aCarePlan({ title: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
  await world.workAgain();
  expect(await versionOf(id)).toEqual(before);
  expect(await world.link('carePlan/plan-rosa#plan')).toMatchObject({ state: 'parked', reason: 'remote-in-error' });
});

test('a record that agrees ends it: nothing is parked any more', async () => {
  await enterInErrorThere('entered-in-error');
  await world.accept(['carePlan', aCarePlan({ status: 'entered-in-error', updatedAt: '2026-02-20T10:00:00-05:00' })]);
  await world.workAgain();
  expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });
});

test('what the source entered in error and takes back again is written', async () => {
  await world.send(...caseload());
  await world.send(['carePlan', aCarePlan({ status: 'entered-in-error', updatedAt: '2026-02-20T10:00:00-05:00' })]);
  expect(await world.server.own('CarePlan', slot)).toMatchObject({ status: 'entered-in-error' });
  await world.accept(['carePlan', aCarePlan({ status: 'active', updatedAt: '2026-02-20T11:00:00-05:00' })]);
  await world.workAgain();
  expect(await world.server.own('CarePlan', slot)).toMatchObject({ status: 'active' });
});
