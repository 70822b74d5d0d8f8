// G14 A replay: asked = done + skipped + refused, each with its reason, whatever happens on the way.

import { describe, expect, test } from '@jest/globals';
import { listReplayLanes, replayView } from '../../../src/http/http.ts';
import { isObject } from '../../../src/json.ts';
import {
  activeVersion,
  drain,
  parkLane,
  pruneReplays,
  type ReplayAsked,
  setPaused,
  startReplay,
  workDryRuns,
  workReplays,
} from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aGoal, aNeed, anOrganization } from '../../builders.ts';
import { caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const rosa = 'county.case.case-rosa';

async function sendAll(): Promise<void> {
  await world.send(...directoryAndClient());
  await world.send(...caseWithReferral());
}

const connections = () => [...world.deps.connections.keys()];

async function replay(asked: Partial<ReplayAsked> = {}): Promise<number> {
  return startReplay(world.store, connections(), { dryRun: false, by: 'ops', ...asked });
}

/** How many resources the server's journal says were written, without the Provenance that tells of them. */
async function written(after = 0): Promise<number> {
  const requests = await world.server.writes(after);
  const writes = requests.flatMap(({ writes: made }) => (Array.isArray(made) ? made.filter(isObject) : []));
  return writes.filter(({ resourceType }) => resourceType !== 'Provenance').length;
}

/** Moves the job on and runs the lanes until it has ended. */
async function finish(id: number) {
  for (let turns = 0; turns < 20; turns += 1) {
    await workReplays(world.deps);
    await world.work();
    const view = await replayView(world.store, id);
    if (view.state === 'done') return view;
  }
  throw new Error('the replay did not end');
}

async function lanesOf(id: number): Promise<Record<string, unknown>[]> {
  const { items } = await listReplayLanes(world.store, id, { limit: 1000 });
  return items.map((item) => ({ ...item }));
}

describe('a replay', () => {
  test('of a quiet connection reads every linked resource again, writes nothing, and skips each lane with the reason', async () => {
    await sendAll();
    const before = (await world.server.journal()).length;
    const view = await finish(await replay());
    expect(view).toMatchObject({ state: 'done', asked: 6, done: 0, skipped: 6, refused: 0, left: 0, writes: 0 });
    expect(view.reasons).toMatchObject([{ outcome: 'skipped', code: 'replay-nothing-to-do', count: 6 }]);
    const since = await world.server.journal(before);
    expect(await world.server.writes(before)).toEqual([]);
    const links = await world.store.db.selectFrom('link').selectAll().where('remote_id', 'is not', null).execute();
    expect(since.length).toBeGreaterThanOrEqual(links.length);
  });

  test('writes what the server has lost, and only that', async () => {
    await sendAll();
    await world.server.control('POST', 'reset');
    await world.server.settings({ auth: 'none' });
    await world.store.db.deleteFrom('link').execute();
    const view = await finish(await replay());
    expect(view).toMatchObject({ asked: 6, refused: 0, left: 0 });
    expect(view.done).toBe(6);
    expect(view.writes).toBe(await written());
    expect(await world.server.all('Task')).toHaveLength(1);
  });

  test('counts what the server refuses as refused, with the reason, and the rest as done', async () => {
    await world.send(...directoryAndClient());
    const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] };
    await world.server.faults(
      { method: 'POST', path: 'Goal', fault: { status: 422, body } },
      { method: 'POST', path: '$', fault: { status: 422, body } },
    );
    await world.send(...caseWithReferral());
    const view = await finish(await replay());
    expect(view).toMatchObject({ asked: 6, done: 0, skipped: 5, refused: 1 });
    expect(view.reasons).toContainEqual(
      expect.objectContaining({ outcome: 'refused', code: 'server-refused', count: 1 }),
    );
    await world.server.mend();
    expect(await finish(await replay())).toMatchObject({ asked: 6, skipped: 5, done: 1, refused: 0 });
    expect(await world.server.all('Goal')).toHaveLength(1);
  });

  test('of a connection that is paused, drained or off, or of a lane that is parked, ends with those reasons and sends nothing', async () => {
    await sendAll();
    await world.connect(aConnection(world.server.base, { id: 'harbor', createPatients: false }));
    await world.work();
    await setPaused(world.store, 'harbor', { code: 'connection-paused', text: 'by ops' });
    await parkLane(world.store, { connection: 'general', subject: rosa }, { by: 'Ida', note: 'wait' });
    const before = (await world.server.journal()).length;
    const view = await finish(await replay());
    const codes = view.reasons.map(({ outcome, code }) => `${outcome} ${code}`).sort();
    expect(codes).toEqual([
      'refused lane-parked-by-operator',
      'skipped connection-paused',
      'skipped replay-nothing-to-do',
    ]);
    expect(view.asked).toBe(view.done + view.skipped + view.refused);
    expect(await world.server.writes(before)).toEqual([]);

    await drain(world.store, 'general', 'ops');
    expect((await finish(await replay({ connection: 'general' }))).reasons).toContainEqual(
      expect.objectContaining({ outcome: 'skipped', code: 'connection-draining' }),
    );
    const id = await replay({ connection: 'harbor' });
    await world.disconnect('harbor');
    expect((await finish(id)).reasons).toMatchObject([{ outcome: 'skipped', code: 'connection-off' }]);
  });

  test('whose connection pauses in the middle ends, and says that those lanes still run when it resumes', async () => {
    await sendAll();
    const id = await replay();
    await workReplays(world.deps);
    await setPaused(world.store, 'general', { code: 'connection-paused', text: 'by ops' });
    await workReplays(world.deps);
    const view = await replayView(world.store, id);
    expect(view).toMatchObject({ state: 'done', asked: 6, skipped: 6 });
    expect(view.reasons).toMatchObject([{ code: 'replay-left-paused', count: 6 }]);
    expect(await world.lane(rosa)).toMatchObject({ hasWork: true });
  });

  test.each([
    [
      'pauses',
      'replay-cut-short',
      () => setPaused(world.store, 'general', { code: 'connection-paused', text: 'by ops' }),
    ],
    ['is switched off', 'connection-off', () => world.disconnect('general')],
  ])('whose connection %s while a lane is at it tells what that lane has written by then', async (_how, code, stop) => {
    await world.server.control('POST', 'settings', { transactions: false });
    await sendAll();
    const id = await replay();
    await workReplays(world.deps);
    const updatedAt = '2026-02-09T10:00:00-05:00';
    await world.accept(
      ['goal', aGoal({ statement: 'Eats every day', updatedAt })],
      ['need', aNeed({ domain: 'housing-instability', updatedAt })],
    );
    // Of what the lane has to write, this one does not get through.
    await world.server.control('POST', 'faults', [{ method: 'PUT', path: 'Goal', fault: { status: 503 } }]);
    const before = (await world.server.journal()).length;
    let left: number | undefined;
    world.beforeNextWrite(async () => {
      await stop();
      await workReplays(world.deps);
      ({ left } = await replayView(world.store, id));
    });
    await world.run(rosa);
    // What is under way is not counted before it is over.
    expect(left).toBe(1);
    const writes = await written(before);
    expect(writes).toBeGreaterThan(0);
    await workReplays(world.deps);
    const lane = (await lanesOf(id)).find(({ subject }) => subject === rosa);
    expect(lane).toMatchObject({ outcome: 'skipped', writes, reason: { code } });
    expect(await replayView(world.store, id)).toMatchObject({ state: 'done', asked: 6, skipped: 6 });
  });

  test('whose connection is switched off in the middle, by the configuration in force and not by an older one, ends with that reason', async () => {
    await sendAll();
    const id = await replay();
    const elsewhere = { ...world.deps, connections: new Map() };
    await workReplays(elsewhere);
    await workReplays(elsewhere);
    const dry = await replay({ dryRun: true });
    await workReplays(elsewhere);
    expect(await replayView(world.store, id)).toMatchObject({ state: 'running', left: 6 });
    expect(await replayView(world.store, dry)).toMatchObject({ state: 'running', left: 6 });
    const own = await replay({ dryRun: true });
    await workDryRuns(elsewhere);
    expect(await replayView(world.store, own)).toMatchObject({ state: 'done', skipped: 6 });
    await world.disconnect('general');
    await workReplays(elsewhere);
    for (const one of [id, dry, own]) {
      const view = await replayView(world.store, one);
      expect(view).toMatchObject({ state: 'done', asked: 6, skipped: 6 });
      expect(view.reasons).toMatchObject([{ code: 'connection-off', count: 6 }]);
    }
    expect(await world.lane(rosa)).toMatchObject({ hasWork: true });
  });

  test('ends although a resource cannot be read: its lane is refused with that reason, and is tried on', async () => {
    await sendAll();
    await world.server.faults({ method: 'GET', path: 'Goal/', fault: { status: 500 } });
    const id = await replay();
    await workReplays(world.deps);
    await world.work({ tries: 1 });
    await workReplays(world.deps);
    const view = await replayView(world.store, id);
    expect(view).toMatchObject({ state: 'done', asked: 6, skipped: 5, refused: 1, left: 0 });
    expect(view.reasons).toContainEqual(expect.objectContaining({ outcome: 'refused', code: 'server-busy', count: 1 }));
    expect(await world.lane(rosa)).toMatchObject({ hasWork: true, reason: 'server-busy' });
  });

  test('survives the process that began it: another one goes on, and counts nothing twice', async () => {
    await sendAll();
    const id = await replay();
    await workReplays(world.deps);
    await world.run('county.organization.org-pantry');
    await workReplays(world.deps);
    expect(await replayView(world.store, id)).toMatchObject({ state: 'running', asked: 6, skipped: 1, left: 5 });
    // What a dead process had in hand is given back; the rest is rows.
    await Promise.all([workReplays({ ...world.deps, holder: 'b' }), workReplays({ ...world.deps, holder: 'c' })]);
    expect(await finish(id)).toMatchObject({ asked: 6, skipped: 6, left: 0 });
    expect((await lanesOf(id)).map(({ outcome }) => outcome)).toEqual(Array(6).fill('skipped'));
  });

  test('runs behind everything that happens now', async () => {
    await sendAll();
    await replay();
    await workReplays(world.deps);
    await world.accept(['organization', anOrganization({ name: 'Elm Street', updatedAt: '2026-02-21T10:00:00Z' })]);
    const rows = await world.store.db.selectFrom('lane').select(['subject', 'priority']).orderBy('priority').execute();
    expect(rows[0]).toEqual({ subject: 'county.organization.org-pantry', priority: 5 });
    expect(rows.find(({ subject }) => subject === 'county.client.client-rosa')).toMatchObject({ priority: 90 });
  });
});

