// What operators do to lanes and connections: park, retry, skip, drain; and the one question about what a server refuses (lanes.md 1; design
// section 8). None of it holds up the rest of a case.

import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { linksOf } from '../../../src/http/queries/record.ts';
import { isObject } from '../../../src/json.ts';
import { feed } from '../../../src/lanes/feeder.ts';
import {
  drain,
  dryRun,
  finishDrains,
  parkLane,
  retryLane,
  reviewAlerts,
  runByHand,
  setPaused,
  skipStuck,
} from '../../../src/lanes/lanes.ts';
import type { LaneKey } from '../../../src/lanes/lease.ts';
import { sql } from '../../../src/store/store.ts';
import { aGoal, aNeed } from '../../builders.ts';
import { caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const lane = { connection: 'general', subject: 'county.case.case-rosa' };

async function sendAll(): Promise<void> {
  await world.send(...directoryAndClient());
  await world.send(...caseWithReferral());
}

async function refuse(...types: readonly string[]): Promise<void> {
  const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] };
  // A transaction that holds such a resource is refused as a whole.
  const rules = [...types, '$'].map((path) => ({ method: 'POST', path, fault: { status: 422, body } }));
  await world.server.faults(...rules);
}

async function refusedGoal(): Promise<void> {
  await world.send(...directoryAndClient());
  await refuse('Goal');
  await world.send(...caseWithReferral());
}

const newGoal = (statement: string, minute: number) =>
  world.accept(['goal', aGoal({ statement, updatedAt: `2026-02-20T10:${minute}:00-05:00` })]);

async function goalOnServer(): Promise<unknown> {
  const { description } = await world.server.own('Goal', 'county/goal/goal-meals#goal');
  return isObject(description) ? description.text : undefined;
}

describe('a lane that an operator parks', () => {
  test('is run by nobody, whatever its records say, until an operator retries it', async () => {
    await sendAll();
    await parkLane(world.store, lane, { by: 'Ida', note: 'the family has asked us to wait' });
    await newGoal('Food every day.', 10);
    await world.work({ tries: 2 });
    expect(await goalOnServer()).not.toBe('Food every day.');
    await retryLane(world.store, lane);
    await world.work();
    expect(await goalOnServer()).toBe('Food every day.');
  });

  test('shows what waits for it as due, and only that', async () => {
    await sendAll();
    const shown = async (type: 'goal' | 'need', id: string) => {
      const [link] = await linksOf(world.store, { source: 'county', type, id });
      return link;
    };
    expect(await shown('goal', 'goal-meals')).toMatchObject({ state: 'current', reason: null });
    await newGoal('Food every day.', 10);
    expect(await shown('goal', 'goal-meals')).toMatchObject({
      state: 'due',
      reason: { code: 'version-due', text: 'Version 2 of the record waits for the next run of its lane.' },
    });
    expect(await shown('need', 'need-food')).toMatchObject({ state: 'current' });
    await parkLane(world.store, lane, { by: 'Ida', note: 'wait' });
    expect(await shown('goal', 'goal-meals')).toMatchObject({
      state: 'due',
      reason: { code: 'lane-parked-by-operator' },
    });
    await retryLane(world.store, lane);
    await world.work();
    expect(await shown('goal', 'goal-meals')).toMatchObject({ state: 'current', reason: null });
  });

  test('is not handed to the queue', async () => {
    await sendAll();
    await parkLane(world.store, lane, { by: 'Ida', note: 'wait' });
    await newGoal('Food every day.', 10);
    expect(await fed()).toEqual([]);
    await runByHand(world.store, lane);
    expect(await fed()).toEqual([lane.subject]);
  });

  test('in the middle of a run: that run sends nothing more and changes nothing', async () => {
    await sendAll();
    await newGoal('Food every day.', 10);
    world.beforeNextWrite(() => parkLane(world.store, lane, { by: 'Ida', note: 'stop' }));
    await world.run(lane.subject);
    const { stopped, lease_until: until } = await row();
    expect(stopped).toMatchObject({ by: 'Ida', note: 'stop' });
    expect(until).toBeNull();
    // The request that was on its way is an unknown outcome, cleared up once the lane may run again.
    await retryLane(world.store, lane);
    await world.work();
    expect(await goalOnServer()).toBe('Food every day.');
    expect(await world.server.all('Goal')).toHaveLength(1);
  });

  test('must exist', async () => {
    const nobody = { connection: 'general', subject: 'county.case.none' };
    await expect(parkLane(world.store, nobody, { by: 'Ida' })).rejects.toMatchObject({ code: 'lane-unknown' });
    await expect(retryLane(world.store, nobody)).rejects.toMatchObject({ code: 'lane-unknown' });
    await expect(skipStuck(world.store, nobody, { by: 'Ida' })).rejects.toMatchObject({ code: 'lane-unknown' });
  });
});

