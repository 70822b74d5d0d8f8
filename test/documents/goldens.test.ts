// The documents as hospitals get them, compared with the golden files in fixtures/documents. After a wanted change, CASEBRIDGE_WRITE_GOLDENS=1
// writes them anew: read the difference as a clinician would before it is committed.

import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { type Rendered, renderRetraction, renderText, renderXhtml } from '../../src/documents/documents.ts';
import { frame, goldens, marker } from './cases.ts';

const retraction = {
  asOf: '2026-03-24T14:00:00Z',
  timeZone: frame().timeZone,
  edition: 2,
  marker,
  retracts: { edition: 1, asOf: frame().asOf },
  contact: 'Riverside Family Services, (518) 555-0100',
};

const files: [file: string, rendered: Rendered][] = [
  ...goldens.flatMap(({ name, facts, frame }): [string, Rendered][] => [
    [`${name}.txt`, renderText(facts, frame)],
    [`${name}.xhtml`, renderXhtml(facts, frame)],
  ]),
  ['retraction.txt', renderRetraction('text', retraction)],
  ['retraction.xhtml', renderRetraction('xhtml', retraction)],
];

test.each(files)('%s is what its golden file says', async (file, { text }) => {
  const path = new URL(`../../fixtures/documents/${file}`, import.meta.url);
  if (process.env.CASEBRIDGE_WRITE_GOLDENS === '1') await writeFile(path, text);
  expect(text).toBe(await readFile(path, 'utf8'));
});
