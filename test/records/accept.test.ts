// What a record counts as that comes in: a new version, a repetition, or stale (lanes.md 24); and which lanes it wants.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import { type Acceptance, acceptRecords, type CheckedRecord, staleLimit } from '../../src/records/records.ts';
import { openStore, type Store, sql } from '../../src/store/store.ts';
import {
  aCase,
  aClient,
  aConsent,
  aGoal,
  aNeed,
  aNote,
  anIncident,
  anOrganization,
  aReferral,
  aSafetyPlan,
} from '../builders.ts';
import { freshEmbedded } from '../support/embedded.ts';
import { eventually } from '../support/rig.ts';
import { describeOnPostgres } from '../support/servers.ts';

const connections = [
  { id: 'general', mode: 'live', sources: ['county', 'town'] },
  { id: 'mercy', mode: 'shadow', sources: ['county'] },
  { id: 'closed', mode: 'off', sources: ['county'] },
  { id: 'harbor', mode: 'live', sources: ['town'] },
] as const;

let store: Store;

beforeAll(async () => {
  store = await freshEmbedded();
});
afterAll(() => store.close());
beforeEach(async () => {
  await sql`truncate record, record_version, stale_record, lane, lane_read, epoch, alert`.execute(store.db);
});

function accept(items: CheckedRecord[], source = 'county'): Promise<Acceptance[]> {
  return store.tx((trx) => acceptRecords(trx, source, items, connections));
}

const referral = (overrides: Parameters<typeof aReferral>[0]): CheckedRecord => ({
  type: 'referral',
  record: aReferral(overrides),
});
const deletion = (id: string, updatedAt: string): CheckedRecord => ({
  type: 'referral',
  record: { id, updatedAt, deleted: true },
});

async function stored(id = 'referral-pantry') {
  const row = await store.db.selectFrom('record').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  return row;
}

async function lanes() {
  const rows = await store.db.selectFrom('lane').selectAll().orderBy('connection').orderBy('subject').execute();
  return rows.map(({ connection, subject, wanted, priority }) => [connection, subject, wanted, priority]);
}

function outcomes(results: Acceptance[]) {
  return results.map(({ outcome, version }) => `${outcome} ${version}`);
}

