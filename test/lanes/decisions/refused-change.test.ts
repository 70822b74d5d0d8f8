// A change of the other side that the source does not take over is asked about, with what each answer would do.

import { beforeEach, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import { openAlert, refuseChange } from '../../../src/lanes/lanes.ts';
import { caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { creates, partnerEdits, useWorld } from '../../support/world.ts';

const world = useWorld();
const slot = 'county/goal/goal-meals#goal';
const words = 'The client said otherwise.';
let before: string;

/** The partner has changed the goal's text, and the source is offered that. */
beforeEach(async () => {
  await world.send(...directoryAndClient());
  await world.send(...caseWithReferral());
  before = await text();
  await partnerEdits(world.server, `Goal/${String((await goal()).id)}`, ({ description, ...rest }) => ({
    ...rest,
    description: { ...Object(description), text: 'Theirs' },
  }));
  await world.workAgain();
  expect(await world.changes()).toMatchObject([{ op: 'patch', type: 'goal', id: 'goal-meals' }]);
});

const goal = () => world.server.own('Goal', slot);

async function text(): Promise<string> {
  return String(Object((await goal()).description).text);
}

const refuse = (cursor: number) => refuseChange(world.store, { source: 'county', cursor, reason: words });

async function remoteValues(): Promise<string[]> {
  const rows = await world.store.db.selectFrom('remote_value').select('pointer').execute();
  return rows.map(({ pointer }) => pointer);
}

test('the question shows the change and the words of the source, and is asked once', async () => {
  expect(await refuse(1)).toBe(await refuse(1));
  const asked = await world.openDecisions();
  expect(asked).toMatchObject([
    { kind: 'refused-change', code: 'change-refused', choices: ['keep', 'again', 'ours'], detail: { said: words } },
  ]);
  const [change] = await world.changes();
  expect(asked[0]?.detail.change).toEqual(change?.body);
  await world.decide('refused-change', 'keep');
  await refuse(1);
  expect(await world.openDecisions()).toEqual([]);
});

test('"keep" leaves both sides as they are', async () => {
  await refuse(1);
  await world.decide('refused-change', 'keep');
  await world.workAgain();
  expect(await text()).toBe('Theirs');
  expect([(await world.changes()).length, await remoteValues()]).toEqual([1, ['/statement']]);
});

test('"again" offers the same change once more, and that one can be refused as well', async () => {
  await refuse(1);
  await world.decide('refused-change', 'again');
  const [first, second] = await world.changes();
  expect(second).toEqual(first);
  await refuse(2);
  expect((await world.openDecisions()).map(({ topic }) => topic)).toEqual(['change:2']);
});

test('"again" offers what the other side still says alone, and nothing where it says none of it any more', async () => {
  const edit = async (words: string, startDate: string) => {
    await partnerEdits(world.server, `Goal/${String((await goal()).id)}`, ({ description, ...rest }) => ({
      ...rest,
      startDate,
      description: { ...Object(description), text: words },
    }));
    await world.workAgain();
  };
  await edit('Other words', '2026-02-09');
  await refuse(2);
  await edit('Their last words', '2026-02-09');
  await world.decide('refused-change', 'again');
  const bodies = (await world.changes()).map(({ body }) => body);
  expect(bodies.slice(1)).toEqual([
    { statement: 'Other words', startsOn: '2026-02-09' },
    { statement: 'Their last words' },
    { startsOn: '2026-02-09' },
  ]);
  await refuse(1);
  await expect(world.decide('refused-change', 'again')).rejects.toMatchObject({ code: 'change-outdated' });
  expect((await world.openDecisions()).map(({ topic }) => topic)).toEqual(['change:1']);
  expect(await world.changes()).toHaveLength(4);
  await world.decide('refused-change', 'keep');
});

test('"ours" writes the value of the record over theirs, and no more is said of theirs', async () => {
  await refuse(1);
  await world.decide('refused-change', 'ours');
  await world.work();
  expect(await text()).toBe(before);
  await world.workAgain();
  expect([(await world.changes()).length, await remoteValues(), await world.openDecisions()]).toEqual([1, [], []]);
  expect(await creates(world.server, 'Goal')).toBe(1);
});

test('a move of the Task is not ours to write over', async () => {
  const task = await world.server.own('Task', 'county/referral/referral-pantry#fulfilment');
  await partnerEdits(world.server, `Task/${String(task.id)}`, (held) => ({ ...held, status: 'accepted' }));
  await world.workAgain();
  await refuse(2);
  expect((await world.openDecisions()).at(-1)?.choices).toEqual(['keep', 'again']);
});

test('a change that is not there, or is of another source, is refused', async () => {
  await expect(refuse(7)).rejects.toMatchObject({ code: 'change-unknown' });
  await expect(refuseChange(world.store, { source: 'town', cursor: 1, reason: words })).rejects.toMatchObject({
    code: 'change-unknown',
  });
});

test('a delivery of it ends', async () => {
  await world.store.db
    .insertInto('delivery')
    .values({ source: 'county', cursor: 1, subject: 'county.case.case-rosa' })
    .execute();
  await refuse(1);
  expect(await world.store.db.selectFrom('delivery').selectAll().execute()).toEqual([]);
});

test('the alert that deliveries are stuck goes with the last of them', async () => {
  const topic = 'webhook-stuck:county';
  const stuck = { source: 'county', subject: 'county.case.case-rosa', stuck: true };
  const open = async () => {
    const { resolved_at } = await world.store.db
      .selectFrom('alert')
      .select('resolved_at')
      .where('topic', '=', topic)
      .executeTakeFirstOrThrow();
    return resolved_at === null;
  };
  await world.store.db
    .insertInto('delivery')
    .values([
      { ...stuck, cursor: 1 },
      { ...stuck, cursor: 2 },
    ])
    .execute();
  await world.store.tx((trx) =>
    openAlert(trx, { topic, reason: reason('webhook-stuck', { source: 'county', hours: 24 }) }),
  );
  await refuse(1);
  expect(await open()).toBe(true);
  await world.store.db.updateTable('delivery').set({ cursor: 1 }).execute();
  await refuse(1);
  expect(await open()).toBe(false);
});
