// Every closed list, every bound and every reference of every record type, broken once. What is broken follows from the schemas, so a new
// field is in here without a change.

import { describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { definitionsSchema, recordSchemas, recordTypes } from '../../src/records/records.ts';
import { changed, refusals } from './parse.ts';

interface Broken {
  /** Field names and list places from the record down. */
  readonly path: readonly (string | number)[];
  readonly value: Json;
  readonly rule: string;
}

describe.each(recordTypes)('%s', (type) => {
  const all = brokenIn(recordSchemas[type], []);

  test.each(all.map((one) => [`/${one.path.join('/')} ${one.rule}`, one] as const))('%s', (expected, one) => {
    const [name, ...rest] = one.path;
    expect(refusals(type, changed(type, { [String(name)]: nested(rest, one.value) }))).toContain(expected);
  });
});

function brokenIn(schema: JsonObject, path: readonly (string | number)[]): Broken[] {
  const { $ref: reference, ...own } = schema;
  if (typeof reference === 'string') {
    return brokenIn({ ...definition(reference.slice(reference.lastIndexOf('/') + 1)), ...own }, path);
  }
  if (schema.type === 'array') return brokenIn(object(schema.items), [...path, 0]);
  if (isObject(schema.properties)) {
    return Object.entries(schema.properties).flatMap(([name, below]) => brokenIn(object(below), [...path, name]));
  }
  const { minimum, maximum } = schema;
  return [
    ...(schema.enum === undefined ? [] : [{ path, value: 'no-such-code', rule: 'enum' }]),
    ...(schema['x-ref'] === undefined ? [] : [{ path, value: 'not an id', rule: 'id' }]),
    ...(typeof minimum === 'number' ? [{ path, value: minimum - 1, rule: 'range' }] : []),
    ...(typeof maximum === 'number' ? [{ path, value: maximum + 1, rule: 'range' }] : []),
  ];
}

function nested(path: readonly (string | number)[], value: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const below = nested(rest, value);
  return typeof step === 'number' ? [below] : { [step]: below };
}

function definition(name: string): JsonObject {
  return object(object(definitionsSchema.$defs)[name]);
}

function object(value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  throw new Error('a schema lacks an object where one was expected');
}
