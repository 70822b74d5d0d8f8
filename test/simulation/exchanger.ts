// A connection's end of the network: what axios and sockets do in production, in virtual time. Gives a request up at its deadline or after 30
// seconds, and says whether it may have reached the server.

import type { Exchanger, HttpCall, HttpReply } from '../../src/connections/exchange.ts';
import { type Fault, makeFault } from '../../src/connections/faults.ts';
import type { Carrier } from './network.ts';
import { runContext } from './run-context.ts';
import type { Actor, Timeline } from './timeline.ts';

/** A write as it left a worker. */
export interface SentWrite {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly worker: string;
  /** The number of the last transaction that the run had committed: the one that stored its intents. */
  readonly afterCommit: number;
  /** The version of the mapping that its run planned by. */
  readonly mapping: string;
}

interface Parts {
  readonly timeline: Timeline;
  readonly actor: Actor;
  readonly network: Carrier;
  /** How long the request waits in its own process, and whether that dies or freezes there. */
  readonly beforeItLeaves: () => number;
  readonly onWrite: (write: SentWrite) => void;
}

const totalMs = 30_000;

export function simulatedExchanger({ timeline, actor, network, beforeItLeaves, onWrite }: Parts): Exchanger {
  return {
    exchange: (call) =>
      new Promise((resolve) => {
        const { lastCommit: afterCommit = 0, mapping = '' } = runContext.getStore() ?? {};
        const { signal } = call.deadline;
        let hasLeft = false;
        let isOver = false;
        const end = (reply: HttpReply | Fault): void => {
          if (isOver) return;
          isOver = true;
          signal.removeEventListener('abort', abort);
          forget();
          resolve(reply);
        };
        const { host } = call.url;
        const abort = () => end(makeFault('aborted', hasLeft, 'connection-aborted', { host }));
        const forget = timeline.after(actor, totalMs, '', () =>
          end(makeFault('timeout', hasLeft, 'connection-timeout', { host })),
        );
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
        timeline.after(actor, beforeItLeaves(), '', () => {
          if (isOver) return;
          if (timeline.now >= call.deadline.at) return abort();
          hasLeft = true;
          if (call.method !== 'GET' && !call.url.pathname.endsWith('$match'))
            onWrite({ ...written(call), at: timeline.now, worker: actor.name, afterCommit, mapping });
          network.carry(
            call,
            (reply) => void timeline.after(actor, 0, `hears ${reply.fault ?? reply.status}`, () => end(reply)),
          );
        });
      }),
    close: () => {},
  };
}

function written({ method, url, body = '' }: HttpCall): Pick<SentWrite, 'method' | 'path' | 'body'> {
  return { method, path: url.pathname, body };
}
