// Pages of a poll that are wrong, endless or untrue: nobody else is asked, and no cursor is moved to what cannot be (reliability section 4).

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { preparePolls, refreshRoster } from '../../../src/lanes/lanes.ts';
import { startServer as startHost, stopAll } from '../../connections/fhir-server.ts';
import { repliesOf } from '../../support/broken-replies.ts';
import { caseload } from '../../support/caseload.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const { fault, truth } = repliesOf(world);

beforeEach(async () => {
  await world.server.settings({ transactions: false });
});

afterEach(stopAll);

describe('a poll', () => {
  async function sendCase(): Promise<void> {
    await world.send(...caseload());
  }

  const poll = (type = 'Task') =>
    world.store.db.selectFrom('poll').selectAll().where('resource_type', '=', type).executeTakeFirstOrThrow();

  const searchset = (...resources: JsonObject[]): JsonObject => ({
    resourceType: 'Bundle',
    type: 'searchset',
    entry: resources.map((resource) => ({ resource, search: { mode: 'match' } })),
  });

  test('71: a next link to another host: the connection pauses with one alert, the token stays here, nothing is believed', async () => {
    await sendCase();
    const other = await startHost(() => ({ body: searchset() }));
    const [task] = await world.server.all('Task');
    const link = [{ relation: 'next', url: `${other.url}/Task?page=2` }];
    const before = await truth();
    await fault('GET', { status: 200, body: { ...searchset({ ...task, status: 'completed' }), link } }, 'Task');
    await world.poll();
    expect(other.arrived).toEqual([]);
    expect(await world.alerts()).toMatchObject([{ topic: 'connection-paused:general', count: 1 }]);
    expect((await poll()).cursor).toBeNull();
    expect(await truth()).toEqual(before);
  });

  test('71: pages that never end: an alert, and what they lacked is asked for again', async () => {
    await sendCase();
    const link = [{ relation: 'next', url: `${world.server.base}/Task?round=1` }];
    await fault('GET', { status: 200, body: { ...searchset(), link } }, 'Task');
    await world.poll();
    expect(await poll()).toMatchObject({ cursor: null, reason: { code: 'search-endless' } });
    expect(await world.alerts()).toMatchObject([{ topic: 'poll-fails:general:Task', code: 'search-endless' }]);
    await world.server.mend();
    await world.poll();
    expect(await poll()).toMatchObject({ reason: null });
    expect(await world.alerts()).toEqual([]);
  });

  test('a type that fails and is polled no more is told of no more', async () => {
    await sendCase();
    const link = [{ relation: 'next', url: `${world.server.base}/Task?round=1` }];
    await fault('GET', { status: 200, body: { ...searchset(), link } }, 'Task');
    await world.poll();
    expect(await world.alerts()).toMatchObject([{ topic: 'poll-fails:general:Task' }]);
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    const { config, vendor } = connection;
    const fewer = { ...config, polls: { ...config.polls, types: ['Goal' as const] } };
    await refreshRoster(world.store, config, vendor);
    expect(await world.alerts()).toHaveLength(1);
    await preparePolls(world.store, fewer, vendor);
    await refreshRoster(world.store, fewer, vendor);
    expect(await world.alerts()).toEqual([]);
  });

  test('76: one entry that is too large is told to an operator; the polls of other types go on', async () => {
    await sendCase();
    await fault('GET', { bodyBytes: 21 * 1024 * 1024 }, 'Task$');
    await world.poll();
    expect(await world.alerts()).toMatchObject([
      { topic: 'poll-fails:general:Task', code: 'connection-reply-too-large' },
    ]);
    expect(await poll('ServiceRequest')).toMatchObject({ reason: null, cursor: expect.any(String) });
  });

  test('invalid dates of a Task: no cursor is moved to them, and what happened is told with a time that exists', async () => {
    await sendCase();
    const [task = {}] = await world.server.all('Task');
    const meta = { ...(isObject(task.meta) ? task.meta : {}), lastUpdated: 'yesterday' };
    const note = [{ time: '2026-02-30T10:00:00Z', text: 'They came.' }];
    const odd = { ...task, meta, status: 'received', lastModified: '2026-13-45T25:00:00Z', note };
    await fault('GET', { status: 200, body: searchset(odd) }, 'Task$');
    await world.poll();
    await fault('GET', { status: 200, body: odd }, `Task/${task.id}`);
    await world.work();
    await world.poll();
    await world.poll();
    expect((await poll()).reason).toBeNull();
    expect((await poll()).cursor).not.toContain('yesterday');
    const offered = JSON.stringify(await world.changes());
    expect(offered).toContain('received');
    expect(offered).not.toMatch(/2026-02-30|2026-13-45|yesterday/);
  });

  test('invalid dates in an element that goes back to the source: offered to nobody, a person is told', async () => {
    await sendCase();
    const { id, ...goal } = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    const target: JsonObject[] = [
      { id: 'due', dueDate: '2026-02-31' },
      { id: 't1', dueDate: 'soon', measure: { text: 'x' } },
    ];
    const odd = { ...goal, id: String(id), startDate: '2026-02-30', target };
    await fault('GET', { status: 200, body: odd }, `Goal/${id}`);
    await world.workAgain();
    expect(JSON.stringify(await world.changes())).not.toMatch(/2026-02-30|2026-02-31|soon/);
    const values = await world.store.db.selectFrom('remote_value').selectAll().execute();
    expect(JSON.stringify(values)).not.toMatch(/2026-02-30|2026-02-31|soon/);
    expect(await world.openDecisions()).toMatchObject([{ code: 'not-carried' }]);
  });
});
