// A page as strict XHTML 1.0 for servers that take it: headings, paragraphs, lists and a table, no style, no script, nothing from outside.

import { cleanLine } from './clean.ts';
import type { Entry } from './entries.ts';
import type { DocumentFacts } from './facts.ts';
import { type Costs, fit, visibleLimit } from './fit.ts';
import { markerLine } from './marker.ts';
import { type Frame, layOut, type Row } from './page.ts';
import type { Rendered } from './rendered.ts';

/** A whole XHTML document in UTF-8; at most 6,000 visible characters; the last paragraph is the marker. Throws nothing. */
export function renderXhtml(facts: DocumentFacts, frame: Frame): Rendered {
  const page = layOut(facts, frame);
  const last = markerLine(frame.marker, frame.edition);
  const costs: Costs = { entry: entryLength, line: (line) => cleanLine(line).length + 1 };
  const fixed = [
    page.title,
    page.subtitle,
    ...page.top.flat().flatMap(({ label, values }) => [label, ...values]),
    ...page.sections.map(({ heading }) => heading),
    ...page.foot,
    last,
  ].reduce((sum, line) => sum + costs.line(line), 0);
  const fitted = fit(page.sections, visibleLimit - fixed, costs);
  const body = [
    `<h2>${escaped(page.title)}</h2>`,
    `<p>${escaped(page.subtitle)}</p>`,
    '<table>',
    ...page.top.flat().map(rowMarkup),
    '</table>',
    ...fitted.flatMap(({ section, entries, more }) => [
      `<h2>${escaped(section.heading)}</h2>`,
      ...(entries.length === 0 ? [] : ['<ul>', ...entries.map(entryMarkup), '</ul>']),
      ...(section.entries.length === 0 ? [`<p>${escaped(section.none)}</p>`] : []),
      ...(more === undefined ? [] : [`<p>${escaped(more)}</p>`]),
    ]),
    ...page.foot.map((line) => `<p>${escaped(line)}</p>`),
    `<p>${escaped(last)}</p>`,
  ];
  return {
    text: xhtmlDocument(page.title, body),
    leftOut: [...page.leftOut, ...fitted.flatMap(({ more }) => more ?? [])],
    transliterated: false,
  };
}

export function xhtmlDocument(title: string, body: readonly string[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
    '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">',
    `<head><title>${escaped(title)}</title></head>`,
    '<body>',
    ...body,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** Text as XML text: cleaned of what XML does not allow, markup shown as it was written. */
export function escaped(text: string): string {
  return cleanLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function rowMarkup({ label, values }: Row): string {
  const [first = ''] = values;
  const cell =
    values.length === 1 ? escaped(first) : `<ul>${values.map((value) => `<li>${escaped(value)}</li>`).join('')}</ul>`;
  return `<tr><th>${escaped(label)}</th><td>${cell}</td></tr>`;
}

function entryMarkup(entry: Entry): string {
  return `<li>${escaped(entryText(entry))}</li>`;
}

function entryText({ head, details }: Entry): string {
  if (details.length === 0) return head;
  return `${/[.!?]$/.test(head) ? head : `${head}.`} ${details.join(' ')}`;
}

function entryLength(entry: Entry): number {
  return cleanLine(entryText(entry)).length + 1;
}
