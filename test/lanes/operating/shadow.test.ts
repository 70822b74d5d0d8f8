// A shadow plans, reads and shows, and writes nothing; back-fill brings what was there before the connection (design section 8).

import { describe, expect, test } from '@jest/globals';
import { type Json, objectsAt } from '../../../src/json.ts';
import { dryRun } from '../../../src/lanes/lanes.ts';
import { aCase, aClient, aGoal, aNeed, aReferral } from '../../builders.ts';
import { caseload, directoryAndClient } from '../../support/caseload.ts';
import { mrn, rosa } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();

async function plannedCreates(connection: string): Promise<number> {
  const lane = world.deps.connections.get(connection);
  if (lane === undefined) throw new Error(`no connection ${connection}`);
  const subjects = await world.store.db
    .selectFrom('lane')
    .select('subject')
    .where('connection', '=', connection)
    .execute();
  const runs = [];
  for (const { subject } of subjects) runs.push(await dryRun(world.deps, lane, { connection, subject }));
  return runs.flatMap(({ operations }) => operations).filter(({ kind }) => kind === 'create').length;
}

/** Nobody would take her for Rosa. */
const ana = aClient({
  id: 'client-ana',
  identifiers: [],
  names: [{ use: 'legal', given: ['Ana'], family: 'Brandt' }],
  birthDate: '1951-02-03',
});

/** What the journal shows as created; Provenance tells of the others and is not forecast. */
async function createdTypes(): Promise<Json[]> {
  const writes = (await world.server.writes()).flatMap((entry) => objectsAt(entry, 'writes'));
  return writes.flatMap(({ kind, resourceType = null }) =>
    kind === 'create' && resourceType !== 'Provenance' ? [resourceType] : [],
  );
}

