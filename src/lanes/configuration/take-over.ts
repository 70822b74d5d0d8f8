// A configuration of a connection comes into force (lanes.md 22) while records come in, also at processes that know nothing of it. So it is stored first
// for whom they make lanes from now on; then all acceptances that could not see that yet are waited for; and only then what is there is wanted. What fails
// leaves in force what was; what a process leaves that dies in between, the next start finishes.

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import { json, type RecordsFor, type Store } from '../../store/store.ts';
import { wantAfterChange } from '../operating/backfill.ts';
import { configurationOf, noConfiguration } from './configuration.ts';
import { keepPlace, lockPlace } from './renamed.ts';

/**
 * Makes the connection known. New: its back-fill is wanted. Changed, or on again: plans made before are void, its lanes look again, and those that
 * records have not made meanwhile are made.
 *
 * @param onlyNew one that is known is left as it is: a process that works on no lanes takes no configuration over
 * @returns false where it was left so
 */
export async function prepareConnection(
  store: Store,
  config: ConnectionConfig,
  { onlyNew = false }: { readonly onlyNew?: boolean } = {},
): Promise<boolean> {
  try {
    for (;;) {
      const begun = await begin(store, config, onlyNew);
      if (begun !== 'begun') return begun === 'in-force';
      await acceptedSoFar(store);
      // Where another start came between, all of it begins anew.
      if (await finish(store, config)) return true;
    }
  } catch (error) {
    // Where this fails too, the store is away: then it is as if the process had died.
    await giveUp(store, config.id).catch(() => {});
    throw error;
  }
}

function recordsFor({ sources, share, organization }: ConnectionConfig): RecordsFor {
  return { sources, ...(share && { organization: organization?.id ?? '' }) };
}

/** No lane is taken by the former configuration from here on, and records make lanes for this one too. */
function begin(store: Store, config: ConnectionConfig, onlyNew: boolean): Promise<'begun' | 'in-force' | 'left'> {
  const { id, mode } = config;
  const own = recordsFor(config);
  return store.tx(async (trx) => {
    await trx
      .insertInto('connection')
      .values({ id, configuration: noConfiguration, mode, recipient: json<RecordsFor>({ sources: [] }) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const row = await trx
      .selectFrom('connection')
      .select(['configuration', 'configuration_at', 'off_since', 'recipient'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const wasNeverInForce =
      row.configuration === noConfiguration && row.configuration_at === null && row.off_since === null;
    if (onlyNew && !wasNeverInForce) return 'left';
    if (row.configuration === configurationOf(config)) {
      await keepPlace(trx, config);
      return 'in-force';
    }
    const { takingOver = { from: row.configuration, to: [] }, ...before } = row.recipient ?? { sources: [] };
    const to = [...takingOver.to.filter((one) => !isDeepStrictEqual(one, own)), own];
    await trx
      .updateTable('connection')
      .set({
        configuration: noConfiguration,
        recipient: json({ ...before, takingOver: { ...takingOver, to } }),
      })
      .where('id', '=', id)
      .execute();
    return 'begun';
  });
}

const lookEveryMs = 50;

/** Waits for all transactions that have written records and have not ended: each has read before for whom they make lanes, or may have. */
async function acceptedSoFar({ db }: Store): Promise<void> {
  const writing = async () => {
    const { rows } = await sql<{ id: string }>`
      select virtualtransaction as id from pg_locks
      where locktype = 'relation' and mode = 'RowExclusiveLock' and granted and relation = 'record'::regclass
        and database = (select oid from pg_database where datname = current_database())`.execute(db);
    return rows.map(({ id }) => id);
  };
  let open = await writing();
  while (open.length > 0) {
    await sleep(lookEveryMs);
    const still = new Set(await writing());
    open = open.filter((id) => still.has(id));
  }
}

/** @returns false where another start has come between */
function finish(store: Store, config: ConnectionConfig): Promise<boolean> {
  const own = recordsFor(config);
  return store.tx(async (trx) => {
    // Locks the place: one start at a time.
    await keepPlace(trx, config);
    const row = await trx
      .selectFrom('connection')
      .select(['configuration', 'mode', 'off_since', 'recipient'])
      .where('id', '=', config.id)
      .executeTakeFirstOrThrow();
    const { takingOver, ...before } = row.recipient ?? { sources: [] };
    const isOurs = takingOver?.to.some((one) => isDeepStrictEqual(one, own)) === true;
    if (row.configuration !== noConfiguration || !isOurs) return false;
    const known = row.off_since === null && before.organization === own.organization ? before.sources : [];
    // Lanes before the row of the connection, as whoever stores an intent locks them.
    await wantAfterChange(trx, config, {
      goesLive: row.mode === 'shadow' && config.mode === 'live',
      offSince: row.off_since,
      newSources: config.sources.filter((source) => !known.includes(source)),
    });
    await trx
      .updateTable('connection')
      .set({
        configuration: configurationOf(config),
        configuration_at: sql<Date>`now()`,
        mode: config.mode,
        recipient: json(own),
        off_since: null,
        capabilities: null,
        capabilities_at: null,
        epoch: sql<number>`epoch + 1`,
      })
      .where('id', '=', config.id)
      .execute();
    return true;
  });
}

/** What was in force before is again. */
async function giveUp(store: Store, id: string): Promise<void> {
  await store.tx(async (trx) => {
    await lockPlace(trx, id);
    // One without sources tells nothing: it was not in force, or by a version that did not store them.
    await sql`
      update connection set configuration = recipient #>> '{takingOver,from}',
        recipient = nullif(recipient - 'takingOver', '{"sources": []}')
      where id = ${id} and configuration = ${noConfiguration} and recipient ? 'takingOver'`.execute(trx);
  });
}
