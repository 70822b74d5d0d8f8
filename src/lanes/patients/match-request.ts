// The question that `$match` is asked: what we may say of the client, without the social security number, and without our own identifiers,
// which mean nothing there. FHIR R4 patient-operation-match.html. Pure.

import type { JsonObject } from '../../json.ts';
import type { StrongIdentifier } from './match.ts';

const told = ['name', 'birthDate', 'gender', 'telecom', 'address'];

/**
 * @param desired the client as FHIR, as the mapping makes it: what it holds back for safety is not told here either.
 * @returns undefined for somebody without a name: nobody could be told apart.
 */
export function matchParameters(desired: JsonObject, strong: readonly StrongIdentifier[]): JsonObject | undefined {
  if (!Array.isArray(desired.name) || desired.name.length === 0) return undefined;
  const facts = Object.fromEntries(Object.entries(desired).filter(([name]) => told.includes(name)));
  const identifier = strong.map(({ system, value }) => ({ system, value }));
  const resource = { resourceType: 'Patient', ...(identifier.length > 0 && { identifier }), ...facts };
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'resource', resource },
      { name: 'onlyCertainMatches', valueBoolean: false },
    ],
  };
}