describe('a lane with nothing stuck in it', () => {
  test('has nothing to retry and nothing to skip, and the answer says in which state it is', async () => {
    await sendAll();
    await expect(retryLane(world.store, lane)).rejects.toMatchObject({
      code: 'lane-nothing-to-retry',
      parameters: { state: 'idle' },
    });
    await expect(skipStuck(world.store, lane, { by: 'Ida' })).rejects.toMatchObject({ code: 'lane-nothing-to-skip' });
  });
});

describe('a refused write', () => {
  test('opens one decision for the lane, beside the parked state, and lists what each choice would do', async () => {
    await world.send(...directoryAndClient());
    await refuse('Goal', 'Condition');
    await world.send(...caseWithReferral());
    const [only, ...others] = await world.openDecisions();
    expect(others).toEqual([]);
    expect(only).toMatchObject({ kind: 'refused-write', choices: ['retry', 'skip'] });
    expect(only?.detail.resources).toEqual([
      expect.objectContaining({ resource: 'goal/goal-meals#goal', version: 1, code: 'server-refused' }),
      expect.objectContaining({ resource: 'need/need-food#condition', version: 1, code: 'server-refused' }),
    ]);
    expect(await world.lane(lane.subject)).toMatchObject({ parked: 'server-refused' });
    const general = world.deps.connections.get('general');
    expect((general && (await dryRun(world.deps, general, lane)))?.parked).toEqual([
      { slot: 'goal', resource: 'goal/goal-meals#goal', reason: expect.objectContaining({ code: 'server-refused' }) },
      expect.objectContaining({ slot: 'condition', resource: 'need/need-food#condition' }),
    ]);
    expect(await world.server.all('Task')).toHaveLength(1);
  });

  test('that is refused again asks no second time', async () => {
    await refusedGoal();
    await runByHand(world.store, lane);
    await world.work();
    await newGoal('Food every day.', 10);
    await world.work();
    const asked = await world.store.db.selectFrom('decision').select(['kind', 'state']).execute();
    expect(asked).toEqual([{ kind: 'refused-write', state: 'open' }]);
    expect((await world.openDecisions())[0]?.detail.resources).toMatchObject([{ version: 2 }]);
  });

  test('decision "retry": goes out once the server takes it', async () => {
    await refusedGoal();
    await world.server.mend();
    await world.decide('refused-write', 'retry');
    await world.work();
    expect(await world.server.all('Goal')).toHaveLength(1);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.lane(lane.subject)).toMatchObject({ parked: undefined });
  });

  test('decision "skip": the version rests with its reason, the lane is free, and the next version goes out', async () => {
    await refusedGoal();
    await world.decide('refused-write', 'skip');
    await world.work();
    expect(await world.lane(lane.subject)).toMatchObject({ hasWork: false, parked: undefined });
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'parked', reason: 'version-set-aside' });
    await world.server.mend();
    await runByHand(world.store, lane);
    await world.work();
    expect(await world.server.all('Goal')).toEqual([]);
    await newGoal('Food every day.', 10);
    await world.work();
    expect(await goalOnServer()).toBe('Food every day.');
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ state: 'current' });
  });

  test('is obsolete as a question when a new version goes through', async () => {
    await refusedGoal();
    await world.server.mend();
    await newGoal('Food every day.', 10);
    await world.work();
    const asked = await world.store.db.selectFrom('decision').select(['kind', 'state']).execute();
    expect(asked).toEqual([{ kind: 'refused-write', state: 'obsolete' }]);
  });
});

