// Checks a JSON text in one pass without building it: RFC 8259 grammar, and the refusals that JSON.parse does not make.
// Walks with a cursor and a recursive descent (the depth limit bounds it); throws internally to leave, answers the fault.

export interface JsonFault {
  /** Where, in UTF-16 units from the start of the text. */
  offset: number;
  rule: JsonRule;
  /** The end of a sentence, without content: `a comma or } is missing here`. */
  problem: string;
}

export type JsonRule =
  | 'syntax'
  | 'utf-8'
  | 'duplicate-key'
  | 'forbidden-key'
  | 'depth'
  | 'nul'
  | 'lone-surrogate'
  | 'number-range';

/** The first fault of a JSON text, or undefined where there is none. `depth`: how many lists and objects may lie within each other. */
export function checkJson(text: string, depth: number): JsonFault | undefined {
  try {
    new Checker(text, depth).document();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.fault;
    throw error;
  }
}

class Fault extends Error {
  readonly fault: JsonFault;

  constructor(fault: JsonFault) {
    super(fault.problem);
    this.fault = fault;
  }
}

const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const minus = 0x2d;
const zero = 0x30;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
// Sticky: matched at the cursor only. Unanchored repetition of one class, so linear.
const numberToken = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const escapeToken = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const lowSurrogate = /\\u[dD][c-fC-F][0-9a-fA-F]{2}/y;

class Checker {
  private at = 0;
  private open = 0;
  private readonly text: string;
  private readonly depth: number;

  constructor(text: string, depth: number) {
    this.text = text;
    this.depth = depth;
  }

  document(): void {
    if (!this.text.isWellFormed()) this.loneSurrogateInText();
    this.whiteSpace();
    this.value();
    if (this.at < this.text.length) this.syntax('the text should end here');
  }

  private value(): void {
    const character = this.text.charCodeAt(this.at);
    if (character === quote) this.string();
    else if (character === openObject) this.object();
    else if (character === openList) this.list();
    else if (character === minus || (character >= zero && character <= 0x39)) this.number();
    else this.word();
    this.whiteSpace();
  }

  private object(): void {
    this.enter();
    if (!this.skip(closeObject)) this.fields();
    this.open--;
  }

  private fields(): void {
    const keys = new Set<string>();
    do {
      if (this.text.charCodeAt(this.at) !== quote) this.syntax('a name in double quotes should stand here');
      this.key(keys);
      if (!this.skip(colon)) this.syntax('a colon should stand here');
      this.value();
    } while (this.skip(comma));
    if (!this.skip(closeObject)) this.syntax('a comma or } should stand here');
  }

  private list(): void {
    this.enter();
    if (!this.skip(closeList)) this.items();
    this.open--;
  }

  private items(): void {
    do this.value();
    while (this.skip(comma));
    if (!this.skip(closeList)) this.syntax('a comma or ] should stand here');
  }

  private key(keys: Set<string>): void {
    const start = this.at;
    const escaped = this.string();
    const key: string = escaped ? JSON.parse(this.text.slice(start, this.at)) : this.text.slice(start + 1, this.at - 1);
    if (forbiddenKeys.has(key)) this.fail(start, 'forbidden-key', `${key} may not be the name of a field`);
    if (keys.has(key)) this.fail(start, 'duplicate-key', 'this name stands twice in one object');
    keys.add(key);
    this.whiteSpace();
  }

  /** True where the string holds an escape. */
  private string(): boolean {
    let escaped = false;
    this.at++;
    for (;;) {
      let character = this.text.charCodeAt(this.at);
      while (character >= space && character !== quote && character !== backslash) {
        character = this.text.charCodeAt(++this.at);
      }
      if (character === quote) break;
      if (character !== backslash)
        this.syntax('a text should be closed with double quotes, line breaks written as \\n');
      this.escape();
      escaped = true;
    }
    this.at++;
    return escaped;
  }

  private escape(): void {
    const start = this.at;
    if (!this.match(escapeToken)) this.syntax('this escape does not exist');
    if (this.at - start === 2) return;
    const unit = Number.parseInt(this.text.slice(start + 2, this.at), 16);
    if (unit === 0) this.fail(start, 'nul', 'a text may not hold the character NUL');
    const isHigh = unit >= 0xd800 && unit <= 0xdbff;
    if (isHigh && this.match(lowSurrogate)) return;
    if (unit >= 0xd800 && unit <= 0xdfff)
      this.fail(start, 'lone-surrogate', 'half a character: a surrogate stands alone');
  }

  private number(): void {
    const start = this.at;
    if (!this.match(numberToken)) this.syntax('a number should follow the minus');
    if (this.at - start === 1) return;
    const token = this.text.slice(start, this.at);
    const value = Number(token);
    if (!Number.isFinite(value)) this.fail(start, 'number-range', 'this number is too large');
    if (Number.isInteger(Number(token)) && /^-?[0-9]+$/.test(token) && !Number.isSafeInteger(value)) {
      this.fail(start, 'number-range', 'whole numbers go up to 9007199254740991; a longer one must be a text');
    }
    if (Object.is(value, -0)) this.fail(start, 'number-range', 'minus zero: write 0');
    if (value === 0 && /[1-9]/.test(token.replace(/[eE].*$/, '')))
      this.fail(start, 'number-range', 'this number is too small');
  }

  private word(): void {
    for (const word of ['true', 'false', 'null']) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return;
      }
    }
    this.syntax('a value should stand here');
  }

  private enter(): void {
    this.open++;
    if (this.open > this.depth)
      this.fail(this.at, 'depth', `more than ${this.depth} lists and objects lie within each other`);
    this.at++;
    this.whiteSpace();
  }

  /** Steps over `character` and the white space behind it, if it stands here. */
  private skip(character: number): boolean {
    if (this.text.charCodeAt(this.at) !== character) return false;
    this.at++;
    this.whiteSpace();
    return true;
  }

  private whiteSpace(): void {
    for (;;) {
      const character = this.text.charCodeAt(this.at);
      if (character !== space && character !== 0x0a && character !== 0x0d && character !== 0x09) return;
      this.at++;
    }
  }

  private match(token: RegExp): boolean {
    token.lastIndex = this.at;
    if (!token.test(this.text)) return false;
    this.at = token.lastIndex;
    return true;
  }

  private loneSurrogateInText(): never {
    const offset = this.text.search(/\p{Surrogate}/u);
    this.fail(offset, 'lone-surrogate', 'half a character: a surrogate stands alone');
  }

  private syntax(problem: string): never {
    this.fail(this.at, 'syntax', this.at < this.text.length ? problem : `${problem}, but the text ends`);
  }

  private fail(offset: number, rule: JsonRule, problem: string): never {
    throw new Fault({ offset, rule, problem });
  }
}
