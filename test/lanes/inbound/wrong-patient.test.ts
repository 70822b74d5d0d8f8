// What was offered of a patient who turns out to be another one.

import { describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { relinkPatient } from '../../../src/lanes/lanes.ts';
import { aCase, aClient } from '../../builders.ts';
import { sweepAt } from '../../clocks/kept.ts';
import { own } from '../../support/adopting.ts';
import { feed, hospitalHas, ops } from '../../support/begun.ts';
import { charting, chartOf, daysAgo, stay } from '../../support/chart.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld(charting);
const { rosaIsLinked, shows } = chartOf(world);

describe('a client who was taken for the wrong patient', () => {
  const right: JsonObject = { ...rosaOnFile, id: 'right', identifier: [] };
  const atRight = { subject: { reference: 'Patient/right' } };
  const food = {
    coding: [
      {
        system: 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes',
        code: 'food-insecurity',
      },
    ],
  };
  const subject = { reference: 'Patient/rosa' };
  const need: JsonObject = {
    resourceType: 'Condition',
    id: 'c1',
    category: [food],
    code: { text: 'Nothing to eat' },
    subject,
  };
  const goal: JsonObject = {
    resourceType: 'Goal',
    id: 'g1',
    lifecycleStatus: 'active',
    category: [food],
    description: { text: 'Eats every day' },
    subject,
  };
  const summary: JsonObject = {
    resourceType: 'DocumentReference',
    id: 'd1',
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }] },
    date: daysAgo(1),
    content: [{ attachment: { contentType: 'text/plain', data: Buffer.from('Went home.').toString('base64') } }],
    subject,
  };
  const order: JsonObject = {
    resourceType: 'ServiceRequest',
    id: 'order-1',
    status: 'active',
    intent: 'order',
    code: { text: 'A food pantry' },
    authoredOn: daysAgo(1),
    subject,
  };
  const task: JsonObject = {
    resourceType: 'Task',
    id: 'task-1',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] },
    focus: { reference: 'ServiceRequest/order-1' },
    for: subject,
    authoredOn: daysAgo(1),
  };

  async function is(patient: string | null, clientId = 'client-rosa'): Promise<void> {
    await relinkPatient(world.store, { connection: 'general', source: 'county', clientId, patient, by: 'ida' });
    await world.work();
  }

  /** What stands in the feed: whose it is said to be, by `type origin`. */
  async function offers(): Promise<Record<string, unknown>> {
    const last = new Map((await feed(world)).map((one) => [`${one.type} ${one.id}`, one]));
    const standing = [...last.values()].filter(({ op }) => op === 'propose');
    const named = standing.map(({ type, body }) => {
      const origin = isObject(body.origin) ? body.origin : {};
      return [`${type} ${origin.id}`, type === 'client' ? body.id : body.clientId] as const;
    });
    return Object.fromEntries(named.toSorted());
  }

  test('is offered nothing of that patient any more, whatever is seen of the right one, and all of it when it was the right one', async () => {
    await rosaIsLinked();
    await hospitalHas(world, right);
    await shows(stay(), need, goal, summary);
    const all = { 'goal g1': 'client-rosa', 'hospitalStay stay-1': 'client-rosa', 'need c1': 'client-rosa' };
    const before = { ...all, 'note d1': 'client-rosa' };
    expect(await offers()).toEqual(before);
    await is('right');
    expect(await offers()).toEqual({});
    await shows(stay({ ...atRight, id: 'stay-2' }));
    await world.workAgain();
    expect(await offers()).toEqual({ 'hospitalStay stay-2': 'client-rosa' });
    await is('rosa');
    expect(await offers()).toEqual(before);
  });

  test('has a referral about that patient offered as of somebody who is not known, until it turns out that it is the client', async () => {
    await rosaIsLinked();
    await hospitalHas(world, right, order);
    await shows(task);
    expect(await offers()).toEqual({ 'referral task-1': 'client-rosa' });
    await is('right');
    await shows(
      { ...order, ...atRight, id: 'order-2' },
      { ...task, id: 'task-2', for: atRight.subject, focus: { reference: 'ServiceRequest/order-2' } },
    );
    const { 'client rosa': stranger, ...rest } = await offers();
    expect(stranger).toMatch(/^general\./);
    expect(rest).toEqual({ 'case task-1': stranger, 'referral task-1': stranger, 'referral task-2': 'client-rosa' });
    const cases = (await feed(world)).flatMap(({ type, body }) => (type === 'referral' ? [body.caseId] : []));
    expect(new Set(cases)).toEqual(new Set(['case-rosa', expect.stringMatching(/^general\./)]));
    await is('rosa');
    expect(Object.keys(await offers())).toEqual(['case task-2', 'client right', 'referral task-1', 'referral task-2']);
    expect(await offers()).toMatchObject({ 'referral task-1': 'client-rosa' });
  });

  test('leaves what is of that patient to the client who is, with its clock', async () => {
    await rosaIsLinked(
      [
        'client',
        aClient({ id: 'client-b', identifiers: [], names: [{ use: 'legal', given: ['Bea'], family: 'Other' }] }),
      ],
      ['case', aCase({ id: 'case-b', clientId: 'client-b' })],
    );
    await hospitalHas(world, right);
    await shows(stay({ status: 'finished', period: { start: daysAgo(2), end: daysAgo(1) } }));
    const followUps = async () => {
      await sweepAt(world.store, new Date().toISOString());
      const rows = await world.store.db.selectFrom('clock').selectAll().where('type', '=', 'hospitalStay').execute();
      return rows.map(({ subject: lane }) => lane);
    };
    expect(await followUps()).toEqual(['county.case.case-rosa']);
    await is('right');
    await shows(stay({ ...atRight, id: 'stay-2' }));
    expect(await followUps()).toEqual([]);
    await is('rosa', 'client-b');
    expect(await offers()).toEqual({ 'hospitalStay stay-1': 'client-b', 'hospitalStay stay-2': 'client-rosa' });
    expect(await followUps()).toEqual(['county.case.case-b']);
  });

  test('and one whose patient was merged into another: what was offered of the old chart stands, and can be taken over', async () => {
    await rosaIsLinked();
    await shows(stay());
    const { id = '', body = {} } = (await feed(world)).at(-1) ?? {};
    await hospitalHas(
      world,
      { ...rosaOnFile, id: 'new' },
      { ...rosaOnFile, active: false, link: [{ type: 'replaced-by', other: { reference: 'Patient/new' } }] },
    );
    await world.workAgain();
    expect(await world.link('client/client-rosa#patient')).toMatchObject({ remoteId: 'new' });
    await shows(stay({ id: 'stay-2', subject: { reference: 'Patient/new' } }));
    await world.workAgain();
    expect(await offers()).toEqual({ 'hospitalStay stay-1': 'client-rosa', 'hospitalStay stay-2': 'client-rosa' });
    expect(await ops(world)).toEqual(['propose hospitalStay', 'propose hospitalStay']);
    const times = { admittedAt: '2026-02-27T10:00:00-05:00', knownAt: '2026-02-28T10:00:00-05:00' };
    await world.send(['hospitalStay', { ...body, ...times, id: own(id), updatedAt: '2026-03-01T10:00:00-05:00' }]);
    expect(await world.link(`hospitalStay/${own(id)}#stay`)).toMatchObject({ remoteId: 'stay-1' });
  });
});
