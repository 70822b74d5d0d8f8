// Every field of every record type broken once: a value outside a closed list or a bound, a reference that is no id, a day that does not exist. The
// cases come from the schemas, so a new field is among them without a change here.

import { expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { definitionsSchema, recordSchemas, recordTypes } from '../../src/records/records.ts';
import { changed, refusals } from './parse.ts';

interface Broken {
  /** Names from the record down, and at which of them a list stands. */
  readonly path: readonly string[];
  readonly inList: readonly boolean[];
  readonly value: Json;
  readonly rule: string;
}

/** What no field of a kind takes. */
const wrong: Readonly<Record<string, readonly [Json, string]>> = {
  id: ['a b', 'id'],
  line: ['two\nlines', 'line'],
  text: ['', 'empty'],
  date: ['2026-02-30', 'date'],
  'partial-date': ['2026-13', 'partial-date'],
  instant: ['yesterday', 'instant'],
  time: ['24:00', 'time'],
  'time-zone': ['Eastern', 'time-zone'],
  bcp47: ['english language', 'bcp47'],
  uri: ['no scheme', 'uri'],
  money: ['$1', 'money'],
  ucum: ['steps per day', 'ucum'],
  e164: ['5185550100', 'e164'],
  code: ['Two Words', 'code'],
  'item-code': ['two words', 'item-code'],
  number: ['1', 'type'],
  integer: [1.5, 'type'],
  boolean: ['yes', 'type'],
  connection: ['General', 'connection'],
  'resource-type': ['task', 'resource-type'],
};

function* brokenIn(schema: JsonObject, path: readonly string[], inList: readonly boolean[]): Generator<Broken> {
  const whole = resolved(schema);
  if (whole.type === 'array') {
    yield* brokenIn(object(whole.items), path, [...inList.slice(0, -1), true]);
  } else if (isObject(whole.properties)) {
    for (const [name, below] of Object.entries(whole.properties))
      yield* brokenIn(object(below), [...path, name], [...inList, false]);
  } else {
    for (const [value, rule] of valuesAgainst(whole)) yield { path, inList, value, rule };
  }
}

function* valuesAgainst(schema: JsonObject): Generator<readonly [Json, string]> {
  if (Array.isArray(schema.enum)) yield ['no-such-value', 'enum'];
  if (typeof schema.minimum === 'number') yield [schema.minimum - 1, 'range'];
  if (typeof schema.maximum === 'number') yield [schema.maximum + 1, 'range'];
  const known = wrong[String(schema['x-kind'])];
  if (known && !Array.isArray(schema.enum)) yield known;
}

/** The record with a value at a path, and where it stands there. */
function placed(
  path: readonly string[],
  inList: readonly boolean[],
  value: Json,
): { change: JsonObject; pointer: string } {
  const [name = '', ...rest] = path;
  const isList = inList[0] === true;
  const below = rest.length === 0 ? { inner: value, pointer: '' } : nested(rest, inList.slice(1), value);
  return {
    change: { [name]: isList ? [below.inner] : below.inner },
    pointer: `/${name}${isList ? '/0' : ''}${below.pointer}`,
  };
}

function nested(path: readonly string[], inList: readonly boolean[], value: Json): { inner: Json; pointer: string } {
  const { change, pointer } = placed(path, inList, value);
  return { inner: change, pointer };
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

test.each(recordTypes)('%s: each field refuses what it must', (type) => {
  const cases = [...brokenIn(recordSchemas[type], [], [])];
  const taken = cases.flatMap(({ path, inList, value, rule }) => {
    const { change, pointer } = placed(path, inList, value);
    const found = refusals(type, changed(type, change));
    return found.includes(`${pointer} ${rule}`) ? [] : [{ pointer, value, rule, found }];
  });
  expect(cases.length).toBeGreaterThan(20);
  expect(taken).toEqual([]);
});
