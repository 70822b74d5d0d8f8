// A mapping changes under links that stand. What it says otherwise is no change of either side: it goes where the server holds what we have sent, and never
// in the place of what the other side has said (lanes.md 13, 22).

import { describe, expect, test } from '@jest/globals';
import { mappingFolder } from '../../../src/gateway.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../../../src/json.ts';
import { activateMapping, dryRun } from '../../../src/lanes/lanes.ts';
import { readMappingFiles } from '../../../src/mapping/mapping.ts';
import type { GoalRecord } from '../../../src/records/records.ts';
import { aCase, aGoal } from '../../builders.ts';
import { directoryAndClient, type Item } from '../../support/caseload.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const lane = { connection: 'general', subject: 'county.case.case-rosa' };

const goal = (change: Partial<GoalRecord> = {}): Item => ['goal', aGoal({ needIds: [], priority: 'high', ...change })];
const later = { updatedAt: '2026-02-20T10:00:00Z' };

async function sendGoal(change: Partial<GoalRecord> = {}): Promise<void> {
  await world.send(...directoryAndClient());
  await world.send(['case', aCase()], goal(change));
}

const held = () => world.server.own('Goal', 'county/goal/goal-meals#goal');

async function edit(change: (goal: JsonObject) => JsonObject): Promise<void> {
  await partnerEdits(world.server, `Goal/${(await held()).id}`, change);
}

const priority = (code: string) => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/goal-priority', code }],
});

/** The partner says low, which the source is offered and does not take over. */
async function sayLow(): Promise<void> {
  await edit((goal) => ({ ...goal, priority: priority('low-priority') }));
  await world.workAgain();
  expect(await offers()).toEqual([{ priority: 'low' }]);
}

const priorityNow = async () => {
  const said = objectAt(await held(), 'priority');
  return [...objectsAt(said, 'coding').map(({ code }) => code), ...(said?.text === undefined ? [] : [said.text])];
};

const offers = async () => (await world.changes()).map(({ body }) => body);
const questions = async () => (await world.openDecisions()).map(({ code, detail }) => `${code} ${detail.element}`);

/** The elements that a dry run would write, which is what the next look writes; nothing is left for one after it. */
async function written(): Promise<string[]> {
  const connection = world.deps.connections.get('general');
  if (connection === undefined) throw new Error('no connection');
  const { operations } = await dryRun(world.deps, connection, lane);
  const planned = operations.flatMap(({ diff }) => (Array.isArray(diff) ? diff : []));
  const before = (await world.server.journal()).length;
  await world.workAgain();
  const writes = (await world.server.writes(before)).length;
  await world.workAgain();
  expect((await world.server.writes(before)).length).toBe(writes);
  const elements = planned.map((one) => String(textAt(one as JsonObject, 'element')));
  expect(writes > 0).toBe(elements.length > 0);
  return elements;
}

/** A store from before the upgrade knows neither form nor version of what it holds. */
async function forget(): Promise<void> {
  await world.store.db.updateTable('link').set({ form: null, sent_version: null }).execute();
}

const rule = 'priority: { from: priority, code: goal-priority }';
const inAList = 'priority: { coding: [{ from: priority, code: goal-priority }] }';
const withText = 'priority: { coding: [{ from: priority, code: goal-priority }], text: { from: statement } }';
const remap = (from: string, to: string) => world.remap('goal.yaml', (text) => text.replace(from, to));
const { statement } = aGoal();