describe('versions', () => {
  test('a first record is version 1 and every newer one counts on', async () => {
    const first = await accept([referral({})]);
    const second = await accept([referral({ updatedAt: '2026-02-04T10:00:01-05:00', urgency: 'urgent' })]);
    expect(outcomes([...first, ...second])).toEqual(['accepted 1', 'accepted 2']);
    expect((await stored()).content.urgency).toBe('urgent');
  });

  test('the very same record again is unchanged and wants nothing', async () => {
    await accept([referral({})]);
    const before = await lanes();
    expect(await accept([referral({})])).toEqual([{ outcome: 'unchanged', version: 1, lanes: [] }]);
    expect(await lanes()).toEqual(before);
  });

  test('the same instant written with another offset is the same time', async () => {
    await accept([referral({})]);
    expect(outcomes(await accept([referral({ updatedAt: '2026-02-04T15:00:00Z' })]))).toEqual(['unchanged 1']);
  });

  test('the same content at a newer time is a new version', async () => {
    await accept([referral({})]);
    expect(outcomes(await accept([referral({ updatedAt: '2026-02-05T10:00:00-05:00' })]))).toEqual(['accepted 2']);
  });

  test('of two records with the same time the later arrival counts as newer', async () => {
    await accept([referral({})]);
    expect(outcomes(await accept([referral({ urgency: 'urgent' })]))).toEqual(['accepted 2']);
  });

  test('times differ by a microsecond', async () => {
    await accept([referral({ updatedAt: '2026-02-04T10:00:00.000002Z' })]);
    const older = await accept([referral({ updatedAt: '2026-02-04T10:00:00.000001Z', urgency: 'urgent' })]);
    expect(outcomes(older)).toEqual(['stale 1']);
  });

  test('an older record is stale, changes nothing, and is kept beside the newer one', async () => {
    await accept([referral({})]);
    const before = [await stored(), await lanes()];
    const results = await accept([referral({ updatedAt: '2026-02-04T09:59:59-05:00', urgency: 'urgent' })]);
    expect(results).toEqual([{ outcome: 'stale', version: 1, lanes: [] }]);
    expect([await stored(), await lanes()]).toEqual(before);
    const kept = await store.db.selectFrom('stale_record').selectAll().execute();
    expect(kept.map((row) => row.content.urgency)).toEqual(['urgent']);
  });

  test('an older record that was here before is a repetition, not stale', async () => {
    await accept([referral({})]);
    await accept([referral({ updatedAt: '2026-02-05T10:00:00-05:00', urgency: 'urgent' })]);
    expect(outcomes(await accept([referral({})]))).toEqual(['unchanged 2']);
  });

  test('the same id several times in one batch is applied in order', async () => {
    const results = await accept([
      referral({}),
      referral({ updatedAt: '2026-02-06T10:00:00-05:00', urgency: 'emergency' }),
      referral({ updatedAt: '2026-02-05T10:00:00-05:00', urgency: 'urgent' }),
      referral({}),
    ]);
    expect(outcomes(results)).toEqual(['accepted 1', 'accepted 2', 'stale 2', 'unchanged 2']);
    expect(await stored()).toMatchObject({ version: 2, content: { urgency: 'emergency' } });
    const versions = await store.db
      .selectFrom('record_version')
      .select(['version', 'content'])
      .orderBy('version')
      .execute();
    expect(versions.map(({ version, content }) => [version, content.urgency])).toEqual([
      [1, 'routine'],
      [2, 'emergency'],
    ]);
  });

  test('two sources may use the same id', async () => {
    await accept([referral({})], 'county');
    expect(outcomes(await accept([referral({ urgency: 'urgent' })], 'town'))).toEqual(['accepted 1']);
  });

  test('more than twenty stale records within an hour are one alert', async () => {
    const many = (urgency: 'routine' | 'urgent', updatedAt: string) =>
      Array.from({ length: staleLimit + 1 }, (_, n) => referral({ id: `r${n}`, urgency, updatedAt }));
    await accept(many('routine', '2026-02-05T10:00:00Z'));
    await accept(many('urgent', '2026-02-04T10:00:00Z').slice(0, staleLimit));
    expect(await store.db.selectFrom('alert').selectAll().execute()).toEqual([]);
    await accept(many('urgent', '2026-02-04T10:00:00Z').slice(staleLimit));
    await accept([referral({ id: 'r1', urgency: 'emergency', updatedAt: '2026-02-03T10:00:00Z' })]);
    const alerts = await store.db.selectFrom('alert').select(['topic', 'count']).execute();
    expect(alerts).toEqual([{ topic: 'stale:county', count: 2 }]);
  });
});

describe('deletions', () => {
  test('a deletion that names nothing else stays with its case', async () => {
    await accept([referral({})]);
    const results = await accept([deletion('referral-pantry', '2026-02-05T10:00:00Z')]);
    expect(results[0]?.lanes).toEqual([
      { connection: 'general', subject: 'county.case.case-rosa' },
      { connection: 'mercy', subject: 'county.case.case-rosa' },
    ]);
    expect(await stored()).toMatchObject({ deleted: true, case_id: 'case-rosa', client_id: 'client-rosa', version: 2 });
  });

  test('a deletion of something that was never here is kept and wants no lane', async () => {
    const results = await accept([deletion('never', '2026-02-05T10:00:00Z')]);
    expect(results).toEqual([{ outcome: 'accepted', version: 1, lanes: [] }]);
    expect(await lanes()).toEqual([]);
  });

  test('a record that comes back after its deletion is a new version', async () => {
    await accept([referral({}), deletion('referral-pantry', '2026-02-05T10:00:00Z')]);
    expect(outcomes(await accept([referral({ updatedAt: '2026-02-06T10:00:00Z' })]))).toEqual(['accepted 3']);
    expect((await stored()).deleted).toBe(false);
  });
});

