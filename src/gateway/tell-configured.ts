// A process that was started with another configuration of a connection than the one in force does nothing there: the log says so, for nothing else does.

import { configuredOtherwise, type LaneLog } from '../lanes/lanes.ts';
import type { Store } from '../store/store.ts';

/** Each look tells what no look has told before: once for each connection, and once when it is over. */
export function tellConfigured(
  store: Store,
  connections: Parameters<typeof configuredOtherwise>[1],
  log: Pick<LaneLog, 'info' | 'warn'>,
): () => Promise<void> {
  const told = new Set<string>();
  return async () => {
    const others = await configuredOtherwise(store, connections);
    for (const [connection, { since, isOff }] of others) {
      if (told.has(connection)) continue;
      told.add(connection);
      const what = isOff ? 'the connection is off by' : 'the connection is set up otherwise by';
      log.warn(
        { connection, since },
        `${what} the configuration in force: this process does nothing there until it is restarted with that configuration`,
      );
    }
    for (const connection of told) {
      if (others.has(connection)) continue;
      told.delete(connection);
      log.info({ connection }, 'the configuration of this process is in force again for the connection');
    }
  };
}
