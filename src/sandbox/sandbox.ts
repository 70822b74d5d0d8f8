// Front door of the sandbox: simulated FHIR servers in one process, for anyone who wants to test against them (design section 8). Everything is in
// memory. The definitions they check by cost a second and 200 MB and are loaded with the first start.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { control, problem } from './control/control.ts';
import { type Delivery, deliver } from './deliver.ts';
import { SandboxRequest } from './exchange.ts';
import { type SimulatedServer, serve } from './serve.ts';
import { oracleTenant } from './vendors/oracle/tenant.ts';

export { hospitalSeed, inventedPeople, type SeedPerson } from './hospital-seed.ts';

export interface Sandbox {
  /** Such as http://127.0.0.1:8090, without a slash at the end. */
  url: string;
  /** FHIR base URL of each simulated server by its name. */
  fhirBases: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const fhirPaths: Readonly<Record<string, string>> = {
  standard: '/standard/fhir/R4',
  epic: '/epic/api/FHIR/R4',
  oracle: `/oracle/r4/${oracleTenant}`,
};

const bodyLimit = 10 * 1024 * 1024;
const seedLimit = 50 * 1024 * 1024;

/**
 * Starts the simulated servers.
 * @param options port 0 takes a free one; host is 127.0.0.1 by default
 * @throws the listening error of Node, such as EADDRINUSE
 */
export async function startSandbox(options: { port: number; host?: string }): Promise<Sandbox> {
  const { EpicServer } = await import('./vendors/epic/epic.ts');
  const { OracleServer } = await import('./vendors/oracle/oracle.ts');
  const { StandardServer } = await import('./vendors/standard.ts');
  const servers: Record<string, SimulatedServer> = {
    epic: new EpicServer(),
    oracle: new OracleServer(),
    standard: new StandardServer(),
  };
  const listener = createServer((incoming, outgoing) => void exchange(servers, incoming, outgoing));
  const { port, host = '127.0.0.1' } = options;
  // Longer than clients keep theirs, so that no request meets a closing connection that no fault has asked for.
  listener.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, host, resolve);
  });
  const url = urlOf(listener, host);
  const fhirBases = Object.fromEntries(Object.keys(servers).map((name) => [name, `${url}${fhirPaths[name] ?? ''}`]));
  return { url, fhirBases, stop: () => stop(listener) };
}

async function exchange(
  servers: Readonly<Record<string, SimulatedServer>>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    await deliver(outgoing, await answer(servers, incoming));
  } catch (error) {
    // The client has gone while it was sending, or a fault of the simulation itself, which the client must see.
    if (incoming.destroyed && !incoming.complete) return;
    const text = error instanceof Error ? error.message : 'Unknown error in the sandbox.';
    await deliver(outgoing, { reply: problem(500, text) });
  }
}

async function answer(
  servers: Readonly<Record<string, SimulatedServer>>,
  incoming: IncomingMessage,
): Promise<Delivery> {
  const address = `http://${incoming.headers.host ?? 'localhost'}${incoming.url ?? '/'}`;
  if (!URL.canParse(address)) return { reply: problem(400, 'The URL cannot be read.') };
  const url = new URL(address);
  const [, first = '', second = '', ...rest] = url.pathname.split('/');
  const isControl = first === '_control';
  const server = servers[isControl ? second : first];
  const text = await readBody(incoming, isControl ? seedLimit : bodyLimit);
  if (server === undefined) {
    const names = Object.keys(servers).join(', ');
    return { reply: problem(404, `There is no simulated server here. There is: ${names}.`) };
  }
  if (text === undefined && isControl) return { reply: problem(413, 'The body is too long.') };
  const request = new SandboxRequest(incoming.method ?? 'GET', url, singleHeaders(incoming), text);
  return isControl ? { reply: control(server, request, rest.join('/')) } : serve(server, request);
}

/** The body as text; of one beyond the limit the rest is read and thrown away, so that the answer arrives. */
async function readBody(incoming: IncomingMessage, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
  }
  return length <= limit ? Buffer.concat(chunks).toString('utf8') : undefined;
}

function singleHeaders({ headers }: IncomingMessage): Record<string, string> {
  const single: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) single[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return single;
}

function urlOf(listener: Server, host: string): string {
  const address = listener.address();
  return `http://${host.includes(':') ? `[${host}]` : host}:${isAddress(address) ? address.port : ''}`;
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

async function stop(listener: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    listener.close(() => resolve());
    listener.closeAllConnections();
  });
}
