// What the two splitters of a record stream share: the pieces they hand out, and the bytes they hold back until a piece is whole.

export const lineFeed = 0x0a;

/** Where a piece begins; both count from 1, columns in bytes. */
export interface Position {
  line: number;
  column: number;
}

/** The bytes of one line or element (valid until the next one is asked for), or why there are none. */
export type Piece = Position & { element?: number } & (
    | { kind: 'bytes'; bytes: Uint8Array }
    | { kind: 'too-long' }
    /** The stream's own structure is broken: nothing comes after it. */
    | { kind: 'broken'; problem: string }
  );

export interface Splitter {
  push(chunk: Uint8Array): Iterable<Piece>;
  end(): Iterable<Piece>;
}

/** The white space of JSON. */
export function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === lineFeed || byte === 0x0d || byte === 0x09;
}

/** Bytes of a piece that began in an earlier chunk, up to a limit; beyond it they are counted as too long and dropped. */
export class HeldBytes {
  private readonly limit: number;
  private held = new Uint8Array(0);
  private length = 0;
  private tooLong = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(part: Uint8Array): void {
    if (this.tooLong || part.length === 0) return;
    const length = this.length + part.length;
    if (length > this.limit) {
      this.tooLong = true;
      this.held = new Uint8Array(0);
      return;
    }
    if (length > this.held.length) {
      const larger = new Uint8Array(Math.min(this.limit, length * 2));
      larger.set(this.held.subarray(0, this.length));
      this.held = larger;
    }
    this.held.set(part, this.length);
    this.length = length;
  }

  /** What was added and `last` behind it, or undefined where it is too long. Nothing is held afterwards. */
  take(last: Uint8Array): Uint8Array | undefined {
    if (this.length === 0 && !this.tooLong && last.length <= this.limit) return last;
    this.add(last);
    const taken = this.tooLong ? undefined : this.held.subarray(0, this.length);
    this.length = 0;
    this.tooLong = false;
    return taken;
  }
}
