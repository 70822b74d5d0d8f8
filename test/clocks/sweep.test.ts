// Clocks as rows: worked out from what was accepted, moved on by time, and each breach told once. The time is the one that a test names.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clocksOf } from '../../src/clocks/clocks.ts';
import type { ReferralRecord } from '../../src/records/records.ts';
import { openStore, type Store, sql } from '../../src/store/store.ts';
import {
  aCarePlan,
  aCase,
  aClient,
  aCoverage,
  aGoal,
  aHospitalStay,
  aNeed,
  aNote,
  anOrganization,
  aReferral,
  aWorker,
} from '../builders.ts';
import type { Item } from '../support/caseload.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { describeOnPostgres } from '../support/servers.ts';
import { caseWith, only, seen } from './facts.ts';
import { accept, alerts, depsOn, offerStays, states, sweepAt } from './kept.ts';

let store: Store;
beforeAll(async () => {
  store = await freshEmbedded();
});
afterAll(() => store.close());
beforeEach(async () => {
  for (const table of ['record', 'record_version', 'inbound', 'clock', 'clock_mark', 'alert'])
    await sql.raw(`delete from ${table}`).execute(store.db);
});

const draft = aNote({ status: 'draft', signedAt: undefined });
const signed = (signedAt: string) => aNote({ updatedAt: '2026-02-20T10:00:00-05:00', signedAt });
const withNote: Item[] = [
  ['worker', aWorker({ supervisorId: 'worker-sup' })],
  ['case', aCase()],
  ['note', draft],
];
const topic = 'clock-breached:county:note/note-visit:note-24h';
const breach = '2026-02-11T19:00:00.000Z';

