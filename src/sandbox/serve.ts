// What a simulated server is, and how one request goes through it: fault, answer, journal.

import { setTimeout as sleep } from 'node:timers/promises';
import type { VirtualClock } from './clock.ts';
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
  answer(request: SandboxRequest): Promise<Handled>;
  /** Back to the state after the start. */
  reset(): void;
}

export interface Handled {
  reply: Reply;
  committed: boolean;
  written: readonly Version[];
}

/** @returns the answer, or undefined where the connection is to be cut */
export async function serve(server: SimulatedServer, request: SandboxRequest): Promise<Reply | undefined> {
  const fault = server.faults.strike(request.method, request.url.pathname);
  const early = fault !== undefined && momentOf(fault) === 'before-commit';
  await pause(server.latencyMs + (early ? (fault.delayMs ?? 0) : 0));
  const instead = fault === undefined ? undefined : insteadOf(fault);
  if (early && instead !== undefined) {
    record(server, request, instead.reply, { committed: false, written: [] });
    return instead.reply;
  }
  const handled = request.tooLong ? tooLong : await server.answer(request);
  const reply = instead === undefined ? cut(handled.reply, fault?.truncate) : instead.reply;
  record(server, request, reply, handled);
  if (!early) await pause(fault?.delayMs ?? 0);
  return reply;
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

function cut(reply: Reply, length: number | undefined): Reply {
  if (length === undefined || reply.body === undefined) return reply;
  return { ...reply, body: reply.body.slice(0, length) };
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

/** Holds up an answer without keeping the process alive for it. */
async function pause(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await sleep(milliseconds, undefined, { ref: false });
}
