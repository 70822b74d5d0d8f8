// A process that keeps clocks, killed at each of its steps, and another one after it: nothing is missed, nothing told twice.

import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { embeddedBacking } from '../../src/store/embedded.ts';
import { type Store, sql, storeOn } from '../../src/store/store.ts';
import { aCase, aNote, aReferral } from '../builders.ts';
import { snapshotOfStore } from '../support/embedded.ts';
import { Life, mortalBacking } from '../support/mortal.ts';
import { accept, alerts, states, sweepAt } from './kept.ts';

let database: PGlite;
let spared: Store;
beforeAll(async () => {
  database = await PGlite.create({ loadDataDir: await snapshotOfStore() });
  spared = await storeOn({ ...embeddedBacking(database), close: async () => {} });
});
afterAll(async () => {
  await spared.close();
  await database.close();
});

const draft = aNote({ status: 'draft', signedAt: undefined });
const story: ((store: Store) => Promise<unknown>)[] = [
  (store) => accept(store, ['case', aCase()], ['note', draft], ['referral', aReferral()]),
  (store) => sweepAt(store, '2026-02-05T00:00:00Z'),
  (store) => sweepAt(store, '2026-02-06T15:00:00Z'),
  (store) => sweepAt(store, '2026-02-11T19:00:00Z'),
  (store) => accept(store, ['note', aNote({ updatedAt: '2026-02-12T10:00:00-05:00' })]),
  (store) => sweepAt(store, '2026-02-12T15:00:00Z'),
];

test('at each step', async () => {
  const walked: string[] = [];
  for (let until = 1; ; until += 1) {
    for (const table of ['record', 'record_version', 'clock', 'clock_mark', 'alert'])
      await sql.raw(`delete from ${table}`).execute(spared.db);
    const life = new Life({ until });
    const backing = embeddedBacking(database);
    const dying = await storeOn(mortalBacking({ ...backing, close: async () => {} }, life));
    for (const act of story) {
      if (await life.lives(async () => void (await act(dying)))) continue;
      await life.buried();
      await act(spared);
    }
    life.spare();
    expect(await states(spared)).toEqual({
      'note-visit note-24h': 'met',
      'referral-pantry first-contact-72h': 'breached',
      'referral-pantry referral-follow-up-48h': 'breached',
    });
    expect((await alerts(spared)).map(({ topic, count, resolution }) => [topic, count, resolution])).toEqual([
      ['clock-breached:county:note/note-visit:note-24h', 1, 'clock-met'],
      ['clock-breached:county:referral/referral-pantry:first-contact-72h', 1, null],
      ['clock-breached:county:referral/referral-pantry:referral-follow-up-48h', 1, null],
    ]);
    expect(await spared.db.selectFrom('clock_mark').selectAll().execute()).toEqual([]);
    if (life.steps.length < until) break;
    walked.push(life.steps.at(-1) ?? '');
  }
  const kinds = ['statement', 'before-commit', 'after-commit'];
  expect(kinds.filter((kind) => !walked.some((step) => step.startsWith(kind)))).toEqual([]);
  expect(walked.filter((step) => step.includes('clock')).length).toBeGreaterThan(5);
}, 120_000);