describe('a clock in the store', () => {
  test('runs, is due soon and is breached, each at its second', async () => {
    await accept(store, ...withNote);
    const seenAt: Record<string, string> = {};
    for (const now of ['2026-02-11T14:59:59Z', '2026-02-11T15:00:00Z', '2026-02-11T18:59:59Z', breach]) {
      await sweepAt(store, now);
      seenAt[now] = (await states(store))['note-visit note-24h'] ?? '';
    }
    expect(Object.values(seenAt)).toEqual(['running', 'due-soon', 'due-soon', 'breached']);
  });

  test('that comes when its limit is over is breached at once, and told', async () => {
    await accept(store, ...withNote);
    await sweepAt(store, '2026-04-01T00:00:00Z');
    expect(await states(store)).toEqual({ 'note-visit note-24h': 'breached' });
    expect(await alerts(store)).toMatchObject([{ topic, openedAt: '2026-04-01T00:00:00.000Z', resolvedAt: null }]);
  });

  test('of a note that was signed too late before anybody looked is breached, and nobody is told', async () => {
    await accept(store, ['case', aCase()], ['note', aNote({ signedAt: '2026-02-15T10:00:00-05:00' })]);
    await sweepAt(store, '2026-04-01T00:00:00Z');
    expect([await states(store), await alerts(store)]).toEqual([{ 'note-visit note-24h': 'breached' }, []]);
  });

  test('is void when its record is withdrawn, with the times that it had', async () => {
    await accept(store, ...withNote);
    await sweepAt(store, '2026-02-11T00:00:00Z');
    await accept(store, ['note', { id: 'note-visit', updatedAt: '2026-02-20T10:00:00-05:00', deleted: true }]);
    await sweepAt(store, '2026-02-21T00:00:00Z');
    const rows = await store.db.selectFrom('clock').select(['state', 'started_at', 'next_at']).execute();
    expect(rows).toEqual([{ state: 'void', started_at: new Date('2026-02-10T19:00:00Z'), next_at: null }]);
  });

  test('is worked out again when the client died, and when the organization names a zone', async () => {
    await accept(store, ['client', aClient()], ['case', aCase()], ['referral', aReferral()]);
    await sweepAt(store, '2026-02-05T00:00:00Z');
    await accept(store, ['client', aClient({ updatedAt: '2026-02-07T10:00:00-05:00', deceasedOn: '2026-02-08' })]);
    await sweepAt(store, '2026-02-06T00:00:00Z');
    expect(await states(store)).toMatchObject({ 'referral-pantry first-contact-72h': 'running' });
    // The limit is 10:00 on the 7th in New York; where the organization is, the 8th has begun by then.
    await accept(store, ['organization', anOrganization({ id: 'org-riverside', timeZone: 'Pacific/Kiritimati' })]);
    await sweepAt(store, '2026-02-06T00:00:00Z');
    expect(await states(store)).toMatchObject({ 'referral-pantry first-contact-72h': 'void' });
  });

  test('says since when a plan has had its last status by the versions, not by the last edit', async () => {
    const plan = {
      id: 'plan-rosa',
      clientId: 'client-rosa',
      caseId: 'case-rosa',
      title: 'Food',
      startsOn: '2026-02-04',
    };
    await accept(
      store,
      ['case', aCase()],
      ['carePlan', { ...plan, status: 'active', updatedAt: '2026-02-04T10:00:00Z' }],
      ['carePlan', { ...plan, status: 'completed', updatedAt: '2026-02-20T10:00:00Z' }],
      ['carePlan', { ...plan, status: 'completed', title: 'More food', updatedAt: '2026-04-20T10:00:00Z' }],
    );
    await sweepAt(store, '2026-05-01T00:00:00Z');
    expect(await states(store)).toEqual({ 'plan-rosa plan-review-30d': 'void' });
  });

  const events: Readonly<Record<string, readonly Item[]>> = {
    'a goal that was given up, since the version that says so': [
      ['goal', aGoal({ achievement: 'in-progress', updatedAt: '2026-02-05T10:00:00Z' })],
      ['goal', aGoal({ achievement: 'not-attainable', updatedAt: '2026-02-10T10:00:00Z' })],
      ['goal', aGoal({ status: 'cancelled', achievement: 'not-attainable', updatedAt: '2026-02-14T10:00:00Z' })],
    ],
    'a coverage of the client that was granted for the time before': [
      ['coverage', aCoverage({ status: 'pending', updatedAt: '2026-02-05T10:00:00Z' })],
      ['coverage', aCoverage({ status: 'active', updatedAt: '2026-02-10T10:00:00Z' })],
      ['coverage', aCoverage({ status: 'active', planName: 'Gold', updatedAt: '2026-02-14T10:00:00Z' })],
    ],
    'a coverage of another case of the client': [
      ['case', aCase({ id: 'case-other' })],
      [
        'coverage',
        aCoverage({
          caseId: 'case-other',
          status: 'active',
          startsOn: '2026-02-10',
          updatedAt: '2026-02-10T10:00:00Z',
        }),
      ],
    ],
    homelessness: [
      ['need', aNeed({ domain: 'homelessness', identifiedOn: '2026-02-10', updatedAt: '2026-02-11T10:00:00Z' })],
    ],
  };

  test.each(Object.entries(events))('of a review is due 7 days after %s', async (_, changes) => {
    const activatedAt = '2026-02-04T11:00:00-05:00';
    await accept(store, ['client', aClient()], ['case', aCase()], ['carePlan', aCarePlan({ activatedAt })]);
    const due = async () => {
      await sweepAt(store, '2026-02-12T00:00:00Z');
      await sweepAt(store, '2026-02-12T00:00:00Z');
      const rows = await store.db.selectFrom('clock').select('due_at').where('rule', '=', 'plan-review-30d').execute();
      return rows.map(({ due_at: at }) => at?.toISOString());
    };
    expect(await due()).toEqual(['2026-03-07T04:59:59.999Z']);
    for (const change of changes) {
      await accept(store, change);
      await due();
    }
    expect(await due()).toEqual(['2026-02-18T04:59:59.999Z']);
  });

  test('that nothing has touched is not written again', async () => {
    await accept(store, ...withNote);
    await sweepAt(store, '2026-02-11T00:00:00Z');
    const version = async () => (await sql<{ x: string }>`select xmin::text as x from clock`.execute(store.db)).rows;
    const before = await version();
    await accept(store, ['case', aCase({ updatedAt: '2026-02-12T00:00:00Z', caseNumber: 'another' })]);
    expect(await sweepAt(store, '2026-02-11T00:00:01Z')).toEqual({ subjects: 1, moved: 0 });
    expect(await version()).toEqual(before);
  });
});

