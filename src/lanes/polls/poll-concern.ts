// Which of the resources that a search finds, and no record of ours is linked to, are our concern: those of patients who are asked about, and
// requests to us. What is about others is not kept. Pure.

import { parseReference } from '../../fhir/fhir.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import { localName, partOf } from '../inbound/about.ts';
import { patientsIn } from '../patients/patient-of.ts';

export interface Concern {
  readonly baseUrl: string;
  /** The patient whom the search was about; '': it was about all. */
  readonly about: string;
  /** Whom we ask about, of the patients that the resources name. */
  readonly patients: ReadonlySet<string>;
  /** References by which the server names our organization and its people. */
  readonly ours: ReadonlySet<string>;
  /** `system|code` of requests that are referrals, whoever performs them: one that names somebody else is kept with that reason. */
  readonly referralCodes: ReadonlySet<string>;
  /** References to requests that a Task which is our concern is about. */
  readonly requested: ReadonlySet<string>;
  /** Tasks of referrals of ours, and those that are looked at because they may become one: whoever passes them on is of interest. */
  readonly referred: ReadonlySet<string>;
  /** The search named what is for the community: whoever is meant by it. */
  readonly isForCommunity: boolean;
  /** Resources of our referrals, as `Type/id`: only messages about them are our concern. Absent: all are. */
  readonly referrals?: ReadonlySet<string>;
}

export function isOurConcern(resource: JsonObject, concern: Concern): boolean {
  const patients = patientsIn(resource, concern.baseUrl);
  const isAskedAbout = patients.length === 0 ? concern.about !== '' : patients.some((id) => concern.patients.has(id));
  if (resource.resourceType === 'ServiceRequest') return isReferral(resource, concern);
  if (resource.resourceType === 'Communication') return isAskedAbout && isOfReferral(resource, concern);
  if (resource.resourceType !== 'Task') return isAskedAbout;
  return (
    isAskedAbout ||
    isReferredToUs(resource, concern) ||
    isOpenToAll(resource) ||
    partOf(resource, concern.baseUrl).some((whole) => concern.referred.has(localName(whole)))
  );
}

/** In whose chart a resource is: of several patients, the one whom we ask about. Undefined: it names nobody. */
export function patientAmong(resource: JsonObject, { baseUrl, patients }: Concern): string | undefined {
  const named = patientsIn(resource, baseUrl);
  return named.find((id) => patients.has(id)) ?? named[0];
}

/** It asks us to do something for its patient: to answer, more has to be known of them. */
export function isReferredToUs(resource: JsonObject, concern: Concern): boolean {
  if (resource.resourceType === 'ServiceRequest') return isReferral(resource, concern);
  return resource.resourceType === 'Task' && (concern.isForCommunity || names(concern, objectAt(resource, 'owner')));
}

/** Orders of all kinds are no referrals: only what is to be done by us, what a Task asks of us, and what the configuration names. */
function isReferral(request: JsonObject, concern: Concern): boolean {
  return (
    objectsAt(request, 'performer').some((performer) => names(concern, performer)) ||
    concern.requested.has(`ServiceRequest/${textAt(request, 'id')}`) ||
    codesOf(request).some((code) => concern.referralCodes.has(code))
  );
}

/** Any other is mail among the staff. */
function isOfReferral(message: JsonObject, { referrals, baseUrl }: Concern): boolean {
  if (referrals === undefined) return true;
  return referencesOf(message).some((text) => referrals.has(localReference(text, baseUrl)));
}

/** What a message says it is about. */
export function referencesOf(message: JsonObject): string[] {
  return ['basedOn', 'partOf', 'about'].flatMap((element) =>
    objectsAt(message, element).flatMap((one) => textAt(one, 'reference') ?? []),
  );
}

/** `Type/id` of what stands on this server; anything else as it is. */
export function localReference(reference: string, baseUrl: string): string {
  const parsed = parseReference(reference.trim(), baseUrl);
  return parsed === undefined ? reference : localName(parsed);
}

function names({ ours, baseUrl }: Concern, reference: JsonObject | undefined): boolean {
  return ours.has(localReference(textAt(reference, 'reference') ?? '', baseUrl));
}

/** Whoever takes it first does it (closed-loop B4). */
function isOpenToAll(task: JsonObject): boolean {
  return task.owner === undefined && task.status === 'requested';
}

function codesOf(request: JsonObject): string[] {
  return [objectAt(request, 'code'), ...objectsAt(request, 'category')].flatMap((concept) =>
    objectsAt(concept, 'coding').map(({ system, code }) => `${system}|${code}`),
  );
}
