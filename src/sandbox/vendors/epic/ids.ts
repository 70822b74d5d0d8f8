// Ids as the vendor makes them: opaque, as long as R4 allows, with dots and dashes, and case counts (E28). They follow from a counter, so that
// a run repeats with the same ids.

import { createHash } from 'node:crypto';

const longest = 64;

/** The same seed gives the same id; it has 64 characters. */
export function opaqueId(seed: string): string {
  const letters = createHash('sha512').update(seed).digest('base64').replaceAll('+', '-').replaceAll('/', '.');
  return `e${letters.slice(0, 19)}-${letters.slice(19, 40)}.${letters.slice(40)}`.slice(0, longest - 1).concat('3');
}
