// The configuration of a connection is in force for all processes (lanes.md 22): what it is sent when it comes back, when a source is added, and what
// a process with another one does. What makes identity never changes (lanes.md 23).

import { describe, expect, test } from '@jest/globals';
import type { ConnectionConfig } from '../../../src/config.ts';
import { tellConfigured } from '../../../src/gateway/tell-configured.ts';
import { connectionView } from '../../../src/http/queries/connections.ts';
import { feed } from '../../../src/lanes/feeder.ts';
import { checkIdentity, dryRun, type LaneConnection, type LaneDeps, runByHand } from '../../../src/lanes/lanes.ts';
import { acceptRecords } from '../../../src/records/records.ts';
import { aCarePlan, aCase, aClient, aConsent, aGoal, anOrganization, aReferral } from '../../builders.ts';
import { caseload, caseWithReferral, checked, directoryAndClient, type Item } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const rosa = 'county.case.case-rosa';
const later = '2026-02-20T10:00:00-05:00';

const connect = (overrides: Partial<ConnectionConfig> = {}) => world.connect(aConnection(world.server.base, overrides));

async function sendAll(): Promise<void> {
  await world.send(...directoryAndClient());
  await world.send(...caseWithReferral());
}

async function dueOf(connection = 'general'): Promise<string[]> {
  const rows = await world.store.db
    .selectFrom('lane')
    .select('subject')
    .where('connection', '=', connection)
    .whereRef('done', '<', 'wanted')
    .orderBy('subject')
    .execute();
  return rows.map(({ subject }) => subject);
}

/** Case lanes that are there at all. */
async function casesOf(connection = 'general'): Promise<string[]> {
  const rows = await world.store.db
    .selectFrom('lane')
    .select('subject')
    .where('connection', '=', connection)
    .where('subject', 'like', '%.case.%')
    .orderBy('subject')
    .execute();
  return rows.map(({ subject }) => subject);
}

/** Accepts records as a process does that knows these connections. */
async function acceptedBy(connections: readonly ConnectionConfig[], source: string, ...items: readonly Item[]) {
  await world.store.tx((trx) => acceptRecords(trx, source, checked(items), connections));
}

const closedCase = (id: string) =>
  aCase({ id, status: 'closed', openedOn: '2025-01-05', closedOn: '2025-12-01', closeReason: 'goals-met' });

/** What was accepted a day ago does not count as new. */
async function aDayLater(): Promise<void> {
  await world.store.db
    .updateTable('record')
    .set({ accepted_at: new Date(Date.now() - 86_400_000) })
    .execute();
}

