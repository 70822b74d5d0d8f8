// Reads a stream of records, as NDJSON or as one JSON array, in constant memory: at most one line or element is held. What is wrong with one
// of them is that one's error and the rest goes on; only an array whose structure breaks ends there, and a record that goes over several lines, for
// nothing tells where the next begins.

import { CasebridgeError } from '../errors.ts';
import type { Json } from '../json.ts';
import { ArraySplitter } from './array-splitter.ts';
import type { FieldError } from './field-error.ts';
import { LineSplitter } from './line-splitter.ts';
import { parseJson } from './parse-json.ts';
import { isWhiteSpace, lineFeed, type Piece, type Position, type Splitter } from './pieces.ts';

export interface RecordLineLimits {
  /** The longest line or element, in bytes; a longer one is refused without being held. @default 1048576 */
  maxBytes?: number;
  /** How many lists and objects may lie within each other. @default 64 */
  depth?: number;
}

/** One line of NDJSON, or one element of an array, by the line on which it begins; both count from 1. */
export type RecordLine = { line: number; element?: number } & ({ value: Json } | { error: FieldError });

/**
 * The JSON values of a stream in order. An array is told from NDJSON by its first character. A byte order mark, CRLF, blank lines and a
 * last line without an end are accepted. Fails only where the stream itself fails.
 */
export async function* readRecordLines(
  stream: AsyncIterable<Uint8Array>,
  limits: RecordLineLimits = {},
): AsyncGenerator<RecordLine> {
  const maxBytes = limits.maxBytes ?? 1_048_576;
  const start = { line: 1, column: 1 };
  let splitter: Splitter | undefined;

  for await (const chunk of withoutMark(stream)) {
    const from = splitter ? 0 : skipWhiteSpace(chunk, start);
    if (from === chunk.length) continue;
    splitter ??= chunk[from] === openList ? new ArraySplitter(start, maxBytes) : new LineSplitter(start, maxBytes);
    for (const piece of splitter.push(chunk.subarray(from))) {
      const { ends, ...line } = readPiece(piece, maxBytes, limits.depth);
      yield line;
      if (ends) return;
    }
  }
  for (const piece of splitter?.end() ?? []) {
    const { ends: _, ...line } = readPiece(piece, maxBytes, limits.depth);
    yield line;
  }
}

const openList = 0x5b;

/** Counts the white space before the first value into `start`; answers the index of the first byte that is none. */
function skipWhiteSpace(chunk: Uint8Array, start: Position): number {
  const first = chunk.findIndex((byte) => !isWhiteSpace(byte));
  const blank = first === -1 ? chunk : chunk.subarray(0, first);
  for (const byte of blank) {
    start.column = byte === lineFeed ? 1 : start.column + 1;
    if (byte === lineFeed) start.line++;
  }
  return blank.length;
}

async function* withoutMark(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array(0);
  for await (const chunk of stream) {
    if (!head) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < byteOrderMark.length) continue;
    yield byteOrderMark.every((byte, index) => head?.[index] === byte) ? head.subarray(byteOrderMark.length) : head;
    head = undefined;
  }
  if (head) yield head;
}

const byteOrderMark = [0xef, 0xbb, 0xbf];

function readPiece(piece: Piece, maxBytes: number, depth: number | undefined): RecordLine & { ends: boolean } {
  const { line, column, element } = piece;
  const place = element === undefined ? { line } : { line, element };
  switch (piece.kind) {
    case 'bytes':
      try {
        return { ...place, value: parseJson(piece.bytes, { depth, line, column }), ends: false };
      } catch (error) {
        if (!(error instanceof CasebridgeError) || error.code !== 'json-invalid') throw error;
        const rule = String(error.parameters.rule);
        // What breaks the grammar inside an element may have hidden where it ends.
        const ends = element !== undefined && rule === 'syntax';
        const message = ends ? `${error.message} ${restUnread}` : error.message;
        return { ...place, error: { pointer: '', rule, found: `${piece.bytes.length} bytes`, message }, ends };
      }
    case 'too-long': {
      const found = `more than ${maxBytes} bytes`;
      const message = `This record has ${found}. Make it smaller, or send it alone.`;
      return { ...place, error: { pointer: '', rule: 'too-long', found, message }, ends: false };
    }
    case 'broken': {
      const message = `Line ${line}, column ${column}: ${piece.problem}. ${restUnread}`;
      return { ...place, error: { pointer: '', rule: 'syntax', found: 'a broken stream', message }, ends: true };
    }
    default:
      return piece satisfies never;
  }
}

const restUnread = 'It was read up to here only: mend it and send it again.';
