// Requests for a token and for where to get one: they take from the connection's budget like all others (lanes.md 4).

import type { Exchanger } from './exchange.ts';
import { makeFault } from './faults.ts';
import type { Limiter } from './limiter.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export function meteredExchanger(exchanger: Exchanger, limiter: Limiter): Exchanger {
  return {
    async exchange(call) {
      const turn = await limiter.take('token', call.deadline.signal);
      if (turn === undefined || turn.fault !== undefined) {
        return turn ?? makeFault('aborted', false, 'connection-aborted', { host: call.url.host });
      }
      let verdict: Verdict = 'none';
      try {
        const reply = await exchanger.exchange(call);
        verdict = verdictOf(reply);
        return reply;
      } finally {
        turn.release(verdict);
      }
    },
    close: () => exchanger.close(),
  };
}
