// A quick reader for the YAML that mapping files are written in: maps, lists, flow collections, one-line scalars, folded text and comments.
// Whatever it does not know for certain, faults included, it leaves to the reader of all of YAML, by answering undefined: so it never decides
// that a file is wrong, and what it answers is what that one would. Every start of every process reads all mapping files; this takes a tenth.

import type { MapEntry, MapNode, Node, Position, Scalar, ScalarNode } from './positions.ts';

/** Thrown inside only: the text has something that is not simple. */
const notSimple = new Error('not simple YAML');

/** Printable, and of one meaning everywhere: no tab, no carriage return, no byte order mark, no line separator. */
const simpleText = /^[\n\x20-\x7e\xa1-\u2027\u2030-\ud7ff]*$/;

const blanks = / */y;
const comment = /#[^\n]*/y;
const restOfLine = /[^\n]*/y;
// A key, or a plain scalar, begins with what can be nothing else. `-` begins a negative number or a word when no space follows.
const plainKey = /[A-Za-z0-9_/.$](?:[A-Za-z0-9_/.$+-]|(?<=[^ ])#| (?=[A-Za-z0-9]))*(?=:[ \n])/y;
const blockPlain = /[^\s\-?:,[\]{}#&*!|>'"%@`~=<][^\n]*|-[^\s\-?:,[\]{}#&*!|>'"%@`~=<][^\n]*/y;
const flowPlain =
  /(?:[^\s\-?:,[\]{}#&*!|>'"%@`~=<]|-(?=[A-Za-z0-9]))(?:[^\s:,[\]{}#]|:(?=[^\s,[\]{}:#])|(?<=[^\s])#| (?=[^\s#:,[\]{}]))*/y;
const singleQuoted = /'((?:[^'\n]|'')*)'/y;
const doubleQuoted = /"((?:[^"\\\n]|\\["\\n])*)"/y;

const number = /^[-+]?(?:\.?[0-9]|\.inf|\.nan)/i;
const plainNumber = /^-?(?:0|[1-9][0-9]{0,14})$/;
const constants: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** The root of a file of simple YAML; undefined for any other text, valid or not. */
export function readSimpleYaml(text: string, path: string): MapNode | undefined {
  if (!simpleText.test(text)) return undefined;
  try {
    return new SimpleYaml(text, path).root();
  } catch (fault) {
    if (fault === notSimple) return undefined;
    throw fault;
  }
}

class SimpleYaml {
  readonly #text: string;
  readonly #path: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #depth = 0;

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
  }

  root(): MapNode {
    this.#toNextLine();
    if (this.#indent() !== 0 || this.#text.startsWith('---', this.#at)) throw notSimple;
    const root = this.#blockMap(0);
    if (this.#at < this.#text.length) throw notSimple;
    return root;
  }

  /** From the start of its first key; `indent` is the column of its keys, from 0. */
  #blockMap(indent: number): MapNode {
    const at = this.#position();
    const entries = new Map<string, MapEntry>();
    this.#enter();
    do {
      const keyAt = this.#position();
      const name = this.#key();
      if (entries.has(name)) throw notSimple;
      entries.set(name, { name, at: keyAt, value: this.#blockValue(indent, indent) });
    } while (this.#isAt(indent) && !this.#isDash());
    this.#depth -= 1;
    return { kind: 'map', entries, at };
  }

  #blockList(indent: number): Node {
    const at = this.#position();
    const items: Node[] = [];
    this.#enter();
    do {
      this.#at += 2;
      const below = this.#indent();
      // `- key: value` is a map that begins on the line of its dash.
      items.push(this.#isKey() ? this.#blockMap(below) : this.#blockValue(indent, indent + 1));
    } while (this.#isAt(indent) && this.#isDash());
    this.#depth -= 1;
    return { kind: 'list', items, at };
  }

  /** What follows a key or a dash: a value on the same line, or a collection on the next lines, a list from column `least` on. */
  #blockValue(indent: number, least: number): Node {
    this.#take(blanks);
    const first = this.#text.charAt(this.#at);
    if (first === '\n' || first === '#') {
      this.#toNextLine();
      const below = this.#indent();
      const isList = this.#isDash();
      if (this.#at >= this.#text.length || below < least || (!isList && below <= indent)) throw notSimple;
      if (isList) return this.#blockList(below);
      if (!this.#startsFlow()) return this.#blockMap(below);
    }
    const value = this.#valueOnLine(indent);
    this.#endLine();
    return value;
  }

  #valueOnLine(indent: number): Node {
    if (this.#startsFlow()) return this.#flow(indent);
    if (this.#text.charAt(this.#at) === '>') return this.#folded(indent);
    if (this.#startsQuoted()) return this.#quoted();
    const at = this.#position();
    const line = this.#take(blockPlain);
    const cut = line.indexOf(' #');
    const text = (cut < 0 ? line : line.slice(0, cut)).trimEnd();
    if (text.includes(': ') || text.endsWith(':')) throw notSimple;
    return { kind: 'scalar', value: scalarOf(text), at };
  }

  /** `>-` with lines of one indentation: one line of text. Ends at the end of its last line. */
  #folded(indent: number): ScalarNode {
    const at = this.#position();
    if (!this.#text.startsWith('>-\n', this.#at)) throw notSimple;
    this.#at += 2;
    this.#newLine();
    const margin = this.#take(blanks);
    if (margin.length <= indent) throw notSimple;
    const lines: string[] = [];
    for (;;) {
      const line = this.#take(restOfLine);
      if (line === '' || line.startsWith(' ') || line.endsWith(' ')) throw notSimple;
      lines.push(line);
      if (!this.#text.startsWith(margin, this.#at + 1)) break;
      this.#newLine();
      this.#at += margin.length;
    }
    // After empty lines there may be another paragraph.
    const next = this.#text.slice(this.#at).search(/[^\n]/);
    if (next >= 0 && this.#text.startsWith(margin, this.#at + next)) throw notSimple;
    return { kind: 'scalar', value: lines.join(' '), at };
  }

  #flow(indent: number): Node {
    this.#enter();
    const value = this.#text.charAt(this.#at) === '{' ? this.#flowMap(indent) : this.#flowList(indent);
    this.#depth -= 1;
    return value;
  }

  #flowMap(indent: number): MapNode {
    const at = this.#position();
    const entries = new Map<string, MapEntry>();
    this.#at += 1;
    while (!this.#closes('}', indent)) {
      const keyAt = this.#position();
      const name = this.#key();
      this.#flowBlank(indent);
      if (entries.has(name)) throw notSimple;
      entries.set(name, { name, at: keyAt, value: this.#flowValue(indent) });
      this.#separates('}', indent);
    }
    return { kind: 'map', entries, at };
  }

  #flowList(indent: number): Node {
    const at = this.#position();
    const items: Node[] = [];
    this.#at += 1;
    while (!this.#closes(']', indent)) {
      items.push(this.#flowValue(indent));
      this.#separates(']', indent);
    }
    return { kind: 'list', items, at };
  }

  #flowValue(indent: number): Node {
    if (this.#startsFlow()) return this.#flow(indent);
    if (this.#startsQuoted()) return this.#quoted();
    const at = this.#position();
    const text = this.#take(flowPlain);
    if (text === '') throw notSimple;
    return { kind: 'scalar', value: scalarOf(text), at };
  }

  /** True, and past it, where the collection ends here. */
  #closes(end: string, indent: number): boolean {
    this.#flowBlank(indent);
    if (this.#text.charAt(this.#at) !== end) return false;
    this.#at += 1;
    return true;
  }

  /** Past the comma, or at the end of the collection. */
  #separates(end: string, indent: number): void {
    this.#flowBlank(indent);
    const next = this.#text.charAt(this.#at);
    if (next === ',') {
      this.#at += 1;
    } else if (next !== end) {
      throw notSimple;
    }
  }

  /** Blanks, comments and line ends between the parts of a flow collection, each line further in than what holds it. */
  #flowBlank(indent: number): void {
    this.#take(blanks);
    while (this.#text.charAt(this.#at) === '\n' || this.#isComment()) {
      this.#toNextLine();
      if (this.#indent() <= indent || this.#at >= this.#text.length) throw notSimple;
    }
  }

  /** A name with its colon; after it there is a blank or the line's end. */
  #key(): string {
    if (this.#startsQuoted()) {
      const { value } = this.#quoted();
      if (typeof value !== 'string' || !/:[ \n]/y.test(this.#text.slice(this.#at, this.#at + 2))) throw notSimple;
      this.#at += 1;
      return value;
    }
    const text = this.#take(plainKey);
    const value = text === '' || text.length > 200 ? null : scalarOf(text);
    if (value === null) throw notSimple;
    this.#at += 1;
    return String(value);
  }

  #isKey(): boolean {
    const start = this.#at;
    plainKey.lastIndex = start;
    if (plainKey.test(this.#text)) return true;
    if (!this.#startsQuoted()) return false;
    this.#quoted();
    const isKey = this.#text.charAt(this.#at) === ':';
    this.#at = start;
    return isKey;
  }

  #quoted(): ScalarNode {
    const at = this.#position();
    const isDouble = this.#text.charAt(this.#at) === '"';
    const text = this.#take(isDouble ? doubleQuoted : singleQuoted);
    if (text === '') throw notSimple;
    const value: unknown = isDouble ? JSON.parse(text) : text.slice(1, -1).replaceAll("''", "'");
    return { kind: 'scalar', value: String(value), at };
  }

  /** After a value: nothing but a comment may follow on its line. Goes on to the next line that says something. */
  #endLine(): void {
    const before = this.#at;
    this.#take(blanks);
    const next = this.#text.charAt(this.#at);
    if (next !== '' && next !== '\n' && !(this.#isComment() && this.#at > before)) throw notSimple;
    this.#toNextLine();
  }

  #startsFlow(): boolean {
    const first = this.#text.charAt(this.#at);
    return first === '{' || first === '[';
  }

  #startsQuoted(): boolean {
    const first = this.#text.charAt(this.#at);
    return first === '"' || first === "'";
  }

  #isComment(): boolean {
    return this.#text.charAt(this.#at) === '#' && /\s/.test(this.#text.charAt(this.#at - 1));
  }

  /** From anywhere in blanks or a comment to the first character of the next line that says something, or the end. */
  #toNextLine(): void {
    for (;;) {
      this.#take(blanks);
      this.#take(comment);
      if (this.#text.charAt(this.#at) !== '\n') return;
      this.#newLine();
    }
  }

  #newLine(): void {
    this.#at += 1;
    this.#line += 1;
    this.#lineStart = this.#at;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #isDash(): boolean {
    return this.#text.startsWith('- ', this.#at) && this.#text.charAt(this.#at + 2) !== ' ';
  }

  #isAt(indent: number): boolean {
    return this.#at < this.#text.length && this.#indent() === indent;
  }

  /** The column of this place, from 0. */
  #indent(): number {
    return this.#at - this.#lineStart;
  }

  #position(): Position {
    return { path: this.#path, line: this.#line, column: this.#indent() + 1 };
  }

  /** Far below what the other reader allows. */
  #enter(): void {
    this.#depth += 1;
    if (this.#depth > 30) throw notSimple;
  }
}

function scalarOf(text: string): Scalar {
  const constant = constants.get(text);
  if (constant !== undefined) return constant;
  if (constants.has(text.toLowerCase())) throw notSimple;
  if (!number.test(text)) return text;
  if (plainNumber.test(text) && text !== '-0') return Number(text);
  // Of what begins like a number, only what no number looks like is certain to be text: `6.0.1`, `73832-8`.
  if (/^[-+.0-9eE_xXoOa-fA-F]*$/.test(text) && !/^[0-9]+(?:\.[0-9]+){2,}$|^[0-9]+-[0-9]+/.test(text)) throw notSimple;
  return text;
}
