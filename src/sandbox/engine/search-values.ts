// What a search parameter finds in a resource: the values that a filter compares (https://hl7.org/fhir/R4/search.html).

import { evalFhirPathTyped, toTypedValue } from '@medplum/core';
import { type SearchValue, searchValues } from '../../fhir/fhir.ts';
import type { SearchParameterFact } from './definitions.ts';
import type { Version } from './store.ts';

/** The values of a parameter in one version of a resource. */
export function valuesOf(parameter: SearchParameterFact, version: Version): SearchValue[] {
  if (version.resource === undefined) return [];
  if (parameter.code === '_lastUpdated') return [{ kind: 'date', start: version.at, end: version.at }];
  const found = evalFhirPathTyped(parameter.expression, [toTypedValue(version.resource)]);
  // Medplum boxes a primitive that carries an extension.
  return found.flatMap((typed) => searchValues(parameter.type, typed.value?.valueOf()));
}
