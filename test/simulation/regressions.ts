// Histories that once failed, and why. They are played with every run of the tests and are never taken out.

export interface Regression {
  readonly seed: number;
  readonly why: string;
}

export const regressions: readonly Regression[] = [
  { seed: 152, why: 'a recall after a withdrawn consent blanked what the partner had written, and nobody was told' },
  {
    // It showed this in an earlier mix of faults; in the present one no seed is known to.
    seed: 300,
    why: 'a poll of a lagging search took the place of a newer look, and our write undid what the partner had written',
  },
  {
    seed: 171,
    why: 'an update whose reply was lost was not known for ours, as the store had put the keys of a fact in another order, and was offered as theirs',
  },
  {
    seed: 5134,
    why: 'a recall whose reply was lost was not known for done, and when consent came again the blanked resource was filled in part only',
  },
  {
    seed: 100334,
    why: 'what was created with a lost reply, and not taken back before its record came home from another client, was offered as theirs',
  },
  {
    seed: 200024,
    why: 'one 409 to a create, after tries that had failed for other reasons, was asked about, and its case waited for the answer',
  },
];
