// Requests on their way to the simulated server and back: its own handlers answer, in process and in virtual time. What the network does to a
// request is drawn here; what a client does when it hears nothing is for the client's end (`exchanger.ts`).

import type { HttpCall, HttpReply } from '../../src/connections/exchange.ts';
import type { Fault } from '../../src/connections/faults.ts';
import { networkFault } from '../../src/connections/faults.ts';
import { sendMsFor } from '../../src/lanes/send/send.ts';
import { type Reply, SandboxRequest } from '../../src/sandbox/exchange.ts';
import { serve } from '../../src/sandbox/serve.ts';
import type { Random } from './random.ts';
import type { Site } from './site.ts';
import type { Swarm } from './swarm.ts';
import { type Actor, newActor, type Timeline } from './timeline.ts';

/** What happens to one request. Times are virtual milliseconds. */
export type Fate =
  | { readonly kind: 'delivered'; readonly againAfterMs?: number; readonly cutTo?: number }
  /** Lost on the way there, or on the way back after the server did it; `isLoud`: the client hears of a broken connection. */
  | { readonly kind: 'lost' | 'unheard'; readonly isLoud: boolean }
  /** Unheard as well: it arrives when the client has long given up. */
  | { readonly kind: 'late'; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfter?: number };

/** Carries a request; `onReply` is called once or never. */
export interface Carrier {
  carry(call: HttpCall, onReply: (reply: HttpReply | Fault) => void): void;
}

export class Network implements Carrier {
  readonly #timeline: Timeline;
  readonly #sites: readonly Site[];
  readonly #swarm: Swarm;
  readonly #random: Random;
  readonly #wire: Actor = newActor('wire');
  #isHealed = false;
  /** By site: nothing gets through to it until then. */
  readonly #awayUntil = new Map<string, number>();

  constructor(timeline: Timeline, sites: readonly Site[], swarm: Swarm, random: Random) {
    this.#timeline = timeline;
    this.#sites = sites;
    this.#swarm = swarm;
    this.#random = random;
  }

  /** From here on every request is answered. */
  heal(): void {
    this.#isHealed = true;
    this.#awayUntil.clear();
  }

  /** Nothing gets through to the site until then. */
  goAway({ id }: Site, until: number): void {
    this.#awayUntil.set(id, until);
  }

