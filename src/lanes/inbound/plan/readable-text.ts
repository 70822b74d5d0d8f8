// The text of a document as a person reads it: plain text as it is, HTML without its markup; of anything else none. Pure.

import { isBlank, type JsonObject, textAt } from '../../../json.ts';

/** Media types that are read, the plainest first. */
const readable = ['text/plain', 'text/html', 'application/xhtml+xml'];

/** How plain the text of an attachment is, 0 the plainest; undefined: it is not read. */
export function plainness({ contentType }: JsonObject): number | undefined {
  const at = readable.indexOf(mediaType(contentType));
  return at < 0 ? undefined : at;
}

/** @param held an Attachment or a Binary, with its `data`; undefined where that says nothing */
export function readableText(held: JsonObject): string | undefined {
  const data = textAt(held, 'data');
  const kind = plainness(held);
  if (data === undefined || kind === undefined) return undefined;
  const text = decoded(data, textAt(held, 'contentType') ?? '');
  return tidied(kind === 0 ? text : withoutMarkup(text));
}

function mediaType(contentType: unknown): string {
  return typeof contentType === 'string' ? (contentType.split(';')[0]?.trim().toLowerCase() ?? '') : '';
}

/** In the charset that it names; one that nobody knows is read as UTF-8. */
function decoded(base64: string, contentType: string): string {
  const bytes = Buffer.from(base64, 'base64');
  const charset = /;\s*charset="?([\w.:-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new TextDecoder().decode(bytes);
  }
}

const unsaid = ['head', 'script', 'style', 'template', 'title'];
const lines = /^\/?(?:address|article|blockquote|body|br|dd|div|dl|dt|h[1-6]|header|hr|ol|p|pre|section|table|tr|ul)$/;

/** One pass, whatever is open at the end: a chart's page may be broken, or made to be slow to read. */
function withoutMarkup(page: string): string {
  const lower = page.toLowerCase();
  const said: string[] = [];
  let at = 0;
  while (at < page.length) {
    const start = page.indexOf('<', at);
    said.push(withoutEntities(page.slice(at, start < 0 ? page.length : start).replace(/\s+/g, ' ')));
    if (start < 0) break;
    const isComment = page.startsWith('<!--', start);
    const end = page.indexOf(isComment ? '-->' : '>', start);
    if (end < 0) break;
    at = end + (isComment ? 3 : 1);
    const name = isComment ? '' : (/^\/?[a-z][a-z0-9]*/.exec(lower.slice(start + 1, start + 20))?.[0] ?? '');
    if (unsaid.includes(name) && page[end - 1] !== '/') {
      const closing = lower.indexOf(`</${name}`, at);
      at = closing < 0 ? page.length : closing;
    }
    if (name === 'li') said.push('\n- ');
    else if (name === 'td' || name === 'th') said.push(' ');
    else if (lines.test(name)) said.push('\n');
  }
  return said.join('');
}

const named: Readonly<Record<string, string>> = { amp: '&', apos: "'", gt: '>', lt: '<', nbsp: ' ', quot: '"' };

function withoutEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not stand in a record
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** Undefined: nothing is left. */
function tidied(text: string): string | undefined {
  const rows = text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(control, '')
    .split('\n')
    .map((row) => row.trimEnd());
  const tidy = rows
    .filter((row, index) => row !== '' || rows[index - 1] !== '')
    .join('\n')
    .trim();
  return isBlank(tidy) ? undefined : tidy;
}
