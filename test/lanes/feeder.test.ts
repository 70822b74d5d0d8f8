// The store knows what is due; the queue may lose, double or delay what it likes (lanes.md 2, 3).

import { describe, expect, test } from '@jest/globals';
import { reason } from '../../src/errors.ts';
import { type LaneKey, runLane, setPaused, startFeeder } from '../../src/lanes/lanes.ts';
import { sql } from '../../src/store/store.ts';
import { anOrganization } from '../builders.ts';
import type { Item } from '../support/caseload.ts';
import { aConnection, eventually } from '../support/rig.ts';
import { creates, useWorld } from '../support/world.ts';

const world = useWorld();

function organizations(count: number): Item[] {
  return Array.from(
    { length: count },
    (_, at): Item => ['organization', anOrganization({ id: `org-${at}`, name: `Pantry ${at}` })],
  );
}

async function openLanes(connection: string): Promise<number> {
  const rows = await world.store.db
    .selectFrom('lane')
    .select('subject')
    .where('connection', '=', connection)
    .whereRef('done', '<', 'wanted')
    .execute();
  return rows.length;
}

interface Queue {
  /** How many of the first jobs vanish. */
  readonly loses?: number;
  readonly repeats?: number;
  readonly slots?: number;
  readonly claimMs?: number;
  readonly connections?: readonly string[];
  /** Called when a job begins. */
  readonly begins?: (lane: LaneKey) => void;
  readonly run?: (lane: LaneKey) => Promise<void>;
}

/** A feeder with a queue that runs what it keeps at once; ends when `isDone`. */
async function feedUntil(isDone: () => Promise<boolean>, what: string, queue: Queue = {}): Promise<number> {
  const {
    loses = 0,
    repeats = 1,
    slots = 3,
    claimMs = 150,
    connections = ['general'],
    run = (lane) => runLane(world.deps, lane),
  } = queue;
  const running: Promise<void>[] = [];
  let added = 0;
  const feeder = startFeeder(
    {
      store: world.store,
      connections: () =>
        connections.map((id) => ({ id, configuration: world.deps.connections.get(id)?.configuration ?? '', slots })),
      add: async (lanes) => {
        for (const lane of lanes) {
          added += 1;
          if (added <= loses) continue;
          for (let times = 0; times < repeats; times += 1) {
            queue.begins?.(lane);
            running.push(run(lane).then(() => feeder.kick()));
          }
        }
      },
      onError: (error) => {
        throw error;
      },
      claimMs,
    },
    Date.now,
  );
  try {
    await eventually(async () => {
      feeder.kick();
      return isDone();
    }, what);
  } finally {
    await feeder.stop();
  }
  await Promise.all(running);
  return added;
}

/** So many lanes of one connection, due for so many minutes. */
async function dueLanes(name: string, count: number, priority: number, minutes = 0): Promise<void> {
  await sql`
    insert into lane (connection, subject, source, wanted, priority, due_at)
    select 'general', ${`county.case.${name}-`} || n, 'county', 1, ${priority}::integer,
      now() - ${minutes} * interval '1 minute' + n * interval '1 millisecond'
    from generate_series(0, ${count - 1}::integer) as n`.execute(world.store.db);
}

/** In which order the lanes are begun; each is done at once. */
async function orderOf(slots: number): Promise<string[]> {
  const order: string[] = [];
  await feedUntil(async () => (await openLanes('general')) === 0, 'all lanes', {
    slots,
    claimMs: 60_000,
    begins: ({ subject }) => order.push(subject.replace('county.case.', '')),
    run: async ({ subject }) => {
      await sql`update lane set done = wanted, queued_until = null where subject = ${subject}`.execute(world.store.db);
    },
  });
  return order;
}

