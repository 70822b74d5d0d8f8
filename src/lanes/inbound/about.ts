// What a resource of the other side is about, as far as that says who takes it up: its patient, what else it names, and what record it may become.

import { parseReference } from '../../fhir/fhir.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import type { RecordType } from '../../records/records.ts';
import { patientElements } from '../patients/patient-of.ts';

/** What a resource may become, by its type. `none`: it is kept, and no mapping reads it. */
export const becomes: Readonly<Record<string, RecordType | 'none'>> = {
  Task: 'referral',
  ServiceRequest: 'referral',
  Condition: 'need',
  Goal: 'goal',
  CarePlan: 'carePlan',
  Encounter: 'hospitalStay',
  Communication: 'none',
  DocumentReference: 'note',
};

/** Ids of the Patients of this server that a resource says it is about; a Group or a patient elsewhere is none. */
export function patientsOf(resource: JsonObject, baseUrl: string): string[] {
  const named = patientElements.flatMap((name) => referenced(objectAt(resource, name), baseUrl));
  return [...new Set(named.flatMap(({ resourceType, id }) => (resourceType === 'Patient' ? [id] : [])))];
}

export interface Named {
  readonly resourceType: string;
  readonly id: string;
}

export function referenced(reference: JsonObject | undefined, baseUrl: string): Named[] {
  const text = textAt(reference, 'reference');
  const parsed = text === undefined ? undefined : parseReference(text.trim(), baseUrl);
  return parsed === undefined ? [] : [{ resourceType: parsed.resourceType, id: parsed.id }];
}

const goalExtension = 'http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal';

/** The order that a Task fulfils. */
export function orderOf(task: JsonObject, baseUrl: string): Named | undefined {
  const named = [objectAt(task, 'focus'), ...objectsAt(task, 'basedOn')].flatMap((one) => referenced(one, baseUrl));
  return named.find(({ resourceType }) => resourceType === 'ServiceRequest');
}

/** The Tasks that a Task says it is part of. */
export function partOf(task: JsonObject, baseUrl: string): Named[] {
  const named = objectsAt(task, 'partOf').flatMap((one) => referenced(one, baseUrl));
  return named.filter(({ resourceType }) => resourceType === 'Task');
}

/** What a Task or an order carries out, or carries out a part of, by its own word: Tasks and orders. */
export function carriesOut(request: JsonObject, baseUrl: string): Named[] {
  const basedOn = objectsAt(request, 'basedOn').flatMap((one) => referenced(one, baseUrl));
  const focus = request.resourceType === 'Task' ? referenced(objectAt(request, 'focus'), baseUrl) : [];
  const orders = [...focus, ...basedOn].filter(({ resourceType }) => resourceType === 'ServiceRequest');
  return request.resourceType === 'Task' ? [...partOf(request, baseUrl), ...orders] : orders;
}

/** What an order points at and a source can be offered with it: needs, goals, coverages, in this order. */
export function pointedAtBy(order: JsonObject, baseUrl: string): Named[] {
  const goals = objectsAt(order, 'extension').filter(({ url }) => url === goalExtension);
  const all = [
    ...objectsAt(order, 'reasonReference'),
    ...goals.map((one) => objectAt(one, 'valueReference')),
    ...objectsAt(order, 'insurance'),
  ].flatMap((one) => referenced(one, baseUrl));
  return ['Condition', 'Goal', 'Coverage'].flatMap((type) => all.filter(({ resourceType }) => resourceType === type));
}

export function localName({ resourceType, id }: Named): string {
  return `${resourceType}/${id}`;
}
