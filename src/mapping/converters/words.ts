// Texts that people read: `{from, words: conceptMap}` says codes in words, `{words: [...]}` puts texts together, and `narrative` makes
// the XHTML of a resource's text, `document` the plain text of an attachment. They follow from other fields, so nothing comes back from them.

import { isObject, type Json } from '../../json.ts';
import { type FieldKind, isRecordType } from '../../records/records.ts';
import {
  type Build,
  type Cursor,
  conceptMapNamed,
  cursorAt,
  cursorIn,
  fieldAt,
  isPlainText,
  type Place,
} from '../build.ts';
import { type ConceptMap, codeWords, mapOn } from '../concept-map.ts';
import { compileCondition } from '../condition.ts';
import { type Lens, replaceUnlessSame } from '../lens.ts';
import { areKnown, haveKinds, lineWords, partWords, type Words } from '../notation.ts';
import { oneWay } from '../one-way.ts';
import type { MapNode, Node } from '../positions.ts';
import { RecordScope, reader, type Scope } from '../scope.ts';
import type { ProjectContext } from '../types.ts';

export const wordsKeys = ['from', 'words'];
export const sayKeys = ['from', 'say'];
export const narrativeKeys = ['narrative'];
export const documentKeys = ['document'];

type Said = (scope: Scope, context?: ProjectContext) => readonly string[];

const textKinds: readonly FieldKind[] = [
  'id',
  'line',
  'text',
  'date',
  'partial-date',
  'instant',
  'code',
  'item-code',
  'integer',
];

/** `{from: race, words: race}`: the codes' words, joined by commas. */
export function compileWords(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const words = wordsFrom(node, cursor, build);
  if (place.type !== 'string' && place.type !== 'markdown') {
    return build.problems.error(node.at, `${place.fact.path} is a ${place.type}; words make a text.`);
  }
  return words && textLens((scope, context) => words(scope, context).join(', ') || undefined);
}

/** `{from: expectedOn, say: "expected {}"}`: a value within a sentence. */
export function compileSay(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const sentence = node.entries.get('say')?.value;
  const words = wordsFrom(node, cursor, build);
  if (!isPlainText(sentence) || !sentence.value.includes('{}') || !['string', 'markdown'].includes(place.type)) {
    return build.problems.error(
      node.at,
      '"say" is a sentence with {} in it, for an element of type string or markdown.',
    );
  }
  return (
    words &&
    textLens((scope, context) => {
      const said = words(scope, context).join(', ');
      return said === '' ? undefined : sentence.value.replace('{}', () => said);
    })
  );
}

/** `{narrative: [line, ...]}`: a Narrative whose text says more than the other elements do. */
export function compileNarrative(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const list = node.entries.get('narrative')?.value;
  if (list?.kind !== 'list' || place.type !== 'Narrative') {
    return build.problems.error(node.at, '"narrative" is a list of {label, from}, for an element of type Narrative.');
  }
  const paragraphs = compileLines(list.items, cursor, build);
  const lens: Lens = textLens((scope, context) => {
    let parts = '';
    for (const paragraph of paragraphs(scope, context)) parts += paragraphXhtml(paragraph);
    return parts === ''
      ? undefined
      : { status: 'additional', div: `<div xmlns="http://www.w3.org/1999/xhtml">${parts}</div>` };
  });
  const fact = (raw: Json): Json | undefined => {
    const div = isObject(raw) ? raw.div : undefined;
    return typeof div === 'string' ? plainText(div) : undefined;
  };
  return { ...lens, fact, put: (raw, old) => replaceUnlessSame({ fact }, raw, old) };
}

/** `{document: [line, ...]}`: a plain text for people, as the data of an attachment. */
export function compileDocument(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const list = node.entries.get('document')?.value;
  if (list?.kind !== 'list' || place.type !== 'base64Binary') {
    return build.problems.error(node.at, '"document" is a list of {label, from}, for an element of type base64Binary.');
  }
  const paragraphs = compileLines(list.items, cursor, build);
  const lens: Lens = textLens((scope, context) => {
    const text = documentText(paragraphs(scope, context));
    return text === '' ? undefined : Buffer.from(text, 'utf8').toString('base64');
  });
  const fact = (raw: Json): Json | undefined =>
    typeof raw === 'string' ? Buffer.from(raw, 'base64').toString('utf8').trim() : undefined;
  return { ...lens, fact, put: (raw, old) => replaceUnlessSame({ fact }, raw, old) };
}

