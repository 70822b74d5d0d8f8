// What the interface for partners offers, as a table: the CapabilityStatement is made from it, and nothing else is answered.

import type { Action } from '../connections/connections.ts';
import type { SearchParameter } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';

export interface Parameter extends SearchParameter {
  /** The element that it looks at, as a path through lists. */
  readonly path: readonly string[];
}

export interface Offer {
  readonly actions: readonly Exclude<Action, 'delete'>[];
  readonly parameters: readonly Parameter[];
}

type Row = readonly [code: string, type: Parameter['type'], path: string, targets?: readonly string[]];

const everywhere: readonly Row[] = [
  ['_id', 'token', 'id'],
  ['_lastUpdated', 'date', 'meta.lastUpdated'],
];
const identifier: Row = ['identifier', 'token', 'identifier'];
const patient = (path: string): Row => ['patient', 'reference', path, ['Patient']];
const status = (path = 'status'): Row => [path === 'status' ? 'status' : 'lifecycle-status', 'token', path];
const organizations = ['Organization', 'Practitioner', 'PractitionerRole'];

export const offers: Readonly<Record<string, Offer>> = {
  Task: offer(
    ['read', 'search', 'update'],
    identifier,
    ['code', 'token', 'code'],
    patient('for'),
    ['requester', 'reference', 'requester', organizations],
    ['owner', 'reference', 'owner', organizations],
    status(),
    ['focus', 'reference', 'focus', ['ServiceRequest']],
  ),
  Procedure: offer(['create', 'read', 'search'], identifier, patient('subject'), status(), [
    'based-on',
    'reference',
    'basedOn',
    ['ServiceRequest'],
  ]),
  ServiceRequest: offer(
    ['read', 'search'],
    identifier,
    ['category', 'token', 'category'],
    ['code', 'token', 'code'],
    ['intent', 'token', 'intent'],
    patient('subject'),
    status(),
  ),
  Patient: offer(['read', 'search'], identifier),
  Condition: offer(['read', 'search'], identifier, patient('subject'), ['category', 'token', 'category']),
  Goal: offer(['read', 'search'], identifier, patient('subject'), status('lifecycleStatus')),
  Consent: offer(['read', 'search'], identifier, patient('patient'), status()),
  Organization: offer(['read', 'search'], identifier),
  Practitioner: offer(['read', 'search'], identifier),
  PractitionerRole: offer(['read', 'search'], identifier),
  HealthcareService: offer(['read', 'search'], identifier),
  Location: offer(['read', 'search'], identifier),
};

function offer(actions: Offer['actions'], ...own: readonly Row[]): Offer {
  const parameters = [...everywhere, ...own].map(([code, type, path, targets = []]) => ({
    code,
    type,
    path: path.split('.'),
    targets,
  }));
  return { actions, parameters };
}

/** The elements that a parameter looks at. */
export function elementsAt(resource: JsonObject, { path }: Parameter): Json[] {
  return path.reduce<Json[]>(
    (found, name) => found.flatMap((one) => (isObject(one) && one[name] !== undefined ? [one[name]].flat() : [])),
    [resource],
  );
}
