// The request budget of a connection (lanes.md 4): how its requests are spread over time, over the processes that share it and over the day,
// and when it rests. Pure: from what is shared and what one process reports follow what is shared then and what that process may do.
// Kept in the store for all processes (lanes/budget/shared-budget.ts), or in memory.

import { type Reason, reason } from '../errors.ts';
import { type Answers, afterAnswers, afterProbe, type Breaker, claimProbe, closedBreaker } from './breaker.ts';
import { reach, slotEveryMs, slotsToTake, whenToAsk } from './pace.ts';
import { afterSlots, type PlaceShares, shareMs, sharePlaces, waitingLonger } from './places.ts';
import { afterTokenTurn, claimTokenTurn, type TokenClaim, type TokenTurn } from './token-turn.ts';
import type { Verdict } from './verdict.ts';

export interface BudgetLimits {
  readonly requestsPerSecond: number;
  readonly concurrency: number;
  /** By the calendar day in UTC. */
  readonly requestsPerDay?: number;
}

/** What all processes share. Times are epoch milliseconds of one clock, the database's. */
export interface BudgetState {
  readonly nextAt: number;
  readonly nextPollAt: number;
  readonly places: PlaceShares;
  /** The server asked to be left alone: until when, and how often in a row it did. */
  readonly stop?: { readonly until: number; readonly times: number };
  readonly breaker: Breaker;
  readonly day: { readonly start: number; readonly used: number };
  readonly token?: TokenTurn;
}

export const unspent: BudgetState = {
  nextAt: 0,
  nextPollAt: 0,
  places: {},
  breaker: closedBreaker,
  day: { start: 0, used: 0 },
};

export interface Report {
  readonly holder: string;
  /** Requests under way. */
  readonly running: number;
  /** The most that were under way or waiting at one time since the last report. */
  readonly wanted: number;
  /** Waiting: requests for a token (they need no place), polls, and all others. */
  readonly tokens: number;
  readonly polls: number;
  readonly lanes: number;
  /** Slots used in the last fifth of a second: as many will be needed in the next. */
  readonly recent: number;
  /** Slots that were given and not used. */
  readonly unused: number;
  readonly answers: Answers;
  /** The server asked to be left alone; for how long, where it said so. */
  readonly stop?: { readonly waitMs: number | undefined };
}

export interface Rest {
  readonly until: number;
  readonly reason: Reason;
}

export interface Grant {
  /** Slots: the first in so many milliseconds (negative: some time ago), and the distance between them. */
  readonly firstInMs: number;
  readonly everyMs: number;
  readonly count: number;
  /** How many of the slots polls may use. */
  readonly polls: number;
  /** Requests that may be under way in this process, for so many milliseconds. */
  readonly places: number;
  readonly placesMs: number;
  /** In how many milliseconds it is worth asking again: for slots, for slots of polls, for places. */
  readonly slotsInMs: number;
  readonly pollsInMs: number;
  readonly placesInMs: number;
  /** Nothing may be sent, or no poll, for so many milliseconds. */
  readonly rest?: { readonly forMs: number; readonly reason: Reason };
  readonly pollRest?: { readonly forMs: number; readonly reason: Reason };
  /** The server was last heard to fail or to ask for a pause: a success is worth a report. */
  readonly isSuspect: boolean;
}

/** Where the budget of a connection is kept. */
export interface Budget {
  /** @throws when it cannot be reached: then nothing is sent */
  settle(report: Omit<Report, 'holder'>): Promise<Grant>;
  /** Leave to ask for a token. @throws when the budget cannot be reached: then nothing is sent */
  claimToken(): Promise<TokenClaim>;
  /** Gives the leave back. @param refusal why the server does not give us a token, where it said so */
  afterToken(refusal: Reason | undefined): Promise<void>;
}

const dayMs = 24 * 60 * 60_000;
/** The last part of a day's requests is kept for urgent lanes. */
const reserve = 0.05;
/** Polls may take one request in three (lanes.md 21). */
export const pollShare = 3;
const firstStopMs = 1_000;
const longestStopMs = 15 * 60_000;
/** How often a process without a place looks whether another one gave one up. */
const askAgainMs = 100;
const shortestAskMs = 5;
/** A server that is being asked whether it is well. */
const shortestRestMs = 1_000;

