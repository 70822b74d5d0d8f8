// What a server may hold that makes no sense as a referral: each gets an answer of its own, and nothing changes that should not.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { sql } from '../../../src/store/store.ts';
import {
  feed,
  foodCondition,
  foodOrder,
  hospitalHas,
  ines,
  only,
  task as openTask,
  ops,
  seen,
  sourceAdopts,
  sourceIsThere,
  sourceMoves,
  written,
} from '../../support/begun.ts';
import { aConnection } from '../../support/rig.ts';
import { pollEverybody } from '../../support/roster.ts';
import { useWorld } from '../../support/world.ts';

const polls = {
  types: ['ServiceRequest', 'Task'],
  performers: ['Organization/7'],
  referralCodes: [],
  documentTypes: [],
  lookBackMs: 90 * 86_400_000,
} as const;
const world = useWorld({ polls });
/** Asked of us by name, so that it is our concern in whatever state it is. */
const task: JsonObject = { ...openTask, owner: { reference: 'Organization/7' } };

async function begins(...changed: readonly JsonObject[]): Promise<void> {
  const all = [ines, foodCondition, foodOrder, task];
  const kept = all.filter(
    ({ id, resourceType }) => !changed.some((one) => one.id === id && one.resourceType === resourceType),
  );
  await hospitalHas(
    world,
    { resourceType: 'Organization', id: '7', active: true, name: 'Riverside' },
    ...kept,
    ...changed,
  );
  await seen(world);
}

const asked = async () => (await world.openDecisions()).map(({ kind, code }) => `${kind} ${code}`);
const keptFor = async () =>
  (
    await world.store.db
      .selectFrom('inbound')
      .select(['reason'])
      .where('resource_type', '=', 'Task')
      .where('type', '=', 'referral')
      .execute()
  ).map(({ reason }) => reason?.code);

