// A text that stands by itself: a case note, a safety plan, an incident that is shared. Who it is about and who wrote it come first, then the
// text as it was signed, whole; the foot is that of the plan's document (closed-loop.md B8).

import { type JsonObject, objectAt, textAt, textsAt } from '../json.ts';
import { type Find, nameable, pointedAt, primaryAssignment, workerFacts } from './directory.ts';
import { agencyFacts, clientFacts, type DocumentFacts } from './facts.ts';
import { markerLine } from './marker.ts';
import { asOf, clientRows, type Frame, footOf, phoneRow, type Row, subtitle } from './page.ts';
import type { Rendered } from './rendered.ts';
import { Letters, rowLines } from './text.ts';
import { present, said } from './values.ts';
import { wordsFor } from './words.ts';
import { wrap } from './wrap.ts';
import { escaped, rowMarkup, xhtmlDocument } from './xhtml.ts';

export interface NoteHeadInput {
  readonly caseRecord: JsonObject;
  readonly client: JsonObject;
  /** The record that the text is of. */
  readonly record: JsonObject;
  /** Worker record's id; undefined: not known. */
  readonly authorId: string | undefined;
  readonly find: Find;
  readonly mrn: string | undefined;
}

/** Who it is about, and who writes. */
export function noteHead({ caseRecord, client, record, authorId, find, mrn }: NoteHeadInput): JsonObject {
  const author = authorId === undefined ? undefined : nameable(find('worker', authorId), record);
  const caseWorker = find('worker', textAt(primaryAssignment(caseRecord), 'workerId') ?? '');
  return present({
    client: clientFacts(client, mrn),
    agency: agencyFacts(caseRecord, pointedAt(find, caseRecord, 'organizationId', 'organization')),
    // Who wrote it, as far as that is known; else whom to call.
    ...(author === undefined
      ? { worker: workerFacts(nameable(caseWorker, caseRecord)) }
      : { author: workerFacts(author) }),
  });
}

/**
 * What an edition says; equal facts need no new one. Names and phones are not among them: what was signed does not change with them.
 * @param records whose labels the text bears
 */
export function noteFacts(title: string, text: string, records: readonly JsonObject[]): DocumentFacts {
  const part2 = records.some((record) => textsAt(record, 'sensitivity').includes('substance-use-part2'));
  return present({ title, text, part2: part2 || undefined });
}

/** The whole text in the form that the server takes; the last line is the marker. Throws nothing. */
export function renderNote(
  format: 'text' | 'xhtml',
  facts: DocumentFacts,
  head: JsonObject,
  frame: Omit<Frame, 'before'>,
): Rendered {
  return format === 'text' ? noteText(facts, head, frame) : noteXhtml(facts, head, frame);
}

function noteText(facts: DocumentFacts, head: JsonObject, frame: Omit<Frame, 'before'>): Rendered {
  const letters = new Letters();
  const lines = [
    letters.plain(titleOf(facts)).toUpperCase(),
    subtitle,
    ...rowsOf(head, frame).flatMap((rows) => ['', ...rows.flatMap((row) => rowLines(row, letters))]),
    '',
    ...linesOf(facts).flatMap((line) => textLines(letters.plain(line))),
    '',
  ];
  const foot = footOf({ ...facts, ...head }).flatMap((line) => wrap(letters.plain(line), '', ''));
  return {
    text: [...lines, ...foot, ...letters.notes(), markerLine(frame.marker, frame.edition)].join('\n'),
    leftOut: [],
    transliterated: letters.respelled || letters.lost,
  };
}

function textLines(line: string): string[] {
  return isItem(line) ? wrap(line.slice(2), '- ', '  ') : wrap(line, '', '');
}

function noteXhtml(facts: DocumentFacts, head: JsonObject, frame: Omit<Frame, 'before'>): Rendered {
  const body = [
    `<h2>${escaped(titleOf(facts))}</h2>`,
    `<p>${escaped(subtitle)}</p>`,
    '<table>',
    ...rowsOf(head, frame).flat().map(rowMarkup),
    '</table>',
    ...textMarkup(linesOf(facts)),
    ...footOf({ ...facts, ...head }).map((line) => `<p>${escaped(line)}</p>`),
    `<p>${escaped(markerLine(frame.marker, frame.edition))}</p>`,
  ];
  return { text: xhtmlDocument(titleOf(facts), body), leftOut: [], transliterated: false };
}

/** Lines as paragraphs; those that begin with a hyphen as a list. */
function textMarkup(lines: readonly string[]): string[] {
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    if (!isItem(line)) return [`<p>${escaped(line)}</p>`];
    const isFirst = !isItem(lines[index - 1]);
    const isLast = !isItem(lines[index + 1]);
    return [...(isFirst ? ['<ul>'] : []), `<li>${escaped(line.slice(2))}</li>`, ...(isLast ? ['</ul>'] : [])];
  });
}

function isItem(line: string | undefined): boolean {
  return line?.startsWith('- ') === true;
}

function titleOf(facts: DocumentFacts): string {
  return textAt(facts, 'title') ?? 'Note';
}

function linesOf(facts: DocumentFacts): string[] {
  return (textAt(facts, 'text') ?? '').split('\n');
}

function rowsOf(head: JsonObject, frame: Omit<Frame, 'before'>): Row[][] {
  const author = objectAt(head, 'author');
  const worker = author ?? objectAt(head, 'worker');
  const agency = objectAt(head, 'agency');
  const role = textAt(worker, 'role');
  const name = said([textAt(worker, 'name') ?? 'not named', role && wordsFor('role', role), textAt(worker, 'phone')]);
  const from = said([textAt(agency, 'name') ?? 'not named', textAt(agency, 'program')]);
  return [
    clientRows(objectAt(head, 'client')),
    [
      { label: author === undefined ? 'Case worker' : 'Author', values: [name.join(', ')] },
      { label: 'Agency', values: [from.join(', ')] },
      phoneRow(agency),
      { label: 'As of', values: [asOf(frame)] },
    ],
  ];
}