  get #isWell(): boolean {
    return this.#isHealed || this.#timeline.now - this.#timeline.startedAt < this.#swarm.calmMs;
  }

  carry(call: HttpCall, onReply: (reply: HttpReply | Fault) => void): void {
    const site = this.#siteOf(call.url);
    const name = this.#sites.length === 1 ? '' : ` ${site.id}`;
    const what = `${call.method}${name} ${call.url.pathname.slice(site.fhirPath.length)}${call.url.search}`.slice(
      0,
      120,
    );
    const fate = this.#fateOf(call, site);
    const there =
      this.#random.between(1, 40) +
      (this.#isWell || !this.#random.chance(this.#swarm.slow)
        ? 0
        : this.#random.between(1_000, longestWayMs(this.#swarm)));
    const back = this.#random.between(1, 40);
    const { host } = call.url;
    const broken = () => onReply(networkFault('ECONNRESET', true, host));
    const arrive = (afterMs: number, heard: (reply: Reply | undefined) => void) =>
      this.#timeline.after(
        this.#wire,
        afterMs,
        `${what} [${fate.kind}]`,
        () => void this.#answer(call, site).then(heard),
      );
    const reply = (answer: Reply | undefined) =>
      this.#timeline.after(this.#wire, back, '', () => {
        if (answer === undefined) broken();
        else onReply(asHttp(answer));
      });
    switch (fate.kind) {
      case 'delivered':
        arrive(there, (answer) => reply(cut(answer, fate.cutTo)));
        if (fate.againAfterMs !== undefined) arrive(there + fate.againAfterMs, () => {});
        return;
      case 'lost':
        this.#timeline.after(this.#wire, there, `${what} [lost]`, fate.isLoud ? broken : () => {});
        return;
      case 'unheard':
        arrive(there, () => {
          if (fate.isLoud) this.#timeline.after(this.#wire, back, '', broken);
        });
        return;
      case 'late':
        arrive(fate.afterMs, () => {});
        return;
      case 'refused':
        this.#timeline.after(this.#wire, there, `${what} [${fate.status}]`, () => onReply(asHttp(refusal(fate))));
        return;
      default:
        fate satisfies never;
    }
  }

  /** Somebody on the other side asks the server, at once and unharmed. */
  async ask(site: Site, method: string, path: string, body?: object): Promise<Reply | undefined> {
    const url = new URL(`${site.config.baseUrl}/${path}`);
    const headers = { accept: 'application/fhir+json', 'content-type': 'application/fhir+json', from: 'partner' };
    const text = body === undefined ? '' : JSON.stringify(body);
    const { reply } = await serve(site.server, new SandboxRequest(method, url, headers, text));
    return reply;
  }

  #siteOf({ pathname }: URL): Site {
    const site = this.#sites.find(({ fhirPath }) => pathname.startsWith(fhirPath));
    if (site === undefined) throw new Error(`Nobody answers at ${pathname}.`);
    return site;
  }

  async #answer({ method, url, headers, body }: HttpCall, { server }: Site): Promise<Reply | undefined> {
    const { reply } = await serve(server, new SandboxRequest(method, url, headers, body ?? ''));
    return reply;
  }

  #fateOf(call: HttpCall, site: Site): Fate {
    const swarm = this.#swarm;
    const random = this.#random;
    if (this.#isWell) return { kind: 'delivered' };
    if (this.#timeline.now < (this.#awayUntil.get(site.id) ?? 0)) return { kind: 'lost', isLoud: random.chance(0.7) };
    const isWrite = call.method !== 'GET';
    const drawn = {
      lost: random.chance(swarm.dropRequest),
      unheard: random.chance(swarm.dropReply),
      late: isWrite && random.chance(swarm.lateRequest),
      twice: random.chance(swarm.duplicate),
      cut: random.chance(swarm.truncate),
      refused: random.chance(swarm.status),
      isLoud: random.chance(0.5),
    };
    if (drawn.lost) return { kind: 'lost', isLoud: drawn.isLoud };
    if (drawn.unheard) return { kind: 'unheard', isLoud: drawn.isLoud };
    const latest = mayComeLate(call, site, swarm);
    if (drawn.late && latest > 0) return { kind: 'late', afterMs: random.between(1_000, latest) };
    if (drawn.refused) return this.#refuse(isWrite);
    return {
      kind: 'delivered',
      ...(drawn.twice && mayComeTwice(call, site, swarm) && { againAfterMs: random.between(10, 20_000) }),
      ...(drawn.cut && { cutTo: random.between(0, 200) }),
    };
  }

  #refuse(isWrite: boolean): Fate {
    const status = this.#random.pick(isWrite ? [409, 412, 422, 429, 500, 503, 503, 401] : [429, 500, 503, 503]);
    const isBusy = status === 429 || status === 503;
    return { kind: 'refused', status, ...(isBusy && { retryAfter: this.#random.between(1, 30) }) };
  }
}

/**
 * How late a request may still come to count as what the rules promise about: before `settle` has passed since the client gave it up, and seen by
 * a search by then; and not over a newer write that no version tag protects (lanes.md 8, 28).
 */
function mayComeLate(
  { method, url }: HttpCall,
  { fhirPath, hasVersions }: Site,
  { settleMs, searchLagMs }: Swarm,
): number {
  const isCreate = method === 'POST' && url.pathname !== `${fhirPath}/` && url.pathname !== fhirPath;
  return hasVersions || isCreate ? settleMs - searchLagMs - 5_000 : 0;
}

/** So slow that the answer still comes before the client gives the request up (lanes.md 8). */
function longestWayMs({ leaseMs }: Swarm): number {
  return Math.min(20_000, sendMsFor(leaseMs) - 5_000);
}

/** No client can do anything about a create that comes twice, unless the server does. */
function mayComeTwice(
  { method, headers }: HttpCall,
  { hasVersions }: Site,
  { conditionalCreate, searchLagMs }: Swarm,
): boolean {
  if (method === 'PUT') return hasVersions;
  return (
    method === 'POST' && headers['if-none-exist'] !== undefined && conditionalCreate === 'atomic' && searchLagMs === 0
  );
}

export function asHttp({ status, headers, body = '' }: Reply): HttpReply {
  return { status, headers, bytes: Buffer.from(body) };
}

function cut(reply: Reply | undefined, length: number | undefined): Reply | undefined {
  if (reply === undefined || length === undefined || typeof reply.body !== 'string') return reply;
  return { ...reply, body: reply.body.slice(0, length) };
}

function refusal({ status, retryAfter }: { readonly status: number; readonly retryAfter?: number }): Reply {
  const code = status === 422 ? 'invalid' : status === 409 || status === 412 ? 'conflict' : 'transient';
  const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics: 'Simulated.' }] };
  return {
    status,
    headers: {
      'content-type': 'application/fhir+json',
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    },
    body: JSON.stringify(outcome),
  };
}
