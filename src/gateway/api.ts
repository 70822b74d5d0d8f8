// What the gateway does for HTTP and for commands (`GatewayApi`), on the parts that the composition root has built.

import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Capabilities, Connection } from '../connections/connections.ts';
import { CasebridgeError, reason } from '../errors.ts';
import type { PartnerInterface } from '../facade/facade.ts';
import type { Home } from '../home/home.ts';
import { takeMessage } from '../hooks/hooks.ts';
import type { GatewayApi, Readiness, ReadyCheck } from '../http/http.ts';
import {
  activeVersion,
  applyDecision,
  bundleEntries,
  collectionBundle,
  connectionReport,
  decide,
  drain,
  dryRun,
  type Feeder,
  issuesOf,
  type LaneConnection,
  type LaneDeps,
  lineageOf,
  offReport,
  type Projected,
  parkLane,
  projectRecords,
  refreshRoster,
  refuseChange,
  relinkPatient,
  requirePatient,
  retryLane,
  runByHand,
  setPaused,
  skipStuck,
  startReplay,
  uploadRoster,
  whyNothing,
} from '../lanes/lanes.ts';
import type { Metrics } from '../metrics.ts';
import type { PartnerPage } from '../page/page.ts';
import { acceptRecords, acceptStale, isRecordType, type RecordKey, type RecordType } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';

/** A configured server, opened, as HTTP and the lanes use it. */
export interface OpenedConnection {
  readonly connection: Connection;
  readonly lane: LaneConnection;
  readonly capabilities: () => Promise<Capabilities>;
}

/** @throws CasebridgeError `connection-unknown`: also of one that is off */
export function openedConnection(opened: ReadonlyMap<string, OpenedConnection>, id: string): OpenedConnection {
  const one = opened.get(id);
  if (one === undefined) throw new CasebridgeError('connection-unknown', { connection: id });
  return one;
}

export interface ApiParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly deps: LaneDeps;
  readonly webhooks: Webhooks;
  readonly home: Home;
  readonly page: PartnerPage | undefined;
  readonly partnerInterface: PartnerInterface;
  readonly opened: ReadonlyMap<string, OpenedConnection>;
  readonly feeder: () => Feeder | undefined;
}

