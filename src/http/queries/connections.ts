// Connections as configured, with what the store knows of them.

import type { ConnectionConfig } from '../../config.ts';
import type { Reason } from '../../errors.ts';
import { type Resting, restingConnections } from '../../lanes/lanes.ts';
import type { Store } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

/** `{items, next}` by id, of the connections given. */
export async function listConnections(
  store: Store,
  configured: readonly ConnectionConfig[],
  filter: { readonly limit: number; readonly after?: string },
): Promise<Page> {
  const [after] = cursorKey('connections', filter.after, [''] as const) ?? [''];
  const rest = configured.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
  const rows = rest.slice(0, filter.limit + 1);
  const known = await store.db.selectFrom('connection').select(['id', 'paused', 'capabilities_at']).execute();
  const resting = await restingConnections(store.db);
  return page(
    rows,
    filter.limit,
    (config) =>
      shown(
        config,
        known.find(({ id }) => id === config.id),
        resting.get(config.id),
      ),
    ({ id }) => cursorText('connections', [id]),
  );
}

/** One connection as the list shows it. */
export async function connectionView({ db }: Store, config: ConnectionConfig): Promise<object> {
  const query = db.selectFrom('connection').select(['paused', 'capabilities_at']).where('id', '=', config.id);
  return shown(config, await query.executeTakeFirst(), (await restingConnections(db)).get(config.id));
}

function shown(
  { id, vendor, mode, baseUrl, sources }: ConnectionConfig,
  known: { paused: Reason | null; capabilities_at: Date | null } | undefined,
  resting: Resting | undefined,
): object {
  const paused = known?.paused ?? null;
  return {
    id,
    vendor,
    mode,
    baseUrl,
    sources,
    paused,
    capabilitiesAt: known?.capabilities_at?.toISOString() ?? null,
    resting: resting ?? null,
  };
}
