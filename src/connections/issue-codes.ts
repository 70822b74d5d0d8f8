// The codes of an OperationOutcome: FHIR's issue types and the vendor's own codes, which classification and paging match by code alone,
// because the systems of the vendors' codes differ from site to site (ehr-behaviour E31).

import { isObject, type JsonObject, objectsIn } from '../json.ts';

/** Every issue type and every details.coding code of all issues, in order. */
export function issueCodes(outcome: JsonObject | undefined): string[] {
  if (outcome?.resourceType !== 'OperationOutcome') {
    return [];
  }
  return objectsIn(outcome.issue).flatMap((issue) => {
    const codings = isObject(issue.details) ? objectsIn(issue.details.coding) : [];
    return [issue.code, ...codings.map((coding) => coding.code)].filter((code) => typeof code === 'string');
  });
}
