// Cuts a JSON array into its elements without reading them: strings and brackets are followed, all else is left to the JSON parser. Begins
// at the opening bracket.

import { HeldBytes, isWhiteSpace, lineFeed, type Piece, type Position, type Splitter } from './pieces.ts';

const quote = 0x22;
const comma = 0x2c;
const openList = 0x5b;
const backslash = 0x5c;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

export class ArraySplitter implements Splitter {
  private readonly held: HeldBytes;
  /** Before the array, its first or a further element; in an element; behind one; behind the array. */
  private place: 'start' | 'first' | 'next' | 'inside' | 'behind' | 'after' = 'start';
  private line: number;
  /** Offset in the stream of what would be column 0 of this line. */
  private lineStart: number;
  private chunkStart = 0;

  private element = 0;
  private began: Position;
  private open = 0;
  private inString = false;
  private escaped = false;

  constructor(start: Position, maxBytes: number) {
    this.held = new HeldBytes(maxBytes);
    this.line = start.line;
    this.lineStart = -start.column;
    this.began = start;
  }

  *push(chunk: Uint8Array): Iterable<Piece> {
    let index = 0;
    while (index < chunk.length) {
      if (this.place === 'inside') {
        const end = this.endOfElement(chunk, index);
        if (end === undefined) {
          this.held.add(chunk.subarray(index));
          break;
        }
        yield this.elementEndingIn(chunk.subarray(index, end));
        index = end;
      } else {
        const problem = this.stepBetween(chunk[index] ?? 0, index);
        if (problem !== undefined) {
          yield { ...this.at(index), kind: 'broken', problem };
          return;
        }
        // An element begins with this byte, which is read once more as its first.
        if (!this.isInside()) index++;
      }
    }
    this.chunkStart += chunk.length;
  }

  *end(): Iterable<Piece> {
    if (this.place === 'after') return;
    const problem = 'the array is cut off: its ] is missing';
    if (this.place === 'inside') yield { ...this.began, element: this.element, kind: 'broken', problem };
    else yield { ...this.at(0), kind: 'broken', problem };
  }

  // The index behind the element's last byte, or undefined where it goes on in the next chunk. A number or word ends before the first byte
  // that cannot belong to it.
  private endOfElement(chunk: Uint8Array, from: number): number | undefined {
    for (let index = from; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (byte === backslash) this.escaped = true;
        else if (byte === quote) {
          this.inString = false;
          if (this.open === 0) return index + 1;
        }
      } else if (byte === quote) this.inString = true;
      else if (byte === openObject || byte === openList) this.open++;
      else if (byte === closeObject || byte === closeList) {
        if (this.open === 0) return index;
        this.open--;
        if (this.open === 0) return index + 1;
      } else if (this.open === 0 && (byte === comma || isWhiteSpace(byte))) return index;
      if (byte === lineFeed) this.nextLine(index);
    }
    return undefined;
  }

  // Takes one byte outside of elements; answers what is wrong with it.
  private stepBetween(byte: number, index: number): string | undefined {
    if (byte === lineFeed) this.nextLine(index);
    if (isWhiteSpace(byte)) return undefined;
    switch (this.place) {
      case 'start':
        this.place = 'first';
        return undefined;
      case 'first':
        if (byte !== closeList) return this.begin(byte, index);
        this.place = 'after';
        return undefined;
      case 'next':
        return this.begin(byte, index);
      case 'behind':
        if (byte !== comma && byte !== closeList) return 'a comma or ] should stand here';
        this.place = byte === comma ? 'next' : 'after';
        return undefined;
      default:
        return 'the text should end behind the array';
    }
  }

  private begin(byte: number, index: number): string | undefined {
    if (byte === comma || byte === closeList || byte === closeObject) return 'an element should stand here';
    this.place = 'inside';
    this.element++;
    this.began = this.at(index);
    return undefined;
  }

  private isInside(): boolean {
    return this.place === 'inside';
  }

  private elementEndingIn(last: Uint8Array): Piece {
    this.place = 'behind';
    const bytes = this.held.take(last);
    const position = { ...this.began, element: this.element };
    return bytes ? { ...position, kind: 'bytes', bytes } : { ...position, kind: 'too-long' };
  }

  private at(index: number): Position {
    return { line: this.line, column: this.chunkStart + index - this.lineStart };
  }

  private nextLine(index: number): void {
    this.line++;
    this.lineStart = this.chunkStart + index;
  }
}