describe('the feeder', () => {
  test('brings every due lane to its end when the queue loses the first five jobs: the claim runs out', async () => {
    await world.accept(...organizations(12));
    const added = await feedUntil(async () => (await openLanes('general')) === 0, 'all lanes', { loses: 5 });
    expect(added).toBeGreaterThanOrEqual(12 + 5);
    expect(await creates(world.server, 'Organization')).toBe(12);
  });

  test('does no harm with a queue that gives every job out three times', async () => {
    await world.accept(...organizations(6));
    await feedUntil(async () => (await openLanes('general')) === 0, 'all lanes', { repeats: 3 });
    expect(await creates(world.server, 'Organization')).toBe(6);
  });

  test('keeps the queue short: never more jobs of a connection than it has free slots', async () => {
    await world.accept(...organizations(12));
    let open = 0;
    let most = 0;
    await feedUntil(async () => (await openLanes('general')) === 0, 'all lanes', {
      slots: 2,
      claimMs: 60_000,
      run: async (lane) => {
        open += 1;
        most = Math.max(most, open);
        await runLane(world.deps, lane);
        open -= 1;
      },
    });
    expect(most).toBeLessThanOrEqual(2);
  });

  test("a connection that hangs holds its own slots and nobody else's", async () => {
    await world.connect(aConnection(world.server.base, { id: 'hanging' }));
    const { promise: answer, resolve: wake } = Promise.withResolvers<void>();
    await world.accept(...organizations(10));
    const begun: string[] = [];
    let isFed = false;
    const fed = feedUntil(
      async () => {
        if (!isFed && (await openLanes('general')) === 0) {
          isFed = true;
          wake();
        }
        return isFed;
      },
      "the other connection's lanes",
      {
        slots: 3,
        claimMs: 60_000,
        connections: ['hanging', 'general'],
        begins: ({ connection }) => isFed || begun.push(connection),
        run: async (lane) => {
          if (lane.connection === 'hanging') await answer;
          await runLane(world.deps, lane);
        },
      },
    );
    await fed;
    expect(begun.filter((id) => id === 'general')).toHaveLength(10);
    expect(begun.filter((id) => id === 'hanging')).toHaveLength(3);
  });

  test('brings referrals before what has waited for minutes, and that before other back-fill', async () => {
    await dueLanes('late', 1, 90);
    await dueLanes('incident', 1, 10);
    await dueLanes('aged', 1, 90, 10);
    expect(await orderOf(1)).toEqual(['incident-0', 'aged-0', 'late-0']);
  });

  test.each([1, 3, 8])(
    'of %i slots: an incident does not stand behind back-fill that has waited for minutes',
    async (slots) => {
      await dueLanes('backfill', 30, 90, 6);
      await dueLanes('incident', 1, 10);
      expect((await orderOf(slots)).indexOf('incident-0')).toBeLessThan(slots);
    },
  );

  test.each([1, 3, 8])(
    'of %i slots: what has waited longest gets every fourth turn while urgent work does not end',
    async (slots) => {
      await dueLanes('urgent', 40, 10);
      await dueLanes('backfill', 4, 90, 6);
      const order = await orderOf(slots);
      const places = order.flatMap((name, at) => (name.startsWith('backfill') ? [at] : []));
      // What is handed out together is in no order.
      for (const [n, place] of places.entries()) expect(Math.abs(place - (4 * n + 3))).toBeLessThan(slots);
    },
  );

  test('urgent work that has waited for minutes goes before newer, whatever its priority', async () => {
    await dueLanes('pointed-at', 8, 5);
    await dueLanes('referral', 1, 10, 6);
    expect((await orderOf(3)).indexOf('referral-0')).toBeLessThan(3);
  });

  test('feeds nothing of a connection that is paused', async () => {
    await world.connect(aConnection(world.server.base, { id: 'other' }));
    await world.accept(...organizations(2));
    const begun: string[] = [];
    await setPaused(world.store, 'general', reason('connection-paused', { why: '' }));
    await feedUntil(async () => (await openLanes('other')) === 0, 'the other lanes', {
      connections: ['general', 'other'],
      begins: ({ connection }) => begun.push(connection),
    });
    expect(new Set(begun)).toEqual(new Set(['other']));
  });

  test('brings a lane back when its later look has come', async () => {
    await world.accept(...organizations(1));
    await feedUntil(async () => (await openLanes('general')) === 0, 'the first end');
    const { done } = await world.store.db.selectFrom('lane').select('done').executeTakeFirstOrThrow();
    await world.store.db
      .updateTable('lane')
      .set({ next_look_at: new Date(Date.now() - 1000) })
      .execute();
    await feedUntil(async () => {
      const lane = await world.store.db.selectFrom('lane').selectAll().executeTakeFirstOrThrow();
      return lane.done > done && lane.done === lane.wanted;
    }, 'the look');
    expect((await world.lane('county.organization.org-0')).nextLookAt).toBeNull();
  });
});
