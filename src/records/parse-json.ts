// JSON at the border, stricter than JSON.parse: what could be read in two ways is refused, with line and column and without the value.
// One pass over the text checks it whole; JSON.parse then builds the value, so that values are always the engine's own.

import { isUtf8 } from 'node:buffer';
import { CasebridgeError } from '../errors.ts';
import type { Json } from '../json.ts';
import { checkJson, type JsonFault } from './check-json.ts';

export interface JsonLimits {
  /** How many lists and objects may lie within each other. @default 64 */
  depth?: number;
  /** Number of the text's first line, for the error. @default 1 */
  line?: number;
  /** Column of the text's first character, for the error. @default 1 */
  column?: number;
}

/**
 * Strict JSON (RFC 8259): UTF-8 with or without a byte order mark; no doubled keys, no `__proto__`, `constructor` or `prototype` as a
 * key, no NUL, no lone surrogates, no `-0`, no integer beyond 2^53-1, no number that overflows or underflows a double.
 * Throws `json-invalid` with parameters `line`, `column` (in UTF-16 units), `rule`, `problem`; never with content.
 */
export function parseJson(input: Uint8Array | string, limits: JsonLimits = {}): Json {
  const text = typeof input === 'string' ? withoutMark(input) : decode(input, limits);
  const fault = checkJson(text, limits.depth ?? 64);
  if (fault) throw invalid(text, fault, limits);
  return JSON.parse(text);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const lenientUtf8 = new TextDecoder('utf-8');

function decode(bytes: Uint8Array, limits: JsonLimits): string {
  if (isUtf8(bytes)) return utf8.decode(bytes);
  const text = decodeUpToFault(bytes);
  throw invalid(text, { offset: text.length, rule: 'utf-8', problem: 'these bytes are not UTF-8' }, limits);
}

// The text before the first byte that is not UTF-8: the longest prefix whose encoding gives the same bytes again.
function decodeUpToFault(bytes: Uint8Array): string {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const again = new TextEncoder().encode(lenientUtf8.decode(bytes));
  let end = start;
  while (end < bytes.length && bytes[end] === again[end - start]) end++;
  return lenientUtf8.decode(bytes.subarray(0, end)).replace(/\uFFFD$/, '');
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function invalid(text: string, fault: JsonFault, limits: JsonLimits): CasebridgeError {
  const before = text.slice(0, fault.offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = (limits.line ?? 1) + before.split('\n').length - 1;
  const column = before.length - lineStart + (lineStart === 0 ? (limits.column ?? 1) : 1);
  return new CasebridgeError('json-invalid', { line, column, rule: fault.rule, problem: fault.problem });
}
