// Delivers the changes of one source: what is due is claimed and posted, a few at a time, until the process stops.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../store/store.ts';
import type { Attempt, Receiver } from './receiver.ts';
import { type ChangeRow, type Claimed, claim, enqueue, giveBack, markFailed, markTaken } from './rows.ts';
import type { Message } from './sign.ts';
import { restOfReceiver, waitOfChange } from './waits.ts';

export interface DeliveryDeps {
  readonly store: Store;
  readonly source: string;
  readonly receiver: Receiver;
  readonly giveUpAfterMs: number;
  /** A change as the feed shows it. */
  readonly item: (change: ChangeRow) => object;
  /** Posts at the same time. */
  readonly concurrency: number;
  /** Longer than a post may take; then another process may try. */
  readonly leaseMs: number;
  readonly random: () => number;
  /** `outcome`: `2xx` and so on, or the kind of fault. */
  readonly onAttempt: (outcome: string) => void;
  readonly onDisabled: (code: string) => void;
  readonly onError: (error: unknown) => void;
  /** Between two looks at the store. @default 250 ms */
  readonly tickMs?: number;
}

export interface Deliveries {
  /** Takes nothing new; what is under way is given `patienceMs`, then given up. */
  stop(patienceMs: number): Promise<void>;
}

export function startDeliveries(deps: DeliveryDeps): Deliveries {
  const { store, source, tickMs = 250 } = deps;
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  let pause = new AbortController();

  const pass = async (): Promise<void> => {
    await enqueue(store, source);
    for (const claimed of await claim(store, source, {
      most: deps.concurrency - underWay.size,
      leaseMs: deps.leaseMs,
    })) {
      const work = deliver(deps, claimed)
        .catch(deps.onError)
        .finally(() => {
          underWay.delete(work);
          pause.abort();
        });
      underWay.add(work);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      pause = new AbortController();
      if (underWay.size < deps.concurrency) await pass().catch(deps.onError);
      const { signal } = pause;
      await sleep(tickMs, undefined, { signal: AbortSignal.any([signal, stopping.signal]) }).catch(() => {});
    }
  };
  const running = loop();
  return {
    async stop(patienceMs) {
      stopping.abort();
      await running;
      const patience = setTimeout(() => deps.receiver.close(), patienceMs);
      await Promise.all(underWay);
      clearTimeout(patience);
    },
  };
}

/**
 * The same for every attempt at a change, and another one for what a restored store gives the same cursor: a receiver that knows it has the
 * change.
 */
function messageId({ source, cursor, at }: Pick<ChangeRow, 'source' | 'cursor' | 'at'>): string {
  return `${source}-${cursor}-${at.getTime().toString(36)}`;
}

async function deliver(deps: DeliveryDeps, claimed: Claimed): Promise<void> {
  const { store, receiver, leaseMs } = deps;
  const { change } = claimed;
  const until = performance.now() + leaseMs;
  const message: Message = { id: messageId(change), body: JSON.stringify(deps.item(change)) };
  const attempt = await receiver.post(message, until);
  deps.onAttempt(attempt.outcome);
  if (attempt.isTaken) return markTaken(store, claimed);
  if (attempt.outcome === 'aborted' || attempt.reason === undefined) return giveBack(store, claimed);
  return failed(deps, claimed, { ...attempt, reason: attempt.reason });
}

const gone = 410;

async function failed(
  { store, random, giveUpAfterMs, onDisabled }: DeliveryDeps,
  claimed: Claimed,
  { reason, status, retryAfterMs }: Attempt & Required<Pick<Attempt, 'reason'>>,
): Promise<void> {
  const disabled = await markFailed(store, claimed, {
    reason,
    waitMs: waitOfChange(claimed.attempts, random(), retryAfterMs),
    restMs: (failures, failingMs) => restOfReceiver(failures, failingMs, random(), retryAfterMs),
    isFinal: status === gone,
    giveUpAfterMs,
  });
  if (disabled !== undefined) onDisabled(disabled.code);
}
