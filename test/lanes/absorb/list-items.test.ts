// Both sides go on with the items of one list (lanes.md 13, 14): what each has said stays, of either side only what it has changed is offered or written,
// and what we take back goes, whatever the server has made of it.

import { afterEach, describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject, objectAt, objectsAt } from '../../../src/json.ts';
import { aClient, aGoal, aNeed } from '../../builders.ts';
import { caseload, directoryAndClient, type Item } from '../../support/caseload.ts';
import { startProxy } from '../../support/proxy.ts';
import { aConnection } from '../../support/rig.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const goalSlot = 'county/goal/goal-meals#goal';
const day = (of: number) => `2026-02-${String(of).padStart(2, '0')}T10:00:00-05:00`;

/** Each test ends at rest: a second look at everything offers and writes nothing. */
afterEach(async () => {
  const before = [await writes(), await bodies()];
  await world.workAgain();
  expect([await writes(), await bodies()]).toEqual(before);
});

async function writes(): Promise<number> {
  return (await world.server.journal()).filter(({ method }) => method !== 'GET').length;
}

async function bodies(): Promise<JsonObject[]> {
  return (await world.changes()).map((change) => objectAt(change, 'body') ?? {});
}

const held = (resourceType = 'Goal', slot = goalSlot) => world.server.own(resourceType, slot);

async function edit(change: (held: JsonObject) => JsonObject, resourceType = 'Goal', slot = goalSlot): Promise<void> {
  const { id } = await held(resourceType, slot);
  await partnerEdits(world.server, `${resourceType}/${id}`, change);
}

const editing = (list: string, change: (item: JsonObject) => JsonObject) =>
  edit((goal) => ({ ...goal, [list]: objectsAt(goal, list).map(change) }));

describe('of a list in which the server has rewritten an item of ours', () => {
  const targets = [
    { id: 't1', value: 5, comparator: '>=' as const, unit: 'd', dueOn: '2026-05-31' },
    { id: 't2', text: 'Two', dueOn: '2026-06-30' },
  ];

  /** It keeps no comparators. */
  function kept(value: Json): Json {
    if (Array.isArray(value)) return value.map(kept);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, part]) => (name === 'comparator' ? [] : [[name, kept(part)]])),
    );
  }

  async function sendThroughIt(): Promise<void> {
    const proxy = await startProxy(world.server.base, {
      request: (body) => Object.fromEntries(Object.entries(body).map(([name, part]) => [name, kept(part)])),
    });
    try {
      await world.connect(aConnection(proxy.base));
      await world.send(...caseload(), ['goal', aGoal({ targets })]);
    } finally {
      await proxy.stop();
    }
    await world.connect(aConnection(world.server.base));
    expect(objectsAt(await held(), 'target').map((one) => objectAt(one, 'detailQuantity')?.comparator)).not.toContain(
      '>=',
    );
  }

  test('only what the other side has changed of another item is offered, and of that item too', async () => {
    await sendThroughIt();
    await editing('target', (one) => (one.id === 't2' ? { ...one, dueDate: '2026-07-31' } : one));
    await world.workAgain();
    expect(await bodies()).toEqual([{ targets: [targets[0], { ...targets[1], dueOn: '2026-07-31' }] }]);
    await editing('target', (one) => (one.id === 't1' ? { ...one, dueDate: '2026-08-31' } : one));
    await world.workAgain();
    expect((await bodies()).at(-1)).toEqual({
      targets: [
        { ...targets[0], dueOn: '2026-08-31' },
        { ...targets[1], dueOn: '2026-07-31' },
      ],
    });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('what it has added in several looks is offered together', async () => {
    await sendThroughIt();
    const add = (id: string) =>
      edit((goal) => ({
        ...goal,
        target: [...objectsAt(goal, 'target'), { id, detailString: `Theirs, ${id}`, measure: { text: 'Count' } }],
      }));
    await add('x1');
    await world.workAgain();
    await add('x2');
    await world.workAgain();
    expect(objectsAt((await bodies()).at(-1), 'targets')).toMatchObject([
      targets[0],
      targets[1],
      { id: 'x1' },
      { id: 'x2' },
    ]);
  });
});

