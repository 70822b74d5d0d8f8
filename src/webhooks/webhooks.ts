// Front door of webhooks/: changes of the feed posted to the sources that want them, signed, at least once, in order for each case
// (docs/changes.md).

import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { SourceConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { factsOf } from '../fault.ts';
import type { Store } from '../store/store.ts';
import { type Deliveries, startDeliveries } from './deliver.ts';
import { type Attempt, openReceiver, type Receiver } from './receiver.ts';
import { type ChangeRow, enable, freeDeliveries, replayAfter, reviewReceivers } from './rows.ts';

export { openReceiver } from './receiver.ts';

export interface Webhooks {
  /** Begins to deliver, in this process too. */
  start(): Promise<void>;
  /** Posts one `ping`, whatever the state of the webhook, which it leaves as it is. @throws CasebridgeError `webhook-unknown` */
  test(source: string): Promise<Attempt>;
  /** Goes on after it was disabled, or at once where it rests. @throws CasebridgeError `webhook-unknown` */
  enable(source: string): Promise<void>;
  /** Delivers what comes after this cursor once more. @returns how many changes @throws CasebridgeError `webhook-unknown` */
  replay(source: string, after: number): Promise<number>;
  /** Takes nothing new and gives up what is under way after `patienceMs`. @param patienceMs @default 5 s */
  stop(patienceMs?: number): Promise<void>;
}

export interface WebhookDeps {
  readonly store: Store;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  /** A change as the feed shows it. */
  readonly item: (change: ChangeRow) => object;
  readonly log: Pick<Logger, 'warn' | 'error'>;
  /** Epoch ms. */
  readonly clock: () => number;
  readonly random: () => number;
  readonly onAttempt: (source: string, outcome: string) => void;
  /** How long one post may take, in milliseconds. @default 15 s */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 15_000;
/** Beside the time that a post may take: for what the store needs before and after it. */
const leaseMarginMs = 15_000;
const postsAtOnce = 8;
const postsMayTakeMs = 5_000;

export function openWebhooks(deps: WebhookDeps): Webhooks {
  const { store, sources, clock, timeoutMs = defaultTimeoutMs } = deps;
  const leaseMs = timeoutMs + leaseMarginMs;
  const opened = new Map(
    [...sources.values()].flatMap(({ id, webhook }) =>
      webhook === undefined
        ? []
        : [[id, { webhook, receiver: openReceiver(webhook, { clock, timeoutMs, concurrency: postsAtOnce }) }] as const],
    ),
  );
  const receiverOf = (source: string): Receiver => {
    const one = opened.get(source);
    if (one === undefined) throw new CasebridgeError('webhook-unknown', { source });
    return one.receiver;
  };
  let deliveries: Deliveries[] = [];
  return {
    async start() {
      await freeDeliveries(store);
      await reviewReceivers(store, [...opened.keys()]);
      deliveries = [...opened].map(([source, { webhook, receiver }]) =>
        startDeliveries({
          store,
          source,
          receiver,
          giveUpAfterMs: webhook.giveUpAfterMs,
          item: deps.item,
          concurrency: postsAtOnce,
          leaseMs,
          random: deps.random,
          onAttempt: (outcome) => deps.onAttempt(source, outcome),
          onDisabled: (code) => deps.log.warn({ source, code }, 'the webhook is disabled'),
          onError: (error) => deps.log.error({ source, ...factsOf(error) }, 'a change could not be delivered'),
        }),
      );
    },
    async test(source) {
      const body = JSON.stringify({ op: 'ping', at: new Date(clock()).toISOString() });
      return receiverOf(source).post({ id: `ping-${randomUUID()}`, body }, performance.now() + leaseMs);
    },
    async enable(source) {
      receiverOf(source);
      await enable(store, source);
    },
    async replay(source, after) {
      receiverOf(source);
      return replayAfter(store, source, after);
    },
    async stop(patienceMs = postsMayTakeMs) {
      await Promise.all(deliveries.map((one) => one.stop(patienceMs)));
      for (const { receiver } of opened.values()) receiver.close();
    },
  };
}
