// Which bodies the server takes (C19): only supported elements, no modifiers, one code system per coding list, and what each type demands
// beyond base R4. Documents have a file of their own.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import { refusal } from '../../engine/outcome.ts';
import { checkDocument } from './document-rules.ts';

interface BodyRules {
  readonly elements: readonly string[];
  /** Elements that are not supported are left out of what is stored, not refused. */
  readonly ignoresOthers?: true;
  readonly required: readonly string[];
  /** What a create must be beyond this; throws Refusal 422. */
  readonly create?: (resource: JsonObject) => void;
}

/** The server's own; what a client sends of them is not kept. */
const common = ['resourceType', 'id', 'meta'];

const rules: Readonly<Record<string, BodyRules>> = {
  Appointment: {
    elements: [
      ...['status', 'serviceType', 'reasonCode', 'description', 'start', 'end', 'minutesDuration', 'slot', 'comment'],
      ...['patientInstruction', 'requestedPeriod', 'participant'],
    ],
    required: ['status', 'participant'],
    create: (resource) => {
      const needed = { proposed: ['requestedPeriod', 'reasonCode'], booked: ['slot'] }[String(resource.status)];
      if (needed === undefined)
        throw unprocessable('business-rule', 'The status must be proposed or booked.', 'Appointment.status');
      checkRequired(resource, needed);
    },
  },
  Communication: {
    elements: [
      'status',
      'category',
      'priority',
      'subject',
      'encounter',
      'recipient',
      'sender',
      'payload',
      'reasonCode',
      'topic',
      'sent',
    ],
    required: ['status', 'category', 'recipient', 'sender', 'payload'],
    create: (resource) => {
      if (resource.status !== 'completed')
        throw unprocessable('business-rule', 'The status must be completed.', 'Communication.status');
      if (!/"code":"(notification|reminder|312853008)"/.test(JSON.stringify(resource.category))) {
        throw unprocessable(
          'business-rule',
          'The category must be notification, reminder or 312853008.',
          'Communication.category',
        );
      }
      const [payload] = Array.isArray(resource.payload) ? resource.payload : [];
      if (!isObject(payload) || payload.contentAttachment === undefined) {
        throw unprocessable('business-rule', 'The payload must be an attachment.', 'Communication.payload');
      }
    },
  },
  Condition: {
    elements: [
      ...[
        'clinicalStatus',
        'verificationStatus',
        'category',
        'severity',
        'code',
        'subject',
        'encounter',
        'recordedDate',
      ],
      ...['onsetDateTime', 'onsetAge', 'abatementDateTime', 'abatementAge', 'recorder', 'asserter', 'note'],
    ],
    required: ['category', 'clinicalStatus', 'verificationStatus', 'code', 'subject'],
    create: (resource) => {
      const category = JSON.stringify(resource.category);
      if (!/"code":"(problem-list-item|encounter-diagnosis)"/.test(category)) {
        throw unprocessable(
          'business-rule',
          'The category must be problem-list-item or encounter-diagnosis.',
          'Condition.category',
        );
      }
      if (category.includes('"encounter-diagnosis"')) checkRequired(resource, ['encounter']);
    },
  },
  Coverage: {
    elements: [
      ...['identifier', 'status', 'type', 'policyHolder', 'subscriber', 'subscriberId', 'beneficiary', 'relationship'],
      ...['period', 'payor', 'class', 'order', 'network', 'extension'],
    ],
    required: ['status', 'beneficiary', 'payor'],
  },
  DocumentReference: {
    elements: [
      ...['status', 'docStatus', 'type', 'category', 'subject', 'date', 'author', 'authenticator', 'custodian'],
      ...['description', 'content', 'context'],
    ],
    required: ['status', 'type', 'subject', 'content', 'context'],
  },
  Encounter: {
    elements: [
      ...['identifier', 'status', 'class', 'type', 'serviceType', 'priority', 'subject', 'participant', 'period'],
      ...['reasonCode', 'location', 'serviceProvider', 'extension'],
    ],
    required: ['status', 'class', 'subject'],
  },
  Observation: {
    elements: [
      ...['status', 'category', 'code', 'subject', 'encounter', 'effectiveDateTime', 'effectivePeriod', 'issued'],
      ...['performer', 'valueQuantity', 'valueCodeableConcept', 'valueString', 'valueInteger', 'valueDateTime'],
      ...['interpretation', 'referenceRange', 'device', 'method', 'component', 'note', 'dataAbsentReason'],
    ],
    ignoresOthers: true,
    required: ['status', 'category', 'code', 'subject', 'effectiveDateTime'],
    create: (resource) => {
      if (!/"code":"(vital-signs|laboratory)"/.test(JSON.stringify(resource.category))) {
        throw unprocessable('business-rule', 'The category must be vital-signs or laboratory.', 'Observation.category');
      }
    },
  },
  Organization: {
    elements: ['identifier', 'active', 'type', 'name', 'alias', 'telecom', 'address', 'partOf'],
    required: ['name'],
  },
  Patient: {
    elements: [
      ...['identifier', 'active', 'name', 'telecom', 'gender', 'birthDate', 'deceasedBoolean', 'deceasedDateTime'],
      ...['address', 'maritalStatus', 'communication', 'generalPractitioner', 'extension', 'contact'],
    ],
    required: ['identifier', 'name'],
    create: checkNewPatient,
  },
  Practitioner: {
    elements: ['identifier', 'active', 'name', 'telecom', 'address', 'gender', 'birthDate', 'qualification'],
    required: ['name'],
  },
  Procedure: {
    elements: [
      ...['status', 'category', 'code', 'subject', 'encounter', 'performedDateTime', 'performedPeriod', 'recorder'],
      ...['asserter', 'performer', 'location', 'reasonCode', 'note'],
    ],
    required: ['status', 'code', 'subject'],
  },
  QuestionnaireResponse: {
    elements: ['questionnaire', 'status', 'subject', 'authored', 'item'],
    required: ['questionnaire', 'status', 'subject', 'item'],
  },
};

