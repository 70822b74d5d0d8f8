// What the exchange knows before the agency sends anything: a hospital, two clients of the agency, and two patients who look like a third.

import type { JsonObject } from '../json.ts';
import { mrnSystem } from './caseload.ts';
import { hospitalNpi } from './directory.ts';
import { maria, type Person, samuel, thi } from './people.ts';

function patient(id: string, { given, family, birthDate, sex }: Person, more: JsonObject): JsonObject {
  return {
    resourceType: 'Patient',
    id,
    active: true,
    name: [{ family, given: [given] }],
    birthDate,
    gender: sex ?? 'unknown',
    ...more,
  };
}

/** The patients that certainly are clients of the agency: person and id. */
export const clientsKnown = [
  { person: samuel, id: 'known-samuel', because: 'same medical record number, birth date and name' },
  { person: thi, id: 'known-thi', because: 'same name, birth date, sex and phone' },
] as const;

/** As a list of resources for the sandbox's seed. */
export const knownBefore: readonly JsonObject[] = [
  {
    resourceType: 'Organization',
    id: 'known-hospital',
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: hospitalNpi }],
    active: true,
    name: 'LARCH VALLEY HOSPITAL INC',
  },
  patient('known-samuel', samuel, { identifier: [{ system: mrnSystem, value: samuel.mrn ?? '' }] }),
  patient('known-thi', thi, { telecom: [{ system: 'phone', value: '+1 518-555-0118' }] }),
  patient('alike-maria', maria, { address: [{ line: ['5 Elm Court'], city: 'Troy', state: 'NY' }] }),
  patient('alike-mariana', { ...maria, given: 'Mariana' }, { telecom: [{ system: 'phone', value: '518-555-0999' }] }),
];
