// Histories that once failed, and why. They are played with every run of the tests, as long as they fail again without what mended them; a seed that the
// present mix of faults no longer leads there goes, once a test of its own shows the defect.

export interface Regression {
  readonly seed: number;
  readonly why: string;
  /** What to break to see it fail. */
  readonly without: string;
}

export const regressions: readonly Regression[] = [
  {
    seed: 200024,
    why: 'one 409 to a create, after tries that had failed for other reasons, was asked about, and its case waited for the answer',
    without: 'isLastingClash (src/lanes/contested.ts), the attempts of the lane counted in its place',
  },
];