describe('a connection in mode shadow', () => {
  const shadow = () => world.connect(aConnection(world.server.base, { mode: 'shadow' }));

  test('writes nothing, says so in its lanes, and shows what it would create', async () => {
    await shadow();
    await world.send(...caseload());
    await world.workAgain();
    expect((await world.server.journal()).filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(await world.lane('county.organization.org-pantry')).toMatchObject({
      hasWork: false,
      reason: 'shadow',
      parked: undefined,
    });
    expect(await plannedCreates('general')).toBeGreaterThan(0);
  });

  test("forecasts all that going live writes: also what waits only for what the shadow holds back, which stands in nobody's way", async () => {
    await shadow();
    await world.send(
      ...caseload(),
      ['client', ana],
      ['case', aCase({ id: 'case-ana', clientId: 'client-ana' })],
      ['need', aNeed({ id: 'need-ana', clientId: 'client-ana', caseId: 'case-ana' })],
      ['need', aNeed({ id: 'need-early', clientId: 'client-late', caseId: 'case-late' })],
    );
    const { wouldWrite, wouldWriteAtLeast, missing } = await world.report();
    expect(missing).toEqual([
      { code: 'waits-for-record', text: expect.stringContaining('client/client-late#patient'), count: 1 },
    ]);
    await world.connect(aConnection(world.server.base, { mode: 'live' }));
    await world.work();
    const written = await createdTypes();
    expect(written).toEqual(expect.arrayContaining(['Patient', 'Task', 'EpisodeOfCare']));
    expect({ wouldWrite, wouldWriteAtLeast }).toEqual({
      wouldWrite: { create: written.length, update: 0, document: 0 },
    });
    expect(await world.report()).toMatchObject({ wouldWrite: { create: 0, update: 0, document: 0 }, missing });
  });

  test('whose clients were not looked for yet forecasts the least, and says so', async () => {
    await shadow();
    await world.accept(...directoryAndClient());
    expect(await world.report()).toMatchObject({ wouldWriteAtLeast: true });
  });

  test('reads: a patient who is certain is found and linked, and the plan is about them', async () => {
    await shadow();
    await world.server.seed(rosa('rosa', { identifier: [mrn] }));
    await world.send(...caseload());
    expect(await world.link('client/client-rosa#patient')).toMatchObject({ origin: 'found', remoteId: 'rosa' });
    expect(await world.server.writes()).toEqual([]);
  });

  test('that goes live sends everything that it had held back', async () => {
    await shadow();
    await world.send(...caseload());
    await world.connect(aConnection(world.server.base, { mode: 'live' }));
    await world.work();
    expect(await world.server.all('Task')).toHaveLength(1);
    expect(await world.server.all('Patient')).toHaveLength(1);
  });

  test('that goes live sends the open cases only, the most urgent first; what stays says why', async () => {
    await shadow();
    const cases = ['calm', 'crisis', 'urgent', 'over'];
    await world.send(
      ...directoryAndClient(),
      ...cases.map((id) => ['case', id === 'over' ? aClosedCase({ id }) : aCase({ id })] as const),
      ['need', aNeed({ id: 'n1', caseId: 'crisis', riskLevel: 'crisis' })],
      ['need', aNeed({ id: 'n2', caseId: 'calm', riskLevel: 'low' })],
      ['need', aNeed({ id: 'n4', caseId: 'over', riskLevel: 'crisis' })],
      ['referral', aReferral({ caseId: 'urgent', urgency: 'urgent', needIds: [], goalIds: [] })],
    );
    await world.connect(aConnection(world.server.base, { mode: 'live' }));
    const due = await world.store.db
      .selectFrom('lane')
      .select('subject')
      .whereRef('done', '<', 'wanted')
      .where('subject', 'like', '%.case.%')
      .orderBy('priority')
      .execute();
    expect(due.map(({ subject }) => subject)).toEqual(['county.case.crisis', 'county.case.urgent', 'county.case.calm']);
    await world.work();
    expect(await world.server.all('EpisodeOfCare')).toHaveLength(3);
    expect(await world.lane('county.case.over')).toMatchObject({ hasWork: false, reason: 'not-backfilled' });
    await world.send(['need', aNeed({ id: 'n4', caseId: 'over', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await world.server.all('EpisodeOfCare')).toHaveLength(4);
  });

  test('that was live before writes no more, and retires nothing', async () => {
    await world.send(...caseload());
    await shadow();
    const before = (await world.server.journal()).length;
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    await world.accept(['case', aCase({ deleted: true, updatedAt: '2026-02-20T10:00:00-05:00' })]);
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
  });
});

const aClosedCase = (overrides: Parameters<typeof aCase>[0]) =>
  aCase({
    status: 'closed',
    closedOn: '2025-12-01',
    closeReason: 'goals-met',
    openedOn: '2025-01-05',
    ...overrides,
  });

describe('records that were there before the connection', () => {
  const closed = (): (readonly ['case' | 'goal', ReturnType<typeof aCase>])[] => [
    ['case', aClosedCase({ id: 'case-old' })],
    ['goal', aGoal({ id: 'goal-old', caseId: 'case-old' })],
  ];

  const open = ['county.case.case-rosa', 'county.client.client-rosa', 'county.organization.org-pantry'];

  test.each([
    ['none', [], []],
    ['open-cases', open, ['goal-meals']],
    ['all', ['county.case.case-old', ...open], ['goal-meals', 'goal-old']],
  ] as const)(
    'with backfill %s these lanes are wanted: %j, and these goals sent: %j',
    async (backfill, wanted, goals) => {
      await world.accept(...caseload(), ...closed());
      await world.connect(aConnection(world.server.base, { id: 'late', backfill }));
      const lanes = await world.store.db
        .selectFrom('lane')
        .select('subject')
        .where('connection', '=', 'late')
        .execute();
      const subjects = lanes.map(({ subject }) => subject).filter((subject) => /case|client|org-pantry/.test(subject));
      expect(subjects.sort()).toEqual(wanted);
      await world.work();
      expect(await goalsOf('late')).toEqual(goals);
    },
  );

  test('are left alone by backfill none until they change', async () => {
    await world.accept(...caseload());
    await world.connect(aConnection(world.server.base, { id: 'late', backfill: 'none' }));
    await world.work();
    expect(await goalsOf('late')).toEqual([]);
    await world.send(['goal', aGoal({ updatedAt: '2026-02-20T10:00:00-05:00', priority: 'high' })]);
    expect(await world.lane('county.case.case-rosa', 'late')).toMatchObject({ hasWork: false });
  });
});

async function goalsOf(connection: string): Promise<string[]> {
  const links = await world.store.db
    .selectFrom('link')
    .select('id')
    .where('connection', '=', connection)
    .where('type', '=', 'goal')
    .where('remote_id', 'is not', null)
    .orderBy('id')
    .execute();
  return links.map(({ id }) => id);
}
