// R4's own invariants, written by hand for the types that the facts hold: faster than FHIRPath, and each can be read.
// The place ('Goal.target') and the key are those of the definitions; a test holds both lists against the facts.

import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import { isAfter } from './dates.ts';
import { type Invariant, rule } from './invariant.ts';
import { isBasicXhtml, saysSomething } from './narrative.ts';
import { parseReference } from './references.ts';
import { codings, has, hasChoice, hasCoding, isOneOf, isText, items } from './values.ts';

const ucum = 'http://unitsofmeasure.org';
const conditionStatus = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const verification = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';

export const baseInvariants: Readonly<Record<string, readonly Invariant[]>> = {
  Age: [rule('age-1', 'an age has a code, is in UCUM and above 0', (it) => isMeasured(it) && !(Number(it.value) <= 0))],
  Appointment: [
    rule('app-2', 'start and end are given together', (it) => has(it, 'start') === has(it, 'end')),
    rule(
      'app-3',
      'start and end are given, unless proposed, cancelled or on the waiting list',
      (it) => (has(it, 'start') && has(it, 'end')) || isOneOf(it.status, ['proposed', 'cancelled', 'waitlist']),
    ),
    rule(
      'app-4',
      'cancelationReason goes only with cancelled or noshow',
      (it) => !has(it, 'cancelationReason') || isOneOf(it.status, ['noshow', 'cancelled']),
    ),
  ],
  'Appointment.participant': [rule('app-1', 'type or actor is given', (it) => has(it, 'type') || has(it, 'actor'))],
  Attachment: [rule('att-1', 'data goes with contentType', (it) => !has(it, 'data') || has(it, 'contentType'))],
  'CarePlan.activity': [
    rule('cpl-3', 'detail and reference exclude each other', (it) => !(has(it, 'detail') && has(it, 'reference'))),
  ],
  'CareTeam.participant': [
    rule(
      'ctm-1',
      'onBehalfOf is given only for a Practitioner',
      (it) => !has(it, 'onBehalfOf') || mayBe(it.member, 'Practitioner'),
    ),
  ],
  Condition: [
    rule(
      'con-3',
      'clinicalStatus is given for a problem list item that is not entered in error',
      (it) =>
        has(it, 'clinicalStatus') ||
        hasCoding(it.verificationStatus, verification, ['entered-in-error']) ||
        !items(it.category).some((category) => codings(category).some(({ code }) => code === 'problem-list-item')),
      'warning',
    ),
    rule(
      'con-4',
      'what has abated is resolved, in remission or inactive',
      (it) =>
        !hasChoice(it, 'abatement') ||
        hasCoding(it.clinicalStatus, conditionStatus, ['resolved', 'remission', 'inactive']),
    ),
    rule(
      'con-5',
      'clinicalStatus is absent when entered in error',
      (it) => !hasCoding(it.verificationStatus, verification, ['entered-in-error']) || !has(it, 'clinicalStatus'),
    ),
  ],
  'Condition.stage': [
    rule('con-1', 'summary or assessment is given', (it) => has(it, 'summary') || has(it, 'assessment')),
  ],
  'Condition.evidence': [rule('con-2', 'code or detail is given', (it) => has(it, 'code') || has(it, 'detail'))],
  Consent: [
    rule('ppc-1', 'policy or policyRule is given', (it) => has(it, 'policy') || has(it, 'policyRule')),
    consentScope('ppc-2', 'patient-privacy'),
    consentScope('ppc-3', 'research'),
    consentScope('ppc-4', 'adr'),
    consentScope('ppc-5', 'treatment'),
  ],
  ContactPoint: [rule('cpt-2', 'value goes with system', (it) => !has(it, 'value') || has(it, 'system'))],
  Count: [
    rule(
      'cnt-3',
      'a count is a whole number with the UCUM code 1',
      (it) => isMeasured(it) && isOneOf(it.code ?? '1', ['1']) && Number.isInteger(it.value ?? 0),
    ),
  ],
  'DataRequirement.codeFilter': [
    rule('drq-1', 'either path or searchParam is given', (it) => has(it, 'path') !== has(it, 'searchParam')),
  ],
  'DataRequirement.dateFilter': [
    rule('drq-2', 'either path or searchParam is given', (it) => has(it, 'path') !== has(it, 'searchParam')),
  ],
  Distance: [rule('dis-1', 'a distance has a code and is in UCUM', isMeasured)],
  DomainResource: [
    rule('dom-2', 'a contained resource contains no other', (it) =>
      contained(it).every((inner) => !has(inner, 'contained')),
    ),
    rule('dom-3', 'a contained resource is referred to, or refers to what contains it', (it) => {
      const references = contained(it).length > 0 ? localReferences(it) : new Set<string>();
      return contained(it).every((inner) => references.has(`#${inner.id}`) || localReferences(inner).has('#'));
    }),
    rule('dom-4', 'a contained resource has no version and no time of change', (it) =>
      contained(it).every(({ meta }) => !isObject(meta) || !(has(meta, 'versionId') || has(meta, 'lastUpdated'))),
    ),
    rule('dom-5', 'a contained resource has no security label', (it) =>
      contained(it).every(({ meta }) => !isObject(meta) || !has(meta, 'security')),
    ),
  ],
  Duration: [
    rule(
      'drt-1',
      'code goes with the UCUM system and a value',
      (it) => !has(it, 'code') || (it.system === ucum && has(it, 'value')),
    ),
  ],
  Expression: [
    rule('exp-1', 'expression or reference is given', (it) => has(it, 'expression') || has(it, 'reference')),
  ],
  Extension: [
    rule(
      'ext-1',
      'an extension has either a value or extensions',
      (it) => has(it, 'extension') !== hasChoice(it, 'value'),
    ),
  ],
  'Goal.target': [rule('gol-1', 'detail goes with measure', (it) => !hasChoice(it, 'detail') || has(it, 'measure'))],
  // Of a primitive: these look at the object that holds it.
  'Narrative.div': [
    rule(
      'txt-1',
      'a narrative holds formatting, tables, links and images only',
      (it) => !isText(it.div) || isBasicXhtml(it.div),
    ),
    rule('txt-2', 'a narrative says something', (it) => !isText(it.div) || saysSomething(it.div)),
  ],
  Observation: [
    rule(
      'obs-6',
      'dataAbsentReason and value exclude each other',
      (it) => !has(it, 'dataAbsentReason') || !hasChoice(it, 'value'),
    ),
    rule(
      'obs-7',
      'no component has the code of the Observation when it has a value',
      (it) =>
        !hasChoice(it, 'value') ||
        !items(it.component).some((part) => isObject(part) && sharesCoding(part.code, it.code)),
    ),
  ],
  'Observation.referenceRange': [
    rule('obs-3', 'low, high or text is given', (it) => has(it, 'low') || has(it, 'high') || has(it, 'text')),
  ],
  Organization: [rule('org-1', 'identifier or name is given', (it) => has(it, 'identifier') || has(it, 'name'))],
  'Organization.address': [rule('org-2', 'an address is not of use home', (it) => it.use !== 'home')],
  'Organization.telecom': [rule('org-3', 'a telecom is not of use home', (it) => it.use !== 'home')],
  'Patient.contact': [
    rule(
      'pat-1',
      'name, telecom, address or organization is given',
      (it) => has(it, 'name') || has(it, 'telecom') || has(it, 'address') || has(it, 'organization'),
    ),
  ],
  Period: [
    rule(
      'per-1',
      'start is not after end',
      (it) => !(isText(it.start) && isText(it.end)) || !isAfter(it.start, it.end),
    ),
  ],
  Quantity: [rule('qty-3', 'code goes with system', (it) => !has(it, 'code') || has(it, 'system'))],
  'QuestionnaireResponse.item': [
    rule('qrs-1', 'answers and items exclude each other', (it) => !(has(it, 'answer') && has(it, 'item'))),
  ],
  Range: [
    rule(
      'rng-2',
      'low is not above high',
      (it) =>
        !(isObject(it.low) && isObject(it.high)) ||
        it.low.code !== it.high.code ||
        !(Number(it.low.value) > Number(it.high.value)),
    ),
  ],
  Ratio: [
    rule(
      'rat-1',
      'numerator and denominator are given together, or an extension',
      (it) => has(it, 'numerator') === has(it, 'denominator') && (has(it, 'numerator') || has(it, 'extension')),
    ),
  ],
  Reference: [
    rule(
      'ref-1',
      'a local reference names a contained resource',
      (it, root) =>
        !isText(it.reference) ||
        !it.reference.startsWith('#') ||
        it.reference === '#' ||
        contained(root).some(({ id }) => `#${id}` === it.reference),
    ),
  ],
  ServiceRequest: [rule('prr-1', 'orderDetail goes with code', (it) => !has(it, 'orderDetail') || has(it, 'code'))],
  Task: [
    rule(
      'inv-1',
      'lastModified is not before authoredOn',
      (it) => !(isText(it.authoredOn) && isText(it.lastModified)) || !isAfter(it.authoredOn, it.lastModified),
    ),
  ],
  'Timing.repeat': [
    rule('tim-1', 'duration goes with durationUnit', (it) => !has(it, 'duration') || has(it, 'durationUnit')),
    rule('tim-2', 'period goes with periodUnit', (it) => !has(it, 'period') || has(it, 'periodUnit')),
    rule('tim-4', 'duration is not negative', (it) => !(Number(it.duration) < 0)),
    rule('tim-5', 'period is not negative', (it) => !(Number(it.period) < 0)),
    rule('tim-6', 'periodMax goes with period', (it) => !has(it, 'periodMax') || has(it, 'period')),
    rule('tim-7', 'durationMax goes with duration', (it) => !has(it, 'durationMax') || has(it, 'duration')),
    rule('tim-8', 'countMax goes with count', (it) => !has(it, 'countMax') || has(it, 'count')),
    rule(
      'tim-9',
      'offset goes with an event other than a meal',
      (it) =>
        !has(it, 'offset') ||
        (has(it, 'when') && !items(it.when).some((event) => isOneOf(event, ['C', 'CM', 'CD', 'CV']))),
    ),
    rule('tim-10', 'timeOfDay and when exclude each other', (it) => !has(it, 'timeOfDay') || !has(it, 'when')),
  ],
  TriggerDefinition: [
    rule('trd-1', 'data and timing exclude each other', (it) => !has(it, 'data') || !hasChoice(it, 'timing')),
    rule('trd-2', 'condition goes with data', (it) => !has(it, 'condition') || has(it, 'data')),
    rule('trd-3', 'a named event has a name, a periodic one a timing, a data event its data', (it) =>
      it.type === 'named-event' ? has(it, 'name') : it.type === 'periodic' ? hasChoice(it, 'timing') : has(it, 'data'),
    ),
  ],
};

