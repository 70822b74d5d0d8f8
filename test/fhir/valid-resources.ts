// One invented resource for each profile, as small as the profile allows and a little more.

import type { JsonObject } from '../../src/json.ts';

const usCoreCategory = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category';
const temporaryCodes = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
const appointmentContact =
  'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionHealthcareServiceTelecomAppointment';

const identifier = [{ system: 'https://agency.example.org/casebridge', value: 'county/client/c-1#patient' }];
const patient = { reference: 'Patient/p1' };

function concept(system: string, code: string): JsonObject {
  return { coding: [{ system, code }] };
}

const location: JsonObject = {
  resourceType: 'Location',
  name: 'Riverside Pantry',
  status: 'active',
  address: { line: ['12 Mill Lane'], city: 'Marlow', state: 'NY', postalCode: '10001' },
};

const role: JsonObject = {
  resourceType: 'PractitionerRole',
  practitioner: { reference: 'Practitioner/w1' },
  organization: { reference: 'Organization/o1' },
  telecom: [{ system: 'phone', value: '555-0100', use: 'work' }],
};

const condition: JsonObject = {
  resourceType: 'Condition',
  clinicalStatus: concept('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active'),
  verificationStatus: concept('http://terminology.hl7.org/CodeSystem/condition-ver-status', 'confirmed'),
  category: [
    concept('http://hl7.org/fhir/us/core/CodeSystem/condition-category', 'health-concern'),
    concept(usCoreCategory, 'sdoh'),
    concept(temporaryCodes, 'food-insecurity'),
  ],
  code: concept('http://snomed.info/sct', '733423003'),
  subject: patient,
  onsetDateTime: '2026-01-05',
};

const goal: JsonObject = {
  resourceType: 'Goal',
  lifecycleStatus: 'active',
  description: { text: 'Food for the whole month' },
  category: [concept(temporaryCodes, 'food-insecurity')],
  subject: patient,
  startDate: '2026-01-06',
  target: [{ dueDate: '2026-06-30' }],
};

const request: JsonObject = {
  resourceType: 'ServiceRequest',
  status: 'active',
  intent: 'order',
  category: [concept(usCoreCategory, 'sdoh'), concept(temporaryCodes, 'food-insecurity')],
  code: concept('http://snomed.info/sct', '467771000124109'),
  subject: patient,
  occurrencePeriod: { start: '2026-01-07', end: '2026-02-07' },
  authoredOn: '2026-01-06T09:00:00-05:00',
  requester: { reference: 'PractitionerRole/r1' },
  performer: [{ reference: 'Organization/o2' }],
};

/** By profile id. */
export const validResources = {
  'us-core-patient': {
    resourceType: 'Patient',
    identifier,
    name: [{ family: 'Alder', given: ['Mina'] }],
    gender: 'female',
    birthDate: '1984-02-29',
    telecom: [{ system: 'phone', value: '555-0101', use: 'mobile' }],
    extension: [
      {
        url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
        extension: [
          { url: 'ombCategory', valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code: '2106-3' } },
          { url: 'text', valueString: 'White' },
        ],
      },
    ],
  },
  'us-core-organization': {
    resourceType: 'Organization',
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }],
    active: true,
    name: 'Marlow Community Services',
  },
  'us-core-practitioner': {
    resourceType: 'Practitioner',
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }],
    name: [{ family: 'Birch', given: ['Tom'] }],
  },
  'us-core-practitionerrole': role,
  'SDOHCC-practitionerrole': role,
  'SDOHCC-HealthcareService': {
    resourceType: 'HealthcareService',
    active: true,
    name: 'Food parcels',
    telecom: [
      {
        system: 'phone',
        value: '555-0102',
        extension: [
          {
            url: appointmentContact,
            valueBoolean: true,
          },
        ],
      },
    ],
  },
  'SDOHCC-Location': location,
  'us-core-location': location,
  'SDOHCC-Condition': condition,
  'us-core-condition-problems-health-concerns': condition,
  'SDOHCC-Goal': goal,
  'us-core-goal': goal,
  'us-core-careplan': {
    resourceType: 'CarePlan',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Plan for January</div>' },
    status: 'active',
    intent: 'plan',
    category: [concept('http://hl7.org/fhir/us/core/CodeSystem/careplan-category', 'assess-plan')],
    subject: patient,
    goal: [{ reference: 'Goal/g1' }],
    activity: [{ reference: { reference: 'ServiceRequest/s1' } }],
  },
  'us-core-careteam': {
    resourceType: 'CareTeam',
    status: 'active',
    subject: patient,
    participant: [{ role: [concept('http://snomed.info/sct', '768820003')], member: { reference: 'Practitioner/w1' } }],
  },
  'SDOHCC-ServiceRequest': request,
  'us-core-servicerequest': request,
  'SDOHCC-TaskForReferralManagement': {
    resourceType: 'Task',
    status: 'completed',
    intent: 'order',
    code: concept('http://hl7.org/fhir/CodeSystem/task-code', 'fulfill'),
    focus: { reference: 'ServiceRequest/s1' },
    for: patient,
    authoredOn: '2026-01-06T09:00:00-05:00',
    lastModified: '2026-01-09T10:00:00-05:00',
    requester: { reference: 'Organization/o1' },
    owner: { reference: 'Organization/o2' },
    output: [
      { type: concept(temporaryCodes, 'resulting-activity'), valueReference: { reference: 'Procedure/x1' } },
      {
        type: concept(temporaryCodes, 'resulting-activity'),
        valueCodeableConcept: concept('http://snomed.info/sct', '467771000124109'),
      },
    ],
  },
  'SDOHCC-Consent': {
    resourceType: 'Consent',
    status: 'active',
    scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    category: [concept('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'IDSCL')],
    patient,
    dateTime: '2026-01-05',
    organization: [{ reference: 'Organization/o1' }],
    sourceAttachment: { title: 'Signed release' },
    policyRule: concept('http://terminology.hl7.org/CodeSystem/consentpolicycodes', 'hipaa-auth'),
  },
} as const satisfies Record<string, JsonObject>;

export type ProfileId = keyof typeof validResources;

/** The resource with these members instead; `undefined` takes one away. */
export function changed(resource: JsonObject, members: { [name: string]: JsonObject[string] | undefined }): JsonObject {
  const result: JsonObject = {};
  for (const [name, value] of Object.entries({ ...resource, ...members })) {
    if (value !== undefined) {
      result[name] = value;
    }
  }
  return result;
}
