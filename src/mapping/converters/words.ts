// Texts that people read: `{from, words: conceptMap}` says codes in words, `{words: [...]}` puts texts together, and `narrative` makes
// the XHTML of a resource's text. They follow from other fields, so nothing comes back from them.

import { isObject, type Json } from '../../json.ts';
import { type FieldKind, isRecordType } from '../../records/records.ts';
import { type Build, type Cursor, conceptMapNamed, cursorAt, fieldAt, isPlainText, type Place } from '../build.ts';
import { type ConceptMap, wordsOf } from '../concept-map.ts';
import { type Lens, replaceUnlessSame } from '../lens.ts';
import { oneWay } from '../one-way.ts';
import type { MapNode, Node } from '../positions.ts';
import { RecordScope, reader, type Scope } from '../scope.ts';
import type { ProjectContext } from '../types.ts';

export const wordsKeys = ['from', 'words'];
export const sayKeys = ['from', 'say'];
export const narrativeKeys = ['narrative'];

type Words = (scope: Scope, context?: ProjectContext) => string[];

const textKinds: readonly FieldKind[] = ['id', 'line', 'text', 'date', 'partial-date', 'instant', 'code', 'item-code'];

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

/** `{narrative: [{label, from}, ...]}`: a Narrative whose text says more than the other elements do. */
export function compileNarrative(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const list = node.entries.get('narrative')?.value;
  if (list?.kind !== 'list' || place.type !== 'Narrative') {
    return build.problems.error(node.at, '"narrative" is a list of {label, from}, for an element of type Narrative.');
  }
  const lines = list.items.map((item) => compileLine(item, cursor, build)).filter((line) => line !== undefined);
  const lens: Lens = textLens((scope, context) => {
    const parts = lines.map((line) => line(scope, context)).join('');
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

/** What a server may rewrite in XHTML without changing a word: tags, entities, white space. */
function plainText(div: string): string {
  return div
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(lt|gt|quot|apos|#39|amp|nbsp|#160);/g, (_, name: string) => entities[name] ?? ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'", amp: '&' };

function compileLine(
  node: Node,
  cursor: Cursor,
  build: Build,
): ((scope: Scope, context?: ProjectContext) => string) | undefined {
  const label = node.kind === 'map' ? node.entries.get('label')?.value : undefined;
  if (node.kind !== 'map' || !isPlainText(label)) {
    return build.problems.error(node.at, 'A line of a narrative is written {label: ..., from: ...}.');
  }
  const words = wordsFrom(node, cursor, build);
  const heading = escapeXhtml(label.value);
  return (
    words &&
    ((scope, context) => {
      const texts = words(scope, context);
      const [only] = texts;
      if (only === undefined) {
        return '';
      }
      if (texts.length === 1) {
        return `<p><b>${heading}:</b> ${xhtmlOf(only)}</p>`;
      }
      return `<p><b>${heading}:</b></p><ul>${texts.map((said) => `<li>${xhtmlOf(said)}</li>`).join('')}</ul>`;
    })
  );
}

function wordsFrom(node: MapNode, cursor: Cursor, build: Build): Words | undefined {
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
  return (scope) => listOf(read(scope)).map((value) => said(value, map));
}

/** Words of other records. Labelled ones stay out: this text carries no label of theirs. */
function wordsVia(node: MapNode, viaNode: MapNode, cursor: Cursor, build: Build): Words | undefined {
  const [entry] = viaNode.entries.values();
  const type = isPlainText(entry?.value) ? entry.value.value : '';
  const found = entry && fieldAt({ kind: 'scalar', value: entry.name, at: entry.at }, cursor, build);
  if (!found || !isRecordType(type) || found.field.ref !== type) {
    return (
      found &&
      build.problems.error(
        viaNode.at,
        `"via" is written {idField: recordType}; this field points to ${found.field.ref ?? 'no record'}.`,
      )
    );
  }
  const rest = new Map([...node.entries].filter(([name]) => name !== 'via'));
  const words = wordsFrom({ ...node, entries: rest }, cursorAt(type, false), build);
  const read = reader(found.path);
  return (
    words &&
    ((scope, context) =>
      listOf(read(scope)).flatMap((id) => {
        const record = context?.record(type, String(id));
        const labelled = listOf(record?.sensitivity).length > 0;
        return record && !labelled ? words(new RecordScope(record, record), context) : [];
      }))
  );
}

function listOf(value: Json | undefined): Json[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function said(value: Json, map: ConceptMap | undefined): string {
  return map ? wordsOf(map, String(value)) : String(value);
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

function xhtmlOf(said: string): string {
  const escaped = escapeXhtml(said);
  return escaped.includes('\n') ? escaped.replaceAll('\n', '<br/>') : escaped;
}

/** Escapes text for XHTML; control characters, which XML cannot hold, become spaces. */
function escapeXhtml(value: string): string {
  if (isPlain(value)) {
    return value;
  }
  return value
    .replace(/(?![\t\n\r])\p{Cc}/gu, ' ')
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
