// The record schemas (JSON Schema 2020-12, one file per type in schemas/) as values. definitions.json holds what they share.
// Two annotations of our own: `x-kind` says what a value is, `x-ref` which record type an id points to.

import { readFileSync } from 'node:fs';
import { isObject, type JsonObject } from '../json.ts';
import { parseJson } from './parse-json.ts';
import type { RecordType } from './record-type.ts';

/** The JSON Schema of each record type; `$ref`s point into `definitionsSchema`. */
export const recordSchemas: Readonly<Record<RecordType, JsonObject>> = {
  organization: readSchema('organization'),
  worker: readSchema('worker'),
  service: readSchema('service'),
  client: readSchema('client'),
  case: readSchema('case'),
  consent: readSchema('consent'),
  coverage: readSchema('coverage'),
  assessment: readSchema('assessment'),
  hospitalStay: readSchema('hospitalStay'),
  incident: readSchema('incident'),
  need: readSchema('need'),
  goal: readSchema('goal'),
  safetyPlan: readSchema('safetyPlan'),
  referral: readSchema('referral'),
  intervention: readSchema('intervention'),
  carePlan: readSchema('carePlan'),
  appointment: readSchema('appointment'),
  note: readSchema('note'),
  improvementIdea: readSchema('improvementIdea'),
};

/** The file that the schemas refer to as `definitions.json`. */
export const definitionsSchema: JsonObject = readSchema('definitions');

function readSchema(name: string): JsonObject {
  const schema = parseJson(readFileSync(new URL(`./schemas/${name}.json`, import.meta.url)));
  if (!isObject(schema)) throw new Error(`src/records/schemas/${name}.json is not a JSON object`);
  return schema;
}