describe('lanes', () => {
  test('a record wants the lane of its case on every connection that takes its source', async () => {
    const [result] = await accept([referral({})]);
    expect(result?.lanes.map(({ connection }) => connection)).toEqual(['general', 'mercy']);
    expect(await lanes()).toEqual([
      ['general', 'county.case.case-rosa', 1, 10],
      ['mercy', 'county.case.case-rosa', 1, 10],
    ]);
  });

  test('a batch raises each lane once, and what waits longest keeps its place', async () => {
    await accept([{ type: 'goal', record: aGoal() }]);
    const due = async () => (await store.db.selectFrom('lane').select('due_at').executeTakeFirstOrThrow()).due_at;
    const first = await due();
    await accept([referral({}), referral({ id: 'second' })]);
    expect(await lanes()).toEqual([
      ['general', 'county.case.case-rosa', 2, 10],
      ['mercy', 'county.case.case-rosa', 2, 10],
    ]);
    expect(await due()).toEqual(first);
  });

  test('a new version frees a parked lane and ends its pause between tries', async () => {
    await accept([referral({})]);
    await sql`update lane set parked = '{"code":"internal","text":"x"}', starts = 3, attempts = 7,
      next_try_at = now() + interval '1 day'`.execute(store.db);
    await accept([referral({ updatedAt: '2026-02-05T10:00:00Z' })]);
    const rows = await store.db.selectFrom('lane').selectAll().execute();
    for (const row of rows) expect(row).toMatchObject({ parked: null, starts: 0, attempts: 0, next_try_at: null });
  });

  test('a record that moves to another case wants both', async () => {
    await accept([referral({})]);
    await accept([referral({ caseId: 'case-two', updatedAt: '2026-02-05T10:00:00Z' })]);
    expect((await lanes()).filter(([connection]) => connection === 'general')).toEqual([
      ['general', 'county.case.case-rosa', 2, 10],
      ['general', 'county.case.case-two', 1, 10],
    ]);
  });

  test('a receiver of referrals alone has a lane from the first referral to it on, and is named from then on', async () => {
    const pantry = { id: 'pantry', mode: 'live', sources: ['county'], share: 'referrals' } as const;
    const recipients = [{ ...pantry, organization: { source: 'county', id: 'org-pantry' } }];
    const take = (item: CheckedRecord) => store.tx((trx) => acceptRecords(trx, 'county', [item], recipients));
    const subject = 'county.case.case-rosa';
    const need = (overrides = {}): CheckedRecord => ({ type: 'need', record: aNeed(overrides) });
    expect(await take(need())).toEqual([{ outcome: 'accepted', version: 1, lanes: [] }]);
    expect(await take(referral({ organizationId: 'org-pantry' }))).toMatchObject([
      { lanes: [{ connection: 'pantry', subject }] },
    ]);
    expect(await take(need({ updatedAt: '2026-02-05T10:00:00-05:00', riskLevel: 'high' }))).toMatchObject([
      { lanes: [{ connection: 'pantry', subject }] },
    ]);
    expect(await lanes()).toEqual([['pantry', subject, 2, 10]]);
  });

  test('lanes that have read a record are wanted again', async () => {
    await sql`insert into lane_read (connection, subject, source, type, id)
      values ('general', 'county.case.a', 'county', 'organization', 'org-pantry'),
             ('closed', 'county.case.a', 'county', 'organization', 'org-pantry'),
             ('general', 'county.case.b', 'county', 'organization', 'another')`.execute(store.db);
    await accept([{ type: 'organization', record: anOrganization() }]);
    expect(await lanes()).toEqual([
      ['general', 'county.case.a', 1, 50],
      ['general', 'county.organization.org-pantry', 1, 5],
      ['mercy', 'county.organization.org-pantry', 1, 5],
    ]);
  });

  test('where very many lanes have read it they are worked off behind everything else', async () => {
    await sql`insert into lane_read (connection, subject, source, type, id)
      select 'general', 'county.case.c' || n, 'county', 'organization', 'org-pantry'
      from generate_series(1, 101) n`.execute(store.db);
    await accept([{ type: 'organization', record: anOrganization() }]);
    const { rows } =
      await sql<JsonObject>`select priority, count(*)::integer as n from lane group by 1 order by 1`.execute(store.db);
    expect(rows).toEqual([
      { priority: 5, n: 2 },
      { priority: 90, n: 101 },
    ]);
  });

  test.each<[string, CheckedRecord]>([
    ['an incident', { type: 'incident', record: anIncident() }],
    ['a safety plan', { type: 'safetyPlan', record: aSafetyPlan() }],
    ['a referral', referral({})],
  ])('%s brings its lane before all back-fill, although that has waited there for long', async (_what, record) => {
    await sql`insert into lane (connection, subject, source, wanted, priority, due_at)
      select 'general', 'county.case.' || id, 'county', 3, 90, now() - interval '10 minutes'
      from unnest(array['case-rosa', 'case-other']) id`.execute(store.db);
    await accept([record]);
    expect((await lanes()).filter(([connection]) => connection === 'general')).toEqual([
      ['general', 'county.case.case-other', 3, 90],
      ['general', 'county.case.case-rosa', 4, 10],
    ]);
  });

  test.each<[string, number, Parameters<typeof anOrganization>[0]]>([
    ['a label that comes', 50, { sensitivity: ['domestic-violence'] }],
    ['another parent, whose labels it has', 50, { parentId: 'org-shelter' }],
    ['another name', 90, { name: 'Elm Street Food Pantry' }],
  ])('%s reaches very many lanes with priority %d', async (_what, priority, change) => {
    await accept([{ type: 'organization', record: anOrganization() }]);
    await sql`insert into lane_read (connection, subject, source, type, id)
      select 'general', 'county.case.c' || n, 'county', 'organization', 'org-pantry'
      from generate_series(1, 101) n`.execute(store.db);
    await accept([{ type: 'organization', record: anOrganization({ ...change, updatedAt: '2026-03-05T10:00:00Z' }) }]);
    const { rows } = await sql<JsonObject>`select priority, count(*)::integer as n from lane
      where subject like 'county.case.%' group by 1`.execute(store.db);
    expect(rows).toEqual([{ priority, n: 101 }]);
  });

  test('a consent wants all lanes of its client and voids the plans made before it', async () => {
    await accept([
      { type: 'client', record: aClient() },
      { type: 'case', record: aCase() },
      { type: 'case', record: aCase({ id: 'case-two' }) },
    ]);
    await sql`truncate lane`.execute(store.db);
    await accept([{ type: 'consent', record: aConsent() }]);
    await accept([{ type: 'consent', record: aConsent({ updatedAt: '2026-02-03T11:00:00Z', status: 'revoked' }) }]);
    expect((await lanes()).filter(([connection]) => connection === 'general')).toEqual([
      ['general', 'county.case.case-rosa', 2, 50],
      ['general', 'county.case.case-two', 2, 50],
      ['general', 'county.client.client-rosa', 2, 50],
    ]);
    const epochs = await store.db.selectFrom('epoch').selectAll().execute();
    expect(epochs).toEqual([{ key: 'client:county/client-rosa', n: 2 }]);
  });
});

