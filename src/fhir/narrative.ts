// The XHTML that a narrative may hold (https://hl7.org/fhir/R4/narrative.html#xhtml): formatting, tables, links and images; nothing that acts.

const elements = new Set(
  (
    'a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre q samp ' +
    'small span strong sub sup table tbody td tfoot th thead tr tt ul var'
  ).split(' '),
);

const attributes = new Set(
  (
    'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite class colspan ' +
    'compact coords dir frame headers height href hreflang id idref ismap lang longdesc name noshade rel rev rowspan rules scope shape ' +
    'span src start style summary tabindex title type usemap valign value width xml:lang xml:space xmlns'
  ).split(' '),
);

// Sticky, and without nested repeats: a narrative may be long.
const text = /[^<]+/y;
const comment = /<!--[\s\S]*?-->/y;
const closing = /<\/([A-Za-z][A-Za-z0-9]*)\s*>/y;
const opening = /<([A-Za-z][A-Za-z0-9]*)/y;
const attribute = /\s+([A-Za-z][A-Za-z:_-]*)\s*=\s*(?:"[^"<]*"|'[^'<]*')/y;
const end = /\s*(\/?)>/y;

/** True where the text is well-formed and holds only what a narrative may hold (txt-1). */
export function isBasicXhtml(div: string): boolean {
  const open: string[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(div);
    if (found) at = pattern.lastIndex;
    return found;
  };
  while (at < div.length) {
    if (take(text) ?? take(comment)) continue;
    const closed = take(closing);
    if (closed) {
      if (open.pop() !== closed[1]) return false;
      continue;
    }
    const name = take(opening)?.[1];
    if (name === undefined || !elements.has(name)) return false;
    for (let found = take(attribute); found; found = take(attribute)) {
      if (!attributes.has(found[1] ?? '')) return false;
    }
    const ended = take(end);
    if (!ended) return false;
    if (ended[1] === '') open.push(name);
  }
  return open.length === 0;
}

/** True where there is something to read or to see in it (txt-2). */
export function saysSomething(div: string): boolean {
  return /<img[\s/>]/.test(div) || /\S/.test(div.replaceAll(/<[^<>]*>/g, ''));
}
