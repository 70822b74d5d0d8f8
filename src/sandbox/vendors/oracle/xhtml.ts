// Whether a text is well-formed XHTML, and the text without the elements that the server does not keep. A reader of its own, since the
// rules are few: one root, every element closed in order, attributes quoted and once, the five entities of XML, no stray < or &.

/** Elements that are taken out with all that is in them. */
const stripped = new Set(['script', 'style', 'iframe', 'object', 'embed', 'form', 'link']);
const entities = new Set(['amp', 'lt', 'gt', 'quot', 'apos']);
const namespace = 'http://www.w3.org/1999/xhtml';

export type XhtmlResult = { kept: string } | { problem: string };

interface Open {
  name: string;
  /** Length of what was kept before the element began. */
  start: number;
}

/** Reads an XHTML document: root `html` in the XHTML namespace with a head that has a title, and a body. */
export function readXhtml(text: string): XhtmlResult {
  const open: Open[] = [];
  const paths: string[] = [];
  let kept = '';
  let rest = text.replace(/^\uFEFF/, '');
  while (rest !== '') {
    const token = /^(?:<!--(?:[^-]|-(?!-))*-->|<\?[^?]*\?>|<!DOCTYPE[^>[]*>|<[^>]*>|[^<]+)/i.exec(rest)?.[0];
    if (token === undefined) return { problem: 'A < begins no tag.' };
    rest = rest.slice(token.length);
    const problem = token.startsWith('<') ? undefined : textProblem(token, open.length);
    if (problem !== undefined) return { problem };
    const before = kept.length;
    kept += token;
    if (!token.startsWith('<') || token.startsWith('<?') || token.startsWith('<!')) continue;
    const tag = readTag(token);
    if ('problem' in tag) return tag;
    if (tag.kind === 'close') {
      const last = open.pop();
      if (last?.name !== tag.name) return { problem: `The tag </${tag.name}> closes nothing that is open.` };
      if (stripped.has(tag.name)) kept = kept.slice(0, last.start);
      continue;
    }
    if (open.length === 0 && paths.length > 0) return { problem: 'There is more than one root element.' };
    paths.push([...open.map(({ name }) => name), tag.name].join('/'));
    if (paths.length === 1 && (tag.name !== 'html' || tag.attributes.xmlns !== namespace)) {
      return { problem: `The root element must be html with the namespace ${namespace}.` };
    }
    if (tag.kind === 'open') open.push({ name: tag.name, start: before });
    else if (stripped.has(tag.name)) kept = kept.slice(0, before);
  }
  const last = open.at(-1);
  if (last !== undefined) return { problem: `The element ${last.name} is not closed.` };
  const missing = ['html/head', 'html/head/title', 'html/body'].find((path) => !paths.includes(path));
  return missing === undefined ? { kept } : { problem: `There is no ${missing}.` };
}

function textProblem(text: string, depth: number): string | undefined {
  if (depth === 0 && text.trim() !== '') return 'There is text outside the root element.';
  return referenceProblem(text);
}

function referenceProblem(text: string): string | undefined {
  for (const [, reference = ''] of text.matchAll(/&([^;\s&<]*;?)/g)) {
    const name = reference.slice(0, -1);
    const isKnown = entities.has(name) || /^#(\d{1,7}|x[0-9a-fA-F]{1,6})$/.test(name);
    if (!reference.endsWith(';') || !isKnown) return `The reference &${reference} is not known in XML.`;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for; XML 1.0 has no way to write them.
  return /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/.test(text)
    ? 'There is a control character.'
    : undefined;
}

interface Tag {
  kind: 'open' | 'close' | 'empty';
  name: string;
  attributes: Readonly<Record<string, string>>;
}

function readTag(token: string): Tag | { problem: string } {
  const close = /^<\/([a-z][a-z0-9]*)\s*>$/.exec(token)?.[1];
  if (close !== undefined) return { kind: 'close', name: close, attributes: {} };
  const [, name, inner = '', slash] = /^<([a-z][a-z0-9]*)((?:\s[^<>]*?)?)\s*(\/?)>$/s.exec(token) ?? [];
  if (name === undefined) return { problem: `The tag ${token.slice(0, 20)} is no XHTML: names are in small letters.` };
  const attributes: Record<string, string> = {};
  let rest = inner.trim();
  while (rest !== '') {
    const match = /^([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')(?:\s+|$)/.exec(rest);
    if (match === null) return { problem: `An attribute of ${name} has no quoted value.` };
    const [whole, key = '', double, single] = match;
    if (key in attributes) return { problem: `The element ${name} has the attribute ${key} twice.` };
    const value = double ?? single ?? '';
    const problem = referenceProblem(value);
    if (problem !== undefined) return { problem };
    attributes[key] = value;
    rest = rest.slice(whole.length);
  }
  return { kind: slash === '/' ? 'empty' : 'open', name, attributes };
}
