import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withRecordTables } from '../../scripts/make-record-page.ts';

const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'records.md'), 'utf8');

test('docs/records.md holds the fields of every record type; node scripts/make-record-page.ts writes it', () => {
  expect(page).toBe(withRecordTables(page));
});
