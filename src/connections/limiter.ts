// How fast this process asks one server: requests stand in line here, first come, first served, and go as the connection's budget allows. The
// budget is asked for slots and places in blocks, not for each request; what is not used soon is given up (`pace.ts`, `places.ts`).

import type { Budget, Grant } from './budget.ts';
import { machineTime } from './deadline.ts';
import type { Fault } from './faults.ts';
import { slotLifeMs } from './pace.ts';
import type { Verdict } from './verdict.ts';

export interface LimiterClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs it once, so many ms from now, unless the returned function is called before. */
  later(run: () => void, ms: number): () => void;
}

/**
 * A request for a token is made on behalf of one that has its place already, so it needs none. Polls go before the others as far as their
 * part of the rate allows, and no further: neither starves the other.
 */
export type Purpose = 'token' | 'poll' | 'lane';

/** Leave to send one request now. */
export interface Turn {
  readonly fault?: undefined;
  /** To be called once, with what came of it. */
  release(verdict: Verdict): void;
}

export interface Limiter {
  /** Waits for a place and a slot; a fault when the connection rests; undefined when the signal aborted first or the limiter was closed. */
  take(purpose: Purpose, signal: AbortSignal): Promise<Turn | Fault | undefined>;
  /** Lets nobody through any more and gives back what this process held. */
  close(): Promise<void>;
}

/** How often a process with requests under way says that it lives. */
const heartbeatMs = 3_000;
/** Idle for so long, a process gives its places back. */
const idleMs = 200;
/** After the budget could not be asked. */
const retryMs = 500;
const recentMs = 200;

interface Waiter {
  readonly purpose: Purpose;
  readonly resolve: (turn: Turn | Fault | undefined) => void;
}

interface Slot {
  readonly at: number;
  readonly until: number;
}

/** What the budget has not been told yet. */
interface Unsaid {
  wanted: number;
  used: number;
  unused: number;
  succeeded: boolean;
  failed: number;
  stop: { readonly waitMs: number | undefined } | undefined;
}

