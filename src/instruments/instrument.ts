// What one screening instrument is to us: its items with what each answer is worth, its total with its bands, and what a positive answer means.
// Codes and short labels only: the wording of the questions belongs to the instruments' owners.

/**
 * What an answer is worth, by its code; `bool` and `number` answers by `yes`, `no` and the number itself. `*` stands for any other code. An
 * answer that is none of them leaves its item without a score.
 */
export type Worth = Readonly<Record<string, number>>;

export interface InstrumentItem {
  readonly code: string;
  readonly worth: Worth;
  /** Left out of every total, such as a question on how difficult things are. */
  readonly unscored?: boolean;
  /** From this score on the answer is positive; never, where absent. */
  readonly positiveFrom?: number;
  /** The need domain that a positive answer speaks of. */
  readonly domain?: string;
  /** A positive answer is a matter of safety, whatever the total. */
  readonly alert?: boolean;
}

export interface Band {
  /** The lowest total of the band. */
  readonly from: number;
  readonly code: string;
}

export interface Total {
  /** How the score is called in records; the first one is ours, the others mean the same. */
  readonly codes: readonly [string, ...string[]];
  /** Items that it adds up; all scored items where absent. */
  readonly of?: readonly string[];
  /** The range, where the rule has one. */
  readonly min: number;
  readonly max?: number;
  /** From the lowest to the highest. */
  readonly bands: readonly Band[];
  /** From this total on it speaks of a need in this domain. */
  readonly positive?: { readonly from: number; readonly domain: string };
}

export interface Instrument {
  readonly code: string;
  /** The published rule, by name. */
  readonly rule: string;
  readonly items: readonly InstrumentItem[];
  readonly totals: readonly Total[];
  /** The risk level, where the instrument has one instead of a sum; undefined while an answer that it needs is missing. */
  readonly level?: (worth: (code: string) => number | undefined) => string | undefined;
}

/** `0`-`3` by number, and what the codes of an answer list are worth. */
export function ordinal(codes: readonly string[], lowest = 0): Worth {
  return Object.fromEntries(
    codes.flatMap((code, index) => [
      [code, index + lowest],
      [String(index + lowest), index + lowest],
    ]),
  );
}

export const yesNo: Worth = { 'LA33-6': 1, 'LA32-8': 0, yes: 1, no: 0, '1': 1, '0': 0 };
