// The note that takes an edition back on a server that lets nothing be deleted: for a withdrawn consent and for the wrong patient's chart.
// So it names nobody and says nothing clinical.

import { toAscii } from './ascii.ts';
import { shown } from './clean.ts';
import { printInstant } from './dates.ts';
import { markerLine } from './marker.ts';
import type { Rendered } from './rendered.ts';
import { wrap } from './wrap.ts';
import { escaped, xhtmlDocument } from './xhtml.ts';

export interface RetractionFrame {
  readonly asOf: string;
  readonly timeZone: string;
  /** The number of this note in the series: one more than the edition that it takes back. */
  readonly edition: number;
  readonly marker: string;
  readonly retracts: { readonly edition: number; readonly asOf: string };
  /** What is taken back, in words that tell nothing of it. @default the community care plan */
  readonly what?: string;
  /** Whom to ask: agency and phone. */
  readonly contact?: string | undefined;
}

/** The retraction as text or as a whole XHTML document; the last line is the marker, as in a document. */
export function renderRetraction(format: 'text' | 'xhtml', frame: RetractionFrame): Rendered {
  const when = printInstant(frame.retracts.asOf, frame.timeZone);
  const contact = shown(frame.contact, 200);
  const title = `Retracted: ${frame.what ?? 'community care plan'}`;
  const lines = [
    `The document ${markerLine(frame.marker, frame.retracts.edition)} of ${when} was taken back by the community agency that sent it.`,
    'Do not use it for care and do not pass it on. Nothing in it is confirmed any longer.',
    'Please mark it as retracted, or ask your records office to do so.',
    `Taken back ${printInstant(frame.asOf, frame.timeZone)}.`,
    ...(contact === undefined ? [] : [`Questions: ${contact}`]),
  ];
  const last = markerLine(frame.marker, frame.edition);
  if (format === 'xhtml') {
    const body = [`<h2>${escaped(title)}</h2>`, ...[...lines, last].map((line) => `<p>${escaped(line)}</p>`)];
    return { text: xhtmlDocument(title, body), leftOut: [], transliterated: false };
  }
  const ascii = lines.map((line) => toAscii(line));
  const text = [title.toUpperCase(), '', ...ascii.flatMap((line) => wrap(line.text, '', '')), '', last];
  return {
    text: text.join('\n'),
    leftOut: [],
    transliterated: ascii.some(({ respelled, lost }) => respelled || lost),
  };
}