/** @param random 0 to 1 */
export function settle(
  before: BudgetState,
  limits: BudgetLimits,
  report: Report,
  now: number,
  random: number,
): { readonly state: BudgetState; readonly grant: Grant } {
  const { told, allowed } = afterReport(before, limits, report, now, random);
  const rest = restOf(told, limits, now);
  const pollRest = rest ?? reserveRest(told, limits, now);
  const everyMs = slotEveryMs(limits.requestsPerSecond);
  const asked = rest === undefined ? wantedSlots(report, allowed) : nothing;
  const pollPace = reach(told.nextPollAt, everyMs * pollShare, now);
  const pollsDue = pollRest === undefined ? Math.min(asked.polls, pollPace.count) : 0;
  const pace = reach(told.nextAt, everyMs, now);
  const waitLonger = waitingLonger(told.places, report.holder);
  const wanted = asked.others + pollsDue;
  const most =
    limits.requestsPerDay === undefined ? Number.POSITIVE_INFINITY : Math.min(wanted, leftToday(told, limits));
  const count = Math.min(slotsToTake(pace, wanted, waitLonger), most);
  const polls = Math.min(pollsDue, count);
  const isShort = count < asked.others + asked.polls;
  const state: BudgetState = {
    ...told,
    places: afterSlots(told.places, report.holder, count === 0 ? undefined : pace.firstAt, isShort),
    nextAt: count === 0 ? told.nextAt : pace.firstAt + count * everyMs,
    nextPollAt: polls === 0 ? told.nextPollAt : pollPace.firstAt + polls * everyMs * pollShare,
    day: { ...told.day, used: told.day.used + count },
  };
  const soon = (at: number) =>
    Math.max(shortestAskMs, whenToAsk(at, everyMs, waitLonger) - now) + random * shortestAskMs;
  const grant: Grant = {
    firstInMs: pace.firstAt - now,
    everyMs,
    count,
    polls,
    places: allowed,
    placesMs: shareMs,
    slotsInMs: count < wanted ? soon(state.nextAt) : 0,
    pollsInMs: polls < asked.polls ? soon(Math.max(state.nextPollAt, state.nextAt)) : 0,
    placesInMs: allowed < report.wanted ? askAgainMs + random * shortestAskMs : 0,
    ...(rest && { rest: lasting(rest, now) }),
    ...(pollRest && { pollRest: lasting(pollRest, now) }),
    isSuspect: state.stop !== undefined || state.breaker.failures > 0 || state.breaker.openings > 0,
  };
  return { state, grant };
}

/** What was reported, before anything is given. */
function afterReport(
  before: BudgetState,
  limits: BudgetLimits,
  report: Report,
  now: number,
  random: number,
): { readonly told: BudgetState; readonly allowed: number } {
  const start = now - (now % dayMs);
  const used = before.day.start === start ? Math.max(0, before.day.used - report.unused) : 0;
  const { shares, allowed } = sharePlaces(before.places, report, limits.concurrency, now);
  const told = {
    nextAt: before.nextAt,
    nextPollAt: before.nextPollAt,
    places: shares,
    stop: afterStop(before.stop, report, now, random),
    breaker: afterAnswers(before.breaker, report.answers, now, random),
    day: { start, used },
    ...(before.token && { token: before.token }),
  };
  return { told, allowed };
}

/** A server that does not say how long is given more time each time, spread so that others who wait for it do not come with us. */
function afterStop(
  before: BudgetState['stop'],
  { stop, answers }: Report,
  now: number,
  random: number,
): BudgetState['stop'] {
  if (stop !== undefined) return stopped(before, stop, now, random);
  return before !== undefined && before.until <= now && answers.succeeded ? undefined : before;
}

function stopped(
  before: BudgetState['stop'],
  stop: { readonly waitMs: number | undefined },
  now: number,
  random: number,
): NonNullable<BudgetState['stop']> {
  // Several requests under way hear of the same stop.
  const times = (before?.times ?? 0) + (before === undefined || before.until <= now ? 1 : 0);
  const backoffMs = Math.min(longestStopMs, firstStopMs * 2 ** Math.min(times - 1, 20));
  const waitMs = stop.waitMs ?? Math.round(backoffMs * (1 + random / 2));
  return { until: Math.max(before?.until ?? 0, now + waitMs), times };
}