describe('seen for the first time', () => {
  test.each([
    ['a draft', { status: 'draft' }, 'inbound-draft'],
    ['one that is over', { status: 'completed' }, 'inbound-ended'],
    ['one that is withdrawn', { status: 'cancelled' }, 'inbound-ended'],
    ['a proposal', { intent: 'proposal' }, 'inbound-no-referral'],
    ['a task of another kind', { code: { text: 'Ring the ward' } }, 'inbound-no-referral'],
  ])('%s is kept with its reason, and nobody is bothered', async (_, changed, code) => {
    await begins({ ...task, ...changed });
    expect(await keptFor()).toEqual([code]);
    expect(await feed(world)).toEqual([]);
    expect(await asked()).toEqual([]);
  });

  test.each([
    ['of somebody else', { ...openTask, owner: { reference: 'Organization/99' } }],
    ['for anybody, when somebody has taken it up', { ...openTask, status: 'in-progress' }],
  ])('a Task %s is none of ours, and nothing is kept of it', async (_, theirs) => {
    await begins(theirs);
    expect(await keptFor()).toEqual([]);
    expect(await feed(world)).toEqual([]);
  });

  test('a Task for anybody that was offered, and that somebody else has taken up, is a question', async () => {
    await begins(openTask);
    await begins({ ...openTask, status: 'accepted' });
    expect(await asked()).toEqual(['inbound inbound-moved']);
  });

  test('a draft that is sent later is offered then', async () => {
    await begins({ ...task, status: 'draft' });
    await begins(task);
    expect(await ops(world)).toContain('propose referral');
  });

  test.each([
    ['a status that FHIR does not know', { status: 'pending-review' }, 'inbound-status'],
    ['no patient', { for: { display: 'Ines' } }, 'inbound-no-patient'],
    ['a patient whom the server does not know', { for: { reference: 'Patient/nobody' } }, 'inbound-two-patients'],
    ['another patient than its order', { for: { reference: 'Patient/bea' } }, 'inbound-two-patients'],
  ])('%s is a question, asked once, and nothing is offered', async (_, changed, code) => {
    await begins(
      { ...task, ...changed },
      ...(code === 'inbound-no-patient' ? [{ ...foodOrder, subject: { reference: 'Group/all' } }] : []),
    );
    expect(await asked()).toEqual([`inbound ${code}`]);
    expect(await feed(world)).toEqual([]);
    await world.decide('inbound', 'seen');
    await world.work();
    await seen(world);
    await world.workAgain();
    expect(await asked()).toEqual([]);
  });

  test('an unknown patient in both is a question of its own', async () => {
    await begins(
      { ...task, for: { reference: 'Patient/nobody' } },
      { ...foodOrder, subject: { reference: 'Patient/nobody' } },
    );
    expect(await asked()).toEqual(['inbound inbound-patient-unknown']);
  });

  describe('what the server does not show yet', () => {
    const unknown = { reference: 'Patient/nobody' };

    async function timePasses(minutes: number): Promise<void> {
      await sql`update seen set seen_at = seen_at - ${minutes} * interval '1 minute'`.execute(world.store.db);
      await sql`update inbound set updated_at = updated_at - ${minutes} * interval '1 minute'`.execute(world.store.db);
      await world.workAgain();
    }

    /** Minutes until the lane of the Task looks again by itself. */
    async function nextLook(): Promise<number> {
      const { rows } = await sql<{ minutes: number }>`
        select extract(epoch from l.next_look_at - now())::float8 / 60 as minutes from lane l
        join inbound i on i.connection = l.connection and i.subject = l.subject and i.remote_id = 'task-1' limit 1`.execute(
        world.store.db,
      );
      return rows[0]?.minutes ?? Number.NaN;
    }

    const looksAt = async (path: string) =>
      (await world.server.journal()).filter(({ method, url }) => method === 'GET' && String(url).endsWith(path)).length;

    test('a patient is looked for again, ever less often, and the question ends once it is shown', async () => {
      await begins({ ...task, for: unknown }, { ...foodOrder, subject: unknown });
      expect(await asked()).toEqual(['inbound inbound-patient-unknown']);
      expect(await nextLook()).toBeCloseTo(15, 0);
      await timePasses(10);
      expect(await looksAt('Patient/nobody')).toBe(1);
      await timePasses(30);
      expect(await looksAt('Patient/nobody')).toBe(2);
      expect(await nextLook()).toBeCloseTo(40, 0);
      await timePasses(30);
      expect(await looksAt('Patient/nobody')).toBe(2);
      await timePasses(60 * 24 * 30);
      expect(await looksAt('Patient/nobody')).toBe(3);
      expect(await nextLook()).toBeCloseTo(60 * 24, 0);
      expect(await asked()).toEqual(['inbound inbound-patient-unknown']);
      await hospitalHas(world, { ...ines, id: 'nobody' });
      await timePasses(60 * 24);
      expect(await asked()).toEqual([]);
      expect(await ops(world)).toContain('propose referral');
      expect(await nextLook()).toBeNaN();
    });

    test('a patient whom a poll sees ends the question at once', async () => {
      const types = ['Patient', 'ServiceRequest', 'Task'] as const;
      await world.connect(aConnection(world.server.base, { polls: { ...polls, types } }));
      await begins({ ...task, for: unknown }, { ...foodOrder, subject: unknown });
      await pollEverybody(world);
      await world.work();
      expect(await asked()).toEqual(['inbound inbound-patient-unknown']);
      await hospitalHas(world, { ...ines, id: 'nobody' });
      await pollEverybody(world);
      await world.work();
      expect(await asked()).toEqual([]);
      expect(await ops(world)).toContain('propose referral');
    });

    test('an order that we may see later is told then', async () => {
      await world.server.faults(
        { method: 'GET', path: 'ServiceRequest/order-1', fault: { status: 403, body: '' } },
        { method: 'GET', path: 'ServiceRequest?', fault: { status: 403, body: '' } },
      );
      await begins();
      expect((await feed(world)).at(-1)?.body).toMatchObject({ requestedText: 'Not said' });
      const { length } = await feed(world);
      await world.server.mend();
      await timePasses(5);
      expect(await ops(world, length)).toEqual([]);
      await timePasses(15);
      expect((await feed(world)).at(-1)).toMatchObject({
        op: 'propose',
        type: 'referral',
        body: { requestedService: 'food-pantry' },
      });
    });
  });

  test('a question is over when the hospital has mended it', async () => {
    await begins({ ...task, for: { reference: 'Patient/bea' } });
    await begins(task);
    expect(await asked()).toEqual([]);
    expect(await ops(world)).toContain('propose referral');
  });

  test('an order that cannot be kept leaves the Task to speak for itself, and is told to an operator', async () => {
    await begins({ ...foodOrder, note: [{ text: 'by the door\0' }] });
    expect((await feed(world)).at(-1)).toMatchObject({ op: 'propose', body: { requestedText: 'Not said' } });
    expect(await world.alerts()).toMatchObject([{ code: 'poll-unreadable' }]);
    const lanes = await world.store.db.selectFrom('lane').select('reason').whereRef('done', '<', 'wanted').execute();
    expect(lanes).toEqual([]);
  });

  test('an order that nobody may see leaves the Task to speak for itself', async () => {
    await begins({ ...task, focus: { reference: 'ServiceRequest/elsewhere' } });
    expect((await feed(world)).at(-1)?.body).toMatchObject({
      domain: 'other',
      urgency: 'urgent',
      requestedText: 'Not said',
    });
  });

  test('what the order names of another patient is not offered with it', async () => {
    await begins({ ...foodCondition, subject: { reference: 'Patient/bea' } });
    expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose referral']);
    expect((await feed(world)).at(-1)?.body).not.toHaveProperty('needIds');
  });
});

