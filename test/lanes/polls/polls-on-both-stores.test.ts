// Whose polls there are, which of them news brings forward, what of an answer is our concern, and what is pruned, as both stores tell it (lanes.md 20, 21,
// 25). On a PostgreSQL server: also for many patients of whom the first plans knew nothing, and with several processes.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openConnection, vendors } from '../../../src/connections/connections.ts';
import type { JsonObject } from '../../../src/json.ts';
import {
  type NewsOf,
  preparePolls,
  pruneOutcomes,
  refreshRoster,
  uploadRoster,
  wakePolls,
} from '../../../src/lanes/lanes.ts';
import { keepSeen } from '../../../src/lanes/polls/poll-keep.ts';
import { openStore, type Store, sql } from '../../../src/store/store.ts';
import { sharedEmbedded } from '../../support/embedded.ts';
import { aConnection, identifierSystem } from '../../support/rig.ts';
import { describeOnPostgres } from '../../support/servers.ts';

const { polls, ...general } = aConnection('http://hospital.example.org', { pollEveryMs: 3_600_000 });
const types = ['Patient', 'Goal', 'Task'] as const;
const config = { ...general, polls: { ...polls, types } };
const vendor = vendors.standard;

const refresh = (store: Store, options?: { unlessBusy: boolean }) => refreshRoster(store, config, vendor, options);

describe('in the embedded store', () => {
  asksAndWakes(sharedEmbedded);
});

