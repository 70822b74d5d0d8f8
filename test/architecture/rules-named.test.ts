// The rules of the lane core are numbered, and each is named by a test that would see it broken.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const folder = 'test';
const rules = 29;

test('each rule of lanes.md is named', async () => {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.test.ts'));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const named = new Set(texts.flatMap(namedIn));
  expect(Array.from({ length: rules }, (_, n) => n + 1).filter((rule) => !named.has(rule))).toEqual([]);
  expect([...named].filter((rule) => rule < 1 || rule > rules)).toEqual([]);
});

/** Those of `lanes.md 1, 10` and `lanes.md 13 to 15, 28`. */
function namedIn(text: string): number[] {
  return [...text.matchAll(/lanes\.md (\d+(?:(?:, | to )\d+)*)/g)].flatMap(([, list = '']) =>
    list.split(', ').flatMap((part) => {
      const [from = 0, to = from] = part.split(' to ').map(Number);
      return Array.from({ length: to - from + 1 }, (_, n) => from + n);
    }),
  );
}