describe.each([
  ['a store of this version', async () => {}],
  ['a store from before the form of bases was kept', forget],
])('in %s', (_what, prepare) => {
  test.each([
    ['is said in another form', rule, inAList],
    ['says more', rule, withText],
    [
      'has another key',
      '- { from: domain, code: sdoh-category }',
      '- { key: area, from: domain, code: sdoh-category }',
    ],
  ])('what the other side has said stands when the rule %s', async (_how, from, to) => {
    await sendGoal();
    await edit((goal) => ({
      ...goal,
      priority: priority('low-priority'),
      category: [
        { coding: [{ ...objectsAt(objectsAt(goal, 'category')[0], 'coding')[0], code: 'housing-instability' }] },
      ],
    }));
    await world.workAgain();
    expect(await offers()).toEqual([{ domain: 'housing-instability', priority: 'low' }]);
    const [before] = [await held()];
    await prepare();
    await remap(from, to);
    expect(await written()).toEqual([]);
    expect(await held()).toEqual(before);
    expect([await questions(), (await offers()).length]).toEqual([[], 1]);
  });

  test('it stands too when the record has changed otherwise, and goes when its source says another thing there', async () => {
    await sendGoal();
    await sayLow();
    await prepare();
    await remap(rule, inAList);
    await world.accept(goal({ ...later, startsOn: '2026-02-10' }));
    expect(await written()).toEqual(['startDate']);
    expect(await priorityNow()).toEqual(['low-priority']);
    await world.accept(goal({ updatedAt: '2026-02-21T10:00:00Z', startsOn: '2026-02-10', priority: 'medium' }));
    expect(await written()).toEqual(['priority.coding[priority]']);
    expect(await priorityNow()).toEqual(['medium-priority']);
    expect(await questions()).toEqual([]);
  });

  test('what a source has changed at the same time is written', async () => {
    await sendGoal();
    await sayLow();
    await prepare();
    await remap(rule, inAList);
    await world.accept(goal({ ...later, priority: 'medium' }));
    expect(await written()).toEqual(['priority.coding[priority]']);
    expect(await priorityNow()).toEqual(['medium-priority']);
  });

  test('what the server holds as we sent it gets what the rule says more', async () => {
    await sendGoal();
    await prepare();
    await remap(rule, withText);
    expect(await written()).toEqual(['priority.text']);
    expect(await priorityNow()).toEqual(['high-priority', statement]);
    expect([await questions(), await offers()]).toEqual([[], []]);
  });

  test('what nothing is changed of is not looked at twice', async () => {
    await sendGoal();
    await prepare();
    expect(await written()).toEqual([]);
    expect([await questions(), await offers()]).toEqual([[], []]);
  });
});

test('a part that the other side has added where the rule reads more is asked about', async () => {
  await sendGoal();
  await edit((goal) => ({ ...goal, priority: { ...objectAt(goal, 'priority'), text: 'As soon as possible' } }));
  await world.workAgain();
  await remap(rule, withText);
  expect(await written()).toEqual([]);
  expect(await priorityNow()).toEqual(['high-priority', 'As soon as possible']);
  expect(await questions()).toEqual(['merge-conflict priority.text']);
  await world.decide('conflict', 'ours');
  await world.work();
  expect(await priorityNow()).toEqual(['high-priority', statement]);
});

describe('what the other side changes between the new mapping and the next look', () => {
  test('is kept and offered where the rule is as it was', async () => {
    await sendGoal();
    await remap(rule, withText);
    await edit((goal) => ({ ...goal, startDate: '2026-03-01' }));
    expect(await written()).toEqual(['priority.text']);
    expect(await held()).toMatchObject({ startDate: '2026-03-01' });
    expect([await questions(), await offers()]).toEqual([[], [{ startsOn: '2026-03-01' }]]);
  });

  test('is asked about where the rule is another one', async () => {
    await sendGoal();
    await remap(rule, withText);
    await edit((goal) => ({ ...goal, priority: priority('low-priority') }));
    await world.workAgain();
    expect(await written()).toEqual([]);
    expect(await priorityNow()).toEqual(['low-priority']);
    expect(await questions()).toEqual(['merge-conflict priority.coding[priority]']);
  });
});

describe('a rule that is new', () => {
  const begin = async (element: string, field: string, theirs?: string) => {
    await world.remap('goal.yaml', (text) =>
      text
        .replace(`      ${element}: { from: ${field} }\n`, '')
        .replace('unused:\n', `unused:\n  ${field}: not told\n`),
    );
    await sendGoal();
    expect(await held()).not.toHaveProperty(element);
    if (theirs !== undefined) await edit((goal) => ({ ...goal, [element]: theirs }));
    await world.workAgain();
    await activateMapping(world.store, await readMappingFiles(mappingFolder));
  };

  test('fills what is empty there', async () => {
    await begin('startDate', 'startsOn');
    expect(await written()).toEqual(['startDate']);
    expect(await held()).toMatchObject({ startDate: '2026-02-03' });
  });

  test.each([
    ['as seen', async () => {}],
    ['changed since', () => edit((goal) => ({ ...goal, statusDate: '2026-04-01' }))],
  ])('asks about another value that is there (%s)', async (_what, prepare) => {
    await begin('startDate', 'startsOn', '2025-12-01');
    await prepare();
    expect(await written()).toEqual([]);
    expect(await held()).toMatchObject({ startDate: '2025-12-01' });
    expect(await questions()).toEqual(['merge-conflict startDate']);
    await world.decide('conflict', 'theirs');
    await world.work();
    expect((await offers()).at(-1)).toEqual({ startsOn: '2025-12-01' });
    expect(await held()).toMatchObject({ startDate: '2025-12-01' });
  });

  test('clears nothing of which the record does not speak', async () => {
    await begin('statusDate', 'achievedOn', '2025-12-01');
    expect(await written()).toEqual([]);
    expect(await held()).toMatchObject({ statusDate: '2025-12-01' });
    expect([await questions(), await offers()]).toEqual([[], []]);
  });
});
