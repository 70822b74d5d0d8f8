// What a map does not carry, and why: the language has no word for it, or @medplum/core's engine would skip it in silence.

import type { Position } from '../positions.ts';

export interface LeftOut {
  readonly record: string;
  readonly slot: string;
  /** Path below the resource; list entries go by their key, as in `performer[organization]`. */
  readonly element: string;
  /** The rule: `file:line`. */
  readonly at: string;
  readonly reason: string;
}

/** Thrown where a rule cannot be written; caught at the element, alternative or part that can go without it. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
  readonly at: Position;

  constructor(reason: string, at: Position) {
    super(reason);
    this.at = at;
  }
}
