// Fields of an agency's own: each stands in an object `custom` of the record, or of an object or list item in it, so that no field of ours, now or
// later, can be taken for one of theirs. A record without `custom` is the same with and without them.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { treeOf } from './fields.ts';
import { type RecordSchemas, shippedSchemas } from './record-schemas.ts';
import { type RecordType, recordTypes } from './record-type.ts';
import { definitionsSchema, recordSchemas } from './schemas.ts';
import { validatorOf } from './validators.ts';

/** The name of the object that holds them. */
export const customName = 'custom';

const definitions = {
  boolean: 'boolean',
  code: 'code',
  date: 'date',
  id: 'id',
  instant: 'instant',
  integer: 'integer',
  'item-code': 'itemCode',
  line: 'line',
  money: 'money',
  number: 'number',
  'partial-date': 'partialDate',
  text: 'text',
  time: 'time',
  uri: 'uri',
} as const;

export type CustomKind = keyof typeof definitions;

/** What a field of an agency's own may be. */
export const customKinds: readonly string[] = Object.keys(definitions);

export function isCustomKind(text: string): text is CustomKind {
  return Object.hasOwn(definitions, text);
}

export interface CustomField {
  /** Names of the objects and lists of the record that it stands in; none: the record itself. */
  readonly within: readonly string[];
  readonly name: string;
  readonly kind: CustomKind;
  /** A list of such values. */
  readonly list?: boolean;
  /** Of a code: all that it may be. */
  readonly codes?: readonly string[];
  /** Of a number. */
  readonly min?: number;
  readonly max?: number;
  /** Of an id: the record type that it points to. */
  readonly of?: RecordType;
}

/** The shipped schemas with these fields beside ours. */
export function withCustomFields(fields: ReadonlyMap<RecordType, readonly CustomField[]>): RecordSchemas {
  if (fields.size === 0) return shippedSchemas;
  const schemas = new Map(recordTypes.map((type) => [type, extended(type, fields.get(type) ?? [])]));
  const trees = new Map([...schemas].map(([type, schema]) => [type, treeOf(schema)]));
  const schema = (type: RecordType): JsonObject => schemas.get(type) ?? recordSchemas[type];
  return {
    schema,
    tree: (type) => trees.get(type) ?? shippedSchemas.tree(type),
    faults: validatorOf(schema),
  };
}

function extended(type: RecordType, fields: readonly CustomField[]): JsonObject {
  const schema = structuredClone(recordSchemas[type]);
  for (const field of fields) {
    const properties = propertiesBelow(schema, field.within);
    const custom = properties[customName] ?? { type: 'object', properties: {}, additionalProperties: false };
    properties[customName] = custom;
    if (isObject(custom) && isObject(custom.properties)) custom.properties[field.name] = schemaOf(field);
  }
  return schema;
}

/** The properties of the object at the path, or of the items of the list there; shared definitions on the way are written out. */
function propertiesBelow(schema: JsonObject, path: readonly string[]): JsonObject {
  const [name, ...rest] = path;
  const properties = isObject(schema.properties) ? schema.properties : {};
  if (name === undefined) return properties;
  const below = writtenOut(properties[name]);
  properties[name] = below;
  if (below.type !== 'array') return propertiesBelow(below, rest);
  const items = writtenOut(below.items);
  below.items = items;
  return propertiesBelow(items, rest);
}

function writtenOut(schema: Json | undefined): JsonObject {
  const { $ref: reference, ...beside } = isObject(schema) ? schema : {};
  if (typeof reference !== 'string') return beside;
  const shared = isObject(definitionsSchema.$defs) ? definitionsSchema.$defs : {};
  const found = shared[reference.slice(reference.lastIndexOf('/') + 1)];
  return { ...absolute(isObject(found) ? structuredClone(found) : {}), ...beside };
}

/** References within the definitions, as the other schemas write them. */
function absolute(schema: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"definitions.json#/'));
}

function schemaOf({ kind, list, codes, min, max, of }: CustomField): JsonObject {
  const single: JsonObject = {
    ...(codes
      ? { type: 'string', enum: [...codes], 'x-kind': 'code' }
      : { $ref: `definitions.json#/$defs/${definitions[kind]}` }),
    ...(min !== undefined && { minimum: min }),
    ...(max !== undefined && { maximum: max }),
    ...(of !== undefined && { 'x-ref': of }),
  };
  return list ? { type: 'array', items: single } : single;
}
