// What records are checked by: the schemas that come with Casebridge, or these with fields of an agency's own beside ours.

import type { ErrorObject } from 'ajv/dist/2020.js';
import type { JsonObject } from '../json.ts';
import { type Field, fieldTree } from './fields.ts';
import type { RecordType } from './record-type.ts';
import { recordSchemas } from './schemas.ts';
import { validatorOf } from './validators.ts';

export interface RecordSchemas {
  /** The JSON Schema of a record type; `$ref`s point into `definitionsSchema`. */
  schema(type: RecordType): JsonObject;
  /** The fields of a record type. */
  tree(type: RecordType): Field;
  /** What the schema of a type refuses in a record; empty where it holds. */
  faults(type: RecordType, record: JsonObject): readonly ErrorObject[];
}

const schema = (type: RecordType): JsonObject => recordSchemas[type];

/** Those that come with Casebridge. */
export const shippedSchemas: RecordSchemas = { schema, tree: fieldTree, faults: validatorOf(schema) };
