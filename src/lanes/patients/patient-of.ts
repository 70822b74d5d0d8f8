// In whose chart a resource is.

import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';

/** Where resources say whom they are about. */
export const patientElements: readonly string[] = ['subject', 'patient', 'for', 'beneficiary'];

/** An appointment has none of them: the patient takes part in it, and others may. */
export const participants = 'participant';

/** Of elements and of entries in a list (`participant[client]`), those that may name whom a resource is about; the most telling first. */
export function namingPatient(names: readonly string[]): string[] {
  const telling = patientElements.filter((name) => names.includes(name));
  return [...telling, ...names.filter((name) => name.startsWith(`${participants}[`))];
}

/** The reference in the fact of one of these. */
export function namedInFact(fact: Json | undefined): string | undefined {
  const reference = isObject(fact) ? fact.actor : fact;
  return typeof reference === 'string' ? reference : undefined;
}

/** What a resource refers to as whom it is about, patients and others. */
export function namedIn(resource: JsonObject): string[] {
  const subjects = patientElements.flatMap((element) => textAt(objectAt(resource, element), 'reference') ?? []);
  return subjects.length > 0 ? subjects : objectsAt(resource, participants).flatMap((one) => actorOf(one) ?? []);
}

export interface Whose {
  /** By the server's id. */
  readonly isTheClient: (patientId: string) => boolean;
  readonly baseUrl: string;
}

/** A participant who is a patient of this server, and not the client. */
export function isOtherParticipant(participant: JsonObject, { isTheClient, baseUrl }: Whose): boolean {
  const id = patientId(actorOf(participant), baseUrl);
  return id !== undefined && !isTheClient(id);
}

function actorOf(participant: JsonObject): string | undefined {
  return textAt(objectAt(participant, 'actor'), 'reference');
}

/**
 * The server's ids of the patients whom a resource is about; several only where they take part in it. A Patient is about itself.
 * @param baseUrl references to another server name nobody here; absent: only relative ones count
 */
export function patientsIn(resource: JsonObject, baseUrl?: string): string[] {
  const named =
    resource.resourceType === 'Patient'
      ? [textAt(resource, 'id')]
      : namedIn(resource).map((reference) => patientId(reference, baseUrl));
  return [...new Set(named.flatMap((id) => id ?? []))];
}

/** The first of these. */
export function patientOf(resource: JsonObject, baseUrl?: string): string | undefined {
  return patientsIn(resource, baseUrl)[0];
}

/** The id in a reference to a Patient of this server. */
export function patientId(reference: string | undefined, baseUrl?: string): string | undefined {
  const [, server, id] =
    /^(?:(https?:\/\/.+)\/)?Patient\/([A-Za-z0-9._-]{1,128})(?:\/_history\/.*)?$/.exec(reference?.trim() ?? '') ?? [];
  return server === undefined || server === baseUrl ? id : undefined;
}
