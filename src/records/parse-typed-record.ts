// One item of a stream: `{type, record}`.

import { isObject, type Json } from '../json.ts';
import { nearest } from '../nearest.ts';
import { type FieldError, kindOf, shownName } from './field-error.ts';
import { type ParseOptions, parseRecord, type StoredRecord } from './parse-record.ts';
import { isRecordType, type RecordType, recordTypes } from './record-type.ts';

/** The record of an item, or what is wrong with it; `type` and `id` as far as they could be told. */
export type ParsedTypedRecord =
  | { ok: true; type: RecordType; record: StoredRecord }
  | { ok: false; type?: RecordType; id?: string; errors: FieldError[] };

/** Reads `{type, record}`. Pointers of errors count from the record; those of the item itself are `/type` and `/record`. */
export function parseTypedRecord(item: Json, options: ParseOptions): ParsedTypedRecord {
  if (!isObject(item)) {
    const message = 'Each item must be an object {type, record}.';
    return { ok: false, errors: [{ pointer: '', rule: 'type', found: kindOf(item), message }] };
  }
  const { type, record, ...others } = item;
  const errors = [
    ...typeErrors(type),
    ...(record === undefined ? [recordMissing] : []),
    ...otherNames(Object.keys(others)),
  ];
  const known = typeof type === 'string' && isRecordType(type) ? type : undefined;
  const place = { ...(known && { type: known }), ...idOf(record) };
  if (errors.length > 0 || known === undefined || record === undefined) return { ok: false, ...place, errors };

  const parsed = parseRecord(known, record, options);
  return parsed.ok ? { ok: true, type: known, record: parsed.record } : { ok: false, ...place, errors: parsed.errors };
}

const recordMissing: FieldError = {
  pointer: '/record',
  rule: 'required',
  found: 'missing',
  message: '/record is required: the record itself. Add it.',
};

function typeErrors(type: Json | undefined): FieldError[] {
  if (type === undefined) {
    return [
      {
        pointer: '/type',
        rule: 'required',
        found: 'missing',
        message: `/type is required: one of ${recordTypes.join(', ')}.`,
      },
    ];
  }
  if (typeof type === 'string' && isRecordType(type)) return [];
  const name = typeof type === 'string' ? shownName(type) : undefined;
  const likely = name === undefined ? undefined : nearest(name, recordTypes);
  const message = `/type must be one of ${recordTypes.join(', ')}.${likely ? ` The nearest is "${likely}".` : ''}`;
  return [{ pointer: '/type', rule: 'record-type', found: kindOf(type), message }];
}

function otherNames(names: readonly string[]): FieldError[] {
  return names.map((name) => {
    const shown = shownName(name);
    return {
      pointer: shown === undefined ? '' : `/${shown}`,
      rule: 'unknown-property',
      found: 'unknown name',
      message: `An item has only type and record${shown === undefined ? '' : `, not "${shown}"`}. Leave it out, or move it into record.`,
    };
  });
}

function idOf(record: Json | undefined): { id?: string } {
  const id = isObject(record) ? record.id : undefined;
  return typeof id === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(id) ? { id } : {};
}
