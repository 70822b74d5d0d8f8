// Cuts a stream of bytes at its line feeds. Blank lines are counted and left out; a carriage return is white space to JSON.

import { HeldBytes, isWhiteSpace, lineFeed, type Piece, type Position, type Splitter } from './pieces.ts';

const nothing = new Uint8Array(0);

export class LineSplitter implements Splitter {
  private readonly held: HeldBytes;
  private line: number;
  private column: number;

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
    if (!bytes) yield { ...position, kind: 'too-long' };
    else if (!bytes.every(isWhiteSpace)) yield { ...position, kind: 'bytes', bytes };
  }
}