describe('a breach', () => {
  const untilBreach = async () => {
    await accept(store, ...withNote);
    for (const now of ['2026-02-11T00:00:00Z', breach, breach, '2026-02-11T19:00:01Z']) await sweepAt(store, now);
  };

  test('is told once, to the worker and the supervisor', async () => {
    await untilBreach();
    expect(await alerts(store)).toEqual([
      {
        topic,
        code: 'clock-breached',
        count: 1,
        recipients: ['supervisor worker-sup', 'worker worker-okafor'],
        openedAt: breach,
        resolvedAt: null,
        resolution: null,
      },
    ]);
  });

  test('that a later record undoes is resolved, and says that the clock was met', async () => {
    await untilBreach();
    await accept(store, ['note', signed('2026-02-10T16:00:00-05:00')]);
    await sweepAt(store, '2026-02-20T16:00:00Z');
    expect(await states(store)).toEqual({ 'note-visit note-24h': 'met' });
    expect(await alerts(store)).toMatchObject([
      { topic, resolvedAt: '2026-02-20T16:00:00.000Z', resolution: 'clock-met' },
    ]);
  });

  test('that is over is resolved, and stays a breach', async () => {
    await untilBreach();
    await accept(store, ['note', signed('2026-02-20T09:00:00-05:00')]);
    await sweepAt(store, '2026-02-20T16:00:00Z');
    expect(await states(store)).toEqual({ 'note-visit note-24h': 'breached' });
    expect(await alerts(store)).toMatchObject([{ topic, resolution: 'clock-stopped-late' }]);
  });

  test.each(['case-rosa', 'case-other'])(
    'of a record that starts no clock any more is resolved (in %s)',
    async (caseId) => {
      await accept(store, ['case', aCase()], ['case', aCase({ id: 'case-other' })], ['referral', aReferral()]);
      await sweepAt(store, '2026-04-01T00:00:00Z');
      await accept(store, [
        'referral',
        aReferral({
          caseId,
          status: 'draft',
          history: [{ id: 'h1', status: 'draft', at: '2026-02-04T09:40:00-05:00' }],
          updatedAt: '2026-04-02T00:00:00Z',
        }),
      ]);
      await sweepAt(store, '2026-04-02T00:00:00Z');
      expect(await states(store)).toEqual({});
      expect((await alerts(store)).map(({ resolution }) => resolution)).toEqual(['clock-gone', 'clock-gone']);
    },
  );

  test('stays told, whatever else changes', async () => {
    await untilBreach();
    await accept(store, [
      'note',
      { ...draft, updatedAt: '2026-02-12T10:00:00-05:00', occurredAt: '2026-02-10T13:00:00-05:00' },
    ]);
    await sweepAt(store, '2026-02-13T00:00:00Z');
    expect(await alerts(store)).toMatchObject([{ topic, count: 1, resolvedAt: null }]);
  });

  test('after an edit that moved the limit on is another breach', async () => {
    await untilBreach();
    await accept(store, [
      'note',
      { ...draft, updatedAt: '2026-02-12T10:00:00-05:00', occurredAt: '2026-02-12T09:00:00-05:00' },
    ]);
    await sweepAt(store, '2026-02-12T16:00:00Z');
    expect(await states(store)).toEqual({ 'note-visit note-24h': 'running' });
    await sweepAt(store, '2026-02-14T00:00:00Z');
    expect((await alerts(store)).map(({ resolution }) => resolution)).toEqual(['clock-awaits', null]);
  });

  test('goes with its record to another case, whichever of the two is worked out first', async () => {
    // More than are worked out at once; marks are worked off by the names of the cases.
    const ids = Array.from({ length: 60 }, (_, index) => `${index}`);
    const caseId = (id: string, place: 'old' | 'new') =>
      `case-${(place === 'old') === (Number(id) < 30) ? 'a' : 'z'}-${id}`;
    const note = (id: string, place: 'old' | 'new', more: Parameters<typeof aNote>[0] = {}): Item => [
      'note',
      { ...draft, id: `note-${id}`, caseId: caseId(id, place), ...more },
    ];
    await accept(
      store,
      ...ids.flatMap((id): Item[] => [
        ['case', aCase({ id: caseId(id, 'new') })],
        ['case', aCase({ id: caseId(id, 'old') })],
        note(id, 'old'),
      ]),
    );
    await sweepAt(store, breach);
    expect((await alerts(store)).length).toBe(60);
    const updatedAt = '2026-02-13T10:00:00-05:00';
    const isSigned = (id: string) => Number(id) % 2 === 0;
    await accept(
      store,
      ...ids.map((id) =>
        note(id, 'new', {
          updatedAt,
          ...(isSigned(id) && { status: 'signed', signedAt: '2026-02-13T09:00:00-05:00' }),
        }),
      ),
    );
    await sweepAt(store, '2026-02-14T00:00:00Z');
    const told = await alerts(store);
    expect([told.length, told.filter(({ resolvedAt }) => resolvedAt === null).length]).toEqual([60, 30]);
    await accept(
      store,
      ...ids.map((id) =>
        note(id, 'new', { updatedAt: '2026-02-14T10:00:00Z', status: 'signed', signedAt: '2026-02-13T09:00:00-05:00' }),
      ),
    );
    await sweepAt(store, '2026-02-14T12:00:00Z');
    expect((await alerts(store)).filter(({ resolvedAt }) => resolvedAt === null)).toEqual([]);
  });

  test('in one case is told although the clocks of another cannot be worked out', async () => {
    const errors: unknown[] = [];
    const bad = 'county.case.case-bad';
    await accept(
      store,
      ...withNote,
      ['case', aCase({ id: 'case-bad' })],
      ['note', aNote({ id: 'note-bad', caseId: 'case-bad' })],
    );
    await store.db
      .updateTable('record')
      .set({ content: sql`jsonb_set(content, '{occurredAt}', '"no time"')` })
      .where('id', '=', 'note-bad')
      .execute();
    await sweepAt(store, breach, { onError: (error) => errors.push(error) });
    expect([errors.length, (await alerts(store)).length]).toEqual([1, 1]);
    expect(await store.db.selectFrom('clock_mark').select('subject').execute()).toEqual([{ subject: bad }]);
    await sweepAt(store, '2026-02-11T19:00:10Z', { onError: (error) => errors.push(error) });
    expect(errors.length).toBe(1);
    await accept(store, ['note', aNote({ id: 'note-bad', caseId: 'case-bad', updatedAt: '2026-03-01T00:00:00Z' })]);
    await sweepAt(store, '2026-02-11T19:00:20Z');
    expect(await states(store)).toMatchObject({ 'note-bad note-24h': 'met' });
  });
});