export function createLimiter(budget: Pick<Budget, 'settle'>, clock: LimiterClock = machineTime): Limiter {
  const line: Readonly<Record<Purpose, Set<Waiter>>> = { token: new Set(), poll: new Set(), lane: new Set() };
  let slots: Slot[] = [];
  let pollSlots = 0;
  let places = 0;
  let placesUntil = 0;
  let running = 0;
  let saidRunning = 0;
  let unsaid = newUnsaid(0);
  let isSuspect = false;
  let asking: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let retryFrom = Number.NEGATIVE_INFINITY;
  let askFrom = { slots: 0, polls: 0, places: 0 };
  let idleSince = clock.now();
  let nextWake: { readonly at: number; readonly cancel: () => void } | undefined;

  const waitingForPlace = () => line.poll.size + line.lane.size;

  /** Lets through whoever may go, and sees to it that this is called again when somebody else may. */
  function serve(): void {
    if (closing !== undefined) return;
    const now = clock.now();
    while (slots[0] !== undefined && slots[0].until < now) {
      slots.shift();
      unsaid.unused += 1;
    }
    while (slots[0] !== undefined && slots[0].at <= now) {
      const waiter = nextInLine(now);
      if (waiter === undefined) break;
      slots.shift();
      letThrough(waiter);
    }
    if (running + waitingForPlace() > 0) idleSince = now;
    const askAt = timeToAsk(now);
    if (askAt <= now) asking ??= ask();
    const mayGo = slots[0] !== undefined && nextInLine(now) !== undefined ? slots[0].at : Number.POSITIVE_INFINITY;
    wake(Math.min(mayGo, asking === undefined ? askAt : Number.POSITIVE_INFINITY), now);
  }

  function nextInLine(now: number): Waiter | undefined {
    const hasPlace = running < places && now < placesUntil;
    const [token] = line.token;
    const [poll] = hasPlace && pollSlots > 0 ? line.poll : [];
    const [lane] = hasPlace ? line.lane : [];
    return token ?? poll ?? lane;
  }

  function letThrough(waiter: Waiter): void {
    const { purpose } = waiter;
    line[purpose].delete(waiter);
    unsaid.used += 1;
    if (purpose === 'poll') pollSlots -= 1;
    if (purpose !== 'token') running += 1;
    let held = true;
    waiter.resolve({
      release(verdict) {
        if (!held) return;
        held = false;
        if (purpose !== 'token') running -= 1;
        hear(verdict);
        serve();
      },
    });
  }

  function hear(verdict: Verdict): void {
    if (verdict === 'none') return;
    if (verdict === 'failed') {
      unsaid.failed += 1;
    } else if (verdict === 'served') {
      unsaid.succeeded = true;
      unsaid.failed = 0;
    } else {
      unsaid.stop = { waitMs: longest(unsaid.stop?.waitMs, verdict.waitMs) };
      dropSlots();
    }
  }

  function dropSlots(): void {
    unsaid.unused += slots.length;
    slots = [];
    pollSlots = 0;
  }

  /** When the budget is to be asked or told something next. */
  function timeToAsk(now: number): number {
    const hasNews = unsaid.stop !== undefined || unsaid.failed > 0 || (isSuspect && unsaid.succeeded);
    // Another process waits for the place that has become free.
    const isUrgent = hasNews || (places < saidRunning && running < saidRunning);
    const idleAt = running + waitingForPlace() > 0 ? askedAt + heartbeatMs : idleSince + idleMs;
    const hasAny = places > 0 || running > 0;
    return Math.max(retryFrom, isUrgent ? now : Math.min(lackFrom(now), hasAny ? idleAt : Number.POSITIVE_INFINITY));
  }

  /** When it is worth asking for what those in line lack. */
  function lackFrom(now: number): number {
    const hasPlace = running < places && now < placesUntil;
    const lacks = [
      ...(waitingForPlace() > 0 && !hasPlace ? [askFrom.places] : []),
      ...(slots.length === 0 && (line.token.size > 0 || (hasPlace && line.lane.size > 0)) ? [askFrom.slots] : []),
      ...(pollSlots === 0 && hasPlace && line.poll.size > 0 ? [askFrom.polls] : []),
    ];
    return Math.min(Number.POSITIVE_INFINITY, ...lacks);
  }

  async function ask(): Promise<void> {
    const now = clock.now();
    const said = unsaid;
    unsaid = newUnsaid(running + waitingForPlace());
    const sinceMs = now - askedAt;
    askedAt = now;
    saidRunning = running;
    try {
      const grant = await budget.settle({
        running,
        wanted: Math.max(said.wanted, running + waitingForPlace()),
        tokens: line.token.size,
        polls: line.poll.size,
        lanes: line.lane.size,
        recent: sinceMs <= recentMs ? said.used : Math.floor((said.used * recentMs) / sinceMs),
        unused: said.unused,
        answers: { succeeded: said.succeeded, failed: said.failed },
        stop: said.stop,
      });
      receive(grant, now);
    } catch {
      // Whoever keeps the budget tells of it; here the requests wait, and nothing that was learned is lost.
      unsaid = merged(said, unsaid);
      retryFrom = clock.now() + retryMs;
    } finally {
      asking = undefined;
      serve();
    }
  }

  function receive(grant: Grant, askedAtLocal: number): void {
    const now = clock.now();
    places = grant.places;
    placesUntil = askedAtLocal + grant.placesMs;
    isSuspect = grant.isSuspect;
    askFrom = { slots: now + grant.slotsInMs, polls: now + grant.pollsInMs, places: now + grant.placesInMs };
    for (let at = 0; at < grant.count; at += 1) {
      const slotAt = now + grant.firstInMs + at * grant.everyMs;
      slots.push({ at: slotAt, until: Math.max(slotAt, now) + slotLifeMs });
    }
    pollSlots = Math.min(pollSlots + grant.polls, slots.length);
    // Somebody may have been told to stop while this was on its way.
    if (unsaid.stop !== undefined || grant.rest !== undefined) dropSlots();
    if (grant.rest !== undefined) turnAway(['token', 'poll', 'lane'], grant.rest);
    else if (grant.pollRest !== undefined) turnAway(['poll'], grant.pollRest);
  }

  function turnAway(purposes: readonly Purpose[], { forMs, reason }: NonNullable<Grant['rest']>): void {
    for (const purpose of purposes) {
      for (const { resolve } of line[purpose]) {
        resolve({ fault: 'resting', sent: false, text: reason.text, reason, retryAfterMs: forMs });
      }
      line[purpose].clear();
    }
  }

  function wake(at: number, now: number): void {
    if (nextWake?.at === at) return;
    nextWake?.cancel();
    nextWake = undefined;
    if (at === Number.POSITIVE_INFINITY) return;
    const cancel = clock.later(
      () => {
        nextWake = undefined;
        serve();
      },
      Math.max(0, Math.ceil(at - now)),
    );
    nextWake = { at, cancel };
  }

  return {
    take(purpose, signal) {
      const { promise, resolve } = Promise.withResolvers<Turn | Fault | undefined>();
      if (signal.aborted || closing !== undefined) {
        resolve(undefined);
        return promise;
      }
      const waiter = { purpose, resolve };
      const abort = () => {
        line[purpose].delete(waiter);
        resolve(undefined);
      };
      signal.addEventListener('abort', abort, { once: true });
      line[purpose].add(waiter);
      unsaid.wanted = Math.max(unsaid.wanted, running + waitingForPlace());
      serve();
      return promise.finally(() => signal.removeEventListener('abort', abort));
    },

    close() {
      closing ??= leave();
      return closing;
    },
  };

  async function leave(): Promise<void> {
    nextWake?.cancel();
    for (const waiters of Object.values(line)) {
      for (const { resolve } of waiters) resolve(undefined);
      waiters.clear();
    }
    await asking;
    dropSlots();
    const { succeeded, failed, unused, stop } = unsaid;
    const gone = { running: 0, wanted: 0, tokens: 0, polls: 0, lanes: 0, recent: 0 };
    // Where that fails, the places come back by themselves after a while.
    await budget.settle({ ...gone, unused, answers: { succeeded, failed }, stop }).catch(() => undefined);
  }
}

function newUnsaid(wanted: number): Unsaid {
  return { wanted, used: 0, unused: 0, succeeded: false, failed: 0, stop: undefined };
}

/** What was learned before and after a report that did not arrive. */
function merged(before: Unsaid, after: Unsaid): Unsaid {
  const stop = after.stop ?? before.stop;
  return {
    wanted: Math.max(before.wanted, after.wanted),
    used: before.used + after.used,
    unused: before.unused + after.unused,
    succeeded: before.succeeded || after.succeeded,
    failed: after.succeeded ? after.failed : before.failed + after.failed,
    stop: stop && { waitMs: longest(before.stop?.waitMs, after.stop?.waitMs) },
  };
}

function longest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined ? other : Math.max(one, other ?? 0);
}
