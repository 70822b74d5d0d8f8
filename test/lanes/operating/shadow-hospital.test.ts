// Before a hospital goes live: the shadow reads and plans, and its report says what would be written, how much, and what stands in the way.

import { beforeEach, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import { sql } from '../../../src/store/store.ts';
import { aCase, aClient, aNeed } from '../../builders.ts';
import { anEncounter, documentsOf } from '../../support/documents.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const hospital = {
  vendor: 'epic',
  mode: 'shadow',
  createPatients: false,
  task: 'answer',
  documents: { quietMs: 4 * 3_600_000, atMostEveryMs: 24 * 3_600_000, encounter: 'latest-open' },
} as const;

const world = useWorld(hospital);
const { sendCase, writes } = documentsOf(world);

beforeEach(() => world.server.seed(rosaOnFile, anEncounter('open', 'in-progress', '2026-02-01T09:00:00Z')));

test('one document for the case is counted, and nothing but reads is in the journal', async () => {
  await sendCase();
  expect(await writes()).toEqual([]);
  expect(await world.report()).toMatchObject({
    mode: 'shadow',
    reachable: true,
    wouldWrite: { create: 0, update: 0, document: 1 },
    missing: [],
  });
  expect(await writes()).toEqual([]);
});

test('a document that would still wait for its quiet time counts too', async () => {
  await world.send(['client', aClient()], ['case', aCase()], ['need', aNeed()]);
  expect((await world.report()).wouldWrite).toEqual({ create: 0, update: 0, document: 1 });
});

test('what waits for a person or for the hospital is counted by its reason', async () => {
  await world.server.control('POST', 'reset');
  await world.server.settings({ auth: 'none' });
  await sendCase();
  const { wouldWrite, missing } = await world.report();
  expect(wouldWrite).toEqual({ create: 0, update: 0, document: 0 });
  expect(missing).toContainEqual(expect.objectContaining({ code: 'patient-not-found' }));
  expect(missing.every(({ count, text }) => count > 0 && text.length > 0)).toBe(true);
});

test('once live, what was counted is what is written', async () => {
  await sendCase();
  const { wouldWrite } = await world.report();
  await world.connect(aConnection(world.server.base, { ...hospital, mode: 'live' }));
  await world.work();
  expect(await writes()).toEqual(Array.from({ length: wouldWrite.document }, () => 'POST DocumentReference 201'));
  expect((await world.report()).wouldWrite).toEqual({ create: 0, update: 0, document: 0 });
});

test('a lane counts with what it would write although something else of it waits', async () => {
  await world.connect(aConnection(world.server.base, { ...hospital, createPatients: true }));
  await sendCase();
  const { wouldWrite } = await world.report();
  await sql`update lane set waiting = true, reason = '{"code":"waits-for-link","text":"x"}'`.execute(world.store.db);
  expect((await world.report()).wouldWrite).toEqual(wouldWrite);
  expect(wouldWrite.document).toBe(1);
});

test('a lane that has nothing left to do is not planned for it', async () => {
  await sendCase();
  // A plan would find its document.
  await sql`update link set state = 'current'`.execute(world.store.db);
  const report = await world.report();
  expect(report.wouldWrite).toEqual({ create: 0, update: 0, document: 0 });
  expect(report).not.toHaveProperty('wouldWriteAtLeast');
});

test('beyond a thousand lanes that have work it is a least figure, and says so', async () => {
  await sql`
    insert into lane (connection, subject, source, wanted)
    select 'general', 'county.case.none-' || n, 'county', 1 from generate_series(1, 1001) n`.execute(world.store.db);
  expect(await world.report()).toMatchObject({
    wouldWrite: { create: 0, update: 0, document: 0 },
    wouldWriteAtLeast: true,
  });
});

test('one source is told of its own alone, and no lane of another is planned for it', async () => {
  const organization = { source: 'town', id: 'org-town' };
  await world.connect(aConnection(world.server.base, { ...hospital, organization }));
  await sendCase();
  const { wouldWrite } = await world.report();
  const follows = reason('waits-for-link', { target: 'client/garcia#patient' }).text;
  await sql`
    insert into lane (connection, subject, source, wanted)
    select 'general', 'town.case.none-' || n, 'town', 1 from generate_series(1, 1001) n`.execute(world.store.db);
  await sql`insert into lane (connection, subject, source, wanted) values ('general', 'town.case.c', 'town', 0)`.execute(
    world.store.db,
  );
  await sql`
    insert into link (connection, source, type, id, slot, subject, resource_type, route, state, reason)
    select 'general', 'town', x.type, x.id, x.slot, 'town.case.c', 'Basic', 'native', x.state, jsonb_build_object('code', 'waits-for-link', 'text', x.why)
    from (values ('client', 'garcia', 'patient', 'due', ''), ('need', 'food', 'condition', 'waiting', ${follows}),
      ('goal', 'home', 'goal', 'parked', 'The number of garcia is taken.')) x(type, id, slot, state, why)`.execute(
    world.store.db,
  );
  const all = await world.report();
  expect(all).toMatchObject({
    wouldWrite: { ...wouldWrite, create: 1 },
    wouldWriteAtLeast: true,
    findings: [{ code: 'organization-unsent' }],
    missing: [{ text: 'The number of garcia is taken.' }],
  });
  const own = await world.report('general', 'county');
  expect(own).toMatchObject({ wouldWrite, missing: [], findings: [] });
  expect(own).not.toHaveProperty('wouldWriteAtLeast');
  expect(own).not.toHaveProperty('polls');
  expect(JSON.stringify(own)).not.toContain('garcia');
});
