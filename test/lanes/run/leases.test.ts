// One runner per lane, although processes die and freeze (lanes.md 5, 8). Times are the database's: a lease is short here, and awaited.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createRunGate, type LaneDeps, raiseWanted, runLane, wantAll } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { anOrganization } from '../../builders.ts';
import { caseload } from '../../support/caseload.ts';
import { eventually, ownCounts } from '../../support/rig.ts';
import { creates, partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const subject = 'county.organization.org-pantry';
const key = { connection: 'general', subject };
const once = { 'county/organization/org-pantry#organization': 1 };
const leaseMs = 1_500;

type Send =
  LaneDeps['connections'] extends ReadonlyMap<string, infer C>
    ? C extends { client: { send: infer S } }
      ? S
      : never
    : never;

/** A runner of another process, whose requests go through `send`. */
function runner(send: (real: Send) => Send): Partial<LaneDeps> {
  const lane = world.deps.connections.get('general');
  if (lane === undefined) throw new Error('no connection');
  const client = { ...lane.client, send: send(lane.client.send) };
  return { leaseMs, gate: createRunGate(), connections: new Map([['general', { ...lane, client }]]) };
}

const never = () => new Promise<never>(() => {});

/** A process that stops for ever: before its request leaves, or after the server has done what it asked. */
const diesBefore = () => runner(() => never);
const diesAtOnce = (): Partial<LaneDeps> => {
  const lane = world.deps.connections.get('general');
  if (lane === undefined) throw new Error('no connection');
  return { leaseMs, gate: createRunGate(), connections: new Map([['general', { ...lane, abilities: never }]]) };
};
const diesAfter = () =>
  runner((real) => async (request) => {
    await real(request);
    return never();
  });

async function leaseRunsOut(): Promise<void> {
  await eventually(async () => {
    const { rows } = await sql<{
      free: boolean;
    }>`select lease_until < now() as free from lane where subject = ${subject}`.execute(world.store.db);
    return rows[0]?.free === true;
  }, 'the end of the lease');
}

async function startAndDie(deps: Partial<LaneDeps>): Promise<void> {
  const before = (
    await world.store.db.selectFrom('lane').select('starts').where('subject', '=', subject).executeTakeFirstOrThrow()
  ).starts;
  await world.store.db.updateTable('lane').set({ next_try_at: null }).where('subject', '=', subject).execute();
  void runLane({ ...world.deps, ...deps }, key);
  await eventually(async () => {
    const row = await world.store.db
      .selectFrom('lane')
      .selectAll()
      .where('subject', '=', subject)
      .executeTakeFirstOrThrow();
    return row.starts > before;
  }, 'the start');
  await leaseRunsOut();
}

describe('a lane whose holder died', () => {
  test('cannot be taken while its lease lasts', async () => {
    await world.accept(['organization', anOrganization()]);
    void runLane({ ...world.deps, ...diesBefore(), leaseMs: 60_000 }, key);
    await eventually(
      async () => (await world.store.db.selectFrom('operation').selectAll().execute()).length === 1,
      'the intent',
    );
    await world.run(subject);
    expect(await world.server.all('Organization')).toEqual([]);
  });

  test.each([
    ['before its request left', diesBefore],
    ['after its request was done', diesAfter],
  ])('%s is taken over after the lease, and ends with one resource', async (_title, dies) => {
    await world.accept(['organization', anOrganization()]);
    await startAndDie(dies());
    await world.work();
    expect(await ownCounts(world.server)).toEqual(once);
    expect(await creates(world.server, 'Organization')).toBe(1);
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
  });

  test("is not reconciled before the dead one's request can no longer be on its way", async () => {
    await world.accept(['organization', anOrganization()]);
    await startAndDie(diesBefore());
    const later = sql<Date>`now() + interval '1 hour'`;
    await world.store.db.updateTable('operation').set({ send_before: later }).execute();
    await world.work({ tries: 2 });
    expect((await world.server.journal()).filter(({ url }) => String(url).includes('Organization'))).toEqual([]);
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, reason: 'outcome-unknown' });
  });
});

