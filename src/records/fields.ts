// What the fields of a record are: a tree made once from the schemas, without references, conditions or lists of their own. Mapping checks
// ask it for paths, parsing asks it where instants lie and which names exist.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { isRecordType, type RecordType, recordTypes } from './record-type.ts';
import { definitionsSchema, recordSchemas } from './schemas.ts';

const fieldKinds = [
  'id',
  'line',
  'text',
  'date',
  'partial-date',
  'instant',
  'time',
  'time-zone',
  'bcp47',
  'uri',
  'money',
  'ucum',
  'e164',
  'item-code',
  'code',
  'number',
  'integer',
  'boolean',
  'connection',
  'resource-type',
  'object',
  'map',
] as const;

/** What one value is: the scalar kinds of the schemas' `x-kind`, an object with fields, or a map with free keys. */
export type FieldKind = (typeof fieldKinds)[number];

/** A field as the mapping checks see it. */
export interface FieldFact {
  /** Of the value, or of a list's items. */
  kind: FieldKind;
  /** A list lies on the way to it, or it is one. */
  list: boolean;
  /** The closed list of a code. */
  enum?: string[];
  /** Of a number. */
  min?: number;
  max?: number;
  /** The record type that an id points to, where it is one of ours. */
  ref?: RecordType;
  /** Demanded wherever the object around it exists (conditions on other fields aside). */
  required: boolean;
}

/** A node of the tree: its own list only, and its fields where it is an object. */
export interface Field extends FieldFact {
  fields?: ReadonlyMap<string, Field>;
}

const kinds: ReadonlySet<string> = new Set(fieldKinds);

const trees: ReadonlyMap<RecordType, Field> = new Map(recordTypes.map((type) => [type, treeOf(recordSchemas[type])]));

/** The root of a record type's tree. */
export function fieldTree(type: RecordType): Field {
  return trees.get(type) ?? broken('no tree for a record type');
}

/** What stands at a path of field names (`['names', 'given']`; lists are walked through), or undefined where nothing can. */
export function schemaAt(type: RecordType, path: readonly string[]): FieldFact | undefined {
  let field: Field | undefined = fieldTree(type);
  let list = false;
  for (const name of path) {
    field = field.fields?.get(name);
    if (!field) return undefined;
    list ||= field.list;
  }
  const { fields: _, ...fact } = field;
  return { ...fact, list };
}

/** The names that may follow a path; empty where the path leads nowhere or to a scalar. */
export function fieldNames(type: RecordType, path: readonly string[]): string[] {
  return namesBelow(fieldTree(type), path);
}

export function namesBelow(tree: Field, path: readonly string[]): string[] {
  let field: Field | undefined = tree;
  for (const name of path) field = field?.fields?.get(name);
  return [...(field?.fields?.keys() ?? [])];
}

/** The tree of a record schema. */
export function treeOf(schema: JsonObject): Field {
  const demanded = [...texts(schema.required), ...texts(object(schema.then).required)];
  return { kind: 'object', list: false, required: true, fields: fieldsOf(object(schema.properties), demanded) };
}

function fieldsOf(properties: JsonObject, demanded: readonly string[]): ReadonlyMap<string, Field> {
  return new Map(
    Object.entries(properties).map(([name, schema]) => [name, fieldOf(object(schema), demanded.includes(name))]),
  );
}

function fieldOf(schema: JsonObject, required: boolean): Field {
  const { $ref: reference, ...beside } = schema;
  if (typeof reference === 'string') {
    return fieldOf({ ...definition(reference.slice(reference.lastIndexOf('/') + 1)), ...beside }, required);
  }
  if (schema.type === 'array') return { ...fieldOf(object(schema.items), required), list: true };

  const field: Field = { kind: kindOf(schema), list: false, required };
  const ref = schema['x-ref'];
  if (typeof ref === 'string' && isRecordType(ref)) field.ref = ref;
  if (schema.enum !== undefined) field.enum = texts(schema.enum);
  if (typeof schema.minimum === 'number') field.min = schema.minimum;
  if (typeof schema.maximum === 'number') field.max = schema.maximum;
  if (field.kind === 'object') field.fields = fieldsOf(object(schema.properties), texts(schema.required ?? []));
  return field;
}

function kindOf(schema: JsonObject): FieldKind {
  const kind = schema['x-kind'] ?? schema.type;
  return isFieldKind(kind) ? kind : broken('a field has no x-kind');
}

function isFieldKind(value: Json | undefined): value is FieldKind {
  return typeof value === 'string' && kinds.has(value);
}

function definition(name: string): JsonObject {
  return object(object(definitionsSchema.$defs)[name]);
}

function object(value: Json | undefined): JsonObject {
  return isObject(value) ? value : broken('an object is missing');
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : broken('a list is missing');
}

function broken(problem: string): never {
  throw new Error(`src/records/schemas: ${problem}`);
}
