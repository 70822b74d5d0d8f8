import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the sample in docs/document.md is what a hospital gets', async () => {
  const [, sample] = (await read('docs/document.md')).match(/```text\n(.*?)\n```/s) ?? [];
  expect(sample).toContain('CHANGED SINCE THE LAST ONE');
  expect((await read('fixtures/documents/changed.txt')).startsWith(`${sample}\n`)).toBe(true);
});
