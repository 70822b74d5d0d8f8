// The composition root: the only place that builds the parts and wires them together; start and stop.

import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { clockDeps, sweepClocks } from './clocks/clocks.ts';
import type { Config, ConnectionConfig } from './config.ts';
import { type Capabilities, type Connection, openConnection, vendors } from './connections/connections.ts';
import { CasebridgeError } from './errors.ts';
import { openPartnerInterface } from './facade/facade.ts';
import { factsOf } from './fault.ts';
import { gatewayApi, type OpenedConnection } from './gateway/api.ts';
import { openHome } from './home/home.ts';
import { type GatewayApi, shownChange } from './http/http.ts';
import {
  type Abilities,
  activateMapping,
  activeMappings,
  activeVersion,
  cachedCapabilities,
  checkIdentity,
  createLaneMemories,
  createRunGate,
  type Feeder,
  findSought,
  finishDrains,
  freeDeadLeases,
  freeDeadShares,
  type LaneDeps,
  type LaneKey,
  lanesAtOnce,
  prepareConnection,
  preparePolls,
  probeFailing,
  probePaused,
  probeSoon,
  pruneAudit,
  pruneHomeVersions,
  pruneOutcomes,
  pruneReplays,
  pruneSeen,
  readAbilities,
  refreshRoster,
  reviewAlerts,
  reviewSubscriptions,
  runDuePolls,
  runLane,
  sharedBudget,
  startFeeder,
  workReplays,
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
import { openWakeUps, type WakeUps } from './queue/queue.ts';
import { keepUp, openStore, type Store } from './store/store.ts';
import { openWebhooks, type Webhooks } from './webhooks/webhooks.ts';

/** The mapping files that come with Casebridge. */
export const mappingFolder = fileURLToPath(new URL('../mappings', import.meta.url));

/**
 * The mapping files that come with Casebridge, and the overlay and the facts of guides that the configuration names.
 *
 * @throws CasebridgeError `file-unreadable`
 */
export async function mappingFiles({ guides, overlay }: Pick<Config, 'guides' | 'overlay'>): Promise<MappingFile[]> {
  const own = overlay === undefined ? [] : await readOverlayFiles(overlay);
  return [...(await readMappingFiles(mappingFolder)), ...own, ...(await readGuideFiles(guides))];
}

const pollTickMs = 250;
const rosterTickMs = 30_000;
const pruneTickMs = 3_600_000;
/** It reads all that was seen. */
const pruneSeenTickMs = 24 * pruneTickMs;
const keepUpTickMs = 10_000;
const probeTickMs = 15_000;
const failingTickMs = 1_000;
const replayTickMs = 250;
const drainTickMs = 500;
const clockTickMs = 500;
const tellTickMs = 500;
const mostRunsAtOnce = 32;
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
  }
  for (const one of live) {
    await prepareConnection(store, one);
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
  if (options.lanes) await webhooks.start();
  const page = await openPartnerPage({ store, home, config, log: logger });
  const worker = options.lanes ? await startWorking(deps, live, opened, page, options) : undefined;
  feeder = worker?.feeder;

  function open(one: ConnectionConfig): OpenedConnection {
    const connection = openConnection(
      one,
      config.partners.has(one.id)
        ? { exchanger: home.exchanger(one.id) }
        : { onRequest: metrics.requestSeen, budget: sharedBudget(store, one, holder, Math.random) },
    );
    const capabilities = cachedCapabilities(store, connection, Date.now);
    const abilities = (set: MappingSet): Promise<Abilities> => readAbilities(connection, capabilities, set);
    return {
      connection,
      capabilities,
      lane: { config: one, vendor: connection.vendor, client: connection.client, abilities },
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
    stop: () => {
      stopping ??= stopAll(worker, webhooks, page, opened, store);
      return stopping;
    },
  };
}

interface Working {
  readonly feeder: Feeder;
  readonly wakeUps: WakeUps;
  readonly rounds: readonly Round[];
}

async function startWorking(
  deps: LaneDeps,
  live: readonly ConnectionConfig[],
  opened: ReadonlyMap<string, OpenedConnection>,
  page: PartnerPage | undefined,
  { config, logger, claimMs = deps.leaseMs / 2 }: GatewayOptions,
): Promise<Working> {
  const wakeUps = await openWakeUps({
    store: deps.store,
    redisUrl: config.queue.url,
    startEmpty: deps.store.kind === 'embedded' && config.queue.url === undefined,
    onError: (error) => logger.error(factsOf(error), 'the queue reports an error'),
  });
  const slots = live.map(({ id, rateLimit }) => ({ id, slots: lanesAtOnce(rateLimit) }));
  const feeder = startFeeder(
    {
      store: deps.store,
      connections: () => slots,
      add: (lanes) => wakeUps.add(lanes),
      onError: (error) => logger.error(factsOf(error), 'the feeder could not look for due lanes'),
      claimMs,
    },
    Date.now,
  );
  const run = async (lane: LaneKey): Promise<void> => {
    await runLane(deps, lane);
    feeder.kick();
  };
  wakeUps.work(run, { concurrency: Math.min(mostRunsAtOnce, slots.reduce((sum, one) => sum + one.slots, 0) || 1) });
  const capabilities = (id: string): Promise<Capabilities> => {
    const one = opened.get(id);
    if (one === undefined) throw new CasebridgeError('connection-unknown', { connection: id });
    return one.capabilities();
  };
  const resume = async (): Promise<void> => {
    const resumed = await probePaused(deps, async (id) => isWell(opened.get(id)?.connection));
    if (resumed > 0) feeder.kick();
  };
  const askFailing = async (): Promise<void> => {
    const well = await probeFailing(deps, async (id) => (await opened.get(id)?.connection.probe()) ?? 'none');
    if (well > 0) feeder.kick();
  };
  const replay = async (): Promise<void> => {
    if (await workReplays(deps)) feeder.kick();
  };
  const refresh = async (): Promise<void> => {
    for (const one of live) await refreshRoster(deps.store, one, vendors[one.vendor]);
  };
  const failed = (what: string) => (error: unknown) => logger.error(factsOf(error), what);
  const clocks = clockDeps(deps, config, failed('clocks of a case could not be worked out'));
  const sweep = async () => sweepClocks(clocks, await deps.store.now());
  const rounds = [
    startRound(clockTickMs, sweep, failed('clocks could not be brought up to date')),
    // One for each, so that a server that hangs keeps nobody else waiting.
    ...live.map(({ id }) =>
      startRound(pollTickMs, () => runDuePolls(deps, capabilities, [id]), failed('polls could not be looked for')),
    ),
    ...[...deps.connections.values()].map((connection) =>
      startRound(
        rosterTickMs,
        () => findSought(deps.store, connection),
        failed('patients of a list could not be looked for'),
      ),
    ),
    startRound(rosterTickMs, refresh, failed('who is asked about could not be brought up to date')),
    startRound(probeTickMs, resume, failed('paused connections could not be asked')),
    startRound(failingTickMs, askFailing, failed('failing servers could not be asked')),
    startRound(replayTickMs, replay, failed('replays could not be moved on')),
    startRound(drainTickMs, () => finishDrains(deps.store), failed('drained connections could not be paused')),
    startRound(probeTickMs, () => reviewAlerts(deps.store), failed('alerts could not be brought up to date')),
    startRound(
      probeTickMs,
      () => reviewSubscriptions(deps.store, live),
      failed('subscriptions could not be looked at'),
    ),
    startRound(keepUpTickMs, () => keepUp(deps.store), failed('tables that have grown could not be looked at')),
    startRound(pruneTickMs, () => pruneOutcomes(deps.store), failed('old outcomes could not be pruned')),
    startRound(pruneTickMs, () => pruneReplays(deps.store), failed('old replays could not be pruned')),
    startRound(
      pruneTickMs,
      () => untilNone(() => pruneAudit(deps.store, config.retention)),
      failed('the old audit could not be pruned'),
    ),
    startRound(
      pruneTickMs,
      () => untilNone(() => pruneHomeVersions(deps.store, config.retention)),
      failed('old versions could not be pruned'),
    ),
    startRound(
      pruneSeenTickMs,
      () => untilNone(() => pruneSeen(deps.store, config.retention)),
      failed('what was seen of strangers could not be pruned'),
    ),
    ...(page === undefined
      ? []
      : [
          startRound(tellTickMs, () => page.tell(), failed('partners could not be told')),
          startRound(pruneTickMs, () => page.prune(), failed('old links to the partner page could not be pruned')),
        ]),
  ];
  return { feeder, wakeUps, rounds };
}

/** A batch at a time, so that nothing waits long for the rows. */
async function untilNone(prune: () => Promise<number>): Promise<void> {
  while ((await prune()) > 0);
}

async function isWell(connection: Connection | undefined): Promise<{ ok: boolean }> {
  const diagnosis = await connection?.diagnose();
  return { ok: diagnosis?.reachable === true && diagnosis.auth.ok };
}

interface Round {
  /** Waits for the work under way. */
  stop(): Promise<void>;
}

/** Does the work at once and again and again, with a pause after each time. */
function startRound(pauseMs: number, work: () => Promise<unknown>, onError: (error: unknown) => void): Round {
  let stopped = false;
  let running: Promise<unknown> = Promise.resolve();
  const tick = (): void => {
    running = work()
      .catch(onError)
      .finally(() => {
        if (!stopped) timer = setTimeout(tick, pauseMs);
      });
  };
  let timer = setTimeout(tick, 0);
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** Requests under way may end by themselves for a while. Then they are given up, early enough for their runs to give the lanes back. */
async function stopAll(
  worker: Working | undefined,
  webhooks: Webhooks,
  page: PartnerPage | undefined,
  opened: ReadonlyMap<string, OpenedConnection>,
  store: Store,
): Promise<void> {
  const hangUp = () => Promise.all([...opened.values()].map(({ connection }) => connection.close()));
  const patience = setTimeout(hangUp, requestsMayTakeMs);
  await worker?.feeder.stop();
  await webhooks.stop();
  for (const round of worker?.rounds ?? []) await round.stop();
  page?.close();
  await worker?.wakeUps.close();
  clearTimeout(patience);
  await hangUp();
  await store.close();
}
