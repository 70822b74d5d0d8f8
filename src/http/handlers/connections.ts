// Connections: the list, what each can do, and pausing.

import type { ConnectionConfig } from '../../config.ts';
import { CasebridgeError } from '../../errors.ts';
import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { connectionView, listConnections } from '../queries/connections.ts';
import type { Call, Route } from '../route.ts';
import { workingConnection } from '../working-connection.ts';

const readers = { source: true, operator: 'read' } as const;
const configurers = { source: false, operator: 'configure' } as const;

export const connectionRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/connections',
    summary: 'Connections: whether they are paused or drained, their lanes by state, open alerts.',
    access: readers,
    query: ['limit', 'after'],
    handle: (call) =>
      listConnections(call.gateway.store, visibleConnections(call), {
        limit: limitOf(call.query),
        after: call.query.after,
        source: visibleSource(call),
      }),
  },
  {
    method: 'GET',
    path: '/api/connections/{connection}/capabilities',
    summary: 'What the server is reached by, grants and declares, and the route of each record type with its reason.',
    access: readers,
    handle: (call) => call.gateway.capabilities(addressed(call).id, visibleSource(call)),
  },
  {
    method: 'POST',
    path: '/api/connections/{connection}/pause',
    summary: 'Send nothing more there until it is resumed.',
    access: configurers,
    act: { action: 'pause', on: 'connection' },
    handle: (call) => change(call, (id, by) => call.gateway.pause(id, by)),
  },
  {
    method: 'POST',
    path: '/api/connections/{connection}/drain',
    summary: 'Finish what is due, take nothing new, then pause.',
    access: configurers,
    act: { action: 'drain', on: 'connection' },
    handle: (call) => change(call, (id, by) => call.gateway.drain(id, by)),
  },
  {
    method: 'POST',
    path: '/api/connections/{connection}/resume',
    summary: 'Send again; ends a drain as well.',
    access: configurers,
    act: { action: 'resume', on: 'connection' },
    handle: (call) => change(call, (id, by) => call.gateway.resume(id, by)),
  },
];

async function change(call: Call, act: (id: string, by: string) => Promise<void>): Promise<object> {
  const connection = workingConnection(call.gateway.config, call.path.connection);
  await act(connection.id, call.principal?.name ?? '');
  return connectionView(call.gateway.store, connection, visibleSource(call));
}

function addressed(call: Call): ConnectionConfig {
  const asked = call.path.connection ?? '';
  const found = visibleConnections(call).find(({ id }) => id === asked);
  if (!found) throw new CasebridgeError('connection-unknown', { connection: asked });
  return found;
}

/** A source sees the connections that its cases go to. */
function visibleConnections({ gateway, principal }: Call): ConnectionConfig[] {
  const all = [...gateway.config.connections.values()];
  return principal?.kind === 'source' ? all.filter(({ sources }) => sources.includes(principal.source.id)) : all;
}