describeOnPostgres('several senders at the same time', ({ freshDatabase }) => {
  test('make one history of records that are new to all of them', async () => {
    const server = await openStore({ url: await freshDatabase(), folder: '' });
    const urgencies = ['routine', 'urgent', 'emergency', 'routine', 'urgent'] as const;
    const batch = (urgency: (typeof urgencies)[number], second: number) =>
      Array.from({ length: 50 }, (_, n) =>
        referral({ id: `r${n}`, urgency, updatedAt: `2026-02-04T10:00:0${second}Z` }),
      );
    // Every second sender goes the other way round, so that they meet in the middle.
    const batches = urgencies.map((urgency, index) => {
      const items = batch(urgency, index);
      return index % 2 === 0 ? items : items.reverse();
    });
    const results = await Promise.all(
      batches.map((items) => server.tx((trx) => acceptRecords(trx, 'county', items, connections))),
    );
    const kept = await server.db.selectFrom('record').select(['id', 'version', 'content']).execute();
    const versions = await server.db.selectFrom('record_version').select(['id', 'version']).execute();
    await server.close();
    expect(kept).toHaveLength(50);
    for (const { id, version, content } of kept) {
      expect(content).toMatchObject({ updatedAt: '2026-02-04T10:00:04Z' });
      const own = versions.filter((row) => row.id === id).map((row) => row.version);
      expect(own.sort()).toEqual(Array.from({ length: version }, (_, n) => n + 1));
    }
    const accepted = results.flat().filter(({ outcome }) => outcome === 'accepted');
    expect(accepted).toHaveLength(versions.length);
  });

  const merge: CheckedRecord = { type: 'client', record: aClient({ id: 'client-dup', mergedInto: 'client-rosa' }) };
  const no: CheckedRecord = {
    type: 'consent',
    record: aConsent({ id: 'consent-no', clientId: 'client-dup', status: 'declined' }),
  };

  test.each([
    ['a merge', merge, no],
    ['what the duplicate refuses', no, merge],
  ])(
    'have the lanes of whom it is heard for look once both are there, where %s comes first',
    async (_, first, second) => {
      const url = await freshDatabase();
      const [one, other] = [await openStore({ url, folder: '' }), await openStore({ url, folder: '' })];
      const take = (on: Store, ...items: CheckedRecord[]) =>
        on.tx((trx) => acceptRecords(trx, 'county', items, connections));
      const wanted = (db: Store['db']) =>
        sql<{ wanted: number }>`
        select wanted::integer from lane where connection = 'general' and subject = 'county.case.case-rosa'`
          .execute(db)
          .then(({ rows }) => rows[0]?.wanted ?? 0);
      await take(one, { type: 'client', record: aClient() }, { type: 'case', record: aCase() });
      const { taking, before } = await one.tx(async (trx) => {
        await acceptRecords(trx, 'county', [first], connections);
        const begun = take(other, second);
        await eventually(async () => {
          const { rows } = await sql`select from pg_stat_activity where wait_event_type = 'Lock'`.execute(trx);
          return rows.length === 1;
        }, 'the second one waits');
        return { taking: begun, before: await wanted(trx) };
      });
      await taking;
      const after = await wanted(one.db);
      await Promise.all([one.close(), other.close()]);
      expect(after).toBeGreaterThan(before);
    },
  );
});

