// If one cause (mapping, configuration, scopes) would retire, re-create or rewrite more than 1 % of a connection's links, at least 100, it stops
// in one decision (lanes.md 22). What sources change never counts.

import { describe, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import { mappingFolder } from '../../../src/gateway.ts';
import type { JsonObject } from '../../../src/json.ts';
import { shapingOf } from '../../../src/lanes/configuration/configuration.ts';
import { openDecision } from '../../../src/lanes/decisions/decisions.ts';
import { activateMapping, reviewMassChanges, wantAll } from '../../../src/lanes/lanes.ts';
import { shapeOf } from '../../../src/lanes/operating/mass-change/lane-basis.ts';
import { readMappingFiles } from '../../../src/mapping/mapping.ts';
import { aCarePlan, aCase, aClient, aGoal, anOrganization } from '../../builders.ts';
import { caseWithReferral, directoryAndClient, type Item } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { deletedThere, useWorld } from '../../support/world.ts';

const world = useWorld();
const perCase = 60;

function goalsOf(name: string, change: JsonObject = {}): Item[] {
  return Array.from({ length: perCase }, (_, n) => [
    'goal',
    { ...aGoal({ id: `goal-${name}-${n}`, caseId: `case-${name}`, needIds: [] }), ...change },
  ]);
}

/** Two cases of 60 goals: together more than 100, each alone less. */
async function sendGoals(...names: readonly string[]): Promise<void> {
  await world.send(...directoryAndClient());
  for (const name of names) await world.send(['case', aCase({ id: `case-${name}` })], ...goalsOf(name));
}

/** Every goal is to have another start date. */
async function remapGoals(): Promise<void> {
  await world.remap('goal.yaml', (text) =>
    text.replace('startDate: { from: startsOn }', 'startDate: { first: [{ from: dueOn }, { from: startsOn }] }'),
  );
}

async function runAll(): Promise<void> {
  await wantAll(world.store, ['general']);
  await world.work();
}

async function rollBack(): Promise<void> {
  await activateMapping(world.store, await readMappingFiles(mappingFolder));
}

async function askAbout(cause: string, value: string): Promise<void> {
  await world.store.tx((trx) =>
    openDecision(
      trx,
      { connection: 'general', subject: '', source: '' },
      {
        kind: 'mass-change',
        topic: `mass-change:${cause}:${value}`,
        reason: reason('mass-change', { cause, limit: 100, connection: 'general' }),
        detail: { cause, value },
        choices: [],
      },
    ),
  );
}

async function started(date: string): Promise<number> {
  return (await world.server.all('Goal')).filter(({ startDate }) => startDate === date).length;
}
const before = '2026-02-03';
const after = '2026-05-31';

async function heldAfterRemap(): Promise<void> {
  await sendGoals('a', 'b');
  await remapGoals();
  await runAll();
  expect([await started(before), await started(after)]).toEqual([60, 60]);
}

describe('a mapping that would rewrite more than 100 resources', () => {
  test('stops in one decision with counts and a sample of the diff, holds up nothing else, and goes on when a person says so', async () => {
    await heldAfterRemap();
    await runAll();
    const decisions = await world.openDecisions();
    expect(decisions).toMatchObject([{ kind: 'mass-change', code: 'mass-change', choices: ['go-on', 'stop'] }]);
    expect(decisions[0]?.detail).toMatchObject({ cause: 'mapping', limit: 100, sent: 60, held: 60 });
    expect(decisions[0]?.detail.sample).toContainEqual({
      resource: 'goal/goal-b-0#goal',
      kind: 'update',
      diff: [{ element: 'startDate', before, after }],
    });
    expect(await world.alerts()).toMatchObject([{ code: 'mass-change', count: expect.any(Number) }]);
    expect(await world.lane('county.case.case-b')).toMatchObject({
      waiting: true,
      reason: 'mass-change',
      parked: undefined,
    });
    expect(await started(before)).toBe(60);

    // It holds up nothing else: what a source changes in such a case goes out.
    const edited = aGoal({
      id: 'goal-b-7',
      caseId: 'case-b',
      needIds: [],
      statement: 'Food every day.',
      updatedAt: '2026-02-20T10:00:00Z',
    });
    const added = aGoal({ id: 'goal-new', caseId: 'case-b', needIds: [] });
    const gone = {
      ...aGoal({ id: 'goal-b-8', caseId: 'case-b', needIds: [], updatedAt: '2026-02-20T10:00:00Z' }),
      deleted: true,
    };
    await world.send(['goal', edited], ['goal', added], ['goal', gone]);
    expect(await world.server.own('Goal', 'county/goal/goal-b-7#goal')).toMatchObject({
      description: { text: 'Food every day.' },
    });
    expect(await world.server.own('Goal', 'county/goal/goal-new#goal')).toMatchObject({ startDate: after });
    expect(await world.server.own('Goal', 'county/goal/goal-b-8#goal')).toMatchObject({
      lifecycleStatus: 'entered-in-error',
    });
    expect(await started(before)).toBe(59);

    await world.decide('mass-change', 'go-on');
    await world.work();
    expect(await started(after)).toBe(120);
    expect([await world.openDecisions(), await world.alerts()]).toEqual([[], []]);
    const journal = (await world.server.journal()).length;
    await runAll();
    expect(await world.server.writes(journal)).toEqual([]);
  }, 120_000);

  test('"stop" sends none of it, also later; a record that changes goes out as it then is', async () => {
    await heldAfterRemap();
    await world.decide('mass-change', 'stop');
    await world.work();
    await runAll();
    expect(await started(before)).toBe(60);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.lane('county.case.case-b')).toMatchObject({ waiting: false, hasWork: false });
    expect(await world.link('goal/goal-b-3#goal')).toMatchObject({ state: 'current', reason: 'mass-change-stopped' });
    const edited = aGoal({
      id: 'goal-b-3',
      caseId: 'case-b',
      needIds: [],
      updatedAt: '2026-02-20T10:00:00Z',
      priority: 'high',
    });
    await world.send(['goal', edited]);
    expect(await world.server.own('Goal', 'county/goal/goal-b-3#goal')).toMatchObject({ startDate: after });
    expect(await started(before)).toBe(59);
  }, 120_000);

  test('that is rolled back asks no more: its question ends with its alert, and later it is asked about anew', async () => {
    await heldAfterRemap();
    // Held by what is in force, and by what was: of these nobody is asked any more.
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    const { configuration, routes } = shapeOf(
      connection.config,
      await connection.abilities(await world.deps.mappings()),
    );
    for (const [cause, value] of [
      ['configuration', configuration],
      ['configuration', 'before'],
      ['scopes', routes],
      ['scopes', 'before'],
    ])
      await askAbout(`${cause}`, `${value}`);
    await reviewMassChanges(world.deps);
    expect((await world.openDecisions()).map(({ topic }) => topic)).toEqual([
      expect.stringMatching(/^mass-change:mapping:/),
      `mass-change:configuration:${configuration}`,
      `mass-change:scopes:${routes}`,
    ]);
    await world.store.db.deleteFrom('decision').where('topic', 'not like', 'mass-change:mapping:%').execute();

    await rollBack();
    await expect(world.decide('mass-change', 'go-on')).rejects.toMatchObject({ code: 'decision-outdated' });
    await reviewMassChanges(world.deps);
    expect([await world.openDecisions(), await world.alerts()]).toEqual([[], []]);
    await runAll();
    expect([await started(before), await started(after)]).toEqual([120, 0]);

    await remapGoals();
    await runAll();
    expect(await started(before)).toBe(60);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'mass-change' }]);
    expect(await world.alerts()).toMatchObject([{ code: 'mass-change' }]);
  }, 120_000);

  test('counts a link once, however often its write is tried', async () => {
    await sendGoals('a');
    await remapGoals();
    const fault = { status: 503 };
    await world.server.faults(...[1, 2, 3].map((nth) => ({ method: 'POST', path: '$', nth, fault })));
    await wantAll(world.store, ['general']);
    await world.run('county.case.case-a');
    await world.run('county.case.case-a');
    await world.run('county.case.case-a');
    await world.run('county.case.case-a');
    const rows = await world.store.db.selectFrom('mass_change').selectAll().execute();
    expect(rows).toMatchObject([{ cause: 'mapping', let_through: 60, held: 0, state: 'counting' }]);
    expect(await started(after)).toBe(60);
  }, 120_000);
});

