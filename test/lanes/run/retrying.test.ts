// A lane that does not get through: it comes back less and less often, for as long as it takes; after days an operator hears of it, and what
// somebody else writes each time before us becomes a question (ehr-behaviour 6.3: retry-backoff, conflict).

import { beforeEach, describe, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import { linksOf } from '../../../src/http/queries/record.ts';
import type { JsonObject } from '../../../src/json.ts';
import { openDecision } from '../../../src/lanes/decisions/decisions.ts';
import {
  openAlert,
  parkLane,
  retryLane,
  reviewAlerts,
  runByHand,
  setPaused,
  wantAll,
} from '../../../src/lanes/lanes.ts';
import { createMetrics } from '../../../src/metrics.ts';
import { json, sql } from '../../../src/store/store.ts';
import { aCase, aGoal, anOrganization, aReferral } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const subject = 'county.organization.org-pantry';
const lane = { connection: 'general', subject };

async function waitSeconds(): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    select extract(epoch from next_try_at - now())::float8 as seconds from lane where subject = ${subject}`.execute(
    world.store.db,
  );
  return rows[0]?.seconds ?? 0;
}

async function nextTryAt(lane: string): Promise<Date | null> {
  const row = world.store.db.selectFrom('lane').select('next_try_at').where('subject', '=', lane);
  return (await row.executeTakeFirstOrThrow()).next_try_at;
}

async function dueForDays(days: number): Promise<void> {
  await sql`update lane set due_at = now() - ${days} * interval '1 day'`.execute(world.store.db);
}

const busy = () => world.server.faults({ method: 'POST', fault: { status: 503 } });

describe('a server that cannot answer', () => {
  test('is asked less and less often, to once in four minutes, and the next try is shown', async () => {
    await world.server.faults({ method: 'POST', fault: { status: 429 } });
    await world.accept(['organization', anOrganization()]);
    const waits: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      await world.run(subject);
      waits.push(await waitSeconds());
    }
    const least = [0.5, 1, 2, 4, 8, 16, 32, 64, 120, 120, 120, 120];
    for (const [at, wait] of waits.entries()) expect(wait).toBeCloseTo(least[at] ?? 0, -1);
    expect(waits.at(-1)).toBeGreaterThan(115);
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, attempts: 12, reason: 'connection-stopped' });
  });

  test('for six days is no alert; for eight it is one, however many lanes wait, and they are tried on', async () => {
    const other = anOrganization({ id: 'org-shelter', name: 'Open Door Shelter' });
    await busy();
    await world.accept(['organization', anOrganization()], ['organization', other]);
    await world.work({ tries: 1 });
    await dueForDays(6);
    await world.work({ tries: 1 });
    expect(await world.alerts()).toEqual([]);

    await dueForDays(8);
    await world.work({ tries: 1 });
    await world.work({ tries: 1 });
    expect(await world.alerts()).toMatchObject([{ topic: 'lanes-overdue:general', code: 'lane-overdue', count: 4 }]);
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined });
    expect(await waitSeconds()).toBeLessThan(240);
  });

  test('and answers again: the work is done, and the alert goes with the last overdue lane', async () => {
    const other = anOrganization({ id: 'org-shelter', name: 'Open Door Shelter' });
    await busy();
    await world.accept(['organization', anOrganization()], ['organization', other]);
    await world.work({ tries: 1 });
    await dueForDays(8);
    await world.work({ tries: 1 });
    await world.server.mend();
    for (let round = 0; (await world.lane(subject)).hasWork && round < 5; round += 1) await world.run(subject);
    expect(await world.alerts()).toHaveLength(1);
    await world.work();
    expect(await world.alerts()).toEqual([]);
    expect(await world.server.all('Organization')).toHaveLength(2);
  });
});

describe('the alert of overdue lanes', () => {
  beforeEach(async () => {
    await busy();
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 1 });
    await dueForDays(8);
    await world.work({ tries: 1 });
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toMatchObject([{ topic: 'lanes-overdue:general' }]);
  });

  test.each([
    ['retries', () => retryLane(world.store, lane)],
    ['runs', () => runByHand(world.store, lane)],
  ])('goes too where an operator %s the lane, whose tries are then counted anew', async (_what, act) => {
    await world.server.mend();
    await act();
    await world.work();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false });
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });

  test('goes where an operator parks the lane: nobody tries it any more', async () => {
    await parkLane(world.store, lane, { by: 'Ida', note: 'wait' });
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });
});

describe('alerts of a connection that is used no more', () => {
  const topics = async () => (await world.alerts()).map(({ topic }) => topic).sort();
  const away = async () => {
    await world.disconnect('general');
    for (let times = 0; times < 2; times += 1) await reviewAlerts(world.deps);
    expect(await topics()).toEqual([]);
  };
  const back = async () => {
    await world.connect(aConnection(world.server.base));
    await reviewAlerts(world.deps);
  };

  test('go, and come back with it while their cause lasts', async () => {
    await busy();
    await world.accept(['organization', anOrganization()]);
    await world.work({ tries: 1 });
    await dueForDays(8);
    await world.work({ tries: 1 });
    await setPaused(world.store, 'general', reason('connection-paused', { why: ' by ops' }));
    await sql`insert into budget (connection, state, told) values ('general', '{}', '["connection-failing"]')`.execute(
      world.store.db,
    );
    await world.store.tx((trx) =>
      openAlert(trx, {
        topic: 'connection-failing:general',
        connection: 'general',
        reason: reason('connection-failing', { failures: 5 }),
      }),
    );
    await reviewAlerts(world.deps);
    const all = ['connection-failing:general', 'connection-paused:general', 'lanes-overdue:general'];
    expect(await topics()).toEqual(all);

    await away();
    // What was told is forgotten, so that it is told again.
    expect(await world.store.db.selectFrom('budget').select('told').execute()).toEqual([{ told: [] }]);

    await back();
    expect(await topics()).toEqual(['connection-paused:general']);
    await setPaused(world.store, 'general', undefined);
    expect(await topics()).toEqual([]);
    await world.work({ tries: 1 });
    expect(await topics()).toContain('lanes-overdue:general');
  });

  test('those that count rows too, and that a change of masses is held', async () => {
    await world.accept(['organization', anOrganization()], ['referral', aReferral({ serviceId: 'never-sent' })]);
    await world.work();
    await sql`update lane set parked = ${json(reason('internal', { requestId: 'x' }))} where subject = ${subject}`.execute(
      world.store.db,
    );
    await sql`update waiting set since = now() - interval '2 days'`.execute(world.store.db);
    const held = {
      kind: 'mass-change' as const,
      topic: 'mass-change:restored-server:2026-06-01',
      reason: reason('mass-change', { cause: 'a restored server', limit: 100, connection: 'general' }),
      detail: { cause: 'restored-server', value: '2026-06-01' },
      choices: [],
    };
    await world.store.tx((trx) => openDecision(trx, { connection: 'general', subject: '', source: '' }, held));
    const massChange = 'mass-change:restored-server:2026-06-01:general';
    await reviewAlerts(world.deps);
    const all = ['lanes-parked:internal:general', massChange, 'records-awaited:general'];
    expect(await topics()).toEqual(all);

    await away();
    await back();
    // What was parked is tried again.
    expect(await topics()).toEqual(all.slice(1));
  });

  test('and what only an event would have ended', async () => {
    const told = ['poll-fails:general:Task', 'roster-unresolved:general', 'subscription-missed:general:Task'];
    for (const topic of [...told, 'lane-crashed:general:county.case.case-rosa'])
      await world.store.tx((trx) =>
        openAlert(trx, { topic, connection: 'general', reason: reason('outcome-unknown') }),
      );
    await reviewAlerts(world.deps);
    expect(await topics()).toHaveLength(4);
    await away();
  });
});

test('that the day of requests is used up is told until it is over, also where nothing is asked of the server any more', async () => {
  const topic = 'connection-day-used:general';
  await sql`insert into budget (connection, state, told, urgent_until)
    values ('general', '{}', '["connection-day-used"]', now() + interval '1 hour')`.execute(world.store.db);
  await world.store.tx((trx) => openAlert(trx, { topic, connection: 'general', reason: reason('outcome-unknown') }));
  await reviewAlerts(world.deps);
  expect(await world.alerts()).toMatchObject([{ topic }]);
  await sql`update budget set urgent_until = now()`.execute(world.store.db);
  await reviewAlerts(world.deps);
  expect(await world.alerts()).toEqual([]);
  expect(await world.store.db.selectFrom('budget').select('told').execute()).toEqual([{ told: [] }]);
});

describe('a server that fails some of what it is asked', () => {
  const caseLane = 'county.case.case-rosa';
  const aim = (statement: string, day: number) =>
    ['goal', aGoal({ statement, updatedAt: `2026-02-0${day}T10:00:00-05:00` })] as const;

  async function begun(): Promise<void> {
    await world.server.settings({ transactions: false });
    await world.send(...caseload());
    await wantAll(world.store, ['general']);
  }

  test.each([
    ['503', { status: 503 }],
    ['a cut answer', { truncate: 60 }],
    ['a reset', { drop: 'before-commit' }],
  ])('a read that is answered %s is made once more at once, and costs the run nothing', async (_what, fault) => {
    await begun();
    await world.server.strikeOnce('GET', 'Goal', fault);
    await world.run(caseLane);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: false, attempts: 0 });
  });

  test('a write that never gets through is shown as due at each try, and not as if it stood there', async () => {
    await begun();
    await world.server.faults({ method: 'PUT', path: 'Task', fault: { status: 503 } });
    await world.accept(['referral', aReferral({ urgency: 'urgent', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    for (let tries = 0; tries < 3; tries += 1) {
      await world.run(caseLane);
      const shown = await linksOf(world.store, { source: 'county', type: 'referral', id: 'referral-pantry' });
      const task = shown.filter((link) => 'slot' in link && link.slot === 'fulfilment');
      expect(task).toMatchObject([{ state: 'due', reason: expect.anything() }]);
    }
    await world.server.mend();
    await world.work();
    const shown = await linksOf(world.store, { source: 'county', type: 'referral', id: 'referral-pantry' });
    expect(shown).toMatchObject([{ state: 'current' }, { state: 'current' }]);
  });

  describe('always at the same resource', () => {
    const urgent = (day: number, urgency: 'urgent' | 'asap') =>
      ['referral', aReferral({ urgency, updatedAt: `2026-02-0${day}T10:00:00-05:00` })] as const;
    const taskThere = () => world.server.own('Task', 'county/referral/referral-pantry#fulfilment');
    const goalThere = () => world.server.own('Goal', 'county/goal/goal-meals#goal');
    const isGoal = ({ url }: JsonObject) => String(url).includes('/Goal/');

    /** The goal is to be read again, and its GET fails for good; both the goal and the referral have changed here. */
    async function stuck(fault: JsonObject = { status: 504 }, ...more: JsonObject[]): Promise<number> {
      await begun();
      const { id } = await goalThere();
      await world.server.faults({ method: 'GET', path: `Goal/${id}$`, fault }, ...more);
      await world.accept(aim('Food every day.', 5), urgent(5, 'urgent'));
      const { length } = await world.server.journal();
      await world.run(caseLane);
      return length;
    }

    test.each([
      ['a gateway time-out', { status: 504 }],
      [
        'one that comes as a page of the gateway',
        { status: 504, body: '<html>', headers: { 'content-type': 'text/html' } },
      ],
      ['a lock', { status: 423 }],
    ])(
      'with %s: it alone waits and is shown, the rest of its case goes out, and it follows when it can be read',
      async (_what, fault) => {
        const before = await stuck(fault);
        expect(await taskThere()).toMatchObject({ priority: 'urgent' });
        expect(await goalThere()).not.toMatchObject({ description: { text: 'Food every day.' } });
        expect((await world.server.writes(before)).filter(isGoal)).toEqual([]);
        expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'due', reason: expect.anything() });
        const lane = await world.lane(caseLane);
        expect(lane).toMatchObject({ hasWork: true, waiting: false, parked: undefined, attempts: 1 });
        expect(lane.reason).toBe((await world.link('goal/goal-meals#goal')).reason);
        expect(await nextTryAt(caseLane)).not.toBeNull();
        expect(await world.openDecisions()).toEqual([]);

        await world.run(caseLane);
        await world.run(caseLane);
        expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, attempts: 3 });
        expect((await world.server.writes(before)).filter(isGoal)).toEqual([]);

        await world.server.mend();
        await world.run(caseLane);
        expect(await goalThere()).toMatchObject({ description: { text: 'Food every day.' } });
        expect(await world.lane(caseLane)).toMatchObject({ hasWork: false, attempts: 0, reason: undefined });
        expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'current', reason: undefined });
        expect(await world.changes()).toEqual([]);
      },
    );

    test('the others are not read again each time that it is tried', async () => {
      await stuck();
      const { length } = await world.server.journal();
      await world.run(caseLane);
      const read = (await world.server.journal(length)).map(({ method, url }) => `${method} ${url}`);
      expect(read).toEqual([expect.stringMatching(/^GET .*Goal/), expect.stringMatching(/^GET .*Goal/)]);
    });

    test('what is refused meanwhile rests and is asked about, and is not sent each time that it is tried', async () => {
      const refusal = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'business-rule' }] };
      const refused = { method: 'PUT', path: 'Task', fault: { status: 422, body: refusal } };
      const before = await stuck({ status: 504 }, refused);
      await world.run(caseLane);
      await world.run(caseLane);
      const puts = (await world.server.journal(before)).filter(({ method }) => method === 'PUT');
      expect(puts.filter(({ url }) => String(url).includes('Task/'))).toHaveLength(1);
      expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, parked: 'server-refused' });
      expect(await world.openDecisions()).toMatchObject([{ kind: 'refused-write' }]);
      await world.server.mend();
      await world.decide('refused-write', 'retry');
      await world.work();
      expect(await taskThere()).toMatchObject({ priority: 'urgent' });
      expect(await world.lane(caseLane)).toMatchObject({ hasWork: false, parked: undefined });
    });

    test('what became of its last write is asked about, and it is looked at once in a run', async () => {
      await begun();
      const { id } = await goalThere();
      await world.server.faults(
        { method: 'PUT', path: `Goal/${id}$`, fault: { drop: 'after-commit' } },
        { method: 'GET', path: `Goal/${id}$`, nth: 2, times: 1000, fault: { status: 504 } },
      );
      await world.accept(aim('Food every day.', 5));
      await world.run(caseLane);
      await sql`update operation set intended_at = now() - interval '2 hours', send_before = now() - interval '1 hour'
        where outcome is null`.execute(world.store.db);
      await world.accept(urgent(5, 'urgent'));
      await wantAll(world.store, ['general']);
      await world.run(caseLane);
      expect(await world.openDecisions()).toMatchObject([{ kind: 'outcome-untold' }]);
      expect(await taskThere()).toMatchObject({ priority: 'urgent' });
      expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'parked', reason: 'outcome-untold' });
      expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, reason: 'server-busy' });
    });

    test('what was to be written without having to be read again is not written over it either', async () => {
      const before = await stuck({ status: 500 });
      await world.accept(['goal', aGoal({ status: 'entered-in-error', updatedAt: '2026-02-06T10:00:00-05:00' })]);
      await world.work({ tries: 3 });
      expect((await world.server.writes(before)).filter(isGoal)).toEqual([]);
      expect(await world.link('goal/goal-meals#goal')).toMatchObject({ retired: false, state: 'due' });
    });
  });

  describe('always at several resources of a case that is to be taken back', () => {
    const ids = ['goal-meals', 'goal-2', 'goal-3', 'goal-4', 'goal-5'];
    const goalOf = (id: string) => world.server.own('Goal', `county/goal/${id}#goal`);
    const sensitivity: ['mental-health'] = ['mental-health'];
    const marks = async (...types: readonly string[]) =>
      (await Promise.all(types.map((type) => world.server.all(type)))).flat().map(isMarked);
    const isMarked = ({ status, lifecycleStatus, verificationStatus }: JsonObject) =>
      /entered-in-error|cancelled/.test(JSON.stringify([status, lifecycleStatus, verificationStatus]));

    async function fail(...paths: readonly string[]): Promise<void> {
      const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };
      await world.server.mend();
      const faults = paths.map((path) => ({ method: 'GET', path, fault: { status: 500, body } }));
      await world.server.faults(...faults);
    }

    /** @returns how long the journal is before the case is labelled */
    async function labelled(...unreadable: readonly string[]): Promise<number> {
      await world.server.settings({ transactions: false });
      const goals = ids.map((id) => ['goal', aGoal({ id, needIds: [] })] as const);
      await world.send(...caseload(), ...goals);
      await fail(...unreadable);
      await world.accept(['case', aCase({ sensitivity, updatedAt: '2026-02-20T10:00:00-05:00' })]);
      return (await world.server.journal()).length;
    }

    test('all of a type: the rest is taken back in one run, and they follow as soon as each can be read', async () => {
      const before = await labelled('Goal/');
      await world.run(caseLane);
      const others = ['EpisodeOfCare', 'CareTeam', 'Condition', 'ServiceRequest', 'Task', 'CarePlan'];
      expect(await marks(...others)).toEqual(others.map(() => true));
      expect(await marks('Goal')).toEqual(ids.map(() => false));
      // Five failures in a row would stop the connection.
      const answers = (await world.server.journal(before)).map(({ status }) => (status === 500 ? 'x' : '.')).join('');
      expect(answers).toMatch(/x/);
      expect(answers).not.toMatch(/x{5}/);
      expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, reason: 'server-busy', attempts: 1 });

      const readable = await Promise.all(['goal-5', 'goal-meals'].map(goalOf));
      const rest = (await world.server.all('Goal')).filter(({ id }) => readable.every((goal) => goal.id !== id));
      await fail(...rest.map(({ id }) => `Goal/${id}$`));
      await world.work({ tries: 4 });
      expect((await Promise.all(ids.map(goalOf))).map(isMarked)).toEqual([true, false, false, false, true]);
      await world.server.mend();
      await world.work();
      expect(await marks('Goal')).toEqual(ids.map(() => true));
      expect(await world.lane(caseLane)).toMatchObject({ hasWork: false, attempts: 0 });
    });

    test('those of several types that are read first: the rest is taken back in the next runs', async () => {
      await labelled('EpisodeOfCare/', 'CareTeam/', 'Condition/');
      await world.work({ tries: 2 });
      const others = ['ServiceRequest', 'Task', 'CarePlan'];
      expect(await marks(...others, 'Goal')).toEqual([...others, ...ids].map(() => true));
      expect(await marks('EpisodeOfCare', 'CareTeam', 'Condition')).toEqual([false, false, false]);
    });

    test('and another cause comes: what is new goes out', async () => {
      await begun();
      await fail('EpisodeOfCare/', 'CareTeam/', 'Condition/');
      await world.accept(['referral', aReferral({ id: 'referral-2', updatedAt: '2026-02-05T10:00:00-05:00' })]);
      await world.work({ tries: 2 });
      expect(await world.server.all('Task')).toHaveLength(2);
    });
  });

  test.each([
    ['that fails over all', { status: 503 }, 3],
    ['that cannot be reached', { drop: 'before-commit' }, 1],
    ['that asks to be left alone', { status: 503, headers: { 'retry-after': '5' } }, 1],
    ['that is asked too much', { status: 429 }, 1],
  ])('one %s is spared: a run ends after a few reads', async (_what, fault, resources) => {
    await begun();
    const { length } = await world.server.journal();
    await world.server.faults({ method: 'GET', fault });
    await world.accept(['referral', aReferral({ urgency: 'urgent', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    await world.run(caseLane);
    const asked = await world.server.journal(length);
    expect(new Set(asked.map(({ url }) => url)).size).toBe(resources);
    expect(asked.every(({ method }) => method === 'GET')).toBe(true);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, attempts: 1 });
  });

  test('one that asks to be left alone is left alone', async () => {
    await begun();
    const fault = { status: 503, headers: { 'retry-after': '5' } };
    await world.server.strikeOnce('GET', 'Goal', fault);
    await world.run(caseLane);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, attempts: 1 });
  });

  test('a run that has written something counts as the first of the tries', async () => {
    await begun();
    await world.work();
    await world.server.faults({ method: 'PUT', fault: { status: 423 } });
    await world.accept(aim('Food every day.', 5));
    for (let tries = 0; tries < 3; tries += 1) await world.run(caseLane);
    expect(await world.lane(caseLane)).toMatchObject({ attempts: 3 });
    await world.server.mend();
    await world.server.faults({ method: 'PUT', path: 'Task', fault: { status: 423 } });
    await world.accept(['referral', aReferral({ urgency: 'urgent', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    await world.run(caseLane);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, attempts: 1 });
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'Food every day.' },
    });
  });
});

