// Outcomes are kept for 30 days; after that only the newest of each link, and every one that is unknown (lanes.md 25).

import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { pruneOutcomes } from '../../src/lanes/lanes.ts';
import { aGoal } from '../builders.ts';
import { caseWithReferral, directoryAndClient, useWorld } from '../support/world.ts';

const world = useWorld();

/** The case is sent, and its goal changed twice: three outcomes of one link. */
async function sendGoalThreeTimes(): Promise<void> {
  await world.accept(...directoryAndClient(), ...caseWithReferral());
  await world.work();
  for (const day of ['05', '06']) {
    const statement = `Food on the table, as said on the ${day}th.`;
    await world.accept(['goal', aGoal({ statement, updatedAt: `2026-02-${day}T10:00:00-05:00` })]);
    await world.work();
  }
}

/** Lets so many days pass for what is stored. */
async function age(days: number): Promise<void> {
  await sql`update operation set closed_at = closed_at - make_interval(days => ${days})`.execute(world.store.db);
}

async function outcomesOf(id: string): Promise<{ kind: string; outcome: string | null }[]> {
  return world.store.db
    .selectFrom('operation')
    .select(['kind', 'outcome'])
    .where('record_id', '=', id)
    .where('slot', '=', 'goal')
    .orderBy('id')
    .execute();
}

/** The link of each stored outcome. */
async function links(): Promise<string[]> {
  const rows = await world.store.db.selectFrom('operation').select(['type', 'record_id', 'slot']).execute();
  return rows.map(({ type, record_id: id, slot }) => `${type}/${id}#${slot}`);
}

describe('stored outcomes', () => {
  test('of the last 30 days stay', async () => {
    await sendGoalThreeTimes();
    await age(29);
    expect(await pruneOutcomes(world.store)).toBe(0);
    expect(await outcomesOf('goal-meals')).toHaveLength(3);
  });

  test('go after 30 days, but for the newest of each link', async () => {
    await sendGoalThreeTimes();
    await age(31);
    const before = await links();
    expect(await pruneOutcomes(world.store)).toBe(before.length - new Set(before).size);
    expect((await links()).sort()).toEqual([...new Set(before)].sort());
    expect(await outcomesOf('goal-meals')).toMatchObject([{ kind: 'update' }]);
  });

  test('stay for ever where it is unknown what came of the request', async () => {
    await sendGoalThreeTimes();
    await sql`update operation set outcome = 'unknown' where record_id = 'goal-meals' and kind = 'create'`.execute(
      world.store.db,
    );
    await age(400);
    await pruneOutcomes(world.store);
    expect(await outcomesOf('goal-meals')).toMatchObject([{ kind: 'create', outcome: 'unknown' }, { kind: 'update' }]);
  });
});
