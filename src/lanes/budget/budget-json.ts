// The shared state of a budget as a column of JSON. A row that an older version of Casebridge wrote lacks what is new: it counts as unspent.

import { type BudgetState, type TokenTurn, unspent } from '../../connections/connections.ts';
import { isErrorCode } from '../../errors.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';

export function stateToJson(state: BudgetState): JsonObject {
  return JSON.parse(JSON.stringify(state));
}

export function stateFromJson(stored: JsonObject): BudgetState {
  const { places, stop, breaker, day } = stored;
  const token = tokenOf(objectOf(stored.token));
  return {
    nextAt: numberOf(stored.nextAt) ?? unspent.nextAt,
    nextPollAt: numberOf(stored.nextPollAt) ?? unspent.nextPollAt,
    places: Object.fromEntries(Object.entries(objectOf(places)).map(([holder, share]) => [holder, shareOf(share)])),
    ...(isObject(stop) && { stop: { until: numberOf(stop.until) ?? 0, times: numberOf(stop.times) ?? 0 } }),
    breaker: breakerOf(objectOf(breaker)),
    day: { start: numberOf(objectOf(day).start) ?? 0, used: numberOf(objectOf(day).used) ?? 0 },
    ...(token && { token }),
  };
}

function shareOf(stored: Json): BudgetState['places'][string] {
  const { held, wanted, tookAt, waits, until } = objectOf(stored);
  return {
    held: numberOf(held) ?? 0,
    wanted: numberOf(wanted) ?? 0,
    tookAt: numberOf(tookAt) ?? 0,
    waits: waits === true,
    until: numberOf(until) ?? 0,
  };
}

function breakerOf({ failures, openings, openUntil, probeUntil }: JsonObject): BudgetState['breaker'] {
  return {
    failures: numberOf(failures) ?? 0,
    openings: numberOf(openings) ?? 0,
    ...(typeof openUntil === 'number' && { openUntil }),
    ...(typeof probeUntil === 'number' && { probeUntil }),
  };
}

function tokenOf({ holder, refused, until }: JsonObject): TokenTurn | undefined {
  if (typeof until !== 'number') return undefined;
  if (typeof holder === 'string') return { holder, until };
  const { code, text } = objectOf(refused);
  return typeof code === 'string' && isErrorCode(code) && typeof text === 'string'
    ? { refused: { code, text }, until }
    : undefined;
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
