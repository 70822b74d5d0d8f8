// Bytes between us and the sandbox, of which those that answer a write may end anywhere: in the status line, in a header, in the body.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { atCounts } from './counts.ts';

export interface CuttingProxy {
  readonly base: string;
  /** The next reply of the kind breaks off after so many bytes. */
  cutAfter(bytes: number): void;
  /** How many broke off. */
  cuts(): number;
  /** The last reply of the kind, as far as the server had sent it. */
  lastReply(): Buffer;
  stop(): Promise<void>;
}

/**
 * Where a reply is cut: a few places of each of its parts in a plain run; in a full one each byte up to the first of the body, of which every
 * sixteenth is like all others: less than was announced.
 */
export function placesIn(reply: Buffer): readonly number[] {
  const body = reply.indexOf('\r\n\r\n') + 4;
  const some = [0, 9, Math.floor(body / 2), body - 2, body, reply.length - 1];
  return atCounts({
    plain: [...new Set(some)].filter((bytes) => bytes < reply.length),
    full: Array.from(reply, (_byte, at) => at).filter((at) => at <= body || at % 16 === 0 || at === reply.length - 1),
  });
}

/**
 * Stands before `target`, a FHIR base URL.
 * @param kind of the replies that are cut: how their request begins
 */
export async function startCuttingProxy(target: string, kind = /^POST /): Promise<CuttingProxy> {
  const { hostname, port, pathname } = new URL(target);
  const sockets = new Set<Socket>();
  let cut: number | undefined;
  let cuts = 0;
  let reply = Buffer.alloc(0);
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let isOfKind = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (/^[A-Z]+ \//.test(chunk.toString('latin1'))) {
        isOfKind = kind.test(chunk.toString('latin1'));
        if (isOfKind) reply = Buffer.alloc(0);
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!isOfKind) return client.write(chunk);
      const left = cut === undefined ? chunk.length : cut - reply.length;
      reply = Buffer.concat([reply, chunk]);
      if (left >= chunk.length) return client.write(chunk);
      cut = undefined;
      cuts += 1;
      client.end(chunk.subarray(0, left));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${portOf(server.address())}${pathname}`,
    cutAfter: (bytes) => {
      cut = bytes;
    },
    cuts: () => cuts,
    lastReply: () => reply,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
  return address.port;
}