describe('skip', () => {
  test('of one resource leaves the others parked', async () => {
    await world.send(...directoryAndClient());
    await refuse('Goal', 'Condition');
    await world.send(...caseWithReferral());
    const skipped = await skipStuck(world.store, lane, { by: 'Ida', note: 'not needed' }, 'goal/goal-meals#goal');
    expect(skipped).toEqual(['goal/goal-meals#goal']);
    const shown = await linksOf(world.store, { source: 'county', type: 'goal', id: 'goal-meals' });
    expect(shown).toMatchObject([{ setAside: { version: 1, by: 'Ida', note: 'not needed' } }]);
    await world.work();
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({ reason: 'version-set-aside' });
    expect(await world.link('need/need-food#condition')).toMatchObject({ reason: 'server-refused' });
    expect(await world.lane(lane.subject)).toMatchObject({ parked: 'server-refused' });
  });

  test('of a resource that is not stuck is refused, with what is', async () => {
    await refusedGoal();
    const asked = skipStuck(world.store, lane, { by: 'Ida' }, 'need/need-food#condition');
    await expect(asked).rejects.toMatchObject({
      code: 'lane-nothing-to-skip',
      message: expect.stringMatching(/Stuck in this lane: goal\/goal-meals#goal\.$/),
    });
  });
});

describe('parked lanes', () => {
  test('are one alert for each connection and reason, which counts them and is resolved with the last', async () => {
    await refusedGoal();
    await reviewAlerts(world.deps);
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([
      { topic: 'lanes-parked:server-refused:general', code: 'lanes-parked', count: 1 },
    ]);
    await world.decide('refused-write', 'skip');
    await world.work();
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });
});

describe('a connection that is drained', () => {
  test('finishes what was due, takes nothing that becomes due later, and then pauses', async () => {
    await world.accept(...directoryAndClient());
    await drain(world.store, 'general', 'ops');
    expect(await finishDrains(world.store)).toEqual([]);
    await world.accept(['need', aNeed({ id: 'need-new', caseId: 'case-new' })]);
    const first = await fed();
    expect(first).toContain('county.client.client-rosa');
    expect(first).not.toContain('county.case.case-new');
    for (const subject of first) await world.run(subject);
    for (let rest = await fed(); rest.length > 0; rest = await fed())
      for (const subject of rest) await world.run(subject);
    expect(await finishDrains(world.store)).toEqual(['general']);
    expect(await world.server.all('Patient')).toHaveLength(1);
    expect(await world.alerts()).toMatchObject([{ topic: 'connection-paused:general' }]);
    await setPaused(world.store, 'general', undefined);
    expect(await fed()).toContain('county.case.case-new');
  });

  test('is not polled', async () => {
    await sendAll();
    await drain(world.store, 'general', 'ops');
    expect(await world.report()).toMatchObject({
      draining: { by: 'ops', since: expect.any(String) },
      findings: [{ code: 'connection-draining', text: expect.stringContaining('as ops wants it') }],
    });
    const before = (await world.server.journal()).length;
    await world.poll();
    expect(await world.server.journal(before)).toEqual([]);
  });

  test('waits for what a request has done that got no answer', async () => {
    await sendAll();
    const fault = { drop: 'after-commit' };
    await world.server.faults(
      { method: 'PUT', path: 'Goal', nth: 1, fault },
      { method: 'POST', path: '$', nth: 1, fault },
    );
    await newGoal('Food every day.', 10);
    await world.run(lane.subject);
    await drain(world.store, 'general', 'ops');
    expect(await finishDrains(world.store)).toEqual([]);
    await world.work();
    expect(await finishDrains(world.store)).toEqual(['general']);
  });

  test('does not wait for lanes that a person or a later try holds up', async () => {
    await sendAll();
    await parkLane(world.store, lane, { by: 'Ida', note: 'wait' });
    await newGoal('Food every day.', 10);
    await drain(world.store, 'general', 'ops');
    expect(await finishDrains(world.store)).toEqual(['general']);
  });

  test('still does what was due when a late look comes meanwhile, which makes nothing younger', async () => {
    await world.accept(...directoryAndClient());
    await drain(world.store, 'general', 'ops');
    const { due_at: dueAt } = await row('county.client.client-rosa');
    await sql`update lane set next_look_at = now()`.execute(world.store.db);
    for (let rest = await fed(); rest.length > 0; rest = await fed())
      for (const subject of rest) await world.run(subject);
    expect((await row('county.client.client-rosa')).due_at).toEqual(dueAt);
    expect(await finishDrains(world.store)).toEqual(['general']);
    expect(await world.server.all('Patient')).toHaveLength(1);
  });

  describe('with a request of which nobody knows what came', () => {
    beforeEach(async () => {
      await sendAll();
      const fault = { drop: 'after-commit' };
      await world.server.faults(
        { method: 'PUT', path: 'Goal', nth: 1, fault },
        { method: 'POST', path: '$', nth: 1, fault },
      );
      await newGoal('Food every day.', 10);
      await world.run(lane.subject);
    });

    test('does not wait for it where a person has parked its lane', async () => {
      await parkLane(world.store, lane, { by: 'Ida', note: 'wait' });
      await drain(world.store, 'general', 'ops');
      expect(await finishDrains(world.store)).toEqual(['general']);
      await setPaused(world.store, 'general', undefined);
      await retryLane(world.store, lane);
      await world.work();
      expect(await goalOnServer()).toBe('Food every day.');
    });

    test('does not wait for it where its lane is parked because it brings processes down', async () => {
      await sql`update lane set done = wanted, parked = '{"code":"lane-crashed","text":"x"}' where subject = ${lane.subject}`.execute(
        world.store.db,
      );
      await drain(world.store, 'general', 'ops');
      expect(await finishDrains(world.store)).toEqual(['general']);
    });

    test('does not wait for it where its lane has got work again only since', async () => {
      await sql`update lane set done = wanted, parked = '{"code":"lane-crashed","text":"x"}' where subject = ${lane.subject}`.execute(
        world.store.db,
      );
      await drain(world.store, 'general', 'ops');
      // The embedded store counts milliseconds.
      await setTimeout(2);
      await newGoal('Food on weekdays.', 20);
      expect(await fed()).toEqual([]);
      expect(await finishDrains(world.store)).toEqual(['general']);
    });
  });

  test('goes on as before when it is resumed', async () => {
    await drain(world.store, 'general', 'ops');
    await setPaused(world.store, 'general', undefined);
    await sendAll();
    expect(await finishDrains(world.store)).toEqual([]);
    expect(await world.server.all('Task')).toHaveLength(1);
  });

  test('must not be paused already', async () => {
    await setPaused(world.store, 'general', { code: 'connection-paused', text: 'by ops' });
    await expect(drain(world.store, 'general', 'ops')).rejects.toMatchObject({ code: 'connection-not-running' });
  });
});

async function row(subject = lane.subject) {
  return world.store.db.selectFrom('lane').selectAll().where('subject', '=', subject).executeTakeFirstOrThrow();
}

/** What the feeder hands out now; claims run out at once. */
async function fed(): Promise<string[]> {
  const subjects: string[] = [];
  await feed({
    store: world.store,
    connections: () => [...world.deps.connections].map(([id, { configuration }]) => ({ id, configuration, slots: 50 })),
    add: async (lanes: LaneKey[]) => {
      subjects.push(...lanes.map(({ subject }) => subject));
    },
    onError: (error) => {
      throw error;
    },
    claimMs: 0,
  });
  return subjects.sort();
}