describe('a connection that is on again', () => {
  test.each([
    ['switched off', () => connect({ mode: 'off', backfill: 'none' })],
    ['taken out of the configuration', () => world.disconnect('general')],
  ])('after it was %s is sent what was accepted meanwhile, whatever is back-filled', async (_how, stop) => {
    await connect({ backfill: 'none' });
    await sendAll();
    await stop();
    await world.accept(['case', closedCase('case-new')]);
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: later })]);
    expect(await dueOf()).toEqual([]);
    const before = (await world.server.journal()).length;
    await world.work();
    expect(await world.server.writes(before)).toEqual([]);
    // A start more while it is off.
    await stop();
    await connect({ backfill: 'none' });
    await world.work();
    expect(await world.server.all('EpisodeOfCare')).toHaveLength(2);
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'Food every day.' },
    });
    expect(await world.lane('county.case.case-new')).toMatchObject({ hasWork: false, parked: undefined });
  });

  test('is sent what belongs to its back-fill, and nothing else of what was there before', async () => {
    await connect({ backfill: 'none' });
    await world.disconnect('general');
    await world.accept(...caseload(), ['case', closedCase('case-old')]);
    await aDayLater();
    await world.store.db
      .updateTable('connection')
      .set({ off_since: new Date(Date.now() - 3_600_000) })
      .execute();
    await connect({ backfill: 'open-cases' });
    expect(await casesOf()).toEqual([rosa]);
    await world.work();
    expect(await world.server.all('EpisodeOfCare')).toHaveLength(1);
  });

  test('has lanes for the cases of a client whose consent came meanwhile, as it would have had', async () => {
    await connect({ backfill: 'none' });
    await world.disconnect('general');
    await world.accept(...caseload());
    await aDayLater();
    await world.store.db
      .updateTable('connection')
      .set({ off_since: new Date(Date.now() - 3_600_000) })
      .execute();
    await world.accept(['consent', aConsent()]);
    await connect({ backfill: 'none' });
    expect(await casesOf()).toEqual([rosa]);
  });

  test('and was a shadow before goes live by its back-fill alone', async () => {
    await connect({ mode: 'shadow', backfill: 'none' });
    await world.send(...directoryAndClient(), ['case', closedCase('case-seen')]);
    await connect({ mode: 'off', backfill: 'none' });
    await world.accept(['case', closedCase('case-new')]);
    await world.accept(['case', aCase({ id: 'case-open' })]);
    await connect({ mode: 'live', backfill: 'open-cases' });
    expect(await casesOf()).toEqual(['county.case.case-open', 'county.case.case-seen']);
    expect(await world.lane('county.case.case-seen')).toMatchObject({ hasWork: false, reason: 'not-backfilled' });
    await world.work();
    expect(await world.server.all('EpisodeOfCare')).toHaveLength(1);
  });

  test('and shares referrals only is given those to its organization', async () => {
    const shared = {
      id: 'pantry',
      share: 'referrals',
      organization: { source: 'county', id: 'org-pantry' },
      backfill: 'none',
    } as const;
    await connect(shared);
    await world.disconnect('pantry');
    await world.accept(...caseload(), ['case', aCase({ id: 'case-two' })]);
    await world.accept([
      'referral',
      aReferral({ id: 'r2', caseId: 'case-two', organizationId: 'org-shelter', serviceId: undefined }),
    ]);
    await connect(shared);
    expect(await dueOf('pantry')).toEqual([rosa]);
  });

  test('twice at once makes nothing double', async () => {
    await sendAll();
    await world.disconnect('general');
    await world.accept(['case', closedCase('case-new')]);
    await Promise.all([connect(), connect()]);
    await world.work();
    expect(await world.server.all('EpisodeOfCare')).toHaveLength(2);
  });
});

describe('a source that is added to a connection', () => {
  const harbor: readonly Item[] = [
    ['client', aClient({ id: 'client-two', identifiers: [] })],
    ['case', aCase({ id: 'case-two', clientId: 'client-two' })],
    ['case', closedCase('case-three')],
  ];

  test.each([
    ['none', []],
    ['open-cases', ['harbor.case.case-two']],
    ['all', ['harbor.case.case-three', 'harbor.case.case-two']],
  ] as const)('with backfill %s brings the lanes %j', async (backfill, cases) => {
    await connect({ backfill });
    await acceptedBy([], 'harbor', ...harbor);
    expect(await casesOf()).toEqual([]);
    await connect({ backfill, sources: ['county', 'harbor'] });
    expect(await casesOf()).toEqual(cases);
  });
});

test('a partner whose organization is put right is given the referrals to it that are there', async () => {
  const pantry = (id: string) =>
    ({ id: 'pantry', share: 'referrals', organization: { source: 'county', id } }) as const;
  await world.accept(...caseload(), ['case', aCase({ id: 'case-two' })]);
  await connect(pantry('org-typo'));
  expect(await casesOf('pantry')).toEqual([]);
  await connect(pantry('org-pantry'));
  expect(await dueOf('pantry')).toEqual([rosa]);
});