describe('a part of another referral', () => {
  const whole = (direction: 'incoming' | 'outgoing') => referral({ id: 'referral-whole', direction });
  const part = referral({ id: 'referral-part', partOfId: 'referral-whole' });
  const refusal = [expect.objectContaining({ pointer: '/partOfId', rule: 'part-of-incoming' })];

  test.each([
    ['is refused where that is of our own making', 'outgoing', { outcome: 'refused', version: 0, errors: refusal }],
    ['is taken where that was made to us', 'incoming', { outcome: 'accepted', version: 1 }],
  ] as const)('%s, in whatever order of one batch', async (_, direction, expected) => {
    expect((await accept([part, whole(direction)]))[0]).toMatchObject(expected);
    await sql`truncate record, record_version`.execute(store.db);
    await accept([whole(direction)]);
    expect((await accept([part]))[0]).toMatchObject(expected);
  });

  test('refused, leaves what was there as it was, and stores nothing where nothing was', async () => {
    await accept([whole('outgoing')]);
    const changed = referral({ partOfId: 'referral-whole', updatedAt: '2026-02-05T10:00:00-05:00' });
    expect((await accept([part]))[0]?.lanes).toEqual([]);
    expect(await store.db.selectFrom('record').selectAll().where('id', '=', 'referral-part').execute()).toEqual([]);
    await accept([referral({})]);
    expect((await accept([changed]))[0]).toMatchObject({ outcome: 'refused', version: 1 });
    expect(await stored()).toMatchObject({ version: 1 });
  });

  test('is taken before that has come, and where that is known by its deletion alone', async () => {
    expect(outcomes(await accept([part]))).toEqual(['accepted 1']);
    await accept([deletion('referral-gone', '2026-02-05T10:00:00-05:00')]);
    expect(outcomes(await accept([referral({ id: 'another', partOfId: 'referral-gone' })]))).toEqual(['accepted 1']);
  });
});

