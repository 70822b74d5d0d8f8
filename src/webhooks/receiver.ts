// A source's receiver over HTTP: one signed POST, and what came of it. Its host is somebody else's choice, so a name is resolved here, refused
// where it leads into a private network, and connected to at exactly the addresses that were looked at.

import type { LookupFunction } from 'node:net';
import type { WebhookConfig } from '../config.ts';
import { type Exchanger, guardedLookup, makeFault, openExchanger, retryAfterMs } from '../connections/connections.ts';
import { type Reason, reason } from '../errors.ts';
import { isReachable } from '../public-address.ts';
import { type Message, signedHeaders } from './sign.ts';

export interface Attempt {
  /** The receiver answered 2xx: the change is acknowledged. */
  readonly isTaken: boolean;
  /** '2xx' and so on, or the kind of fault. */
  readonly outcome: string;
  readonly status?: number;
  /** Why it was not taken. */
  readonly reason?: Reason;
  /** What the receiver asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

export interface Receiver {
  /** Posts the message. @param until on the monotonic clock, ms: not sent after, given up then. Never throws. */
  post(message: Message, until: number): Promise<Attempt>;
  /** Gives up what is under way (its outcome is `aborted`) and closes the sockets. */
  close(): void;
}

export interface ReceiverOptions {
  /** Epoch ms, for signatures. */
  readonly clock: () => number;
  readonly concurrency: number;
  /** Until the last byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Resolves names. @default the system's */
  readonly lookup?: LookupFunction;
}

const megabyte = 1024 * 1024;
/** Of an answer nothing but the status is read. */
const mostReplyBytes = megabyte / 16;
const mostRequestBytes = 20 * megabyte;

export function openReceiver(
  config: Pick<WebhookConfig, 'url' | 'secrets' | 'allowPrivate'>,
  options: ReceiverOptions,
): Receiver {
  const url = new URL(config.url);
  const closed = new AbortController();
  const exchanger: Exchanger = openExchanger({
    connection: 'webhook',
    concurrency: options.concurrency,
    limits: {
      connectMs: Math.min(10_000, options.timeoutMs),
      totalMs: options.timeoutMs,
      replyBytes: mostReplyBytes,
      requestBytes: mostRequestBytes,
    },
    lookup: guardedLookup(config.allowPrivate, options.lookup),
  });
  return {
    async post(message, until) {
      // A host that is written as an address is not looked up.
      if (isReachable(url.hostname, config.allowPrivate) === false) {
        const fault = makeFault('refused', false, 'address-not-public', { host: url.hostname });
        return { isTaken: false, outcome: fault.fault, reason: fault.reason };
      }
      const reply = await exchanger.exchange({
        method: 'POST',
        url,
        headers: signedHeaders(message, config.secrets, options.clock()),
        body: message.body,
        deadline: { at: until, signal: closed.signal },
      });
      const { status } = reply;
      // What follows the status may be too long or cut off: the receiver has answered.
      const isTaken = status !== undefined && status >= 200 && status < 300;
      if (isTaken) return { isTaken, outcome: '2xx', status };
      if (reply.fault !== undefined) return { isTaken, outcome: reply.fault, status, reason: reply.reason };
      const asked = retryAfterMs(reply.headers['retry-after'], reply.headers.date);
      return {
        isTaken,
        outcome: `${Math.trunc(reply.status / 100)}xx`,
        status,
        reason: reason('webhook-answered', { status: reply.status }),
        ...(asked !== undefined && { retryAfterMs: asked }),
      };
    },
    close() {
      closed.abort();
      exchanger.close();
    },
  };
}
