// The codes of a CodeableConcept, whatever their systems.

import { isObject, type Json } from '../json.ts';

export function codesOf(concept: Json | undefined): string[] {
  if (!isObject(concept) || !Array.isArray(concept.coding)) return [];
  return concept.coding.flatMap((coding) => (isObject(coding) && typeof coding.code === 'string' ? [coding.code] : []));
}
