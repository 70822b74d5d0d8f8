// The three servers that the agency's cases go to: the community exchange and two invented hospitals, each a server of the sandbox's one
// process. What a hospital needs is what its IT department would agree with the agency: a client, scopes, the system of its numbers.

export interface Place {
  /** As the demo's configuration calls the connection. */
  readonly connection: string;
  readonly name: string;
  /** How it behaves, as the story says it. */
  readonly like: string;
  /** The record of the organization, by which consents name it. */
  readonly organizationId: string;
  /** In which its medical record numbers count. */
  readonly mrnSystem: string;
  /** Name and FHIR base of the sandbox's server. */
  readonly server: string;
  readonly fhirPath: string;
  /** What the hospital has registered for the agency; absent: nobody has to sign in. */
  readonly client?: { readonly id: string; readonly scopes: readonly string[] };
}

// To read what clients are found by, to know where to file, and to file documents.
const scopes = [
  ...['Patient', 'Encounter', 'CarePlan', 'Goal', 'Condition', 'ServiceRequest'].map((type) => `system/${type}.rs`),
  'system/Binary.r',
];

export const places: Readonly<Record<PlaceName, Place>> = {
  exchange: {
    connection: 'exchange',
    name: 'Larch County Community Exchange',
    like: 'as the specification says',
    organizationId: 'org-exchange',
    mrnSystem: 'https://exchange.example.org/medical-record-number',
    server: 'standard',
    fhirPath: '/standard/fhir/R4',
  },
  larchValley: {
    connection: 'larch-valley',
    name: 'Larch Valley Hospital',
    like: 'Epic-like',
    organizationId: 'org-hospital',
    mrnSystem: 'urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.14',
    server: 'epic',
    fhirPath: '/epic/api/FHIR/R4',
    client: {
      id: 'casebridge-at-larch-valley',
      scopes: [...scopes, 'system/Task.rsu', 'system/DocumentReference.crs'],
    },
  },
  stBrigid: {
    connection: 'st-brigid',
    name: 'St. Brigid Medical Center',
    like: 'Oracle-like',
    organizationId: 'org-brigid',
    mrnSystem: 'urn:oid:2.16.840.1.113883.3.9999.2.1',
    server: 'oracle',
    fhirPath: '/oracle/r4/7f1c2a5e-4d0b-4f3a-9c56-2b8e6f0d1a34',
    client: { id: 'casebridge-at-st-brigid', scopes: [...scopes, 'system/DocumentReference.crus'] },
  },
};

export const placeNames = ['exchange', 'larchValley', 'stBrigid'] as const;
export type PlaceName = (typeof placeNames)[number];

export const hospitalNames = ['larchValley', 'stBrigid'] as const satisfies readonly PlaceName[];
export type HospitalName = (typeof hospitalNames)[number];
