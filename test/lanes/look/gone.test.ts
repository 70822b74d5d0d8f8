// What disappeared on the server is never made again by itself (lanes.md 16).

import { describe, expect, test } from '@jest/globals';
import { listReplayLanes } from '../../../src/http/http.ts';
import type { JsonObject } from '../../../src/json.ts';
import { runByHand, startReplay, workReplays } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aCarePlan, aGoal, anOrganization } from '../../builders.ts';
import { caseload, caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { mrn, rosa } from '../../support/patients.ts';
import { creates, deletedThere, useWorld } from '../../support/world.ts';

const world = useWorld();
const name = 'carePlan/plan-rosa#plan';
const lane = 'county.case.case-rosa';

async function sendCaseAndLoseThePlan(): Promise<JsonObject> {
  await world.send(...caseload());
  const plan = await world.server.own('CarePlan', `county/${name}`);
  await deletedThere(world.server, `CarePlan/${plan.id}`);
  return plan;
}

const changedPlan = () => aCarePlan({ title: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' });

describe('a resource that was deleted on the server', () => {
  test('and is met by a look at it: a person is asked, nothing is created', async () => {
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone', choices: ['recreate', 'leave'] }]);
    expect(await world.link(name)).toMatchObject({ state: 'parked', reason: 'remote-gone' });
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined });
    expect(await creates(world.server, 'CarePlan')).toBe(1);
  });

  test('and is met by a write: a person is asked, the other news of the case goes out', async () => {
    await sendCaseAndLoseThePlan();
    const [referral] = caseWithReferral()
      .filter(([type]) => type === 'referral')
      .map(([, record]) => record);
    await world.send(
      ['carePlan', changedPlan()],
      ['referral', { ...referral, urgency: 'urgent', updatedAt: '2026-02-20T10:00:00-05:00' }],
    );
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone' }]);
    expect(await world.server.own('Task', 'county/referral/referral-pantry#fulfilment')).toMatchObject({
      priority: 'urgent',
    });
    expect(await world.server.all('CarePlan')).toEqual([]);
  });

  test('between our read and our write is not brought back by the write', async () => {
    await world.send(...caseload());
    const { id } = await world.server.own('CarePlan', `county/${name}`);
    world.beforeNextWrite(() => deletedThere(world.server, `CarePlan/${id}`));
    await world.send(['carePlan', changedPlan()]);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone' }]);
    expect(await world.server.all('CarePlan')).toEqual([]);
  });

  test('stays gone however often its record changes before an answer', async () => {
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    await world.accept(['carePlan', changedPlan()]);
    await world.workAgain();
    expect(await world.server.all('CarePlan')).toEqual([]);
    expect(await world.openDecisions()).toHaveLength(1);
  });

  test('answered "recreate": it is made again, once, under the identifier of the next generation', async () => {
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    await world.decide('remote-gone', 'recreate');
    await world.work();
    await world.workAgain();
    const again = await world.server.own('CarePlan', `county/${name}~2`);
    expect(await world.link(name)).toMatchObject({ generation: 2, state: 'current', remoteId: again.id });
    expect(await world.server.all('CarePlan')).toHaveLength(1);
  });

  test('answered "leave": it stays gone, and nobody is asked again', async () => {
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    await world.decide('remote-gone', 'leave');
    await world.work();
    await world.accept(['carePlan', changedPlan()]);
    await world.workAgain();
    expect(await world.server.all('CarePlan')).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(name)).toMatchObject({ reason: 'remote-left' });
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined, reason: 'remote-left' });
  });

  test('… until an operator runs the lane: then it can be made again', async () => {
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    await world.decide('remote-gone', 'leave');
    await world.work();
    await runByHand(world.store, { connection: 'general', subject: lane });
    await world.work();
    await world.decide('remote-gone', 'recreate');
    await world.work();
    expect(await world.link(name)).toMatchObject({ generation: 2, state: 'current' });
  });

  test('… and is a question again when it has come back there and is lost once more', async () => {
    const plan = await sendCaseAndLoseThePlan();
    await world.workAgain();
    await world.decide('remote-gone', 'leave');
    await world.work();
    await world.server.seed(plan);
    await world.workAgain();
    expect(await world.link(name)).toMatchObject({ state: 'current' });
    await deletedThere(world.server, `CarePlan/${plan.id}`);
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone' }]);
  });

  test('that comes back there answers the question by itself, and is updated again', async () => {
    const plan = await sendCaseAndLoseThePlan();
    await world.workAgain();
    await world.server.seed(plan);
    await world.accept(['carePlan', changedPlan()]);
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.server.own('CarePlan', `county/${name}`)).toMatchObject({ title: 'Food every day.' });
  });

  test('whose record is deleted as well asks nobody', async () => {
    await sendCaseAndLoseThePlan();
    await world.send(['carePlan', aCarePlan({ deleted: true, updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined });
  });
});

