// The invariants of US Core and SDOH Clinical Care for the types that we make, written by hand.
// A key alone names no invariant (us-core-6 is one rule on Patient, another on DocumentReference): type and key together do.

import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import { type Invariant, rule } from './invariant.ts';
import { parseReference } from './references.ts';
import { codings, has, hasChoice, hasCoding, isOneOf, isText, items } from './values.ts';

const dataAbsentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
const usCoreCategory = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category';
const usCoreConditionCategory = 'http://hl7.org/fhir/us/core/CodeSystem/condition-category';
const conditionCategory = 'http://terminology.hl7.org/CodeSystem/condition-category';
const identifierType = 'http://terminology.hl7.org/CodeSystem/v2-0203';
const asserterDevice = 'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionConditionAsserter';
const otherSubject = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.subject';
const sdcTemporary = 'http://hl7.org/fhir/uv/sdc/CodeSystem/temp';
const sdohTemporary = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
const loinc = 'http://loinc.org';
const snomed = 'http://snomed.info/sct';
const ucum = 'http://unitsofmeasure.org';

const npi = [
  rule('us-core-16', 'an NPI has 10 digits', (it) => !isText(it.value) || /^\d{10}$/.test(it.value)),
  rule(
    'us-core-17',
    'the check digit of an NPI is right',
    (it) => !isText(it.value) || (/^\d{10}$/.test(it.value) && hasCheckDigit(it.value)),
  ),
];

