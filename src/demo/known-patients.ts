// What the three servers know before the agency sends anything. The exchange: a hospital, two clients of the agency, and two patients who
// look like a third. The hospitals: their own patients, each with a visit that is open.

import type { JsonObject } from '../json.ts';
import { hospitalNpi } from './directory.ts';
import { maria, type Person, people, samuel, thi } from './people.ts';
import { type HospitalName, type PlaceName, places } from './places.ts';

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

/** The patients of the exchange that certainly are clients of the agency: person and id. */
export const clientsKnown = [
  { person: samuel, id: 'known-samuel', because: 'same medical record number, birth date and name' },
  { person: thi, id: 'known-thi', because: 'same name, birth date, sex and phone' },
] as const;

/** The clients that a hospital treats, as the agency's consents say; `isKnown`: and has a chart of. */
export function patientsOf(hospital: HospitalName): { person: Person; isKnown: boolean }[] {
  return people
    .filter((person) => person.hospital === hospital)
    .map((person) => ({ person, isKnown: person.mrns?.[hospital] !== undefined }));
}

function number(place: PlaceName, { mrns }: Person): JsonObject[] {
  return [{ use: 'usual', type: { text: 'MRN' }, system: places[place].mrnSystem, value: mrns?.[place] ?? '' }];
}

/** The id of a person's Patient at the hospitals. */
export function chartOf({ name }: Person): string {
  return `pt-${name}`;
}

function chart(hospital: HospitalName, person: Person): JsonObject[] {
  const id = chartOf(person);
  return [
    patient(id, person, { identifier: number(hospital, person) }),
    {
      resourceType: 'Encounter',
      id: `visit-${person.name}`,
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB', display: 'ambulatory' },
      subject: { reference: `Patient/${id}` },
      period: { start: '2025-03-03T13:00:00Z' },
    },
  ];
}

function charts(hospital: HospitalName): JsonObject[] {
  return patientsOf(hospital).flatMap(({ person, isKnown }) => (isKnown ? chart(hospital, person) : []));
}

/** As lists of resources for the sandbox's seed. */
export const knownBefore: Readonly<Record<PlaceName, readonly JsonObject[]>> = {
  exchange: [
    {
      resourceType: 'Organization',
      id: 'known-hospital',
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: hospitalNpi }],
      active: true,
      name: 'LARCH VALLEY HOSPITAL INC',
    },
    patient('known-samuel', samuel, { identifier: number('exchange', samuel) }),
    patient('known-thi', thi, { telecom: [{ system: 'phone', value: '+1 518-555-0118' }] }),
    patient('alike-maria', maria, { address: [{ line: ['5 Elm Court'], city: 'Troy', state: 'NY' }] }),
    patient('alike-mariana', { ...maria, given: 'Mariana' }, { telecom: [{ system: 'phone', value: '518-555-0999' }] }),
  ],
  larchValley: charts('larchValley'),
  stBrigid: charts('stBrigid'),
};
