// Turns what Ajv says about a record into field errors: one per place and rule, in plain words, without any value.

import type { ErrorObject } from 'ajv/dist/2020.js';
import type { Json } from '../json.ts';
import { nearest } from '../nearest.ts';
import { type FieldError, kindOf, place, shownName, shownPointer } from './field-error.ts';
import { type Field, namesBelow } from './fields.ts';
import type { RecordType } from './record-type.ts';

/** The field errors of a refused record, whose fields are those of `tree`. Ajv must run with `verbose`, so that each error carries its data and schema. */
export function schemaErrors(type: RecordType, tree: Field, errors: readonly ErrorObject[]): FieldError[] {
  // By message: the same demand can be met on two ways through a schema.
  const found = new Map<string, FieldError>();
  for (const error of errors) {
    const translated = translate(type, tree, error);
    if (translated) found.set(translated.message, translated);
  }
  return [...found.values()];
}

// What a value of each kind must be, as the end of "<pointer> must be …".
const expectations: Readonly<Record<string, string>> = {
  id: 'an id: 1 to 64 letters, digits, dots, hyphens or underscores',
  line: 'one line of 1 to 250 characters, without line breaks',
  text: 'a text of 1 to 20,000 characters',
  date: 'a day that exists, from 1850 on, written YYYY-MM-DD',
  'partial-date': 'a day, month or year from 1850 on, written YYYY-MM-DD, YYYY-MM or YYYY',
  instant: 'a date and time by RFC 3339, written 2026-03-01T09:30:00-05:00 or with Z, hours 00 to 23',
  time: 'a time of day written HH:MM, from 00:00 to 23:59',
  'time-zone': 'a time zone name of the IANA database, such as America/New_York',
  bcp47: 'a language tag, such as es or zh-Hant',
  uri: 'an absolute URI, such as urn:oid:1.2.3 or https://agency.example/ids',
  money: 'US dollars as a decimal text, such as "426.00"',
  ucum: 'a UCUM unit without spaces, at most 64 characters',
  e164: 'a phone number written + and 7 to 15 digits',
  'item-code': 'a code of 1 to 64 letters, digits, dots, hyphens or underscores',
  code: 'a code of lower-case letters and digits, joined by single hyphens',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  connection: 'the name of a connection',
  'resource-type': 'the name of a FHIR resource type',
  map: 'an object from JSON pointer to reason',
};

function translate(type: RecordType, tree: Field, error: ErrorObject): FieldError | undefined {
  const names = pointerNames(error.instancePath);
  const pointer = shownPointer(names);
  const at = place(pointer);
  const found = kindOf(error.data);
  const schema: Record<string, Json> = error.parentSchema ?? {};

  // The branches of a choice speak for themselves in the choice's own error, conditions in what they demand, keys in their map's error.
  if (/\/anyOf\/\d+\//.test(error.schemaPath) || error.keyword === 'if' || error.propertyName !== undefined)
    return undefined;

  switch (error.keyword) {
    case 'required':
      return missing(names, String(error.params.missingProperty), error.schemaPath.includes('/then/allOf/'));
    case 'anyOf':
      return oneOfMissing(pointer, error.schema);
    case 'additionalProperties':
      return unknownName(type, tree, names, String(error.params.additionalProperty));
    case 'propertyNames':
      return {
        pointer,
        rule: 'json-pointer',
        found: 'a key that is no JSON pointer',
        message: `Each key of ${at} must be a JSON pointer to a field, such as /birthDate.`,
      };
    case 'type':
      if (error.data === null) {
        return {
          pointer,
          rule: 'null',
          found,
          message: `${at} is null. Leave the field out instead: absent means not said.`,
        };
      }
      return { pointer, rule: 'type', found, message: `${at} must be ${expected(schema)}.` };
    case 'enum':
      if (typeof error.data !== 'string') return undefined; // its type error says so
      return enumError(pointer, at, error.data, schema.enum);
    case 'minimum':
    case 'maximum':
      return { pointer, rule: 'range', found, message: `${at} must be a number${rangeOf(schema)}.` };
    case 'minItems':
      return { pointer, rule: 'min-items', found, message: `${at} must hold at least one item.` };
    case 'maxLength':
      return {
        pointer,
        rule: 'max-length',
        found,
        message: `${at} may have at most ${error.params.limit} characters.`,
      };
    case 'pattern':
    case 'format':
      if (schema['x-kind'] === 'empty') {
        return {
          pointer,
          rule: 'empty',
          found,
          message: `${at} is empty. Leave the field out instead: absent means not said.`,
        };
      }
      return { pointer, rule: String(schema['x-kind']), found, message: `${at} must be ${expected(schema)}.` };
    default:
      return {
        pointer,
        rule: error.keyword,
        found,
        message: `${at} breaks the rule "${error.keyword}" of its schema.`,
      };
  }
}

function missing(names: readonly (string | number)[], name: string, conditional: boolean): FieldError {
  const pointer = shownPointer([...names, name]);
  const why = conditional ? 'is demanded by the other fields of this record, such as its status' : 'is required';
  return { pointer, rule: 'required', found: 'missing', message: `${pointer} ${why}. Add it.` };
}

function oneOfMissing(pointer: string, choices: unknown): FieldError {
  const names = Array.isArray(choices)
    ? choices.flatMap((choice: { required?: string[] }) => choice.required ?? [])
    : [];
  const message = `${place(pointer)} needs at least one of ${names.join(', ')}.`;
  return { pointer, rule: 'one-of-required', found: 'missing', message };
}

function unknownName(type: RecordType, tree: Field, names: readonly (string | number)[], name: string): FieldError {
  const path = names.filter((step) => typeof step === 'string');
  const candidates = namesBelow(tree, path);
  const shown = shownName(name);
  const around = shownPointer(names);
  const holder = around === '' ? `The ${type} record` : around;
  if (shown === undefined) {
    const message = `${holder} has a field whose name holds more than letters, digits, hyphens and underscores. Leave it out.`;
    return { pointer: around, rule: 'unknown-property', found: 'unknown name', message };
  }
  const likely = nearest(shown, candidates);
  const help = likely === undefined ? 'Leave it out.' : `The nearest name is "${likely}".`;
  const message = `${holder} has no field "${shown}". ${help}`;
  return { pointer: shownPointer([...names, name]), rule: 'unknown-property', found: 'unknown name', message };
}

function enumError(pointer: string, at: string, value: string, allowed: unknown): FieldError {
  const codes: string[] = Array.isArray(allowed) ? allowed.map(String) : [];
  const isCaseSlip = codes.includes(value.trim().toLowerCase());
  return {
    pointer,
    rule: 'enum',
    found: kindOf(value),
    message: `${at} must be one of ${codes.join(', ')}${isCaseSlip ? ', in lower case and without spaces around it' : ''}.`,
  };
}

function expected(schema: Record<string, Json>): string {
  const kind = schema['x-kind'];
  if (typeof kind === 'string' && expectations[kind]) return expectations[kind];
  return schema.type === 'array' ? 'a list' : 'an object';
}

function rangeOf(schema: Record<string, Json>): string {
  const from = schema.minimum === undefined ? '' : ` from ${schema.minimum}`;
  const to = schema.maximum === undefined ? '' : ` up to ${schema.maximum}`;
  return from + to;
}

function pointerNames(pointer: string): (string | number)[] {
  const names = pointer.split('/').slice(1);
  return names.map((name) => (/^\d+$/.test(name) ? Number(name) : name.replaceAll('~1', '/').replaceAll('~0', '~')));
}
