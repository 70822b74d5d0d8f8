// Cuts a stream of bytes at its line feeds. A stream that begins with a brace alone is no NDJSON, and ends there. Blank lines are counted and left out; a carriage return is white space to JSON.

import { HeldBytes, isWhiteSpace, lineFeed, type Piece, type Position, type Splitter } from './pieces.ts';

const nothing = new Uint8Array(0);

const openObject = 0x7b;
const manyLines =
  'this record goes over several lines. Give one record a line, or a JSON array of {"type": …, "record": …}';

/** How a file begins that holds one record as people read it. */
function isBrace(bytes: Uint8Array): boolean {
  return bytes.includes(openObject) && bytes.every((byte) => byte === openObject || isWhiteSpace(byte));
}

export class LineSplitter implements Splitter {
  private readonly held: HeldBytes;
  private line: number;
  private column: number;
  private isFirst = true;

  constructor(start: Position, maxBytes: number) {
    this.held = new HeldBytes(maxBytes);
    this.line = start.line;
    this.column = start.column;
  }

  *push(chunk: Uint8Array): Iterable<Piece> {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      yield* this.lineEndingIn(chunk.subarray(start, end));
      start = end + 1;
    }
    this.held.add(chunk.subarray(start));
  }

  end(): Iterable<Piece> {
    return this.lineEndingIn(nothing);
  }

  private *lineEndingIn(last: Uint8Array): Iterable<Piece> {
    const bytes = this.held.take(last);
    const position = { line: this.line, column: this.column };
    this.line++;
    this.column = 1;
    if (bytes?.every(isWhiteSpace)) return;
    const isPrinted = this.isFirst && bytes !== undefined && isBrace(bytes);
    this.isFirst = false;
    if (!bytes) yield { ...position, kind: 'too-long' };
    else if (isPrinted) yield { ...position, kind: 'broken', problem: manyLines };
    else yield { ...position, kind: 'bytes', bytes };
  }
}