describe('a source that is taken out of a connection', () => {
  const leftOut = (overrides: Partial<ConnectionConfig> = {}) => connect({ sources: ['harbor'], ...overrides });
  const unsent = { hasWork: false, waiting: false, parked: undefined, reason: 'source-not-sent' };

  const journaled = async () => (await world.server.journal()).length;

  function laneConnection(): LaneConnection {
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('There is no connection.');
    return connection;
  }

  test('is sent nothing more of, not even what was accepted before; the lane says why and has no work', async () => {
    await world.send(...directoryAndClient());
    await world.accept(...caseWithReferral());
    await leftOut();
    const before = await journaled();
    await world.work({ tries: 1 });
    expect(await world.server.writes(before)).toEqual([]);
    expect(await dueOf()).toEqual([]);
    expect(await world.lane(rosa)).toMatchObject(unsent);
    expect(await dryRun(world.deps, laneConnection(), { connection: 'general', subject: rosa })).toMatchObject({
      operations: [],
    });
    await connect();
    await world.work();
    expect(await world.server.all('EpisodeOfCare')).toHaveLength(1);
    expect(await world.server.all('Goal')).toHaveLength(1);
    expect((await world.lane(rosa)).reason).toBeUndefined();
  });

  test('has what became of a request found out that was under way, and nothing sent after it', async () => {
    await world.send(...directoryAndClient());
    await world.server.settings({ transactions: false });
    await world.server.faults(
      { method: 'POST', path: 'EpisodeOfCare', nth: 1, fault: { drop: 'after-commit' } },
      { method: 'GET', path: 'EpisodeOfCare$', fault: { status: 503 } },
    );
    await world.accept(...caseWithReferral());
    await world.run(rosa);
    await leftOut();
    await world.server.mend();
    const before = await journaled();
    await world.work({ tries: 2 });
    expect(await world.server.writes(before)).toEqual([]);
    expect(await world.link('case/case-rosa#episode')).toMatchObject({ remoteId: expect.any(String), retired: false });
    expect(await world.lane(rosa)).toMatchObject(unsent);
  });

  test('makes no lane, and raises none, by a record that a process of the former configuration accepts', async () => {
    const former = aConnection(world.server.base);
    await leftOut();
    await acceptedBy([former], 'county', ...caseload());
    expect(await casesOf()).toEqual([]);
    await connect();
    expect(await casesOf()).toEqual([rosa]);
  });

  test('is back-filled like a new one when it is put back in; what it has there already goes on', async () => {
    await sendAll();
    await leftOut();
    await world.accept(['case', aCase({ id: 'case-two' })]);
    await world.accept(['case', closedCase('case-three')]);
    await connect({ backfill: 'none' });
    expect(await casesOf()).toEqual([rosa]);
    await leftOut();
    await connect();
    expect(await casesOf()).toEqual(['county.case.case-two', rosa].sort());
  });

  test('and was never sent stays unsent without a back-fill when it is put back in, until one of its records changes', async () => {
    await connect({ backfill: 'none' });
    await world.accept(...caseload());
    await leftOut({ backfill: 'none' });
    await world.work({ tries: 1 });
    await connect({ backfill: 'none' });
    expect(await world.lane(rosa)).toMatchObject({ hasWork: false, reason: 'not-backfilled' });
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: later })]);
    expect(await dueOf()).toEqual([rosa]);
  });

  test('leaves what is there as it is, whatever becomes of its records and whoever asks, until it is put back in', async () => {
    await sendAll();
    await leftOut();
    await world.work({ tries: 1 });
    const before = await journaled();
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: later })]);
    await world.accept(['need', { id: 'need-food', deleted: true, updatedAt: later }]);
    expect(await dueOf()).toEqual([]);
    const [task] = await world.server.all('Task');
    await partnerEdits(world.server, `Task/${task?.id}`, (body) => ({ ...body, status: 'accepted' }));
    await world.poll();
    await runByHand(world.store, { connection: 'general', subject: rosa });
    await world.work({ tries: 1 });
    expect(await world.server.writes(before)).toHaveLength(1);
    expect(await world.lane(rosa)).toMatchObject(unsent);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ retired: false, reason: 'source-not-sent' });
    expect(await world.link('need/need-food#condition')).toMatchObject({ retired: false, reason: 'source-not-sent' });
    await connect();
    await world.work();
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'Food every day.' },
    });
    expect(await world.link('need/need-food#condition')).toMatchObject({ retired: true });
    expect((await world.changes()).map(({ id }) => id)).toContain('referral-pantry');
  });
});