test('what either side has changed in one item stands beside what the other has', async () => {
  const goal = (value: number, at?: string): Item => [
    'goal',
    aGoal({ targets: [{ id: 't1', value, unit: 'd', dueOn: '2026-05-31' }], ...(at && { updatedAt: at }) }),
  ];
  await world.send(...caseload(), goal(5));
  await editing('target', (one) => (one.id === 't1' ? { ...one, dueDate: '2026-07-31' } : one));
  await world.workAgain();
  await world.send(goal(6, day(9)));
  const target = async () => objectsAt(await held(), 'target').find(({ id }) => id === 't1');
  expect(await target()).toMatchObject({ dueDate: '2026-07-31', detailQuantity: { value: 6 } });
  await editing('target', (one) => (one.id === 't1' ? { ...one, dueDate: '2026-08-31' } : one));
  await world.send(goal(7, day(10)));
  expect(await target()).toMatchObject({ dueDate: '2026-08-31', detailQuantity: { value: 7 } });
  expect((await bodies()).map((body) => objectsAt(body, 'targets'))).toMatchObject([
    [{ value: 5, dueOn: '2026-07-31' }],
    [{ value: 7, dueOn: '2026-08-31' }],
  ]);
});

test('what a goal addresses beside our needs stays when a need is added, and goes on being told', async () => {
  await world.send(...caseload());
  const { body } = await world.server.fhir('POST', 'Condition', {
    resourceType: 'Condition',
    subject: objectAt(await held(), 'subject') ?? {},
    code: { text: 'Diabetes' },
  });
  const theirs = { reference: `Condition/${String(body.id)}` };
  await edit((goal) => ({ ...goal, addresses: [...objectsAt(goal, 'addresses'), theirs] }));
  await world.workAgain();
  await world.send(
    ['need', aNeed({ id: 'need-2' })],
    ['goal', aGoal({ needIds: ['need-food', 'need-2'], updatedAt: day(9) })],
  );
  await world.workAgain();
  const addresses = objectsAt(await held(), 'addresses');
  expect(addresses).toHaveLength(3);
  expect(addresses).toContainEqual(theirs);
  expect(await world.openDecisions()).toMatchObject([{ code: 'not-carried', detail: { elements: ['addresses'] } }]);
});

describe('where another writer has dropped the ids of the items', () => {
  const withoutId = ({ id: _id, ...item }: JsonObject): JsonObject => item;

  test('that is no change; what we withdraw leaves, what we edit is there once, and neither comes back', async () => {
    const note = (id: string, at: number, text: string) => ({ id, at: day(at), note: text });
    const progress = [note('p1', 6, 'Lives at 5 Elm Street'), note('p2', 7, 'Second'), note('p3', 8, 'Third')];
    await world.send(...caseload(), ['goal', aGoal({ progress })]);
    await edit((goal) => ({
      ...goal,
      note: objectsAt(goal, 'note').map(withoutId),
      target: objectsAt(goal, 'target').map(withoutId),
    }));
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    const after = [note('p2', 7, 'Second, corrected'), note('p3', 8, 'Third')];
    await world.send(['goal', aGoal({ progress: after, updatedAt: day(9) })]);
    expect(objectsAt(await held(), 'note').map(({ text }) => text)).toEqual(['Second, corrected', 'Third']);
    await edit((goal) => ({
      ...goal,
      note: [...objectsAt(goal, 'note').map(withoutId), { time: day(10), text: 'Theirs' }],
    }));
    await world.workAgain();
    expect(await bodies()).toMatchObject([
      { progress: [...after, { id: expect.stringMatching(/^r-/), note: 'Theirs' }] },
    ]);
  });

  test('an address that is confidential from now on leaves the patient', async () => {
    const slot = 'county/client/client-rosa#patient';
    const address = { id: 'a1', use: 'home' as const, lines: ['22 Oak Avenue'], city: 'Troy', state: 'NY' };
    await world.send(...directoryAndClient(), ['client', aClient({ addresses: [address] })]);
    await edit((patient) => ({ ...patient, address: objectsAt(patient, 'address').map(withoutId) }), 'Patient', slot);
    await world.workAgain();
    await world.send(['client', aClient({ addresses: [{ ...address, confidential: true }], updatedAt: day(9) })]);
    expect(await held('Patient', slot)).not.toHaveProperty('address');
    expect(await bodies()).toEqual([]);
  });
});
