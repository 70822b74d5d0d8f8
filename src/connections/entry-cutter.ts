// Passes a Bundle on with every entry that is too large, or that is no JSON, replaced by a short note, so that one of them does not keep the rest of
// its page from being read (reliability row 76). Strings and brackets are followed; all else is left to the JSON parser.

/** Stands in a page in the place of an entry that was left out. */
export const leftOut = 'casebridge:left-out';

const quote = 0x22;
const backslash = 0x5c;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
/** Of an entry that is too large: where its address and id are looked for. */
const headBytes = 8192;
/** Below the Bundle and its list of entries. */
const entryDepth = 2;
const longestName = 6;

/** Push the bytes of a page, in any pieces; what comes back is what is to be read in their place. */
export class EntryCutter {
  readonly #mostBytes: number;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The last text at depth 1, which may be the name of what follows. */
  #name: number[] = [];
  #inEntries = false;
  #inEntry = false;
  /** Of the entry that is being read. */
  #held: Uint8Array[] = [];
  #size = 0;

  /** @param mostBytes larger entries are left out */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index] ?? 0;
      if (this.#inString) {
        this.#readText(byte);
      } else if (byte === quote) {
        this.#inString = true;
        if (this.#depth === 1) this.#name = [];
      } else if (byte === openObject || byte === openList) {
        if (this.#inEntries && this.#depth === entryDepth && byte === openObject) {
          yield chunk.subarray(start, index);
          start = index;
          this.#inEntry = true;
        }
        this.#open(byte);
      } else if (byte === closeObject || byte === closeList) {
        this.#depth -= 1;
        if (this.#depth === 1) this.#inEntries = false;
        if (this.#inEntry && this.#depth === entryDepth) {
          this.#hold(chunk.subarray(start, index + 1));
          start = index + 1;
          this.#inEntry = false;
          yield this.#entry();
        }
      }
    }
    const rest = chunk.subarray(start);
    if (this.#inEntry) this.#hold(rest);
    else yield rest;
  }

  #readText(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === backslash) this.#escaped = true;
    else if (byte === quote) this.#inString = false;
    if (this.#inString && this.#depth === 1 && this.#name.length < longestName) this.#name.push(byte);
  }

  #open(byte: number): void {
    if (this.#depth === 1) this.#inEntries = byte === openList && String.fromCharCode(...this.#name) === 'entry';
    this.#depth += 1;
  }

  #hold(bytes: Uint8Array): void {
    const wasLarge = this.#size > this.#mostBytes;
    this.#size += bytes.length;
    // What is read has to be kept: the chunk's memory may be used again.
    if (!wasLarge) this.#held.push(Uint8Array.from(bytes));
    if (this.#size > this.#mostBytes && !wasLarge) this.#held = [Buffer.concat(this.#held).subarray(0, headBytes)];
  }

  #entry(): Uint8Array {
    const bytes = Buffer.concat(this.#held);
    const why = this.#size > this.#mostBytes ? 'too-large' : isJson(bytes) ? undefined : 'broken';
    this.#held = [];
    this.#size = 0;
    if (why === undefined) return bytes;
    const id = idIn(bytes.subarray(0, headBytes));
    return Buffer.from(JSON.stringify({ [leftOut]: why, ...(id !== undefined && { id }) }));
  }
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** By the entry's address, or by the first id behind its resource. */
function idIn(head: Uint8Array): string | undefined {
  const text = Buffer.from(head).toString('latin1');
  const [, byAddress] = /"fullUrl"\s*:\s*"[^"\\]{1,500}\/([A-Za-z0-9._-]{1,128})"/.exec(text) ?? [];
  const [, byName] = /"resource"\s*:\s*\{[^{}[\]]{0,500}?"id"\s*:\s*"([A-Za-z0-9._-]{1,128})"/.exec(text) ?? [];
  return byAddress ?? byName;
}
