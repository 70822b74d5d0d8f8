// A connection that goes by another name is a new one: everything would be sent to its server a second time (lanes.md 23). What is told of a server
// is its address, of a partner the organization; a start remembers it by the connection's name.

import { sql, type Transaction } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import { CasebridgeError } from '../../errors.ts';
import type { Database, Store } from '../../store/store.ts';

/**
 * @param configured all connections, those that are switched off too
 * @throws CasebridgeError `connection-renamed`, `partner-renamed`: one that this store has never seen leads where another led, of which resources of
 * the same sources stand there and which is configured no more. Nothing was stored.
 */
export async function checkNames(store: Store, configured: readonly ConnectionConfig[]): Promise<void> {
  const known = await store.db.selectFrom('connection').select('id').execute();
  const fresh = configured.filter(({ id, mode }) => mode !== 'off' && !known.some((one) => one.id === id));
  for (const config of fresh) {
    const former = await formerName(store, config, configured);
    if (former === undefined) continue;
    const { id, share, baseUrl, organization } = config;
    throw share === undefined
      ? new CasebridgeError('connection-renamed', { id, former, baseUrl })
      : new CasebridgeError('partner-renamed', { id, former, organization: organization?.id ?? '' });
  }
}

async function formerName(
  { db }: Store,
  config: ConnectionConfig,
  configured: readonly ConnectionConfig[],
): Promise<string | undefined> {
  const others = [...configured.map(({ id }) => id), ...(config.unrelatedTo ?? [])];
  const { rows } = await sql<{ connection: string }>`
    select l.connection from identity i, lateral (
      select l.connection from link l
      where l.connection = substr(i.name, ${namePrefix.length + 1}) and l.remote_id is not null and l.retired_at is null
        and l.source in (${sql.join(config.sources)}) limit 1) l
    where i.name like ${`${namePrefix}%`} and i.value = ${placeOf(config)} and l.connection not in (${sql.join(others)})
    order by 1 limit 1`.execute(db);
  return rows[0]?.connection;
}

/** Remembers where the connection leads now, and locks that for the rest of the transaction. */
export async function keepPlace(trx: Transaction<Database>, config: ConnectionConfig): Promise<void> {
  const value = placeOf(config);
  await trx
    .insertInto('identity')
    .values({ name: `${namePrefix}${config.id}`, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/** What `keepPlace` locks, where the connection was in force before. */
export async function lockPlace(trx: Transaction<Database>, connection: string): Promise<void> {
  await trx
    .selectFrom('identity')
    .select('name')
    .where('name', '=', `${namePrefix}${connection}`)
    .forUpdate()
    .execute();
}

const namePrefix = 'connection:';

/** What is shared in part is held for a partner here, at an address made of its name. */
function placeOf({ share, baseUrl, organization }: ConnectionConfig): string {
  return share === undefined ? baseUrl : `${organization?.source}/${organization?.id}`;
}