describe('with a digest', () => {
  const digest = '08:00';
  const notes = (...ids: string[]): Item[] => ids.map((id) => ['note', { ...draft, id }]);
  const other: Item = ['note', { ...draft, id: 'note-other', authorId: 'worker-ines' }];

  test('the breaches of a day are one alert for each worker, at its hour', async () => {
    await accept(store, ...withNote, ...notes('note-2', 'note-3'), other);
    await sweepAt(store, '2026-02-11T00:00:00Z', { digest });
    await sweepAt(store, breach, { digest });
    await sweepAt(store, '2026-02-12T12:59:59Z', { digest });
    expect([new Set(Object.values(await states(store))), await alerts(store)]).toEqual([new Set(['breached']), []]);
    await sweepAt(store, '2026-02-12T13:00:00Z', { digest });
    await sweepAt(store, '2026-02-13T13:00:00Z', { digest });
    expect(await alerts(store)).toMatchObject([
      { topic: 'clocks-breached:county:worker-ines:2026-02-12', code: 'clocks-breached', count: 1 },
      { topic: 'clocks-breached:county:worker-okafor:2026-02-12', count: 3, openedAt: '2026-02-12T13:00:00.000Z' },
    ]);
  });

  test('an alert is resolved with the last of its clocks', async () => {
    await accept(store, ...withNote, ...notes('note-2'));
    await sweepAt(store, breach, { digest });
    await sweepAt(store, '2026-02-12T13:00:00Z', { digest });
    const sign = (id: string): Item => ['note', { ...signed('2026-02-20T09:00:00-05:00'), id }];
    await accept(store, sign('note-2'));
    await sweepAt(store, '2026-02-21T00:00:00Z', { digest });
    expect(await alerts(store)).toMatchObject([{ count: 2, resolvedAt: null }]);
    await accept(store, sign('note-visit'));
    await sweepAt(store, '2026-02-21T00:00:01Z', { digest });
    expect(await alerts(store)).toMatchObject([{ resolution: 'clock-stopped-late' }]);
  });

  test('what is over before its hour is not told', async () => {
    await accept(store, ...withNote);
    await sweepAt(store, breach, { digest });
    await accept(store, ['note', signed('2026-02-12T07:00:00-05:00')]);
    await sweepAt(store, '2026-02-12T13:00:00Z', { digest });
    expect(await alerts(store)).toEqual([]);
  });
});

