// The list of bad inputs is numbered, and each number has its test by name: in order, and once.

import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

test.each([
  ['test/http/bad-requests.test.ts', 1, 20],
  ['test/records/bad-json.test.ts', 21, 40],
])('%s has a test for each number from %d to %d', async (file, first, last) => {
  const text = await readFile(file, 'utf8');
  const numbers = [...text.matchAll(/^test\(['"](\d+): /gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual(Array.from({ length: last - first + 1 }, (_, n) => first + n));
});
