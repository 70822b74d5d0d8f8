// Outcomes are kept for 30 days; after that only the newest of each link, and every one that is unknown (lanes.md 25).

import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { pruneAudit, pruneHomeVersions, pruneOutcomes, pruneSeen, uploadRoster } from '../../src/lanes/lanes.ts';
import { aGoal } from '../builders.ts';
import { caseload } from '../support/caseload.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { aConfig, eventually, startTestGateway } from '../support/rig.ts';
import { useWorld } from '../support/world.ts';

const world = useWorld();

/** The case is sent, and its goal changed twice: three outcomes of one link. */
async function sendGoalThreeTimes(): Promise<void> {
  await world.send(...caseload());
  for (const day of ['05', '06']) {
    const statement = `Food on the table, as said on the ${day}th.`;
    await world.send(['goal', aGoal({ statement, updatedAt: `2026-02-${day}T10:00:00-05:00` })]);
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
    await sql`update operation set outcome = null, closed_at = null where record_id = 'goal-meals' and kind = 'create'`.execute(
      world.store.db,
    );
    await age(400);
    await pruneOutcomes(world.store);
    expect(await outcomesOf('goal-meals')).toMatchObject([{ kind: 'create', outcome: null }, { kind: 'update' }]);
  });
});

test('a process does not stop at one batch of old outcomes and replays: what has come since the last hour is soon gone', async () => {
  const store = await freshEmbedded();
  await sql`
    insert into operation (send_id, connection, subject, fence, source, type, record_id, slot, kind, resource_type, send_before, outcome, closed_at)
    select n::text, 'general', 's', 1, 'county', 'goal', 'g', 'goal', 'update', 'Goal', now(), 'ok', now() - interval '31 days'
    from generate_series(1, 2100) n`.execute(store.db);
  await sql`
    insert into replay (scope, state, asked_by, ended_at)
    select '{}', 'done', 'ops', now() - interval '31 days' from generate_series(1, 25)`.execute(store.db);
  const gateway = await startTestGateway(store, aConfig([]));
  try {
    await eventually(async () => {
      const { rows } = await sql<{ left: number }>`
        select (select count(*) from operation)::integer + (select count(*) from replay)::integer as left`.execute(
        store.db,
      );
      return rows[0]?.left === 1;
    }, 'all but the newest outcome to be gone');
  } finally {
    await gateway.stop();
  }
});

describe('what is kept for as long as the configuration says', () => {
  const day = 86_400_000;
  const retention = { auditMs: 2192 * day, versionsMs: 30 * day, seenMs: 365 * day };

  test('who looked at what goes after its time, and not before', async () => {
    for (const days of [2191, 2193])
      await sql`insert into audit (at, partner, actor, action, resource_type, outcome)
        values (now() - make_interval(days => ${days}), 'pantry', 'contact:c1', 'read', 'Task', ${`${days}`})`.execute(
        world.store.db,
      );
    expect(await pruneAudit(world.store, retention)).toBe(1);
    expect(await world.store.db.selectFrom('audit').select('outcome').execute()).toEqual([{ outcome: '2191' }]);
    expect(await pruneAudit(world.store, retention)).toBe(0);
  });

  test('earlier versions at a home go; the newest of each stays, however old', async () => {
    for (const [id, version, days] of [
      ['t1', 1, 400],
      ['t1', 2, 40],
      ['t1', 3, 20],
      ['t2', 1, 400],
    ] as const)
      await sql`insert into home_version (partner, resource_type, id, version, at, written_by, body)
        values ('pantry', 'Task', ${id}, ${version}, now() - make_interval(days => ${days}), 'casebridge', '{}')`.execute(
        world.store.db,
      );
    expect(await pruneHomeVersions(world.store, retention)).toBe(2);
    const left = await world.store.db.selectFrom('home_version').select(['id', 'version']).orderBy('id').execute();
    expect(left).toEqual([
      { id: 't1', version: 3 },
      { id: 't2', version: 1 },
    ]);
  });

  test('what was seen of somebody who is not asked about goes; what is linked, listed, offered or young stays', async () => {
    await world.send(...caseload());
    const linked = (await world.store.db.selectFrom('seen').select('remote_id').execute()).length;
    await uploadRoster(world.store, 'general', ['listed']);
    for (const [id, patient, days] of [
      ['old', 'stranger', 400],
      ['young', 'stranger', 300],
      ['of-listed', 'listed', 400],
      ['offered', 'stranger', 400],
      ['nobody', null, 400],
    ] as const)
      await sql`insert into seen (connection, resource_type, remote_id, patient, seen_at, body)
        values ('general', 'Goal', ${id}, ${patient}, now() - make_interval(days => ${days}), '{}')`.execute(
        world.store.db,
      );
    await sql`insert into inbound (connection, source, resource_type, remote_id, type, id, subject, state)
      values ('general', 'county', 'Goal', 'offered', 'goal', 'g', 's', 'proposed')`.execute(world.store.db);
    await sql`update seen set seen_at = seen_at - make_interval(days => 400) where resource_type <> 'Goal'`.execute(
      world.store.db,
    );
    expect(await pruneSeen(world.store, retention)).toBe(1);
    const left = (await world.store.db.selectFrom('seen').select('remote_id').execute()).map((row) => row.remote_id);
    expect(left).toHaveLength(linked + 4);
    expect(left).not.toContain('old');
  });
});
