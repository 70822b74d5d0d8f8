// Base R4: what is no valid resource is refused with the rule and the place; what R4 allows is let pass.

import { expect, test } from '@jest/globals';
import { checkBase } from '../../src/fhir/fhir.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import { changed, validResources } from './valid-resources.ts';

type Change = { [name: string]: Json | undefined };

const patient = validResources['us-core-patient'];
const task = validResources['SDOHCC-TaskForReferralManagement'];
const request = validResources['SDOHCC-ServiceRequest'];
const condition = validResources['SDOHCC-Condition'];
const goal = validResources['SDOHCC-Goal'];
const plan = validResources['us-core-careplan'];
const consent = validResources['SDOHCC-Consent'];
const clinical = (code: string): JsonObject => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code }],
});
const verification = (code: string): JsonObject => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code }],
});

const refused: [what: string, resource: JsonObject, change: Change, rule: string, path: string][] = [
  ['an unknown element', patient, { birthdate: '1984-02-29' }, 'unknown-element', 'Patient.birthdate'],
  [
    'an unknown element in a datatype',
    patient,
    { name: [{ last: 'Alder' }] },
    'unknown-element',
    'Patient.name[0].last',
  ],
  [
    'an unknown element in a backbone',
    plan,
    { activity: [{ details: {} }] },
    'unknown-element',
    'CarePlan.activity[0].details',
  ],
  ['a choice by its definition name', goal, { start: '2026-01-06' }, 'unknown-element', 'Goal.start'],
  [
    'two types of one choice',
    goal,
    { startCodeableConcept: { text: 'x' } },
    'cardinality',
    'Goal.startCodeableConcept',
  ],
  ['one value where a list belongs', patient, { name: { family: 'Alder' } }, 'type', 'Patient.name'],
  ['a list where one value belongs', patient, { birthDate: ['1984-02-29'] }, 'type', 'Patient.birthDate'],
  ['a text where an object belongs', patient, { name: ['Alder'] }, 'type', 'Patient.name[0]'],
  ['null', patient, { birthDate: null }, 'type', 'Patient.birthDate'],
  ['a day that no calendar has', patient, { birthDate: '1983-02-29' }, 'type', 'Patient.birthDate'],
  ['a date with time', patient, { birthDate: '1984-02-29T00:00:00Z' }, 'type', 'Patient.birthDate'],
  ['a time without zone', task, { authoredOn: '2026-01-06T09:00:00' }, 'type', 'Task.authoredOn'],
  ['a time without seconds', task, { authoredOn: '2026-01-06T09:00Z' }, 'type', 'Task.authoredOn'],
  ['an instant that is a date', task, { meta: { lastUpdated: '2026-01-06' } }, 'type', 'Task.meta.lastUpdated'],
  [
    'a number as text',
    plan,
    { activity: [{ detail: { status: 'scheduled', dailyAmount: { value: '1' } } }] },
    'type',
    'CarePlan.activity[0].detail.dailyAmount.value',
  ],
  ['true as text', patient, { active: 'true' }, 'type', 'Patient.active'],
  ['an id with a slash', patient, { id: 'a/b' }, 'type', 'Patient.id'],
  ['an id of 65 characters', patient, { id: 'a'.repeat(65) }, 'type', 'Patient.id'],
  ['a uri with a space', patient, { identifier: [{ system: 'urn: x' }] }, 'type', 'Patient.identifier[0].system'],
  ['a code with a space at its end', plan, { status: 'active ' }, 'type', 'CarePlan.status'],
  [
    'a whole number with a fraction',
    request,
    { occurrencePeriod: undefined, occurrenceTiming: { repeat: { count: 1.5 } } },
    'type',
    'ServiceRequest.occurrenceTiming.repeat.count',
  ],
  [
    'base64 with a padding inside',
    consent,
    { sourceAttachment: { contentType: 'text/plain', data: 'aGk=aGk=' } },
    'type',
    'Consent.sourceAttachment.data',
  ],
  ['a control character', patient, { name: [{ family: 'Al\u0000der' }] }, 'type', 'Patient.name[0].family'],
  ['an empty text', patient, { name: [{ family: '' }] }, 'type', 'Patient.name[0].family'],
  ['a blank text', patient, { name: [{ family: ' ' }] }, 'type', 'Patient.name[0].family'],
  ['an empty list', patient, { name: [] }, 'empty', 'Patient.name'],
  ['an empty object', patient, { name: [{}] }, 'empty', 'Patient.name[0]'],
  ['a required element missing', task, { status: undefined }, 'cardinality', 'Task.status'],
  [
    'a required element missing in a backbone',
    task,
    { output: [{ valueString: 'x' }] },
    'cardinality',
    'Task.output[0].type',
  ],
  ['a required choice missing', task, { output: [{ type: { text: 'x' } }] }, 'cardinality', 'Task.output[0].value[x]'],
  ['a code outside the required set', task, { status: 'done' }, 'required-binding', 'Task.status'],
  [
    'a concept outside the required set',
    condition,
    { clinicalStatus: clinical('better') },
    'required-binding',
    'Condition.clinicalStatus',
  ],
  [
    'a concept of another system',
    condition,
    { clinicalStatus: { coding: [{ system: 'urn:x', code: 'active' }] } },
    'required-binding',
    'Condition.clinicalStatus',
  ],
  [
    'a concept as text alone where a code is required',
    condition,
    { clinicalStatus: { text: 'active' } },
    'required-binding',
    'Condition.clinicalStatus',
  ],
  [
    'a reference to another type',
    condition,
    { subject: { reference: 'Practitioner/w1' } },
    'reference-target',
    'Condition.subject',
  ],
  [
    'a reference by full URL to another type',
    condition,
    { subject: { reference: 'https://fhir.example.org/r4/Practitioner/w1' } },
    'reference-target',
    'Condition.subject',
  ],
  [
    'a reference that states another type',
    condition,
    { subject: { type: 'Practitioner', display: 'x' } },
    'reference-target',
    'Condition.subject',
  ],
  ['a local reference to nothing', condition, { subject: { reference: '#p' } }, 'ref-1', 'Condition.subject'],
  [
    'a contained resource that nothing names',
    task,
    { contained: [{ resourceType: 'Patient', id: 'p' }] },
    'dom-3',
    'Task',
  ],
  [
    'an error inside a contained resource',
    task,
    { contained: [{ resourceType: 'Patient', id: 'p', sex: 'x' }] },
    'unknown-element',
    'Task.contained[0].sex',
  ],
  [
    'an error beside a primitive',
    patient,
    { _birthDate: { extension: [{ valueCode: 'unknown' }] } },
    'cardinality',
    'Patient._birthDate.extension[0].url',
  ],
  [
    'an extension with neither value nor extensions',
    patient,
    { extension: [{ url: 'https://x.example.org' }] },
    'ext-1',
    'Patient.extension[0]',
  ],
  ['a telecom value without system', patient, { telecom: [{ value: '555' }] }, 'cpt-2', 'Patient.telecom[0]'],
  [
    'a period that ends before it starts',
    request,
    { occurrencePeriod: { start: '2026-02-07', end: '2026-01-07' } },
    'per-1',
    'ServiceRequest.occurrencePeriod',
  ],
  ['an abated condition that is active', condition, { abatementDateTime: '2026-02-01' }, 'con-4', 'Condition'],
  [
    'a clinical status on an error',
    condition,
    { verificationStatus: verification('entered-in-error') },
    'con-5',
    'Condition',
  ],
  ['a target detail without measure', goal, { target: [{ detailString: 'x' }] }, 'gol-1', 'Goal.target[0]'],
  [
    'an activity with both detail and reference',
    plan,
    { activity: [{ reference: { display: 'x' }, detail: { status: 'scheduled' } }] },
    'cpl-3',
    'CarePlan.activity[0]',
  ],
  ['a consent without policy', consent, { policyRule: undefined }, 'ppc-1', 'Consent'],
  [
    'a task changed days before it was written, by a date without zone',
    task,
    { authoredOn: '2026-01-08T01:00:00Z', lastModified: '2026-01-05' },
    'inv-1',
    'Task',
  ],
  ['a task changed before it was written', task, { lastModified: '2025-12-31T10:00:00Z' }, 'inv-1', 'Task'],
  [
    'order details without a code',
    request,
    { code: undefined, orderDetail: [{ text: 'x' }] },
    'prr-1',
    'ServiceRequest',
  ],
  [
    'an organization without name and identifier',
    validResources['us-core-organization'],
    { name: undefined, identifier: undefined },
    'org-1',
    'Organization',
  ],
  [
    'a home address of an organization',
    validResources['us-core-organization'],
    { address: [{ use: 'home', city: 'x' }] },
    'org-2',
    'Organization.address[0]',
  ],
  [
    'a team member acting for another though no practitioner',
    validResources['us-core-careteam'],
    { participant: [{ member: { reference: 'Patient/p1' }, onBehalfOf: { reference: 'Organization/o1' } }] },
    'ctm-1',
    'CareTeam.participant[0]',
  ],
];

