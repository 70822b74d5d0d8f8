// How much a test does of what it does many times. A plain run takes a part of it, the same one each time; CASEBRIDGE_TEST_COUNTS=full takes all.

const isFull = process.env.CASEBRIDGE_TEST_COUNTS === 'full';

/** What this run takes. */
export function atCounts<T>({ plain, full }: { readonly plain: T; readonly full: T }): T {
  return isFull ? full : plain;
}
