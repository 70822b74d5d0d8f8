// Small questions about FHIR JSON that rules ask.

import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';

/** True when the element is there, be it only as `_name` with extensions. */
export function has(object: JsonObject, name: string): boolean {
  return object[name] !== undefined || object[`_${name}`] !== undefined;
}

/** True when any type of the choice element is there: `hasChoice(it, 'value')` finds valueString. */
export function hasChoice(object: JsonObject, name: string): boolean {
  return Object.keys(object).some((key) => {
    const bare = key.startsWith('_') ? key.slice(1) : key;
    return bare.startsWith(name) && /^[A-Z]/.test(bare.slice(name.length));
  });
}

/** The items of an element, repeated or not. */
export function items(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** The codings of a CodeableConcept. */
export function codings(concept: Json | undefined): readonly JsonObject[] {
  return isObject(concept) ? items(concept.coding).filter(isObject) : [];
}

/** True when the concept has one of these codes in this system. */
export function hasCoding(concept: Json | undefined, system: string, codes: readonly string[]): boolean {
  return codings(concept).some((coding) => coding.system === system && isOneOf(coding.code, codes));
}

export function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

export function isOneOf(value: Json | undefined, values: readonly string[]): boolean {
  return isText(value) && values.includes(value);
}
