// Every field of a record type, once for each way in which a value can be wrong there. The cases come from the schemas, so a new field is among
// them without a change here. Texts hold a mark and numbers are far out, so that a value is found wherever it is repeated.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { definitionsSchema, type RecordType, recordSchemas } from '../../src/records/records.ts';
import { changed } from './parse.ts';

export interface BrokenValue {
  /** The record, valid but for this. */
  readonly record: JsonObject;
  readonly pointer: string;
  readonly rule: string;
  readonly value: Json;
}

/** In every wrong text. */
export const mark = 'zq7';
const far = 77_123;

/** What no field of a kind takes. */
const wrong: Readonly<Record<string, readonly [Json, string]>> = {
  id: [`${mark} b`, 'id'],
  line: [`${mark}\nlines`, 'line'],
  text: ['', 'empty'],
  date: ['2026-02-30', 'date'],
  'partial-date': ['2026-13', 'partial-date'],
  instant: [`${mark} yesterday`, 'instant'],
  time: ['25:61', 'time'],
  'time-zone': [`${mark}/Eastern`, 'time-zone'],
  bcp47: [`${mark} english language`, 'bcp47'],
  uri: [`no scheme ${mark}`, 'uri'],
  money: [`$${mark}`, 'money'],
  ucum: [`${mark} per day`, 'ucum'],
  e164: [`518555${mark}`, 'e164'],
  code: [`Two ${mark}`, 'code'],
  'item-code': [`two ${mark}`, 'item-code'],
  number: [mark, 'type'],
  integer: [far + 0.5, 'type'],
  boolean: [mark, 'type'],
  connection: [`General ${mark}`, 'connection'],
  'resource-type': [`${mark} task`, 'resource-type'],
};

export function brokenValues(type: RecordType): BrokenValue[] {
  return [...brokenIn(recordSchemas[type], [])].map(({ path, value, rule }) => {
    const [first, ...rest] = path;
    return {
      record: changed(type, { [String(first)]: nested(rest, value) }),
      pointer: `/${path.join('/')}`,
      rule,
      value,
    };
  });
}

type Path = readonly (string | number)[];

interface Broken {
  readonly path: Path;
  readonly value: Json;
  readonly rule: string;
}

function* brokenIn(schema: JsonObject, path: Path): Generator<Broken> {
  const whole = resolved(schema);
  if (path.length > 0) {
    yield { path, value: null, rule: 'null' };
    yield { path, value: wholeType(whole), rule: 'type' };
  }
  if (whole.type === 'array') {
    if (whole.minItems === 1) yield { path, value: [], rule: 'min-items' };
    yield* brokenIn(object(whole.items), [...path, 0]);
  } else if (isObject(whole.properties)) {
    for (const [name, below] of Object.entries(whole.properties)) yield* brokenIn(object(below), [...path, name]);
  } else {
    for (const [value, rule] of valuesAgainst(whole)) yield { path, value, rule };
  }
}

/** Something of another JSON type than the schema's. */
function wholeType({ type }: JsonObject): Json {
  return type === 'object' ? [mark] : { [mark]: far };
}

function* valuesAgainst(schema: JsonObject): Generator<readonly [Json, string]> {
  const kind = String(schema['x-kind']);
  const known = wrong[kind];
  if (Array.isArray(schema.enum)) yield [`${mark}-value`, 'enum'];
  else if (known) yield known;
  if (typeof schema.minimum === 'number') yield [schema.minimum - far, 'range'];
  if (typeof schema.maximum === 'number') yield [schema.maximum + far, 'range'];
  if (typeof schema.maxLength === 'number') {
    // Of an allowed form, so that nothing but its length is wrong.
    const start = kind === 'uri' ? `urn:${mark}:` : mark;
    yield [start.padEnd(schema.maxLength + 1, 'x'), 'max-length'];
  }
}

function nested(path: Path, value: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const below = nested(rest, value);
  return typeof step === 'number' ? [below] : { [step]: below };
}

function resolved(schema: JsonObject): JsonObject {
  const { $ref: reference, ...beside } = schema;
  if (typeof reference !== 'string') return schema;
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return { ...resolved(object(object(definitionsSchema.$defs)[name])), ...beside };
}

function object(value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  throw new Error('a schema lacks an object where one was expected');
}