describe('of a source that is configured no more', () => {
  const without = { sources: ['city'] };

  test.each([undefined, '08:00'])(
    'what was told is over, and is told again when it is back (digest: %s)',
    async (at) => {
      const changed = at === undefined ? {} : { digest: at };
      await accept(store, ...withNote, ['note', { ...draft, id: 'note-2' }]);
      await sweepAt(store, breach, changed);
      await sweepAt(store, '2026-02-12T13:00:00Z', changed);
      const told = await alerts(store);
      expect(told.map(({ resolvedAt }) => resolvedAt)).not.toContain('2026-02-13T00:00:00.000Z');

      await sweepAt(store, '2026-02-13T00:00:00Z', { ...changed, ...without });
      await sweepAt(store, '2026-02-14T00:00:00Z', { ...changed, ...without });
      const over = told.map((one) => ({
        ...one,
        resolvedAt: '2026-02-13T00:00:00.000Z',
        resolution: 'clock-source-gone',
      }));
      expect([await alerts(store), new Set(Object.values(await states(store)))]).toEqual([over, new Set(['breached'])]);

      await accept(store, ['note', { ...signed('2026-02-20T09:00:00-05:00'), id: 'note-2' }]);
      await sweepAt(store, '2026-02-21T00:00:00Z', changed);
      await sweepAt(store, '2026-02-22T13:00:00Z', changed);
      const open = (await alerts(store)).filter(({ resolvedAt }) => resolvedAt === null);
      expect(open).toMatchObject([{ count: 1, openedAt: '2026-02-21T00:00:00.000Z' }]);
    },
  );

  test.each([undefined, '08:00'])('a breach is told only when it is back (digest: %s)', async (at) => {
    const changed = at === undefined ? {} : { digest: at };
    await accept(store, ...withNote);
    for (const now of ['2026-02-11T15:00:00Z', breach, '2026-02-12T13:00:00Z'])
      await sweepAt(store, now, { ...changed, ...without });
    expect([await states(store), await alerts(store)]).toEqual([{ 'note-visit note-24h': 'breached' }, []]);
    await sweepAt(store, '2026-02-13T00:00:00Z', changed);
    expect(await alerts(store)).toMatchObject([{ count: 1, openedAt: '2026-02-13T00:00:00.000Z', resolvedAt: null }]);
  });
});

