// The server around the app: how long and how large a request may be before there is one, and a stop that lets running ones end.

import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Express } from 'express';
import type { ServerConfig } from '../config.ts';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { problemOf } from './problem.ts';
import { apiVersion, defaultLimits, type HttpLimits } from './route.ts';

export interface Listening {
  /** Such as http://127.0.0.1:8080, without a slash at the end. */
  readonly url: string;
  /** Takes no more requests and waits for the running ones, at most `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts to listen.
 * @throws the listening error of Node, such as EADDRINUSE
 */
export async function listen(app: Express, config: ServerConfig, limits: Partial<HttpLimits> = {}): Promise<Listening> {
  const bounds = { ...defaultLimits, ...limits };
  const server = createServer({
    maxHeaderSize: bounds.headerBytes,
    headersTimeout: bounds.headerMs,
    // Bodies are timed where they are read: a stream of records may last, as long as it does not stop.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(bounds.headerMs, 2000),
  });
  server.on('request', app);
  server.on('clientError', (error, socket) => refuse(error, socket, bounds));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(config.port, config.host, resolve);
  await promise;
  return { url: urlOf(server, config.host), close: (graceMs = 10_000) => close(server, graceMs) };
}

/** Answers what is no request yet: Node has read too much, too little or nonsense. */
function refuse(error: Error, socket: Duplex, limits: HttpLimits): void {
  if (!socket.writable || errorCode(error) === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, body } = problemOf(malformed(error, limits), 'none');
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${String(body.title)}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    `Casebridge-Api: ${apiVersion}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

function malformed(error: Error, { headerBytes, addressBytes }: HttpLimits): CasebridgeError {
  const code = errorCode(error);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new CasebridgeError('header-too-slow');
  if (code !== 'HPE_HEADER_OVERFLOW') return new CasebridgeError('request-malformed');
  const packet = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : Buffer.alloc(0);
  // Node counts the address with the headers; the first line tells which of them is the long one.
  const isAddress = packet.subarray(0, addressBytes).indexOf('\r\n') === -1;
  return isAddress
    ? new CasebridgeError('address-too-long', { limit: addressBytes })
    : new CasebridgeError('header-too-large', { limit: headerBytes });
}

function urlOf(server: Server, host = 'localhost'): string {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function close(server: Server, graceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  server.close(() => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}
