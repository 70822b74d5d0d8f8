// The connection that an operator's call is about, where the call only makes sense if that connection works.

import type { Config, ConnectionConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';

/** @throws CasebridgeError `connection-unknown`; `connection-not-in-use` for one that is switched off */
export function workingConnection({ connections }: Config, connection = ''): ConnectionConfig {
  const found = connections.get(connection);
  if (found === undefined) throw new CasebridgeError('connection-unknown', { connection });
  if (found.mode === 'off') throw new CasebridgeError('connection-not-in-use', { connection });
  return found;
}
