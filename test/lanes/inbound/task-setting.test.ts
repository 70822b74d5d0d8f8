// `task: home | copy | answer | off`: where the Task of a referral lives, and what a server gets of it (closed-loop B1).

import { describe, expect, test } from '@jest/globals';
import type { ConnectionConfig } from '../../../src/config.ts';
import { isObject, type JsonObject } from '../../../src/json.ts';
import type { RecordType } from '../../../src/records/records.ts';
import { sql } from '../../../src/store/store.ts';
import { aReferral } from '../../builders.ts';
import {
  foodCondition,
  foodOrder,
  hospitalHas,
  ines,
  only,
  ops,
  seen,
  sourceAdopts,
  sourceIsThere,
  sourceMoves,
  sourceRefuses,
  task,
} from '../../support/begun.ts';
import { caseload } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();

async function set(setting: ConnectionConfig['task']): Promise<void> {
  await world.connect(aConnection(world.server.base, { task: setting }));
}

const at = '2026-02-20T10:00:00-05:00';
const moved = (status: string, more = {}) => {
  const referral = aReferral();
  const history = Array.isArray(referral.history) ? referral.history : [];
  return {
    ...referral,
    status,
    updatedAt: at,
    decidedAt: at,
    history: [...history, { id: 'h9', status, at }],
    ...more,
  };
};

