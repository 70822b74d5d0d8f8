// An intent and what makes its plan void, side by side on a PostgreSQL server, each first (lanes.md 7): either the cause comes after and meets an intent that
// is stored, or the plan is void and nothing is sent.

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { reason } from '../../../src/errors.ts';
import { mappingFolder } from '../../../src/gateway.ts';
import {
  activateMapping,
  configurationOf,
  prepareConnection,
  relinkPatient,
  setPaused,
} from '../../../src/lanes/lanes.ts';
import { LeaseLost, takeLease } from '../../../src/lanes/lease.ts';
import type { PlanBasis } from '../../../src/lanes/send/operations.ts';
import { PlanOutdated, storeIntents } from '../../../src/lanes/send/operations.ts';
import { type MappingFile, readMappingFiles } from '../../../src/mapping/mapping.ts';
import { acceptRecords, type CheckedRecord } from '../../../src/records/records.ts';
import { type Database, openStore, type Store, sql, type Transaction } from '../../../src/store/store.ts';
import { aCase, aClient, aConsent, aGoal } from '../../builders.ts';
import { aConnection, eventually } from '../../support/rig.ts';
import { describeOnPostgres } from '../../support/servers.ts';
import { aResource, desiredOf } from '../pure/lane-resources.ts';

const config = aConnection('http://hospital.example.org');
const lane = { connection: 'general', subject: 'county.case.case-rosa' };
const later = '2026-02-20T10:00:00-05:00';
const asked = { connection: 'general', source: 'county', clientId: 'client-rosa', patient: 'p2', by: 'ida' };

describeOnPostgres('an intent on PostgreSQL, and', (server) => {
  let store: Store;
  let other: Store;
  let files: MappingFile[];

  beforeAll(async () => {
    const url = await server.freshDatabase();
    [store, other] = [await openStore({ url, folder: '' }), await openStore({ url, folder: '' })];
    files = await readMappingFiles(mappingFolder);
  });
  afterAll(async () => {
    await store.close();
    await other.close();
  });

  beforeEach(async () => {
    await sql`truncate record, record_version, lane, lane_read, epoch, connection, mapping, operation, link, decision`.execute(
      store.db,
    );
    await activateMapping(store, files);
    await prepareConnection(store, config);
    await accept(store, [
      { type: 'client', record: aClient() },
      { type: 'case', record: aCase() },
      { type: 'goal', record: aGoal() },
    ]);
  });

  const accept = (on: Store, items: readonly CheckedRecord[]) =>
    on.tx((trx) => acceptRecords(trx, 'county', items, [config]));

  /** Every cause that makes a plan void. */
  const causes: readonly (readonly [string, (on: Store) => Promise<unknown>])[] = [
    ['a pause', (on) => setPaused(on, 'general', reason('connection-paused', { why: '' }))],
    ['a consent', (on) => accept(on, [{ type: 'consent', record: aConsent() }])],
    [
      'another mapping',
      (on) =>
        activateMapping(
          on,
          files.map((file) => ({ ...file, text: `${file.text}\n# ` })),
        ),
    ],
    ['another patient', (on) => relinkPatient(on, asked)],
    ['a new version', (on) => accept(on, [{ type: 'goal', record: aGoal({ updatedAt: later }) }])],
    ['a move', (on) => accept(on, [{ type: 'goal', record: aGoal({ caseId: 'case-two', updatedAt: later }) }])],
  ];

  /** A plan made from what the store holds now. */
  async function planned(): Promise<(on: Store) => Promise<unknown>> {
    const lease = await takeLease(store, lane, {
      holder: 'test',
      leaseMs: 60_000,
      configuration: configurationOf(config),
      which: 'any',
    });
    if (lease === undefined) throw new Error('The lane was not to be had.');
    const { epoch } = await store.db.selectFrom('connection').select('epoch').executeTakeFirstOrThrow();
    const raised = await store.db.selectFrom('epoch').selectAll().execute();
    const keys = ['client:county/client-rosa', 'patient:general:county/client-rosa'];
    const basis: PlanBasis = {
      wanted: lease.wanted,
      mappingVersion: lease.mapping ?? '',
      connectionEpoch: epoch,
      isPaused: false,
      unnamed: [],
      until: undefined,
      epochs: new Map(keys.map((key) => [key, raised.find((row) => row.key === key)?.n ?? 0])),
    };
    const resource = aResource({ key: { type: 'goal', id: 'goal-meals', slot: 'goal' } });
    const { resource: body } = desiredOf({ text: 'Food' });
    const write = { kind: 'create', resource, body, why: reason('planned-create') } as const;
    return (on) =>
      storeIntents(on, {
        lease,
        leaseMs: 60_000,
        basis,
        sendId: 'send',
        sendMs: 1_000,
        writes: [write],
        match: { keys: [], settleMs: 0 },
      });
  }

  const intents = () => store.db.selectFrom('operation').select('record_id').execute();

  test.each(causes)('%s that comes first: the plan is void', async (_cause, happen) => {
    const intend = await planned();
    const { intending } = await other.tx(async (trx) => {
      await happen(inside(other, trx));
      const begun = intend(store).catch((error: unknown) => error);
      await oneWaits(trx);
      return { intending: begun };
    });
    // A move takes the lane out of the hands of its run as well.
    expect([PlanOutdated, LeaseLost]).toContain(Object(await intending).constructor);
    expect(await intents()).toEqual([]);
  });

  test.each(causes)(
    '%s that comes while it is stored: it waits, and the next plan is another',
    async (_cause, happen) => {
      const intend = await planned();
      const { happening } = await store.tx(async (trx) => {
        await intend(inside(store, trx));
        const begun = happen(other);
        await oneWaits(trx);
        return { happening: begun };
      });
      await happening;
      expect(await intents()).toHaveLength(1);
      await expect(intend(store)).rejects.toThrow(Error);
      expect(await intents()).toHaveLength(1);
    },
  );
});

/** The store within a transaction that stays open. */
function inside(store: Store, trx: Transaction<Database>): Store {
  return { ...store, db: trx, tx: (work) => work(trx), once: (statement) => statement(trx) };
}

/** Until one statement of somebody else stands at a lock. */
function oneWaits(trx: Transaction<Database>): Promise<void> {
  return eventually(async () => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::integer as n from pg_stat_activity where wait_event_type = 'Lock'`.execute(trx);
    return rows[0]?.n === 1;
  }, 'the statement that waits');
}
