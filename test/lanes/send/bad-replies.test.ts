// Replies that are wrong, broken or untrue, from a real server: each is classed, shown on the lane, and never stored as truth. The numbers are
// the rows of reliability section 4; what is wrong with a reply by itself is in test/connections/bad-replies.test.ts.

import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Json, JsonObject } from '../../../src/json.ts';
import { reviewAlerts } from '../../../src/lanes/lanes.ts';
import { raiseWanted } from '../../../src/lanes/links/wanted.ts';
import { aGoal } from '../../builders.ts';
import { html, large, outcome, renamed, repliesOf, slot, subject } from '../../support/broken-replies.ts';
import { caseload, directoryAndClient } from '../../support/caseload.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const { fault, lookAgain, raise, sent, truth } = repliesOf(world);

const nested = (depth: number): Json => Array.from({ length: depth }).reduce<Json>((inner) => [inner], 'end');

beforeEach(async () => {
  await world.server.settings({ transactions: false });
});

describe('a reply to a read', () => {
  test.each<[string, JsonObject, string]>([
    ['64: HTML with 200, a login page', { status: 200, ...html }, 'connection-not-fhir'],
    ['64: HTML with 404, a proxy', { status: 404, ...html }, 'connection-not-fhir'],
    ['65: nothing at all with 200', { status: 200 }, 'server-busy'],
    ['69: a passing error with 200', { status: 200, body: outcome('error', 'timeout') }, 'server-busy'],
    ['75: JSON that is cut', { truncate: 40 }, 'connection-not-fhir'],
    ['75: JSON whose connection breaks off', { breakOff: 40, cut: 'reset' }, 'connection-reset'],
    ['85: 423', { status: 423 }, 'server-busy'],
    ['500 with 10 MB of error', { status: 500, ...large }, 'server-busy'],
    ['503 with an outage page', { status: 503, ...html }, 'connection-not-fhir'],
  ])('%s: the lane comes back for it, and nothing is believed', async (_title, action, reason) => {
    await sent();
    const before = await truth();
    await fault('GET', action);
    await lookAgain(2);
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined, reason, attempts: 2 });
    expect(await truth()).toEqual(before);

    await world.server.mend();
    await world.work();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
    expect(await truth()).toEqual(before);
    expect((await world.server.writes()).length).toBe(1);
  });

  test.each<[string, JsonObject, string]>([
    ['68: another type', { status: 200, body: { resourceType: 'Task', id: '1' } }, 'server-wrong-resource'],
    ['68: another id', { status: 200, body: { resourceType: 'Organization', id: '77' } }, 'server-wrong-resource'],
    ['68: notes only', { status: 200, body: outcome('information', 'informational') }, 'server-wrong-resource'],
    ['69: a fatal error with 200', { status: 200, body: outcome('fatal', 'processing') }, 'server-refused'],
    ['76: more than is read of a reply', { bodyBytes: 21 * 1024 * 1024 }, 'connection-reply-too-large'],
    ['85: 304', { status: 304 }, 'server-refused'],
    ['85: 412 without a cause', { status: 412 }, 'server-refused'],
    ['85: 501', { status: 501 }, 'server-refused'],
  ])('%s: parked with its reason, and nothing is believed', async (_title, action, reason) => {
    await sent();
    const before = await truth();
    await fault('GET', action);
    await lookAgain();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: reason });
    expect(await world.link(slot)).toMatchObject({ state: 'parked', reason });
    expect(await truth()).toEqual(before);
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([{ topic: `lanes-parked:${reason}:general`, code: 'lanes-parked', count: 1 }]);

    await world.server.mend();
    await lookAgain();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
    expect(await world.link(slot)).toMatchObject({ state: 'current' });
    expect(await truth()).toEqual(before);
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });

  test('68: a server that mixes replies up is one alert, which counts the lanes', async () => {
    await world.send(...directoryAndClient());
    await fault('GET', { status: 200, body: { resourceType: 'Task', id: 'of-somebody-else' } });
    await world.workAgain();
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([
      { topic: 'lanes-parked:server-wrong-resource:general', code: 'lanes-parked', count: 2 },
    ]);
    await world.server.mend();
    const lanes = ['org-pantry', 'org-riverside'].map((id) => `county.organization.${id}`);
    await world.store.tx((trx) =>
      raiseWanted(
        trx,
        lanes.map((lane) => ({ connection: 'general', subject: lane })),
        { unpark: true, reread: true },
      ),
    );
    await world.work();
    await reviewAlerts(world.deps);
    expect(await world.alerts()).toEqual([]);
  });

  test('68: what cannot be read is not written over either', async () => {
    await sent();
    await fault('GET', { status: 200, body: { resourceType: 'Organization', id: '77' } });
    await raise();
    await world.send(['organization', renamed()]);
    expect(await world.lane(subject)).toMatchObject({ parked: 'server-wrong-resource' });
    expect((await world.server.writes()).length).toBe(1);
  });

  test.each<[string, Json]>([
    ['a NUL', 'Harbor\0Pantry'],
    ['half a character', 'Harbor\ud800Pantry'],
    ['3,000 lists in each other', nested(3_000)],
  ])(
    '82: what holds %s can be kept by nobody: parked with that reason, and no word of it is believed',
    async (_what, name) => {
      const held = await sent();
      const before = await truth();
      await fault('GET', { status: 200, body: { ...held, name } });
      await lookAgain();
      expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: 'server-reply-unkeepable' });
      expect(await world.link(slot)).toMatchObject({ state: 'parked', reason: 'server-reply-unkeepable' });
      expect(await world.openDecisions()).toMatchObject([{ kind: 'refused-write' }]);
      expect(await truth()).toEqual(before);
      await world.send(['organization', renamed()]);
      expect(await world.server.writes()).toHaveLength(1);

      await world.server.mend();
      await lookAgain();
      expect(await world.server.own('Organization', `county/${slot}`)).toMatchObject({ name: 'Harbor Food Pantry' });
      expect(await world.lane(subject)).toMatchObject({ hasWork: false, parked: undefined });
      expect(await world.openDecisions()).toEqual([]);
    },
  );

  test('82: one of a case that cannot be kept holds up none of the others', async () => {
    const other = (statement: string, day: number): ['goal', JsonObject] => [
      'goal',
      aGoal({ id: 'goal-work', statement, updatedAt: `2026-02-0${day}T10:00:00-05:00` }),
    ];
    await world.send(...caseload(), other('I want a job.', 1));
    const held = await world.server.own('Goal', 'county/goal/goal-meals#goal');
    const { length } = await world.server.journal();
    await fault('GET', { status: 200, body: { ...held, note: [{ text: '\ud800' }] } }, `Goal/${held.id}$`);
    await world.accept(other('I want work near home.', 2));
    await world.workAgain();
    expect(await world.link('goal/goal-meals#goal')).toMatchObject({
      state: 'parked',
      reason: 'server-reply-unkeepable',
    });
    expect(await world.server.own('Goal', 'county/goal/goal-work#goal')).toMatchObject({
      description: { text: 'I want work near home.' },
    });
    expect((await world.server.writes(length)).map(({ url }) => url)).toEqual([expect.stringContaining('Goal/')]);
    expect(await world.lane('county.case.case-rosa')).toMatchObject({
      hasWork: false,
      parked: 'server-reply-unkeepable',
    });
  });

  test('82: a narrative with script is data: kept there as it is, and shown to nobody', async () => {
    const { id, ...held } = await sent();
    const text = {
      status: 'additional',
      div: '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></div>',
    };
    const contained = [{ resourceType: 'Location', id: 'back-door', name: 'Back door' }];
    await world.server.seed({ ...held, id: String(id), text, contained });
    await lookAgain();
    await world.send(['organization', renamed()]);
    expect(await world.server.own('Organization', `county/${slot}`)).toMatchObject({
      name: 'Harbor Food Pantry',
      text,
      contained,
    });
    expect(await world.changes()).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('85: 410 is a question, and nothing is made again', async () => {
    await sent();
    await fault('GET', { status: 410 });
    await lookAgain();
    expect(await world.openDecisions()).toMatchObject([{ kind: 'remote-gone' }]);
    expect((await world.server.writes()).length).toBe(1);
  });

  test('a reset is tried once more at once: the lane does not come back for it', async () => {
    await sent();
    await world.server.strikeOnce('GET', 'Organization', { drop: 'before-commit', cut: 'reset' });
    await lookAgain();
    expect(await world.lane(subject)).toMatchObject({ hasWork: false, attempts: 0 });
  });
});

