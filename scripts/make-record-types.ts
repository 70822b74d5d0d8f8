// Writes src/records/record-types.ts from the record schemas: `node scripts/make-record-types.ts`. The schemas are the only source.
// A deletion mark may lack everything but id and updatedAt; the interfaces describe records that are kept.

import { readFile, writeFile } from 'node:fs/promises';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import type { Json, JsonObject } from '../src/json.ts';
import { isObject } from '../src/json.ts';
import { definitionsSchema, recordSchemas, recordTypes } from '../src/records/records.ts';

const target = new URL('../src/records/record-types.ts', import.meta.url);

/** The text of src/records/record-types.ts. */
export async function recordTypesSource(): Promise<string> {
  const bundle: JSONSchema = {
    title: 'RecordTypes',
    type: 'object',
    properties: Object.fromEntries(recordTypes.map((type) => [type, plainSchema(recordSchemas[type])])),
    required: [...recordTypes],
    additionalProperties: false,
  };
  return compile(bundle, 'RecordTypes', {
    bannerComment: '// Made by scripts/make-record-types.ts from src/records/schemas. Not edited by hand.',
    additionalProperties: false,
    format: true,
    style: { singleQuote: true, printWidth: 120 },
  });
}

// One object schema without references or conditions: conditional fields are optional.
function plainSchema(schema: JsonObject): JSONSchema {
  return {
    title: text(schema.title),
    type: 'object',
    properties: plainProperties(object(schema.properties)),
    required: [...list(schema.required), ...list(object(schema.then).required)].map(text),
    additionalProperties: false,
  };
}

function plainProperties(properties: JsonObject): Record<string, JSONSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, plain(object(schema))]));
}

function plain(schema: JsonObject): JSONSchema {
  const reference = schema.$ref;
  if (reference !== undefined) return plain(definition(text(reference).replace(/^.*\/\$defs\//, '')));
  switch (schema.type) {
    case 'object':
      return isObject(schema.additionalProperties)
        ? { type: 'object', additionalProperties: plain(schema.additionalProperties) }
        : {
            type: 'object',
            properties: plainProperties(object(schema.properties)),
            required: list(schema.required ?? []).map(text),
            additionalProperties: false,
          };
    case 'array':
      return { type: 'array', items: plain(object(schema.items)) };
    case 'string':
      return schema.enum === undefined ? { type: 'string' } : { type: 'string', enum: list(schema.enum).map(text) };
    case 'number':
    case 'integer':
    case 'boolean':
      return { type: schema.type };
    default:
      throw new Error(`make-record-types: a schema of type ${JSON.stringify(schema.type)} has no TypeScript form here`);
  }
}

function definition(name: string): JsonObject {
  return object(object(definitionsSchema.$defs)[name]);
}

function object(value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  throw new Error('make-record-types: an object was expected in a schema');
}

function list(value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value;
  throw new Error('make-record-types: a list was expected in a schema');
}

function text(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  throw new Error('make-record-types: a text was expected in a schema');
}

if (import.meta.main) await writeFile(target, await recordTypesSource());

/** What is committed now, for the test that compares. */
export function committedRecordTypes(): Promise<string> {
  return readFile(target, 'utf8');
}
