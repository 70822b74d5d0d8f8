// Codes that a ConceptMap does not know are listed with their counts for as long as they stand, on the way out and on the way back.

import { expect, test } from '@jest/globals';
import { listUnmapped } from '../../../src/http/queries/unmapped.ts';
import { aReferral } from '../../builders.ts';
import { caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const asking = (requestedService: string, updatedAt: string, id = 'referral-pantry') =>
  aReferral({ id, requestedService, updatedAt });
const listed = async (filter = {}) => (await listUnmapped(world.store, { limit: 100, ...filter })).items;

async function sendAll(): Promise<void> {
  await world.send(...directoryAndClient());
  await world.send(...caseWithReferral());
}

test('a code of a record is listed with its map, field and count, goes as a local code, and leaves the list with the record', async () => {
  await sendAll();
  await world.send(
    ['referral', asking('crisis-bed', '2026-02-20T10:00:00-05:00')],
    ['referral', asking('crisis-bed', '2026-02-20T10:00:00-05:00', 'referral-shelter')],
  );
  const bed = { conceptMap: 'sdoh-intervention', way: 'out', code: 'crisis-bed', source: 'county', type: 'referral' };
  expect(await listed()).toEqual([
    {
      ...bed,
      field: '/requestedService',
      records: 2,
      connections: ['general'],
      example: 'referral-pantry',
      since: expect.any(String),
    },
  ]);
  const request = await world.server.own('ServiceRequest', 'county/referral/referral-pantry#request');
  expect(JSON.stringify(request.code)).toContain('"code":"crisis-bed"');
  expect(await listed({ source: 'harbor' })).toEqual([]);
  await world.send(['referral', asking('food-pantry', '2026-02-20T11:00:00-05:00')]);
  expect(await listed()).toMatchObject([{ ...bed, records: 1, example: 'referral-shelter' }]);
});

test('a code of the server that no record can hold is listed as it stands there, until it is another one', async () => {
  await sendAll();
  const edit = async (code: string) => {
    const { id } = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    await partnerEdits(world.server, `Goal/${id}`, (goal) => ({
      ...goal,
      achievementStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/goal-achievement', code }] },
    }));
    await world.workAgain();
  };
  await edit('quite-good');
  expect(await listed()).toMatchObject([
    {
      conceptMap: 'goal-achievement',
      way: 'back',
      code: 'http://terminology.hl7.org/CodeSystem/goal-achievement|quite-good',
      field: '/achievement',
      records: 1,
    },
  ]);
  await edit('improving');
  expect(await listed()).toEqual([]);
});

test('the list goes on page by page', async () => {
  await sendAll();
  const codes = ['aa', 'bb', 'cc'];
  await world.send(
    ...codes.map((code) => ['referral', asking(code, '2026-02-20T10:00:00-05:00', `referral-${code}`)] as const),
  );
  const first = await listUnmapped(world.store, { limit: 2 });
  const second = await listUnmapped(world.store, { limit: 2, after: first.next ?? '' });
  expect([...first.items, ...second.items]).toMatchObject(codes.map((code) => ({ code })));
  expect(second.next).toBeNull();
});