test.each(refused)('refuses %s', (_what, resource, change, rule, path) => {
  expect(checkBase(resource)).toEqual([]);
  const issues = checkBase(changed(resource, change));
  expect(issues.map((issue) => [issue.severity, issue.rule, issue.path])).toContainEqual(['error', rule, path]);
});

const allowed: [what: string, resource: JsonObject, change: Change][] = [
  [
    'a change on a date that, west of Greenwich, had not ended',
    task,
    { authoredOn: '2026-01-06T01:00:00Z', lastModified: '2026-01-05' },
  ],
  [
    'a required element that has only an extension',
    task,
    { status: undefined, _status: { extension: [{ url: 'https://x.example.org', valueCode: 'x' }] } },
  ],
  [
    'a null that keeps the place of an extension',
    patient,
    { name: [{ given: ['Mina', null], _given: [null, { id: 'x' }] }] },
  ],
  ['a year as date, a month as dateTime', condition, { onsetDateTime: '2026-01' }],
  [
    'a contained resource that is named',
    condition,
    { contained: [{ resourceType: 'Patient', id: 'p' }], subject: { reference: '#p' } },
  ],
  ['a reference by identifier', condition, { subject: { identifier: { value: 'x' } } }],
  ['a reference by urn:uuid', condition, { subject: { reference: 'urn:uuid:00000000-0000-4000-8000-000000000000' } }],
  [
    'a task changed on the day it was written, by a coarser date',
    task,
    { authoredOn: '2026-01-06', lastModified: '2026-01-06T01:00:00Z' },
  ],
  ['an extension that nobody knows', patient, { extension: [{ url: 'https://x.example.org', valueString: 'x' }] }],
  ['abated and resolved', condition, { abatementDateTime: '2026-02-01', clinicalStatus: clinical('resolved') }],
];