/** What a server may rewrite in XHTML without changing a word: tags, entities, white space. */
function plainText(div: string): string {
  return div
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(lt|gt|quot|apos|#39|amp|nbsp|#160);/g, (_, name: string) => entities[name] ?? ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'", amp: '&' };

/** What one line of a text says: under a label one text, or several as a list. */
interface Paragraph {
  readonly label?: string | undefined;
  /** The label in XHTML, where it is always the same. */
  readonly heading?: string | undefined;
  readonly texts: readonly string[];
}

type Paragraphs = (scope: Scope, context?: ProjectContext) => Paragraph[];

function paragraphXhtml({ label, heading = headingXhtml(label), texts }: Paragraph): string {
  const [only] = texts;
  if (only !== undefined && texts.length === 1) {
    return heading === '' ? `<p>${xhtmlOf(only)}</p>` : `<p>${heading} ${xhtmlOf(only)}</p>`;
  }
  let items = '';
  for (const text of texts) items += `<li>${xhtmlOf(text)}</li>`;
  return heading === '' ? `<ul>${items}</ul>` : `<p>${heading}</p><ul>${items}</ul>`;
}

function headingXhtml(label: string | undefined): string {
  return label === undefined ? '' : `<b>${escapeXhtml(label)}:</b>`;
}

/** A paragraph of several lines stands apart from what is around it. */
function documentText(paragraphs: readonly Paragraph[]): string {
  const texts = paragraphs.map(paragraphText).filter((text) => text !== '');
  return texts
    .map((text, index) => {
      const isApart = text.includes('\n') || texts[index - 1]?.includes('\n') === true;
      return index === 0 ? text : `${isApart ? '\n\n' : '\n'}${text}`;
    })
    .join('');
}

function paragraphText({ label, texts }: Paragraph): string {
  const shown = texts.map((text) => withoutControls(text).replace(/\r\n?/g, '\n').trim());
  const [only = ''] = shown;
  if (shown.length > 1) {
    return [...(label === undefined ? [] : [`${label}:`]), ...shown.map((text) => `- ${text}`)].join('\n');
  }
  if (label === undefined || only === '') return only;
  return only.includes('\n') ? `${label}:\n${only}` : `${label}: ${only}`;
}

function compileLines(nodes: readonly Node[], cursor: Cursor, build: Build): Paragraphs {
  const lines = nodes.map((node) => compileLine(node, cursor, build)).filter((line) => line !== undefined);
  return (scope, context) => {
    const paragraphs: Paragraph[] = [];
    for (const line of lines) {
      for (const paragraph of line(scope, context)) {
        if (paragraph.texts.length > 0) paragraphs.push(paragraph);
      }
    }
    return paragraphs;
  };
}

/**
 * A line of a text: `{label, from, words, via}`; `{say: text}` without a field; `{label, each: list, parts: [{from}, ...], and: text}` one item for
 * each of a list, its parts joined by commas or by `join`, and a last one that is always there; `{each: list, label: {from}, from}` a paragraph for
 * each. `when` holds for the whole line.
 */
function compileLine(node: Node, cursor: Cursor, build: Build): Paragraphs | undefined {
  if (node.kind !== 'map') {
    return build.problems.error(node.at, 'A line of a text is written {label: ..., from: ...}, or {say: ...}.');
  }
  if (!haveWords('A line of a text', node, lineWords, build)) {
    return undefined;
  }
  const ofItems = node.entries.has('each') ? undefined : ofEach.map((name) => node.entries.get(name)).find(Boolean);
  if (ofItems) {
    return build.problems.error(
      ofItems.at,
      `"${ofItems.name}" is said of the items of "each", and there is no "each" here.`,
    );
  }
  const whenNode = node.entries.get('when')?.value;
  const when = whenNode && compileCondition(whenNode, cursor, build);
  const line = node.entries.has('each') ? compileEachLine(node, cursor, build) : compileOneLine(node, cursor, build);
  return line && when ? (scope, context) => (when(scope, context) ? line(scope, context) : []) : line;
}

/** Words of a line that has `each`. */
const ofEach = ['parts', 'join', 'and'];

function haveWords(whose: string, { entries }: MapNode, words: Words, { problems }: Build): boolean {
  return areKnown(whose, entries.values(), words, problems) && haveKinds(entries.values(), words, problems);
}

function compileOneLine(node: MapNode, cursor: Cursor, build: Build): Paragraphs | undefined {
  const label = node.entries.get('label')?.value;
  const texts = textsOf(node, cursor, build);
  if (label !== undefined && !isPlainText(label)) {
    return build.problems.error(label.at, 'A label is text; only a line with "each" may read it from a field.');
  }
  const heading = headingXhtml(label?.value);
  return (
    texts &&
    ((scope, context) => {
      const said = texts(scope, context);
      return said.length === 0 ? [] : [{ label: label?.value, heading, texts: said }];
    })
  );
}

function compileEachLine(node: MapNode, cursor: Cursor, build: Build): Paragraphs | undefined {
  const each = node.entries.get('each')?.value;
  const found = each && fieldAt(each, cursor, build);
  const label = node.entries.get('label')?.value;
  const parts = node.entries.get('parts')?.value;
  const and = node.entries.get('and')?.value;
  if (!found) {
    return undefined;
  }
  if (!found.field.list) {
    return build.problems.error(found.at, '"each" needs a list of the record.');
  }
  const below = cursorIn(cursor, found.path, found.field);
  const read = reader(found.path);
  const scopes = (scope: Scope): Scope[] => listOf(read(scope)).map((item) => new RecordScope(scope.record, item));
  if (label?.kind === 'map') {
    const ofParts = ofEach.map((name) => node.entries.get(name)).find(Boolean);
    if (ofParts) {
      return build.problems.error(ofParts.at, `"${ofParts.name}" has no place where each item has a label of its own.`);
    }
    const heading = textsOf(label, below, build);
    const texts = textsOf(node, below, build);
    return (
      heading &&
      texts &&
      ((scope, context) =>
        scopes(scope).map((item) => ({
          label: capitalised(heading(item, context).join(', ')),
          texts: texts(item, context),
        })))
    );
  }
  const itemParts = (parts?.kind === 'list' ? parts.items : [])
    .map((part) => partOf(part, below, build))
    .filter((part) => part !== undefined);
  if (itemParts.length === 0) {
    return build.problems.error(
      node.at,
      '"each" needs "parts", a list of {from: ...}; or a label read from the items.',
    );
  }
  const joint = node.entries.get('join')?.value;
  const join = isPlainText(joint) ? joint.value : ', ';
  const last = isPlainText(and) ? [and.value] : [];
  return (scope, context) => {
    const items = scopes(scope).map((item) => itemParts.flatMap((part) => part(item, context)).join(join));
    return [
      { label: isPlainText(label) ? label.value : undefined, texts: [...items.filter((text) => text !== ''), ...last] },
    ];
  };
}

function partOf(node: Node, cursor: Cursor, build: Build): Said | undefined {
  if (node.kind !== 'map') {
    return build.problems.error(node.at, 'A part is written {from: ...}.');
  }
  return haveWords('A part of a line', node, partWords, build) ? textsOf(node, cursor, build) : undefined;
}

/** `{from, words, via}`, a sentence with {} around them (`say`), or a sentence of its own. */
function textsOf(node: MapNode, cursor: Cursor, build: Build): Said | undefined {
  const say = node.entries.get('say')?.value;
  if (say !== undefined && !isPlainText(say)) {
    return build.problems.error(say.at, '"say" is a sentence.');
  }
  if (!node.entries.has('from')) {
    return say ? () => [say.value] : build.problems.error(node.at, 'A line of a text has "from" or "say".');
  }
  const words = wordsFrom(node, cursor, build);
  if (!words || !say) {
    return words;
  }
  return (scope, context) => words(scope, context).map((text) => say.value.replace('{}', () => text));
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function wordsFrom(node: MapNode, cursor: Cursor, build: Build): Said | undefined {
  const viaNode = node.entries.get('via')?.value;
  if (viaNode?.kind === 'map') {
    return wordsVia(node, viaNode, cursor, build);
  }
  const from = node.entries.get('from')?.value;
  const found = from && fieldAt(from, cursor, build);
  if (!found || !from) {
    return from ? undefined : build.problems.error(node.at, '"from" is missing.');
  }
  if (!textKinds.includes(found.field.kind)) {
    return build.problems.error(found.at, `A ${found.field.kind} cannot be said in words.`);
  }
  const mapNode = node.entries.get('words')?.value;
  const map = mapNode && conceptMapNamed(mapNode, build);
  const read = reader(found.path);
  const isInstant = found.field.kind === 'instant';
  const sayOne = (value: Json, scope: Scope): string =>
    isInstant ? saidInstant(String(value)) : said(value, map && mapOn(map, scope.record));
  return (scope) => {
    const value = read(scope);
    if (value === undefined) return nothing;
    if (!Array.isArray(value)) return [sayOne(value, scope)];
    const all = value.map((item) => sayOne(item, scope));
    // A code that the record repeats, or two that are called the same, is said once.
    return map ? [...new Set(all)] : all;
  };
}

/** Words of other records. Labelled ones stay out: this text carries no label of theirs. */
function wordsVia(node: MapNode, viaNode: MapNode, cursor: Cursor, build: Build): Said | undefined {
  const [entry, more] = viaNode.entries.values();
  const type = isPlainText(entry?.value) ? entry.value.value : '';
  const found = entry && fieldAt({ kind: 'scalar', value: entry.name, at: entry.at }, cursor, build);
  if (!found || more || !isRecordType(type) || found.field.ref !== type) {
    return (
      found &&
      build.problems.error(
        viaNode.at,
        `"via" is written {idField: recordType}; this field points to ${found.field.ref ?? 'no record'}.`,
      )
    );
  }
  const rest = new Map([...node.entries].filter(([name]) => name !== 'via'));
  const words = wordsFrom({ ...node, entries: rest }, cursorAt(type, false, build), build);
  const read = reader(found.path);
  return (
    words &&
    ((scope, context) => {
      const all: string[] = [];
      for (const id of listOf(read(scope))) {
        const record = context?.record(type, String(id));
        if (record === undefined || listOf(record.sensitivity).length > 0) continue;
        for (const text of words(new RecordScope(record, record), context)) all.push(text);
      }
      return all;
    })
  );
}

const nothing: readonly never[] = [];

function listOf(value: Json | undefined): readonly Json[] {
  return value === undefined ? nothing : Array.isArray(value) ? value : [value];
}

function said(value: Json, map: ConceptMap | undefined): string {
  return map ? codeWords(map, String(value)) : String(value);
}

/** Date and time as the record has them, with their offset: a text has no zone of its own. */
function saidInstant(instant: string): string {
  const [, day, time, offset] = /^(.{10})T(.{5})[^Z+-]*(.*)$/.exec(instant.toUpperCase()) ?? [];
  return day === undefined ? instant : `${day} ${time} ${offset === 'Z' ? 'UTC' : `UTC${offset}`}`;
}

function textLens(say: (scope: Scope, context?: ProjectContext) => Json | undefined): Lens {
  const lens: Lens = {
    constant: false,
    quiet: true,
    twoWay: false,
    present: (scope, run) => say(scope, run.context) !== undefined,
    project: (scope, run) => say(scope, run.context),
    fact: (raw) => (typeof raw === 'string' ? raw.trim() : undefined),
    claims: () => true,
    put: (raw, old) => replaceUnlessSame(lens, raw, old),
    absorb: () => undefined,
  };
  return oneWay(lens);
}

/** Control characters, which no text for people holds, become spaces. */
function withoutControls(value: string): string {
  return value.replace(/(?![\t\n\r])\p{Cc}/gu, ' ');
}

function xhtmlOf(said: string): string {
  if (isPlain(said)) return said;
  const escaped = escapeXhtml(said);
  return escaped.includes('\n') ? escaped.replaceAll('\n', '<br/>') : escaped;
}

/** Escapes text for XHTML. */
function escapeXhtml(value: string): string {
  if (isPlain(value)) {
    return value;
  }
  return withoutControls(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function isPlain(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code < 32 || code === 34 || code === 38 || code === 60 || code === 62 || (code > 126 && code < 160)) {
      return false;
    }
  }
  return true;
}
