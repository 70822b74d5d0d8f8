// Connections as configured, with what the store knows of them.

import type { ConnectionConfig } from '../../config.ts';
import type { Reason } from '../../errors.ts';
import { type Resting, restingConnections, type Standing, standingColumns, standingOf } from '../../lanes/lanes.ts';
import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';
import { type LaneState, laneState, laneStates } from './lane-state.ts';

export interface ConnectionView extends Standing {
  readonly id: string;
  readonly vendor: string;
  readonly mode: string;
  readonly baseUrl: string;
  readonly sources: readonly string[];
  readonly nextProbeAt: string | null;
  readonly capabilitiesAt: string | null;
  readonly resting: Resting | null;
  /** How many are in each state. */
  readonly lanes: Readonly<Record<string, number>>;
  /** The oldest open ones; absent for a source. */
  readonly alerts?: readonly {
    readonly topic: string;
    readonly reason: Reason;
    readonly count: number;
    readonly openedAt: string;
  }[];
}

/** `{items, next}` by id, of the connections given. @param filter.source whose lanes are counted; undefined: all, and the alerts as well */
export async function listConnections(
  store: Store,
  configured: readonly ConnectionConfig[],
  filter: { readonly limit: number; readonly after?: string; readonly source: string | undefined },
): Promise<Page<ConnectionView>> {
  const [after] = cursorKey('connections', filter.after, [''] as const) ?? [''];
  const rest = configured.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
  const rows = rest.slice(0, filter.limit + 1);
  const known = await knownOf(
    store,
    rows.map(({ id }) => id),
    filter.source,
  );
  return page(
    rows,
    filter.limit,
    (config) => shown(config, known),
    ({ id }) => cursorText('connections', [id]),
  );
}

/** One connection as the list shows it. */
export async function connectionView(
  store: Store,
  config: ConnectionConfig,
  source: string | undefined,
): Promise<ConnectionView> {
  return shown(config, await knownOf(store, [config.id], source));
}

async function knownOf({ db }: Store, ids: readonly string[], source: string | undefined) {
  const resting = await restingConnections(db);
  if (ids.length === 0) return { connections: [], lanes: [], alerts: [], showsAlerts: false, resting };
  let counted = db
    .selectFrom('lane')
    .leftJoin('connection', 'connection.id', 'lane.connection')
    .where('lane.connection', 'in', ids);
  if (source !== undefined) counted = counted.where('lane.source', '=', source);
  const lanes = counted
    .select(['lane.connection', laneState.as('state'), sql<number>`count(*)::integer`.as('count')])
    .groupBy(['lane.connection', 'state']);
  const connections = db
    .selectFrom('connection')
    .select(['id', 'capabilities_at', 'probe_at', ...standingColumns])
    .where('id', 'in', ids);
  const alerts = db
    .selectFrom('alert')
    .select(['connection', 'topic', 'reason', 'count', 'opened_at'])
    .where('connection', 'in', ids)
    .where('resolved_at', 'is', null)
    .orderBy('id')
    .limit(shownAlerts);
  return {
    connections: await connections.execute(),
    lanes: await lanes.execute(),
    // Alerts tell of all sources together.
    alerts: source === undefined ? await alerts.execute() : [],
    showsAlerts: source === undefined,
    resting,
  };
}

/** `GET /api/alerts` lists them all. */
const shownAlerts = 100;

type Known = Awaited<ReturnType<typeof knownOf>>;

function shown(config: ConnectionConfig, known: Known): ConnectionView {
  const { id, vendor, mode, baseUrl, sources } = config;
  const row = known.connections.find((one) => one.id === id);
  const standing = standingOf(config, row);
  return {
    id,
    vendor,
    mode,
    baseUrl,
    sources,
    ...standing,
    nextProbeAt: standing.paused === null ? null : (row?.probe_at?.toISOString() ?? null),
    capabilitiesAt: row?.capabilities_at?.toISOString() ?? null,
    resting: known.resting.get(id) ?? null,
    lanes: Object.fromEntries(laneStates.map((state) => [state, countIn(known, id, state)])),
    ...(known.showsAlerts && {
      alerts: known.alerts.flatMap(({ connection, topic, reason, count, opened_at: openedAt }) =>
        connection === id ? [{ topic, reason, count, openedAt: openedAt.toISOString() }] : [],
      ),
    }),
  };
}

function countIn({ lanes }: Known, connection: string, state: LaneState): number {
  return lanes.find((row) => row.connection === connection && row.state === state)?.count ?? 0;
}
