// A small HTTP server that answers as each test says and remembers what arrived, and builders for what the tests need.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import type { ConnectionConfig } from '../../src/config.ts';
import type { Connection, ConnectionParts } from '../../src/connections/connections.ts';
import { openConnection } from '../../src/connections/connections.ts';
import type { Json, JsonObject } from '../../src/json.ts';

export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as FHIR JSON, text as it is. */
  readonly body?: JsonObject | string | Uint8Array;
}

export type Handler = (arrived: Arrived) => Answer | Promise<Answer>;

export interface TestServer {
  /** Base URL without a slash at the end. */
  readonly url: string;
  readonly arrived: Arrived[];
}

const stops: (() => void)[] = [];

/** Call in afterEach: stops every server and closes every connection of the test. */
export function stopAll(): void {
  for (const stop of stops.splice(0)) {
    stop();
  }
}

export async function startServer(handler: Handler): Promise<TestServer> {
  const arrived: Arrived[] = [];
  const server = http.createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    arrived.push(seen);
    const answer = await handler(seen);
    const isJson = typeof answer.body === 'object' && !(answer.body instanceof Uint8Array);
    response.writeHead(answer.status ?? 200, {
      ...(isJson && { 'content-type': 'application/fhir+json' }),
      ...answer.headers,
    });
    response.end(isJson ? JSON.stringify(answer.body) : answer.body);
  });
  const port = await listen(server);
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${port}/r4`, arrived };
}

/** A server of bytes: what it does with a socket is the test's own. */
export async function startBytes(onSocket: (socket: Socket) => void): Promise<{ url: string }> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  const port = await listen(server);
  stops.push(() => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  return { url: `http://127.0.0.1:${port}/r4` };
}

export async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the server has no port');
  }
  return address.port;
}

export function aConnection(baseUrl: string, settings: Partial<ConnectionConfig> = {}): ConnectionConfig {
  return {
    id: 'general',
    vendor: 'standard',
    baseUrl,
    auth: { type: 'none' },
    mode: 'live',
    basis: 'treatment',
    sources: ['county'],
    createPatients: false,
    identifierSystems: {},
    task: 'home',
    backfill: 'open-cases',
    pollEveryMs: 60_000,
    polls: {
      types: ['ServiceRequest', 'Task'],
      performers: [],
      referralCodes: [],
      documentTypes: [],
      lookBackMs: 90 * 86_400_000,
    },
    rateLimit: { requestsPerSecond: 1000, concurrency: 8 },
    settleMs: 0,
    documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'none' },
    routes: {},
    ...settings,
  };
}

/** An open connection to a server, closed with it. */
export function connectTo(
  server: { readonly url: string },
  settings: Partial<ConnectionConfig> = {},
  parts: ConnectionParts = {},
): Connection {
  const connection = openConnection(aConnection(server.url, settings), parts);
  stops.push(() => connection.close());
  return connection;
}

/** Something that a test lets happen later. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { opened: promise, open: resolve };
}

export function bundle(resources: readonly Json[], next?: string): JsonObject {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    entry: resources.map((resource) => ({ resource, search: { mode: 'match' } })),
    ...(next !== undefined && { link: [{ relation: 'next', url: next }] }),
  };
}

export function outcome(severity: string, code: string, coding?: string): JsonObject {
  const issue: JsonObject = { severity, code };
  if (coding !== undefined) {
    issue.details = { coding: [{ system: 'urn:oid:1.2.3', code: coding }] };
  }
  return { resourceType: 'OperationOutcome', issue: [issue] };
}