describe('requests of which nobody knows what came', () => {
  const measured = async (name: string): Promise<number> => {
    const text = await createMetrics(world.store).registry.metrics();
    return Number(new RegExp(`^casebridge_${name}\\{connection="general"\\} (.*)$`, 'm').exec(text)?.[1]);
  };

  test('are counted, and one alert of their connection after 15 minutes, until the server has told of the last', async () => {
    expect(await measured('unknown_outcomes')).toBe(0);
    expect(await measured('oldest_unknown_outcome_seconds')).toBe(0);
    await world.server.faults(
      { method: 'POST', path: 'Organization', fault: { drop: 'after-commit' } },
      { method: 'GET', path: 'Organization', fault: { status: 503 } },
    );
    const other = anOrganization({ id: 'org-shelter', name: 'Open Door Shelter' });
    await world.accept(['organization', anOrganization()], ['organization', other]);
    await world.work({ tries: 2 });
    expect(await measured('unknown_outcomes')).toBe(2);
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);

    await sql`update operation set intended_at = intended_at - interval '16 minutes'`.execute(world.store.db);
    for (let times = 0; times < 2; times += 1) await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([{ topic: 'outcomes-unknown:general', code: 'outcomes-unknown', count: 2 }]);
    expect(await measured('oldest_unknown_outcome_seconds')).toBeGreaterThanOrEqual(960);

    await world.server.mend();
    await world.work();
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
    expect(await measured('unknown_outcomes')).toBe(0);
    expect(await world.server.all('Organization')).toHaveLength(2);
  });
});

