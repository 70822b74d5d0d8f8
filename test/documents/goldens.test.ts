// The documents as hospitals get them, compared with the golden files in fixtures/documents. After a wanted change, CASEBRIDGE_WRITE_GOLDENS=1
// writes them anew: read the difference as a clinician would before it is committed.

import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import {
  noteFacts,
  noteHead,
  type Rendered,
  renderNote,
  renderRetraction,
  renderText,
  renderXhtml,
} from '../../src/documents/documents.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { aCase, aClient, aNote, aSafetyPlan } from '../builders.ts';
import { context, mappingOf } from '../mapping/fixtures.ts';
import { find, frame, goldens, marker } from './cases.ts';

const retraction = {
  asOf: '2026-03-24T14:00:00Z',
  timeZone: frame().timeZone,
  edition: 2,
  marker,
  retracts: { edition: 1, asOf: frame().asOf },
  contact: 'Riverside Family Services, (518) 555-0100',
};

/** A record that is a text by itself, as the mapping makes it and a hospital gets it. */
function ofItsOwn(type: 'note' | 'safetyPlan', record: JsonObject, format: 'text' | 'xhtml'): Rendered {
  const [desired] = mappingOf(type).project(record, context);
  const [content] = Array.isArray(desired?.resource.content) ? desired.resource.content : [];
  const attachment = isObject(content) && isObject(content.attachment) ? content.attachment : {};
  const text = Buffer.from(String(attachment.data), 'base64').toString('utf8');
  const input = { caseRecord: aCase(), client: aClient(), record, authorId: 'worker-okafor', find, mrn: 'MRN-20417' };
  return renderNote(format, noteFacts(String(attachment.title), text, [record]), noteHead(input), frame());
}

const note = aNote({
  format: 'soap',
  sections: [
    { code: 'subjective', text: 'Sleeps well since the visit. – «Mejor», says she.' },
    { code: 'plan', text: 'Call the pantry on Monday.\nAsk about delivery.' },
  ],
});
const safetyPlan = aSafetyPlan({
  sensitivity: ['substance-use-part2'],
  meansSafety: [{ means: 'Tablets', step: 'Ana keeps them.', responsible: 'Ana', doneOn: '2026-02-14' }],
  reasonsForLiving: ['My children'],
  clientAgreed: true,
});

const files: [file: string, rendered: Rendered][] = [
  ...goldens.flatMap(({ name, facts, frame }): [string, Rendered][] => [
    [`${name}.txt`, renderText(facts, frame)],
    [`${name}.xhtml`, renderXhtml(facts, frame)],
  ]),
  ['note.txt', ofItsOwn('note', note, 'text')],
  ['note.xhtml', ofItsOwn('note', note, 'xhtml')],
  ['safety-plan.txt', ofItsOwn('safetyPlan', safetyPlan, 'text')],
  ['safety-plan.xhtml', ofItsOwn('safetyPlan', safetyPlan, 'xhtml')],
  ['retraction.txt', renderRetraction('text', retraction)],
  ['retraction.xhtml', renderRetraction('xhtml', retraction)],
];

test.each(files)('%s is what its golden file says', async (file, { text }) => {
  const path = new URL(`../../fixtures/documents/${file}`, import.meta.url);
  if (process.env.CASEBRIDGE_WRITE_GOLDENS === '1') await writeFile(path, text);
  expect(text).toBe(await readFile(path, 'utf8'));
});