/**
 * The body as it will be stored.
 * @param isCreate whether the rules of a create hold as well
 * @throws Refusal 422
 */
export function checkedBody(type: string, body: JsonObject, isCreate: boolean): JsonObject {
  if (body.implicitRules !== undefined)
    throw unprocessable('not-supported', 'implicitRules is not supported.', `${type}.implicitRules`);
  checkDeeply(body, type);
  const rule = rules[type];
  if (rule === undefined) return withoutMeta(body);
  const others = Object.keys(body).filter((name) => !common.includes(name) && !rule.elements.includes(name));
  if (others.length > 0 && rule.ignoresOthers !== true) {
    throw unprocessable('business-rule', `The element ${others[0]} is not supported.`, `${type}.${others[0]}`);
  }
  checkRequired(body, rule.required);
  if (type === 'DocumentReference') checkDocument(body, isCreate);
  if (isCreate) rule.create?.(body);
  return withoutMeta(Object.fromEntries(Object.entries(body).filter(([name]) => !others.includes(name))));
}

function withoutMeta(body: JsonObject): JsonObject {
  const { meta: _meta, ...rest } = body;
  return rest;
}

function checkRequired(resource: JsonObject, names: readonly string[]): void {
  for (const name of names) {
    if (resource[name] === undefined)
      throw unprocessable('required', `The element ${name} is required.`, `${resource.resourceType}.${name}`);
  }
}

/** What holds at every depth. */
function checkDeeply(value: Json | undefined, path: string): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkDeeply(item, `${path}[${index}]`);
    return;
  }
  if (!isObject(value)) return;
  if (value.modifierExtension !== undefined) {
    throw unprocessable('extension', 'Modifier extensions are not supported.', `${path}.modifierExtension`);
  }
  if (Array.isArray(value.coding)) {
    const systems = new Set(value.coding.map((coding) => (isObject(coding) ? (coding.system ?? '') : '')));
    if (systems.size > 1)
      throw unprocessable('business-rule', 'Codes of one code system only are supported.', `${path}.coding`);
  }
  for (const [name, child] of Object.entries(value)) checkDeeply(child, `${path}.${name}`);
}

/** The server gives record numbers itself, by the organization that assigns them. */
function checkNewPatient({ identifier, name }: JsonObject): void {
  const isAssigned = (item: Json) =>
    isObject(item) &&
    Object.keys(item).join() === 'assigner' &&
    isObject(item.assigner) &&
    String(item.assigner.reference).startsWith('Organization/');
  if (!Array.isArray(identifier) || !identifier.every(isAssigned)) {
    throw unprocessable('business-rule', 'An identifier has an assigner and nothing else.', 'Patient.identifier');
  }
  const names = Array.isArray(name) ? name.filter((item) => isObject(item) && item.use === 'official') : [];
  if (names.length !== 1)
    throw unprocessable('business-rule', 'There must be exactly one official name.', 'Patient.name');
}

function unprocessable(code: string, text: string, expression: string) {
  return refusal(422, code, text, expression);
}