describe('a write that is answered that its resource is gone, although a look shows it', () => {
  const puts = async () => (await world.server.journal()).filter(({ method }) => method === 'PUT').length;

  test.each([
    ['update, 404', 404, changedPlan()],
    ['update, 410', 410, changedPlan()],
    ['retire, 410', 410, aCarePlan({ deleted: true, updatedAt: '2026-02-20T10:00:00-05:00' })],
  ])(
    '%s: is tried once more after the look, parks with its reason, and goes out once it is mended',
    async (_title, status, record) => {
      await world.send(...caseload());
      const before = await puts();
      await world.server.faults({ method: 'PUT', path: 'CarePlan', fault: { status } });
      await world.send(['carePlan', record]);
      expect(await puts()).toBe(before + 2);
      expect(await world.link(name)).toMatchObject({ state: 'parked', reason: 'server-refused' });
      expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: 'server-refused' });
      expect(await world.openDecisions()).toMatchObject([{ kind: 'refused-write' }]);

      await world.server.mend();
      await world.decide('refused-write', 'retry');
      await world.work();
      expect(await puts()).toBe(before + 3);
      expect(await world.lane(lane)).toMatchObject({ hasWork: false, parked: undefined });
      expect(await world.openDecisions()).toEqual([]);
    },
  );
});

describe('one more that is found gone on a day on which very many were, and a person has answered', () => {
  const answered = (state: string) =>
    sql`
      insert into mass_change (connection, cause, value, links, held, state)
      values ('general', 'restored-server', to_char(now() at time zone 'UTC', 'YYYY-MM-DD'), 500, 101, ${state})`.execute(
      world.store.db,
    );
  const count = () => world.store.db.selectFrom('mass_change').select(['held', 'state']).executeTakeFirstOrThrow();

  test('"go-on": it is made again with the others, and nobody is asked', async () => {
    await answered('go-on');
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    const again = await world.server.own('CarePlan', `county/${name}~2`);
    expect(await world.link(name)).toMatchObject({ generation: 2, state: 'current', remoteId: again.id });
    expect([await world.openDecisions(), await world.alerts()]).toEqual([[], []]);
    expect(await count()).toEqual({ held: 102, state: 'go-on' });
  });

  test('"go-on": what was made again and is deleted there once more is a question of its own', async () => {
    await answered('go-on');
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    const { id } = await world.server.own('CarePlan', `county/${name}~2`);
    await deletedThere(world.server, `CarePlan/${id}`);
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone', choices: ['recreate', 'leave'] }]);
    expect(await world.server.all('CarePlan')).toEqual([]);
    expect(await count()).toEqual({ held: 102, state: 'go-on' });
  });

  test('"go-on": what the other side began is not made again as ours', async () => {
    await answered('go-on');
    await sendCaseAndLoseThePlan();
    await sql`update link set origin = 'theirs' where type = 'carePlan'`.execute(world.store.db);
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone', choices: ['leave'] }]);
    expect(await world.server.all('CarePlan')).toEqual([]);
  });

  test('"go-on": a patient who was found is looked for again only when a person says so of that one', async () => {
    await answered('go-on');
    await world.server.seed(rosa('rosa', { identifier: [mrn] }));
    await world.send(...directoryAndClient());
    await deletedThere(world.server, 'Patient/rosa');
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone', choices: ['again', 'leave'] }]);
    expect(await world.link('client/client-rosa#patient')).toMatchObject({ remoteId: 'rosa', retired: false });
    expect(await world.server.all('Patient')).toEqual([]);
  });

  test('"stop": it stays gone with the others, and nobody is asked', async () => {
    await answered('stop');
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    await world.accept(['carePlan', changedPlan()]);
    await world.workAgain();
    expect(await world.server.all('CarePlan')).toEqual([]);
    expect(await world.link(name)).toMatchObject({ state: 'parked', reason: 'remote-left' });
    expect([await world.openDecisions(), await world.alerts()]).toEqual([[], []]);
    expect(await count()).toEqual({ held: 102, state: 'stop' });
  });

  test('not yet: it joins the question about them, and "stop" leaves it gone in the name of who said so', async () => {
    await answered('held');
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'mass-change', choices: ['go-on', 'stop'] }]);
    await world.workAgain();
    expect(await count()).toEqual({ held: 102, state: 'held' });
    await world.decide('mass-change', 'stop');
    await world.work();
    expect(await world.openDecisions()).toEqual([]);
    const { reason } = await world.store.db
      .selectFrom('link')
      .select('reason')
      .where('type', '=', 'carePlan')
      .executeTakeFirstOrThrow();
    expect(reason).toMatchObject({
      code: 'remote-left',
      text: expect.stringContaining('left gone on the server by Ida'),
    });
  });

  test('not yet, but of itself "leave": "go-on" about the others does not make it again', async () => {
    await answered('counting');
    await sendCaseAndLoseThePlan();
    await world.store.db.updateTable('mass_change').set({ held: 0 }).execute();
    await world.workAgain();
    await world.decide('remote-gone', 'leave');
    await world.work();
    await world.store.db.updateTable('mass_change').set({ held: 100 }).execute();
    const { id } = await world.server.own('Task', 'county/referral/referral-pantry#fulfilment');
    await deletedThere(world.server, `Task/${id}`);
    await world.workAgain();
    await world.decide('mass-change', 'go-on');
    await world.work();
    expect([await creates(world.server, 'Task'), await creates(world.server, 'CarePlan')]).toEqual([2, 1]);
    expect(await world.link(name)).toMatchObject({ generation: 1, reason: 'remote-left' });
  });

  test('not yet: it is taken out of the question when it is there again, and the question is about the others', async () => {
    await answered('held');
    const plan = await sendCaseAndLoseThePlan();
    const task = 'referral/referral-pantry#fulfilment';
    const { id } = await world.server.own('Task', `county/${task}`);
    await deletedThere(world.server, `Task/${id}`);
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'mass-change', detail: { held: 103 } }]);
    await world.server.seed(plan);
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'mass-change', detail: { held: 102, sample: [task] } }]);
    await world.decide('mass-change', 'stop');
    await world.work();
    expect(await world.link(name)).toMatchObject({ state: 'current' });
    expect(await world.link(task)).toMatchObject({ reason: 'remote-left' });
  });

  test('"stop": it is no refusal for a replay', async () => {
    await answered('stop');
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    const id = await startReplay(world.store, ['general'], { dryRun: false, by: 'ops' });
    await workReplays(world.deps);
    await world.work();
    await workReplays(world.deps);
    const { items } = await listReplayLanes(world.store, id, { limit: 100 });
    expect(items).toContainEqual(
      expect.objectContaining({
        subject: lane,
        outcome: 'skipped',
        reason: expect.objectContaining({ code: 'remote-left' }),
      }),
    );
    expect(items).not.toContainEqual(expect.objectContaining({ outcome: 'refused' }));
  });

  test('"stop": … until an operator runs the lane', async () => {
    await answered('stop');
    await sendCaseAndLoseThePlan();
    await world.workAgain();
    await runByHand(world.store, { connection: 'general', subject: lane });
    await world.work();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone', choices: ['recreate', 'leave'] }]);
  });
});

