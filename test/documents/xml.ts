// A strict reader for the XML that documents use: elements, attributes in double quotes, text, the five entities. What it does not know, it refuses.

export interface Element {
  readonly name: string;
  readonly children: (Element | string)[];
}

const token =
  /<\?xml [^<>]*\?>|<!DOCTYPE [^<>]*>|<\/([a-z][a-z0-9]*)>|<([a-z][a-z0-9]*)((?: [a-z:]+="[^"<&]*")*)(\/?)>|([^<>&]|&(?:amp|lt|gt|quot|apos);)+/y;
const characters = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/** The root element; throws on anything that is not well-formed. */
export function readXml(text: string): Element {
  if (!characters.test(text)) throw new Error('a character that XML does not allow');
  const root: Element = { name: '', children: [] };
  const open: Element[] = [root];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw new Error(`not well-formed at ${at}: ${text.slice(at, at + 40)}`);
    const [whole, closed, opened, , selfClosed] = found;
    const parent = open.at(-1) ?? root;
    if (closed !== undefined) {
      if (open.pop()?.name !== closed || open.length === 0) throw new Error(`</${closed}> closes nothing at ${at}`);
    } else if (opened !== undefined) {
      const element: Element = { name: opened, children: [] };
      parent.children.push(element);
      if (selfClosed === '') open.push(element);
    } else if (!whole.startsWith('<')) {
      parent.children.push(unescaped(whole));
    }
  }
  const elements = root.children.filter((child) => typeof child !== 'string');
  const stray = root.children.filter((child) => typeof child === 'string' && child.trim() !== '');
  const [only] = elements;
  if (open.length !== 1 || only === undefined || elements.length !== 1 || stray.length > 0)
    throw new Error('not one whole element');
  return only;
}

/** The text of the first element of that name, parts separated by spaces. */
export function textOf(element: Element, name: string): string {
  const found = element.name === name ? element : descendant(element, name);
  if (!found) throw new Error(`no <${name}>`);
  return allText(found);
}

function descendant(element: Element, name: string): Element | undefined {
  for (const child of element.children) {
    if (typeof child === 'string') continue;
    const found = child.name === name ? child : descendant(child, name);
    if (found) return found;
  }
  return undefined;
}

function allText(element: Element): string {
  return element.children.map((child) => (typeof child === 'string' ? child : allText(child))).join(' ');
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);
}
