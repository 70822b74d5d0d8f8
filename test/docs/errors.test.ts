import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { errorPage } from '../../scripts/error-page.ts';

test('docs/errors.md lists exactly the codes of src/errors.ts (else run: node scripts/make-error-page.ts)', async () => {
  expect(await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8')).toBe(errorPage());
});
