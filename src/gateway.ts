// The composition root: the only place that builds the parts and wires them together; start and stop.

import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config, ConnectionConfig } from './config.ts';
import { openConnection, vendors } from './connections/connections.ts';
import { openPartnerInterface } from './facade/facade.ts';
import { factsOf } from './fault.ts';
import { gatewayApi, type OpenedConnection } from './gateway/api.ts';
import { startWork, type Work } from './gateway/work.ts';
import { openHome } from './home/home.ts';
import { type GatewayApi, shownChange } from './http/http.ts';
import {
  type Abilities,
  activateMapping,
  activeMappings,
  activeVersion,
  cachedCapabilities,
  checkIdentity,
  checkNames,
  configurationOf,
  createLaneMemories,
  createRunGate,
  type Feeder,
  freeDeadLeases,
  freeDeadShares,
  type LaneDeps,
  noteOff,
  prepareConnection,
  preparePolls,
  probeSoon,
  readAbilities,
  refreshRoster,
  sharedBudget,
  workDryRuns,
} from './lanes/lanes.ts';
import {
  type MappingFile,
  type MappingSet,
  readGuideFiles,
  readMappingFiles,
  readOverlayFiles,
} from './mapping/mapping.ts';
import { createMetrics } from './metrics.ts';
import { openPartnerPage, type PartnerPage } from './page/page.ts';
import { openStore, type Store } from './store/store.ts';
import { openWebhooks } from './webhooks/webhooks.ts';

/** The mapping files that come with Casebridge. */
export const mappingFolder = fileURLToPath(new URL('../mappings', import.meta.url));

/**
 * The mapping files that come with Casebridge, and the overlay and the facts of guides that the configuration names.
 *
 * @throws CasebridgeError `setting-unreadable`
 */
export async function mappingFiles({ guides, overlay }: Pick<Config, 'guides' | 'overlay'>): Promise<MappingFile[]> {
  const own = overlay === undefined ? [] : await readOverlayFiles(overlay);
  return [...(await readMappingFiles(mappingFolder)), ...own, ...(await readGuideFiles(guides))];
}

/** At a stop; the queue waits longer than this for runs to end, so that a run can still store that its request was given up. */
const requestsMayTakeMs = 10_000;

export interface GatewayOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Run lanes and polls in this process. */
  readonly lanes: boolean;
  /** Activate the shipped mapping files, as `serve` does; the others use what the store names, if it names any. @default true */
  readonly activate?: boolean;
  /** How long a run may hold a lane without a sign of life, in milliseconds. @default the configured one */
  readonly leaseMs?: number;
  /** How long a lane that was handed to the queue counts as under way there, in milliseconds. @default half of `leaseMs` */
  readonly claimMs?: number;
  /** Opens the store; a test puts its own around it. @default openStore */
  readonly open?: (config: Config) => Promise<Store>;
}