describe('offered, and not answered yet', () => {
  test.each([
    ['accepted by somebody', { status: 'accepted' }, 'inbound-moved'],
    ['completed by somebody', { status: 'completed' }, 'inbound-moved'],
    ['sent back to draft', { status: 'draft' }, 'inbound-moved'],
    ['moved to another patient', { for: { reference: 'Patient/bea' } }, 'inbound-two-patients'],
  ])('%s: a person is asked, what was offered stands, and nothing is written', async (_, changed, code) => {
    await begins();
    await begins({ ...task, ...changed });
    expect(await asked()).toEqual([`inbound ${code}`]);
    expect((await feed(world)).length).toBe(4);
    expect(await written(world)).toEqual([]);
  });

  test('moved to another patient in Task and order: it is not offered about the other one', async () => {
    await begins();
    await hospitalHas(world, { ...ines, id: 'bea' });
    await begins(
      { ...task, for: { reference: 'Patient/bea' } },
      { ...foodOrder, subject: { reference: 'Patient/bea' } },
    );
    expect(await asked()).toEqual(['inbound inbound-patient-changed']);
    expect((await feed(world)).length).toBe(4);
  });

  test('withdrawn, and then requested again: a person is asked', async () => {
    await begins();
    await begins({ ...task, status: 'cancelled' });
    await begins(task);
    expect(await asked()).toEqual(['inbound inbound-moved']);
    expect((await feed(world)).length).toBe(8);
  });
});

describe('taken over, and then', () => {
  async function isAccepted(): Promise<void> {
    await sourceIsThere(world);
    await begins();
    await sourceAdopts(world);
    await sourceMoves(world, 'accepted');
  }

  test.each([
    ['sent back to requested', 'requested'],
    ['completed by the hospital, which is not its to say', 'completed'],
    ['rejected by the hospital', 'rejected'],
  ])('%s: a person is asked, and no record changes', async (_, status) => {
    await isAccepted();
    await hospitalHas(world, { ...(await only(world, 'Task')), status });
    await seen(world);
    expect(await asked()).toEqual(['status status-read']);
    expect((await feed(world)).filter(({ op }) => op === 'patch')).toEqual([]);
    expect(await only(world, 'Task')).toMatchObject({ status });
  });

  test('deleted by the hospital: a person is asked, and it is never made again', async () => {
    await isAccepted();
    await world.server.fhir('DELETE', 'Task/task-1');
    await sourceMoves(world, 'in-progress');
    expect((await world.openDecisions()).map(({ kind, choices }) => [kind, choices])).toEqual([
      ['remote-gone', ['leave']],
    ]);
    expect(await world.server.all('Task')).toEqual([]);
  });
});