/** As R4 was published, with a code system that nobody has: so it holds almost always. */
function consentScope(key: string, code: string): Invariant {
  return rule(
    key,
    `patient is given for the scope ${code}`,
    (it) => has(it, 'patient') || !hasCoding(it.scope, 'something', [code]),
  );
}

function sharesCoding(one: Json | undefined, other: Json | undefined): boolean {
  return codings(one).some(
    (coding) => isText(coding.system) && isText(coding.code) && hasCoding(other, coding.system, [coding.code]),
  );
}

function isMeasured(quantity: JsonObject): boolean {
  return (has(quantity, 'code') || !has(quantity, 'value')) && (!has(quantity, 'system') || quantity.system === ucum);
}

/** False only when the literal reference names another type: what cannot be told here is left to the server. */
function mayBe(reference: Json | undefined, type: string): boolean {
  const parsed = isObject(reference) && isText(reference.reference) ? parseReference(reference.reference) : undefined;
  return parsed === undefined || parsed.resourceType === type;
}

function contained(resource: JsonObject): JsonObject[] {
  return items(resource.contained).filter(isObject);
}

/** The references to places in the same resource ('#a', '#'), wherever they are in it. */
function localReferences(value: Json, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) {
    for (const item of value) {
      localReferences(item, found);
    }
  } else if (isObject(value)) {
    for (const [name, part] of Object.entries(value)) {
      if (name === 'reference' && isText(part) && part.startsWith('#')) {
        found.add(part);
      }
      localReferences(part, found);
    }
  }
  return found;
}
