// What a process with lanes does by itself: it runs the lanes that are due, and looks again and again after everything that has a time.

import type { Logger } from 'pino';
import { clockDeps, sweepClocks } from '../clocks/clocks.ts';
import type { Config, ConnectionConfig } from '../config.ts';
import { type Connection, vendors } from '../connections/connections.ts';
import { factsOf } from '../fault.ts';
import {
  configurationOf,
  type Feeder,
  findSought,
  finishDrains,
  type LaneDeps,
  type LaneKey,
  lanesAtOnce,
  probeFailing,
  probePaused,
  pruneAudit,
  pruneHomeVersions,
  pruneOutcomes,
  pruneReplays,
  pruneSeen,
  refreshRoster,
  reviewAlerts,
  reviewMassChanges,
  reviewSubscriptions,
  runDuePolls,
  runLane,
  startFeeder,
  workReplays,
} from '../lanes/lanes.ts';
import { endUntold, type PartnerPage } from '../page/page.ts';
import { openWakeUps } from '../queue/queue.ts';
import { keepUp } from '../store/store.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { type OpenedConnection, openedConnection } from './api.ts';
import { tellConfigured } from './tell-configured.ts';

const pollEveryMs = 250;
const replayEveryMs = 250;
const clockEveryMs = 500;
const drainEveryMs = 500;
const tellEveryMs = 500;
const failingEveryMs = 1_000;
const keepUpEveryMs = 10_000;
const probeEveryMs = 15_000;
const rosterEveryMs = 30_000;
const pruneEveryMs = 3_600_000;
/** It reads all that was seen. */
const pruneSeenEveryMs = 24 * pruneEveryMs;
const mostRunsAtOnce = 32;

export interface WorkParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly deps: LaneDeps;
  /** The connections that are not off. */
  readonly live: readonly ConnectionConfig[];
  readonly opened: ReadonlyMap<string, OpenedConnection>;
  readonly webhooks: Webhooks;
  readonly page: PartnerPage | undefined;
  /** How long a lane that was handed to the queue counts as under way there, in milliseconds. */
  readonly claimMs: number;
}

export interface Work {
  readonly feeder: Feeder;
  /** Takes up nothing more, and waits for what is under way. */
  stop(): Promise<void>;
}

/** Something that is looked after again and again. */
interface Duty {
  /** The pause after each time. */
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
  /** What the log says when it failed; the next time comes all the same. */
  readonly failed: string;
}

/** @throws CasebridgeError `queue-unusable` when Redis cannot be reached */
export async function startWork(parts: WorkParts): Promise<Work> {
  const { config, logger, deps, live, webhooks, claimMs } = parts;
  await webhooks.start();
  const wakeUps = await openWakeUps({
    store: deps.store,
    redisUrl: config.queue.url,
    startEmpty: deps.store.kind === 'embedded' && config.queue.url === undefined,
    onError: (error) => logger.error(factsOf(error), 'the queue reports an error'),
  });
  const slots = live.map((one) => ({
    id: one.id,
    configuration: configurationOf(one),
    slots: lanesAtOnce(one.rateLimit),
  }));
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
  const rounds = duties(parts, feeder).map((duty) => startRound(duty, logger));
  return {
    feeder,
    stop: async () => {
      // All at once: what hangs in one of them must not let another take up more. What the feeder has claimed goes to the queue first.
      const fed = feeder.stop().then(() => wakeUps.close());
      await Promise.all([fed, webhooks.stop(), ...rounds.map((round) => round.stop())]);
    },
  };
}

function duties(parts: WorkParts, feeder: Feeder): Duty[] {
  return [...syncDuties(parts, feeder), ...upkeepDuties(parts), ...pageDuties(parts)];
}