test('what stayed when a connection went live goes on staying when its configuration changes, until one of its records does', async () => {
  await connect({ mode: 'shadow', backfill: 'none' });
  await world.send(...directoryAndClient(), ['case', closedCase('case-old')]);
  await connect({ mode: 'live', backfill: 'none' });
  await connect({ mode: 'live', backfill: 'none', rateLimit: { requestsPerSecond: 500, concurrency: 2 } });
  expect(await world.lane('county.case.case-old')).toMatchObject({ hasWork: false, reason: 'not-backfilled' });
  await world.disconnect('general');
  await connect({ mode: 'live', backfill: 'none' });
  await world.work();
  expect(await world.server.all('EpisodeOfCare')).toHaveLength(1);
});

test('records are for the connections in force, also where the process that accepts them has not heard of one yet', async () => {
  await acceptedBy([], 'county', ...caseload());
  expect(await casesOf()).toEqual([rosa]);
  await world.disconnect('general');
  await acceptedBy([], 'county', ['case', aCase({ id: 'case-two' })]);
  expect(await casesOf()).toEqual([rosa]);
});

describe('a process with another configuration than the one in force', () => {
  /** As a process is that was started now and stays as it is. */
  const asNow = (): LaneDeps => ({ ...world.deps, connections: new Map(world.deps.connections) });

  async function fed({ connections }: LaneDeps, claimMs = 0): Promise<string[]> {
    const subjects: string[] = [];
    await feed({
      store: world.store,
      connections: () => [...connections].map(([id, { configuration }]) => ({ id, configuration, slots: 50 })),
      add: async (lanes) => void subjects.push(...lanes.map(({ subject }) => subject)),
      onError: (error) => {
        throw error;
      },
      claimMs,
    });
    return subjects.sort();
  }

  test('is fed none of its lanes, runs none and polls nothing; what it was changed for is done by the others', async () => {
    await connect({ mode: 'shadow' });
    const old = asNow();
    await sendAll();
    await connect({ mode: 'live' });
    const all = await dueOf();
    expect(all).toContain(rosa);
    expect(await fed(old)).toEqual([]);
    await world.run(rosa, { deps: old });
    expect(await dueOf()).toEqual(all);
    const asked = (await world.server.journal()).length;
    await world.poll(old);
    expect((await world.server.journal()).length).toBe(asked);
    const view = connectionView(world.store, aConnection(world.server.base, { mode: 'shadow' }), undefined);
    expect(await view).toMatchObject({ otherConfigurationSince: expect.any(String) });
    expect(await fed(world.deps)).toEqual(all);
    await world.work();
    expect(await world.server.all('Task')).toHaveLength(1);
  });

  test('says so once in its log, and works on them again once its own is in force again', async () => {
    const old = asNow();
    await sendAll();
    const told: string[] = [];
    const tell = (fields: object, text: string) => void told.push(`${Object.keys(fields)}: ${text}`);
    const look = tellConfigured(world.store, old.connections, { info: tell, warn: tell });
    await look();
    await connect({ settleMs: 1 });
    await look();
    await look();
    await world.disconnect('general');
    await look();
    await connect();
    await look();
    await look();
    expect(told).toEqual([
      'connection,since: the connection is set up otherwise by the configuration in force: this process does nothing there until it is restarted with that configuration',
      'connection: the configuration of this process is in force again for the connection',
    ]);
    const view = await connectionView(world.store, aConnection(world.server.base), undefined);
    expect(view.otherConfigurationSince).toBeNull();
    await world.work({ deps: old });
    expect(await dueOf()).toEqual([]);
  });

  test.each([
    ['has another', () => asNow()],
    ['has none', () => ({ ...world.deps, connections: new Map() })],
  ])(
    'passes on a wake-up of theirs that came to it when it %s: the lane is fed to others at once',
    async (_which, made) => {
      const old = made();
      await sendAll();
      await connect({ settleMs: 1 });
      const all = await dueOf();
      expect(await fed(world.deps, 60_000)).toEqual(all);
      expect(await fed(world.deps, 60_000)).toEqual([]);
      await world.run(rosa, { deps: old });
      expect(await fed(world.deps, 60_000)).toEqual([rosa]);
    },
  );

  test('stops where it stands when a connection that it works on is switched off', async () => {
    await world.send(...directoryAndClient());
    await world.server.settings({ transactions: false });
    await world.accept(...caseWithReferral());
    const before = (await world.server.journal()).length;
    const old = asNow();
    world.beforeNextWrite(() => world.disconnect('general'));
    await world.run(rosa, { deps: old });
    // The request that was leaving when it was switched off.
    expect((await world.server.writes(before)).length).toBeLessThanOrEqual(1);
    expect((await world.lane(rosa)).hasWork).toBe(true);
    await connect();
    await world.work();
    expect(await world.server.all('Task')).toHaveLength(1);
    expect(await world.server.all('Goal')).toHaveLength(1);
  });

  test('that had a lane under way has not done what the change wants of it', async () => {
    await connect({ mode: 'shadow' });
    const old = asNow();
    await world.accept(['organization', anOrganization()]);
    const [connection] = [...old.connections.values()];
    if (connection === undefined) throw new Error('There is no connection.');
    // What the run does last is to give the lane back; until then it has looked at nothing more.
    const abilities: typeof connection.abilities = async (mappings) => {
      await connect({ mode: 'live' });
      return connection.abilities(mappings);
    };
    const slow = { ...old, connections: new Map([['general', { ...connection, abilities }]]) };
    await world.run('county.organization.org-pantry', { deps: slow });
    expect(await dueOf()).toEqual(['county.organization.org-pantry']);
    await world.work();
    expect(await world.server.all('Organization')).toHaveLength(1);
  });
});