describeOnPostgres('on a PostgreSQL server', ({ freshDatabase }) => {
  asksAndWakes(async () => openStore({ url: await freshDatabase(), folder: 'unused' }));

  test('who is asked about is soon worked out where the first plans were made without a poll', async () => {
    const url = new URL(await freshDatabase());
    url.searchParams.set('options', '-c statement_timeout=20s');
    const store = await openStore({ url: url.href, folder: 'unused' });
    try {
      await refresh(store);
      await uploadRoster(
        store,
        config.id,
        Array.from({ length: 4_000 }, (_, number) => `p${number}`),
      );
      await refresh(store);
      // No plan for an empty table comes to an end here.
      await refresh(store);
      expect(await pollCount(store)).toBe(12_000);
    } finally {
      await store.close();
    }
  });

  test('one process at a time works it out: the others pass, or wait where it must be done', async () => {
    const url = await freshDatabase();
    const [one, other] = await Promise.all([1, 2].map(() => openStore({ url, folder: 'unused' })));
    if (one === undefined || other === undefined) throw new Error('no store');
    try {
      await uploadRoster(one, config.id, ['p1']);
      const waiting = await one.tx(async (trx) => {
        await sql`lock table poll in share mode`.execute(trx);
        const first = refresh(other);
        await untilWaiting(other, 'relation');
        // That one is at it, and kept from its end.
        await refresh(other, { unlessBusy: true });
        const second = refresh(other);
        await untilWaiting(other, 'advisory');
        return [first, second];
      });
      await Promise.all(waiting);
      expect(await pollCount(one)).toBe(3);
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  });
});

async function untilWaiting({ db }: Store, kind: string): Promise<void> {
  for (;;) {
    const { rows } = await sql`select 1 from pg_locks where not granted and locktype = ${kind}`.execute(db);
    if (rows.length > 0) return;
  }
}

async function pollCount({ db }: Store): Promise<number | undefined> {
  const { rows } = await sql<{ n: number }>`select count(*)::integer as n from poll where tier > 0`.execute(db);
  return rows[0]?.n;
}

function asksAndWakes(open: () => Promise<Store>): void {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store?.close());

  const run = (statement: ReturnType<typeof sql>) => statement.execute(store.db);

  /** `type/patient` of each poll of one patient, by its tier. */
  const asked = async (): Promise<Record<number, string[]>> => {
    const { rows } = await sql<{ tier: number; named: string }>`
      select tier, resource_type || '/' || about as named from poll where tier > 0 order by named`.execute(store.db);
    const byTier = Map.groupBy(rows, ({ tier }) => tier);
    return Object.fromEntries([...byTier].map(([tier, polls]) => [tier, polls.map(({ named }) => named)]));
  };
  const of = (...patients: string[]) =>
    ['Goal', 'Patient', 'Task'].flatMap((type) => patients.map((patient) => `${type}/${patient}`));

  const link = (id: string, patient: string) =>
    run(sql`insert into link (connection, source, type, id, slot, subject, resource_type, remote_id, route, state)
      values ('general', 'county', 'client', ${id}, 'patient', ${`county.client.${id}`}, 'Patient', ${patient}, 'native', 'synced')`);
  const retire = (id: string) => run(sql`update link set retired_at = now() where type = 'client' and id = ${id}`);
  const record = (type: string, client: string, status: string) =>
    run(sql`insert into record (source, type, id, version, updated_at, content, hash, client_id, case_id, subject)
      values ('county', ${type}, case when ${type} = 'case' then ${`k-${client}`} else ${`r-${client}`} end, 1, now(),
        jsonb_build_object('status', ${status}::text), 'h', ${client}, ${`k-${client}`}, ${`county.case.k-${client}`})
      on conflict (source, type, id) do update set content = excluded.content`);

  test('those with a link, by what is open for them, and those of a list', async () => {
    for (const client of ['referred', 'cased', 'idle', 'leaving']) {
      await link(`c-${client}`, client);
      await record('case', `c-${client}`, client === 'cased' || client === 'referred' ? 'open' : 'closed');
    }
    await record('referral', 'c-referred', 'sent');
    await uploadRoster(store, config.id, ['listed', 'referred']);
    await refresh(store);
    expect(await asked()).toEqual({ 1: of('listed', 'referred'), 2: of('cased'), 3: of('idle', 'leaving') });
  });

  test('who comes, goes or changes alone is touched', async () => {
    const rows = async (...patients: string[]) =>
      (
        await sql`select resource_type, about, ctid::text, xmin::text, xmax::text from poll
          where tier > 0 and about in (${sql.join(patients)}) order by 1, 2`.execute(store.db)
      ).rows;
    const before = await rows('referred', 'listed');
    await run(sql`update poll set next_at = now() + interval '30 days'`);
    const moved = await rows('referred', 'listed');
    expect(moved).not.toEqual(before);
    await record('case', 'c-cased', 'closed');
    await record('case', 'c-idle', 'open');
    await retire('c-leaving');
    await link('c-coming', 'coming');
    await refresh(store);
    expect(await asked()).toEqual({ 1: of('listed', 'referred'), 2: of('idle'), 3: of('cased', 'coming') });
    expect(await rows('referred', 'listed')).toEqual(moved);
    const { rows: late } = await sql<{ about: string }>`
      select distinct about from poll where next_at > now() + interval '29 days' order by about`.execute(store.db);
    expect(late.map(({ about }) => about)).toEqual(['listed', 'referred']);
  });

  const cases: [string, NewsOf[], string[]][] = [
    ['of a patient and type', [{ resourceType: 'Task', patient: 'referred' }], ['Task/', 'Task/referred']],
    ['of a patient', [{ patient: 'idle' }], ['Goal/idle', 'Patient/idle', 'Task/', 'Task/idle']],
    ['of nobody who is asked about', [{ resourceType: 'Goal', patient: 'stranger' }], []],
    ['of a type that is asked about for all', [{ resourceType: 'Task' }], ['Task/']],
    ['of a type that is not', [{ resourceType: 'Goal' }], ['Goal/listed', 'Goal/referred']],
    ['of anything', [{}], ['Goal/listed', 'Goal/referred', 'Patient/listed', 'Patient/referred', 'Task/']],
    [
      'of several, one of them twice',
      [
        { resourceType: 'Goal', patient: 'idle' },
        { resourceType: 'Goal' },
        { resourceType: 'Goal', patient: 'listed' },
      ],
      ['Goal/idle', 'Goal/listed', 'Goal/referred'],
    ],
    ['of nothing', [], []],
  ];
  test.each(cases)('news %s bring the polls forward that may find it', async (_, news, woken) => {
    await preparePolls(store, config, vendor);
    await run(sql`
      insert into poll (connection, resource_type, about, tier)
      values ('general', 'Group', 'g1', 0), ('general', 'Subscription', 'Goal', 0), ('other', 'Goal', 'idle', 1), ('other', 'Task', '', 0)
      on conflict do nothing`);
    await run(sql`update poll set woken_at = null, next_at = now() + interval '1 hour'`);
    expect(await wakePolls(store, config.id, news)).toBe(woken.length);
    const { rows } = await sql<{ named: string }>`
      select case connection when 'general' then '' else 'of another ' end || resource_type || '/' || about as named from poll
      where woken_at is not null and next_at <= now()`.execute(store.db);
    expect(rows.map(({ named }) => named).sort()).toEqual(woken);
  });

  test('of orders those are our concern that name one of our people or that a Task is about, however it says so', async () => {
    const directory: [string, string, string, string | null][] = [
      ['worker', 'w1', 'Practitioner/ours', null],
      ['worker', 'w2', 'Practitioner/retired', '2026-01-01T00:00:00Z'],
      ['organization', 'o1', 'Organization/ours', null],
      ['organization', 'o2', 'Organization/partner', null],
    ];
    for (const [type, id, name, retiredAt] of directory) {
      const [resourceType, remoteId] = name.split('/');
      await run(sql`insert into link (connection, source, type, id, slot, subject, resource_type, remote_id, route, state, retired_at)
        values ('general', 'county', ${type}, ${id}, 'own', 'county.directory', ${resourceType}, ${remoteId}, 'native', 'synced', ${retiredAt})`);
      const kind = id === 'o1' ? 'case-management' : 'provider';
      await run(sql`insert into record (source, type, id, version, updated_at, content, hash, subject)
        values ('county', ${type}, ${id}, 1, now(), jsonb_build_object('kind', ${kind}::text), 'h', 'county.directory')`);
    }
    const orders = ['relative', 'whole', 'versioned'];
    const focuses = [
      'ServiceRequest/relative',
      `${config.baseUrl}/ServiceRequest/whole`,
      'ServiceRequest/versioned/_history/2',
    ];
    // An index keeps a text of this length only as a hash.
    const long = `ServiceRequest/${randomBytes(10_000).toString('hex')}`;
    for (const [number, reference] of [...focuses, long].entries())
      await run(sql`insert into seen (connection, resource_type, remote_id, body)
        values ('general', 'Task', ${`t${number}`}, jsonb_build_object('focus', jsonb_build_object('reference', ${reference}::text)))`);
    const names = directory.map(([, , name]) => name);
    const found: JsonObject[] = [
      ...[...orders, 'of-no-task'].map((id) => ({ resourceType: 'ServiceRequest', id })),
      ...names.map((reference) => ({
        resourceType: 'ServiceRequest',
        id: reference.replace('/', '-'),
        performer: [{ reference }],
      })),
    ];
    const opened = openConnection(config);
    try {
      const { news } = await store.tx((trx) =>
        keepSeen(trx, {
          poll: { connection: config.id, resource_type: 'ServiceRequest', about: '' },
          connection: {
            ...opened,
            config,
            configuration: 'any',
            abilities: () => Promise.reject(new Error('not asked')),
          },
          identifierSystem,
          result: { resources: found, complete: true },
          startedAt: new Date(),
          isFull: false,
          isWhole: false,
          isForCommunity: false,
        }),
      );
      expect(news.map(({ id }) => id)).toEqual([...orders, 'Practitioner-ours', 'Organization-ours']);
    } finally {
      await opened.close();
    }
  });

  test('old outcomes go in batches, but for the newest of each link, however many ended at one time', async () => {
    await run(sql`
      insert into operation (send_id, connection, subject, fence, source, type, record_id, slot, kind, resource_type, send_before, outcome, closed_at)
      select n::text, 'general', 's', 1, 'county', 'goal', 'g' || n % 1300, 'goal', 'update', 'Goal', now(), 'ok', now() - interval '31 days'
      from generate_series(1, 2600) n`);
    expect(await pruneOutcomes(store)).toBe(1_300);
    const { rows } = await sql`select min(send_id::integer) as first, count(*)::integer as n from operation`.execute(
      store.db,
    );
    expect(rows).toEqual([{ first: 1_301, n: 1_300 }]);
    expect(await pruneOutcomes(store)).toBe(0);
  });
}