export interface Gateway {
  readonly api: GatewayApi;
  /** What the mappings leave undone of the profiles that they name; for the log, once the start has succeeded. */
  readonly mappingWarnings: MappingSet['warnings'];
  /**
   * Activates the mapping files as they are now, for all processes on this store; what runs goes on under the version that it began with.
   *
   * @returns the version that is active then, and what it leaves undone
   * @throws CasebridgeError where they cannot be read or are wrong: the version before stays active
   */
  reloadMappings(): Promise<Pick<MappingSet, 'version' | 'warnings'>>;
  /** Moves the dry runs of the store on, a few lanes at a time, where no lanes are worked on; elsewhere that is done without asking. */
  workDryRuns(): Promise<void>;
  /** Finishes what runs, gives the rest back, closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Opens the store, prepares it, and starts to work.
 *
 * @throws CasebridgeError when the store, the configuration or the mappings do not allow a start; nothing is left open.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const store = await (options.open ?? openConfigured)(options.config);
  try {
    return await assemble(options, store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

function openConfigured({ store }: Config): Promise<Store> {
  return openStore(store.url === undefined ? { folder: store.folder } : { url: store.url, folder: store.folder });
}

async function assemble(options: GatewayOptions, store: Store): Promise<Gateway> {
  const { config, logger, leaseMs = config.lanes.leaseMs } = options;
  await checkIdentity(store, config.identifierSystem);
  await checkNames(store, [...config.connections.values()]);
  if ((options.activate ?? true) || (await activeVersion(store.db)) === undefined)
    await activateMapping(store, await mappingFiles(config));
  const mappings = activeMappings(store);
  // Compiled now, so that a start fails where its mappings would.
  const { warnings } = await mappings();
  const metrics = createMetrics(store);
  const holder = `${hostname()}/${process.pid}/${randomBytes(3).toString('hex')}`;
  await freeDeadShares(store);
  let feeder: Feeder | undefined;
  const home = openHome({
    store,
    config,
    newId: randomUUID,
    mappings,
    wake: () => feeder?.kick(),
    onError: (error) => logger.error(factsOf(error), 'the home of a partner could not answer a lane'),
  });
  const partnerInterface = openPartnerInterface(store, config, home);
  const live = [...config.connections.values()].filter(({ mode }) => mode !== 'off');
  const opened = new Map(live.map((one) => [one.id, open(one)]));
  if (options.lanes) {
    await freeDeadLeases(store);
    await probeSoon(store);
    await noteOff(
      store,
      live.map(({ id }) => id),
    );
  }
  for (const one of live) {
    if (!(await prepareConnection(store, one, { onlyNew: !options.lanes }))) continue;
    await preparePolls(store, one, vendors[one.vendor]);
    await refreshRoster(store, one, vendors[one.vendor]);
  }

  const deps: LaneDeps = {
    store,
    identifierSystem: config.identifierSystem,
    connections: new Map([...opened].map(([id, { lane }]) => [id, lane])),
    mappings,
    holder,
    leaseMs,
    gate: createRunGate(),
    memories: createLaneMemories(),
    timeZone: (source) => config.sources.get(source)?.timeZone ?? 'UTC',
    clock: Date.now,
    newId: randomUUID,
    random: Math.random,
    wake: (lanes) => {
      if (lanes.length > 0) feeder?.kick();
    },
    log: logger,
    onRun: (connection, outcome) => metrics.runs.inc({ connection, outcome }),
  };
  const webhooks = openWebhooks({
    store,
    sources: config.sources,
    item: shownChange,
    log: logger,
    clock: Date.now,
    random: Math.random,
    onAttempt: (source, outcome) => metrics.deliveries.inc({ source, outcome }),
  });
  const page = await openPartnerPage({ store, home, config, log: logger });
  const { claimMs = leaseMs / 2 } = options;
  const work = options.lanes
    ? await startWork({ config, logger, deps, live, opened, webhooks, page, claimMs })
    : undefined;
  feeder = work?.feeder;

  function open(one: ConnectionConfig): OpenedConnection {
    const connection = openConnection(
      one,
      config.partners.has(one.id)
        ? { exchanger: home.exchanger(one.id) }
        : {
            onRequest: metrics.requestSeen,
            onOddWait: (retryAfter) =>
              logger.warn(
                { connection: one.id, retryAfter },
                'the server asks for a pause that is not taken as it says it',
              ),
            budget: sharedBudget(store, one, holder, Math.random),
          },
    );
    const capabilities = cachedCapabilities(store, connection, Date.now);
    const abilities = (set: MappingSet): Promise<Abilities> => readAbilities(connection, capabilities, set);
    return {
      connection,
      capabilities,
      lane: {
        config: one,
        configuration: configurationOf(one),
        vendor: connection.vendor,
        client: connection.client,
        abilities,
      },
    };
  }

  let stopping: Promise<void> | undefined;
  return {
    mappingWarnings: warnings,
    api: gatewayApi({
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
      feeder: () => feeder,
    }),
    reloadMappings: async () => {
      await activateMapping(store, await mappingFiles(config));
      return mappings();
    },
    workDryRuns: () => workDryRuns(deps),
    stop: () => {
      stopping ??= stopAll(work, page, opened, store);
      return stopping;
    },
  };
}

/** Requests under way may end by themselves for a while. Then they are given up, early enough for their runs to give the lanes back. */
async function stopAll(
  work: Work | undefined,
  page: PartnerPage | undefined,
  opened: ReadonlyMap<string, OpenedConnection>,
  store: Store,
): Promise<void> {
  const hangUp = () => Promise.all([...opened.values()].map(({ connection }) => connection.close()));
  const patience = setTimeout(hangUp, requestsMayTakeMs);
  await work?.stop();
  page?.close();
  clearTimeout(patience);
  await hangUp();
  await store.close();
}