describe('what makes identity (lanes.md 23)', () => {
  const renamed = (more: string) => (text: string) => text.replace('  plan:\n', `  scheme:\n${more}`);
  const plans = async () =>
    (await world.server.all('CarePlan')).map(({ id, title, identifier }) => ({ id, title, identifier }));
  const sendChange = async () => {
    await world.send(['carePlan', aCarePlan({ title: 'Food every day', updatedAt: later })]);
  };

  test('another identifierSystem is refused at start: every link would lose its resource', async () => {
    await checkIdentity(world.store, 'https://agency.example.org/casebridge');
    await expect(checkIdentity(world.store, 'https://other.example.org')).rejects.toMatchObject({
      code: 'identity-changed',
    });
    await checkIdentity(world.store, 'https://agency.example.org/casebridge');
  });

  test('a mapping without a slot of which resources stand is refused, and the one before stays in force', async () => {
    await sendAll();
    await expect(world.remap('carePlan.yaml', renamed(''))).rejects.toMatchObject({ code: 'identity-changed' });
    const [before] = await plans();
    await sendChange();
    expect(await plans()).toEqual([{ ...before, title: 'Food every day' }]);
  });

  test('a slot that is renamed by `was` keeps its resources: they are changed, and none is made a second time', async () => {
    await sendAll();
    const [before] = await plans();
    await world.remap('carePlan.yaml', renamed('    was: plan\n'));
    await sendChange();
    expect(await plans()).toEqual([{ ...before, title: 'Food every day' }]);
    expect(await world.link('carePlan/plan-rosa#plan')).toMatchObject({ state: 'current', generation: 1 });
  });
});
