// Chance by seed: one stream for each actor, so that a draw more or less of one shifts no other.

import { mulberry32 } from '../support/mulberry32.ts';

export interface Random {
  /** 0 to below 1. */
  next(): number;
  chance(probability: number): boolean;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  /** @throws Error for an empty list */
  pick<T>(list: readonly T[]): T;
}

/** The same seed and name give the same draws. */
export function stream(seed: number, name: string): Random {
  let state = seed | 0;
  for (let at = 0; at < name.length; at += 1) state = Math.imul(state ^ name.charCodeAt(at), 0x9e3779b1) | 0;
  const next = mulberry32(state);
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    chance: (probability) => next() < probability,
    between,
    pick: (list) => {
      const picked = list[between(0, list.length - 1)];
      if (picked === undefined) throw new Error('There is nothing to pick from.');
      return picked;
    },
  };
}
