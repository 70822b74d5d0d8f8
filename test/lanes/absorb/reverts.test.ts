// An element that the server reverts three times in a day goes to a decision (lanes.md 14): source and server do not overwrite each other for ever.

import { describe, expect, test } from '@jest/globals';
import { sql } from '../../../src/store/store.ts';
import { aGoal } from '../../builders.ts';
import { caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const slot = 'county/goal/goal-meals#goal';

async function sendAll(): Promise<void> {
  await world.send(...directoryAndClient());
  await world.send(...caseWithReferral());
}

async function ours(statement: string, hour: number): Promise<void> {
  await world.send(['goal', aGoal({ statement, updatedAt: `2026-02-20T${hour}:00:00-05:00` })]);
  expect(await text()).toBe(statement);
}

async function theirs(statement: string): Promise<void> {
  const { id } = await world.server.own('Goal', slot);
  await partnerEdits(world.server, `Goal/${id}`, ({ description, ...goal }) => ({
    ...goal,
    description: { ...Object(description), text: statement },
  }));
  await world.workAgain();
}

async function text(): Promise<unknown> {
  const { description } = await world.server.own('Goal', slot);
  return Object(description).text;
}

const aDayLater = () => sql`update revert set since = since - interval '25 hours'`.execute(world.store.db);

/** The server puts its own word back after each of ours. */
async function fight(...words: readonly [string, string, string]): Promise<void> {
  await sendAll();
  for (const [round, word] of words.entries()) {
    if (round > 0) await ours(`Ours, number ${round}`, 10 + round);
    await theirs(word);
  }
}

describe('an element that the server puts back three times in a day', () => {
  test('goes to a decision with both values, and the case goes on without it', async () => {
    await fight('Theirs', 'Theirs', 'Theirs');
    const asked = (await world.openDecisions()).filter(({ code }) => code === 'server-reverts');
    expect(asked).toMatchObject([{ kind: 'conflict', choices: ['ours', 'theirs'] }]);
    expect(JSON.stringify(asked[0]?.detail)).toMatch(/Ours, number 2.*Theirs/);
    await world.send([
      'goal',
      aGoal({ statement: 'Ours, number 3', priority: 'high', updatedAt: '2026-02-20T20:00:00-05:00' }),
    ]);
    expect(await text()).toBe('Theirs');
    expect(await world.server.own('Goal', slot)).toMatchObject({ priority: { coding: [{ code: 'high-priority' }] } });
  });

  test('"ours" writes ours, and a further revert is asked about at once', async () => {
    await fight('Theirs', 'Theirs', 'Theirs');
    await world.decide('conflict', 'ours');
    await world.work();
    expect(await text()).toBe('Ours, number 2');
    await theirs('Theirs');
    expect((await world.openDecisions()).filter(({ code }) => code === 'server-reverts')).toHaveLength(1);
    expect(await text()).toBe('Theirs');
  });

  test('"theirs" leaves it there and offers it to the source', async () => {
    await fight('Theirs', 'Theirs', 'Theirs');
    const offered = (await world.changes()).length;
    await world.decide('conflict', 'theirs');
    await world.work();
    expect(await text()).toBe('Theirs');
    expect((await world.changes()).slice(offered)).toMatchObject([{ op: 'patch', body: { statement: 'Theirs' } }]);
  });
});

describe('an element that the other side edits', () => {
  test('three times to different values is theirs to edit: each is offered, none is asked about', async () => {
    await fight('One', 'Two', 'Three');
    expect(await world.openDecisions()).toEqual([]);
    const bodies = (await world.changes()).map(({ body }) => body);
    expect(bodies).toMatchObject([{ statement: 'One' }, { statement: 'Two' }, { statement: 'Three' }]);
  });

  test('back to the same value more than a day later begins to count anew', async () => {
    await sendAll();
    await theirs('Theirs');
    await ours('Ours, number 1', 11);
    await theirs('Theirs');
    await aDayLater();
    await ours('Ours, number 2', 12);
    await theirs('Theirs');
    expect(await world.openDecisions()).toEqual([]);
  });
});