describe('what sources change', () => {
  test('is no mass change: 120 new versions and 120 deletions go out without a question', async () => {
    await sendGoals('a', 'b');
    await remapGoals();
    const edit = { statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00Z' };
    await world.send(...goalsOf('a', edit), ...goalsOf('b', edit));
    expect(await started(after)).toBe(120);
    const gone = { deleted: true, updatedAt: '2026-02-21T10:00:00Z' };
    await world.send(...goalsOf('a', gone), ...goalsOf('b', gone));
    const statuses = (await world.server.all('Goal')).map(({ lifecycleStatus }) => lifecycleStatus);
    expect(new Set(statuses)).toEqual(new Set(['entered-in-error']));
    expect(await world.openDecisions()).toEqual([]);
  }, 120_000);
});

describe('beside a mass change', () => {
  const later = '2026-02-20T10:00:00-05:00';
  const shelter = { id: 'org-shelter', name: 'Open Door Shelter' };
  const sensitivity: ['domestic-violence'] = ['domestic-violence'];

  const stand = (cause: string, value: string, state: string) =>
    world.store.db.insertInto('mass_change').values({ connection: 'general', cause, value, links: 0, state }).execute();

  async function sendCase(): Promise<void> {
    const careTeam = [{ id: 'm1', name: 'An advocate', role: 'advocate', organizationId: shelter.id }];
    await world.accept(...directoryAndClient(), ['organization', anOrganization(shelter)]);
    await world.send(...caseWithReferral(), ['case', aCase({ careTeam, updatedAt: '2026-02-10T10:00:00-05:00' })]);
  }

  const second = (overrides: Parameters<typeof aGoal>[0] = {}) => aGoal({ id: 'goal-2', needIds: [], ...overrides });

  /** The goals are to have another start date, and do not get it. */
  async function holdGoals(state: string): Promise<void> {
    await sendCase();
    const goalIds = ['goal-meals', 'goal-2'];
    await world.send(['goal', second()], ['carePlan', aCarePlan({ goalIds, updatedAt: '2026-02-15T10:00:00-05:00' })]);
    await remapGoals();
    await stand('mapping', (await world.deps.mappings()).version, state);
    await runAll();
    expect(await started(before)).toBe(2);
  }

  test.each([
    ['is asked about', 'held'],
    ['a person has stopped', 'stop'],
  ])('that %s, a shelter that is labelled is named no more', async (_what, state) => {
    await holdGoals(state);
    const { id } = await world.server.own('Organization', `county/organization/${shelter.id}#organization`);
    const team = async () => JSON.stringify(await world.server.all('CareTeam'));
    expect(await team()).toContain(`Organization/${id}`);
    await world.send(['organization', anOrganization({ ...shelter, sensitivity, updatedAt: later })]);
    expect(await team()).not.toContain(`Organization/${id}`);
  });

  test('what was entered in error is pointed at no more, and the rest is held on', async () => {
    await holdGoals('held');
    const { id } = await world.server.own('Goal', 'county/goal/goal-2#goal');
    const plan = async () => JSON.stringify(await world.server.all('CarePlan'));
    expect(await plan()).toContain(`Goal/${id}`);
    await world.send(['goal', second({ status: 'entered-in-error', updatedAt: later })]);
    expect(await plan()).not.toContain(`Goal/${id}`);
    expect(await started(before)).toBe(1);
  });

  test('a client who is labelled is recalled, also where it is a configuration that changes', async () => {
    await sendCase();
    const config = aConnection(world.server.base, { identifierSystems: { mrn: 'https://hospital.example.org/mrn' } });
    await stand('configuration', shapingOf(config), 'stop');
    await world.connect(config);
    await world.send(['client', aClient({ sensitivity, updatedAt: later })]);
    expect((await world.server.all('Goal')).map(({ lifecycleStatus }) => lifecycleStatus)).toEqual([
      'entered-in-error',
    ]);
    expect((await world.server.all('Task')).map(({ status }) => status)).toEqual(['entered-in-error']);
  });
});

describe('a server that has lost more than 100 resources at once', () => {
  test('is one question, and nothing is made again before it is answered; then everything is there once', async () => {
    await sendGoals('a', 'b');
    // One was lost a day before, and is a question of its own.
    const { id } = await world.server.own('Goal', 'county/goal/goal-a-0#goal');
    await deletedThere(world.server, `Goal/${id}`);
    await world.workAgain();
    for (const table of ['mass_change', 'mass_change_link'] as const)
      await world.store.db.updateTable(table).set({ value: '2026-02-20' }).execute();
    await world.server.control('POST', 'reset');
    await world.server.settings({ auth: 'none' });
    await runAll();
    expect(await world.server.all('Goal')).toEqual([]);
    const decisions = await world.openDecisions();
    expect(decisions).toMatchObject([
      { kind: 'remote-gone', topic: 'gone:goal/goal-a-0#goal' },
      { kind: 'mass-change', choices: ['go-on', 'stop'] },
    ]);
    expect(decisions[1]?.detail).toMatchObject({ cause: 'restored-server', limit: 100 });
    expect(Number(decisions[1]?.detail.held)).toBeGreaterThan(119);
    await world.decide('mass-change', 'go-on');
    await world.work();
    expect(await world.server.all('Goal')).toHaveLength(2 * perCase - 1);
    await world.decide('remote-gone', 'recreate');
    await world.work();
    expect(await world.server.all('Goal')).toHaveLength(2 * perCase);
    expect(await world.server.all('Patient')).toHaveLength(1);
    expect([await world.openDecisions(), await world.alerts()]).toEqual([[], []]);
    const journal = (await world.server.journal()).length;
    await runAll();
    expect(await world.server.writes(journal)).toEqual([]);
  }, 120_000);
});