describe('the clock of a stay that a hospital has told of', () => {
  // More cases than are worked out at once; marks are worked off by the names of the cases.
  const ids = Array.from({ length: 60 }, (_, index) => `${index}`);
  const clientId = (id: string) => `client-${id}`;
  const first = (id: string, more: Parameters<typeof aCase>[0] = {}): Item => [
    'case',
    aCase({ id: `case-z-${id}`, clientId: clientId(id), openedOn: '2026-01-02', ...more }),
  ];
  const second = (id: string, more: Parameters<typeof aCase>[0] = {}): Item => [
    'case',
    aCase({ id: `case-a-${id}`, clientId: clientId(id), ...more }),
  ];
  const stay = (id: string) =>
    aHospitalStay({
      id: `stay-${id}`,
      clientId: clientId(id),
      caseId: undefined,
      dischargedAt: '2026-02-18T11:00:00-05:00',
      disposition: 'home',
    });
  const breached = '2026-02-26T13:00:00Z';
  const later = { updatedAt: '2026-02-26T10:00:00-05:00' };
  const closed = { ...later, status: 'closed', closedOn: '2026-02-26', closeReason: 'goals-met' } as const;
  const subjects = async () => {
    const rows = await store.db.selectFrom('clock').select('subject').where('type', '=', 'hospitalStay').execute();
    return new Set(rows.map(({ subject }) => subject.replace(/\d+$/, '')));
  };

  test.each([
    [undefined, 60],
    ['08:00', 1],
  ])('is told once when its case closes, whichever is worked out first, and ends (digest: %s)', async (at, count) => {
    const changed = at === undefined ? {} : { digest: at };
    await accept(store, ...ids.flatMap((id) => [first(id), second(id)]));
    await offerStays(store, ids.map(stay));
    await sweepAt(store, '2026-02-25T00:00:00Z', changed);
    await sweepAt(store, '2026-02-26T12:00:00Z', changed);
    await sweepAt(store, breached, changed);
    const told = await alerts(store);
    expect([told.length, await subjects()]).toEqual([count, new Set(['county.case.case-z-'])]);

    const isFirst = (id: string) => Number(id) % 2 === 0;
    await accept(store, ...ids.flatMap((id) => [...(isFirst(id) ? [second(id, later)] : []), first(id, closed)]));
    await sweepAt(store, '2026-02-27T12:00:00Z', changed);
    await sweepAt(store, '2026-02-27T13:00:00Z', changed);
    expect([await alerts(store), await subjects()]).toEqual([told, new Set(['county.case.case-a-'])]);

    await offerStays(store, ids.map(stay), 'withdrawn');
    await sweepAt(store, '2026-02-28T13:00:00Z', changed);
    const ended = told.map((one) => ({ ...one, resolvedAt: '2026-02-28T13:00:00.000Z', resolution: 'clock-gone' }));
    expect([await alerts(store), await subjects()]).toEqual([ended, new Set()]);
  });

  test('stays told in the case for which its source takes the stay over, and ends with that record while it still stands as offered', async () => {
    await accept(store, first('0'), second('0'));
    await offerStays(store, [stay('0')]);
    await sweepAt(store, breached);
    const told = await alerts(store);
    const taken = (more: Parameters<typeof aHospitalStay>[0]): Item => [
      'hospitalStay',
      { ...stay('0'), caseId: 'case-a-0', ...more },
    ];
    await accept(store, taken(later), first('0', later));
    await sweepAt(store, '2026-02-27T12:00:00Z');
    expect([told.length, await alerts(store), await subjects()]).toEqual([1, told, new Set(['county.case.case-a-'])]);

    const followUp = { doneAt: '2026-02-28T09:00:00-05:00' };
    const updatedAt = '2026-02-28T10:00:00-05:00';
    await accept(store, taken({ updatedAt, followUp }), first('0', { updatedAt }));
    await sweepAt(store, '2026-02-28T16:00:00Z');
    await offerStays(store, [stay('0')], 'adopted');
    await sweepAt(store, '2026-02-28T16:01:00Z');
    expect(await alerts(store)).toMatchObject([{ count: 1, resolution: 'clock-stopped-late' }]);
  });
});