/** By resource type. The place where a rule holds comes from the guide's facts. */
export const profileInvariants: Readonly<Record<string, readonly Invariant[]>> = {
  Condition: [
    rule(
      'SDOH-Con-1',
      'there is one asserter, a person or a device',
      (it) => extensions(it, asserterDevice).length + items(it.asserter).length <= 1,
    ),
    rule('SDOH-Con-2', 'one category is encounter-diagnosis, problem-list-item or health-concern', (it) =>
      items(it.category).some(
        (category) =>
          hasCoding(category, conditionCategory, ['encounter-diagnosis', 'problem-list-item']) ||
          hasCoding(category, usCoreConditionCategory, ['health-concern']),
      ),
    ),
    rule('SDOH-Con-3', 'one category is sdoh of US Core', hasSdohCategory),
  ],
  Coverage: [
    rule(
      'us-core-15',
      'there is a member id or a subscriberId',
      (it) =>
        has(it, 'subscriberId') ||
        items(it.identifier).some(
          (identifier) => isObject(identifier) && hasCoding(identifier.type, identifierType, ['MB']),
        ),
    ),
  ],
  DocumentReference: [rule('us-core-6', 'an attachment has url or data', (it) => has(it, 'url') || has(it, 'data'))],
  Extension: [
    rule('us-core-23', 'race "asked but unknown" or "unknown" stands alone', (it) => {
      const races = extensions(it, 'ombCategory');
      const isUnknown = races.some(
        ({ valueCoding }) => isObject(valueCoding) && isOneOf(valueCoding.code, ['ASKU', 'UNK']),
      );
      return !isUnknown || races.length === 1;
    }),
  ],
  Observation: [
    rule(
      'us-core-1',
      'the time has at least the day',
      (it) => !isText(it.effectiveDateTime) || it.effectiveDateTime.length >= 10,
    ),
    rule(
      'us-core-2',
      'there is a value or a dataAbsentReason, unless there are components or members',
      (it) => has(it, 'component') || has(it, 'hasMember') || has(it, 'dataAbsentReason') || hasChoice(it, 'value'),
    ),
    rule(
      'us-core-3',
      'a quantity is in UCUM',
      ({ valueQuantity }) => !isObject(valueQuantity) || isOneOf(valueQuantity.system ?? ucum, [ucum]),
    ),
    rule(
      'us-core-4',
      'a coded value is in SNOMED CT',
      (it) => {
        const systems = codings(it.valueCodeableConcept).map(({ system }) => system);
        return systems.every((system) => system === undefined) || systems.includes(snomed);
      },
      'warning',
    ),
    rule('us-core-22', 'a reference range is in UCUM', ({ low, high }) =>
      [low, high].every((bound) => !isObject(bound) || isOneOf(bound.system ?? ucum, [ucum])),
    ),
    rule(
      'us-core-24',
      'the value for a smoking status is coded',
      (it) => !hasCode(it.code, ['72166-2', '11367-0']) || isObject(it.valueCodeableConcept),
    ),
    rule(
      'us-core-25',
      'the value for packs smoked is a quantity',
      (it) => !hasCode(it.code, ['401201003', '782516008']) || isObject(it.valueQuantity),
      'warning',
    ),
    rule(
      'us-core-26',
      'a component has a value or a dataAbsentReason',
      (it) => hasChoice(it, 'value') || has(it, 'dataAbsentReason'),
    ),
    rule(
      'SDOH-Obs-1',
      'there is one subject, in the element or in the extension',
      (it) => has(it, 'subject') !== extensions(it, otherSubject).length > 0,
    ),
    rule('SDOH-Obs-2', 'subject is given with focus', (it) => !has(it, 'focus') || has(it, 'subject')),
    rule('SDOH-Obs-3', 'performer or derivedFrom is given', (it) => has(it, 'performer') || has(it, 'derivedFrom')),
    rule(
      'SDOH-Ethnicity-1',
      'there is an ethnicity description or a dataAbsentReason, not both',
      (it) => has(it, 'dataAbsentReason') !== hasComponent(it, '69490-1'),
    ),
    rule(
      'SDOH-Race-1',
      'there is a race description or a dataAbsentReason, not both',
      (it) => has(it, 'dataAbsentReason') !== hasComponent(it, '72826-1'),
    ),
    rule('SDOH-Obs-4', 'one category is sdoh of US Core', hasSdohCategory),
  ],
  Organization: [
    ...npi,
    rule(
      'us-core-18',
      'a CLIA number has the form 99D9999999',
      (it) => !isText(it.value) || /^\d{2}D\d{7}$/.test(it.value),
    ),
    rule('us-core-19', 'a NAIC number has 5 digits', (it) => !isText(it.value) || /^\d{5}$/.test(it.value)),
  ],
  Patient: [
    rule(
      'us-core-6',
      'a name has family or given, or else a data-absent-reason, not both',
      (it) => (has(it, 'family') || has(it, 'given')) !== extensions(it, dataAbsentReason).length > 0,
    ),
  ],
  Practitioner: npi,
  PractitionerRole: [
    rule('pd-1', 'telecom or endpoint is given', (it) => has(it, 'telecom') || has(it, 'endpoint')),
    rule(
      'us-core-13',
      'practitioner, organization, healthcareService or location is given',
      (it) => has(it, 'practitioner') || has(it, 'organization') || has(it, 'healthcareService') || has(it, 'location'),
    ),
  ],
  Procedure: [
    rule(
      'us-core-7',
      'performed is given when completed or in progress',
      (it) => !isOneOf(it.status, ['completed', 'in-progress']) || hasChoice(it, 'performed'),
    ),
  ],
  Provenance: [
    rule('provenance-1', 'onBehalfOf is given when who is a Practitioner or a Device', (it) => {
      const who = isObject(it.who) && isText(it.who.reference) ? parseReference(it.who.reference) : undefined;
      return !isOneOf(who?.resourceType, ['Practitioner', 'Device']) || has(it, 'onBehalfOf');
    }),
  ],
  QuestionnaireResponse: [
    rule('sdcqr-1', 'subject is given', (it) => has(it, 'subject'), 'warning'),
    rule('sdcqr-2', 'each answered question is there once below its parent', hasDistinctLinks),
  ],
  RelatedPerson: [
    rule('us-core-14', 'name or relationship is given', (it) => has(it, 'name') || has(it, 'relationship')),
  ],
  Task: [
    rule(
      'SDOH-Task-1',
      'a questionnaire to complete comes as one questionnaire, PDF or URL, with its category',
      (it) =>
        !hasCoding(it.code, sdcTemporary, ['complete-questionnaire']) ||
        (isOdd([
          hasInput(it, sdcTemporary, 'questionnaire'),
          hasInput(it, sdohTemporary, 'questionnaire-pdf'),
          hasInput(it, sdohTemporary, 'questionnaire-url'),
        ]) &&
          hasInput(it, sdohTemporary, 'questionnaire-category')),
    ),
    rule(
      'SDOH-Task-2',
      'general information has a description, and its output is the response',
      (it) =>
        !hasCoding(it.code, sdohTemporary, ['general-information']) ||
        (has(it, 'description') && hasOnlyOutput(it, 'general-information-response')),
    ),
    rule('SDOH-Task-3', 'material to review is a DocumentReference', (it) => {
      const focus = isObject(it.focus) && isText(it.focus.reference) ? parseReference(it.focus.reference) : undefined;
      return (
        !hasCoding(it.code, sdohTemporary, ['review-material']) ||
        focus === undefined ||
        focus.resourceType === 'DocumentReference'
      );
    }),
    rule(
      'SDOH-Task-4',
      'a contact to make is named',
      (it) => !hasCoding(it.code, sdohTemporary, ['make-contact']) || hasInput(it, sdohTemporary, 'contact-entity'),
    ),
    rule(
      'SDOH-Task-5',
      'the output for a questionnaire is its response',
      (it) =>
        !hasInput(it, sdcTemporary, 'questionnaire') ||
        !has(it, 'output') ||
        hasOutput(it, sdcTemporary, 'questionnaire-response'),
    ),
    rule(
      'SDOH-Task-6',
      'the output for a PDF is the completed PDF',
      (it) =>
        !hasInput(it, sdcTemporary, 'questionnaire-pdf') ||
        !has(it, 'output') ||
        hasOutput(it, sdcTemporary, 'questionnaire-pdf-completed'),
    ),
    rule(
      'SDOH-Task-7',
      'a contact to make has a description, and its output is the chosen contact',
      (it) =>
        !hasCoding(it.code, sdohTemporary, ['make-contact']) ||
        (has(it, 'description') && hasOnlyOutput(it, 'chosen-contact')),
    ),
  ],
};