describe('a runner that freezes and wakes after its lease', () => {
  test('changes nothing in the store any more', async () => {
    await world.accept(['organization', anOrganization()]);
    const { promise: thaw, resolve: wake } = Promise.withResolvers<void>();
    const frozen = runLane(
      {
        ...world.deps,
        ...runner((real) => async (request) => {
          const reply = await real(request);
          await thaw;
          return reply;
        }),
      },
      key,
    );
    await eventually(async () => (await world.server.all('Organization')).length === 1, 'the write');
    await leaseRunsOut();
    await world.work();
    const before = await everything();
    wake();
    await frozen;
    expect(await everything()).toEqual(before);
    expect(await ownCounts(world.server)).toEqual(once);
  });
});

describe('a run whose looks take long', () => {
  const linked = ['CarePlan', 'CareTeam', 'Condition', 'EpisodeOfCare', 'Goal', 'ServiceRequest', 'Task'];
  const caseLane = 'county.case.case-rosa';

  /** Time passes before each of its looks: for the run, and for its lease in the store. */
  function slowly(eachMs: number, meanwhile: () => Promise<void>): Partial<LaneDeps> {
    let passedMs = 0;
    return {
      ...runner((real) => async (request) => {
        const reply = await real(request);
        passedMs += eachMs;
        await world.store.db
          .updateTable('lane')
          .set({ lease_until: sql<Date>`lease_until - ${eachMs} * interval '1 millisecond'` })
          .execute();
        await meanwhile();
        return reply;
      }),
      leaseMs: 60_000,
      clock: () => Date.now() + passedMs,
    };
  }

  let before = 0;
  const looks = async () =>
    (await world.server.journal(before)).flatMap(({ method, url }) =>
      method === 'GET' ? linked.filter((type) => String(url).includes(`/${type}/`)) : [],
    );

  const linkedCase = async (): Promise<void> => {
    await world.send(...caseload());
    before = (await world.server.journal()).length;
    await wantAll(world.store, ['general']);
  };

  test('keeps its lease through all of them: nobody takes the lane over, and nobody suspects it', async () => {
    await linkedCase();
    const attempts: number[] = [];
    await world.run(caseLane, {
      deps: slowly(25_000, async () => {
        await runLane({ ...world.deps, gate: createRunGate() }, { connection: 'general', subject: caseLane });
        attempts.push(await startsOf(caseLane));
      }),
    });
    expect((await looks()).toSorted()).toEqual(linked);
    expect(Math.max(...attempts)).toBe(1);
    expect(attempts.at(-1)).toBe(0);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: false, parked: undefined });
  });

  test('yields when its time is over, and goes on with what it had not looked at', async () => {
    await linkedCase();
    const deps = slowly(130_000, async () => {});
    await world.run(caseLane, { deps: { ...deps, leaseMs: 600_000 } });
    expect(await looks()).toHaveLength(3);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: true, reason: 'lane-yields' });
    await world.work();
    expect((await looks()).toSorted()).toEqual(linked);
    expect(await world.lane(caseLane)).toMatchObject({ hasWork: false, parked: undefined });
  });

  test('looks at everything once more when a new cause has asked for it after it yielded', async () => {
    await linkedCase();
    const deps = slowly(130_000, async () => {});
    await world.run(caseLane, { deps: { ...deps, leaseMs: 600_000 } });
    await wantAll(world.store, ['general']);
    await world.work();
    expect(await looks()).toHaveLength(3 + linked.length);
  });
});

test('a record that changes each time it has been written lets other lanes have their turn, and ends with its newest version', async () => {
  const edition = (n: number) =>
    anOrganization({ name: `Pantry ${n}`, updatedAt: new Date(Date.UTC(2026, 1, 1, 0, 0, n)).toISOString() });
  await world.accept(['organization', edition(0)]);
  let editions = 0;
  await world.run(subject, {
    deps: runner((real) => async (request) => {
      const reply = await real(request);
      if (request.method === 'GET') return reply;
      editions += 1;
      await world.accept(['organization', edition(editions)]);
      return reply;
    }),
  });
  expect(await world.lane(subject)).toMatchObject({ hasWork: true, reason: 'lane-yields', parked: undefined });
  expect(editions).toBeGreaterThanOrEqual(50);
  expect(editions).toBeLessThanOrEqual(200);
  await world.work();
  expect(await world.lane(subject)).toMatchObject({ hasWork: false });
  expect(await world.server.all('Organization')).toMatchObject([{ name: `Pantry ${editions}` }]);
});

