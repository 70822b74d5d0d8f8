// A page as plain ASCII text, 78 characters a line: all that some servers' notes can hold.

import { toAscii } from './ascii.ts';
import type { Entry } from './entries.ts';
import type { DocumentFacts } from './facts.ts';
import { type Costs, fit, visibleLimit } from './fit.ts';
import { markerLine } from './marker.ts';
import { type Frame, layOut, type Row } from './page.ts';
import type { Rendered } from './rendered.ts';
import { wrap } from './wrap.ts';

const labelWidth = 13;

/** Plain ASCII, at most 6,000 characters and 78 a line; the last line is the marker. Throws nothing. */
export function renderText(facts: DocumentFacts, frame: Frame): Rendered {
  const page = layOut(facts, frame);
  const letters = new Letters();
  const costs: Costs = {
    entry: (entry) => size(entryLines(entry, new Letters())),
    line: (line) => size(wrap(line, '  ', '  ')),
  };
  const top = [
    page.title.toUpperCase(),
    page.subtitle,
    ...page.top.flatMap((rows) => ['', ...rows.flatMap((row) => rowLines(row, letters))]),
  ];
  const foot = (note: readonly string[]) => [
    '',
    ...[...page.foot, ...note].flatMap((line) => wrap(letters.plain(line), '', '')),
  ];
  const last = markerLine(frame.marker, frame.edition);
  const headings = page.sections.flatMap(({ heading }) => ['', heading.toUpperCase()]);
  const fixed = size([...top, ...headings, ...foot(worstNotes), last]);
  const fitted = fit(page.sections, visibleLimit - fixed, costs);
  const body = fitted.flatMap(({ section, entries, more }) => [
    '',
    section.heading.toUpperCase(),
    ...entries.flatMap((entry) => entryLines(entry, letters)),
    ...(section.entries.length === 0 ? wrap(section.none, '  ', '  ') : []),
    ...(more === undefined ? [] : wrap(more, '  ', '  ')),
  ]);
  const lines = [...top, ...body, ...foot(letters.notes()), last];
  return {
    text: lines.join('\n'),
    leftOut: [...page.leftOut, ...fitted.flatMap(({ more }) => more ?? [])],
    transliterated: letters.respelled || letters.lost,
  };
}

const respelledNote = 'Some letters are written without their accents or in Latin script.';
const lostNote = 'Characters that cannot be shown here appear as "?".';
const worstNotes = [respelledNote, lostNote];

/** Makes text ASCII and remembers what that cost. */
export class Letters {
  respelled = false;
  lost = false;

  plain(text: string): string {
    const ascii = toAscii(text);
    this.respelled ||= ascii.respelled;
    this.lost ||= ascii.lost;
    return ascii.text;
  }

  notes(): string[] {
    return [...(this.respelled ? [respelledNote] : []), ...(this.lost ? [lostNote] : [])];
  }
}

export function rowLines(row: Row, letters: Letters): string[] {
  const label = `${row.label}:`.padEnd(labelWidth);
  const indent = ' '.repeat(labelWidth);
  const values = row.values.map((value) => letters.plain(value));
  if (values.length === 1) return wrap(values[0] ?? '', label, indent);
  return values.flatMap((value, index) => wrap(value, `${index === 0 ? label : indent}- `, `${indent}  `));
}

function entryLines(entry: Entry, letters: Letters): string[] {
  const details = letters.plain(entry.details.join(' '));
  return [...wrap(letters.plain(entry.head), '- ', '  '), ...(details === '' ? [] : wrap(details, '  ', '  '))];
}

function size(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0);
}
