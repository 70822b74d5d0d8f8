// Connections to a server that fall silent without an end, as where a host is lost or a firewall has forgotten them.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SilentProxy {
  /** The url of the server, by way of the proxy. */
  readonly url: string;
  /** What is connected now hears nothing any more; a new connection works. */
  silence(): void;
  stop(): Promise<void>;
}

/** Stands before the server of `target`, a url with a port. */
export async function startSilentProxy(target: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(target);
  const ends = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const end of [client, upstream]) {
      ends.add(end);
      end.on('error', () => end.destroy()).on('close', () => ends.delete(end));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: Object.assign(new URL(target), { port: String(portOf(server.address())) }).href,
    silence: () => {
      // Read on, so that what is sent seems to arrive.
      for (const end of ends) end.unpipe().resume();
    },
    stop: () => {
      for (const end of ends) end.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
  return address.port;
}
