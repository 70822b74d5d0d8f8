// What a simulated server is, and how one request goes through it: fault, answer, journal.

import type { VirtualClock } from './clock.ts';
import type { Delivery } from './deliver.ts';
import type { Engine } from './engine/engine.ts';
import { operationOutcome } from './engine/outcome.ts';
import type { Version } from './engine/store.ts';
import { jsonReply, type Reply, type SandboxRequest } from './exchange.ts';
import type { FaultAction, Faults } from './faults.ts';
import { type Journal, type JournalWrite, maskedBody, maskedHeaders } from './journal.ts';
import type { TokenAuthority } from './tokens/authority.ts';

/** One vendor's server: mounted under its name, controlled under `/_control/{name}`. */
export interface SimulatedServer {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly engine: Engine;
  readonly authority: Pick<TokenAuthority, 'register' | 'list' | 'expireAll'>;
  /** Milliseconds of real time that each answer takes. */
  readonly latencyMs: number;
  /** The settings as JSON, secrets included: this is a test server. */
  settings(): unknown;
  /** Changes settings. @throws InvalidControl for what they are not */
  configure(change: unknown): void;
  /** What a request beyond the server's rate is answered on arrival, before anything else happens to it. */
  admit?(request: SandboxRequest): Reply | undefined;
  answer(request: SandboxRequest): Promise<Handled>;
  /** Back to the state after the start. */
  reset(): void;
}

export interface Handled {
  reply: Reply;
  committed: boolean;
  written: readonly Version[];
}

/** What the client gets to see of its request. */
export async function serve(server: SimulatedServer, request: SandboxRequest): Promise<Delivery> {
  const refused = server.admit?.(request);
  if (refused !== undefined) {
    record(server, request, refused, { committed: false, written: [] });
    return { reply: refused };
  }
  const fault = server.faults.strike(request.method, request.url.pathname);
  const early = fault !== undefined && momentOf(fault) === 'before-commit';
  await pause(server, server.latencyMs + (early ? (fault.delayMs ?? 0) : 0));
  const instead = fault === undefined ? undefined : insteadOf(fault);
  const isUntouched = early && instead !== undefined;
  const handled = isUntouched ? undefined : request.tooLong ? tooLong : await server.answer(request);
  const reply = onTheWire(instead === undefined ? handled?.reply : instead.reply, fault);
  record(server, request, reply, handled ?? { committed: false, written: [] });
  if (!early) await pause(server, fault?.delayMs ?? 0);
  return { reply, trickle: fault?.trickle, breakOff: fault?.breakOff, cut: fault?.cut };
}

const tooLong: Handled = {
  reply: jsonReply(
    413,
    operationOutcome('error', [{ code: 'too-long', text: 'The body is longer than 10 MB.' }]),
    'application/fhir+json',
  ),
  committed: false,
  written: [],
};

function momentOf(fault: FaultAction) {
  return fault.drop ?? fault.at ?? 'before-commit';
}

/** What the client gets in place of the answer: a reply, or none. */
function insteadOf({ drop, status, headers = {}, body }: FaultAction): { reply: Reply | undefined } | undefined {
  if (drop !== undefined) return { reply: undefined };
  if (status === undefined) return undefined;
  const json = { 'content-type': 'application/json' };
  if (body === undefined) return { reply: { status, headers } };
  if (typeof body === 'string') return { reply: { status, headers, body } };
  return { reply: { status, headers: { ...json, ...headers }, body: JSON.stringify(body) } };
}

/** The reply with its body cut or filled up as the fault says. */
function onTheWire(reply: Reply | undefined, fault: FaultAction | undefined): Reply | undefined {
  if (reply === undefined || fault === undefined) return reply;
  const { truncate, bodyBytes } = fault;
  const cut = truncate === undefined ? reply.body : reply.body?.slice(0, truncate);
  const text = bodyBytes === undefined ? cut : filledUp(cut, bodyBytes);
  return text === undefined ? reply : { ...reply, body: text };
}

function filledUp(body: Reply['body'] = '', length: number): Buffer {
  const filled = Buffer.alloc(Math.max(length, Buffer.byteLength(body)), ' ');
  filled.set(Buffer.from(body));
  return filled;
}

function record(
  server: SimulatedServer,
  request: SandboxRequest,
  reply: Reply | undefined,
  { committed, written }: Pick<Handled, 'committed' | 'written'>,
): void {
  const requestBody = maskedBody(request);
  server.journal.add({
    at: new Date(server.clock.now()).toISOString(),
    arrivedAt: request.arrivedAt,
    method: request.method,
    url: request.url.pathname + request.url.search,
    requestHeaders: maskedHeaders(request.headers),
    ...(requestBody !== undefined && { requestBody }),
    status: reply?.status ?? 0,
    responseHeaders: reply?.headers ?? {},
    committed,
    writes: written.map(toWrite),
  });
}

function toWrite({ resourceType, id, number, created, resource }: Version): JournalWrite {
  const kind = resource === undefined ? 'delete' : created ? 'create' : 'update';
  return { resourceType, id, version: String(number), kind };
}

async function pause({ clock }: SimulatedServer, milliseconds: number): Promise<void> {
  if (milliseconds > 0) await clock.wait(milliseconds);
}