describe('a reply to an update', () => {
  const lies: [string, JsonObject][] = [
    ['64: HTML with 200', { status: 200, ...html }],
    ['68: another type', { status: 200, body: { resourceType: 'Task', id: '1' } }],
    ['68: another id', { status: 200, body: { resourceType: 'Organization', id: '77' } }],
    ['68: another id, with what cannot be kept', { status: 200, body: { resourceType: 'Organization', id: '77\0' } }],
    ['69: a fatal error with 200', { status: 200, body: outcome('fatal', 'exception') }],
    [
      '75: half of the JSON',
      { status: 200, body: '{"resourceType":"Organiz', headers: { 'content-type': 'application/json' } },
    ],
    ['76: more than is read of a reply', { status: 200, body: {}, bodyBytes: 21 * 1024 * 1024 }],
    ['502 with an outage page', { status: 502, ...html }],
    ['a reset', { drop: 'after-commit', cut: 'reset' }],
  ];
  test.each([
    ...lies.map(([title, action]) => ({
      title: `${title}, although it was done`,
      action: { ...action, at: 'after-commit' },
      sends: 1,
    })),
    ...lies
      .filter(([title]) => /64|68: another id|502/.test(title))
      .map(([title, action]) => ({ title: `${title}, and it was not done`, action, sends: 2 })),
  ])('$title: unknown until it is looked up', async ({ action, sends }) => {
    const { id } = await sent();
    await world.server.strikeOnce('PUT', 'Organization', action);
    await world.accept(['organization', renamed()]);
    const before = await truth();
    await world.work({ tries: 1 });
    expect(await world.lane(subject)).toMatchObject({ hasWork: true, parked: undefined });
    expect(await truth()).toEqual(before);
    const { outcome: known } = await world.store.db
      .selectFrom('operation')
      .select('outcome')
      .where('kind', '=', 'update')
      .executeTakeFirstOrThrow();
    expect(known).toBeNull();

    await world.work();
    const puts = (await world.server.journal()).filter(({ method }) => method === 'PUT');
    expect(puts).toHaveLength(sends);
    expect(await world.server.own('Organization', `county/${slot}`)).toMatchObject({ id, name: 'Harbor Food Pantry' });
    expect(await world.link(slot)).toMatchObject({ state: 'current', remoteId: id });
    expect(await world.changes()).toEqual([]);
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each<[string, (held: JsonObject) => JsonObject]>([
    ['65: empty with 200', () => ({ status: 200 })],
    ['65: empty with 204', () => ({ status: 204 })],
    ['69: with notes that nothing is wrong', () => ({ status: 200, body: outcome('information', 'informational') })],
    ['82: with what cannot be kept', (held) => ({ status: 200, body: { ...held, alias: ['\0'] } })],
  ])('%s: it is done, and the notes are no look at it', async (_title, answer) => {
    const held = await sent();
    await fault('PUT', { ...answer(held), at: 'after-commit' });
    await world.send(['organization', renamed()]);
    const seen = async () => (await world.store.db.selectFrom('seen').select('body').executeTakeFirstOrThrow()).body;
    expect((await seen()) ?? held).toMatchObject({ resourceType: 'Organization', id: held.id });
    await lookAgain();
    expect(await seen()).toMatchObject({ resourceType: 'Organization', id: held.id, name: 'Harbor Food Pantry' });
    expect((await world.server.journal()).filter(({ method }) => method === 'PUT')).toHaveLength(1);
    expect(await world.changes()).toEqual([]);
  });
});

describe('74: Retry-After', () => {
  test.each([
    ['0', 1, 2],
    ['-5', 1, 2],
    ['soon', 0, 2],
    ['1000000000', 890, 900],
    ['120', 110, 120],
    ['Mon, 02 Mar 2020 10:00:00 GMT', 1, 2],
  ])('%s: the next try is shown, and is between %s and %s seconds away', async (value, least, most) => {
    await sent();
    await fault('PUT', { status: 429, headers: { 'retry-after': value } });
    await world.accept(['organization', renamed()]);
    await world.work({ tries: 1 });
    const { now, next_try_at: next } = await world.store.db
      .selectFrom('lane')
      .select(['next_try_at', world.store.db.fn<Date>('now').as('now')])
      .where('subject', '=', subject)
      .executeTakeFirstOrThrow();
    const seconds = ((next?.getTime() ?? 0) - now.getTime()) / 1000;
    expect(seconds).toBeGreaterThan(least - 1);
    expect(seconds).toBeLessThanOrEqual(most);
    expect(await world.lane(subject)).toMatchObject({ reason: 'server-busy' });
  });
});
