// A pause that a server asks for and that is not taken as it says it is told of, once for each way in which it is odd (reliability 74).

import type { Exchanger } from './exchange.ts';
import { type OddWait, oddWait } from './retry-after.ts';

export function notingExchanger(exchanger: Exchanger, note: (how: OddWait) => void): Exchanger {
  const noted = new Set<OddWait>();
  return {
    async exchange(call) {
      const reply = await exchanger.exchange(call);
      const how = reply.fault === undefined ? oddWait(reply.headers['retry-after'], reply.headers.date) : undefined;
      if (how !== undefined && !noted.has(how)) {
        noted.add(how);
        note(how);
      }
      return reply;
    },
    close: () => exchanger.close(),
  };
}
