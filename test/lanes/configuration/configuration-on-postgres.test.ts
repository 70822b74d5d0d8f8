// A configuration is taken over, and a connection resumes, while records come in, side by side on a PostgreSQL server: no record is left without its lane,
// neither ends the other, and what fails leaves what was in force.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ConnectionConfig } from '../../../src/config.ts';
import { reason } from '../../../src/errors.ts';
import { configurationOf, noteOff, prepareConnection, raiseWanted, setPaused } from '../../../src/lanes/lanes.ts';
import { takeLease } from '../../../src/lanes/lease.ts';
import { acceptRecords, type CheckedRecord, type Recipient } from '../../../src/records/records.ts';
import type { Database } from '../../../src/store/store.ts';
import { openStore, type Store, sql, type Transaction } from '../../../src/store/store.ts';
import { aCase, aClient } from '../../builders.ts';
import { aConnection, eventually } from '../../support/rig.ts';
import { describeOnPostgres } from '../../support/servers.ts';

const config = aConnection('http://hospital.example.org');
const changed: ConnectionConfig = { ...config, settleMs: 1 };
const first = 'county.case.case-one';
const second = 'county.case.case-two';
const rosa = 'county.case.case-rosa';

describeOnPostgres('on PostgreSQL', (server) => {
  let url: string;
  let store: Store;
  let other: Store;

  beforeAll(async () => {
    url = await server.freshDatabase();
    [store, other] = [await openStore({ url, folder: '' }), await openStore({ url, folder: '' })];
  });
  afterAll(async () => {
    await store.close();
    await other.close();
  });

  beforeEach(async () => {
    await sql`truncate record, record_version, lane, lane_read, connection, identity`.execute(store.db);
  });

  const accept = (
    trx: Transaction<Database>,
    items: readonly CheckedRecord[],
    { source = 'county', to = [] }: { source?: string; to?: readonly Recipient[] } = {},
  ) => acceptRecords(trx, source, items, to);

  async function lanes(connection = 'general'): Promise<string[]> {
    const rows = await store.db.selectFrom('lane').select('subject').where('connection', '=', connection).execute();
    return rows.map(({ subject }) => subject).sort();
  }

  const inForce = async () =>
    (await store.db.selectFrom('connection').selectAll().executeTakeFirstOrThrow()).configuration;

  /** What is done is begun while records are accepted that it cannot see yet, and which cannot see it. */
  async function whileAccepting(source: string, begin: () => Promise<unknown>): Promise<void> {
    const records = [
      { type: 'client', record: aClient() },
      { type: 'case', record: aCase() },
    ] as const;
    const begun = await other.tx(async (trx) => {
      await accept(trx, records, { source });
      const running = begin();
      await Promise.race([running, sleep(300)]);
      return { running };
    });
    await begun.running;
  }

  describe('what is accepted while it is made known has its lane', () => {
    test('a connection that is new', async () => {
      await whileAccepting('county', () => prepareConnection(store, config));
      expect(await lanes()).toContain(rosa);
    });

    test('a connection that is new to a process without lanes', async () => {
      await whileAccepting('county', () => prepareConnection(store, config, { onlyNew: true }));
      expect(await lanes()).toContain(rosa);
    });

    test('a source that is new', async () => {
      await prepareConnection(store, config);
      await whileAccepting('harbor', () => prepareConnection(store, { ...config, sources: ['county', 'harbor'] }));
      expect(await lanes()).toContain('harbor.case.case-rosa');
    });

    test('a connection that is on again', async () => {
      await prepareConnection(store, { ...config, backfill: 'none' });
      await noteOff(store, []);
      await whileAccepting('county', () => prepareConnection(store, { ...config, backfill: 'none' }));
      expect(await lanes()).toContain(rosa);
    });
  });

  test.each([
    ['a connection that is new', async () => config],
    [
      'a source that is new',
      async () => {
        await prepareConnection(store, config);
        return { ...config, sources: ['county', 'harbor'] };
      },
    ],
  ])('%s is back-filled by the next start where a start ended in the middle', async (_which, configured) => {
    const wanted = await configured();
    const source = wanted.sources.at(-1) ?? '';
    await store.tx((trx) => accept(trx, [{ type: 'case', record: aCase() }], { source }));
    const ended = await openStore({ url, folder: '' });
    await other.tx(async (trx) => {
      await accept(trx, [{ type: 'client', record: aClient() }]);
      const start = expect(prepareConnection(ended, wanted)).rejects.toThrow();
      await eventually(async () => (await inForce().catch(() => undefined)) === '', 'the start that has begun');
      await ended.close();
      await start;
    });
    expect(await prepareConnection(store, wanted, { onlyNew: wanted === config })).toBe(true);
    expect(await lanes()).toContain(`${source}.case.case-rosa`);
    expect(await inForce()).toBe(configurationOf(wanted));
  });

  describe('with two cases', () => {
    beforeEach(async () => {
      await prepareConnection(store, config);
      // The later of them lies first in the table.
      for (const id of ['case-two', 'case-one'])
        await store.tx((trx) => accept(trx, [{ type: 'case', record: aCase({ id }) }]));
    });

    /** A transaction that has one lane is joined by `begin`, and then takes another lane and what an intent locks. Neither is begun again. */
    async function meeting(begin: (on: Store) => Promise<unknown>): Promise<void> {
      // With so many the planner joins whole tables, in whatever order.
      await sql`
        insert into lane (connection, subject, source) select 'general', 'county.case.other-' || n, 'county' from generate_series(1, 2000) n`.execute(
        store.db,
      );
      await sql`analyze lane`.execute(store.db);
      const once: Store = { ...store, tx: (work) => store.db.transaction().execute(work) };
      const both = await other.db.transaction().execute(async (trx) => {
        await raiseWanted(trx, [{ connection: 'general', subject: first }]);
        const running = begin(once).catch((error: unknown) => error);
        await oneWaits(trx);
        await raiseWanted(trx, [{ connection: 'general', subject: second }]);
        await sql`select epoch from connection where id = 'general' for share`.execute(trx);
        return { running };
      });
      expect(await both.running).not.toBeInstanceOf(Error);
    }

    test('a connection resumes while both get work', async () => {
      await setPaused(store, 'general', reason('connection-paused', { why: '' }));
      await store.db
        .updateTable('lane')
        .set({ next_try_at: new Date(Date.now() + 60_000) })
        .execute();
      await meeting((on) => setPaused(on, 'general', undefined));
      expect(await store.db.selectFrom('connection').select('paused').execute()).toEqual([{ paused: null }]);
      expect(
        await store.db.selectFrom('lane').select('subject').where('next_try_at', 'is not', null).execute(),
      ).toEqual([]);
    });

    test('another configuration comes into force while both get work', async () => {
      await meeting((on) => prepareConnection(on, changed));
      expect(await inForce()).toBe(configurationOf(changed));
    });

    test('one that cannot come into force leaves the former in force, and comes when it can', async () => {
      const impatient = new URL(url);
      impatient.searchParams.set('options', '-c lock_timeout=200ms');
      const failing = await openStore({ url: impatient.href, folder: '' });
      try {
        await other.tx(async (trx) => {
          await sql`select from lane where subject = ${second} for update`.execute(trx);
          await expect(prepareConnection(failing, { ...changed, sources: ['harbor'] })).rejects.toThrow(/lock timeout/);
        });
        expect(await inForce()).toBe(configurationOf(config));
        const taker = {
          holder: 'test',
          leaseMs: 60_000,
          configuration: configurationOf(config),
          which: 'any',
        } as const;
        expect(await takeLease(store, { connection: 'general', subject: first }, taker)).toBeDefined();
        await store.tx((trx) => accept(trx, [{ type: 'case', record: aCase() }]));
        expect(await lanes()).toEqual([first, rosa, second]);
        await store.tx((trx) => accept(trx, [{ type: 'case', record: aCase() }], { source: 'harbor' }));
        expect(await prepareConnection(failing, { ...changed, sources: ['harbor'] })).toBe(true);
        expect(await lanes()).toEqual([first, rosa, second, 'harbor.case.case-rosa']);
      } finally {
        await failing.close();
      }
    });
  });
});

/** Until one statement of somebody else stands at a lock. */
function oneWaits(trx: Transaction<Database>): Promise<void> {
  return eventually(async () => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::integer as n from pg_stat_activity where wait_event_type = 'Lock'`.execute(trx);
    return rows[0]?.n === 1;
  }, 'the statement that waits');
}
