// Who may ask a server for a token (lanes.md 4): one process at a time, and nobody for a while after the server refused us. A wrong key is then
// tried once, however many processes and lanes wait for it. Pure; the state is kept with the budget.

import type { Reason } from '../errors.ts';

export type TokenTurn =
  | { readonly holder: string; readonly until: number }
  | { readonly refused: Reason; readonly until: number };

export type TokenClaim = 'yours' | 'taken' | { readonly refused: Reason };

/** Most servers answer much sooner; a process that dies with its turn holds the others up for so long. */
const turnMs = 10_000;
const refusedMs = 60_000;

/** @param now epoch ms */
export function claimTokenTurn(
  before: TokenTurn | undefined,
  holder: string,
  now: number,
): { readonly turn: TokenTurn; readonly claim: TokenClaim } {
  if (before !== undefined && now < before.until) {
    if ('refused' in before) return { turn: before, claim: { refused: before.refused } };
    if (before.holder !== holder) return { turn: before, claim: 'taken' };
  }
  return { turn: { holder, until: now + turnMs }, claim: 'yours' };
}

/** @param refusal why the server does not give us one; undefined: it gave one, or could not answer */
export function afterTokenTurn(
  before: TokenTurn | undefined,
  holder: string,
  refusal: Reason | undefined,
  now: number,
): TokenTurn | undefined {
  if (refusal !== undefined) return { refused: refusal, until: now + refusedMs };
  return before !== undefined && 'holder' in before && before.holder === holder ? undefined : before;
}