describe('the scope of a replay', () => {
  const subjects = async (asked: Partial<ReplayAsked>) =>
    (await lanesOf(await replay(asked))).map(({ subject }) => subject);

  test('a case is its lane and that of its client', async () => {
    await sendAll();
    expect(await subjects({ case: { source: 'county', id: 'case-rosa' } })).toEqual([
      rosa,
      'county.client.client-rosa',
    ]);
  });

  test('a time takes lanes of which a record was accepted within it', async () => {
    await sendAll();
    const before = await world.store.now();
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    expect(await subjects({ since: before.toISOString() })).toEqual([rosa]);
    expect(await subjects({ until: '2020-01-01T00:00:00Z' })).toEqual([]);
    expect(await subjects({ since: '2020-01-01T00:00:00Z', until: before.toISOString() })).toHaveLength(6);
  });

  test('an empty one is done at once', async () => {
    const id = await replay();
    await workReplays(world.deps);
    expect(await replayView(world.store, id)).toMatchObject({ state: 'done', asked: 0 });
  });

  test('a mapping takes the lanes that were last brought under another one, and sends the rest as back-fill', async () => {
    await sendAll();
    await world.remap('goal.yaml', (text) => text.replace('What the client wants', 'What the client hopes'));
    const { version } = await world.store.db
      .selectFrom('mapping')
      .select('version')
      .where('active', '=', true)
      .executeTakeFirstOrThrow();
    await world.send(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    const id = await replay({ mapping: version });
    expect(await lanesOf(id)).toHaveLength(5);
    expect(await finish(id)).toMatchObject({ asked: 5, left: 0 });
    expect(await lanesOf(await replay({ mapping: version }))).toEqual([]);
  });

  test('of a mapping counts no lane as done that another one has run, which is activated meanwhile', async () => {
    await sendAll();
    const purpose = (words: string) =>
      world.remap('goal.yaml', (text) => text.replace('What the client wants', `What the client ${words}`));
    await purpose('hopes');
    const asked = await activeVersion(world.store.db);
    const id = await replay({ ...(asked && { mapping: asked }) });
    await workReplays(world.deps);
    await world.run('county.organization.org-pantry');
    await purpose('dreams');
    await world.work();
    // Whatever is active by the time that it is looked at.
    await purpose('hopes');
    const view = await finish(id);
    expect(view).toMatchObject({ asked: 6, done: 0, skipped: 6 });
    expect(view.reasons).toMatchObject([
      { code: 'mapping-not-active', count: 5 },
      { code: 'replay-nothing-to-do', count: 1 },
    ]);
  });

  test('of a mapping whose lane waits while another one is activated ends for that reason', async () => {
    await sendAll();
    await world.remap('goal.yaml', (text) => text.replace('What the client wants', 'What the client hopes'));
    const asked = await activeVersion(world.store.db);
    const id = await replay({ ...(asked && { mapping: asked }) });
    await workReplays(world.deps);
    await world.work();
    await sql`update lane set basis = basis || '{"mapping": "held", "at": "2026-01-01T00:00:00Z"}'`.execute(
      world.store.db,
    );
    await world.remap('goal.yaml', (text) => text.replace('What the client wants', 'What the client dreams'));
    expect((await finish(id)).reasons).toMatchObject([{ code: 'mapping-not-active', count: 6 }]);
  });

  test.each([
    ['a connection', { connection: 'nowhere' }, 'connection-unknown'],
    ['a case', { case: { source: 'county', id: 'none' } }, 'record-unknown'],
    ['a mapping that is not active', { mapping: 'abc123' }, 'mapping-not-active'],
  ])('%s that is not there is refused, and no job is stored', async (_what, asked, code) => {
    await expect(replay(asked)).rejects.toMatchObject({ code, message: expect.not.stringContaining('{') });
    expect(await world.store.db.selectFrom('replay').selectAll().execute()).toEqual([]);
  });
});

test('a replay that ended more than 30 days ago is forgotten, with what it had planned', async () => {
  await sendAll();
  const old = await replay({ dryRun: true });
  const young = await replay();
  await workReplays(world.deps);
  await sql`update replay set ended_at = now() - interval '31 days' where id = ${old}`.execute(world.store.db);
  expect(await pruneReplays(world.store)).toBe(1);
  const left = await world.store.db.selectFrom('replay_item').select('replay').distinct().execute();
  expect(left).toEqual([{ replay: young }]);
});

describe('a dry run', () => {
  test('says per resource and element what would be written, and neither asks nor writes anything', async () => {
    await sendAll();
    await world.accept(['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00-05:00' })]);
    const before = (await world.server.journal()).length;
    const id = await replay({ dryRun: true });
    await workReplays(world.deps);
    const view = await replayView(world.store, id);
    expect(view).toMatchObject({ state: 'done', asked: 6, done: 1, skipped: 5, refused: 0 });
    const planned = (await lanesOf(id)).find(({ subject }) => subject === rosa);
    const [operation] = Array.isArray(planned?.operations) ? planned.operations : [];
    expect(operation).toMatchObject({ kind: 'update', slot: 'goal', resource: 'goal/goal-meals#goal' });
    const [change] = isObject(operation) && Array.isArray(operation.diff) ? operation.diff : [];
    expect(change).toMatchObject({ element: expect.stringContaining('description'), after: expect.anything() });
    expect(JSON.stringify(change)).toContain('Food every day.');
    expect(await world.server.journal(before)).toEqual([]);
    expect(await world.lane(rosa)).toMatchObject({ hasWork: true });
    await world.work();
    expect(await written(before)).toBe(view.writes);
  });

  test('of lanes that wait gives the reasons that a run gives; one text stands for many as an example', async () => {
    await world.send(
      ['need', aNeed({ id: 'n1', caseId: 'c1', clientId: 'client-ana' })],
      ['need', aNeed({ id: 'n2', caseId: 'c2', clientId: 'client-bo' })],
    );
    const planned = await replay({ dryRun: true });
    await workReplays(world.deps);
    const reasons = [
      {
        outcome: 'skipped',
        code: 'waits-for-record',
        text: expect.stringMatching(/^For example: Waits for client\/client-ana#patient, /),
        count: 2,
      },
    ];
    expect((await replayView(world.store, planned)).reasons).toEqual(reasons);
    expect((await finish(await replay())).reasons).toEqual(reasons);
    const [{ outcome: _, ...reason } = {}] = reasons;
    expect((await world.report()).missing).toEqual([reason]);
  });
});