describe('what would point at a resource that is gone', () => {
  const agency = 'organization/org-pantry#organization';
  const later = '2026-02-20T10:00:00-05:00';

  async function loseTheAgency(): Promise<JsonObject> {
    await world.send(['organization', anOrganization()]);
    const ours = await world.server.own('Organization', `county/${agency}`);
    await deletedThere(world.server, `Organization/${ours.id}`);
    await world.workAgain();
    return ours;
  }

  async function beginTheCase(): Promise<void> {
    await world.send(...caseload());
  }

  const task = 'referral/referral-pantry#fulfilment';

  test('waits, with the reason, and goes out once that is made again', async () => {
    await loseTheAgency();
    await beginTheCase();
    expect(await world.link(task)).toMatchObject({ state: 'waiting', reason: 'remote-gone' });
    expect(await creates(world.server, 'Task')).toBe(0);
    await world.decide('remote-gone', 'recreate');
    await world.work();
    const again = await world.server.own('Organization', `county/${agency}~2`);
    expect(await world.server.own('Task', `county/${task}`)).toMatchObject({
      owner: { reference: `Organization/${again.id}` },
    });
  });

  test('goes out once that is back there', async () => {
    const ours = await loseTheAgency();
    await beginTheCase();
    await world.server.seed(ours);
    await world.workAgain();
    expect(await world.server.own('Task', `county/${task}`)).toMatchObject({
      owner: { reference: `Organization/${ours.id}` },
    });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('says who has left it so, and is no work that is never done', async () => {
    await loseTheAgency();
    await world.decide('remote-gone', 'leave');
    await beginTheCase();
    expect(await world.link(task)).toMatchObject({ state: 'waiting', reason: 'remote-left' });
    expect(await world.lane(lane)).toMatchObject({ hasWork: false, waiting: true, parked: undefined });
  });

  test('and does so already is updated as ever', async () => {
    await world.send(...caseload());
    const goal = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    const client = await world.server.own('Patient', 'county/client/client-rosa#patient');
    await sql`update link set state = 'parked', reason = '{"code":"remote-gone","text":""}' where type = 'client'`.execute(
      world.store.db,
    );
    await world.accept(['goal', aGoal({ statement: 'I want three meals a day.', updatedAt: later })]);
    await world.run(lane);
    expect(await world.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      id: goal.id,
      description: { text: 'I want three meals a day.' },
      subject: { reference: `Patient/${client.id}` },
    });
  });
});
