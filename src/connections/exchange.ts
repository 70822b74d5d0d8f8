// One HTTP request and its answer, on axios: limits, time-outs, and every failure told as a fault. Follows no redirect, takes
// no proxy from the environment, and offers no way to turn certificate checks off.

import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import axios from 'axios';
import type { Deadline } from './deadline.ts';
import { EntryCutter } from './entry-cutter.ts';
import type { Fault } from './faults.ts';
import { makeFault, networkFault } from './faults.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly deadline: Pick<Deadline, 'at' | 'signal'>;
  /** The entries of a page that cannot be read are left out of it (`entry-cutter.ts`). */
  readonly cut?: boolean;
}

export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly fault?: undefined;
}

export interface ExchangeLimits {
  /** Until the connection stands, TLS included. @default 10,000 */
  readonly connectMs: number;
  /** From the hand-over to the last byte of the reply. @default 30,000 */
  readonly totalMs: number;
  /** Of a reply, unpacked. @default 20 MB */
  readonly replyBytes: number;
  /** Of a request body. @default 20 MB */
  readonly requestBytes: number;
}

const megabyte = 1024 * 1024;

export const defaultLimits: ExchangeLimits = {
  connectMs: 10_000,
  totalMs: 30_000,
  replyBytes: 20 * megabyte,
  requestBytes: 20 * megabyte,
};

/** One finished request, for metrics. `statusClass` is '2xx' and so on, or the kind of fault. */
export interface RequestSeen {
  readonly connection: string;
  readonly method: string;
  readonly statusClass: string;
  readonly ms: number;
}

export interface Exchanger {
  /** Never throws: what goes wrong is a fault. */
  exchange(call: HttpCall): Promise<HttpReply | Fault>;
  /** Closes the sockets. */
  close(): void;
}

/** The one axios instance of a connection, with keep-alive sockets, at most `concurrency` per host. */
export function openExchanger(options: {
  readonly connection: string;
  readonly concurrency: number;
  readonly limits: ExchangeLimits;
  readonly onRequest?: (seen: RequestSeen) => void;
  /** Resolves names; the connection goes to no other address than it answers. @default the system's */
  readonly lookup?: LookupFunction;
}): Exchanger {
  const { limits, lookup } = options;
  const sockets = { keepAlive: true, maxSockets: options.concurrency, ...(lookup && { lookup }) };
  const agents = { httpAgent: new http.Agent(sockets), httpsAgent: new https.Agent(sockets) };
  const client = axios.create({
    ...agents,
    proxy: false,
    maxRedirects: 0,
    maxContentLength: limits.replyBytes,
    maxBodyLength: limits.requestBytes,
    responseType: 'arraybuffer',
    validateStatus: () => true,
    transformRequest: (data: unknown) => data,
    transformResponse: (data: unknown) => data,
  });

  async function exchange(call: HttpCall): Promise<HttpReply | Fault> {
    if (call.body !== undefined && Buffer.byteLength(call.body) > limits.requestBytes) {
      const limit = limits.requestBytes / megabyte;
      return makeFault('too-large', false, 'connection-request-too-large', { host: call.url.host, limit });
    }
    const attempt = startAttempt(call, limits);
    try {
      const request = {
        method: call.method,
        url: call.url.href,
        headers: { 'user-agent': 'casebridge', ...call.headers },
        data: call.body,
        signal: attempt.signal,
        transport: attempt.transport,
      };
      if (call.cut) {
        const answer = await client.request<Readable>({ ...request, responseType: 'stream', maxContentLength: -1 });
        const bytes = await readCut(answer.data, attempt.signal, limits.replyBytes);
        return { status: answer.status, headers: flatHeaders(answer.headers), bytes };
      }
      const answer = await client.request<Uint8Array>(request);
      return { status: answer.status, headers: flatHeaders(answer.headers), bytes: answer.data };
    } catch (error) {
      return attempt.fault(error);
    } finally {
      attempt.end();
    }
  }

  return {
    async exchange(call) {
      const startedAt = performance.now();
      const reply = await exchange(call);
      options.onRequest?.({
        connection: options.connection,
        method: call.method,
        statusClass: reply.fault ?? `${Math.trunc(reply.status / 100)}xx`,
        ms: performance.now() - startedAt,
      });
      return reply;
    },
    close() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

/** Watches one request: its timers, whether bytes may have left, and what stopped it. */
function startAttempt(call: HttpCall, limits: ExchangeLimits) {
  const { host } = call.url;
  const stopping = new AbortController();
  let stopped: Fault | undefined;
  let sent = false;
  let status: number | undefined;
  let connectTimer: NodeJS.Timeout | undefined;

  const stop = (fault: Fault) => {
    stopped ??= fault;
    stopping.abort();
  };
  const abort = () => stop(makeFault('aborted', sent, 'connection-aborted', { host }, { status }));
  const timeOut = () => stop(makeFault('timeout', sent, 'connection-timeout', { host }, { status }));
  const totalTimer = setTimeout(timeOut, limits.totalMs);
  call.deadline.signal.addEventListener('abort', abort, { once: true });
  if (call.deadline.signal.aborted) {
    abort();
  }

  function onSocket(request: ClientRequest, connectedEvent: 'connect' | 'secureConnect'): void {
    request.once('socket', (socket) => {
      // The timer of a busy process may be late; nothing has been written to the socket yet.
      if (performance.now() >= call.deadline.at) {
        abort();
        return;
      }
      // A socket that stands already takes bytes at once. `reusedSocket` does not say so of one that another request has just given back.
      if (!socket.connecting) {
        sent = true;
        return;
      }
      connectTimer = setTimeout(timeOut, limits.connectMs);
      socket.once(connectedEvent, () => {
        clearTimeout(connectTimer);
        sent = true;
      });
    });
  }

  return {
    signal: stopping.signal,
    transport: {
      request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest {
        const secure = options.protocol === 'https:';
        const request = (secure ? https : http).request(options, (response) => {
          status = response.statusCode;
          onResponse(response);
        });
        onSocket(request, secure ? 'secureConnect' : 'connect');
        return request;
      },
    },
    fault(error: unknown): Fault {
      if (stopped !== undefined) {
        return stopped;
      }
      // axios has no code of its own for a reply above the limit.
      if (error instanceof Error && error.message.startsWith(tooLong)) {
        const limit = limits.replyBytes / megabyte;
        return makeFault('too-large', true, 'connection-reply-too-large', { host, limit }, { status });
      }
      return networkFault(errorCode(error), sent, host, status);
    },
    end() {
      clearTimeout(totalTimer);
      clearTimeout(connectTimer);
      call.deadline.signal.removeEventListener('abort', abort);
    },
  };
}

/** The body without the entries that are larger than a whole page may be. */
async function readCut(body: Readable, signal: AbortSignal, mostBytes: number): Promise<Uint8Array> {
  const cutter = new EntryCutter(mostBytes);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of addAbortSignal(signal, body)) {
    for (const piece of cutter.push(chunk)) {
      size += piece.length;
      if (size > mostBytes) throw new Error(tooLong);
      pieces.push(Uint8Array.from(piece));
    }
  }
  return Buffer.concat(pieces);
}

/** How axios says it. */
const tooLong = 'maxContentLength';

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

function flatHeaders(headers: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : String(value),
    ]),
  );
}
