// Bytes between us and the sandbox, of which those that answer a POST may end anywhere: in the status line, in a header, in the body.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly base: string;
  /** The next reply to a POST breaks off after so many bytes. */
  cutAfter(bytes: number): void;
  /** The last reply to a POST, as far as the server had sent it. */
  lastReply(): Buffer;
  stop(): Promise<void>;
}

/** Stands before `target`, a FHIR base URL. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port, pathname } = new URL(target);
  const sockets = new Set<Socket>();
  let cut: number | undefined;
  let reply = Buffer.alloc(0);
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let isPost = false;
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
        isPost = chunk.toString('latin1').startsWith('POST ');
        if (isPost) reply = Buffer.alloc(0);
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!isPost) return client.write(chunk);
      const left = cut === undefined ? chunk.length : cut - reply.length;
      reply = Buffer.concat([reply, chunk]);
      if (left >= chunk.length) return client.write(chunk);
      cut = undefined;
      client.end(chunk.subarray(0, left));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${portOf(server.address())}${pathname}`,
    cutAfter: (bytes) => {
      cut = bytes;
    },
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
