// Requests of which nobody knows what came (lanes.md 8, 9) are counted, and listed by the name that they have in the server's own log.

import { expect, test } from '@jest/globals';
import { listUnknownOutcomes } from '../../../src/http/queries/unknown-outcomes.ts';
import { unknownOutcomes } from '../../../src/lanes/lanes.ts';
import { anOrganization } from '../../builders.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();

const pantry = anOrganization({ id: 'org-pantry', name: 'Elm Street Pantry' });
const shelter = anOrganization({ id: 'org-shelter', name: 'Larch Shelter' });
const lost = { method: 'POST', path: 'Organization', fault: { drop: 'after-commit' } };
/** Nobody may ask it. */
const silent = { method: 'GET', path: 'Organization', fault: { status: 503 } };

const listed = (filter = {}) =>
  listUnknownOutcomes(world.store, {
    source: undefined,
    connection: undefined,
    limit: 100,
    after: undefined,
    ...filter,
  });

test('a create whose reply was lost is listed with the X-Request-Id under which the server has it, until it has been looked up', async () => {
  await world.server.faults(lost, silent);
  await world.send(['organization', pantry]);
  const [request] = (await world.server.journal()).filter(({ method }) => method === 'POST');
  expect((await listed()).items).toEqual([
    {
      connection: 'general',
      subject: 'county.organization.org-pantry',
      resource: 'organization/org-pantry#organization',
      kind: 'create',
      resourceType: 'Organization',
      id: null,
      requestId: expect.any(String),
      sentAt: expect.stringMatching(/^20\d\d-.*Z$/),
      missedAt: null,
      reason: { code: 'connection-reset', text: expect.any(String) },
    },
  ]);
  expect(request).toMatchObject({ requestHeaders: { 'x-request-id': (await listed()).items[0]?.requestId } });
  expect(await unknownOutcomes(world.store.db)).toMatchObject([{ connection: 'general', count: 1 }]);

  await world.server.mend();
  await world.workAgain();
  expect((await listed()).items).toEqual([]);
  expect(await unknownOutcomes(world.store.db)).toMatchObject([{ connection: 'general', count: 0 }]);
});

test('a request that is on its way is none of them', async () => {
  let underWay: unknown;
  world.beforeNextWrite(async () => {
    underWay = [(await listed()).items, await world.store.db.selectFrom('operation').select('outcome').execute()];
  });
  await world.send(['organization', pantry]);
  expect(underWay).toEqual([[], [{ outcome: null }]]);
});

test('an update is listed with the id of its resource, and with why its reply said nothing', async () => {
  await world.send(['organization', pantry]);
  const { id } = await world.server.own('Organization', 'county/organization/org-pantry#organization');
  await world.server.faults(
    { method: 'PUT', path: 'Organization', fault: { status: 200, body: '<html>ok</html>', at: 'after-commit' } },
    // It is read once before it is written.
    { ...silent, nth: 2, times: 100 },
  );
  await world.send(['organization', { ...pantry, name: 'Elm Pantry', updatedAt: '2026-03-01T10:00:00-05:00' }]);
  expect((await listed()).items).toMatchObject([{ kind: 'update', id, reason: { code: 'connection-not-fhir' } }]);
});

test('each comes once in pages of one, the oldest first, to its source and of its connection alone', async () => {
  await world.server.faults(lost, silent);
  await world.send(['organization', pantry]);
  await world.send(['organization', shelter]);
  const first = await listed({ limit: 1 });
  const second = await listed({ limit: 1, after: first.next ?? '' });
  expect([...first.items, ...second.items].map(({ resource }) => resource)).toEqual([
    'organization/org-pantry#organization',
    'organization/org-shelter#organization',
  ]);
  expect(second.next).toBeNull();
  expect((await listed({ source: 'town' })).items).toEqual([]);
  expect((await listed({ source: 'county', connection: 'general' })).items).toHaveLength(2);
  expect((await listed({ connection: 'harbor' })).items).toEqual([]);
});