function codingsOfParts(list: Json | undefined): readonly JsonObject[] {
  return items(list)
    .filter(isObject)
    .flatMap(({ type }) => codings(type));
}

function hasInput(task: JsonObject, system: string, code: string): boolean {
  return codingsOfParts(task.input).some((coding) => coding.system === system && coding.code === code);
}

function hasOutput(task: JsonObject, system: string, code: string): boolean {
  return codingsOfParts(task.output).some((coding) => coding.system === system && coding.code === code);
}

function hasOnlyOutput(task: JsonObject, code: string): boolean {
  return codingsOfParts(task.output).every((coding) => coding.system === sdohTemporary && coding.code === code);
}

/** FHIRPath's `xor` over several. */
function isOdd(facts: readonly boolean[]): boolean {
  return facts.filter(Boolean).length % 2 === 1;
}

function hasCode(concept: Json | undefined, codes: readonly string[]): boolean {
  return codings(concept).some(({ code }) => isOneOf(code, codes));
}

function hasComponent(observation: JsonObject, code: string): boolean {
  return items(observation.component).some((part) => isObject(part) && hasCoding(part.code, loinc, [code]));
}

function hasDistinctLinks(parent: JsonObject): boolean {
  const below = items(parent.item).filter(isObject);
  const answered = below.filter(({ answer }) => items(answer).some((one) => isObject(one) && hasChoice(one, 'value')));
  const links = answered.map(({ linkId }) => linkId);
  const deeper = [...below, ...below.flatMap(({ answer }) => items(answer).filter(isObject))];
  return new Set(links).size === links.length && deeper.every(hasDistinctLinks);
}

function hasSdohCategory(resource: JsonObject): boolean {
  return items(resource.category).some((category) => hasCoding(category, usCoreCategory, ['sdoh']));
}

function extensions(object: JsonObject, url: string): JsonObject[] {
  return items(object.extension)
    .filter(isObject)
    .filter((extension) => extension.url === url);
}

/** Luhn over the NPI with the card issuer prefix 80840, which adds 24 (https://www.cms.gov/Regulations-and-Guidance/Administrative-Simplification/NationalProvIdentStand). */
function hasCheckDigit(npiDigits: string): boolean {
  const sum = [...npiDigits].map(Number).reduce((total, digit, at) => {
    const doubled = at % 2 === 0 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 24);
  return sum % 10 === 0;
}