async function startsOf(lane: string): Promise<number> {
  const { starts } = await world.store.db
    .selectFrom('lane')
    .select('starts')
    .where('subject', '=', lane)
    .executeTakeFirstOrThrow();
  return starts;
}

describe('a lane that was started three times without coming to an end', () => {
  const crashThrice = async (): Promise<void> => {
    await world.accept(['organization', anOrganization()]);
    for (let start = 1; start <= 3; start += 1) await startAndDie(diesAtOnce());
  };

  test('is parked as crashed with one alert, and not started again', async () => {
    await crashThrice();
    await world.work();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: 'lane-crashed' });
    expect(await world.alerts()).toMatchObject([{ code: 'lane-crashed', count: 1 }]);
    expect(await world.server.all('Organization')).toEqual([]);
  });

  test('goes on with a new version of its record, and the alert is closed when it ends well', async () => {
    await crashThrice();
    await world.work();
    await world.send(['organization', anOrganization({ phones: [], updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await ownCounts(world.server)).toEqual(once);
    expect(await world.lane(subject)).toMatchObject({ parked: undefined });
    expect(await world.alerts()).toEqual([]);
  });
});

async function everything(): Promise<unknown> {
  const { db } = world.store;
  return Promise.all([
    db.selectFrom('lane').selectAll().execute(),
    db.selectFrom('link').selectAll().execute(),
    db.selectFrom('operation').selectAll().orderBy('id').execute(),
    db.selectFrom('seen').selectAll().execute(),
    db.selectFrom('waiting').selectAll().execute(),
  ]);
}

test('a cause that wants all read again while the lane runs is not forgotten', async () => {
  await world.send(['organization', anOrganization()]);
  const { id } = await world.server.own('Organization', 'county/organization/org-pantry#organization');
  await world.accept([
    'organization',
    anOrganization({ name: 'Elm Street Food Pantry', updatedAt: '2026-02-10T10:00:00-05:00' }),
  ]);
  await world.run(subject, {
    deps: runner((real) => async (request) => {
      const reply = await real(request);
      if (request.method === 'PUT') {
        await partnerEdits(world.server, `Organization/${id}`, (one) => ({ ...one, alias: ['The pantry'] }));
        await world.store.tx((trx) => raiseWanted(trx, [key], { reread: true }));
      }
      return reply;
    }),
  });
  await world.work();
  expect(await world.changes()).toEqual([
    expect.objectContaining({ op: 'patch', id: 'org-pantry', body: { alternateNames: ['The pantry'] } }),
  ]);
});

test('a lane whose last start was not released runs alone in its process: after those that run, and before those that come', async () => {
  const lanes = ['org-pantry', 'org-before', 'org-after'] as const;
  await world.accept(['organization', anOrganization()]);
  await startAndDie(diesAtOnce());
  await world.accept(...lanes.slice(1).map((id) => ['organization', anOrganization({ id, name: id })] as const));
  const gate = createRunGate();
  const log: string[] = [];
  const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
  const run = async (id: (typeof lanes)[number]): Promise<void> => {
    const deps = runner((real) => async (request) => {
      if (!log.includes(`${id} begins`)) log.push(`${id} begins`);
      await mayEnd;
      return real(request);
    });
    await runLane({ ...world.deps, ...deps, gate }, { ...key, subject: `county.organization.${id}` });
    log.push(`${id} ends`);
  };
  const before = run('org-before');
  await eventually(async () => log.includes('org-before begins'), 'the run of a neighbour');
  const suspect = run('org-pantry');
  // Long enough to begin, if it were let.
  await sleep(300);
  const after = run('org-after');
  letEnd();
  await Promise.all([before, suspect, after]);
  expect(log).toEqual(['org-before', 'org-pantry', 'org-after'].flatMap((id) => [`${id} begins`, `${id} ends`]));
  expect(await startsOf(subject)).toBe(0);
});