/** What keeps records and servers the same. */
function syncDuties({ config, logger, deps, live, opened }: WorkParts, feeder: Feeder): Duty[] {
  const { store } = deps;
  const capabilities = (id: string) => openedConnection(opened, id).capabilities();
  const kickIf = async (isDue: Promise<boolean>): Promise<void> => {
    if (await isDue) feeder.kick();
  };
  const resume = async () => (await probePaused(deps, async (id) => isWell(opened.get(id)?.connection))) > 0;
  const askFailing = async () =>
    (await probeFailing(deps, async (id) => (await opened.get(id)?.connection.probe()) ?? 'none')) > 0;
  const refresh = async (): Promise<void> => {
    for (const one of live) await refreshRoster(store, one, vendors[one.vendor], { unlessBusy: true });
  };
  const clocks = clockDeps(deps, config, (error) =>
    logger.error(factsOf(error), 'clocks of a case could not be worked out'),
  );
  return [
    {
      everyMs: clockEveryMs,
      work: async () => sweepClocks(clocks, await store.now()),
      failed: 'clocks could not be brought up to date',
    },
    // One for each, so that a server that hangs keeps nobody else waiting.
    ...live.map(({ id }) => ({
      everyMs: pollEveryMs,
      work: () => runDuePolls(deps, capabilities, [id]),
      failed: 'polls could not be looked for',
    })),
    ...[...deps.connections.values()].map((connection) => ({
      everyMs: rosterEveryMs,
      work: () => findSought(store, connection),
      failed: 'patients of a list could not be looked for',
    })),
    { everyMs: rosterEveryMs, work: refresh, failed: 'who is asked about could not be brought up to date' },
    { everyMs: probeEveryMs, work: () => kickIf(resume()), failed: 'paused connections could not be asked' },
    { everyMs: failingEveryMs, work: () => kickIf(askFailing()), failed: 'failing servers could not be asked' },
    { everyMs: replayEveryMs, work: () => kickIf(workReplays(deps)), failed: 'replays could not be moved on' },
    {
      everyMs: probeEveryMs,
      work: tellConfigured(deps.store, deps.connections, logger),
      failed: 'configurations could not be compared',
    },
    { everyMs: drainEveryMs, work: () => finishDrains(store), failed: 'drained connections could not be paused' },
    { everyMs: probeEveryMs, work: () => reviewAlerts(deps), failed: 'alerts could not be brought up to date' },
    {
      everyMs: probeEveryMs,
      work: () => reviewMassChanges(deps),
      failed: 'questions about mass changes could not be brought up to date',
    },
    {
      everyMs: probeEveryMs,
      work: () => reviewSubscriptions(store, live),
      failed: 'subscriptions could not be looked at',
    },
  ];
}

/** What keeps the store quick and as small as it may be. */
function upkeepDuties({ config: { retention }, deps: { store } }: WorkParts): Duty[] {
  return [
    { everyMs: keepUpEveryMs, work: () => keepUp(store), failed: 'tables that have grown could not be looked at' },
    {
      everyMs: pruneEveryMs,
      work: () => pruneOutcomes(store),
      failed: 'old outcomes could not be pruned',
    },
    {
      everyMs: pruneEveryMs,
      work: () => untilNone(() => pruneReplays(store)),
      failed: 'old replays could not be pruned',
    },
    {
      everyMs: pruneEveryMs,
      work: () => untilNone(() => pruneAudit(store, retention)),
      failed: 'the old audit could not be pruned',
    },
    {
      everyMs: pruneEveryMs,
      work: () => untilNone(() => pruneHomeVersions(store, retention)),
      failed: 'old versions could not be pruned',
    },
    {
      everyMs: pruneSeenEveryMs,
      work: () => untilNone(() => pruneSeen(store, retention)),
      failed: 'what was seen of strangers could not be pruned',
    },
  ];
}

function pageDuties({ page, deps: { store } }: WorkParts): Duty[] {
  if (page === undefined)
    return [
      { everyMs: pruneEveryMs, work: () => endUntold(store), failed: 'alerts about partners could not be ended' },
    ];
  return [
    { everyMs: tellEveryMs, work: () => page.tell(), failed: 'partners could not be told' },
    { everyMs: pruneEveryMs, work: () => page.prune(), failed: 'old links to the partner page could not be pruned' },
  ];
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

/** Does the work at once and again and again. */
function startRound({ everyMs, work, failed }: Duty, logger: Logger): Round {
  let stopped = false;
  let running: Promise<unknown> = Promise.resolve();
  const tick = (): void => {
    running = work()
      .catch((error) => logger.error(factsOf(error), failed))
      .finally(() => {
        if (!stopped) timer = setTimeout(tick, everyMs);
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
