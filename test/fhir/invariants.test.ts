// Invariants that our own resources seldom come near: each with what keeps it and what breaks it.

import { describe, expect, test } from '@jest/globals';
import { checkBase } from '../../src/fhir/fhir.ts';
import { profileInvariants } from '../../src/fhir/profile-invariants.ts';
import type { JsonObject } from '../../src/json.ts';

const sdoh = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
const sdc = 'http://hl7.org/fhir/uv/sdc/CodeSystem/temp';
const otherSubject = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.subject';
const concept = (system: string, code: string) => ({ coding: [{ system, code }] });
const loinc = (code: string) => concept('http://loinc.org', code);
const part = (system: string, code: string) => ({ type: concept(system, code), valueString: 'x' });
const masked = concept('http://terminology.hl7.org/CodeSystem/data-absent-reason', 'masked');
const subject = { reference: 'Patient/1' };
const answer = [{ valueString: 'yes' }];

const ask = { code: concept(sdc, 'complete-questionnaire') };
const category = part(sdoh, 'questionnaire-category');
const contact = { code: concept(sdoh, 'make-contact'), description: 'Choose one.' };
const information = { code: concept(sdoh, 'general-information'), description: 'Which one?' };
const review = { code: concept(sdoh, 'review-material') };

test.each<[type: string, key: string, kept: JsonObject, broken: JsonObject]>([
  [
    'Observation',
    'us-core-4',
    { valueCodeableConcept: concept('http://snomed.info/sct', '1') },
    { valueCodeableConcept: loinc('1') },
  ],
  [
    'Observation',
    'us-core-22',
    { low: { value: 1, system: 'http://unitsofmeasure.org' } },
    { high: { value: 1, system: 'urn:x' } },
  ],
  [
    'Observation',
    'us-core-24',
    { code: loinc('72166-2'), valueCodeableConcept: loinc('1') },
    { code: loinc('72166-2'), valueString: 'x' },
  ],
  [
    'Observation',
    'us-core-25',
    { code: loinc('401201003'), valueQuantity: { value: 1 } },
    { code: loinc('401201003'), valueString: 'x' },
  ],
  ['Observation', 'us-core-26', { dataAbsentReason: masked }, { code: loinc('1') }],
  ['Observation', 'SDOH-Obs-1', { subject }, { subject, extension: [{ url: otherSubject, valueReference: subject }] }],
  ['Observation', 'SDOH-Obs-2', { focus: [subject], subject }, { focus: [subject] }],
  ['Observation', 'SDOH-Obs-3', { derivedFrom: [{ reference: 'Observation/1' }] }, { subject }],
  [
    'Observation',
    'SDOH-Ethnicity-1',
    { component: [{ code: loinc('69490-1') }] },
    { component: [{ code: loinc('72826-1') }] },
  ],
  [
    'Observation',
    'SDOH-Race-1',
    { dataAbsentReason: masked },
    { dataAbsentReason: masked, component: [{ code: loinc('72826-1') }] },
  ],
  ['QuestionnaireResponse', 'sdcqr-1', { subject }, { status: 'completed' }],
  [
    'QuestionnaireResponse',
    'sdcqr-2',
    { item: [{ linkId: '1', answer }, { linkId: '1' }, { linkId: '2', item: [{ linkId: '1', answer }] }] },
    {
      item: [
        {
          linkId: '2',
          item: [
            { linkId: '1', answer },
            { linkId: '1', answer },
          ],
        },
      ],
    },
  ],
  [
    'QuestionnaireResponse',
    'sdcqr-2',
    { item: [{ linkId: '1', answer: [{ valueString: 'x', item: [{ linkId: '3', answer }] }] }] },
    {
      item: [
        {
          linkId: '1',
          answer: [
            {
              valueString: 'x',
              item: [
                { linkId: '3', answer },
                { linkId: '3', answer },
              ],
            },
          ],
        },
      ],
    },
  ],
  [
    'Task',
    'SDOH-Task-1',
    { ...ask, input: [part(sdoh, 'questionnaire-pdf'), category] },
    { ...ask, input: [category] },
  ],
  ['Task', 'SDOH-Task-1', { code: concept(sdoh, 'make-contact') }, { ...ask, input: [part(sdc, 'questionnaire')] }],
  [
    'Task',
    'SDOH-Task-2',
    { ...information, output: [part(sdoh, 'general-information-response')] },
    { ...information, output: [part(sdoh, 'chosen-contact')] },
  ],
  ['Task', 'SDOH-Task-2', information, { code: information.code }],
  [
    'Task',
    'SDOH-Task-3',
    { ...review, focus: { reference: 'DocumentReference/1' } },
    { ...review, focus: { reference: 'Task/1' } },
  ],
  ['Task', 'SDOH-Task-4', { ...contact, input: [part(sdoh, 'contact-entity')] }, contact],
  [
    'Task',
    'SDOH-Task-5',
    { input: [part(sdc, 'questionnaire')] },
    { input: [part(sdc, 'questionnaire')], output: [part(sdoh, 'chosen-contact')] },
  ],
  [
    'Task',
    'SDOH-Task-6',
    { input: [part(sdc, 'questionnaire-pdf')], output: [part(sdc, 'questionnaire-pdf-completed')] },
    { input: [part(sdc, 'questionnaire-pdf')], output: [part(sdc, 'questionnaire-response')] },
  ],
  [
    'Task',
    'SDOH-Task-7',
    { ...contact, output: [part(sdoh, 'chosen-contact')] },
    { ...contact, output: [part(sdoh, 'general-information-response')] },
  ],
])('%s %s', (type, key, kept, broken) => {
  const invariant = profileInvariants[type]?.find((candidate) => candidate.key === key);
  expect({ kept: invariant?.holds(kept, kept), broken: invariant?.holds(broken, broken) }).toEqual({
    kept: true,
    broken: false,
  });
});

describe('a narrative', () => {
  const div = (inner: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`;
  const rulesBroken = (text: string) =>
    checkBase({ resourceType: 'Location', text: { status: 'generated', div: text } }).map(
      ({ rule, path }) => `${rule} at ${path}`,
    );

  test.each([
    ['a table', '<table class="grid"><tr><td colspan="2">Food &amp; rent<br/></td></tr></table>'],
    ['an image alone', '<img src="#photo" alt=""/>'],
    ['a comment', '<!-- <script> --><p>x</p>'],
    ['text with a sign', '<p>5 > 3</p>'],
  ])('may hold %s', (_what, inner) => {
    expect(rulesBroken(div(inner))).toEqual([]);
  });

  test.each([
    ['a script', '<script>x</script>'],
    ['a form', '<form>Name<input value="x"/></form>'],
    ['a frame', '<iframe src="urn:x">x</iframe>'],
    ['an event', '<p onclick="x">x</p>'],
    ['an element that is not closed', '<p>x<br></p>'],
    ['elements that overlap', '<b><i>x</b></i>'],
    ['an attribute without quotes', '<p class=x>x</p>'],
    ['a declaration', '<!DOCTYPE html><p>x</p>'],
  ])('may not hold %s', (_what, inner) => {
    expect(rulesBroken(div(inner))).toEqual(['txt-1 at Location.text']);
  });

  test('must say something', () => {
    expect(rulesBroken(div('<p> </p>'))).toEqual(['txt-2 at Location.text']);
  });

  test('of a megabyte is read at once', () => {
    expect(rulesBroken(div('<p>food</p>'.repeat(90_000)))).toEqual([]);
    expect(rulesBroken(div('<'.repeat(1_000_000)))).toEqual(['txt-1 at Location.text']);
  });
});