test('edits at random: rows say what the records say, and each breach is told once, within a minute', async () => {
  // A linear congruential generator, so that the walk is the same each time.
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const start = Date.parse('2026-03-06T00:00:00Z');
  const instant = (minutes: number) => new Date(start + minutes * 60_000).toISOString();
  const ids = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'];
  const current = new Map<string, ReturnType<typeof aReferral>>();
  const due = new Map<string, string>();
  await accept(store, ['case', aCase()]);
  for (let minute = 0; minute < 5 * 1440; minute += 60) {
    const id = ids[next(ids.length)] ?? '';
    if (next(3) === 0) {
      const contact: ReferralRecord['firstContact'] =
        next(3) === 0 ? { at: instant(minute), outcome: 'reached' } : undefined;
      const sentAt = instant(Math.max(0, minute - next(4000)));
      const edited = aReferral({ id, updatedAt: instant(minute), sentAt, firstContact: contact });
      current.set(id, edited);
      await accept(store, ['referral', edited]);
    }
    await sweepAt(store, instant(minute));
    const rows = await store.db.selectFrom('clock').selectAll().where('rule', '=', 'first-contact-72h').execute();
    const expected = clocksOf(
      caseWith(...[...current.values()].map((record) => seen('referral', record))),
      start + minute * 60_000,
    );
    for (const row of rows) {
      const clock = only(
        expected.filter((one) => one.id === row.id),
        'first-contact-72h',
      );
      expect([row.state, row.due_at?.getTime(), row.stopped_at?.getTime() ?? null]).toEqual([
        clock.state,
        clock.dueAt,
        clock.stoppedAt,
      ]);
      const open = (await alerts(store)).filter(
        (one) => one.topic.includes(`/${row.id}:first`) && one.resolvedAt === null,
      );
      expect(open.length).toBe(row.state === 'breached' && row.stopped_at === null ? 1 : 0);
      due.set(row.id, row.state);
    }
    expect(rows.length).toBe(current.size);
  }
  expect(new Set(due.values()).size).toBeGreaterThan(1);
}, 120_000);

describeOnPostgres('several processes', ({ freshDatabase }) => {
  test('tell each breach once, and lose no mark', async () => {
    const url = await freshDatabase();
    const stores = await Promise.all([1, 2, 3].map(() => openStore({ url, folder: 'unused' })));
    const [first = store] = stores;
    try {
      const cases = Array.from({ length: 60 }, (_, index): Item[] => [
        ['case', aCase({ id: `case-${index}` })],
        ['note', { ...draft, id: `note-${index}`, caseId: `case-${index}` }],
      ]);
      const sweeping = Promise.all(
        stores.map(async (each) => {
          for (let round = 0; round < 30; round += 1) await sweepAt(each, breach);
        }),
      );
      for (const items of cases) await accept(first, ...items);
      await sweeping;
      await Promise.all(stores.map((each) => sweepAt(each, breach)));
      await sweepAt(first, breach);
      const told = await alerts(first);
      expect([
        told.length,
        new Set(told.map(({ topic: of }) => of)).size,
        told.every(({ count }) => count === 1),
      ]).toEqual([60, 60, true]);
      expect(await first.db.selectFrom('clock_mark').selectAll().execute()).toEqual([]);
      expect(depsOn(first).sources).toEqual(['county']);
    } finally {
      await Promise.all(stores.map((each) => each.close()));
    }
  });
});
