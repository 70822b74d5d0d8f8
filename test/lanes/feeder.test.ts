// The store knows what is due; the queue may lose, double or delay what it likes (lanes.md 2, 3).

import { describe, expect, test } from '@jest/globals';
import { reason } from '../../src/errors.ts';
import { type LaneKey, runLane, setPaused, startFeeder } from '../../src/lanes/lanes.ts';
import { anOrganization } from '../builders.ts';
import { aConnection, eventually } from '../support/rig.ts';
import { creates, type Item, useWorld } from '../support/world.ts';

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

  test('brings referrals before back-fill, and what has waited for minutes before both', async () => {
    await world.accept(...organizations(3));
    const order: string[] = [];
    const set = (id: string, change: { priority: number; due_at?: Date }) =>
      world.store.db.updateTable('lane').set(change).where('subject', '=', `county.organization.${id}`).execute();
    await set('org-0', { priority: 90 });
    await set('org-1', { priority: 10 });
    await set('org-2', { priority: 90, due_at: new Date(Date.now() - 10 * 60_000) });
    await feedUntil(async () => (await openLanes('general')) === 0, 'all lanes', {
      slots: 1,
      claimMs: 60_000,
      begins: ({ subject }) => order.push(subject),
    });
    expect(order).toEqual(['county.organization.org-2', 'county.organization.org-1', 'county.organization.org-0']);
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