test.each(allowed)('allows %s', (_what, resource, change) => {
  expect(checkBase(changed(resource, change))).toEqual([]);
});

test('an unknown element comes with the nearest name', () => {
  const [issue] = checkBase(changed(patient, { birthdate: '1984-02-29' }));
  expect(issue?.message).toBe('Patient has no such element. Did you mean "birthDate"?');
});

test('a problem list item without clinical status is a warning, as R4 says', () => {
  const category = [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] },
  ];
  expect(checkBase(changed(condition, { clinicalStatus: undefined, category }))).toMatchObject([
    { rule: 'con-3', severity: 'warning' },
  ]);
});

test('what is no resource is refused, whatever it is called', () => {
  const none: JsonObject[] = [{}, { resourceType: 'Pacient' }, { resourceType: 'constructor' }, { resourceType: 7 }];
  for (const resource of none) {
    expect(checkBase(resource)).toMatchObject([{ rule: 'resource-type', severity: 'error' }]);
  }
});

test('a resource type whose elements are not known is not passed in silence', () => {
  expect(checkBase({ resourceType: 'Specimen' })).toMatchObject([{ rule: 'not-checked', severity: 'warning' }]);
});

test('names that every object has are no elements', () => {
  const hostile: JsonObject = JSON.parse('{"resourceType":"Patient","__proto__":{"a":1},"constructor":1,"toString":2}');
  expect(checkBase(hostile).map(({ path }) => path)).toEqual([
    'Patient.__proto__',
    'Patient.constructor',
    'Patient.toString',
  ]);
});