describe('a signed note', () => {
  const later = '2026-02-11T09:00:00-05:00';
  const signed = { type: 'note' as const, record: aNote() };
  const version = (changes: Parameters<typeof aNote>[0]): CheckedRecord => ({
    type: 'note',
    record: aNote({ updatedAt: later, ...changes }),
  });
  const addendum = { id: 'a1', kind: 'addendum' as const, text: 'The card came by mail.', signedAt: later };
  const refusal = (pointer: string) => [expect.objectContaining({ rule: 'signed-text', pointer })];

  test.each<[string, Parameters<typeof aNote>[0], string]>([
    ['another text', { text: 'Rosa has no pantry card.' }, '/text'],
    ['another format', { format: 'soap' }, '/format'],
    ['sections that were not there', { sections: [{ code: 'plan', text: 'Call the pantry.' }] }, '/sections'],
    ['no signature any more', { status: 'draft', signedAt: undefined }, '/status'],
  ])('refuses %s and changes nothing', async (_what, changes, pointer) => {
    await accept([signed]);
    const [again] = await accept([version(changes)]);
    expect(again).toMatchObject({ outcome: 'refused', version: 1, lanes: [], errors: refusal(pointer) });
    expect(await stored('note-visit')).toMatchObject({ version: 1, content: aNote() });
  });

  test('takes the same sections with their members in another order', async () => {
    const format = 'soap' as const;
    await accept([{ type: 'note', record: aNote({ format, sections: [{ text: 'Call.', code: 'plan' }] }) }]);
    const [again] = await accept([
      version({ format, sections: [{ text: 'Call.', code: 'plan' }], status: 'amended', addenda: [addendum] }),
    ]);
    expect(again).toMatchObject({ outcome: 'accepted', version: 2 });
  });

  test('refuses it within one batch too, and takes the version after it', async () => {
    const answers = await accept([
      signed,
      version({ text: 'Other.' }),
      version({ status: 'amended', addenda: [addendum] }),
    ]);
    expect(answers.map(({ outcome, version: number }) => [outcome, number])).toEqual([
      ['accepted', 1],
      ['refused', 1],
      ['accepted', 2],
    ]);
  });

  test('keeps the addenda that were signed', async () => {
    await accept([signed, version({ addenda: [addendum] })]);
    const at = { updatedAt: '2026-02-12T09:00:00-05:00' };
    const [gone, reworded, added] = await accept([
      version({ ...at, addenda: [] }),
      version({ ...at, addenda: [{ ...addendum, text: 'It never came.' }] }),
      version({ ...at, addenda: [{ id: 'a0', kind: 'correction', text: 'Draft.' }, addendum] }),
    ]);
    expect(gone).toMatchObject({ outcome: 'refused', errors: refusal('/addenda') });
    expect(reworded).toMatchObject({ outcome: 'refused', errors: refusal('/addenda/0/text') });
    expect(added).toMatchObject({ outcome: 'accepted' });
  });

  test.each<[string, JsonObject]>([
    ['be entered in error', { ...aNote({ updatedAt: later, status: 'entered-in-error' }) }],
    ['be withdrawn', { id: 'note-visit', updatedAt: later, deleted: true }],
    ['be said to be about something else', { ...aNote({ updatedAt: later, about: { goalIds: [] } }) }],
  ])('may %s', async (_what, record) => {
    await accept([signed]);
    const checked = { id: 'note-visit', updatedAt: later, ...record };
    expect(await accept([{ type: 'note', record: checked }])).toMatchObject([{ outcome: 'accepted', version: 2 }]);
  });

  const inError = { status: 'entered-in-error', signedAt: undefined } as const;
  const ways: [string, CheckedRecord[]][] = [
    ['withdrawn', [{ type: 'note', record: { id: 'note-visit', updatedAt: later, deleted: true } }]],
    ['entered in error without its signature', [version(inError)]],
    [
      'entered in error so, and withdrawn',
      [version(inError), { type: 'note', record: { id: 'note-visit', updatedAt: later, deleted: true } }],
    ],
  ];
  describe.each(ways)('that was %s', (_what, changes) => {
    const at = { updatedAt: '2026-02-12T09:00:00-05:00' };

    test.each([
      ['in one batch', true],
      ['one by one', false],
    ])('comes back with the text that was signed alone, %s', async (_how, isOneBatch) => {
      const others = [
        version({ ...at, text: 'Rosa has no pantry card.' }),
        version({ ...at, status: 'draft', signedAt: undefined }),
        version(at),
      ];
      const all = [signed, ...changes, ...others];
      const answers = isOneBatch ? await accept(all) : [];
      if (!isOneBatch) for (const one of all) answers.push(...(await accept([one])));
      const [text, draft, same] = answers.slice(-3);
      expect(text).toMatchObject({ outcome: 'refused', errors: refusal('/text') });
      expect(draft).toMatchObject({ outcome: 'refused', errors: refusal('/status') });
      expect(same).toMatchObject({ outcome: 'accepted' });
    });
  });

  test('keeps its addenda where it comes back', async () => {
    await accept([signed, version({ addenda: [addendum] })]);
    const gone = { id: 'note-visit', updatedAt: '2026-02-12T09:00:00-05:00', deleted: true } as const;
    await accept([{ type: 'note', record: gone }]);
    const [without] = await accept([version({ updatedAt: '2026-02-13T09:00:00-05:00' })]);
    expect(without).toMatchObject({ outcome: 'refused', errors: refusal('/addenda') });
  });

  test('that was a draft when it was entered in error or withdrawn may come back as another', async () => {
    const draft = aNote({ status: 'draft', signedAt: undefined, text: 'To do.' });
    const other = version({ updatedAt: '2026-02-12T09:00:00-05:00', text: 'Rosa has no pantry card.' });
    for (const [index, [, changes]] of ways.entries())
      for (const { record } of [{ record: draft }, ...changes, other])
        expect(await accept([{ type: 'note', record: { ...record, id: `note-${index}` } }])).toMatchObject([
          { outcome: 'accepted' },
        ]);
  });

  test('was a draft before, and that may change', async () => {
    const draft = { status: 'draft', signedAt: undefined } as const;
    const answers = await accept([
      { type: 'note', record: aNote({ ...draft, updatedAt: '2026-02-10T15:00:00-05:00', text: 'To do.' }) },
      signed,
    ]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
  });
});
