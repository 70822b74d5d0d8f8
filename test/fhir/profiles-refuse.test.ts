// Each rule of the profiles that our records map to: break it, and the check names the rule and the place.

import { expect, test } from '@jest/globals';
import { checkBase, checkProfile } from '../../src/fhir/fhir.ts';
import type { JsonObject } from '../../src/json.ts';
import { changed, type ProfileId, validResources } from './valid-resources.ts';

type Change = { [name: string]: JsonObject[string] | undefined };

const conditionCategory = 'http://terminology.hl7.org/CodeSystem/condition-category';
const temporaryCodes = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
const sdoh = { coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category', code: 'sdoh' }] };
const healthConcern = {
  coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/condition-category', code: 'health-concern' }],
};
const resulting = { coding: [{ system: temporaryCodes, code: 'resulting-activity' }] };
const absent = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' };
const asserter = {
  url: 'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionConditionAsserter',
  valueReference: { reference: 'Device/d1' },
};
const race = (...extension: JsonObject[]): Change => ({
  extension: [{ url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race', extension }],
});
const omb = (code: string): JsonObject => ({
  url: 'ombCategory',
  valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code },
});

const rows: [profile: ProfileId, broken: string, change: Change, rule: string, path: string][] = [
  ['us-core-patient', 'no identifier', { identifier: undefined }, 'cardinality', 'Patient.identifier'],
  [
    'us-core-patient',
    'identifier without system',
    { identifier: [{ value: 'x' }] },
    'cardinality',
    'Patient.identifier[0].system',
  ],
  ['us-core-patient', 'no name', { name: undefined }, 'cardinality', 'Patient.name'],
  ['us-core-patient', 'no gender', { gender: undefined }, 'cardinality', 'Patient.gender'],
  [
    'us-core-patient',
    'telecom without value',
    { telecom: [{ system: 'phone' }] },
    'cardinality',
    'Patient.telecom[0].value',
  ],
  ['us-core-patient', 'name without parts', { name: [{ use: 'official' }] }, 'us-core-6', 'Patient.name[0]'],
  [
    'us-core-patient',
    'name that is there and absent',
    { name: [{ family: 'Alder', extension: [absent] }] },
    'us-core-6',
    'Patient.name[0]',
  ],
  ['us-core-patient', 'race without text', race(omb('2106-3')), 'cardinality', 'Patient.extension[0].extension'],
  [
    'us-core-patient',
    'race unknown and known',
    race(omb('UNK'), omb('2106-3'), { url: 'text', valueString: 'x' }),
    'us-core-23',
    'Patient.extension[0]',
  ],
  ['us-core-organization', 'no active', { active: undefined }, 'cardinality', 'Organization.active'],
  [
    'us-core-organization',
    'NPI of 9 digits',
    { identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '123456789' }] },
    'us-core-16',
    'Organization.identifier[0]',
  ],
  [
    'us-core-organization',
    'NPI with a wrong check digit',
    { identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567890' }] },
    'us-core-17',
    'Organization.identifier[0]',
  ],
  [
    'us-core-organization',
    'CLIA of another form',
    { identifier: [{ system: 'urn:oid:2.16.840.1.113883.4.7', value: '12X' }] },
    'us-core-18',
    'Organization.identifier[0]',
  ],
  [
    'us-core-organization',
    'NAIC of another form',
    { identifier: [{ system: 'urn:oid:2.16.840.1.113883.6.300', value: '1' }] },
    'us-core-19',
    'Organization.identifier[0]',
  ],
  [
    'us-core-organization',
    'five address lines',
    { address: [{ line: ['1', '2', '3', '4', '5'] }] },
    'cardinality',
    'Organization.address[0].line',
  ],
  [
    'us-core-practitioner',
    'no family name',
    { name: [{ given: ['Tom'] }] },
    'cardinality',
    'Practitioner.name[0].family',
  ],
  [
    'us-core-practitioner',
    'NPI with a wrong check digit',
    { identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567890' }] },
    'us-core-17',
    'Practitioner.identifier[0]',
  ],
  ['us-core-practitionerrole', 'neither telecom nor endpoint', { telecom: undefined }, 'pd-1', 'PractitionerRole'],
  [
    'us-core-practitionerrole',
    'nobody and nowhere',
    { practitioner: undefined, organization: undefined },
    'us-core-13',
    'PractitionerRole',
  ],
  [
    'SDOHCC-practitionerrole',
    'no organization',
    { organization: undefined },
    'cardinality',
    'PractitionerRole.organization',
  ],
  ['SDOHCC-HealthcareService', 'inactive', { active: false }, 'fixed', 'HealthcareService.active'],
  [
    'SDOHCC-HealthcareService',
    'telecom not for appointments',
    { telecom: [{ system: 'phone', value: '555-0102' }] },
    'cardinality',
    'HealthcareService.telecom',
  ],
  ['SDOHCC-Location', 'no address', { address: undefined }, 'cardinality', 'Location.address'],
  ['us-core-location', 'no name', { name: undefined }, 'cardinality', 'Location.name'],
  ['SDOHCC-Condition', 'one category only', { category: [sdoh] }, 'cardinality', 'Condition.category'],
  ['SDOHCC-Condition', 'not sdoh', { category: [healthConcern, { text: 'food' }] }, 'SDOH-Con-3', 'Condition'],
  [
    'SDOHCC-Condition',
    'neither diagnosis, problem nor concern',
    { category: [sdoh, { text: 'food' }] },
    'SDOH-Con-2',
    'Condition',
  ],
  [
    'SDOHCC-Condition',
    'two asserters',
    { asserter: { reference: 'Patient/p1' }, extension: [asserter] },
    'SDOH-Con-1',
    'Condition',
  ],
  ['SDOHCC-Condition', 'code as text alone', { code: { text: 'hungry' } }, 'required-binding', 'Condition.code'],
  [
    'SDOHCC-Condition',
    'code of another system',
    { code: { coding: [{ system: 'http://loinc.org', code: '1-8' }] } },
    'required-binding',
    'Condition.code',
  ],
  [
    'SDOHCC-Condition',
    'about a group',
    { subject: { reference: 'Group/g1' } },
    'reference-target',
    'Condition.subject',
  ],
  [
    'SDOHCC-Condition',
    'onset as text',
    { onsetDateTime: undefined, onsetString: 'last winter' },
    'type',
    'Condition.onsetString',
  ],
  ['SDOHCC-Condition', 'body site', { bodySite: [{ text: 'x' }] }, 'cardinality', 'Condition.bodySite'],
  [
    'us-core-condition-problems-health-concerns',
    'encounter diagnosis',
    { category: [{ coding: [{ system: conditionCategory, code: 'encounter-diagnosis' }] }] },
    'cardinality',
    'Condition.category',
  ],
  ['SDOHCC-Goal', 'for a group', { subject: { reference: 'Group/g1' } }, 'reference-target', 'Goal.subject'],
  ['us-core-careplan', 'not assess-plan', { category: [{ text: 'Plan' }] }, 'cardinality', 'CarePlan.category'],
  [
    'us-core-careplan',
    'narrative status outside the set',
    { text: { status: 'empty', div: '<div>x</div>' } },
    'required-binding',
    'CarePlan.text.status',
  ],
  [
    'us-core-careteam',
    'participant without role',
    { participant: [{ member: { reference: 'Practitioner/w1' } }] },
    'cardinality',
    'CareTeam.participant[0].role',
  ],
  ['us-core-careteam', 'nobody in it', { participant: undefined }, 'cardinality', 'CareTeam.participant'],
  [
    'SDOHCC-ServiceRequest',
    'code as text alone',
    { code: { text: 'food' } },
    'required-binding',
    'ServiceRequest.code',
  ],
  ['SDOHCC-ServiceRequest', 'body site', { bodySite: [{ text: 'x' }] }, 'cardinality', 'ServiceRequest.bodySite'],
  ['us-core-servicerequest', 'no code', { code: undefined }, 'cardinality', 'ServiceRequest.code'],
  ['SDOHCC-TaskForReferralManagement', 'status ready', { status: 'ready' }, 'required-binding', 'Task.status'],
  ['SDOHCC-TaskForReferralManagement', 'status received', { status: 'received' }, 'required-binding', 'Task.status'],
  ['SDOHCC-TaskForReferralManagement', 'intent plan', { intent: 'plan' }, 'fixed', 'Task.intent'],
  [
    'SDOHCC-TaskForReferralManagement',
    'another code',
    { code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'approve' }] } },
    'pattern',
    'Task.code',
  ],
  [
    'SDOHCC-TaskForReferralManagement',
    'reason without text',
    { statusReason: { coding: [{ code: 'x' }] } },
    'cardinality',
    'Task.statusReason.text',
  ],
  [
    'SDOHCC-TaskForReferralManagement',
    'requester is a Practitioner',
    { requester: { reference: 'Practitioner/w1' } },
    'reference-target',
    'Task.requester',
  ],
  ['SDOHCC-TaskForReferralManagement', 'no focus', { focus: undefined }, 'cardinality', 'Task.focus'],
  [
    'SDOHCC-TaskForReferralManagement',
    'output names an Observation',
    { output: [{ type: resulting, valueReference: { reference: 'Observation/x' } }] },
    'reference-target',
    'Task.output[0].valueReference',
  ],
  [
    'SDOHCC-TaskForReferralManagement',
    'output code as text alone',
    { output: [{ type: resulting, valueCodeableConcept: { text: 'parcel' } }] },
    'required-binding',
    'Task.output[0].valueCodeableConcept',
  ],
  ['SDOHCC-Consent', 'another category', { category: [{ text: 'release' }] }, 'cardinality', 'Consent.category'],
  ['SDOHCC-Consent', 'no source', { sourceAttachment: undefined }, 'cardinality', 'Consent.source[x]'],
  [
    'SDOHCC-Consent',
    'two organizations',
    { organization: [{ reference: 'Organization/a' }, { reference: 'Organization/b' }] },
    'cardinality',
    'Consent.organization',
  ],
];

