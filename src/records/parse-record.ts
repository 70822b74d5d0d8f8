// Decides whether a JSON value is a record of its type, and makes the record that is stored: schema, instants with their offset, rules
// beyond one field, the hash of a full SSN.

import { createHash } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type FieldError, kindOf, place, shownPointer } from './field-error.ts';
import type { Field } from './fields.ts';
import { isLocalTime } from './formats.ts';
import { type LocalTimeFault, withOffset } from './local-time.ts';
import { type RecordSchemas, shippedSchemas } from './record-schemas.ts';
import type { RecordType } from './record-type.ts';
import { brokenRules } from './rules.ts';
import { schemaErrors } from './schema-errors.ts';

/** A record as it is stored: every instant has an offset, no full SSN. */
export type StoredRecord = JsonObject & { id: string; updatedAt: string; deleted?: boolean };

export type ParsedRecord = { ok: true; record: StoredRecord } | { ok: false; errors: FieldError[] };

export interface ParseOptions {
  /** Time of receipt: `updatedAt` may be at most 5 minutes ahead of it. */
  now: Date;
  /** The source's IANA time zone. Without one, an instant without an offset is refused. */
  timeZone?: string;
  /** Those with the agency's own fields. @default the shipped ones */
  schemas?: RecordSchemas;
}

// More errors than a person reads at once say nothing more.
const shownErrors = 50;

/** The record in `value`, as a new object, or what is wrong with it. Errors never hold a value. */
export function parseRecord(type: RecordType, value: Json, options: ParseOptions): ParsedRecord {
  if (!isObject(value)) {
    return refused([{ pointer: '', rule: 'type', found: kindOf(value), message: 'The record must be an object.' }]);
  }
  const { schemas = shippedSchemas } = options;
  const tree = schemas.tree(type);
  const faults = schemas.faults(type, value);
  if (faults.length > 0) return refused(schemaErrors(type, tree, faults));

  const errors: FieldError[] = [];
  const record = copyOf(tree, value, [], options.timeZone, errors);
  errors.push(...brokenRules(type, tree, record, options.now));
  if (errors.length > 0) return refused(errors);

  if (type === 'client') hashFullSsn(record);
  if (isStored(record)) return { ok: true, record };
  throw new Error('a record without id and updatedAt passed its schema');
}

/** The names of the rules that a record breaks whose instants have their offsets, whenever it is from. */
export function brokenIn(type: RecordType, record: JsonObject): readonly string[] {
  const tree = shippedSchemas.tree(type);
  const faults = shippedSchemas.faults(type, record);
  const errors =
    faults.length > 0 ? schemaErrors(type, tree, faults) : brokenRules(type, tree, record, new Date(lastInstantMs));
  return errors.map(({ rule }) => rule);
}

/** The last one that a Date can hold. */
const lastInstantMs = 8.64e15;

function refused(errors: FieldError[]): ParsedRecord {
  return { ok: false, errors: errors.slice(0, shownErrors) };
}

function isStored(record: JsonObject): record is StoredRecord {
  return typeof record.id === 'string' && typeof record.updatedAt === 'string';
}

/** The way to the value at hand: pushed and popped, and read only where something is wrong. */
type Names = (string | number)[];

function copyOf(
  field: Field,
  value: JsonObject,
  names: Names,
  timeZone: string | undefined,
  errors: FieldError[],
): JsonObject {
  const copy: JsonObject = {};
  for (const [name, child] of Object.entries(value)) {
    names.push(name);
    const copied = copyOfValue(field.fields?.get(name), child, names, timeZone, errors);
    names.pop();
    copy[name] = copied;
  }
  return copy;
}

function copyOfValue(
  field: Field | undefined,
  value: Json,
  names: Names,
  timeZone: string | undefined,
  errors: FieldError[],
): Json {
  if (Array.isArray(value)) {
    return value.map((item, index) => {
      names.push(index);
      const copied = copyOfValue(field, item, names, timeZone, errors);
      names.pop();
      return copied;
    });
  }
  if (isObject(value)) return field ? copyOf(field, value, names, timeZone, errors) : { ...value };
  if (field?.kind !== 'instant' || typeof value !== 'string' || !isLocalTime(value)) return value;

  const answer = withOffset(value, timeZone);
  if ('instant' in answer) return answer.instant;
  const pointer = shownPointer(names);
  errors.push({
    pointer,
    rule: 'offset',
    found: 'local time',
    message: `${place(pointer)} ${localTimeHelp[answer.fault]}`,
  });
  return value;
}

const localTimeHelp: Readonly<Record<LocalTimeFault, string>> = {
  'no-zone':
    'has no offset and its source has no time zone. Write 2026-03-01T09:30:00-05:00 or Z, or set timeZone of the source.',
  'unknown-zone':
    'has no offset and the time zone of its source is unknown. Set timeZone of the source to an IANA name.',
  gap: "does not exist in the source's time zone: the clocks were put forward over it. Write it with its offset.",
  overlap: "happened twice in the source's time zone: the clocks were put back. Write it with its offset.",
};

// A full SSN serves matching only, so only its hash is kept (records.md 3.1).
function hashFullSsn(client: JsonObject): void {
  const identifiers = client.identifiers;
  for (const identifier of Array.isArray(identifiers) ? identifiers : []) {
    if (!isObject(identifier) || identifier.kind !== 'ssn') continue;
    const value = String(identifier.value);
    if (value.startsWith('sha256:')) continue;
    const digits = value.replace(/\D/g, '');
    identifier.value = `sha256:${createHash('sha256').update(digits).digest('hex')}`;
  }
}
