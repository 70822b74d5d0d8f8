// Small looks into a resource that the rules of several types share, and the issues that follow from them.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import type { EpicIssue } from './outcome.ts';

/** The codings of a CodeableConcept or of a list of them. */
export function codings(concept: Json | undefined): JsonObject[] {
  return [concept]
    .flat()
    .flatMap((each) => (isObject(each) ? [each.coding].flat().filter((coding) => isObject(coding)) : []));
}

/** 59108 where the element is not there. */
export function missing(element: string, value: Json | undefined): EpicIssue[] {
  return value === undefined ? [issue('59108', `${element} is missing.`, element)] : [];
}

/** An issue about one element. */
export function issue(number: EpicIssue['number'], diagnostics: string, expression: string): EpicIssue {
  return { number, diagnostics, expression };
}
