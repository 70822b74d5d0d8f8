// Waiting for something to become true, with a deadline that says what was waited for.

import { setTimeout as sleep } from 'node:timers/promises';
import { DemoProblem } from './problem.ts';

/** What a look found: the thing itself, or what is still missing. */
export type Look<T> = { readonly found: T } | { readonly missing: string };

export interface Patience {
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Shows what is still missing. */
  readonly progress?: (line: string) => void;
}

const lookEveryMs = 100;

/**
 * Looks until it is there.
 * @throws DemoProblem after `seconds`, naming what was waited for and what was missing at the last look
 */
export async function until<T>(
  what: string,
  { seconds, signal, progress }: Patience,
  look: () => Promise<Look<T>>,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if ('found' in seen) return seen.found;
    if (performance.now() > deadline) {
      throw new DemoProblem(`Waited ${seconds} seconds for ${what}, in vain: ${seen.missing}.`);
    }
    progress?.(`Waiting for ${what}: ${seen.missing}`);
    await sleep(lookEveryMs, undefined, { signal });
  }
}
