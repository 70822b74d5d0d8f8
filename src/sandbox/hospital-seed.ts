// What a hospital's server knows before a partner connects: invented patients with medical record numbers, each with an open encounter,
// without which no note can be filed. Pure: the same options give the same Bundle.

import type { JsonObject } from '../json.ts';

export interface SeedPerson {
  /** Id of the Patient; the encounter's is `visit-` and this. */
  id: string;
  mrn: string;
  family: string;
  given: string;
  /** YYYY-MM-DD */
  birthDate: string;
  gender: 'female' | 'male' | 'other' | 'unknown';
  phone?: string;
  address?: { line: string; city: string; state: string; postalCode: string };
}

export interface HospitalSeed {
  /** System of the medical record numbers. */
  mrnSystem: string;
  people: readonly SeedPerson[];
  /** ISO instant at which the encounters began. */
  since: string;
  /** Whether each number is there a second time with blanks before it, as Epic sites have it. Default false. */
  padded?: boolean;
}

const families = ['Abernethy', 'Brightwater', 'Castellane', 'Dunmore', 'Eastlake', 'Fairweather', 'Grünwald', 'Hollis'];
const givenNames = ['Ada', 'Bruno', 'Celia', 'Dario', 'Elin', 'Farid', 'Greta'];
const streets = ['Alder Way', 'Birch Lane', 'Cedar Court', 'Dogwood Drive', 'Elder Street'];

/** So many different people, the same ones each time: no two share a name, a birth date with a name, a phone or an address. */
export function inventedPeople(count: number): SeedPerson[] {
  return Array.from({ length: count }, (_, index) => {
    const round = Math.floor(index / (families.length * givenNames.length));
    const suffix = round === 0 ? '' : `-${roman(round + 1)}`;
    const number = String(index + 1).padStart(5, '0');
    return {
      id: `patient-${number}`,
      mrn: `9${number}`,
      family: `${families[index % families.length]}${suffix}`,
      given: givenNames[index % givenNames.length] ?? '',
      birthDate: new Date(Date.UTC(1940, 0, 1 + index * 17)).toISOString().slice(0, 10),
      gender: index % 2 === 0 ? 'female' : 'male',
      phone: `+1 555-01${String(index % 100).padStart(2, '0')}-${number}`,
      address: {
        line: `${index + 1} ${streets[index % streets.length]}`,
        city: 'Larch Valley',
        state: 'NY',
        postalCode: '12180',
      },
    };
  });
}

/** A collection Bundle for `POST /_control/{server}/seed`. */
export function hospitalSeed({ mrnSystem, people, since, padded = false }: HospitalSeed): JsonObject {
  const resources = people.flatMap((person) => [
    patientOf(person, mrnSystem, padded),
    {
      resourceType: 'Encounter',
      id: `visit-${person.id}`,
      status: 'in-progress',
      class: {
        system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
        code: 'IMP',
        display: 'inpatient encounter',
      },
      subject: { reference: `Patient/${person.id}` },
      period: { start: since },
    },
  ]);
  return { resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) };
}

function patientOf(person: SeedPerson, system: string, padded: boolean): JsonObject {
  const { id, mrn, family, given, birthDate, gender, phone, address } = person;
  const mr = { system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' };
  return {
    resourceType: 'Patient',
    id,
    identifier: [
      { use: 'usual', type: { coding: [mr], text: 'MRN' }, system, value: mrn },
      ...(padded ? [{ use: 'usual', type: { text: 'INTERNAL' }, system, value: `     ${mrn}` }] : []),
    ],
    active: true,
    name: [{ use: 'official', family, given: [given] }],
    ...(phone !== undefined && { telecom: [{ system: 'phone', value: phone, use: 'home' }] }),
    gender,
    birthDate,
    ...(address !== undefined && {
      address: [{ use: 'home', ...address, line: [address.line] }],
    }),
  };
}

function roman(value: number): string {
  const digits: readonly (readonly [number, string])[] = [
    [10, 'X'],
    [9, 'IX'],
    [5, 'V'],
    [4, 'IV'],
    [1, 'I'],
  ];
  const [worth, letters] = digits.find(([each]) => each <= value) ?? [0, ''];
  return worth === 0 ? '' : `${letters}${roman(value - worth)}`;
}
