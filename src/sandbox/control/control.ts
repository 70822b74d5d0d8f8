// `/_control/{server}/…`: how a test loads, inspects and breaks a simulated server. It shows the truth, without the vendor's rules, and is
// itself neither journalled nor struck by faults.
//
//   POST   seed            collection, transaction or batch Bundle, one resource, a list of resources, or NDJSON  -> {seeded, byType}
//   POST   reset           as after the start
//   GET    resources       {Task: 3, …}
//   GET    resources/{type}?after=<id>&limit=     the newest version of each
//   GET    journal?after=<n>&limit=
//   GET    faults, POST faults [rule…] (replaces all), DELETE faults
//   GET    clock, POST clock {now} | {advance: "4h"} | {real: true}     -> {now, offsetMs}
//   GET    settings, POST settings {…}    those of each server: vendors/standard-settings.ts, vendors/epic/settings.ts
//   GET    clients, POST clients [{clientId, jwks | jwksUrl | secret, scopes}]
//   POST   tokens/expire   -> {expired}

import { parseDuration } from '../clock.ts';
import { jsonReply, type Reply, SandboxRequest } from '../exchange.ts';
import type { SimulatedServer } from '../serve.ts';
import { InvalidControl } from './check-body.ts';
import { readClients, readClock, readFaults } from './control-bodies.ts';
import { seed } from './seed.ts';

type Command = (server: SimulatedServer, request: SandboxRequest, rest: string | undefined) => unknown;

const commands: Readonly<Record<string, Command>> = {
  'POST seed': (server, request) => seed(server, request),
  'POST reset': (server) => {
    server.reset();
    return {};
  },
  'GET resources': (server, request, type) => (type === undefined ? counts(server) : resources(server, request, type)),
  'GET journal': (server, { url }) =>
    server.journal.list(whole(url, 'after') ?? 0, whole(url, 'limit') ?? Number.POSITIVE_INFINITY),
  'GET faults': (server) => server.faults.list(),
  'POST faults': (server, request) => {
    server.faults.set(readFaults(json(request)));
    return server.faults.list();
  },
  'DELETE faults': (server) => {
    server.faults.set([]);
    return [];
  },
  'GET clock': (server) => clockState(server),
  'POST clock': (server, request) => setClock(server, request),
  'GET settings': (server) => server.settings(),
  'POST settings': (server, request) => {
    server.configure(json(request));
    return server.settings();
  },
  'GET clients': (server) => server.authority.list(),
  'POST clients': (server, request) => {
    server.authority.register(readClients(json(request)));
    return server.authority.list();
  },
  'POST tokens': (server, _request, rest) => {
    if (rest !== 'expire') throw new InvalidControl('There is POST tokens/expire only.');
    return { expired: server.authority.expireAll() };
  },
};

/** Carries out one command; `path` is what follows the server's name. */
export function control(server: SimulatedServer, request: SandboxRequest, path: string): Reply {
  const [name = '', rest] = path.split('/');
  const command = commands[`${request.method} ${name}`];
  if (command === undefined) return problem(404, `There is no ${request.method} ${name} here.`);
  try {
    return jsonReply(200, command(server, withoutMark(request), rest));
  } catch (error) {
    if (!(error instanceof InvalidControl)) throw error;
    return problem(400, error.message);
  }
}

/** Files of records and resources often begin with a byte order mark. */
function withoutMark(request: SandboxRequest): SandboxRequest {
  const { method, url, headers, text } = request;
  return text.startsWith('\ufeff') ? new SandboxRequest(method, url, headers, text.slice(1)) : request;
}

/** An error as RFC 9457 problem details. */
export function problem(status: number, detail: string): Reply {
  return jsonReply(status, { status, detail }, 'application/problem+json');
}

function json(request: SandboxRequest): unknown {
  if (request.json === undefined) throw new InvalidControl('The body is no JSON.');
  return request.json.value;
}

function counts({ engine }: SimulatedServer): Record<string, number> {
  const found = engine.store.resourceTypes.map((type): [string, number] => [type, [...engine.store.all(type)].length]);
  return Object.fromEntries(found.filter(([, count]) => count > 0));
}

function resources({ engine }: SimulatedServer, { url }: SandboxRequest, type: string): unknown[] {
  const all = [...engine.store.all(type)];
  const after = url.searchParams.get('after');
  const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  return all.slice(start, start + (whole(url, 'limit') ?? all.length)).map(({ resource }) => resource);
}

function whole(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,12}$/.test(text)) throw new InvalidControl(`${name} must be a whole number.`);
  return Number(text);
}

function clockState({ clock }: SimulatedServer) {
  return { now: new Date(clock.now()).toISOString(), offsetMs: clock.offset };
}

function setClock(server: SimulatedServer, request: SandboxRequest) {
  const change = readClock(json(request));
  if ('now' in change) {
    const instant = Date.parse(change.now);
    if (Number.isNaN(instant)) throw new InvalidControl('now must be an ISO instant.');
    server.clock.set(instant);
  } else if ('advance' in change) {
    const duration = parseDuration(change.advance);
    if (duration === undefined)
      throw new InvalidControl('advance must be a whole number and ms, s, m, h or d, such as "4h".');
    server.clock.advance(duration);
  } else {
    server.clock.real();
  }
  return clockState(server);
}
