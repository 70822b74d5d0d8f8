// A server between us and the sandbox that rewrites what passes, as vendors do: texts changed on the way in, statements on the way out.

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';

export interface Rewriting {
  /** A body on its way to the server. */
  readonly request?: (body: JsonObject, path: string) => JsonObject;
  /** A body on its way back. */
  readonly response?: (body: JsonObject, path: string) => JsonObject;
  /** A body on its way back as text, which need not be JSON any more. */
  readonly text?: (text: string, path: string) => string;
}

export interface Proxy {
  readonly base: string;
  stop(): Promise<void>;
}

/** Stands before `target`, a FHIR base URL. */
export async function startProxy(target: string, rewriting: Rewriting): Promise<Proxy> {
  const { origin, pathname } = new URL(target);
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '').slice(pathname.length + 1);
    const given = await readBody(request);
    const body = rewriting.request === undefined || given === undefined ? given : rewriting.request(given, path);
    const reply = await fetch(`${origin}${request.url}`, {
      method: request.method ?? 'GET',
      headers: passedOn(request),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    const answer: Json = text === '' ? null : JSON.parse(text);
    const changed = isObject(answer) && rewriting.response !== undefined ? rewriting.response(answer, path) : answer;
    const headers = new Map(
      [...reply.headers].filter(([name]) => !['content-length', 'transfer-encoding', 'connection'].includes(name)),
    );
    response.writeHead(reply.status, Object.fromEntries(headers));
    const sent = JSON.stringify(changed);
    response.end(text === '' ? undefined : (rewriting.text?.(sent, path) ?? sent));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = addressOf(server.address());
  return {
    base: `http://127.0.0.1:${port}${pathname}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<JsonObject | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}

function passedOn(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && !['host', 'connection', 'content-length'].includes(name)) headers.set(name, value);
  }
  return headers;
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
  return address;
}