/** The one request that may ask a server that was left alone; undefined when it is not time. */
export function claimProbing(before: BudgetState, limits: BudgetLimits, now: number): BudgetState | undefined {
  const breaker = claimProbe(before.breaker, now);
  if (breaker === undefined || (before.stop !== undefined && before.stop.until > now)) return undefined;
  const nextAt = Math.max(before.nextAt, now) + slotEveryMs(limits.requestsPerSecond);
  return { ...before, breaker, nextAt };
}

/** What that request heard. */
export function afterProbed(before: BudgetState, verdict: Verdict, now: number, random: number): BudgetState {
  const isWell = verdict === 'served' || typeof verdict === 'object';
  const stop = typeof verdict === 'object' ? stopped(before.stop, verdict, now, random) : before.stop;
  return { ...before, breaker: afterProbe(before.breaker, isWell, now, random), ...(stop && { stop }) };
}

export function claimToken(
  before: BudgetState,
  holder: string,
  now: number,
): { readonly state: BudgetState; readonly claim: TokenClaim } {
  const { turn, claim } = claimTokenTurn(before.token, holder, now);
  return { state: { ...before, token: turn }, claim };
}

export function afterToken(
  { token, ...before }: BudgetState,
  holder: string,
  refusal: Reason | undefined,
  now: number,
): BudgetState {
  const turn = afterTokenTurn(token, holder, refusal, now);
  return { ...before, ...(turn && { token: turn }) };
}

/** Why nothing may be sent now. */
export function restOf({ stop, breaker, day }: BudgetState, limits: BudgetLimits, now: number): Rest | undefined {
  if (stop !== undefined && stop.until > now) {
    return { until: stop.until, reason: reason('connection-stopped', { until: instant(stop.until) }) };
  }
  if (breaker.openUntil !== undefined) {
    return { until: breaker.openUntil, reason: failingReason(breaker) };
  }
  return isUsedUp(day, limits.requestsPerDay ?? Number.POSITIVE_INFINITY, now) ? dayOver(limits, now) : undefined;
}

export function failingReason({ failures }: Breaker): Reason {
  return reason('connection-failing', { failures });
}

/** Why only urgent lanes may send now: what is left of the day is kept for them. */
export function reserveRest({ day }: BudgetState, limits: BudgetLimits, now: number): Rest | undefined {
  const { requestsPerDay = Number.POSITIVE_INFINITY } = limits;
  const open = Number.isFinite(requestsPerDay) ? requestsPerDay - Math.ceil(requestsPerDay * reserve) : requestsPerDay;
  return isUsedUp(day, open, now) ? dayOver(limits, now) : undefined;
}

function isUsedUp(day: BudgetState['day'], limit: number, now: number): boolean {
  return now < day.start + dayMs && day.used >= limit;
}

function dayOver({ requestsPerDay = 0 }: BudgetLimits, now: number): Rest {
  const until = now - (now % dayMs) + dayMs;
  return { until, reason: reason('connection-day-used', { limit: requestsPerDay, until: instant(until) }) };
}

function leftToday({ day }: BudgetState, { requestsPerDay = Number.POSITIVE_INFINITY }: BudgetLimits): number {
  return Math.max(0, requestsPerDay - day.used);
}

const nothing = { others: 0, polls: 0 };

/** A request needs a place as well; while places change hands quickly, as many slots are of use as were lately. */
function wantedSlots({ tokens, lanes, polls, running, recent }: Report, places: number): typeof nothing {
  if (places === 0) return { others: tokens, polls: 0 };
  const usable = Math.max(0, places - running) + recent;
  const forLanes = lanes === 0 ? 0 : Math.max(Math.min(lanes, usable), recent);
  return { others: tokens + forLanes, polls: Math.min(polls, usable) };
}

function lasting({ until, reason: why }: Rest, now: number): { forMs: number; reason: Reason } {
  return { forMs: Math.max(until - now, shortestRestMs), reason: why };
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
