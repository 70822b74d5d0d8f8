// The scheduler by itself, and the database's clock.

import { expect, test } from '@jest/globals';
import { EmbeddedDatabase } from './embedded-database.ts';
import { newActor, Timeline } from './timeline.ts';

const start = Date.parse('2026-06-01T12:00:00Z');

test('things happen by their time, those of one moment in the order in which they were begun', async () => {
  const timeline = new Timeline(start);
  const actor = newActor('a');
  const happened: string[] = [];
  for (const [ms, what] of [
    [30, 'last'],
    [10, 'first'],
    [20, 'second'],
    [20, 'third'],
  ] as const)
    timeline.after(actor, ms, what, () => happened.push(what));
  await timeline.runUntil(start + 100);
  expect(happened).toEqual(['first', 'second', 'third', 'last']);
  expect(timeline.steps).toEqual(['0.010 a first', '0.020 a second', '0.020 a third', '0.030 a last']);
});

test('nothing that a dead actor waits for ever comes (lanes.md 26), and a frozen one goes on when it thaws', async () => {
  const timeline = new Timeline(start);
  const [dead, frozen] = [newActor('dead'), newActor('frozen')];
  const woke: string[] = [];
  const sleep = async (actor: typeof dead) => {
    await timeline.sleep(actor, 10, '');
    woke.push(`${actor.name} at ${timeline.now - start}`);
  };
  void sleep(dead);
  void sleep(frozen);
  dead.isAlive = false;
  frozen.frozenUntil = start + 500;
  await timeline.runUntil(start + 1_000);
  expect(woke).toEqual(['frozen at 500']);
});

test('the next thing waits until what the last one began has come to rest', async () => {
  const timeline = new Timeline(start);
  const actor = newActor('a');
  const happened: string[] = [];
  timeline.after(actor, 10, '', () => {
    const done = timeline.hold();
    setTimeout(() => {
      happened.push('ended');
      done();
    }, 5);
  });
  timeline.after(actor, 10, '', () => happened.push('next'));
  await timeline.runUntil(start + 100);
  expect(happened).toEqual(['ended', 'next']);
});

test("statements and the defaults of columns follow virtual time, not the database's own", async () => {
  const database = await EmbeddedDatabase.open();
  try {
    const now = Date.parse('2031-05-06T07:08:09.123Z');
    const client = await database.connect(now);
    const { rows } = await client.query('select now() as now, clock_timestamp() as clock');
    expect(rows).toEqual([{ now: new Date(now), clock: new Date(now) }]);
    const made = await client.query(
      `insert into lane (connection, subject, source) values ('general', 's', 'county') returning due_at`,
    );
    expect(made.rows).toEqual([{ due_at: new Date(now) }]);
  } finally {
    await database.close();
  }
});