test.each(rows)('%s refuses: %s', (profile, _broken, change, rule, path) => {
  const broken = changed(validResources[profile], change);
  expect(checkBase(broken)).toEqual([]);
  const issues = checkProfile(broken, profile);
  expect(issues.map((issue) => [issue.severity, issue.rule, issue.path, issue.profile])).toContainEqual([
    'error',
    rule,
    path,
    profile,
  ]);
});

test('an unknown profile, and a profile of another type, are issues and no exceptions', () => {
  expect(checkProfile({ resourceType: 'Task' }, 'no-such-profile')).toMatchObject([{ rule: 'profile' }]);
  expect(checkProfile({ resourceType: 'Task' }, 'us-core-patient')).toMatchObject([{ rule: 'profile', path: 'Task' }]);
});

test('a profile of a type whose elements are not known is not passed in silence', () => {
  expect(checkProfile({ resourceType: 'Specimen' }, 'us-core-specimen')).toMatchObject([
    { rule: 'profile', severity: 'error' },
  ]);
});

test('messages hold no values of the resource', () => {
  const secret = changed(validResources['us-core-patient'], {
    gender: 'secret-value',
    birthDate: 'secret-value',
    address: [{ secret: 'secret-value' }],
  });
  const issues = [...checkBase(secret), ...checkProfile(secret, 'us-core-patient')];
  expect(issues.length).toBeGreaterThan(2);
  expect(JSON.stringify(issues)).not.toContain('secret-value');
});
