// Shared by the tests of records: parse a record of a type with the fixed time of receipt, and look at what came back.

import type { Json, JsonObject } from '../../src/json.ts';
import { type FieldError, parseRecord, type RecordType, type StoredRecord } from '../../src/records/records.ts';
import { builders, receivedAt } from '../builders.ts';

/** The errors of a record; empty where it was accepted. */
export function errorsOf(type: RecordType, value: Json, timeZone?: string): FieldError[] {
  const parsed = parseRecord(type, value, { now: receivedAt, timeZone });
  if (!parsed.ok && parsed.errors.length === 0) throw new Error('refused without an error');
  return parsed.ok ? [] : parsed.errors;
}

/** The errors as `pointer rule`. */
export function refusals(type: RecordType, value: Json, timeZone?: string): string[] {
  return errorsOf(type, value, timeZone).map(({ pointer, rule }) => `${pointer} ${rule}`);
}

/** The stored record; fails where it is refused. */
export function accepted(type: RecordType, value: Json, timeZone?: string): StoredRecord {
  const parsed = parseRecord(type, value, { now: receivedAt, timeZone });
  if (parsed.ok) return parsed.record;
  throw new Error(`refused: ${JSON.stringify(parsed.errors)}`);
}

/** The valid record of a type with some fields replaced; `undefined` takes one out. Unlike a builder it takes any JSON. */
export function changed(type: RecordType, changes: { [name: string]: Json | undefined }): JsonObject {
  return JSON.parse(JSON.stringify({ ...builders[type](), ...changes }));
}
