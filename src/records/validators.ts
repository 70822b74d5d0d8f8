// Compiled record schemas: one validator per type that stops at the first error, and one that finds all, each made when first needed.

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonObject } from '../json.ts';
import { isCalendarDate, isInstantOrLocal, isLanguage, isPartialDate, isTimeZone } from './formats.ts';
import type { RecordType } from './record-type.ts';
import { definitionsSchema } from './schemas.ts';

// Up to this many values all errors of a record are looked for; in a larger one the first must do, or a hostile list of a million faults
// would cost a million error objects.
const explainedValues = 20_000;

/** What the schema of a type refuses in a record; empty where it holds. */
export function validatorOf(
  schema: (type: RecordType) => JsonObject,
): (type: RecordType, record: JsonObject) => readonly ErrorObject[] {
  const quick = compiledValidators(schema, false);
  const thorough = compiledValidators(schema, true);
  return (type, record) => {
    const isValid = quick(type);
    if (isValid(record)) return [];
    if (countValues(record) > explainedValues) return isValid.errors ?? [];
    const explain = thorough(type);
    explain(record);
    return explain.errors ?? [];
  };
}

function compiledValidators(
  schema: (type: RecordType) => JsonObject,
  allErrors: boolean,
): (type: RecordType) => ValidateFunction {
  const made = new Map<RecordType, ValidateFunction>();
  let ajv: Ajv2020 | undefined;
  return (type) => {
    const known = made.get(type);
    if (known) return known;
    ajv ??= makeAjv(allErrors);
    const compiled = ajv.compile(schema(type));
    made.set(type, compiled);
    return compiled;
  };
}

function makeAjv(allErrors: boolean): Ajv2020 {
  // strictTypes is off because conditions speak of properties whose type stands beside them.
  const ajv = new Ajv2020({ allErrors, verbose: true, strict: true, strictTypes: false, strictRequired: false });
  ajv.addVocabulary(['x-kind', 'x-ref']);
  ajv.addFormat('calendar-date', isCalendarDate);
  ajv.addFormat('partial-date', isPartialDate);
  ajv.addFormat('instant', isInstantOrLocal);
  ajv.addFormat('bcp47', isLanguage);
  ajv.addFormat('time-zone', isTimeZone);
  ajv.addSchema(definitionsSchema);
  return ajv;
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const item of Object.values(value)) {
    count += countValues(item);
    if (count > explainedValues) break;
  }
  return count;
}