describe('an outgoing referral', () => {
  test('copy: the server has a mirror that follows the record by whatever way', async () => {
    await set('copy');
    await world.send(...caseload());
    expect(await only(world, 'Task')).toMatchObject({
      status: 'requested',
      meta: { tag: [{ code: 'casebridge' }, { code: 'copy' }] },
    });
    await world.send(['referral', moved('accepted')]);
    expect(await only(world, 'Task')).toMatchObject({ status: 'accepted' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each(['ours', 'theirs'])('copy: a foreign edit of the mirror is a decision, %s', async (choice) => {
    await set('copy');
    await world.send(...caseload());
    const { id } = await only(world, 'Task');
    await partnerEdits(world.server, `Task/${id}`, (held) => ({
      ...held,
      status: 'completed',
      note: [{ text: 'Done' }],
    }));
    await seen(world);
    expect((await world.openDecisions()).map(({ code }) => code).sort()).toEqual(['copy-edited', 'remote-edit']);
    expect(await world.changes()).toEqual([]);
    await world.decide('status', choice);
    await world.work();
    expect(await only(world, 'Task')).toMatchObject({ status: choice === 'ours' ? 'requested' : 'completed' });
    expect(await world.changes()).toEqual([]);
  });

  test.each(['answer', 'off'] as const)('%s: no Task is made there, and the order is', async (setting) => {
    await set(setting);
    await world.send(...caseload());
    expect(await world.server.all('Task')).toEqual([]);
    expect(await only(world, 'ServiceRequest')).toMatchObject({ status: 'active' });
    expect(await world.link('referral/referral-pantry#fulfilment')).toMatchObject({
      state: 'current',
      reason: `route-task-${setting}`,
    });
  });
});

describe('a referral that began there', () => {
  async function isAdopted(setting: ConnectionConfig['task']): Promise<void> {
    await set(setting);
    await sourceIsThere(world);
    await hospitalHas(world, ines, foodCondition, foodOrder, task);
    await seen(world);
    expect(await ops(world)).toEqual(['propose client', 'propose case', 'propose need', 'propose referral']);
    await sourceAdopts(world);
    await sourceMoves(world, 'accepted');
  }

  test.each(['home', 'answer', 'copy'] as const)('%s: its Task is answered where it is', async (setting) => {
    await isAdopted(setting);
    expect(await only(world, 'Task')).toMatchObject({ id: 'task-1', status: 'accepted' });
    expect(await world.openDecisions()).toEqual([]);
  });

  const notes = async () =>
    (await world.server.all('DocumentReference')).map(({ content }) => {
      const [first] = Array.isArray(content) ? content : [];
      const attachment = isObject(first) && isObject(first.attachment) ? first.attachment : {};
      return Buffer.from(String(attachment.data), 'base64').toString('utf8');
    });

  test('off: each answer goes as a note in the chart, one that grows, and a second look writes nothing', async () => {
    await isAdopted('off');
    expect(await notes()).toEqual([expect.stringMatching(/Quintero.*food pantry.*Answer: accepted\./is)]);
    expect(await only(world, 'DocumentReference')).toMatchObject({ subject: { reference: 'Patient/ines' } });
    await sourceMoves(world, 'in-progress');
    await sourceMoves(world, 'completed', {
      outcome: { code: 'service-received', at: '2026-03-20T09:00:00-05:00', text: 'Groceries twice a week' },
    });
    expect(await notes()).toEqual([
      expect.stringMatching(/Answer: completed\..*Outcome: service received\. Groceries twice a week/is),
    ]);
    expect(await only(world, 'Task')).toMatchObject({ status: 'requested' });
    const before = (await world.server.writes()).length;
    await world.workAgain();
    expect(await world.server.writes()).toHaveLength(before);
    expect(await world.openDecisions()).toEqual([]);
  });

  const held = async (type: RecordType) => {
    const { content } = await world.store.db
      .selectFrom('record')
      .select('content')
      .where('type', '=', type)
      .executeTakeFirstOrThrow();
    return content;
  };

  test.each<[string, RecordType, (record: JsonObject) => JsonObject]>([
    [
      'whose client is labelled, without a consent',
      'client',
      (record) => ({ ...record, sensitivity: ['domestic-violence'] }),
    ],
    ['that is deleted', 'referral', ({ id = null }) => ({ id, deleted: true })],
  ])('off: the note of a referral %s is taken back, and told anew once it may be', async (_what, type, gone) => {
    await isAdopted('off');
    await sourceMoves(world, 'completed', { outcome: { code: 'service-received', text: 'Groceries twice a week' } });
    const { id } = await held('referral');
    const content = await held(type);
    await world.send([type, { ...gone(content), updatedAt: '2026-04-01T09:00:00-04:00' }]);
    expect(await only(world, 'DocumentReference')).toMatchObject({ status: 'entered-in-error' });
    expect(await notes()).toEqual([expect.not.stringMatching(/Groceries|food pantry|completed|referral/i)]);
    expect(await world.link(`referral/${id}#document`)).toMatchObject({ state: 'leaving', retired: true });
    expect((await world.openDecisions()).filter(({ code }) => code === 'document-recalled')).toMatchObject([
      { topic: `recalled:referral/${id}#document` },
    ]);
    await world.send([type, { ...content, updatedAt: '2026-04-02T09:00:00-04:00' }]);
    expect(await notes()).toContainEqual(expect.stringMatching(/Answer: completed\..*Groceries twice a week/is));
    const before = (await world.server.writes()).length;
    await world.workAgain();
    expect(await world.server.writes()).toHaveLength(before);
  });

  test('off: a refusal of the proposal is a note too', async () => {
    await set('off');
    await sourceIsThere(world);
    await hospitalHas(world, ines, foodCondition, foodOrder, task);
    await seen(world);
    await sourceRefuses(world, 'referral', 'Outside our county');
    expect(await notes()).toEqual([expect.stringMatching(/food pantry.*declined.*Outside our county/is)]);
    expect(await only(world, 'Task')).toMatchObject({ status: 'requested' });
  });

  test('off, where no note is taken: nothing is written, and it is said that a person has to answer', async () => {
    await world.connect(
      aConnection(world.server.base, {
        task: 'off',
        routes: { note: 'manual', incident: 'manual', safetyPlan: 'manual' },
      }),
    );
    await sourceIsThere(world);
    await hospitalHas(world, ines, foodCondition, foodOrder, task);
    await seen(world);
    await sourceAdopts(world);
    await sourceMoves(world, 'accepted');
    expect(await notes()).toEqual([]);
    const { rows } = await sql<{ code: string }>`
      select reason ->> 'code' as code from link where resource_type = 'Task'`.execute(world.store.db);
    expect(rows).toEqual([{ code: 'route-task-off-unanswered' }]);
  });

  test('off: its Task is read and never written', async () => {
    await isAdopted('off');
    expect(await only(world, 'Task')).toMatchObject({ id: 'task-1', status: 'requested' });
    expect(
      (await world.server.writes()).some(({ requestBody }) => JSON.stringify(requestBody).includes('task-1')),
    ).toBe(false);
  });
});