describe('a resource that somebody else writes each time before we do', () => {
  const goalSlot = 'county/goal/goal-meals#goal';
  let edits = 0;
  let isEdited = false;

  async function contest(): Promise<void> {
    await world.send(...caseload());
    const { id } = await world.server.own('Goal', goalSlot);
    const edit = async (): Promise<void> => {
      if (!isEdited) return;
      edits += 1;
      const extension = [{ url: 'https://pantry.example.org/shelf', valueString: `${edits}` }];
      await partnerEdits(world.server, `Goal/${id}`, (goal) => ({ ...goal, extension }));
      world.beforeNextWrite(edit);
    };
    isEdited = true;
    world.beforeNextWrite(edit);
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-05T10:00:00-05:00' })]);
  }

  test('becomes a question after a limited number of tries; nothing of theirs is lost, and the rest of the case goes on', async () => {
    await world.server.settings({ transactions: false });
    await contest();
    await world.work({ tries: 12 });
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'conflict', code: 'contested', choices: ['again', 'leave'] },
    ]);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'parked', reason: 'contested' });
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({ extension: [{ valueString: `${edits}` }] });

    await world.send(['referral', aReferral({ urgency: 'urgent', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    const task = await world.server.own('Task', 'county/referral/referral-pantry#fulfilment');
    expect(task).toMatchObject({ priority: 'urgent' });

    isEdited = false;
    await world.decide('conflict', 'again');
    await world.work();
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      description: { text: 'Food every day.' },
      extension: [{ valueString: `${edits}` }],
    });
  });

  test('rests where a person leaves it, and its next version goes out', async () => {
    await world.server.settings({ transactions: false });
    await contest();
    await world.work({ tries: 12 });
    isEdited = false;
    await world.decide('conflict', 'leave');
    const { length } = await world.server.journal();
    await world.workAgain();
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'parked', reason: 'version-set-aside' });
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });
    expect([await world.openDecisions(), await world.server.writes(length)]).toEqual([[], []]);
    await world.send(['goal', aGoal({ statement: 'Cook at home.', updatedAt: '2026-02-06T10:00:00-05:00' })]);
    expect(await world.server.own('Goal', goalSlot)).toMatchObject({
      description: { text: 'Cook at home.' },
      extension: [{ valueString: `${edits}` }],
    });
  });
});

describe('an update that is answered 412 although nobody else has written', () => {
  test.each([
    ['with versions', {}],
    ['without', { versions: false }],
  ])('is read again once, and then refused for what it is about, on a server %s', async (_title, settings) => {
    await world.server.settings({ transactions: false, ...settings });
    await world.send(...caseload());
    const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'business-rule' }] };
    await world.server.faults({ method: 'PUT', path: 'Goal', fault: { status: 412, body } });
    const before = (await world.server.journal()).length;
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-05T10:00:00-05:00' })]);
    const asked = (await world.server.journal(before)).filter(({ url }) => String(url).includes('/Goal/'));
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'PUT', 'GET', 'PUT']);
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'parked', reason: 'server-refused' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'refused-write', choices: ['retry', 'skip'] }]);
  });
});