/** Answers for HTTP and for commands. */
export function gatewayApi({
  config,
  logger,
  store,
  metrics,
  deps,
  webhooks,
  home,
  page,
  partnerInterface,
  opened,
  feeder,
}: ApiParts): GatewayApi {
  const connectionOf = (id: string): OpenedConnection => openedConnection(opened, id);
  const preview = async (
    source: string,
    records: Parameters<typeof projectRecords>[1]['records'],
    identifierSystems: Readonly<Record<string, string>>,
    onRead?: Parameters<typeof projectRecords>[2],
  ) =>
    projectRecords(
      store,
      {
        source,
        identifierSystem: config.identifierSystem,
        identifierSystems,
        mappings: await deps.mappings(),
        records,
      },
      onRead,
    );

  /** With the clients and directory entries that the records refer to, as long as more of them are stored. */
  const wholePreview = async (source: string, records: Parameters<typeof preview>[1]): ReturnType<typeof preview> => {
    const projected = await preview(source, records, {});
    const around = await storedRecords(store, referredTo(source, projected));
    return around.length === 0 ? projected : wholePreview(source, [...records, ...around]);
  };

  const schemas = async () => (await deps.mappings()).schemas;

  return {
    config,
    store,
    logger,
    metrics,
    home,
    page,
    partnerInterface,

    schemas,

    async accept(source, items) {
      const accepted = await store.tx((trx) => acceptRecords(trx, source, items, [...config.connections.values()]));
      feeder()?.kick();
      return accepted;
    },

    async preview(source, items, connection) {
      const one = connection === undefined ? undefined : connectionOf(connection);
      const read: RecordKey[] = [];
      const projected = await preview(source, items, one?.connection.config.identifierSystems ?? {}, (type, id) =>
        read.push({ source, type, id }),
      );
      const mappings = await deps.mappings();
      const routes = one === undefined ? undefined : (await one.lane.abilities(mappings)).routes;
      const goesNative = (recordType: string, resourceType: string) =>
        routes?.some(
          (row) => row.recordType === recordType && row.resourceType === resourceType && row.route === 'native',
        ) ?? true;
      const sent = projected.map((record) => ({
        ...record,
        resources: record.resources.filter(({ desired }) => goesNative(record.type, desired.resourceType)),
      }));
      return { bundle: collectionBundle(sent), issues: issuesOf(sent), lineage: lineageOf(sent, mappings), read };
    },

    async resources(keys, { whole = false } = {}) {
      const bySource = Map.groupBy(keys, ({ source }) => source);
      const all = await Promise.all(
        [...bySource].map(async ([source, own]) => {
          const records = await storedRecords(store, own);
          return whole ? wholePreview(source, records) : preview(source, records, {});
        }),
      );
      const projected = all.flat();
      const mappings = await deps.mappings();
      return {
        entries: bundleEntries(projected),
        issues: issuesOf(projected),
        lineage: lineageOf(projected, mappings),
        nothing: projected.flatMap((record) => whyNothing(record, mappings) ?? []),
      };
    },

    async runLane(lane) {
      await runByHand(store, lane);
      feeder()?.kick();
    },

    async parkLane(lane, signature) {
      await parkLane(store, lane, signature);
    },

    async retryLane(lane) {
      await retryLane(store, lane);
      feeder()?.kick();
    },

    async skipStuck(lane, signature, resource) {
      const skipped = await skipStuck(store, lane, signature, resource);
      feeder()?.kick();
      return skipped;
    },

    startReplay: (asked) => startReplay(store, [...config.connections.keys()], asked),

    async acceptStale(key) {
      const checkedBy = await schemas();
      const accepted = await store.tx((trx) => acceptStale(trx, key, [...config.connections.values()], checkedBy));
      feeder()?.kick();
      return accepted;
    },

    planLane: (lane) => dryRun(deps, connectionOf(lane.connection).lane, lane),

    async decide(id, answer) {
      await decide(store, id, answer, applyDecision);
      feeder()?.kick();
    },

    async linkPatient(asked) {
      const { lane } = connectionOf(asked.connection);
      if (asked.patient !== null) await requirePatient(lane, asked.patient);
      const linked = await relinkPatient(store, asked);
      feeder()?.kick();
      return linked;
    },

    async pause(connection, by) {
      await setPaused(store, connection, reason('connection-paused', { why: ` by ${by}` }));
    },

    drain: (connection, by) => drain(store, connection, by),

    async resume(connection) {
      await setPaused(store, connection, undefined);
      feeder()?.kick();
    },

    async capabilities(id, source) {
      const one = config.connections.get(id);
      if (one?.mode === 'off') return offReport(one, await deps.mappings());
      const { connection, lane } = connectionOf(id);
      return connectionReport(deps, connection, lane, source);
    },

    notify: (id, message) => takeMessage(deps, connectionOf(id).connection.config, message),

    async uploadRoster(id, patients, numbers) {
      const { config: one, vendor } = connectionOf(id).connection;
      const changed = await uploadRoster(store, id, patients, numbers);
      await refreshRoster(store, one, vendor);
      return changed;
    },

    refuseChange: (refusal) => refuseChange(store, refusal),
    testWebhook: (source) => webhooks.test(source),
    enableWebhook: (source) => webhooks.enable(source),
    replayWebhook: (source, after) => webhooks.replay(source, after),

    ready: () => readiness(store, feeder()),
  };
}

const sharedTypes: readonly RecordType[] = ['client', 'organization', 'worker', 'service'];

/** Clients and directory entries that are referred to and not among the projected. */
function referredTo(source: string, projected: readonly Projected[]): RecordKey[] {
  const there = new Set(projected.map(({ type, id }) => `${type}/${id}`));
  const targets = projected.flatMap(({ resources }) => resources.flatMap(({ desired }) => desired.references));
  const missing = new Map<string, RecordKey>();
  for (const {
    target: { type, id },
  } of targets)
    if (sharedTypes.includes(type) && !there.has(`${type}/${id}`)) missing.set(`${type}/${id}`, { source, type, id });
  return [...missing.values()];
}

async function storedRecords(store: Store, keys: readonly RecordKey[]) {
  const rows = await Promise.all(
    keys.map(({ source, type, id }) =>
      store.db
        .selectFrom('record')
        .select(['type', 'id', 'content', 'deleted'])
        .where('source', '=', source)
        .where('type', '=', type)
        .where('id', '=', id)
        .executeTakeFirst(),
    ),
  );
  return rows.flatMap((row) =>
    row === undefined || row.deleted || !isRecordType(row.type)
      ? []
      : [{ type: row.type, record: { ...row.content, id: row.id } }],
  );
}

async function readiness(store: Store, feeder: Feeder | undefined): Promise<Readiness> {
  const { database, mappingVersion } = await activeVersion(store.db).then(
    (mappingVersion) => ({ database: { name: 'store', ok: true }, mappingVersion }),
    () => ({
      database: { name: 'store', ok: false, reason: reason('store-unavailable') },
      mappingVersion: undefined,
    }),
  );
  return { checks: feeder === undefined ? [database] : [database, feeding(feeder)], mappingVersion };
}

function feeding(feeder: Feeder): ReadyCheck {
  const passedAt = feeder.lastPassAt();
  const isFeeding = passedAt !== undefined && Date.now() - passedAt < 15_000;
  return isFeeding ? { name: 'feeder', ok: true } : { name: 'feeder', ok: false, reason: reason('feeder-stopped') };
}
